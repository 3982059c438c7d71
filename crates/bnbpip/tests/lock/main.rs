//! `lock` and `sync` from end to end: the program, an index in this process, and environments that
//! are thrown away.

#![expect(clippy::unwrap_used, reason = "what fails here is the test's failure")]

mod accelerators;
mod audit;
mod bad_locks;
mod bundle;
mod installing;
mod rules_on_edges;
mod sources;
mod tools;

use std::process::Command;

use bnbpip_testing::{HostedFile, IndexServer, TestEnvironment, WheelBuilder};

const PROGRAM: &str = env!("CARGO_BIN_EXE_bnbpip");

pub(crate) fn index() -> IndexServer {
    let wheels = [
        WheelBuilder::new("base", "1.0"),
        WheelBuilder::new("base", "2.0"),
        WheelBuilder::new("native", "1.0"),
        WheelBuilder::new("native", "2.0").tag("py3-none-win_amd64"),
        WheelBuilder::new("top", "1.0")
            .requires("base")
            .requires("only-windows; sys_platform == 'win32'"),
        WheelBuilder::new("only-windows", "1.0"),
        WheelBuilder::new("leaf", "1.0"),
        WheelBuilder::new("other-leaf", "1.0"),
    ];
    IndexServer::with(wheels.iter().map(WheelBuilder::build))
}

/// The system that the tests run on, as `--environment` has it.
pub(crate) const HERE: &str = if cfg!(windows) { "windows" } else { "linux" };

/// The packages installed, less what Windows alone is given.
pub(crate) fn installed_anywhere(environment: &TestEnvironment) -> Vec<String> {
    let mut installed = environment.installed();
    if cfg!(windows) {
        installed.retain(|name| !name.starts_with("only_windows-"));
    }
    installed
}

/// An index with what one system alone is given, which isn't the one that the tests run on.
pub(crate) fn index_of_elsewhere() -> IndexServer {
    let other = if cfg!(windows) { "linux" } else { "win32" };
    let wheels = [
        WheelBuilder::new("base", "2.0"),
        WheelBuilder::new("top", "1.0")
            .requires("base")
            .requires(&format!("elsewhere; sys_platform == '{other}'")),
        WheelBuilder::new("elsewhere", "1.0"),
        WheelBuilder::new("leaf", "1.0"),
    ];
    IndexServer::with(wheels.iter().map(WheelBuilder::build))
}

pub(crate) fn environment(server: &IndexServer) -> TestEnvironment {
    TestEnvironment::new(PROGRAM).with_index(server)
}

pub(crate) fn lock(environment: &TestEnvironment, arguments: &[&str]) -> String {
    drop(environment.run([&["lock"], arguments].concat()).success());
    read(environment)
}

pub(crate) fn read(environment: &TestEnvironment) -> String {
    fs_err::read_to_string(environment.work().join("pylock.toml")).unwrap()
}

#[test]
fn windows_and_linux_stand_in_one_file_and_sync_installs_it() {
    let server = index();
    let environment = environment(&server);
    let text = lock(&environment, &["top", "native"]);
    let entry = |name: &str| {
        let entries = text.split("[[packages]]").skip(1);
        let mut found = entries.filter(|it| it.contains(&format!("name = \"{name}\"\nversion")));
        found.next().unwrap().to_string()
    };
    assert!(entry("only-windows").contains("marker = \"sys_platform == 'win32'"));
    assert!(!entry("top").contains("marker = "));
    assert!(entry("base").contains("index = \"") && entry("base").contains("sha256 = \""));
    assert!(entry("base").contains("size = "));
    // Windows has a newer one, and is given what both can have.
    assert_eq!(text.matches("name = \"native\"\n").count(), 1);
    let differing = [
        "lock",
        "-o",
        "-",
        "native==2; sys_platform == 'win32'",
        "native==1; sys_platform != 'win32'",
    ];
    let run = environment.run(differing).success();
    assert_eq!(
        run.stdout.matches("name = \"native\"\n").count(),
        2,
        "{}",
        run.stdout
    );
    drop(environment.run(["install", "leaf", "base==1.0"]).success());
    let shown = environment.run(["sync", "--dry-run"]).success();
    assert_eq!(environment.installed(), ["base-1.0", "leaf-1.0"]);
    let run = environment.run(["sync"]).success();
    for said in ["leaf-1.0", "base-2.0 native-"] {
        assert!(
            run.stdout.contains(said) && shown.stdout.contains(said),
            "{}",
            run.stdout
        );
    }
    let installed = environment.installed();
    assert!(installed.contains(&"base-2.0".into()) && !installed.contains(&"leaf-1.0".into()));
    server.forget_requests();
    let run = environment.run(["sync"]).success();
    assert_eq!(run.stdout, "The environment is as the lock says\n");
    assert_eq!(server.requests().len(), 0);
    drop(environment.run(["install", "leaf"]).success());
    drop(environment.run(["sync", "--inexact"]).success());
    assert!(environment.installed().contains(&"leaf-1.0".into()));
}

#[test]
fn order_and_repetition_change_nothing() {
    let server = index();
    let environment = environment(&server);
    let first = lock(&environment, &["top", "native", "leaf"]);
    assert_eq!(lock(&environment, &["leaf", "top", "native"]), first);
    fs_err::remove_file(environment.work().join("pylock.toml")).unwrap();
    let order = [
        "native",
        "leaf",
        "top",
        "--environment",
        "windows",
        "--environment",
        "linux",
    ];
    assert_eq!(lock(&environment, &order), first);
}

#[test]
fn a_marker_stands_for_all_environments_that_it_holds_in() {
    let server = index();
    let environment = environment(&server);
    let marker = "sys_platform == 'win32' and python_version >= '3.11' and python_version < '3.13'";
    let text = lock(&environment, &["top", "--environment", marker]);
    let environments: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("    \"sys_platform"))
        .collect();
    let expected = ["3.11", "3.12"].map(|python| {
        format!(
            "    \"sys_platform == 'win32' and platform_machine == 'AMD64' and python_version == \
             '{python}'\","
        )
    });
    assert_eq!(environments, expected);
    let marker = "platform_machine == 'arm64' or platform_machine == 'aarch64'";
    let text = lock(&environment, &["base", "--environment", marker]);
    assert_eq!(text.matches("    \"sys_platform == ").count(), 2, "{text}");
    let run = environment.run(["lock", "base", "--environment", "os_name == 'amiga'"]);
    assert!(
        run.stderr
            .contains("ERROR: Failed to read environment `os_name == 'amiga'`\n"),
        "{}",
        run.stderr
    );
}

/// Linux is solved first and could have the newer one; Windows can't.
#[test]
fn versions_differ_only_where_they_must_whichever_is_solved_first() {
    let wheels = [
        WheelBuilder::new("native", "1.0"),
        WheelBuilder::new("native", "2.0").tag("py3-none-manylinux_2_17_x86_64"),
        WheelBuilder::new("apart", "1.0").tag("py3-none-win_amd64"),
        WheelBuilder::new("apart", "2.0").tag("py3-none-manylinux_2_17_x86_64"),
    ];
    let server = IndexServer::with(wheels.iter().map(WheelBuilder::build));
    let environment = environment(&server);
    let text = lock(&environment, &["native", "apart"]);
    assert_eq!(text.matches("name = \"native\"\n").count(), 1, "{text}");
    assert!(text.contains("marker = \"sys_platform == 'linux'\"\n"));
    assert!(text.contains("marker = \"sys_platform == 'win32'\"\n"));
    let text = lock(&environment, &["native", "--environment", "linux", "-U"]);
    assert!(text.contains("version = \"2.0\""));
}

#[test]
fn what_a_lock_was_made_from_stands_in_it_and_is_checked() {
    let server = index();
    server.configure(|options| options.sizes = false);
    server.add(
        HostedFile::from(WheelBuilder::new("attested", "1.0").build())
            .uploaded("2024-01-02T03:04:05Z")
            .attested(serde_json::json!({
                "kind": "GitHub",
                "claims": null,
                "repository": "o/attested",
                "workflow": "release.yml",
            })),
    );
    let environment = environment(&server);
    let arguments = ["attested", "--exclude-newer", "P7D"];
    let text = lock(&environment, &arguments);
    let identity =
        "{ kind = \"GitHub\", repository = \"o/attested\", workflow = \"release.yml\" },";
    assert!(text.contains(identity), "{text}");
    // The page has no sizes.
    assert!(text.contains("upload-time = 2024-01-02T03:04:05Z, size = "));
    assert!(text.contains("exclude-newer = \"P7D\""));
    let host = server.simple_url();
    assert!(
        text.contains(&format!("indexes = [\n    \"{host}\",\n]\n")),
        "{text}"
    );
    server.forget_requests();
    assert_eq!(lock(&environment, &arguments), text);
    assert_eq!(server.requests_for("/integrity/").len(), 0);
    assert_eq!(server.requests_for("/files/").len(), 0);
    let run = environment.run(["lock", "--check", "attested"]);
    assert_eq!(run.stdout, "time limit: nothing, locked with `P7D`\n");
    let check = [
        "lock",
        "--check",
        "--online",
        "--exclude-newer",
        "P7D",
        "attested",
    ];
    drop(environment.run(check).success());
    server.add(
        HostedFile::from(
            WheelBuilder::new("attested", "1.0")
                .file("more.py", "")
                .build(),
        )
        .uploaded("2024-01-02T03:04:05Z"),
    );
    fs_err::remove_dir_all(environment.cache()).unwrap();
    let run = environment.run(check);
    assert_eq!(run.code, 1, "{}", run.stderr);
    let diff = "  attested 1.0\n  ! publisher: GitHub o/attested, release.yml → none\n  ! \
                attested-1.0-py3-none-any.whl is another file\n";
    assert_eq!(run.stdout, diff);
}

#[test]
fn the_old_lock_is_kept_to_until_an_upgrade() {
    let server = index();
    let environment = environment(&server);
    let old = lock(&environment, &["base<2"]);
    assert!(old.contains("version = \"1.0\""));
    assert!(lock(&environment, &["base"]).contains("version = \"1.0\""));
    assert!(lock(&environment, &["base", "-P", "base"]).contains("version = \"2.0\""));
    drop(lock(&environment, &["base<2"]));
    assert!(lock(&environment, &["base", "--upgrade"]).contains("version = \"2.0\""));
    let back = lock(&environment, &["base", "-P", "base==1.0"]);
    assert!(back.contains("version = \"1.0\""), "{back}");
    // What is named is meant, and nothing else will do.
    let run = environment.run(["lock", "base", "-P", "base==3"]);
    assert_eq!(run.code, 1);
    assert!(
        run.stderr.contains("base==3") && run.stderr.contains("--upgrade-package"),
        "{}",
        run.stderr
    );
    let run = environment.run(["lock", "base", "-P", "base[x]"]);
    let said = "ERROR: Failed to read `--upgrade-package base[x]`\n";
    assert!(run.stderr.contains(said), "{}", run.stderr);
    assert_eq!(read(&environment), back);
}

#[test]
fn keys_of_a_later_version_are_told_and_left_out_of_account() {
    let server = index();
    let environment = environment(&server);
    let text = lock(&environment, &["base"]);
    let later = text.replacen("\"1.0\"", "\"1.7\"", 1);
    let later = later.replace("name = \"base\"\n", "name = \"base\"\nbuilds = \"many\"\n");
    fs_err::write(environment.work().join("pylock.toml"), later).unwrap();
    let run = environment.run(["sync"]).success();
    let said = "is of a later version of the format than bnbpip knows: no attention is paid to \
                `builds`\n";
    assert_eq!(run.stderr.matches(said).count(), 1, "{}", run.stderr);
    assert_eq!(environment.installed(), ["base-2.0"]);
}

#[test]
fn an_added_leaf_is_one_hunk_and_two_branches_merge() {
    let server = index();
    let environment = environment(&server);
    let base = lock(&environment, &["top", "native"]);
    let ours = lock(&environment, &["top", "native", "leaf"]);
    let both = lock(&environment, &["top", "native", "leaf", "other-leaf"]);
    fs_err::write(environment.work().join("pylock.toml"), &base).unwrap();
    let theirs = lock(&environment, &["top", "native", "other-leaf"]);
    for (name, text) in [("base", &base), ("ours", &ours), ("theirs", &theirs)] {
        fs_err::write(environment.work().join(name), text).unwrap();
    }
    let git = |arguments: &[&str]| {
        let run = Command::new("git")
            .args(arguments)
            .current_dir(environment.work())
            .output();
        String::from_utf8(run.unwrap().stdout).unwrap()
    };
    let diff = git(&["diff", "--no-index", "-U0", "base", "ours"]);
    assert_eq!(
        diff.lines().filter(|line| line.starts_with("@@")).count(),
        1,
        "{diff}"
    );
    let removed = |line: &&str| line.starts_with('-') && !line.starts_with("---");
    assert_eq!(diff.lines().filter(removed).count(), 0, "{diff}");
    assert_eq!(git(&["merge-file", "-p", "ours", "base", "theirs"]), both);
}

#[test]
fn what_cannot_be_used_is_refused_before_anything_is_touched() {
    let server = index();
    let environment = environment(&server);
    let good = lock(&environment, &["base"]);
    let path = environment.work().join("pylock.toml");
    let before = environment.installed();
    let refused = |text: &str, arguments: &[&str], said: &str| {
        fs_err::write(&path, text).unwrap();
        let run = environment.run([&["sync"], arguments].concat());
        assert_eq!(run.code, 1, "{}", run.stderr);
        assert!(run.stderr.contains(said), "{}", run.stderr);
        assert_eq!(environment.installed(), before);
    };
    refused(
        &good,
        &["--extra", "nope"],
        "ERROR: Failed to use the lock: it has no extra `nope`",
    );
    refused(
        &good,
        &["--group", "nope"],
        "it has no dependency group `nope`",
    );
    let elsewhere = good
        .replace("'linux'", "'plan9'")
        .replace("'win32'", "'plan9'");
    refused(&elsewhere, &[], "it has no environment for");
    refused(&good[..good.len() / 2], &[], "Failed to read the lock `");
    let start = good.find("sha256 = \"").unwrap() + 10;
    let mut other = good.clone();
    other.replace_range(start..start + 64, &"0".repeat(64));
    refused(&other, &[], "base");
    refused(
        &good.replace("requires-python = \">=3.", "requires-python = \">=4."),
        &[],
        "Failed to use the lock: it is for Python >=4.",
    );
}

#[test]
fn a_size_that_differs_is_refused_though_the_hash_fits() {
    let server = index();
    let environment = environment(&server);
    let good = lock(&environment, &["base"]);
    let place = good.find("size = ").unwrap() + 7;
    let length = good[place..].find(',').unwrap();
    let actual: u64 = good[place..place + length].parse().unwrap();
    let path = environment.work().join("pylock.toml");
    // First from the index, then from the cache.
    for size in [actual + 1, actual - 1, actual, actual + 1] {
        let mut text = good.clone();
        text.replace_range(place..place + length, &size.to_string());
        fs_err::write(&path, text).unwrap();
        let run = environment.run(["sync"]);
        if size == actual {
            drop(run.success());
            drop(environment.run(["uninstall", "-y", "base"]).success());
            continue;
        }
        assert_eq!(run.code, 1, "{}", run.stderr);
        let said = format!(
            "Failed to use `base-2.0-py3-none-any.whl`: it has {actual} bytes, and the lock says {size}"
        );
        assert!(run.stderr.contains(&said), "{}", run.stderr);
        assert!(environment.installed().is_empty());
    }
}

#[test]
fn the_python_that_is_needed_is_written_down() {
    let wheels = [
        WheelBuilder::new("base", "1.0").requires_python(">=3.7"),
        WheelBuilder::new("any", "1.0"),
    ];
    let server = IndexServer::with(wheels.iter().map(WheelBuilder::build));
    let environment = environment(&server);
    let names = ["linux-3.12", "windows-3.11"];
    let text = lock(
        &environment,
        &[
            "base",
            "any",
            "--environment",
            names[0],
            "--environment",
            names[1],
        ],
    );
    let (top, packages) = text.split_once("[[packages]]").unwrap();
    assert!(top.contains("requires-python = \">=3.11\"\n"), "{top}");
    assert_eq!(packages.matches("requires-python = \">=3.7\"\n").count(), 1);
}

#[test]
fn an_environment_that_is_not_known_or_has_no_solution_is_named() {
    let server = index();
    let environment = environment(&server);
    let run = environment.run(["lock", "base", "--environment", "amiga"]);
    assert!(
        run.stderr.contains("Failed to read environment `amiga`"),
        "{}",
        run.stderr
    );
    let run = environment.run(["lock", "native==2.0"]);
    assert!(
        run.stderr.contains("Failed to lock for CPython"),
        "{}",
        run.stderr
    );
    assert!(!environment.work().join("pylock.toml").exists());
}

pub(crate) const PROJECT: &str = "\
[project]
name = 'app'
requires-python = '>=3.8'
dependencies = ['base']

[project.optional-dependencies]
Extra_One = ['top', 'native']
all = ['app[extra-one]', 'leaf']

[dependency-groups]
test = ['leaf']
dev = [{ include-group = 'test' }, 'other-leaf']
";

#[test]
fn a_project_is_locked_with_its_extras_and_groups() {
    let server = index();
    let environment = environment(&server);
    let work = environment.work();
    fs_err::write(work.join("pyproject.toml"), PROJECT).unwrap();
    let text = lock(&environment, &[]);
    assert!(text.contains("extras = [\n    \"all\",\n    \"extra-one\",\n]\n"));
    assert!(text.contains("dependency-groups = [\n    \"dev\",\n    \"test\",\n]\n"));
    let markers: Vec<&str> = text
        .lines()
        .filter(|it| it.starts_with("marker = "))
        .collect();
    assert_eq!(
        markers,
        [
            "marker = \"'all' in extras or 'dev' in dependency_groups or 'test' in dependency_groups\"",
            "marker = \"'all' in extras or 'extra-one' in extras\"",
            "marker = \"sys_platform == 'win32' and ('all' in extras or 'extra-one' in extras)\"",
            "marker = \"'dev' in dependency_groups\"",
            "marker = \"'all' in extras or 'extra-one' in extras\"",
        ]
    );
    assert_eq!(lock(&environment, &["pyproject.toml"]), text);
    let installed = |arguments: &[&str]| {
        drop(environment.run([&["sync"], arguments].concat()).success());
        installed_anywhere(&environment)
    };
    assert_eq!(installed(&[]), ["base-2.0"]);
    assert_eq!(installed(&["--group", "test"]), ["base-2.0", "leaf-1.0"]);
    assert_eq!(
        installed(&["--group", "Dev"]),
        ["base-2.0", "leaf-1.0", "other_leaf-1.0"]
    );
    assert_eq!(
        installed(&["--extra", "extra_one"]),
        ["base-2.0", "native-1.0", "top-1.0"]
    );
    assert_eq!(installed(&[]), ["base-2.0"]);
    // The versions of extras are kept to as well.
    let old = text
        .replace("base-2.0", "base-1.0")
        .replace("version = \"2.0\"", "version = \"1.0\"");
    fs_err::write(work.join("pylock.toml"), old).unwrap();
    assert!(lock(&environment, &[]).contains("base-1.0-py3"));
}

#[test]
fn a_group_or_a_script_that_is_asked_for_is_locked_in_place_of_the_project() {
    let server = index();
    let environment = environment(&server);
    let work = environment.work();
    let broken = format!("{PROJECT}broken = [{{ include-group = 'gone' }}]\n");
    fs_err::write(work.join("pyproject.toml"), broken).unwrap();
    let script = "# /// script\n# dependencies = ['leaf']\n# ///\n";
    fs_err::write(work.join("script.py"), script).unwrap();
    let names = |arguments: &[&str]| -> Vec<String> {
        let text = lock(&environment, arguments);
        assert!(!text.contains("marker = "), "{text}");
        assert!(!text.contains("dependency-groups = "), "{text}");
        let names = text.lines().filter_map(|it| it.strip_prefix("name = "));
        names.map(|it| it.trim_matches('"').to_owned()).collect()
    };
    assert_eq!(names(&["--group", "dev"]), ["leaf", "other-leaf"]);
    assert_eq!(
        names(&["--requirements-from-script", "script.py"]),
        ["leaf"]
    );
    let run = environment.run(["lock", "--group", "nope"]).failure();
    let said = "[dependency-groups] resolution failed for 'nope' from 'pyproject.toml': \
                Dependency group 'nope' not found";
    assert!(run.stderr.contains(said), "{}", run.stderr);
}

fn python(environment: &TestEnvironment) -> String {
    let (major, minor) = environment.interpreter().version_info;
    format!("{major}.{minor}")
}

#[test]
fn a_project_that_cannot_be_locked_is_told_why() {
    let server = index();
    let environment = environment(&server);
    let path = environment.work().join("pyproject.toml");
    let refused = |text: &str, arguments: &[&str], said: &str| {
        fs_err::write(&path, text).unwrap();
        let run = environment.run([&["lock"], arguments].concat());
        assert_eq!(run.code, 1, "{}", run.stderr);
        assert!(run.stderr.contains(said), "{}", run.stderr);
        assert!(!environment.work().join("pylock.toml").exists());
    };
    refused(
        PROJECT,
        &["--environment", "linux-3.7"],
        "ERROR: Failed to lock for linux-3.7: the project is for Python >=3.8, and this is 3.7",
    );
    refused(
        "[project]\nname = 'app'\ndynamic = ['dependencies']\n",
        &[],
        "`project.dependencies` is computed by its build",
    );
    refused(
        PROJECT,
        &["pyproject.toml", "other/pyproject.toml"],
        "more than one project",
    );
    refused("[project", &[], "Failed to read `pyproject.toml`");
}

#[test]
fn a_check_names_what_the_lock_is_not_for() {
    let server = index();
    let environment = environment(&server);
    let work = environment.work();
    fs_err::write(work.join("pyproject.toml"), PROJECT).unwrap();
    fs_err::write(work.join("limits.txt"), "base<2\n").unwrap();
    let text = lock(&environment, &[]);
    server.forget_requests();
    let run = environment.run(["lock", "--check"]).success();
    assert_eq!(run.stdout, "`pylock.toml` is up to date\n");
    let differs = |arguments: &[&str], said: &[&str]| {
        let run = environment.run([&["lock", "--check"], arguments].concat());
        assert_eq!(run.code, 1, "{}", run.stderr);
        assert_eq!(run.stdout.lines().collect::<Vec<_>>(), said);
        let error = "ERROR: Failed to check `pylock.toml`: it is not for what is asked for\n";
        assert!(run.stderr.contains(error), "{}", run.stderr);
        assert_eq!(read(&environment), text);
    };
    differs(
        &["-c", "limits.txt"],
        &[
            "constraints: `base<2`, locked with nothing",
            "base: locked at 2.0, and `base<2` doesn't allow it",
        ],
    );
    let changed = PROJECT
        .replace("['base']", "['base>=1']")
        .replace("'other-leaf'", "'only-windows'")
        .replace("test", "tests");
    fs_err::write(work.join("pyproject.toml"), changed).unwrap();
    differs(
        &[],
        &[
            "dependency group `tests`: not in the lock",
            "dependency group `test`: in the lock only",
            "base: asked for as `base>=1`, locked as `base`",
            "leaf: asked for as `leaf` by the extra `all` and `leaf` by the dependency group `dev` \
             and `leaf` by the dependency group `tests`, locked as `leaf` by the extra `all` and \
             `leaf` by the dependency group `dev` and `leaf` by the dependency group `test`",
            "only-windows: asked for as `only-windows` by the dependency group `dev`, locked as \
             nothing",
            "other-leaf: asked for as nothing, locked as `other-leaf` by the dependency group `dev`",
        ],
    );
    fs_err::write(work.join("pyproject.toml"), PROJECT).unwrap();
    let python = python(&environment);
    let linux = format!("linux-{python}");
    differs(
        &["--environment", &linux],
        &[&format!(
            "environment `sys_platform == 'win32' and platform_machine == 'AMD64' and \
             python_version == '{python}'`: in the lock only"
        )],
    );
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn a_lock_and_an_environment_show_who_requires_whom() {
    let wheels = [
        WheelBuilder::new("base", "2.0"),
        WheelBuilder::new("top", "1.0").requires("base"),
        WheelBuilder::new("leaf", "1.0"),
    ];
    let server = IndexServer::with(wheels.iter().map(WheelBuilder::build));
    let environment = environment(&server);
    drop(lock(&environment, &["top", "leaf"]));
    // In a pipe on Windows the lines are ASCII.
    let shown = |arguments: &[&str]| {
        let stdout = environment.run(arguments).success().stdout;
        stdout.replace("`-- ", "└── ")
    };
    let tree = "leaf 1.0\ntop 1.0\n└── base 2.0 [base]\n";
    assert_eq!(shown(&["tree", "pylock.toml"]), tree);
    let why = "base 2.0\n  top 1.0 requires base\n";
    assert_eq!(shown(&["why", "base", "--lock", "pylock.toml"]), why);
    let why = "leaf 1.0\n  leaf was asked for\n";
    assert_eq!(shown(&["why", "leaf", "--lock", "pylock.toml"]), why);
    drop(environment.run(["install", "top"]).success());
    assert_eq!(shown(&["tree"]), "top 1.0\n└── base 2.0 [base]\n");
    assert_eq!(
        shown(&["tree", "--invert", "--package", "Base"]),
        "base 2.0\n└── top 1.0 [base]\n"
    );
    assert_eq!(shown(&["tree", "--depth", "0"]), "top 1.0\n");
    assert_eq!(
        shown(&["why", "base", "top"]),
        "base 2.0\n  top 1.0 requires base\ntop 1.0\n  top was asked for\n"
    );
    let run = environment.run(["why", "leaf"]);
    assert_eq!(run.code, 1);
    assert!(
        run.stderr
            .contains("ERROR: Failed to find `leaf`: it isn't installed\n")
    );
    let run = environment.run(["tree", "pylock.toml", "--package", "native"]);
    assert!(
        run.stderr
            .contains("Failed to find `native`: `pylock.toml` doesn't have it\n")
    );
}

#[test]
fn extras_of_what_is_installed_count_in_the_tree() {
    let wheels = [
        WheelBuilder::new("app", "1.0").requires("base[fast]>=1"),
        WheelBuilder::new("base", "1.0").requires("quick; extra == 'fast'"),
        WheelBuilder::new("quick", "1.0"),
    ];
    let server = IndexServer::with(wheels.iter().map(WheelBuilder::build));
    let environment = environment(&server);
    drop(environment.run(["install", "app"]).success());
    assert_eq!(
        environment.run(["why", "quick"]).success().stdout,
        "quick 1.0\n  app 1.0 requires base[fast]>=1; base 1.0 requires quick\n"
    );
}
