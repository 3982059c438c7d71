//! What an index has beside what is installed: `list --outdated`, `list --uptodate`, `index
//! versions`.

use bnbpip_testing::{HostedFile, IndexServer, Run, TestEnvironment, WheelBuilder};
use insta::assert_snapshot;

use crate::sources;
use crate::support::environment;

fn server() -> IndexServer {
    let plain = [
        WheelBuilder::new("aged", "1.0"),
        WheelBuilder::new("aged", "1.10"),
        WheelBuilder::new("aged", "1.9"),
        WheelBuilder::new("aged", "2.0rc1"),
        WheelBuilder::new("aged", "3.0.dev1"),
        WheelBuilder::new("aged", "4.0").requires_python(">=4"),
        WheelBuilder::new("aged", "5.0").tag("cp311-cp311-win32"),
        WheelBuilder::new("current", "1.0"),
        WheelBuilder::new("source", "1.0"),
    ];
    let server = IndexServer::with(plain.iter().map(WheelBuilder::build));
    let yanked = HostedFile::from(WheelBuilder::new("aged", "6.0").build()).yanked("broken");
    server.add(yanked);
    sources::served(&server, "source", "2.0", "");
    server
}

fn furnished(server: &IndexServer) -> TestEnvironment {
    let environment = environment(server);
    for name in ["aged", "current", "source", "unknown"] {
        environment.install_by_hand(&WheelBuilder::new(name, "1.0"));
    }
    environment
}

/// The runs of several lines.
fn transcript(environment: &TestEnvironment, lines: &[&str]) -> String {
    let shown = |line: &&str| {
        let run: Run = environment.run(line.split_whitespace());
        let shown = run.snapshot(&environment.filters());
        format!("$ bnbpip {line}\n{}", shown.trim_end())
    };
    let runs: Vec<String> = lines.iter().map(shown).collect();
    runs.join("\n\n").replace('\\', "/")
}

#[test]
fn outdated_and_uptodate() {
    let server = server();
    let environment = furnished(&server);
    assert_snapshot!(transcript(
        &environment,
        &[
            "list --outdated",
            "list -o --format json",
            "list -o --format json -v --exclude source",
            "list -o --pre --format json",
            "list -o --only-binary :all:",
            "list -o --prefer-binary",
            "list -o --ignore-nothing",
            "list -u",
            "list --uptodate --format freeze",
            "list -o --format freeze",
            "list -o -u",
            "list -o --no-index",
        ]
    ));
    // Without the options no index is asked.
    server.forget_requests();
    drop(environment.run(["list"]).success());
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn versions_of_a_package() {
    let server = server();
    let environment = furnished(&server);
    assert_snapshot!(transcript(
        &environment,
        &[
            "index versions aged",
            "index versions Aged --json",
            "index versions aged --pre",
            "index versions aged --json --ignore-requires-python --pre",
            "index versions aged --platform win32 --python-version 3.11 --json",
            "index --json versions source",
            "index versions source --only-binary=:all: --json",
            "index versions nothing",
            "index versions nothing==1",
            "index versions",
            "index versions aged current",
            "index",
            "index list",
        ]
    ));
}

#[test]
fn an_index_that_cant_be_asked() {
    let environment = TestEnvironment::new(crate::support::PROGRAM);
    let dead = ["-i", "http://127.0.0.1:1/simple", "--retries", "0"];
    environment.install_by_hand(&WheelBuilder::new("aged", "1.0"));
    for command in [&["list", "-o"][..], &["index", "versions", "aged"]] {
        let run = environment.run(command.iter().chain(&dead)).failure();
        assert!(run.stderr.starts_with("ERROR: "), "{}", run.stderr);
        assert_eq!(run.stdout, "");
    }
}
