//! What a rule author reads when a rule is wrong.

use std::error::Error;

use bnbpip_overlay::{Overlay, lint};

const SOUND: &str = r#"+++
id = "TEAM-0001"
title = "alpha 1 does not start with beta 2"
kind = "conflict"
severity = "broken"
date = 2026-01-31
hint = "Use alpha 2 or newer"
marker = "sys_platform == 'win32'"

[fixed]
alpha = "2.0"

[a]
packages = ["alpha"]
versions = "<2"

[b]
packages = ["beta"]
versions = ["==2.*", ">=4.dev0"]

[[evidence]]
type = "reproduction"
detail = "Ran it"

[[tests]]
expect = "hit"
packages = ["alpha==1.0", "beta==2.1"]
target = "windows-3.11"

[[tests]]
expect = "miss"
packages = ["alpha==1.0", "beta==3.0"]
target = "windows-3.11"
+++
Why.
"#;

/// The message for a sound rule in which one text is replaced by another.
fn message(from: &str, to: &str) -> String {
    assert!(SOUND.contains(from), "`{from}` is not in the rule");
    let text = SOUND.replacen(from, to, 1);
    match Overlay::parse_rule(&text, "alpha/TEAM-0001.md") {
        Err(error) => {
            let cause = error.source().map(|source| match source.source() {
                Some(deeper) => format!("{source}: {deeper}"),
                None => source.to_string(),
            });
            format!("{error}: {}", cause.unwrap_or_default())
        }
        Ok(document) => {
            let problems: Vec<String> = lint(&[document]).iter().map(ToString::to_string).collect();
            problems.join("\n")
        }
    }
}

#[test]
fn the_rule_itself_is_sound() {
    assert_eq!(message("Why.", "Why not."), "");
}

#[test]
fn every_fault_is_named_with_its_line() {
    let faults = [
        ("+++\nid", "id"),
        ("+++\nWhy.\n", ""),
        ("Why.\n", ""),
        ("kind = \"conflict\"", "kind = \"advice\""),
        ("hint =", "hints ="),
        ("id = \"TEAM-0001\"", "id = \"TEAM-1\""),
        ("severity = \"broken\"\n", ""),
        ("kind = \"conflict\"", "kind = \"exclude\""),
        ("date = 2026-01-31", "date = 2026-01-31T10:00:00"),
        ("\"<2\"", "\"<2,two\""),
        ("\"<2\"", "2"),
        ("[\"==2.*\", \">=4.dev0\"]", "[]"),
        ("[\"beta\"]", "[]"),
        ("[\"beta\"]", "[\"be ta\"]"),
        ("sys_platform == 'win32'", "sys_platform = 'win32'"),
        ("alpha = \"2.0\"", "alpha = \"two\""),
        ("type = \"reproduction\"", "type = \"rumour\""),
        (
            "type = \"reproduction\"\ndetail = \"Ran it\"",
            "type = \"artifact\"\npackage = \"alpha\"\nversions = [\"1.0\"]\nmember = \"alpha/x.py\"",
        ),
        ("alpha==1.0\", \"beta==2.1", "alpha\", \"beta==2.1"),
        ("windows-3.11", "beos-3.11"),
        ("[\"beta\"]", "[\"__gpu\"]"),
        ("[\"beta\"]", "[\"__cuda_arch\", \"beta\"]"),
        (
            "[\"alpha\"]\nversions = \"<2\"\n\n[b]\npackages = [\"beta\"]",
            "[\"__cuda_arch\"]\nversions = \"<2\"\n\n[b]\npackages = [\"__cuda_driver\"]",
        ),
        ("beta==2.1", "__cuda_driver 470"),
    ];
    let messages: Vec<String> = faults.iter().map(|(from, to)| message(from, to)).collect();
    insta::assert_snapshot!(messages.join("\n"));
}

#[test]
fn every_lint_is_named_with_its_line() {
    let faults = [
        ("TEAM-0001", "TEAM-0002"),
        ("[\"alpha\"]", "[\"gamma\"]"),
        ("beta 2\"", "beta 2.\""),
        ("or newer\"", "or newer.\""),
        (
            "type = \"reproduction\"\ndetail = \"Ran it\"",
            "type = \"issue\"\nurl = \"https://example.org/1\"",
        ),
        (
            "type = \"reproduction\"",
            "type = \"source\"\nurl = \"example.org\"",
        ),
        ("\"Ran it\"", "\"\""),
        (
            "type = \"reproduction\"\ndetail = \"Ran it\"",
            "type = \"artifact\"\npackage = \"gamma\"\nversions = [\"1.0\"]\nmember = \"\"\npresent = true",
        ),
        (
            "type = \"reproduction\"\ndetail = \"Ran it\"",
            "type = \"artifact\"\npackage = \"alpha\"\nversions = [\"1.0\"]\nmember = \"x.py\"\npresent = true\n\n\
             [[evidence]]\ntype = \"artifact\"\npackage = \"alpha\"\nversions = [\"1.5\", \"2.0\"]\nmember = \"x.py\"\npresent = false",
        ),
        ("\"<2\"", "\"<2,>3\""),
        ("[\"beta\"]", "[\"alpha\"]"),
        (
            "sys_platform == 'win32'",
            "sys_platform == 'win32' and sys_platform == 'linux'",
        ),
        ("alpha = \"2.0\"", "alpha = \"1.5\""),
        ("alpha = \"2.0\"", "gamma = \"1.5\""),
        ("beta==2.1", "beta==3.0"),
        ("beta==3.0", "beta==4.0"),
        ("expect = \"miss\"", "expect = \"hit\""),
    ];
    let messages: Vec<String> = faults.iter().map(|(from, to)| message(from, to)).collect();
    insta::assert_snapshot!(messages.join("\n"));
}

#[test]
fn an_identifier_is_used_once() {
    let first = Overlay::parse_rule(SOUND, "alpha/TEAM-0001.md").unwrap();
    let second = Overlay::parse_rule(SOUND, "beta/TEAM-0001.md").unwrap();
    let problems = lint(&[first, second]);
    assert_eq!(
        problems.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["beta/TEAM-0001.md:2: TEAM-0001: the identifier is already used in `alpha/TEAM-0001.md`"]
    );
}

#[test]
fn windows_line_endings_and_a_byte_order_mark_are_read() {
    let text = format!("\u{feff}{}", SOUND.replace('\n', "\r\n"));
    let document = Overlay::parse_rule(&text, "alpha/TEAM-0001.md").unwrap();
    assert!(lint(&[document]).is_empty());
}

/// The parser of requirements doesn't survive such a name by itself.
#[test]
fn a_profile_with_an_unfinished_name() {
    let sound = include_str!("../../../fuzz/corpus/rules/profile.toml");
    let text = sound.replace("\"triton-windows==3.1", "\"tri../on==3.1");
    assert_ne!(text, sound);
    let error = bnbpip_overlay::Profile::parse(&text, "p.toml").unwrap_err();
    assert!(error.to_string().contains("alphanumeric"), "{error}");
}
