//! Advisories as databases write them, and what they say about versions.

#![expect(clippy::unwrap_used, reason = "what fails here is the test's failure")]

use bnbpip_audit::{Advisory, Database, Ignore, Verdict};
use jiff::civil::date;

fn advisory(text: &str) -> Option<Advisory> {
    Advisory::parse(text.as_bytes(), "x.json").unwrap()
}

fn database(texts: &[&str]) -> Database {
    texts.iter().filter_map(|text| advisory(text)).collect()
}

const PYSEC: &str = r#"{"id": "PYSEC-2024-1", "aliases": ["CVE-2024-1"], "details": "Long.",
    "affected": [{"package": {"ecosystem": "PyPI", "name": "Demo_Package"},
        "ranges": [{"type": "GIT", "events": [{"introduced": "0"}, {"fixed": "8a7f"}]},
                   {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.5"}]}],
        "versions": ["1.0", "1.4", "2004b-old"]}]}"#;
const GHSA: &str = r#"{"id": "GHSA-aaaa", "aliases": ["CVE-2024-1"], "summary": "It leaks",
    "database_specific": {"severity": "HIGH"},
    "affected": [{"package": {"ecosystem": "PyPI", "name": "demo-package"},
        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "1.0"}, {"fixed": "1.5.1"}]}]},
        {"package": {"ecosystem": "npm", "name": "demo-package"}}]}"#;

#[test]
fn one_vulnerability_of_two_databases_is_one_finding() {
    let database = database(&[GHSA, PYSEC]);
    let name = "demo-package".parse().unwrap();
    let found = database.findings(&name, &"1.4+cpu".parse().unwrap());
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].id, "PYSEC-2024-1");
    assert_eq!(found[0].aliases, ["CVE-2024-1", "GHSA-aaaa"]);
    assert_eq!(found[0].summary, "It leaks");
    assert_eq!(found[0].details, "Long.");
    assert_eq!(found[0].severity.as_deref(), Some("HIGH"));
    assert_eq!(found[0].fixed.as_ref().unwrap().to_string(), "1.5.1");
    let found = database.findings(&name, &"1.5".parse().unwrap());
    assert_eq!(found[0].id, "GHSA-aaaa");
    assert!(
        database
            .findings(&name, &"1.5.1".parse().unwrap())
            .is_empty()
    );
    assert!(
        database
            .findings(&"demo".parse().unwrap(), &"1.4".parse().unwrap())
            .is_empty()
    );
}

#[test]
fn what_was_withdrawn_or_is_about_others_is_nothing() {
    let withdrawn = PYSEC.replacen('{', r#"{"withdrawn": "2024-05-01T00:00:00Z", "#, 1);
    assert!(advisory(&withdrawn).is_none());
    assert!(advisory(&PYSEC.replace("PyPI", "crates.io")).is_none());
    assert!(advisory(&PYSEC.replace("\"PyPI\"", "\"PyPI:https://example.org\"")).is_some());
    let error = Advisory::parse(b"{", "x.json").unwrap_err();
    assert_eq!(error.to_string(), "Failed to read advisory `x.json`");
}

#[test]
fn ranges_that_are_not_of_versions_are_told() {
    let odd = GHSA.replace("1.5.1", "next");
    let database = database(&[&odd, PYSEC]);
    let name = "demo-package".parse().unwrap();
    assert_eq!(database.unreadable(&name), ["GHSA-aaaa"]);
    assert_eq!(
        database.findings(&name, &"1.4".parse().unwrap())[0].id,
        "PYSEC-2024-1"
    );
}

#[test]
fn a_decision_counts_until_its_day_has_passed() {
    let database = database(&[PYSEC]);
    let found = database.findings(&"demo-package".parse().unwrap(), &"1.0".parse().unwrap());
    let ignore = |until| Ignore {
        id: "cve-2024-1".into(),
        reason: "not reached".into(),
        until,
    };
    let dated = [ignore(Some(date(2026, 6, 30)))];
    let verdict = |list, today| Ignore::verdict(list, &found[0], today);
    assert_eq!(
        verdict(&dated, date(2026, 6, 30)),
        Verdict::Ignored(&dated[0])
    );
    assert_eq!(
        verdict(&dated, date(2026, 7, 1)),
        Verdict::Expired(&dated[0])
    );
    let both = [dated[0].clone(), ignore(None)];
    assert_eq!(verdict(&both, date(2026, 7, 1)), Verdict::Ignored(&both[1]));
    assert_eq!(verdict(&[], date(2026, 7, 1)), Verdict::Counts);
}
