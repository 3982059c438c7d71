//! How much is said: `-q` up to three times, `-v`, `--log` under all its names, and colours.

use bnbpip_testing::{Run, TestEnvironment};

use crate::support::{environment, index};

/// What is said of an extra that isn't there: a warning, and what pip tells of an installation.
fn install(environment: &TestEnvironment, more: &[&str]) -> Run {
    let base = ["install", "--force-reinstall", "top[nonsense]"];
    environment.run(base.iter().chain(more)).success()
}

#[test]
fn quieter_step_by_step() {
    let server = index();
    let environment = environment(&server);
    let warning = "WARNING: top 2.0 does not provide the extra 'nonsense'";
    let usual = install(&environment, &[]);
    assert!(usual.stdout.contains("Successfully installed"), "{usual:?}");
    assert!(usual.stderr.contains(warning), "{usual:?}");
    let once = install(&environment, &["-q"]);
    assert_eq!(once.stdout, "");
    assert!(once.stderr.contains(warning), "{once:?}");
    for options in [&["-qq"][..], &["-q", "--quiet"], &["-qqq"]] {
        let run = install(&environment, options);
        assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
    }
}

#[test]
fn errors_are_told_until_the_third() {
    let server = index();
    let environment = environment(&server);
    let fail = |option: &str| {
        let run = environment.run(["install", "nowhere", option]).failure();
        assert_eq!(run.code, 1);
        assert_eq!(run.stdout, "");
        run.stderr
    };
    let error = "ERROR: No matching distribution found for nowhere";
    assert!(fail("-q").contains(error));
    assert!(fail("-qq").contains(error));
    assert_eq!(fail("-qqq"), "");
}

#[test]
fn louder() {
    let server = index();
    let environment = environment(&server);
    let run = install(&environment, &["-v"]);
    let said = format!("Using bnbpip {} from ", env!("CARGO_PKG_VERSION"));
    assert!(run.stdout.contains(&said), "{}", run.stdout);
    assert!(!install(&environment, &[]).stdout.contains(&said));
    // Each takes one of the other back.
    assert!(!install(&environment, &["-vq"]).stdout.contains(&said));
}

#[test]
fn a_log_has_everything_and_is_added_to() {
    let server = index();
    let environment = environment(&server);
    let log = environment.work().join("logs/run.txt");
    let mut length = 0;
    for option in ["--log", "--log-file", "--local-log"] {
        let run = install(&environment, &["-qqq", option, "logs/run.txt"]);
        assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
        let text = fs_err::read_to_string(&log).unwrap();
        let new = &text[length..];
        for said in [
            "Successfully installed base-2.0 top-2.0",
            "WARNING: top 2.0 does not provide the extra 'nonsense'",
        ] {
            assert!(new.contains(said), "{option}: {new}");
        }
        length = text.len();
    }
}

#[test]
fn colours_are_for_those_who_see_them() {
    let server = index();
    let environment = environment(&server);
    let run = |variables: &[(&str, &str)], more: &[&str]| {
        let mut command = environment.command();
        command.args(["install", "nowhere"]).args(more);
        command.env_remove("NO_COLOR");
        let output = command.envs(variables.iter().copied()).output().unwrap();
        Run::from(output).failure().stderr.contains('\u{1b}')
    };
    assert!(!run(&[], &[]));
    assert!(run(&[("FORCE_COLOR", "1")], &[]));
    assert!(!run(&[("FORCE_COLOR", "1")], &["--no-color"]));
    assert!(!run(&[("NO_COLOR", "1")], &[]));
}
