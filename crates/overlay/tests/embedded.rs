//! The embedded rules: compiled as they are written, and true to what was measured.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use bnbpip_overlay::{
    KnownMachine, Overlay, RuleDocument, Severity, Subject, TestTarget, decode, embedded_sources,
    encode, lint,
};

fn documents() -> Vec<RuleDocument> {
    embedded_sources()
        .iter()
        .map(|source| Overlay::parse_rule(source.text, source.path).unwrap())
        .collect()
}

#[test]
fn the_compiled_set_is_the_written_one() {
    let documents = documents();
    assert!(lint(&documents).is_empty());
    let written = Overlay::from_rules(
        documents
            .into_iter()
            .filter(|document| document.withdrawn.is_none())
            .map(|d| d.rule),
    );
    let embedded = Overlay::embedded().unwrap();
    assert_eq!(embedded.digest().unwrap(), written.digest().unwrap());
    assert!(embedded.rules().len() > 0);
}

#[test]
fn the_binary_form_round_trips() {
    let embedded = Overlay::embedded().unwrap();
    let bytes = encode(embedded.rules()).unwrap();
    let again = decode(&bytes).unwrap();
    assert_eq!(encode(again.iter()).unwrap(), bytes);
    assert!(decode(&bytes[..bytes.len() / 2]).is_err());
}

/// `import bitsandbytes` in a fresh process, on the path that a GPU takes: torch, bitsandbytes, Triton, result.
const MATRIX: &str = include_str!("data/import_matrix.csv");

#[test]
fn what_was_measured_broken_is_refused_and_nothing_else() {
    let target: TestTarget = "linux-3.11".parse().unwrap();
    let rules = Overlay::embedded().unwrap().active(&target.environment);
    let mut seen = BTreeSet::new();
    for row in MATRIX.lines().skip(1) {
        let fields: Vec<&str> = row.split(',').collect();
        let [torch, bitsandbytes, triton, result] = fields[..] else {
            panic!("{row}")
        };
        let mut set = vec![
            format!("torch=={torch}"),
            format!("bitsandbytes=={bitsandbytes}"),
            "scipy==1.11.4".to_owned(),
            "setuptools==80.0.0".to_owned(),
            "numpy==1.26.4".to_owned(),
        ];
        if triton != "none" {
            set.push(triton.to_owned());
        }
        let set: Vec<Subject> = set.iter().map(|text| text.parse().unwrap()).collect();
        let broken: Vec<String> = rules
            .evaluate(&set, &KnownMachine::default())
            .iter()
            .filter(|finding| finding.rule.severity == Severity::Broken)
            .map(|finding| finding.rule.id.to_string())
            .collect();
        assert_eq!(broken.is_empty(), result == "pass", "{row}: {broken:?}");
        seen.insert(result);
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["fail", "pass"]);
}

fn found(target: &str, set: &[&str]) -> Vec<String> {
    let target: TestTarget = target.parse().unwrap();
    let rules = Overlay::embedded().unwrap().active(&target.environment);
    let set: Vec<Subject> = set.iter().map(|text| text.parse().unwrap()).collect();
    let findings = rules.evaluate(&set, &KnownMachine::default());
    findings
        .iter()
        .map(|finding| format!("{} {}", finding.rule.severity, finding.rule.title))
        .collect()
}

#[test]
fn sets_that_other_installers_accept_are_named() {
    let sets: [&[&str]; 5] = [
        &[
            "bitsandbytes==0.43.0",
            "triton-windows==3.2.0.post19",
            "torch==2.4.1",
            "setuptools==80.0",
        ],
        &["torch==2.6.0", "triton-windows==3.3.1.post19"],
        &[
            "torch==2.9.1",
            "triton-windows==3.2.0.post21",
            "setuptools==80.0",
        ],
        &[
            "bitsandbytes-0.42.0-py3-none-any.whl",
            "torch==2.4.1",
            "scipy==1.11.4",
        ],
        &["torch==2.4.0", "numpy==2.4.6"],
    ];
    let lines: Vec<String> = sets
        .iter()
        .map(|set| format!("{set:?}\n  {}", found("windows-3.11", set).join("\n  ")))
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn sets_that_work_are_left_alone() {
    let windows: [&[&str]; 2] = [
        &[
            "torch==2.14.1",
            "triton-windows==3.8.0.post29",
            "bitsandbytes==0.50.2",
            "numpy==2.5.5",
        ],
        &[
            "torch==2.4.1",
            "triton-windows==3.1.0.post17",
            "bitsandbytes==0.45.5",
            "setuptools==80.0",
        ],
    ];
    for set in windows {
        assert_eq!(found("windows-3.11", set), Vec::<String>::new(), "{set:?}");
    }
    let linux: [&[&str]; 2] = [
        &[
            "torch==2.14.1",
            "triton==3.8.0",
            "bitsandbytes==0.50.2",
            "transformers==5.23.0",
            "peft==0.21.2",
            "accelerate==1.15.0",
            "trl==1.16.0",
            "datasets==5.2.0",
            "huggingface-hub==2.4.0",
            "numpy==2.5.5",
            "setuptools==84.2.1",
            "fsspec==2026.9.0",
        ],
        &[
            "torch==2.10.0",
            "triton==3.6.0",
            "xformers==0.0.35",
            "torchaudio==2.10.0",
        ],
    ];
    for set in linux {
        assert_eq!(found("linux-3.11", set), Vec::<String>::new(), "{set:?}");
    }
}
