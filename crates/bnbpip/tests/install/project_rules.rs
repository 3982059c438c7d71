//! What a project says of rules: `bnbpip.toml`, or `[tool.bnbpip]` of `pyproject.toml`.

use bnbpip_testing::TestEnvironment;
use insta::assert_snapshot;
use serde_json::Value;

use crate::support::last_line;
use crate::team_rules::{RULE, index, with_rules};

fn write(environment: &TestEnvironment, name: &str, text: &str) {
    let path = environment.work().join(name);
    fs_err::create_dir_all(path.parent().unwrap()).unwrap();
    fs_err::write(path, text).unwrap();
}

fn would_install(environment: &TestEnvironment, options: &[&str]) -> String {
    let start = ["install", "--dry-run", "glue"];
    let run = environment.run([&start[..], options].concat()).success();
    last_line(&run.stdout).to_owned()
}

#[test]
fn a_projects_rules_are_in_force_wherever_one_works_in_it() {
    let server = index();
    let environment = with_rules(&server, RULE);
    write(&environment, "bnbpip.toml", "overlays = ['rules']\n");
    assert_eq!(
        would_install(&environment, &[]),
        "Would install base-1.0 glue-1.0"
    );
    // A path starts where the file is, not where one works.
    let deep = environment.work().join("src/deep");
    fs_err::create_dir_all(&deep).unwrap();
    let mut command = environment.command();
    command.current_dir(&deep).args(["rules", "list"]);
    let listed = command.output().unwrap();
    assert!(String::from_utf8_lossy(&listed.stdout).contains("TEAM-0001"));
    // The rule can be allowed, and the whole file be passed by.
    assert_eq!(
        would_install(&environment, &["--allow=team-0001"]),
        "Would install base-2.0 glue-1.0"
    );
    let listed = environment.run(["rules", "list", "--isolated"]).success();
    assert!(!listed.stdout.contains("TEAM-0001"), "{}", listed.stdout);
    let table = "[tool.bnbpip]\noverlays = ['rules']\nallow = ['TEAM-0001']\n";
    fs_err::remove_file(environment.work().join("bnbpip.toml")).unwrap();
    write(&environment, "pyproject.toml", table);
    assert_eq!(
        would_install(&environment, &[]),
        "Would install base-2.0 glue-1.0"
    );
}

#[test]
fn check_doctor_and_export_hold_to_the_projects_rules() {
    let server = index();
    let issue = "[[evidence]]\ntype = 'issue'\nurl = 'https://glue.example/1'\n\n[[tests]]";
    let environment = with_rules(&server, &RULE.replacen("[[tests]]", issue, 1));
    drop(environment.run(["install", "glue"]).success());
    drop(environment.run(["check"]).success());
    write(&environment, "bnbpip.toml", "overlays = ['rules']\n");
    let found = environment.run(["check"]).failure();
    assert!(found.stdout.contains("TEAM-0001"), "{}", found.stdout);
    let examined = environment.run(["doctor", "--json"]);
    assert_eq!(examined.code, 5, "{}", examined.stderr);
    let found: Value = serde_json::from_str(&examined.stdout).unwrap();
    let findings = found["findings"].as_array().unwrap();
    let mut findings = findings.iter();
    let finding = findings.find(|one| one["rule"] == "TEAM-0001").unwrap();
    // The evidence is the team's own.
    assert_eq!(finding["links"][0], "https://glue.example/1");
    let export = environment.run(["rules", "export", "--format", "json"]);
    let export: Value = serde_json::from_str(&export.success().stdout).unwrap();
    let rules = export["rules"].as_array().unwrap();
    assert!(rules.iter().any(|rule| rule["id"] == "TEAM-0001"));
}

#[test]
fn what_was_in_force_stands_in_plan_report_and_lock() {
    let server = index();
    let environment = with_rules(&server, RULE);
    let digest = |options: &[&str]| {
        let start = ["install", "--dry-run", "-v", "--report", "report.json"];
        let run = environment.run([&start[..], options, &["base"]].concat());
        let run = run.success();
        let text = fs_err::read_to_string(environment.work().join("report.json")).unwrap();
        let report: Value = serde_json::from_str(&text).unwrap();
        let overlay = &report["bnbpip"]["overlay"];
        let sha256 = overlay["sha256"].as_str().unwrap().to_owned();
        let line = format!(
            "Rules {} of {}, sha256 {sha256}",
            overlay["rules"],
            overlay["version"].as_str().unwrap()
        );
        assert!(run.stdout.contains(&line) || run.stderr.contains(&line));
        let lock = [&["lock", "base", "-o", "pylock.toml"], options].concat();
        drop(environment.run(lock).success());
        let lock = fs_err::read_to_string(environment.work().join("pylock.toml")).unwrap();
        assert!(lock.contains(&sha256), "{lock}");
        sha256
    };
    let plain = digest(&[]);
    let ruled = digest(&["--overlay", "rules"]);
    assert_ne!(plain, ruled);
    let allowed = digest(&["--overlay", "rules", "--allow", "TEAM-0001"]);
    assert_eq!(plain, allowed);
    write(&environment, "bnbpip.toml", "overlays = ['rules']\n");
    assert_eq!(digest(&[]), ruled);
    // A set keeps its digest when it travels.
    let export = environment.run(["rules", "export", "--format", "json"]);
    let export: Value = serde_json::from_str(&export.success().stdout).unwrap();
    assert_eq!(export["digest"], *ruled);
}

#[test]
fn what_a_project_says_wrongly_is_said_with_file_and_line() {
    let server = index();
    let environment = with_rules(&server, RULE);
    let said = [
        "# ours\noverlays = 'rules'\n",
        "allow = ['TEAM-0001']\noverlay = ['rules']\n",
        "overlays = ['gone']\n",
        "allow = ['TEAM-0009']\n",
        "allow = [\n",
    ]
    .map(|text| {
        write(&environment, "bnbpip.toml", text);
        let run = environment.run(["rules", "list"]);
        assert_ne!(run.code, 0, "{}", run.stdout);
        format!("{text}=> {}\n{}", run.code, run.stderr)
    });
    let filters = environment.filters();
    assert_snapshot!(filters.apply(&said.join("-----\n")));
    write(&environment, "bnbpip.toml", "allow = ['BNB-0025']\n");
    drop(environment.run(["rules", "list"]).success());
}
