//! Switches that scripts for pip set, under all their names: what each keeps quiet, leaves out or
//! puts elsewhere.

use bnbpip_testing::WheelBuilder;

use crate::support::{environment, index, last_line, listing};

#[test]
fn conflicts_are_told_unless_they_are_not_wanted() {
    let server = index();
    let environment = environment(&server);
    environment.install_by_hand(&WheelBuilder::new("strict", "1.0").requires("base<2"));
    let install = |more: &[&str]| {
        let line = ["install", "--force-reinstall", "base==2.0"];
        environment.run(line.iter().chain(more)).success().stderr
    };
    let said = "strict 1.0 requires base<2, but you have base 2.0 which is incompatible.";
    assert!(install(&[]).contains(said));
    let quiet = install(&["--no-warn-conflicts"]);
    assert!(!quiet.contains(said) && !quiet.contains("ERROR"), "{quiet}");
}

#[test]
fn dependencies_are_left_out_under_either_name() {
    for option in ["--no-deps", "--no-dependencies"] {
        let server = index();
        let environment = environment(&server);
        let run = environment.run(["install", "top", option]).success();
        assert_eq!(last_line(&run.stdout), "Successfully installed top-2.0");
        assert_eq!(environment.installed(), ["top-2.0"]);
    }
}

#[test]
fn downloads_go_where_each_name_says() {
    let server = index();
    let environment = environment(&server);
    let options = [
        "-d",
        "--dest",
        "--destination-dir",
        "--destination-directory",
    ];
    for (option, folder) in options.into_iter().zip(["a", "b", "c", "d"]) {
        let line = ["download", "--no-deps", "top", option, folder];
        drop(environment.run(line).success());
        let folder = environment.work().join(folder);
        assert_eq!(listing(&folder), ["top-2.0-py3-none-any.whl"]);
    }
}

#[test]
fn what_there_is_nothing_to_switch_off_changes_nothing() {
    let server = index();
    let environment = environment(&server);
    // Others write to the disk meanwhile.
    let filters = environment.filters().with(r"of \S+ \S+ free", "");
    let plain = environment.run(["install", "--dry-run", "top"]).success();
    for option in [
        "--disable-pip-version-check",
        "--no-python-version-warning",
        "--use-pep517",
        "--root-user-action=ignore",
        "--no-warn-script-location",
        "--progress-bar=raw",
    ] {
        let run = environment
            .run(["install", "--dry-run", "top", option])
            .success();
        assert_eq!(run.stdout, plain.stdout, "{option}");
        let stderr = [&run, &plain].map(|run| filters.apply(&run.stderr));
        assert_eq!(stderr[0], stderr[1], "{option}");
    }
}

/// An interpreter with folders of its own that is no virtual environment.
#[cfg(unix)]
fn system(environment: &bnbpip_testing::TestEnvironment) -> std::path::PathBuf {
    let base = bnbpip_testing::environment::base_interpreter();
    let prefix = environment.root().join("system");
    let version = base.schemes.prefix.purelib.parent().unwrap();
    let stdlib = prefix.join("lib").join(version.file_name().unwrap());
    fs_err::create_dir_all(stdlib.join("site-packages")).unwrap();
    fs_err::create_dir_all(prefix.join("bin")).unwrap();
    for entry in fs_err::read_dir(version).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        if name != "site-packages" && name != "EXTERNALLY-MANAGED" {
            std::os::unix::fs::symlink(entry.path(), stdlib.join(name)).unwrap();
        }
    }
    let python = prefix.join("bin/python3");
    fs_err::copy(&base.sys_executable, &python).unwrap();
    python
}

#[cfg(unix)]
#[test]
fn scripts_that_the_shell_will_not_find_are_named() {
    let server = index();
    server.add(
        WheelBuilder::new("more", "1.0")
            .console_script("b-script", "more:main")
            .console_script("a-script", "more:main")
            .build(),
    );
    let environment = environment(&server);
    let python = system(&environment);
    let install = |more: &[&str]| {
        let python = python.to_str().unwrap();
        let line = ["install", "--force-reinstall", "--python", python];
        environment.run(line.iter().chain(more)).success().stderr
    };
    let folder = python.parent().unwrap().display().to_string();
    let quiet = "--no-warn-script-location";
    for (package, said) in [
        (
            "tool",
            format!(
                "WARNING: The script run-tool is installed in '{folder}' which is not on PATH.\n"
            ),
        ),
        (
            "more",
            format!(
                "WARNING: The scripts a-script and b-script are installed in '{folder}' which is not on PATH.\n"
            ),
        ),
    ] {
        let stderr = install(&[package]);
        assert!(stderr.contains(&said), "{stderr}");
        assert!(stderr.contains(quiet), "{stderr}");
        let stderr = install(&[package, quiet]);
        assert!(!stderr.contains("PATH"), "{stderr}");
    }
    // Nothing is said of a package without any.
    let stderr = install(&["base"]);
    assert!(!stderr.contains("PATH"), "{stderr}");
}

#[cfg(unix)]
#[test]
fn the_administrator_is_warned_of_a_system_s_python() {
    let server = index();
    let environment = environment(&server);
    let python = system(&environment);
    let run = |words: &[&str]| {
        let python = python.to_str().unwrap();
        let python = ["--python", python];
        let line = words.iter().chain(&python);
        environment.run(line).success().stderr
    };
    let said = "WARNING: Running bnbpip as the 'root' user";
    let is_root = bnbpip_platform::is_effective_root();
    for words in ["install base", "uninstall -y base"] {
        let words: Vec<&str> = words.split(' ').collect();
        assert_eq!(run(&words).contains(said), is_root, "{words:?}");
        drop(run(&["install", "base"]));
        let quiet = [&words[..], &["--root-user-action", "ignore"]].concat();
        assert!(!run(&quiet).contains(said), "{words:?}");
    }
    // An environment of one's own is nobody else's.
    let stderr = environment.run(["install", "base"]).success().stderr;
    assert!(!stderr.contains(said), "{stderr}");
}
