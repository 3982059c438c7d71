//! `history` and `undo`.

use bnbpip_testing::{TestEnvironment, WheelBuilder};
use insta::assert_snapshot;

use crate::support::{content, environment, files_below, index, last_line, listing};

/// Output without paths, times and what follows from the machine.
fn shown(environment: &TestEnvironment, arguments: &[&str]) -> String {
    let run = environment.run(arguments);
    let text = format!("exit code {}\n{}{}", run.code, run.stdout, run.stderr);
    let text: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with("Using "))
        .collect();
    let text = environment.filters().apply(&text.join("\n"));
    let mut blanked = String::new();
    for line in text.lines() {
        let (start, rest) = line.split_at(line.find("20").filter(|at| *at == 6).unwrap_or(0));
        let rest = match (start.is_empty(), rest.split_once(" UTC")) {
            (false, Some((_, rest))) => format!("[TIME]{rest}"),
            _ => rest.to_owned(),
        };
        for part in [start, &rest, "\n"] {
            blanked.push_str(part);
        }
    }
    blanked
}

#[test]
fn takes_back_and_forth() {
    let server = index();
    let environment = environment(&server);
    assert_snapshot!("nothing_yet", shown(&environment, &["history"]));
    assert_snapshot!("nothing_to_undo", shown(&environment, &["undo"]));
    drop(environment.run(["install", "base==1.0"]).success());
    let one = environment.installed();
    drop(environment.run(["install", "-U", "base", "tool"]).success());
    let two = environment.installed();
    drop(environment.run(["uninstall", "-y", "tool"]).success());
    assert_snapshot!("history", shown(&environment, &["history"]));
    let before = content(&environment);
    assert_snapshot!("dry_run", shown(&environment, &["undo", "2", "--dry-run"]));
    assert_eq!(content(&environment), before);

    server.forget_requests();
    assert_snapshot!("undone", shown(&environment, &["undo"]));
    assert_eq!(environment.installed(), two);
    let script = environment.scripts().join(if cfg!(windows) {
        "run-tool.exe"
    } else {
        "run-tool"
    });
    let output = std::process::Command::new(script).output().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout).trim(),
        "the tool runs"
    );
    // An undo is a change as any other: three more lead back to the first.
    drop(environment.run(["undo", "3"]).success());
    assert_eq!(environment.installed(), one);
    drop(environment.run(["undo"]).success());
    assert_eq!(environment.installed(), two);
    assert_eq!(server.requests().len(), 0, "nothing was asked of the index");
    assert_snapshot!("too_many", shown(&environment, &["undo", "99"]));
    let json = environment.run(["history", "--json"]).success().stdout;
    assert_eq!(json.matches("\"number\"").count(), 6, "{json}");
}

/// The receipts among the user's own files.
fn kept(environment: &TestEnvironment) -> Vec<std::path::PathBuf> {
    let all = files_below(&environment.home()).into_iter();
    all.filter(|it| it.ends_with("0001.json")).collect()
}

#[test]
fn an_environment_holds_nothing_but_what_is_installed() {
    let server = index();
    let environment = environment(&server);
    let before = environment.fingerprint();
    drop(environment.run(["install", "base==1.0"]).success());
    assert_eq!(kept(&environment).len(), 1);
    drop(environment.run(["uninstall", "-y", "base"]).success());
    assert_eq!(environment.fingerprint(), before);
    drop(environment.run(["undo"]).success());
    assert_eq!(environment.installed(), ["base-1.0"]);
    // Nobody asks what was done to a folder.
    drop(environment.run(["install", "-t", "out", "base"]).success());
    let names = ["base", "base-2.0.dist-info"];
    assert_eq!(listing(&environment.work().join("out")), names);
    assert_eq!(kept(&environment).len(), 1);
}

#[test]
fn another_environment_at_the_same_place_has_a_history_of_its_own() {
    let server = index();
    let environment = environment(&server);
    drop(environment.run(["install", "base==1.0"]).success());
    drop(environment.run(["install", "tool"]).success());
    let receipt = &kept(&environment)[0];
    let text = fs_err::read_to_string(receipt).unwrap();
    // As if the first change were older than the environment.
    let mut old: serde_json::Value = serde_json::from_str(&text).unwrap();
    old["time_unix_s"] = 1_000_000.into();
    fs_err::write(receipt, old.to_string()).unwrap();
    let listed = || environment.run(["history"]).success().stdout;
    assert!(listed().contains("install tool"), "{}", listed());
    assert!(!listed().contains("install base"), "{}", listed());
    drop(environment.run(["uninstall", "-y", "tool"]).success());
    assert!(!receipt.exists());
    assert!(listed().contains("   3  "), "{}", listed());
}

#[test]
fn where_there_is_no_home_the_environment_keeps_its_receipts() {
    let server = index();
    let environment = environment(&server);
    let run = |arguments: &[&str], state: &str| {
        let mut command = environment.command();
        command.args(arguments).env("XDG_STATE_HOME", state);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let no_folder = environment.venv().join("pyvenv.cfg").display().to_string();
    run(&["install", "base==1.0"], &no_folder);
    let folder = environment.venv().join(".bnbpip").join("receipts");
    assert!(folder.join("0001.json").exists());
    assert!(run(&["history"], &no_folder).contains("install base==1.0"));
    // They stay there.
    let state = environment.home().display().to_string();
    run(&["uninstall", "-y", "base"], &state);
    assert!(folder.join("0002.json").exists());
    run(&["undo"], &state);
    assert_eq!(environment.installed(), ["base-1.0"]);
}

#[test]
fn keeps_what_the_user_had_asked_for_and_where_it_came_from() {
    let server = index();
    let environment = environment(&server);
    let url = server.file_url("base-1.0-py3-none-any.whl");
    drop(environment.run(["install", &url]).success());
    let info = environment.site_packages().join("base-1.0.dist-info");
    let read = |name: &str| fs_err::read_to_string(info.join(name)).unwrap();
    let before = ["REQUESTED", "direct_url.json", "INSTALLER", "RECORD"].map(read);
    drop(environment.run(["uninstall", "-y", "base"]).success());
    drop(environment.run(["undo"]).success());
    assert_eq!(
        ["REQUESTED", "direct_url.json", "INSTALLER", "RECORD"].map(read),
        before
    );
}

#[test]
fn what_another_tool_changed_is_not_overwritten() {
    let server = index();
    let environment = environment(&server);
    drop(environment.run(["install", "base==1.0"]).success());
    drop(environment.run(["install", "-U", "base"]).success());
    let info = environment.site_packages().join("base-2.0.dist-info");
    let installer = info.join("INSTALLER");
    let ours = fs_err::read(&installer).unwrap();
    fs_err::remove_file(&installer).unwrap();
    fs_err::write(&installer, "pip\n").unwrap();
    let before = content(&environment);
    assert_snapshot!("another_installer", shown(&environment, &["undo"]));
    fs_err::remove_file(&installer).unwrap();
    fs_err::write(&installer, ours).unwrap();
    assert_eq!(content(&environment).len(), before.len());

    fs_err::rename(&info, info.with_file_name("base-2.5.dist-info")).unwrap();
    let before = content(&environment);
    assert_snapshot!("another_version", shown(&environment, &["undo"]));
    fs_err::remove_dir_all(info.with_file_name("base-2.5.dist-info")).unwrap();
    assert_snapshot!("removed", shown(&environment, &["undo"]));
    assert!(before.len() > content(&environment).len());
}

#[test]
fn what_the_cache_no_longer_holds_is_named() {
    let server = index();
    let environment = environment(&server);
    drop(environment.run(["install", "base==1.0"]).success());
    drop(environment.run(["uninstall", "-y", "base"]).success());
    drop(environment.run(["cache", "purge"]).success());
    let before = content(&environment);
    assert_snapshot!("not_in_the_cache", shown(&environment, &["undo"]));
    assert_eq!(content(&environment), before);
    // What another installer had put there is in no cache of ours.
    environment.install_by_hand(&WheelBuilder::new("helper", "0.1"));
    drop(environment.run(["install", "-U", "helper"]).success());
    let run = environment.run(["undo"]);
    assert_eq!(run.code, 1);
    assert!(
        run.stderr
            .contains("helper==0.1 can't be had from the cache"),
        "{}",
        run.stderr
    );
    assert_eq!(
        last_line(&environment.run(["freeze"]).stdout),
        "helper==0.3"
    );
}
