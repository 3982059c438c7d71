//! What the machine does to us: damaged caches, shared links, odd surroundings.

use std::path::PathBuf;

use bnbpip_testing::TestEnvironment;
#[cfg(unix)]
use bnbpip_testing::WheelBuilder;

#[cfg(unix)]
use crate::support::last_line;
use crate::support::{content, environment, files_below, index, listing};

#[test]
fn a_damaged_cache_file_is_never_installed() {
    let server = index();
    let environment = environment(&server);
    drop(
        environment
            .run(["install", "--no-compile", "top", "tool"])
            .success(),
    );
    let right = content(&environment);
    let files = files_below(&environment.cache());
    assert!(files.len() > 15, "{files:?}");
    for (at, path) in files.iter().enumerate() {
        // Nothing in the environment may change with the cache.
        drop(
            environment
                .run(["uninstall", "-y", "top", "tool", "base"])
                .success(),
        );
        let Ok(mut bytes) = fs_err::read(path) else {
            continue; // replaced in an earlier round
        };
        match at % 3 {
            0 if !bytes.is_empty() => {
                let middle = bytes.len() / 2;
                bytes[middle] ^= 0x40;
            }
            1 => bytes.truncate(bytes.len() / 2),
            _ => bytes.clear(),
        }
        fs_err::write(path, bytes).unwrap();
        let run = environment.run(["install", "--no-compile", "top", "tool"]);
        assert_eq!(run.code, 0, "{}: {}", path.display(), run.stderr);
        assert_eq!(content(&environment), right, "{}", path.display());
    }
}

#[test]
fn an_edit_in_one_environment_does_not_reach_another() {
    let server = index();
    let (first, second) = (environment(&server), environment(&server));
    let install = |environment: &TestEnvironment| {
        let output = environment
            .command()
            .env("BNBPIP_CACHE_DIR", first.cache())
            .args(["install", "--link-mode=hardlink", "base"])
            .output();
        assert!(output.unwrap().status.success());
    };
    install(&first);
    let module = |environment: &TestEnvironment| environment.site_packages().join("base.py");
    // In place, as editors do that don't write a new file.
    let path = if module(&first).exists() {
        PathBuf::from("base.py")
    } else {
        PathBuf::from("base/__init__.py")
    };
    let right = fs_err::read(first.site_packages().join(&path)).unwrap();
    let mut wrong = right.clone();
    wrong[0] ^= 1;
    fs_err::write(first.site_packages().join(&path), wrong).unwrap();
    install(&second);
    assert_eq!(
        fs_err::read(second.site_packages().join(&path)).unwrap(),
        right
    );
}

#[test]
fn below_a_file_nothing_can_be_installed() {
    let server = index();
    let environment = environment(&server);
    fs_err::write(environment.work().join("file"), "mine").unwrap();
    let run = environment.run(["install", "--target", "file/lib", "base"]);
    assert_eq!(run.code, 1);
    assert!(!run.stderr.contains("recover"), "{}", run.stderr);
    assert!(
        run.stderr.contains("Failed to lock the environment"),
        "{}",
        run.stderr
    );
}

#[cfg(unix)]
#[test]
fn without_a_home_and_with_an_old_locale() {
    let server = index();
    let environment = environment(&server);
    let output = environment
        .command()
        .env_remove("HOME")
        .env_remove("BNBPIP_CACHE_DIR")
        .env("LC_ALL", "C")
        .env("XDG_CACHE_HOME", environment.cache())
        .args(["install", "tool"])
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    assert_eq!(
        last_line(&String::from_utf8_lossy(&output.stdout)),
        "Successfully installed tool-1.0"
    );
}

#[cfg(unix)]
#[test]
fn in_a_working_directory_that_is_gone() {
    let server = index();
    let environment = environment(&server);
    let program = crate::support::PROGRAM;
    let script = format!("mkdir gone && cd gone && rmdir ../gone && exec '{program}' install base");
    let ours = environment.command();
    let mut command = std::process::Command::new("sh");
    command.current_dir(environment.work()).env_clear();
    for (name, value) in ours.get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    let output = command.args(["-c", &script]).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    assert_eq!(environment.installed(), ["base-2.0"]);
}

/// A path of more than 300 characters.
fn long_path() -> PathBuf {
    let mut folder = PathBuf::new();
    while folder.as_os_str().len() < 300 {
        folder.push("a-folder-with-a-long-name");
    }
    folder
}

#[test]
fn into_a_path_of_300_characters() {
    let server = index();
    let environment = environment(&server);
    let folder = long_path();
    let target = folder.to_str().unwrap();
    let run = environment.run(["install", "--target", target, "tool"]);
    if cfg!(windows) && run.code != 0 {
        // Where long paths are off, the setting is named before anything changes.
        assert!(run.stderr.contains("LongPathsEnabled"), "{}", run.stderr);
        let made = listing(&environment.work().join(folder));
        assert!(made.is_empty(), "{made:?}");
        return;
    }
    drop(run.success());
    assert!(environment.work().join(&folder).join("tool.py").exists());
}

#[test]
fn a_new_environment_in_a_path_of_300_characters() {
    let environment = environment(&index());
    let folder = long_path();
    let run = environment.run(["venv", folder.to_str().unwrap()]);
    let made = environment.work().join(&folder);
    if cfg!(windows) && run.code != 0 {
        assert!(run.stderr.contains("LongPathsEnabled"), "{}", run.stderr);
        assert!(!made.exists());
        return;
    }
    drop(run.success());
    assert!(made.join("pyvenv.cfg").exists());
}

/// As Python does, and with it pip.
#[cfg(unix)]
#[test]
fn without_the_folders_that_the_environment_names() {
    let server = index();
    let environment = environment(&server);
    let mut command = environment.command();
    command.args(["install", "tool"]);
    command
        .env("TMPDIR", "/nonexistent")
        .env("HOME", "/etc/passwd");
    let run: bnbpip_testing::Run = command.output().unwrap().into();
    drop(run.success());
    assert_eq!(environment.installed(), ["tool-1.0"]);
}

/// What can't be written is found out before anything is changed.
#[cfg(unix)]
#[test]
fn below_a_limit_on_the_size_of_files() {
    let server = index();
    let wheel = WheelBuilder::new("large", "1.0").file("large/data.bin", vec![7; 3 << 20]);
    server.add(wheel.build());
    let environment = environment(&server);
    drop(environment.run(["install", "base"]).success());
    let before = content(&environment);
    let mut limited = std::process::Command::new("sh");
    let bare = environment.command();
    limited
        .args(["-c", "ulimit -f 1024; exec \"$0\" install large"])
        .arg(bare.get_program())
        .env_clear()
        .envs(
            bare.get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .current_dir(environment.work());
    let run = bnbpip_testing::Run::from(limited.output().unwrap());
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stderr.contains("File too large"), "{}", run.stderr);
    assert_eq!(content(&environment), before);
}

#[test]
fn an_environment_that_lost_its_configuration_for_a_while() {
    let server = index();
    let environment = environment(&server);
    drop(environment.run(["install", "base"]).success());
    let configuration = environment.venv().join("pyvenv.cfg");
    let kept = environment.work().join("kept");
    fs_err::rename(&configuration, &kept).unwrap();
    // Without it the interpreter is the one that the environment was made from.
    let elsewhere = environment.run(["list"]);
    assert!(!elsewhere.stdout.contains("base"), "{}", elsewhere.stdout);
    fs_err::rename(&kept, &configuration).unwrap();
    let listed = environment.run(["list"]).success();
    assert!(listed.stdout.contains("base"), "{}", listed.stdout);
}

#[test]
fn a_report_that_can_not_be_written_changes_nothing() {
    let server = index();
    let environment = environment(&server);
    let place = environment.work().join("taken");
    fs_err::create_dir(&place).unwrap();
    let run = environment.run(["install", "tool", "--report", "taken"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(environment.installed().is_empty());
}

/// A device or a pipe in a file's place would never end.
#[cfg(unix)]
#[test]
fn what_never_ends_is_not_read() {
    let server = index();
    let environment = environment(&server);
    drop(environment.run(["install", "tool"]).success());
    let metadata = environment
        .site_packages()
        .join("tool-1.0.dist-info/METADATA");
    fs_err::remove_file(&metadata).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &metadata).unwrap();
    drop(environment.run(["list"]).success());
    for file in ["-r", "-c"] {
        let run = environment.run(["install", file, "/dev/zero", "top"]);
        assert_eq!(run.code, 1, "{}", run.stderr);
        assert!(
            run.stderr.contains("more than 16777216 bytes"),
            "{}",
            run.stderr
        );
    }
    std::os::unix::fs::symlink("/dev/zero", environment.work().join("pylock.toml")).unwrap();
    let run = environment.run(["sync"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stderr.contains("it has more than"), "{}", run.stderr);
}
