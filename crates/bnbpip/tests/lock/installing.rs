//! Installing a lock: builds of the same version are told apart; `install -r pylock.toml`.

use std::ffi::OsStr;

use bnbpip_testing::{HostedFile, IndexServer, TestEnvironment, WheelBuilder};

use crate::{HERE, PROJECT, environment, index, installed_anywhere, lock};

#[test]
fn another_build_of_the_same_version_is_replaced() {
    let python = {
        let server = IndexServer::start();
        let environment = environment(&server);
        let (major, minor) = environment.interpreter().version_info;
        format!("cp{major}{minor}")
    };
    let own = WheelBuilder::new("native", "1.0").tag(&format!("{python}-none-any"));
    let server = IndexServer::with([own.build(), WheelBuilder::new("base", "1.0").build()]);
    let environment = environment(&server);
    drop(lock(
        &environment,
        &["native", "base", "--environment", HERE],
    ));
    // Somebody else installed other files of the same versions.
    environment.install_by_hand(&WheelBuilder::new("native", "1.0"));
    let base = WheelBuilder::new("base", "1.0").file("other.py", "");
    let path = base.build().write_to(&environment.work());
    drop(
        environment
            .run([OsStr::new("install"), path.as_os_str()])
            .success(),
    );
    let run = environment.run(["sync"]).success();
    let last = "Successfully installed base-1.0 native-1.0\n";
    assert!(run.stdout.ends_with(last), "{}", run.stdout);
    assert!(!environment.site_packages().join("other.py").exists());
    let run = environment.run(["sync"]).success();
    assert_eq!(run.stdout, "The environment is as the lock says\n");
    // The very file counts where bnbpip installed it itself.
    let other = WheelBuilder::new("native", "1.0")
        .tag(&format!("{python}-none-any"))
        .file("x.py", "");
    server.add(other.build());
    fs_err::remove_dir_all(environment.cache()).unwrap();
    drop(lock(
        &environment,
        &["native", "base", "--environment", HERE, "--upgrade"],
    ));
    let run = environment.run(["sync"]).success();
    let last = "Successfully installed native-1.0\n";
    assert!(run.stdout.ends_with(last), "{}", run.stdout);
}

/// As `install` and `undo` do: what is there shouldn't depend on the command that brought it.
#[test]
fn byte_code_is_made_unless_it_is_not_wanted() {
    let (_server, environment) = locked_base();
    let compiled = environment.site_packages().join("base/__pycache__");
    for (words, is_compiled) in [(&["sync", "--no-compile"][..], false), (&["sync"], true)] {
        drop(environment.run(words).success());
        assert_eq!(compiled.exists(), is_compiled, "{words:?}");
        drop(environment.run(["uninstall", "-y", "base"]).success());
    }
}

#[test]
fn install_takes_a_lock_for_a_requirements_file() {
    let server = index();
    let environment = environment(&server);
    fs_err::write(environment.work().join("pyproject.toml"), PROJECT).unwrap();
    drop(lock(&environment, &[]));
    drop(environment.run(["install", "leaf"]).success());
    drop(
        environment
            .run(["install", "-r", "pylock.toml[extra_one]"])
            .success(),
    );
    // What the lock doesn't have for this choice stays.
    assert_eq!(
        installed_anywhere(&environment),
        ["base-2.0", "leaf-1.0", "native-1.0", "top-1.0"]
    );
    let run = environment.run(["install", "-r", "pylock.toml[nope]"]);
    assert!(
        run.stderr
            .contains("\n  Caused by: Failed to use the lock: it has no extra `nope`\n"),
        "{}",
        run.stderr
    );
    // A group is asked for without the base's default ones, and comes to what an extra asks for.
    drop(
        environment
            .run(["install", "--group", "pylock.toml:Dev"])
            .success(),
    );
    assert!(environment.installed().contains(&"other_leaf-1.0".into()));
    let run = environment.run(["install", "--group", "pylock.toml:nope"]);
    assert!(
        run.stderr
            .contains("\n  Caused by: Failed to use the lock: it has no dependency group `nope`\n"),
        "{}",
        run.stderr
    );
}

/// A lock of an older `base`, and the newer one on the index.
fn locked_base() -> (IndexServer, TestEnvironment) {
    let server = index();
    let environment = environment(&server);
    drop(lock(
        &environment,
        &["base<2", "--environment", &here(&environment)],
    ));
    (server, environment)
}

fn here(environment: &TestEnvironment) -> String {
    let (major, minor) = environment.interpreter().version_info;
    format!("{HERE}-{major}.{minor}")
}

#[test]
fn a_lock_beside_other_requirements_is_kept_to() {
    let (_server, environment) = locked_base();
    let install = |arguments: &[&str]| {
        environment.run([&["install", "-r", "pylock.toml"], arguments].concat())
    };
    // Its packages have hashes, and with them all must.
    let run = install(&["top"]);
    let said = "In --require-hashes mode, all requirements must have their versions pinned with ==. \
                These do not:\n    top\n";
    assert!(run.stderr.contains(said), "{}", run.stderr);
    let hint = "hint: `--no-require-hashes` takes others beside the packages of a lock\n";
    assert!(run.stderr.ends_with(hint), "{}", run.stderr);
    assert_eq!(environment.installed(), [""; 0]);
    drop(install(&["top", "--no-require-hashes"]).success());
    assert_eq!(installed_anywhere(&environment), ["base-1.0", "top-1.0"]);
    let run = install(&["base>1", "--no-require-hashes"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("(from pylock.toml)"), "{}", run.stderr);
    let limits = environment.work().join("limits.txt");
    fs_err::write(limits, "base>1\n").unwrap();
    let run = install(&["-c", "limits.txt"]);
    assert!(run.stderr.contains("base>1"), "{}", run.stderr);
    // Two locks that agree are one.
    let work = environment.work();
    fs_err::copy(work.join("pylock.toml"), work.join("pylock.two.toml")).unwrap();
    drop(install(&["-r", "pylock.two.toml"]).success());
    let run = install(&["--python-version", "3.12", "--dry-run"]);
    assert!(
        run.stderr
            .contains("are not supported when selecting requirements from 'pylock.toml'"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_lock_goes_into_a_folder_and_into_a_report() {
    let (server, environment) = locked_base();
    let install = |arguments: &[&str]| {
        environment.run([&["install", "-r", "pylock.toml"], arguments].concat())
    };
    drop(install(&["--target", "there"]).success());
    assert!(environment.work().join("there/base-1.0.dist-info").is_dir());
    assert_eq!(environment.installed(), [""; 0]);
    let run = install(&["--dry-run", "--quiet", "--report", "-"]).success();
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let info = &report["install"][0]["download_info"];
    assert!(
        info["url"]
            .as_str()
            .unwrap()
            .starts_with(&server.file_url("base-1.0-")),
        "{info}"
    );
    assert_eq!(report["install"][0]["is_direct"], false);
    // The lock's size is checked on this way as well.
    let path = environment.work().join("pylock.toml");
    let text = fs_err::read_to_string(&path).unwrap();
    let size = text.split("size = ").nth(1).unwrap().split(',').next();
    let size = format!("size = {}", size.unwrap());
    fs_err::write(&path, text.replace(&size, "size = 12")).unwrap();
    let run = install(&["--target", "elsewhere"]);
    assert_eq!(run.code, 1);
    assert!(
        run.stderr.contains("and the lock says 12"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_lock_can_be_read_from_an_address_and_its_files_from_a_folder() {
    let (server, environment) = locked_base();
    let text = crate::read(&environment);
    // A path starts where the lock is.
    let start = text.find("url = \"").unwrap();
    let end = text[start..].find("\", ").unwrap() + start;
    let by_path = text.replace(&text[start..=end], "path = \"base-1.0-py3-none-any.whl\"");
    server.add(HostedFile::other(
        "locks",
        "pylock.toml",
        text.clone().into_bytes(),
    ));
    server.add(HostedFile::other(
        "locks",
        "pylock.path.toml",
        by_path.clone().into_bytes(),
    ));
    server.add(HostedFile::other(
        "locks",
        "pylock.folder.toml",
        "lock-version = '1.0'\ncreated-by = 'x'\n[[packages]]\nname = 'base'\ndirectory = { path = 'x' }\n"
            .as_bytes()
            .to_vec(),
    ));
    let run = environment.run(["install", "-r", &server.file_url("pylock.folder.toml")]);
    let said = "\n  Caused by: Failed to use the lock's `base`: it is a path, and the lock was read from \
                an address\n";
    assert!(run.stderr.contains(said), "{}", run.stderr);
    let run = environment.run(["install", "-r", &server.file_url("pylock.none.toml")]);
    assert!(
        run.stderr.contains("Failed to read the lock `http://"),
        "{}",
        run.stderr
    );
    drop(
        environment
            .run(["install", "-r", &server.file_url("pylock.path.toml")])
            .success(),
    );
    assert_eq!(environment.installed(), ["base-1.0"]);
    let run = environment
        .run(["sync", &server.file_url("pylock.toml")])
        .success();
    assert_eq!(run.stdout, "The environment is as the lock says\n");
    // Files from a folder, by their digests.
    drop(environment.run(["uninstall", "-y", "base"]).success());
    let house = environment.work().join("house");
    fs_err::create_dir_all(&house).unwrap();
    let wheel = WheelBuilder::new("base", "1.0").build().write_to(&house);
    fs_err::rename(&wheel, house.join("any-9-py3-none-any.whl")).unwrap();
    fs_err::remove_dir_all(environment.cache()).unwrap();
    server.forget_requests();
    let offline = [
        "install",
        "-r",
        "pylock.toml",
        "--wheelhouse",
        "house",
        "--offline",
    ];
    drop(environment.run(offline).success());
    assert_eq!(server.requests().len(), 0);
    let run = environment.run(["install", "base", "--wheelhouse", "house"]);
    assert!(
        run.stderr
            .contains("it is for the files of a lock, and none is asked for\n"),
        "{}",
        run.stderr
    );
}

#[test]
fn download_and_wheel_take_the_files_of_a_lock() {
    let server = index();
    let environment = environment(&server);
    drop(lock(
        &environment,
        &[
            "base<2",
            "--environment",
            "linux",
            "--environment",
            "windows",
        ],
    ));
    let saved = |command: &str, more: &[&str]| {
        let folder = format!("{command}-{}", more.len());
        let run = environment.run([&[command, "-r", "pylock.toml", "-d", &folder], more].concat());
        drop(run.success());
        let folder = fs_err::read_dir(environment.work().join(folder)).unwrap();
        let mut names: Vec<String> = folder
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    // The newest version isn't the lock's.
    assert_eq!(saved("download", &[]), ["base-1.0-py3-none-any.whl"]);
    let windows = ["--python-platform", "windows"];
    assert_eq!(saved("download", &windows), ["base-1.0-py3-none-any.whl"]);
    let run = environment.run(["wheel", "-r", "pylock.toml", "-w", "wheels"]);
    drop(run.success());
    let wheel = environment.work().join("wheels/base-1.0-py3-none-any.whl");
    assert!(wheel.is_file());
    // As pip has it, a lock isn't selected from for options of pip's that restrict the target.
    let arguments = ["download", "-r", "pylock.toml", "--platform", "win_amd64"];
    let run = environment.run([&arguments[..], &["--only-binary", ":all:"]].concat());
    assert_eq!(run.code, 1);
    assert_eq!(
        run.stderr,
        "ERROR: Platform and interpreter constraints using --python-version, --platform, --abi, or \
         --implementation, are not supported when selecting requirements from 'pylock.toml'\n"
    );
}
