//! The embedded rules: compiled as they are written, and true to what was measured.

use std::collections::BTreeSet;

use bnbpip_overlay::{
    Overlay, RuleDocument, Severity, Subject, TestTarget, decode, embedded_sources, encode, lint,
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
            .evaluate(&set)
            .iter()
            .filter(|finding| finding.rule.severity == Severity::Broken)
            .map(|finding| finding.rule.id.to_string())
            .collect();
        assert_eq!(broken.is_empty(), result == "pass", "{row}: {broken:?}");
        seen.insert(result);
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["fail", "pass"]);
}
