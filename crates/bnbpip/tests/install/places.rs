//! `--target`, `--prefix`, `--root`, and environments made on the way.

use bnbpip_testing::TestEnvironment;
use bnbpip_testing::environment::base_interpreter;

use crate::support::{PROGRAM, environment, index, last_line, listing};

#[test]
fn into_a_folder() {
    let server = index();
    let environment = environment(&server);
    let before = environment.fingerprint();
    let arguments = ["install", "--target", "lib", "top", "tool"];
    let run = environment.run(arguments).success();
    assert_eq!(
        last_line(&run.stdout),
        "Successfully installed base-2.0 tool-1.0 top-2.0"
    );
    let folder = environment.work().join("lib");
    let names = listing(&folder);
    for name in ["base-2.0.dist-info", "top-2.0.dist-info", "bin", "tool.py"] {
        assert!(names.iter().any(|it| it == name), "{name}: {names:?}");
    }
    assert_eq!(environment.fingerprint(), before);
    let code = "import sys; sys.path.insert(0, 'lib'); import top, base; print(top.__version__)";
    assert_eq!(environment.python(code).success().stdout.trim(), "2.0");
    // What is there stays unless it is upgraded.
    let run = environment
        .run(["install", "--target", "lib", "base==1.0"])
        .success();
    assert!(run.stderr.contains("already exists"), "{}", run.stderr);
    let code = "import sys; sys.path.insert(0, 'lib'); import base; print(base.__version__)";
    assert_eq!(environment.python(code).success().stdout.trim(), "2.0");
    drop(
        environment
            .run(["install", "--target", "lib", "-U", "base==1.0"])
            .success(),
    );
    assert_eq!(environment.python(code).success().stdout.trim(), "1.0");
}

#[test]
fn for_another_platform_into_a_folder() {
    let server = index();
    let environment = environment(&server);
    let platform = ["--python-platform", "windows", "--python-version", "3.11"];
    let base = ["install", "base"];
    let run = environment.run(base.iter().chain(&platform));
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("--target"), "{}", run.stderr);
    let folder = ["--target", "lib"];
    drop(
        environment
            .run(base.iter().chain(&platform).chain(&folder))
            .success(),
    );
    assert!(environment.work().join("lib/base-2.0.dist-info").exists());
    assert_eq!(environment.installed(), Vec::<String>::new());
}

#[test]
fn below_a_prefix() {
    let server = index();
    let environment = environment(&server);
    let before = environment.fingerprint();
    drop(
        environment
            .run(["install", "--prefix", "there", "tool"])
            .success(),
    );
    assert_eq!(environment.fingerprint(), before);
    let prefix = environment.work().join("there");
    let relative = |path: std::path::PathBuf| {
        let inside = path.strip_prefix(environment.venv()).unwrap().to_path_buf();
        prefix.join(inside)
    };
    assert!(
        relative(environment.site_packages())
            .join("tool-1.0.dist-info")
            .exists()
    );
    let names = listing(&relative(environment.scripts()));
    assert_eq!(names.len(), 1, "{names:?}");
}

#[test]
fn below_another_root() {
    let server = index();
    let environment = environment(&server);
    let before = environment.fingerprint();
    drop(
        environment
            .run(["install", "--root", "image", "tool"])
            .success(),
    );
    assert_eq!(environment.fingerprint(), before);
    let site_packages = environment.site_packages();
    let inside: std::path::PathBuf = site_packages
        .components()
        .filter(|part| matches!(part, std::path::Component::Normal(_)))
        .collect();
    let folder = environment.work().join("image").join(inside);
    assert!(folder.join("tool-1.0.dist-info").exists());
}

#[test]
fn into_an_environment_made_for_it() {
    let server = index();
    let environment = TestEnvironment::bare(PROGRAM).with_index(&server);
    let run = environment
        .run(["install", "--venv", "fresh", "tool"])
        .success();
    assert_eq!(last_line(&run.stdout), "Successfully installed tool-1.0");
    let script = if cfg!(windows) {
        "fresh/Scripts/run-tool.exe"
    } else {
        "fresh/bin/run-tool"
    };
    let output = std::process::Command::new(environment.work().join(script))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(text.trim(), "the tool runs");
    // And again, into the one that is there now.
    let run = environment
        .run(["install", "--venv", "fresh", "base"])
        .success();
    assert_eq!(last_line(&run.stdout), "Successfully installed base-2.0");
    // `--python` is what it is made with; one that is there must fit.
    let (major, minor) = base_interpreter().version_info;
    let version = format!("{major}.{minor}");
    let with = |python: &str, folder: &str| {
        environment.run(["install", "--python", python, "--venv", folder, "base"])
    };
    drop(with(&version, "fresh").success());
    drop(with(&version, "other").success());
    let refused = with("2.7", "fresh").failure();
    assert!(
        refused.stderr.contains("Failed to use Python 2.7 in `"),
        "{}",
        refused.stderr
    );
}

#[test]
fn options_that_exclude_each_other() {
    let server = index();
    let environment = environment(&server);
    for arguments in [
        ["--user", "--prefix", "x"],
        ["--user", "--target", "x"],
        ["--root=y", "--target", "x"],
    ] {
        let run = environment.run(["install", "base"].iter().chain(&arguments));
        assert_eq!(run.code, 1, "{arguments:?}");
        assert!(run.stderr.contains("Can not combine"), "{}", run.stderr);
    }
    assert_eq!(server.requests().len(), 0);
}
