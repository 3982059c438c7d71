//! Several runs at once, on one environment and on one cache.

use std::process::{Child, Stdio};

use bnbpip_testing::TestEnvironment;

use crate::support::{environment, index};

fn start(environment: &TestEnvironment, arguments: &[&str]) -> Child {
    environment
        .command()
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn all_succeed(children: Vec<Child>) {
    for child in children {
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{stderr}");
        assert!(!stderr.contains("WARNING"), "{stderr}");
    }
}

/// Whether the modules are those of the distributions, and each distribution is there once.
fn assert_whole(environment: &TestEnvironment) {
    let code = "
import importlib.metadata as m
seen = {}
for d in m.distributions():
    assert d.name not in seen, d.name
    seen[d.name] = d.version
    for f in d.files:
        assert f.locate().exists(), f
import base
assert base.__version__ == seen['base'], (base.__version__, seen)
";
    drop(environment.python(code).success());
    assert!(!environment.venv().join(".bnbpip").exists());
}

#[test]
fn eight_that_want_the_same() {
    let server = index();
    let environment = environment(&server);
    let children = (0..8)
        .map(|_| start(&environment, &["install", "top", "tool"]))
        .collect();
    all_succeed(children);
    assert_eq!(environment.installed(), ["base-2.0", "tool-1.0", "top-2.0"]);
    assert_whole(&environment);
}

#[test]
fn eight_that_fight() {
    let server = index();
    let environment = environment(&server);
    let children = (0..8)
        .map(|number| {
            let base = if number % 2 == 0 {
                "base==1.0"
            } else {
                "base==2.0"
            };
            start(
                &environment,
                &["install", "--force-reinstall", base, "tool"],
            )
        })
        .collect();
    all_succeed(children);
    assert_eq!(environment.installed().len(), 2);
    assert_whole(&environment);
}

#[test]
fn one_cache_and_several_environments() {
    let server = index();
    let environments: Vec<_> = (0..4).map(|_| environment(&server)).collect();
    let cache = environments[0].cache();
    let children = environments
        .iter()
        .map(|environment| {
            environment
                .command()
                .env("BNBPIP_CACHE_DIR", &cache)
                .args(["install", "top", "tool"])
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    all_succeed(children);
    for environment in &environments {
        assert_whole(environment);
    }
}
