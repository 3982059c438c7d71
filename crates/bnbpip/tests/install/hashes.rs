//! Hash mode.

use bnbpip_testing::{Run, TestEnvironment};

use crate::support::{content, environment, index};

fn install(environment: &TestEnvironment, lines: &str, more: &[&str]) -> Run {
    fs_err::write(environment.work().join("r.txt"), lines).unwrap();
    let arguments = ["install", "-r", "r.txt"];
    environment.run(arguments.iter().chain(more))
}

fn sha256(server: &bnbpip_testing::IndexServer, filename: &str) -> String {
    // The index's page is the one that knows.
    let environment = environment(server);
    let name = filename.split('-').next().unwrap();
    let version = filename.split('-').nth(1).unwrap();
    let pin = format!("{name}=={version}");
    let arguments = ["install", "--dry-run", "-q", "--no-deps", "--report", "-"];
    let run = environment
        .run(arguments.iter().chain(&[pin.as_str()]))
        .success();
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let hashes = &report["install"][0]["download_info"]["archive_info"]["hashes"];
    hashes["sha256"].as_str().unwrap().to_string()
}

#[test]
fn right_hashes_are_enough() {
    let server = index();
    let (top, base) = (
        sha256(&server, "top-1.0-py3-none-any.whl"),
        sha256(&server, "base-1.5-py3-none-any.whl"),
    );
    let environment = environment(&server);
    let other = "0".repeat(64);
    let lines = format!(
        "top==1.0 --hash=sha256:{other} \\\n  --hash=sha256:{top}\nbase==1.5 --hash=sha256:{base}\n"
    );
    drop(install(&environment, &lines, &["--require-hashes"]).success());
    assert_eq!(environment.installed(), ["base-1.5", "top-1.0"]);
}

#[test]
fn a_wrong_hash_stops_everything() {
    let server = index();
    let top = sha256(&server, "top-1.0-py3-none-any.whl");
    let base = sha256(&server, "base-1.5-py3-none-any.whl");
    let environment = environment(&server);
    let before = content(&environment);
    let other = "0".repeat(64);
    let wrong = format!("top==1.0 --hash=sha256:{top}\nbase==1.5 --hash=sha256:{other}\n");
    let run = install(&environment, &wrong, &[]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stderr.contains("hash"), "{}", run.stderr);
    assert_eq!(content(&environment), before);

    // A dependency without a hash, a requirement without one, and one without a pin.
    for (lines, words) in [
        (
            format!("top==1.0 --hash=sha256:{top}\n"),
            "In --require-hashes mode, all requirements must have their versions pinned",
        ),
        (
            format!("top==1.0\nbase==1.5 --hash=sha256:{base}\n"),
            "Hashes are required in --require-hashes mode",
        ),
        (
            format!("top>=1 --hash=sha256:{top}\nbase==1.5 --hash=sha256:{base}\n"),
            "In --require-hashes mode, all requirements must have their versions pinned",
        ),
    ] {
        let run = install(&environment, &lines, &[]);
        assert_eq!(run.code, 1, "{lines}");
        assert!(run.stderr.contains(words), "{lines}{}", run.stderr);
        assert_eq!(content(&environment), before);
    }
    let run = install(&environment, "base==1.5\n", &["--require-hashes"]);
    assert_eq!(run.code, 1);
}
