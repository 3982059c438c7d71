//! What may not be read or written: environments, folders in them, the cache. And `--user`, which
//! is for those who may not write to their Python.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use bnbpip_testing::environment::base_interpreter;
use bnbpip_testing::{IndexServer, Run, TestEnvironment, WheelBuilder};

use crate::support::{
    PROGRAM, bound_by_permissions, content, environment, index, last_line, listing,
};

/// Takes the right to write (or all) to some paths away while it lives.
struct Closed(Vec<(PathBuf, Permissions)>);

impl Closed {
    fn new(paths: &[PathBuf], mode: u32) -> Self {
        let closed = paths.iter().map(|path| {
            let before = fs_err::metadata(path).unwrap().permissions();
            fs_err::set_permissions(path, Permissions::from_mode(mode)).unwrap();
            (path.clone(), before)
        });
        Self(closed.collect())
    }
}

impl Drop for Closed {
    fn drop(&mut self) {
        for (path, permissions) in self.0.drain(..).rev() {
            fs_err::set_permissions(path, permissions).unwrap();
        }
    }
}

/// A package of two folders and a script, in two versions.
fn two_versions() -> IndexServer {
    let version = |version: &str| {
        WheelBuilder::new("wide", version)
            .file("wide/__init__.py", format!("version = '{version}'\n"))
            .file("wide/deep/data.txt", format!("data {version}"))
            .file("also_wide/__init__.py", format!("version = '{version}'\n"))
            .file(&format!("new_in_{}.py", version.replace('.', "_")), "")
            .console_script("run-wide", "wide:main")
            .build()
    };
    let server = index();
    server.add(version("1.0"));
    server.add(version("2.0"));
    server
}

/// A run that must be refused for want of permission, with everything as before.
fn assert_refused(
    environment: &TestEnvironment,
    arguments: &[&str],
    closed: &[PathBuf],
    mode: u32,
) {
    let before = content(environment);
    let run = {
        let _closed = Closed::new(closed, mode);
        let Some(run) = bound_by_permissions(environment, arguments) else {
            return;
        };
        run
    };
    let what = format!("{arguments:?} with {closed:?}:\n{}", run.stderr);
    assert_eq!(run.code, 1, "{what}");
    assert!(run.stderr.contains("ermission denied"), "{what}");
    assert!(run.stderr.contains("hint: "), "{what}");
    assert!(run.stderr.contains("ERROR: Failed to "), "{what}");
    assert_eq!(content(environment), before, "{what}");
    // And nothing is left that would need mending.
    let run = environment.run(["check"]).success();
    assert!(!run.stderr.contains("ecover"), "{}", run.stderr);
}

#[test]
fn an_environment_that_may_not_be_written() {
    let server = two_versions();
    let environment = environment(&server);
    drop(environment.run(["install", "wide==1.0"]).success());
    let (root, library, scripts) = (
        environment.venv(),
        environment.site_packages(),
        environment.scripts(),
    );
    let all = [root.clone(), library.clone(), scripts.clone()];
    for arguments in [
        &["install", "-U", "wide"][..],
        &["install", "base"],
        &["uninstall", "-y", "wide"],
    ] {
        assert_refused(&environment, arguments, &all, 0o555);
        assert_refused(
            &environment,
            arguments,
            std::slice::from_ref(&library),
            0o555,
        );
    }
    // Part of the change could be made, but not all of it: none is.
    for part in [
        scripts,
        library.join("wide"),
        library.join("wide-1.0.dist-info"),
    ] {
        for arguments in [&["install", "-U", "wide"][..], &["uninstall", "-y", "wide"]] {
            let before = content(&environment);
            let run = {
                let _closed = Closed::new(std::slice::from_ref(&part), 0o555);
                bound_by_permissions(&environment, arguments)
            };
            let Some(run) = run else { return };
            if run.code == 0 {
                // Whole folders go by one rename of their parent's, whatever they allow.
                drop(environment.run(["install", "wide==1.0"]).success());
            } else {
                assert!(run.stderr.contains("ermission denied"), "{}", run.stderr);
                assert!(run.stderr.contains("hint: "), "{}", run.stderr);
                assert_eq!(content(&environment), before, "{}", run.stderr);
            }
        }
    }
}

#[test]
fn a_target_folder_that_may_not_be_written() {
    let server = index();
    let environment = environment(&server);
    let folder = environment.work().join("lib");
    fs_err::create_dir(&folder).unwrap();
    let arguments = ["install", "--target", "lib/below", "base"];
    assert_refused(
        &environment,
        &arguments,
        std::slice::from_ref(&folder),
        0o555,
    );
    assert_eq!(listing(&folder), [""; 0]);
}

fn folders_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![folder.to_path_buf()];
    let mut at = 0;
    while at < found.len() {
        for entry in fs_err::read_dir(&found[at]).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                found.push(entry.path());
            }
        }
        at += 1;
    }
    found
}

/// A cache that can't be written (another user's, a read-only image's) says so, or is used as it is.
#[test]
fn a_cache_that_may_not_be_written() {
    let server = index();
    let environment = environment(&server);
    drop(environment.run(["install", "base"]).success());
    let folders = folders_below(&environment.cache());
    let before = content(&environment);
    let run = {
        let _closed = Closed::new(&folders, 0o555);
        bound_by_permissions(&environment, &["install", "tool"])
    };
    let Some(run) = run else { return };
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stderr.contains("ermission denied"), "{}", run.stderr);
    assert!(run.stderr.contains("--no-cache-dir"), "{}", run.stderr);
    assert_eq!(content(&environment), before);
    // As it says.
    let run = {
        let _closed = Closed::new(&folders, 0o555);
        bound_by_permissions(&environment, &["install", "--no-cache-dir", "tool"])
    };
    drop(run.unwrap().success());
}

/// Runs the base interpreter's `--user` installation in a home.
fn for_the_user(environment: &TestEnvironment, home: &Path, arguments: &[&str]) -> Run {
    let python = &base_interpreter().sys_executable;
    let mut command = environment.command();
    command
        .env("HOME", home)
        .env("PYTHONUSERBASE", home.join("base"));
    command.arg(arguments[0]).arg("--python").arg(python);
    command
        .args(["--break-system-packages"])
        .args(&arguments[1..]);
    command.output().unwrap().into()
}

#[test]
fn into_the_users_own_folder() {
    let server = index();
    let environment = TestEnvironment::bare(PROGRAM).with_index(&server);
    let home = environment.home();
    let run = for_the_user(&environment, &home, &["install", "--user", "top", "tool"]).success();
    assert_eq!(
        last_line(&run.stdout),
        "Successfully installed base-2.0 tool-1.0 top-2.0"
    );
    let (major, minor) = base_interpreter().version_info;
    let library = |home: &Path| home.join(format!("base/lib/python{major}.{minor}/site-packages"));
    let names = listing(&library(&home));
    for name in ["base-2.0.dist-info", "top-2.0.dist-info", "tool.py"] {
        assert!(names.iter().any(|it| it == name), "{name}: {names:?}");
    }
    let script = std::process::Command::new(home.join("base/bin/run-tool"))
        .env("PYTHONUSERBASE", home.join("base"))
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&script.stdout).trim(),
        "the tool runs"
    );
    // It is there now.
    server.forget_requests();
    let run = for_the_user(&environment, &home, &["install", "--user", "top"]).success();
    assert!(
        run.stdout.contains("Requirement already satisfied"),
        "{run:?}"
    );
    assert_eq!(server.requests().len(), 0);
    // Another user's folder is another, although the interpreter and the cache are the same.
    let other = environment.root().join("other");
    fs_err::create_dir(&other).unwrap();
    drop(for_the_user(&environment, &other, &["install", "--user", "tool"]).success());
    let names = listing(&library(&other));
    assert!(
        names.contains(&"tool-1.0.dist-info".to_string()),
        "{names:?}"
    );
    assert!(
        !names.contains(&"base-2.0.dist-info".to_string()),
        "{names:?}"
    );
    drop(
        for_the_user(
            &environment,
            &home,
            &["uninstall", "-y", "top", "tool", "base"],
        )
        .success(),
    );
    assert!(!library(&home).join("top-2.0.dist-info").exists());
    assert!(library(&other).join("tool-1.0.dist-info").exists());
}

/// The environment doesn't see the user's folder: pip refuses, too.
#[test]
fn not_from_within_an_environment() {
    let server = index();
    let environment = environment(&server);
    let before = content(&environment);
    let run = environment.run(["install", "--user", "tool"]).failure();
    let message = "Can not perform a '--user' install. User site-packages are not visible";
    assert!(run.stderr.contains(message), "{}", run.stderr);
    assert_eq!(content(&environment), before);
    assert_eq!(server.requests().len(), 0);
}
