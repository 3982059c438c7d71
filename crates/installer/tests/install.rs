//! What an install leaves on the disk, and what it refuses.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};

use bnbpip_installer::{
    ClobberPolicy, InstallOptions, LinkMode, Progress, TargetMode, Transaction, receipts,
};
use bnbpip_packaging::{ArchiveInfo, DirectUrl, DirectUrlSource, record};
use common::{Bench, TestWheel};
use sha2::{Digest as _, Sha256};

fn read(bench: &Bench, path: &str) -> String {
    fs_err::read_to_string(bench.library().join(path)).unwrap()
}

fn refusal(bench: &Bench, wheel: TestWheel) -> String {
    let before = bench.snapshot();
    let error = bench
        .try_change(InstallOptions::default(), &[wheel], &[])
        .unwrap_err();
    let after = bench.snapshot();
    assert_eq!(before, after, "a refusal changes nothing: {error}");
    error.to_string()
}

#[test]
fn leaves_what_the_recording_specification_asks_for() {
    let bench = Bench::new();
    let wheel = TestWheel::new("Foo_Bar", "1.0")
        .file("foo_bar/__init__.py", "x = 1\n")
        .file("foo_bar/a,b.txt", "")
        .executable("Foo_Bar-1.0.data/scripts/tool", "#!python -s\nprint(1)\n")
        .file("Foo_Bar-1.0.data/scripts/plain.sh", "#!/bin/sh\n")
        .executable("Foo_Bar-1.0.data/scripts/foo", "#!python\nold wrapper\n")
        .file("Foo_Bar-1.0.data/data/share/foo.txt", "data")
        .file("Foo_Bar-1.0.data/headers/foo.h", "header")
        .file("Foo_Bar-1.0.data/platlib/foo_plat.py", "")
        .info_file("INSTALLER", "someone else\n")
        .info_file("direct_url.json", "{}")
        .script("foo");
    let mut request = bench.install_request(&wheel);
    request.direct_url = Some(DirectUrl {
        url: "https://example.org/foo.whl".to_string(),
        source: DirectUrlSource::Archive(ArchiveInfo::from_sha256(&"ab".repeat(32))),
        subdirectory: None,
    });
    let transaction =
        Transaction::begin(&bench.environment, InstallOptions::default(), &()).unwrap();
    transaction.install(request).unwrap();
    let outcome = transaction.commit().unwrap();
    assert_eq!(outcome.warnings, Vec::<String>::new());

    let info = "Foo_Bar-1.0.dist-info";
    assert_eq!(read(&bench, &format!("{info}/INSTALLER")), "bnbpip\n");
    assert_eq!(read(&bench, &format!("{info}/REQUESTED")), "");
    assert_eq!(
        read(&bench, &format!("{info}/direct_url.json")),
        format!(
            "{{\"archive_info\": {{\"hash\": \"sha256={0}\", \"hashes\": {{\"sha256\": \"{0}\"}}}}, \
             \"url\": \"https://example.org/foo.whl\"}}",
            "ab".repeat(32)
        )
    );
    assert_eq!(
        read(&bench, "../../../bin/tool"),
        "#!/fake/bin/python\nprint(1)\n"
    );
    assert_eq!(
        read(&bench, "../../../bin/foo"),
        "#!/fake/bin/python\nimport sys\nfrom os import getcwd\nif __name__ == '__main__':\n    \
         sys.argv[0] = sys.argv[0].removesuffix('.exe')\n    sys.exit(getcwd())\n"
    );
    assert_eq!(read(&bench, "../../../share/foo.txt"), "data");
    assert_eq!(
        read(&bench, "../../../include/site/python3.11/Foo_Bar/foo.h"),
        "header"
    );
    assert!(bench.library().join("foo_plat.py").is_file());

    let text = read(&bench, &format!("{info}/RECORD"));
    let rows = record::parse(&text).unwrap();
    let paths: Vec<&str> = rows.iter().map(|row| row.path.as_str()).collect();
    let mut sorted = paths.clone();
    sorted.sort_unstable();
    assert_eq!(paths, sorted);
    assert!(paths.contains(&"../../../bin/foo") && paths.contains(&"foo_bar/a,b.txt"));
    for row in &rows {
        let file = bench.library().join(&row.path);
        let content = fs_err::read(&file).unwrap();
        if row.path.ends_with("/RECORD") {
            assert_eq!((row.hash.clone(), row.size), (None, None));
        } else {
            assert_eq!(row.size, Some(content.len() as u64), "{}", row.path);
            assert_eq!(
                row.hash,
                Some(record::sha256_field(&Sha256::digest(&content))),
                "{}",
                row.path
            );
        }
    }
    let on_disk = bench
        .snapshot()
        .keys()
        .filter(|path| !path.ends_with('/') && !path.starts_with("receipt "))
        .count();
    // The interpreter and `pyvenv.cfg` are not the wheel's.
    assert_eq!(rows.len(), on_disk - 2);
    let installed = bench.installed("foo-bar").unwrap();
    assert!(installed.requested() && installed.direct_url().unwrap().is_some());
    assert_eq!(installed.installer().as_deref(), Some("bnbpip"));
}

#[cfg(unix)]
#[test]
fn modes_follow_the_archive_and_the_umask() {
    use std::os::unix::fs::PermissionsExt as _;
    let bench = Bench::new();
    bench.install(&[TestWheel::new("foo", "1")
        .executable("foo/run", "x")
        .file("foo/data", "x")
        .file("foo-1.data/scripts/no-bits", "#!/bin/sh\n")
        .script("cmd")]);
    let mode = |path: &str| {
        let metadata = fs_err::metadata(bench.library().join(path)).unwrap();
        metadata.permissions().mode() & 0o777
    };
    let default = mode("foo/data");
    assert_eq!(default & 0o111, 0);
    for path in ["foo/run", "../../../bin/no-bits"] {
        assert_eq!(mode(path), default | 0o111, "{path}");
    }
    assert_eq!(mode("../../../bin/cmd"), default | 0o555);
}

#[test]
fn every_link_mode_gives_the_same_tree() {
    let mut trees = Vec::new();
    for link_mode in [
        LinkMode::Auto,
        LinkMode::Clone,
        LinkMode::Hardlink,
        LinkMode::Copy,
    ] {
        let bench = Bench::new();
        let options = InstallOptions {
            link_mode,
            ..InstallOptions::default()
        };
        let wheel = TestWheel::new("foo", "1")
            .file("foo/a.py", "1")
            .script("foo");
        bench.try_change(options, &[wheel], &[]).unwrap();
        trees.push(bench.snapshot());
    }
    assert!(trees.windows(2).all(|pair| pair[0] == pair[1]));
}

#[derive(Default)]
struct Count(AtomicUsize);

impl Progress for Count {
    fn wheel_staged(&self, _: &bnbpip_packaging::PackageName, _: &bnbpip_packaging::Version) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn many_namespace_packages_install_from_several_threads() {
    let bench = Bench::new();
    let wheels: Vec<TestWheel> = (0..20)
        .map(|number| {
            TestWheel::new(&format!("ns{number}"), "1")
                .file(&format!("nvidia/part{number}/__init__.py"), "")
                .file("nvidia/__init__.py", "")
        })
        .collect();
    let count = Count::default();
    let transaction =
        Transaction::begin(&bench.environment, InstallOptions::default(), &count).unwrap();
    std::thread::scope(|scope| {
        for wheel in &wheels {
            let (transaction, bench) = (&transaction, &bench);
            scope.spawn(move || transaction.install(bench.install_request(wheel)).unwrap());
        }
    });
    transaction.commit().unwrap();
    assert_eq!(count.0.load(Ordering::SeqCst), 20);
    for number in 0..20 {
        assert!(
            bench
                .library()
                .join(format!("nvidia/part{number}/__init__.py"))
                .is_file()
        );
    }
    // One of them goes; what it shares with the others stays.
    bench.uninstall(&["ns3"]);
    assert!(!bench.library().join("nvidia/part3").exists());
    assert!(bench.library().join("nvidia/__init__.py").is_file());
}

#[test]
fn wheels_that_break_the_specification_change_nothing() {
    let bench = Bench::new();
    let plain = || TestWheel::new("foo", "1");
    for (wheel, message) in [
        (plain().file("../evil.py", ""), "not a safe path"),
        (
            plain().file("foo-1.data/scripts/../../../evil", ""),
            "not a safe path",
        ),
        (
            plain().file("foo-1.data/other/x", ""),
            "is not in `purelib`",
        ),
        (plain().file("foo-1.data/loose", ""), "is not in `purelib`"),
        (
            plain().file("bar-1.dist-info/METADATA", ""),
            "multiple .dist-info directories",
        ),
        (
            plain().without("foo-1.dist-info/METADATA"),
            "METADATA` is missing",
        ),
        (
            plain()
                .without("foo-1.dist-info/METADATA")
                .info_file("METADATA", "Name: bar\nVersion: 1\n\n"),
            "says name `bar`",
        ),
        (
            plain()
                .without("foo-1.dist-info/METADATA")
                .info_file("METADATA", "Name: foo\nVersion: 2\n\n"),
            "says version `2`",
        ),
        (
            plain().info_file("WHEEL", "Wheel-Version: 2.0\n"),
            "format 2.0 is newer",
        ),
        (
            plain().info_file("WHEEL", "nothing\n"),
            "Failed to install wheel",
        ),
        (
            plain().info_file("entry_points.txt", "[console_scripts]\n../x = a:b\n"),
            "Failed to install",
        ),
        (
            plain().info_file("entry_points.txt", "[console_scripts]\nx = a\n"),
            "Failed to install",
        ),
        (
            plain()
                .file("a.py", "1")
                .file("foo-1.data/purelib/a.py", "2"),
            "twice",
        ),
    ] {
        let found = refusal(&bench, wheel);
        assert!(found.contains(message), "{found} / {message}");
    }
    let mut wheel = plain().file("a.py", "1");
    wheel.record = Some("a.py,sha256=AAAA,5\nghost.py,,\n".to_string());
    let strict = InstallOptions {
        strict_record: true,
        ..InstallOptions::default()
    };
    let error = bench.try_change(strict, &[wheel.clone()], &[]).unwrap_err();
    assert!(error.to_string().contains("`RECORD` "), "{error}");
    // Without that option it is said, and the RECORD written is right.
    let outcome = bench.install(&[wheel]);
    for problem in ["wrong hash or size for `a.py`", "lists `ghost.py`"] {
        let told = outcome.warnings.iter().any(|told| told.contains(problem));
        assert!(told, "{problem}: {:?}", outcome.warnings);
    }
    let rows = record::parse(&read(&bench, "foo-1.dist-info/RECORD")).unwrap();
    assert!(rows.iter().all(|row| row.path != "ghost.py"));
    let row = rows.iter().find(|row| row.path == "a.py").unwrap();
    assert_eq!(row.hash, Some(record::sha256_field(&Sha256::digest(b"1"))));
}

#[test]
fn a_record_that_disagrees_a_thousand_times_is_told_briefly() {
    let bench = Bench::new();
    let mut wheel = TestWheel::new("foo", "1").file("a.py", "1");
    let ghosts: Vec<String> = (0..1000)
        .map(|number| format!("{}{number},,\n", "x".repeat(1000)))
        .collect();
    wheel.record = Some(ghosts.concat());
    let warnings = bench.install(&[wheel]).warnings;
    assert_eq!(warnings.len(), 6);
    assert!(
        warnings[5].ends_with("disagree 998 times more"),
        "{warnings:?}"
    );
    assert!(warnings.iter().all(|warning| warning.len() < 400));
}

#[test]
fn only_scripts_that_are_read_whole_have_a_largest_size() {
    let bench = Bench::new();
    let large = |start: &str| {
        let content = format!("{start}\n{}", "x".repeat(33 << 20));
        TestWheel::new("foo", "1").file("foo-1.data/scripts/run", &content)
    };
    let found = refusal(&bench, large("#!python"));
    assert!(
        found.ends_with("scripts/run` is larger than 32 MiB"),
        "{found}"
    );
    bench.install(&[large("#!/bin/sh")]);
}

#[test]
fn the_environments_own_files_are_not_a_wheels() {
    let bench = Bench::new();
    let before = bench.snapshot();
    let library = "lib/python3.11/site-packages";
    for path in [
        "scripts/activate",
        "scripts/Activate.ps1",
        "data/pyvenv.cfg",
        "data/bin/python",
        "data/lib64",
        "data/lib/python3.11/os.py",
        "data/lib/python3.11/lib-dynload/x.so",
        "data/.bnbpip/lock",
        "data/.bnbpip/receipts/0001.json",
        "purelib/../../os.py",
    ] {
        let wheel = TestWheel::new("foo", "1").file(&format!("foo-1.data/{path}"), "");
        let found = refusal(&bench, wheel);
        let is_refused = ["environment itself needs", "not a safe path"];
        assert!(is_refused.iter().any(|it| found.contains(it)), "{found}");
    }
    let found = refusal(&bench, TestWheel::new("foo", "1").script("python3"));
    assert!(found.contains("environment itself needs"), "{found}");
    assert_eq!(bench.snapshot(), before);
    // Files for packages may come from anywhere in a wheel.
    let path = format!("foo-1.data/data/{library}/far.pth");
    bench.install(&[TestWheel::new("foo", "1").file(&path, "")]);
    assert!(bench.library().join("far.pth").is_file());
}

#[test]
fn a_bad_wheel_among_good_ones_keeps_the_old_versions() {
    let bench = Bench::new();
    bench.install(&[TestWheel::new("good", "1").file("good.py", "1")]);
    let before = bench.snapshot();
    let result = bench.try_change(
        InstallOptions::default(),
        &[
            TestWheel::new("good", "2").file("good.py", "2"),
            TestWheel::new("bad", "1").script("python"),
        ],
        &[],
    );
    assert!(result.is_err());
    assert_eq!(bench.snapshot(), before);
}

#[test]
fn other_packages_files_are_not_overwritten() {
    let bench = Bench::new();
    bench.install(&[TestWheel::new("a", "1")
        .file("shared.py", "a")
        .file("same.py", "same")
        .file("tests/test_it.py", "a")
        .file(
            "ns/__init__.py",
            "# a\n__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n",
        )]);
    let clash = || TestWheel::new("b", "1").file("shared.py", "b");
    let message = refusal(&bench, clash());
    assert!(
        message.contains("shared.py") && message.contains("belongs to `a`"),
        "{message}"
    );
    let harmless = TestWheel::new("b", "1")
        .file("same.py", "same")
        .file("tests/test_it.py", "b")
        .file(
            "ns/__init__.py",
            "__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n",
        );
    let outcome = bench.install(&[harmless]);
    assert_eq!(outcome.warnings.len(), 2, "{:?}", outcome.warnings);
    let report = InstallOptions {
        clobber: ClobberPolicy::Report,
        ..InstallOptions::default()
    };
    let outcome = bench.try_change(report, &[clash()], &[]).unwrap();
    assert!(
        outcome.warnings[0].contains("belongs to `a` too"),
        "{:?}",
        outcome.warnings
    );
    assert_eq!(read(&bench, "shared.py"), "b");
    // Two wheels of one transaction clash too.
    let bench = Bench::new();
    let result = bench.try_change(
        InstallOptions::default(),
        &[
            TestWheel::new("a", "1").file("p/x.py", "a"),
            TestWheel::new("b", "1").file("p/x.py", "b"),
        ],
        &[],
    );
    assert!(result.unwrap_err().to_string().contains("belongs to `a`"));
    assert!(!bench.library().join("p").exists());
}

#[test]
fn files_of_nobody_are_replaced_and_told() {
    let bench = Bench::new();
    fs_err::write(bench.library().join("left.py"), "left over").unwrap();
    let outcome = bench.install(&[TestWheel::new("a", "1").file("left.py", "new")]);
    assert!(outcome.warnings[0].contains("belongs to no package"));
    assert_eq!(read(&bench, "left.py"), "new");
    fs_err::create_dir(bench.library().join("folder")).unwrap();
    fs_err::write(bench.library().join("folder/mine"), "").unwrap();
    let message = refusal(&bench, TestWheel::new("b", "1").file("folder", "a file"));
    assert!(message.contains("in the way"), "{message}");
}

#[test]
fn an_older_version_beside_it_is_replaced_unasked() {
    let bench = Bench::new();
    bench.install(&[TestWheel::new("a", "1").file("old.py", "")]);
    // Without a RECORD only the record folder can go.
    let bare = bench.library().join("b-0.dist-info");
    fs_err::create_dir(&bare).unwrap();
    fs_err::write(bare.join("METADATA"), "Name: b\nVersion: 0\n\n").unwrap();
    let transaction =
        Transaction::begin(&bench.environment, InstallOptions::default(), &()).unwrap();
    for wheel in [TestWheel::new("a", "2"), TestWheel::new("b", "1")] {
        let mut request = bench.install_request(&wheel);
        request.replaces.clear();
        transaction.install(request).unwrap();
    }
    transaction.commit().unwrap();
    assert!(!bench.library().join("old.py").exists());
    assert!(!bench.library().join("a-1.dist-info").exists());
    assert!(!bare.exists() && bench.library().join("b-1.dist-info").exists());
}

#[test]
fn receipts_say_what_changed() {
    let bench = Bench::new();
    bench.install(&[TestWheel::new("a", "1"), TestWheel::new("b", "1")]);
    bench
        .try_change(
            InstallOptions::default(),
            &[TestWheel::new("a", "2")],
            &["b"],
        )
        .unwrap();
    let all = receipts(&bench.environment).unwrap();
    assert_eq!(
        all.iter().map(|receipt| receipt.number).collect::<Vec<_>>(),
        [1, 2]
    );
    let names = |entries: &[bnbpip_installer::ReceiptEntry]| {
        entries
            .iter()
            .map(|e| format!("{} {}", e.name, e.version))
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&all[1].removed), ["a 1", "b 1"]);
    assert_eq!(names(&all[1].installed), ["a 2"]);
    assert_eq!(
        all[1].installed[0].sha256.as_deref(),
        Some("ab".repeat(32).as_str())
    );
    assert_eq!(all[1].removed[0].installer.as_deref(), Some("bnbpip"));
}

#[test]
fn target_folders_keep_what_is_there_unless_upgrading() {
    let mut bench = Bench::new();
    let target = bench.library();
    bench.environment.scheme.scripts = target.join("bin");
    bench.environment.scheme.data = target.clone();
    let wheel = |version: &str| {
        TestWheel::new("a", version)
            .file("a/__init__.py", version)
            .file(&format!("a/only{version}.py"), "")
            .script("a-cmd")
    };
    let mode = |upgrade| InstallOptions {
        target_mode: Some(TargetMode { upgrade }),
        ..InstallOptions::default()
    };
    let first = bench.try_change(mode(false), &[wheel("1")], &[]).unwrap();
    assert_eq!(first.warnings, Vec::<String>::new());
    let mut request = bench.install_request(&wheel("2"));
    request.replaces.clear();
    let transaction = Transaction::begin(&bench.environment, mode(false), &()).unwrap();
    transaction.install(request).unwrap();
    let second = transaction.commit().unwrap();
    assert_eq!(
        second.warnings,
        ["a", "bin"].map(|item| format!(
            "Target directory {} already exists. Specify --upgrade to force replacement.",
            fs_err::canonicalize(&target).unwrap().join(item).display()
        ))
    );
    assert_eq!(read(&bench, "a/__init__.py"), "1");
    fs_err::remove_dir_all(target.join("a-2.dist-info")).unwrap();
    bench.try_change(mode(true), &[wheel("3")], &[]).unwrap();
    assert_eq!(read(&bench, "a/__init__.py"), "3");
    assert!(!target.join("a/only1.py").exists() && !target.join("a-1.dist-info").exists());
}

#[test]
fn windows_scripts_are_launchers() {
    let mut bench = Bench::new();
    bench.environment.interpreter.is_windows = true;
    bench.environment.interpreter.sys_executable = "C:\\my env\\python.exe".into();
    let wheel = || {
        TestWheel::new("a", "1")
            .script("run")
            .file("a-1.data/scripts/x.py", "#!python\n")
    };
    // On Windows itself nobody can have unpacked it.
    if cfg!(not(windows)) {
        assert!(refusal(&bench, wheel().file("aux/x.py", "")).contains("device"));
    }
    bench.install(&[wheel()]);
    let exe = fs_err::read(bench.prefix().join("bin/run.exe")).unwrap();
    let line = b"#!\"C:\\my env\\python.exe\"\r\nPK";
    let found = exe.windows(line.len()).any(|window| window == line);
    assert!(exe.starts_with(b"MZ") && found);
    assert!(read(&bench, "a-1.dist-info/RECORD").contains("../../../bin/run.exe,sha256="));
    bench.uninstall(&["a"]);
    assert!(!bench.prefix().join("bin/run.exe").exists());
}

#[test]
fn a_dropped_transaction_leaves_nothing() {
    let bench = Bench::new();
    bench.install(&[]);
    let before = bench.snapshot();
    let transaction =
        Transaction::begin(&bench.environment, InstallOptions::default(), &()).unwrap();
    transaction
        .install(bench.install_request(&TestWheel::new("a", "1").file("a.py", "")))
        .unwrap();
    assert_ne!(bench.snapshot(), before);
    drop(transaction);
    assert_eq!(bench.snapshot(), before);
}

#[test]
fn a_missing_store_file_is_named() {
    let bench = Bench::new();
    let request = bench.install_request(&TestWheel::new("a", "1").file("a.py", "x"));
    fs_err::remove_file(request.wheel.root.join("a.py")).unwrap();
    let transaction =
        Transaction::begin(&bench.environment, InstallOptions::default(), &()).unwrap();
    let error = transaction.install(request).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Failed to prepare wheel `a-1-py3-none-any.whl`"
    );
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("a.py"), "{cause}");
}

#[test]
fn linked_folders_of_the_environment_are_followed() {
    #[cfg(unix)]
    {
        let mut bench = Bench::new();
        std::os::unix::fs::symlink("lib", bench.prefix().join("lib64")).unwrap();
        bench.install(&[TestWheel::new("a", "1").file("a.py", "1")]);
        bench.environment.scheme.platlib = bench.prefix().join("lib64/python3.11/site-packages");
        let mut plat = TestWheel::new("a", "2")
            .file("a.py", "2")
            .file("a-2.data/data/lib64/extra/x", "");
        plat.root_is_purelib = false;
        bench.install(&[plat]);
        assert_eq!(read(&bench, "a.py"), "2");
        assert!(bench.prefix().join("lib64").is_symlink());
        assert!(bench.prefix().join("lib/extra/x").is_file());
        // One that leads out of the environment is not.
        std::os::unix::fs::symlink(bench.store(), bench.prefix().join("out")).unwrap();
        let wheel = TestWheel::new("b", "1").file("b-1.data/data/out/deep/x", "");
        assert!(refusal(&bench, wheel).contains("in the way"));
    }
}
