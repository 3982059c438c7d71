//! Disks that fill up: a small file system of the test's own, in a mount namespace that ends with
//! the run.

use std::path::PathBuf;
use std::process::Command;

use bnbpip_testing::{IndexServer, Run, TestEnvironment, WheelBuilder};

use crate::support::{PROGRAM, environment, skipped};

/// Wheels of some hundred kilobytes, in two versions, in many files.
fn large() -> IndexServer {
    let wheel = |version: &str| {
        let mut wheel = WheelBuilder::new("large", version).requires("small");
        for number in 0..30_u32 {
            let noise: Vec<u8> = (0..8_000_u32)
                .map(|at| (at * 31 + number).wrapping_mul(2_654_435_761).to_be_bytes()[0])
                .collect();
            wheel = wheel.file(&format!("large/data_{number}.bin"), noise);
        }
        wheel.file("large/__init__.py", format!("version = '{version}'\n"))
    };
    IndexServer::with([
        wheel("1.0").build(),
        wheel("2.0").build(),
        WheelBuilder::new("small", "1.0").build(),
        WheelBuilder::new("small", "2.0").build(),
    ])
}

/// Runs the program with `folder` on a file system of its own with so many kilobytes free beside
/// what the folder holds; afterwards the folder is what it was there. Nothing where no file
/// system can be mounted.
fn with_room(
    environment: &TestEnvironment,
    folder: &str,
    free_kilobytes: u64,
    arguments: &[&str],
) -> Option<Run> {
    let script = "set -e
        mkdir full
        used=$(du -sk \"$1\" | cut -f1)
        mount -t tmpfs -o size=$((used + used / 20 + $2))k none full || exit 77
        cp -a \"$1/.\" full/
        mount --bind full \"$1\"
        folder=$1; shift 2
        set +e
        (cd work && exec \"$@\")
        code=$?
        cp -a \"$folder/.\" after/ || exit 78
        umount \"$folder\" full
        exit $code";
    let after = environment.root().join("after");
    drop(fs_err::remove_dir_all(environment.root().join("full")));
    fs_err::create_dir(&after).unwrap();
    let ours = environment.command();
    let mut command = Command::new("unshare");
    command
        .args([
            "--user",
            "--map-root-user",
            "--mount",
            "sh",
            "-c",
            script,
            "sh",
        ])
        .args([folder, &free_kilobytes.to_string(), PROGRAM])
        .args(arguments)
        .env_clear()
        .envs(ours.get_envs().filter_map(|(name, to)| Some((name, to?))))
        .current_dir(environment.root());
    let output = match command.output() {
        Ok(output) => output,
        Err(error) => {
            skipped(&format!("`unshare` can't be had: {error}"));
            return None;
        }
    };
    let run = Run::from(output);
    if run.code == 77 || run.stderr.starts_with("unshare: ") {
        skipped(&format!("no file system can be mounted: {}", run.stderr));
        return None;
    }
    assert_ne!(run.code, 78, "{}", run.stderr);
    let folder: PathBuf = environment.root().join(folder);
    fs_err::remove_dir_all(&folder).unwrap();
    fs_err::rename(&after, &folder).unwrap();
    Some(run)
}

fn assert_full(run: &Run, free_kilobytes: u64) {
    let what = format!("{free_kilobytes} kB free:\n{}", run.stderr);
    assert_eq!(run.code, 1, "{what}");
    assert!(run.stderr.contains("hint: "), "{what}");
    let said = run.stderr.to_lowercase();
    assert!(said.contains("space") || said.contains("full"), "{what}");
    let bytes = ["bytes", " B", " kB", " MB"];
    assert!(bytes.iter().any(|unit| run.stderr.contains(unit)), "{what}");
}

/// Whatever room there is, an upgrade happens or doesn't.
#[test]
fn under_the_environment() {
    let server = large();
    let environment = environment(&server);
    let first = ["install", "--no-compile", "large==1.0", "small==1.0"];
    drop(environment.run(first).success());
    let (mut refused, mut done) = (0, 0);
    for free in [0, 4, 24, 64, 120, 200, 250, 280, 320, 400, 900, 3000] {
        let before = environment.fingerprint();
        let upgrade = [
            "install",
            "--no-compile",
            "--link-mode=copy",
            "-U",
            "large",
            "small",
        ];
        let Some(run) = with_room(&environment, "venv", free, &upgrade) else {
            return;
        };
        if run.code == 0 {
            assert_eq!(environment.installed(), ["large-2.0", "small-2.0"]);
            let code = "import large; print(large.version)";
            assert_eq!(environment.python(code).success().stdout.trim(), "2.0");
            drop(environment.run(first).success());
            done += 1;
        } else {
            assert_full(&run, free);
            assert_eq!(environment.fingerprint(), before, "{free}: {}", run.stderr);
            refused += 1;
        }
    }
    assert!(refused >= 4 && done >= 1, "{refused} refused, {done} done");
}

/// The cache's disk is full: nothing is installed, and what arrived is no harm to the next run.
#[test]
fn under_the_cache() {
    let server = large();
    let environment = environment(&server);
    let before = environment.fingerprint();
    drop(environment.run(["cache", "dir"]).success());
    let arguments = ["install", "--no-compile", "large"];
    let mut refused = 0;
    for free in [4, 40, 120, 260, 400] {
        let Some(run) = with_room(&environment, "cache", free, &arguments) else {
            return;
        };
        if run.code != 0 {
            assert_full(&run, free);
            assert_eq!(environment.fingerprint(), before, "{free}: {}", run.stderr);
            refused += 1;
        }
    }
    assert!(refused >= 3, "{refused}");
    drop(environment.run(arguments).success());
    assert_eq!(environment.installed(), ["large-2.0", "small-2.0"]);
}

/// A file system that is mounted for reading alone.
#[test]
fn mounted_for_reading() {
    let server = large();
    let environment = environment(&server);
    drop(environment.run(["install", "small==1.0"]).success());
    let before = environment.fingerprint();
    let script = "mount --bind \"$1\" \"$1\" && mount -o remount,bind,ro \"$1\" || exit 77
        shift; exec \"$@\"";
    let (install, uninstall) = (["install", "-U", "small"], ["uninstall", "-y", "small"]);
    let (whole, library) = (environment.venv(), environment.site_packages());
    // A folder that is mounted on its own is another volume to renames.
    for (arguments, folder, cause) in [
        (&install, &whole, "Read-only file system"),
        (&uninstall, &whole, "Read-only file system"),
        (&install, &library, "cross-device link"),
        (&uninstall, &library, "cross-device link"),
    ] {
        let ours = environment.command();
        let mut command = Command::new("unshare");
        command
            .args([
                "--user",
                "--map-root-user",
                "--mount",
                "sh",
                "-c",
                script,
                "sh",
            ])
            .args([folder.clone(), PROGRAM.into()])
            .args(arguments)
            .env_clear()
            .envs(ours.get_envs().filter_map(|(name, to)| Some((name, to?))))
            .current_dir(environment.work());
        let run = match command.output() {
            Ok(output) => Run::from(output),
            Err(error) => return skipped(&format!("`unshare` can't be had: {error}")),
        };
        if run.code == 77 || run.stderr.starts_with("unshare: ") {
            return skipped(&format!("nothing can be mounted: {}", run.stderr));
        }
        assert_eq!(run.code, 1, "{}", run.stderr);
        assert!(run.stderr.contains(cause), "{}", run.stderr);
        assert!(run.stderr.contains("hint: "), "{}", run.stderr);
        assert_eq!(environment.fingerprint(), before);
    }
    assert_eq!(environment.python("import small").success().code, 0);
}
