//! Sdists whose `setup.py` says plainly what they require: resolving builds nothing.

use bnbpip_testing::{HostedFile, IndexServer, TestEnvironment, WheelBuilder};

use crate::sources::{project, sdist};
use crate::support::{environment, index, last_line};

const PYPROJECT: &str =
    "[build-system]\nrequires = [\"setuptools\"]\nbuild-backend = \"setuptools.build_meta\"\n";

/// What stands in for setuptools.
const BACKEND: &str = include_str!("backend.py");

/// An index with `src`, packed as setuptools packs what requires `base<2`. `setup` are the arguments
/// in its script, and `more` what its backend makes of it.
fn with_src(setup: &str, more: &str) -> (IndexServer, TestEnvironment) {
    with_src_and(setup, "", more)
}

/// The same with a `setup.cfg`.
fn with_src_and(setup: &str, options: &str, more: &str) -> (IndexServer, TestEnvironment) {
    let server = index();
    let setuptools = WheelBuilder::new("setuptools", "80.0")
        .file("setuptools/__init__.py", "")
        .file("setuptools/build_meta.py", BACKEND);
    server.add(HostedFile::from(setuptools.build()));
    let mut files = project("src", "1.0", more);
    files.retain(|(name, _)| name == "build.json");
    let pkg_info = "Metadata-Version: 2.1\nName: src\nVersion: 1.0\n";
    let script = format!("from setuptools import setup\nsetup({setup})\n");
    for (name, text) in [
        ("pyproject.toml", PYPROJECT),
        ("setup.py", &script),
        ("setup.cfg", options),
        ("PKG-INFO", pkg_info),
        ("src.egg-info/PKG-INFO", pkg_info),
        ("src.egg-info/SOURCES.txt", "setup.py\n"),
        ("src.egg-info/requires.txt", "base<2\n"),
    ] {
        files.push((name.to_owned(), text.to_owned()));
    }
    let bytes = sdist("src-1.0", &files);
    server.add(HostedFile::other("src", "src-1.0.tar.gz", bytes));
    let environment = environment(&server);
    (server, environment)
}

const PLAIN: &str = "name='src', install_requires=['base < 2']";

#[test]
fn what_is_said_plainly_needs_no_build() {
    let (_server, environment) = with_src(PLAIN, "\"requires\": [\"base<2\"]");
    for line in [
        "install --dry-run src",
        "download src",
        "lock --no-binary src src -o pylock.toml",
    ] {
        let run = environment.run(line.split(' ')).success();
        assert!(!run.stderr.contains("Building"), "{line}: {}", run.stderr);
        assert!(!run.stdout.contains("Preparing"), "{line}: {}", run.stdout);
    }
    let run = environment.run(["install", "src"]).success();
    assert_eq!(run.stderr.matches("Building").count(), 1, "{}", run.stderr);
    assert_eq!(environment.installed(), ["base-1.5", "src-1.0"]);
    drop(environment.run(["check"]).success());
}

#[test]
fn a_setup_cfg_has_a_say() {
    let backend = "\"requires\": [\"base<1.5\"]";
    let (_server, environment) = with_src_and("", "[options]\ninstall_requires = base<2", backend);
    let run = environment.run(["install", "--dry-run", "src"]).success();
    assert_eq!(last_line(&run.stdout), "Would install base-1.5 src-1.0");
    assert!(!run.stderr.contains("Building"), "{}", run.stderr);
    for options in ["[options]\ninstall_requires = more", "no section"] {
        let (_server, environment) = with_src_and(PLAIN, options, backend);
        let run = environment.run(["install", "--dry-run", "src"]).success();
        assert_eq!(last_line(&run.stdout), "Would install base-1.0 src-1.0");
    }
}

#[test]
fn what_is_not_is_asked_of_the_backend() {
    for setup in [
        "install_requires=NEEDS",
        "install_requires=['base<2', 'more']",
        "**{}",
    ] {
        let (_server, environment) = with_src(setup, "\"requires\": [\"base<1.5\"]");
        let run = environment.run(["install", "--dry-run", "src"]).success();
        assert!(run.stderr.contains("Building src 1.0"), "{}", run.stderr);
        assert_eq!(last_line(&run.stdout), "Would install base-1.0 src-1.0");
    }
    // Settings may change what a script does.
    let (_server, environment) = with_src(PLAIN, "\"requires\": [\"base<1.5\"]");
    let line = "install --dry-run -C a=b src".split(' ');
    let run = environment.run(line).success();
    assert_eq!(last_line(&run.stdout), "Would install base-1.0 src-1.0");
}

/// A command of setuptools may add what the script doesn't name.
#[test]
fn a_wheel_that_requires_something_else_is_known_the_next_time() {
    let (_server, environment) = with_src(PLAIN, "\"requires\": [\"base<1.5\"]");
    // What the script says is kept, and stays what it is.
    for _ in 0..2 {
        let run = environment.run(["install", "--dry-run", "src"]).success();
        assert_eq!(last_line(&run.stdout), "Would install base-1.5 src-1.0");
    }
    let run = environment.run(["install", "src"]).failure();
    let message = "ERROR: Failed to use `src 1.0`: its wheel requires other packages than its \
                   `setup.py` says\nhint: try again: what the wheel requires is known now\n";
    assert!(run.stderr.ends_with(message), "{}", run.stderr);
    assert_eq!(environment.installed(), [""; 0]);
    drop(environment.run(["install", "src"]).success());
    assert_eq!(environment.installed(), ["base-1.0", "src-1.0"]);
}
