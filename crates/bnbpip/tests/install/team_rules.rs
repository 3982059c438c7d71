//! `rules`, and rules of a team's own: listed, checked, proved from wheels, and in force.

use bnbpip_testing::{IndexServer, TestEnvironment, WheelBuilder};
use insta::assert_snapshot;

use crate::support::{environment, last_line};

/// `glue` 1.x imports `base.old`, which base 2 lacks.
pub(crate) const RULE: &str = r#"+++
id = "TEAM-0001"
title = "glue 1 imports `base.old`, which base 2 removed"
kind = "conflict"
severity = "broken"
date = 2026-01-31
hint = "Use base 1"

[a]
packages = ["glue"]
versions = ">=1,<2"

[b]
packages = ["base"]
versions = ">=2.dev0"

[[evidence]]
type = "artifact"
package = "base"
versions = ["1.0"]
member = "base/old.py"
present = true

[[evidence]]
type = "artifact"
package = "base"
versions = ["2.0"]
member = "base/old.py"
present = false

[[evidence]]
type = "artifact"
package = "glue"
versions = ["1.0"]
member = "glue/*.py"
contains = "import base.old"

[[tests]]
expect = "hit"
packages = ["glue==1.0", "base==2.0"]

[[tests]]
expect = "miss"
packages = ["glue==1.0", "base==1.0"]
+++

# It breaks

At import.
"#;

pub(crate) fn index() -> IndexServer {
    let wheels = [
        WheelBuilder::new("base", "1.0").file("base/old.py", "x = 1\n"),
        WheelBuilder::new("base", "2.0").file("base/new.py", "x = 1\n"),
        WheelBuilder::new("glue", "1.0")
            .requires("base")
            .file("glue/__init__.py", "import base.old\n"),
    ];
    IndexServer::with(wheels.iter().map(WheelBuilder::build))
}

/// An environment with a folder of rules beside it; its path is relative to the working directory.
pub(crate) fn with_rules(server: &IndexServer, text: &str) -> TestEnvironment {
    let environment = environment(server);
    let folder = environment.work().join("rules/glue");
    fs_err::create_dir_all(&folder).unwrap();
    fs_err::write(folder.join("TEAM-0001.md"), text).unwrap();
    environment
}

#[test]
fn a_teams_rule_is_in_force() {
    let server = index();
    let environment = with_rules(&server, RULE);
    let plain = environment.run(["install", "--dry-run", "glue"]).success();
    assert_eq!(last_line(&plain.stdout), "Would install base-2.0 glue-1.0");
    let ruled = ["install", "--dry-run", "--overlay", "rules", "glue"];
    let ruled = environment.run(ruled).success();
    assert_eq!(last_line(&ruled.stdout), "Would install base-1.0 glue-1.0");
    assert!(ruled.stderr.contains("TEAM-0001"), "{}", ruled.stderr);
    let both = [
        "install",
        "--dry-run",
        "--overlay",
        "rules",
        "glue",
        "base==2.0",
    ];
    let filters = environment.filters();
    assert_snapshot!(environment.run(both).failure().snapshot(&filters));
    let allowed = [&both[..], &["--allow", "TEAM-0001"]].concat();
    drop(environment.run(allowed).success());
    // What is installed is held to it, too.
    drop(environment.run(["install", "glue"]).success());
    drop(environment.run(["check"]).success());
    let found = environment.run(["check", "--overlay", "rules"]).failure();
    assert!(found.stdout.contains("TEAM-0001"), "{}", found.stdout);
}

#[test]
fn evidence_is_proved_from_the_wheels() {
    let server = index();
    let environment = with_rules(&server, RULE);
    let verify = ["rules", "verify", "TEAM-0001", "--overlay", "rules"];
    let run = environment.run(verify).success();
    assert_eq!(
        run.stdout,
        "1 rule: 3 claims about wheels, 0 named releases and 1 range end looked at, all \
         hold.\n"
    );
    let falsified = RULE
        .replace(
            "\"base/old.py\"\npresent = false",
            "\"base/new.py\"\npresent = false",
        )
        .replace(
            "versions = [\"1.0\"]\nmember = \"base/old",
            "versions = [\"1.5\"]\nmember = \"base/old",
        )
        .replace(
            "contains = \"import base.old\"",
            "contains = \"import base.older\"",
        );
    let environment = with_rules(&server, &falsified);
    assert_snapshot!(environment.run(verify).failure().stdout);
}

#[test]
fn a_falsified_range_is_found_from_the_wheels() {
    let server = index();
    let lacks = WheelBuilder::new("base", "1.5").file("base/old.py", "x = 2\n");
    server.add(lacks.build());
    for version in ["1.1", "2.0", "2.1"] {
        let import = if version == "1.1" { "old" } else { "new" };
        let glue = WheelBuilder::new("glue", version);
        let glue = glue.file("glue/__init__.py", format!("import base.{import}\n"));
        server.add(glue.build());
    }
    let claim = "[[evidence]]\ntype = \"artifact\"\npackage = \"glue\"\nversions = [\"2.0\"]\n\
                 member = \"glue/*.py\"\nlacks = \"import base.old\"\n\n[[tests]]";
    let sound = RULE.replacen("[[tests]]", claim, 1);
    let verify = ["rules", "verify", "TEAM-0001", "--overlay", "rules"];
    let said = |versions: &str, of_base: &str| {
        let text = sound
            .replace(
                "versions = \">=1,<2\"",
                &format!("versions = \"{versions}\""),
            )
            .replace(
                "versions = \">=2.dev0\"",
                &format!("versions = \"{of_base}\""),
            );
        let environment = with_rules(&server, &text);
        let lint = environment.run(["rules", "lint", "rules"]);
        let verify = environment.run(verify);
        let codes = (lint.code, verify.code);
        format!(
            "# glue {versions}, base {of_base}: {codes:?}\n{}{}",
            lint.stdout, verify.stdout
        )
    };
    assert_snapshot!(
        [
            said(">=1,<2", ">=2.dev0"),
            // Too short, though no claim of the rule lies where it is.
            said(">=1,<1.1", ">=2.dev0"),
            // Too long: 2.0 is claimed to be good.
            said(">=1,<2.1", ">=2.dev0"),
            // The other side, which begins too early.
            said(">=1,<2", ">=1.5"),
        ]
        .join("\n")
    );
}

#[test]
fn sets_are_checked_without_resolving() {
    let server = index();
    let environment = with_rules(&server, RULE);
    let check = |words: &[&str]| {
        let start = [
            "rules",
            "check",
            "--overlay",
            "rules",
            "--environment",
            "windows-3.11",
        ];
        environment.run([&start[..], words].concat())
    };
    let broken = check(&["glue==1.0", "base==2.0"]).failure();
    assert_snapshot!(format!("{}\n{}", broken.stdout, broken.stderr));
    let json = check(&["glue==1.0", "base==2.0", "--json"]).failure();
    let found: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(found[0]["id"], "TEAM-0001");
    assert_eq!(found[0]["found"]["base"], "2.0");
    let unbroken = check(&["glue==1.0", "base==1.0"]).success();
    assert_eq!(
        unbroken.stdout,
        "No rule speaks against these 2 packages.\n"
    );
    let alone = check(&["base==1.0"]).success();
    assert_eq!(alone.stdout, "No rule speaks against this package.\n");
    fs_err::write(
        environment.work().join("pins.txt"),
        "glue==1.0\nbase==2.0 ; sys_platform == 'win32'\n",
    )
    .unwrap();
    drop(check(&["-r", "pins.txt"]).failure());
    assert_snapshot!(check(&["glue>=1"]).failure().stderr);
    let entry = |name: &str, version: &str, marker: &str| {
        let hash = "0".repeat(64);
        let wheel = format!("{name}-{version}-py3-none-any.whl");
        format!(
            "[[packages]]\nname = '{name}'\nversion = '{version}'\nmarker = \"{marker}\"\n\
             wheels = [{{name = '{wheel}', path = '{wheel}', hashes = {{sha256 = '{hash}'}}}}]\n"
        )
    };
    let lock = format!(
        "lock-version = '1.0'\ncreated-by = 'x'\n{}{}{}",
        entry(
            "glue",
            "1.0",
            "'default' in dependency_groups or os_name != ''"
        ),
        entry("base", "2.0", "sys_platform == 'win32'"),
        entry("base", "1.0", "sys_platform != 'win32'"),
    );
    fs_err::write(environment.work().join("pylock.toml"), lock).unwrap();
    let in_lock = check(&["pylock.toml"]).failure();
    assert!(in_lock.stdout.contains("(TEAM-0001)"), "{}", in_lock.stdout);
    let on_linux = ["--environment", "linux-3.11", "-r", "pylock.toml"];
    let on_linux = [&["rules", "check", "--overlay", "rules"], &on_linux[..]].concat();
    drop(environment.run(on_linux).success());
    // A set that pip and uv accept, by the rules that come with the program.
    let known = [
        "bitsandbytes==0.43.0",
        "triton-windows==3.2.0.post19",
        "torch==2.4.1",
    ];
    assert!(check(&known).failure().stdout.contains("(BNB-0001)"));
    // Where there is no environment any Python on `PATH` says what the machine is.
    let bare = TestEnvironment::bare(env!("CARGO_BIN_EXE_bnbpip"));
    let anywhere = bare.run(["rules", "check", "bitsandbytes==0.43.0", "triton==3.2.0"]);
    assert!(anywhere.failure().stdout.contains("(BNB-0001)"));
}

#[test]
fn sets_of_rules_travel_as_one_file() {
    let server = index();
    let environment = with_rules(&server, RULE);
    let export = ["rules", "export", "--format", "json", "--overlay", "rules"];
    let set = environment.run(export).success().stdout;
    fs_err::write(environment.work().join("set.json"), &set).unwrap();
    let ruled = ["install", "--dry-run", "--overlay", "set.json", "glue"];
    let ruled = environment.run(ruled).success();
    assert_eq!(last_line(&ruled.stdout), "Would install base-1.0 glue-1.0");
    let diff = environment
        .run(["rules", "diff", "embedded", "set.json"])
        .success();
    assert_snapshot!(diff.stdout);
    let same = environment
        .run(["rules", "diff", "set.json", "set.json"])
        .success();
    assert_eq!(same.stdout, "The two sets of rules say the same.\n");
    let wrong = [
        "rules",
        "list",
        "--overlay",
        "https://rules.example/set.json",
    ];
    assert_snapshot!(environment.run(wrong).failure().stderr);
}

#[test]
fn rule_files_are_linted_all_at_once() {
    let server = index();
    let environment = with_rules(&server, RULE);
    let fine = environment.run(["rules", "lint", "rules"]).success();
    assert_eq!(fine.stdout, "1 rule, nothing wrong.\n");
    let alone = environment.run(["rules", "lint", "rules/glue/TEAM-0001.md"]);
    assert_eq!(alone.success().stdout, "1 rule, nothing wrong.\n");
    let folder = environment.work().join("rules");
    fs_err::create_dir_all(folder.join("base")).unwrap();
    let template = environment
        .run(["rules", "new", "base", "--id", "TEAM-0002"])
        .success();
    fs_err::write(folder.join("base/TEAM-0002.md"), &template.stdout).unwrap();
    drop(environment.run(["rules", "lint", "rules"]).success());
    let wrong = RULE.replace("TEAM-0001", "TEAM-0003").replace(
        "expect = \"miss\"\npackages = [\"glue==1.0\", \"base==1.0\"]",
        "expect = \"miss\"\npackages = [\"glue==1.0\", \"base==3\"]",
    );
    fs_err::write(folder.join("glue/TEAM-0003.md"), wrong).unwrap();
    let unknown = RULE
        .replace("hint = ", "hnit = ")
        .replace("TEAM-0001", "TEAM-0004");
    fs_err::write(folder.join("glue/TEAM-0004.md"), unknown).unwrap();
    assert_snapshot!(environment.run(["rules", "lint", "rules"]).failure().stdout);
}

#[test]
fn rules_are_listed_shown_and_exported() {
    let server = index();
    let environment = with_rules(&server, RULE);
    let about = ["rules", "list", "--package", "glue", "--overlay", "rules"];
    let listed = environment.run(about).success().stdout;
    let shown = environment
        .run(["rules", "show", "team-0001", "--overlay", "rules"])
        .success()
        .stdout;
    let none = environment
        .run(["rules", "list", "--package", "glue"])
        .success()
        .stderr;
    let unknown = environment
        .run(["rules", "show", "BNB-9999"])
        .failure()
        .stderr;
    let no_action = environment.run(["rules"]).failure().stderr;
    assert_snapshot!([listed, shown, none, unknown, no_action].join("-----\n"));
    let lines = environment
        .run(["rules", "export", "--format", "constraints"])
        .success()
        .stdout;
    assert!(lines.contains("\nbitsandbytes!=0.48.0\n"), "{lines}");
    let osv = environment
        .run(["rules", "export", "--format", "osv", "--overlay", "rules"])
        .success()
        .stdout;
    let osv: serde_json::Value = serde_json::from_str(&osv).unwrap();
    let entry = osv
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["id"] == "TEAM-0001");
    let affected = &entry.unwrap()["affected"][0];
    assert_eq!(affected["package"]["name"], "glue");
    assert_eq!(affected["ranges"][0]["events"][0]["introduced"], "1");
}
