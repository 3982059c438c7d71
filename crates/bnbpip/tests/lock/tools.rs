//! Tools on locks that exist: what differs, merging, exporting, and preferring other tools' locks.

use std::process::Command;

use bnbpip_testing::TestEnvironment;
use insta::assert_snapshot;

use super::{PROGRAM, environment, index, lock, read};

const ENVIRONMENTS: &[&str] = &[
    "--environment",
    "linux-3.12",
    "--environment",
    "windows-3.12",
];

fn shown(environment: &TestEnvironment, arguments: &[&str]) -> String {
    let filters = environment
        .filters()
        .with(r"\b[0-9a-f]{64}\b", "[HASH]")
        .with(r"\d{4}-\d\d-\d\d \(\[HASH\]\)", "[RULES]");
    environment.run(arguments).snapshot(&filters)
}

fn keep(environment: &TestEnvironment, name: &str, text: &str) {
    fs_err::write(environment.work().join(name), text).unwrap();
}

/// Two builds of torch for two extras, and what else differs between the old and the new one.
const OLD: &str = r#"lock-version = "1.0"
environments = [
    "sys_platform == 'linux' and platform_machine == 'x86_64' and python_version == '3.12'",
    "sys_platform == 'win32' and platform_machine == 'AMD64' and python_version == '3.12'",
]
requires-python = ">=3.12"
extras = [
    "cpu",
    "cu128",
]
created-by = "bnbpip"

[[packages]]
name = "base"
version = "1.0"
index = "https://one.example/simple/"
attestation-identities = [
    { kind = "GitHub", repository = "base/base", workflow = "release.yml" },
]
wheels = [
    { name = "base-1.0-py3-none-any.whl", url = "https://one.example/base-1.0-py3-none-any.whl", upload-time = 2026-01-02T03:04:05.678Z, size = 10, hashes = { sha256 = "1111111111111111111111111111111111111111111111111111111111111111" } },
]

[packages.tool.bnbpip]
requirements = [
    "base",
]

[[packages]]
name = "native"
version = "1.0"
index = "https://one.example/simple/"
wheels = [
    { name = "native-1.0-py3-none-any.whl", url = "https://one.example/native-1.0-py3-none-any.whl", hashes = { sha256 = "2222222222222222222222222222222222222222222222222222222222222222" } },
]

[[packages]]
name = "torch"
version = "2.8.0+cpu"
marker = "'cpu' in extras"
dependencies = [
    { name = "base" },
]
index = "https://two.example/cpu/"
wheels = [
    { name = "torch-2.8.0+cpu-py3-none-any.whl", url = "https://two.example/torch-2.8.0%2Bcpu-py3-none-any.whl", hashes = { sha256 = "3333333333333333333333333333333333333333333333333333333333333333" } },
]

[[packages]]
name = "torch"
version = "2.8.0+cu128"
marker = "'cu128' in extras and sys_platform == 'linux'"
dependencies = [
    { name = "base" },
]
index = "https://two.example/cu128/"
wheels = [
    { name = "torch-2.8.0+cu128-py3-none-any.whl", url = "https://two.example/torch-2.8.0%2Bcu128-py3-none-any.whl", hashes = { sha256 = "4444444444444444444444444444444444444444444444444444444444444444" } },
]

[tool.bnbpip]
rules = [
    "BNB-0001",
]
"#;

/// The same with another file under the same name and another publisher, a version that only
/// Windows has, a new torch for the CPU, a package more and one less.
fn new() -> String {
    let native = "\n[[packages]]\nname = \"native\"\nversion = \"2.0\"\nmarker = \"sys_platform == 'win32'\"\nindex = \"https://one.example/simple/\"\nwheels = [\n    { name = \"native-2.0-py3-none-any.whl\", url = \"https://one.example/native-2.0-py3-none-any.whl\", hashes = { sha256 = \"5555555555555555555555555555555555555555555555555555555555555555\" } },\n]\n";
    let at = OLD.find("\n[[packages]]\nname = \"torch\"").unwrap();
    let mut text = OLD.to_owned();
    text.insert_str(at, native);
    text.replace(
        "name = \"native\"\nversion = \"1.0\"",
        "name = \"native\"\nversion = \"1.0\"\nmarker = \"sys_platform == 'linux'\"",
    )
    .replace(&"1".repeat(64), &"6".repeat(64))
    .replace("base/base", "other/base")
    .replace("2.8.0+cpu", "2.9.0+cpu")
    .replace("2.8.0%2Bcpu", "2.9.0%2Bcpu")
    .replace("BNB-0001", "BNB-0002")
}

#[test]
fn a_difference_is_told_by_package_and_place() {
    let environment = environment(&index());
    keep(&environment, "old.toml", OLD);
    keep(&environment, "new.toml", &new());
    assert_snapshot!(shown(
        &environment,
        &["lock", "diff", "old.toml", "new.toml"]
    ));
    assert_snapshot!(shown(
        &environment,
        &["lock", "diff", "old.toml", "new.toml", "--json"]
    ));
    let same = shown(&environment, &["lock", "diff", "old.toml", "old.toml"]);
    assert!(
        same.starts_with("exit code: 0\n----- stdout -----\n\n---"),
        "{same}"
    );
    let own = if cfg!(windows) { "NUL" } else { "/dev/null" };
    for none in ["/dev/null", own] {
        let gone = shown(&environment, &["lock", "diff", "old.toml", none]);
        assert!(
            gone.contains("- torch 2.8.0+cu128 (linux-3.12, extra cu128)"),
            "{gone}"
        );
    }
    // As a text of one file, for git's `textconv`.
    assert_snapshot!(shown(&environment, &["lock", "diff", "old.toml"]));
    let run = environment.run(["lock", "diff", "old.toml", "none.toml"]);
    assert_eq!(run.code, 1);
    assert!(
        run.stderr
            .contains("ERROR: Failed to compare `none.toml`\n"),
        "{}",
        run.stderr
    );
}

#[test]
fn locks_without_known_environments_are_compared_by_their_markers() {
    let environment = environment(&index());
    let lines: Vec<&str> = OLD.lines().collect();
    let old = [&lines[..1], &lines[5..]].concat().join("\n");
    keep(&environment, "old.toml", &old);
    keep(
        &environment,
        "new.toml",
        &old.replace("2.8.0+cpu", "2.9.0+cpu")
            .replace("2.8.0%2Bcpu", "2.9.0%2Bcpu"),
    );
    let run = environment
        .run(["lock", "diff", "old.toml", "new.toml"])
        .success();
    assert_eq!(
        run.stdout,
        "  torch 2.8.0+cpu → 2.9.0+cpu ('cpu' in extras)\n"
    );
}

#[test]
fn each_format_has_all_packages_and_is_always_the_same() {
    let environment = environment(&index());
    keep(&environment, "pylock.toml", OLD);
    let export = |arguments: &[&str]| {
        let run = environment.run([&["lock", "export", "--format"], arguments].concat());
        let run = run.success();
        assert_eq!(run.stderr, "");
        run.stdout
    };
    assert_snapshot!(export(&["requirements.txt", "--extra", "cu128"]));
    assert_snapshot!(export(&[
        "requirements.txt",
        "--extra",
        "cpu",
        "--environment",
        "windows-3.12"
    ]));
    assert_snapshot!(export(&["cyclonedx", "--extra", "cpu"]));
    assert_snapshot!(export(&[
        "spdx",
        "--extra",
        "cpu",
        "--environment",
        "linux-3.12"
    ]));
    let all = export(&["spdx", "--extra", "cu128"]);
    assert_eq!(export(&["spdx", "--extra", "cu128"]), all);
    assert!(
        all.contains("Installed where sys_platform == 'linux'"),
        "{all}"
    );
    let file = "requirements.txt";
    assert_eq!(export(&["requirements.txt", "-o", file]), "");
    let written = fs_err::read_to_string(environment.work().join(file)).unwrap();
    assert_eq!(written, export(&["requirements.txt"]));
    for (arguments, said) in [
        (["--extra", "nope"], "it has no extra `nope`"),
        (["--group", "nope"], "it has no dependency group `nope`"),
        (["--environment", "linux-3.13"], "it has no environment for"),
    ] {
        let run =
            environment.run([&["lock", "export", "--format", "spdx"], &arguments[..]].concat());
        assert_eq!(run.code, 1);
        assert!(run.stderr.contains(said), "{}", run.stderr);
    }
}

fn merged(
    environment: &TestEnvironment,
    base: &str,
    ours: &str,
    theirs: &str,
) -> (i32, String, String) {
    for (name, text) in [("base", base), ("ours", ours), ("theirs", theirs)] {
        keep(environment, name, text);
    }
    let run = environment.run(["lock", "--merge", "base", "ours", "theirs"]);
    let text = fs_err::read_to_string(environment.work().join("ours")).unwrap();
    (run.code, text, run.stderr)
}

#[test]
fn what_only_one_side_changed_is_taken_from_it() {
    let environment = environment(&index());
    let replaced = |places: &[(&str, &str)]| {
        places.iter().fold(OLD.to_owned(), |text, (place, put)| {
            assert!(text.contains(place), "{place}");
            text.replacen(place, put, 1)
        })
    };
    let base_2 = ("\"base\"\nversion = \"1.0\"", "\"base\"\nversion = \"2.0\"");
    let files = (
        "base-1.0-py3-none-any.whl\", url = \"https://one.example/base-1.0",
        "base-2.0-py3-none-any.whl\", url = \"https://one.example/base-2.0",
    );
    let python = (">=3.12", ">=3.11");
    let rule = (
        "    \"BNB-0001\",\n",
        "    \"BNB-0001\",\n    \"BNB-0003\",\n",
    );
    let rule_too = (
        "    \"BNB-0001\",\n",
        "    \"BNB-0001\",\n    \"BNB-0002\",\n",
    );
    let rules = (
        "    \"BNB-0001\",\n",
        "    \"BNB-0001\",\n    \"BNB-0002\",\n    \"BNB-0003\",\n",
    );
    let need = (
        "    { name = \"base\" },\n",
        "    { name = \"base\" },\n    { name = \"native\" },\n",
    );
    let asked = ("    \"base\",\n", "    \"base\",\n    \"base<3\",\n");
    // Different entries, different keys of one entry, and elements of one list.
    for (ours, theirs, both) in [
        (
            vec![base_2, files],
            vec![python, need],
            vec![base_2, files, python, need],
        ),
        (vec![rule], vec![rule_too], vec![rules]),
        (vec![asked], vec![base_2, files], vec![]),
        (vec![need], vec![need], vec![need]),
    ] {
        let (code, text, said) = merged(&environment, OLD, &replaced(&ours), &replaced(&theirs));
        if both.is_empty() {
            assert_eq!(code, 1);
            assert!(said.contains("both sides changed base"), "{said}");
        } else {
            assert_eq!((code, text), (0, replaced(&both)), "{said}");
        }
    }
    // A key of the same entry on each side.
    let size = ("size = 10", "size = 11");
    let publisher = ("base/base", "other/base");
    let (code, text, said) = merged(
        &environment,
        OLD,
        &replaced(&[size]),
        &replaced(&[publisher]),
    );
    assert_eq!((code, text), (0, replaced(&[size, publisher])), "{said}");
}

#[test]
fn what_both_sides_changed_stands_between_conflict_markers() {
    let environment = environment(&index());
    let with = |version: &str| {
        OLD.replace("native-1.0", &format!("native-{version}"))
            .replace(
                "\"native\"\nversion = \"1.0\"",
                &format!("\"native\"\nversion = \"{version}\""),
            )
    };
    let (code, text, said) = merged(&environment, OLD, &with("1.5"), &with("2.0"));
    assert_eq!(code, 1);
    assert_snapshot!(format!("{said}----- ours -----\n{text}"));
    let python = |text: &str| OLD.replace(">=3.12", text);
    let (code, text, said) = merged(&environment, OLD, &python(">=3.11"), &python(">=3.13"));
    assert_eq!(code, 1);
    assert!(
        said.contains("both sides changed `requires-python`"),
        "{said}"
    );
    assert!(
        text.starts_with("<<<<<<< ours\nlock-version = \"1.0\"\n"),
        "{text}"
    );
    let broken = OLD.replace("created-by", "made-by");
    let (code, text, said) = merged(&environment, OLD, OLD, &broken);
    assert_eq!((code, text.as_str()), (1, OLD));
    assert!(
        said.contains("ERROR: Failed to merge the lock: theirs isn't one\n"),
        "{said}"
    );
}

fn git(environment: &TestEnvironment, arguments: &[&str]) -> (bool, String) {
    let identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"];
    let run = environment.command();
    let mut git = Command::new("git");
    for (key, value) in run.get_envs() {
        match value {
            Some(value) => drop(git.env(key, value)),
            None => drop(git.env_remove(key)),
        }
    }
    let run = git
        .args(identity)
        .args(arguments)
        .current_dir(environment.work())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&run.stdout).into_owned();
    (
        run.status.success(),
        text + &String::from_utf8_lossy(&run.stderr),
    )
}

#[test]
fn git_merges_locks_with_it_and_a_conflict_is_solved_again() {
    let server = index();
    let environment = environment(&server);
    let driver = format!("merge.bnbpip.driver={PROGRAM} lock --merge %O %A %B");
    let driver = ["-c", &driver];
    let run = |arguments: &[&str]| {
        let (done, said) = git(&environment, arguments);
        assert!(done, "{said}");
    };
    run(&["init", "-q", "-b", "main"]);
    keep(
        &environment,
        ".gitattributes",
        "pylock*.toml merge=bnbpip\n",
    );
    let locked = |arguments: &[&str]| lock(&environment, &[arguments, ENVIRONMENTS].concat());
    let commit = |branch: &str, arguments: &[&str]| {
        run(&["checkout", "-q", "-B", branch, "main"]);
        drop(locked(arguments));
        run(&["add", "-A"]);
        run(&["commit", "-q", "-m", branch]);
    };
    drop(locked(&["base==1.0"]));
    run(&["add", "-A"]);
    run(&["commit", "-q", "-m", "main"]);
    commit("leaf", &["base==1.0", "leaf"]);
    commit("other", &["base==1.0", "other-leaf"]);
    let (done, said) = git(
        &environment,
        &[&driver[..], &["merge", "-q", "leaf"]].concat(),
    );
    assert!(done, "{said}");
    let merged = read(&environment);
    assert_eq!(locked(&["base==1.0", "leaf", "other-leaf"]), merged);
    commit("newer", &["base==2.0"]);
    commit("limited", &["base<1.5", "leaf"]);
    let (done, said) = git(
        &environment,
        &[&driver[..], &["merge", "-q", "newer"]].concat(),
    );
    assert!(!done && said.contains("both sides changed base"), "{said}");
    let failed = environment.run(["lock", "base"]);
    assert_eq!(failed.code, 1);
    assert!(
        failed
            .stderr
            .contains("is a conflict marker of an unfinished merge"),
        "{}",
        failed.stderr
    );
    assert!(
        failed
            .stderr
            .contains("`bnbpip lock --resolve-conflicts` solves it again"),
        "{}",
        failed.stderr
    );
    // What both sides were asked for has no solution; what is named has.
    let text = read(&environment);
    let failed = environment.run(["lock", "--resolve-conflicts"]);
    assert_eq!(
        (failed.code, read(&environment)),
        (1, text),
        "{}",
        failed.stderr
    );
    let solved = locked(&["--resolve-conflicts", "base", "leaf"]);
    assert!(
        solved.contains("name = \"base\"\nversion = \"2.0\""),
        "{solved}"
    );
    assert!(solved.contains("name = \"leaf\""), "{solved}");
    let failed = environment.run(["lock", "--resolve-conflicts"]);
    assert!(
        failed
            .stderr
            .contains("of `pylock.toml`: it has no conflict markers"),
        "{}",
        failed.stderr
    );
}

#[test]
fn both_sides_requests_and_environments_are_asked_for_again() {
    let server = index();
    let environment = environment(&server);
    let ours = lock(
        &environment,
        &[&["base>=1", "leaf", "-U"], ENVIRONMENTS].concat(),
    );
    let theirs = lock(
        &environment,
        &[&["base<2", "other-leaf", "-U"], ENVIRONMENTS].concat(),
    );
    keep(
        &environment,
        "pylock.toml",
        &format!("<<<<<<< ours\n{ours}||||||| base\n=======\n{theirs}>>>>>>> theirs\n"),
    );
    let solved = lock(&environment, &["--resolve-conflicts"]);
    let expected = ["base>=1", "base<2", "leaf", "other-leaf", "-U"];
    assert_eq!(
        lock(&environment, &[&expected, ENVIRONMENTS].concat()),
        solved
    );
    assert!(solved.contains("version = \"1.0\"") && solved.contains("other-leaf"));
}

#[test]
fn other_tools_locks_are_preferred_to_newer_versions() {
    let server = index();
    let environment = environment(&server);
    let uv = "version = 1\nrevision = 3\n\n[[package]]\nname = \"base\"\nversion = \"1.0\"\nsource = { registry = \"https://x.example\" }\n";
    let poetry =
        "[[package]]\nname = \"base\"\nversion = \"1.0\"\n\n[metadata]\nlock-version = \"2.1\"\n";
    let pipfile = r#"{"_meta": {"pipfile-spec": 6}, "default": {"base": {"version": "==1.0"}}}"#;
    let hash = "0".repeat(64);
    let pins = format!("base==1.0 ; python_version >= '3' \\\n    --hash=sha256:{hash}\n");
    for (name, text) in [
        ("uv.lock", uv),
        ("poetry.lock", poetry),
        ("Pipfile.lock", pipfile),
        ("requirements.txt", &pins),
    ] {
        keep(&environment, name, text);
        let text = lock(&environment, &["base", "--upgrade", "--preferences", name]);
        assert!(text.contains("version = \"1.0\""), "{name}: {text}");
    }
    drop(fs_err::copy(
        environment.work().join("pylock.toml"),
        environment.work().join("pylock.old.toml"),
    ));
    assert!(lock(&environment, &["base", "-U"]).contains("version = \"2.0\""));
    let text = lock(&environment, &["base", "--preferences", "pylock.old.toml"]);
    assert!(text.contains("version = \"1.0\""), "{text}");
    let text = lock(
        &environment,
        &["base", "--preferences", "uv.lock", "-P", "base"],
    );
    assert!(text.contains("version = \"2.0\""), "{text}");
    keep(&environment, "loose.txt", "base>=1\n");
    keep(
        &environment,
        "uv.lock",
        &uv.replacen("version = 1", "version = 2", 1),
    );
    keep(&environment, "pdm.lock", "");
    for (file, said) in [
        (
            "loose.txt",
            "`base>=1` is no pin (-r [WORK]/loose.txt (line 1))",
        ),
        ("uv.lock", "its version 2 is not one that bnbpip knows (1)"),
        ("pdm.lock", "it is none of the files that are known"),
        ("none.txt", "none.txt"),
    ] {
        let run = environment.run(["lock", "base", "--preferences", file]);
        let stderr = environment.filters().apply(&run.stderr);
        assert_eq!(run.code, 1, "{stderr}");
        assert!(
            stderr.contains(&format!("Failed to read preferences from `{file}`")),
            "{stderr}"
        );
        assert!(stderr.contains(said), "{stderr}");
    }
}
