//! How long a server is waited for and how often it is asked again: `--timeout`, which is
//! `--default-timeout` too, and `--retries`.

use std::time::{Duration, Instant};

use bnbpip_testing::{Fault, Run, TestEnvironment};

use crate::support::{environment, index};

fn install(environment: &TestEnvironment, more: &[&str]) -> Run {
    environment.run(["install", "tool"].iter().chain(more))
}

#[test]
fn nobody_waits_longer_than_asked() {
    let server = index();
    let environment = environment(&server);
    let long = Duration::from_mins(1);
    server.plan_fault("/tool", usize::MAX, Fault::Delay(long));
    for option in ["--timeout", "--default-timeout"] {
        let begin = Instant::now();
        let run = install(&environment, &[option, "1", "--retries", "0"]).failure();
        assert!(begin.elapsed() < long / 2, "{option}");
        let said = "no answer in time";
        assert!(run.stderr.contains(said), "{option}: {}", run.stderr);
    }
    let mut command = environment.command();
    command.env("PIP_DEFAULT_TIMEOUT", "1");
    command.args(["install", "tool", "--retries", "0"]);
    let begin = Instant::now();
    drop(Run::from(command.output().unwrap()).failure());
    assert!(begin.elapsed() < long / 2);
    assert_eq!(environment.installed(), [""; 0]);
}

#[test]
fn a_server_that_drips_is_given_up() {
    let server = index();
    let environment = environment(&server);
    let slowly = Fault::Slow(1, Duration::from_millis(300));
    server.plan_fault("/simple/tool", usize::MAX, slowly);
    let begin = Instant::now();
    let run = install(&environment, &["--timeout", "1", "--retries", "0"]).failure();
    assert!(begin.elapsed() < Duration::from_mins(1));
    assert!(
        run.stderr.contains("hardly anything arrives"),
        "{}",
        run.stderr
    );
    assert_eq!(environment.installed(), [""; 0]);
}

#[test]
fn servers_are_asked_again_as_often_as_said() {
    for (retries, asked) in [("0", 1), ("2", 3)] {
        let server = index();
        let environment = environment(&server);
        server.plan_fault("/simple/tool", usize::MAX, Fault::Status(503));
        let run = install(&environment, &["--retries", retries]).failure();
        assert!(run.stderr.contains("503"), "{}", run.stderr);
        assert_eq!(server.requests_for("/simple/tool").len(), asked);
    }
    let server = index();
    let environment = environment(&server);
    server.plan_fault("/simple/tool", 1, Fault::Status(503));
    drop(install(&environment, &["--retries", "1"]).success());
    assert_eq!(environment.installed(), ["tool-1.0"]);
}
