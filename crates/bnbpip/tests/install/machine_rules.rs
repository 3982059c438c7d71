//! Rules about the machine: its driver and its GPU as sides of conflicts.

use bnbpip_testing::{IndexServer, Run, TestEnvironment, WheelBuilder};
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{environment, last_line};

/// `glue` 2 and newer needs a driver that isn't old.
const RULE: &str = r#"+++
id = "TEAM-0001"
title = "glue 2 is built for CUDA 13, which needs driver 580"
kind = "conflict"
severity = "broken"
date = 2026-01-31
hint = "Use glue 1, or a newer driver"

[a]
packages = ["glue"]
versions = ">=2"

[b]
packages = ["__cuda_driver"]
versions = "<580"

[[evidence]]
type = "reproduction"
detail = "Ran it"

[[tests]]
expect = "hit"
packages = ["glue==2.0", "__cuda_driver==470.256.02"]

[[tests]]
expect = "miss"
packages = ["glue==2.0"]
+++

# It doesn't start
"#;

fn index() -> IndexServer {
    let wheels = [
        WheelBuilder::new("glue", "1.0"),
        WheelBuilder::new("glue", "2.0"),
        WheelBuilder::new("top", "1.0").requires("glue"),
    ];
    IndexServer::with(wheels.iter().map(WheelBuilder::build))
}

fn with_rule(server: &IndexServer) -> TestEnvironment {
    let environment = environment(server);
    let folder = environment.work().join("rules/glue");
    fs_err::create_dir_all(&folder).unwrap();
    fs_err::write(folder.join("TEAM-0001.md"), RULE).unwrap();
    fs_err::write(
        environment.work().join("bnbpip.toml"),
        "overlays = ['rules']\n",
    )
    .unwrap();
    environment
}

/// Runs a command on a machine with this driver.
fn on(environment: &TestEnvironment, driver: &str, arguments: &[&str]) -> Run {
    let mut command = environment.command();
    command.env("BNBPIP_CUDA_DRIVER", driver);
    command.args(arguments).output().unwrap().into()
}

const OLD: &str = "470.256.02";

#[test]
fn the_driver_is_part_of_the_solution_and_of_the_explanation() {
    let server = index();
    let environment = with_rule(&server);
    let dry = ["install", "--dry-run", "top"];
    let plan = on(&environment, OLD, &dry).success();
    assert_eq!(last_line(&plan.stdout), "Would install glue-1.0 top-1.0");
    assert!(
        plan.stderr
            .contains("(TEAM-0001; NVIDIA driver 470.256.02)"),
        "{}",
        plan.stderr
    );
    for driver in ["580.65.06", "none"] {
        let plan = on(&environment, driver, &dry).success();
        assert_eq!(last_line(&plan.stdout), "Would install glue-2.0 top-1.0");
        assert!(!plan.stderr.contains("TEAM-0001"), "{}", plan.stderr);
    }
    let refused = on(&environment, OLD, &["install", "top", "glue==2.0"]).failure();
    let said = refused.stderr.split_once('\n').unwrap().1;
    assert_snapshot!(said, @r#"
    ERROR: Cannot install glue==2.0 because these package versions have conflicting dependencies.
    ERROR: ResolutionImpossible: no set of versions meets all of the following
        Because you require glue==2.0
        and this machine's NVIDIA driver is 470.256.02
        and glue 2 is built for CUDA 13, which needs driver 580 (TEAM-0001)
        so `glue==2.0` cannot be installed.
    hint: glue==1.0 works: bnbpip install "top" "glue==1.0"
    hint: Use glue 1, or a newer driver (TEAM-0001)
    hint: `--allow TEAM-0001` installs it all the same
    "#);
}

#[test]
fn the_report_names_rules_and_facts() {
    let server = index();
    let environment = with_rule(&server);
    let line = ["install", "--dry-run", "--quiet", "--report", "-", "top"];
    let report = |driver: &str| -> Value {
        let run = on(&environment, driver, &line).success();
        serde_json::from_str(&run.stdout).unwrap()
    };
    let own = &report(OLD)["bnbpip"];
    assert_eq!(
        own["rules"],
        json!([{
            "id": "TEAM-0001",
            "title": "glue 2 is built for CUDA 13, which needs driver 580",
            "package": "glue",
            "outcome": "shaped",
        }])
    );
    assert_eq!(own["machine"], json!({ "__cuda_driver": "470.256.2" }));
    let own = &report("none")["bnbpip"];
    assert_eq!((&own["rules"], &own["machine"]), (&json!([]), &json!({})));
}

#[test]
fn a_lock_says_which_machine_shaped_it() {
    let server = index();
    let environment = with_rule(&server);
    let locked = |driver: &str| {
        let line = ["lock", "top", "--upgrade", "--environment", "linux-3.11"];
        drop(on(&environment, driver, &line).success());
        fs_err::read_to_string(environment.work().join("pylock.toml")).unwrap()
    };
    let plain = locked("none");
    assert!(
        plain.contains("glue-2.0-") && !plain.contains("machine = ["),
        "{plain}"
    );
    let shaped = locked(OLD);
    assert!(shaped.contains("glue-1.0-"), "{shaped}");
    assert!(
        shaped.contains("machine = [\n    \"__cuda_driver==470.256.2\",\n]"),
        "{shaped}"
    );
    let check = ["lock", "top", "--check", "--environment", "linux-3.11"];
    drop(on(&environment, OLD, &check).success());
    let other = on(&environment, "580.65.06", &check).failure();
    assert_eq!(
        other.stdout.trim_end(),
        "__cuda_driver: 580.65.6, locked with 470.256.2"
    );
}

#[test]
fn rules_about_the_machine_are_shown_and_checked() {
    let server = index();
    let environment = with_rule(&server);
    let check = |facts: &[&str]| {
        let line = [&["rules", "check", "glue==2.0"], facts].concat();
        on(&environment, "none", &line)
    };
    let broken = check(&["__cuda_driver==470.256.02"]).failure();
    assert_eq!(
        broken.stdout.lines().next(),
        Some(
            "glue 2.0 and the NVIDIA driver 470.256.02: glue 2 is built for CUDA 13, which needs \
             driver 580 (TEAM-0001)"
        )
    );
    drop(check(&["__cuda_driver==580.65.06"]).success());
    drop(check(&[]).success());
    let told = on(
        &environment,
        OLD,
        &["rules", "check", "glue==2.0", "--json"],
    );
    let told: Value = serde_json::from_str(&told.failure().stdout).unwrap();
    assert_eq!(
        told[0]["found"],
        json!({ "glue": "2.0", "__cuda_driver": "470.256.2" })
    );
    assert_eq!(told[0]["machine"], json!({ "__cuda_driver": "<580" }));
    let unknown = check(&["__cuda==12"]).failure();
    assert!(
        unknown.stderr.contains("`__cuda==12` is no fact"),
        "{}",
        unknown.stderr
    );
    let shown = environment.run(["rules", "show", "TEAM-0001"]).success();
    assert!(
        shown
            .stdout
            .contains("Not together:\n  glue >=2\n  __cuda_driver <580\n"),
        "{}",
        shown.stdout
    );
    drop(environment.run(["rules", "lint", "rules"]).success());
    let exported = environment
        .run(["rules", "export", "--format", "osv"])
        .success();
    assert!(exported.stdout.contains("TEAM-0001"), "{}", exported.stdout);
}

#[test]
fn what_is_installed_is_held_against_the_machine() {
    let server = index();
    let environment = with_rule(&server);
    drop(on(&environment, "none", &["install", "top"]).success());
    drop(on(&environment, "none", &["check"]).success());
    let broken = on(&environment, OLD, &["check"]).failure();
    assert!(
        broken
            .stdout
            .contains("glue 2.0 with the NVIDIA driver 470.256.02 breaks rule TEAM-0001"),
        "{}",
        broken.stdout
    );
    let found = on(&environment, OLD, &["doctor"]);
    assert_eq!(found.code, 5, "{}", found.stdout);
    assert!(
        found
            .stdout
            .contains("TEAM-0001  glue 2.0 with the NVIDIA driver 470.256.02"),
        "{}",
        found.stdout
    );
    drop(on(&environment, OLD, &["doctor", "--fix"]).success());
    assert!(environment.run(["list"]).success().stdout.contains("glue"));
    drop(on(&environment, OLD, &["check"]).success());
}
