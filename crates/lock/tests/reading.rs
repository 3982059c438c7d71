//! What is wrong with a lock is said in one sentence that names the place; selecting refuses what
//! isn't for the target; writing is stable.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what fails here is the test's failure"
)]

use bnbpip_lock::{AskedBy, Lock, LockMarker, LockedSource, SelectedFrom, Selecting};
use bnbpip_packaging::{
    Implementation, MarkerEnvironment, MarkerEnvironmentBuilder, Tags, TargetTags, Version,
};

const HASH: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

fn good() -> String {
    format!(
        r#"lock-version = "1.0"
environments = [
    "sys_platform == 'linux'",
]
requires-python = ">=3.10"
extras = ["cpu", "cu128"]
dependency-groups = ["dev"]
created-by = "test"

[[packages]]
name = "torch"
version = "2.0"
marker = "'cpu' in extras"
index = "https://example.org/cpu"
wheels = [
    {{ name = "torch-2.0-py3-none-any.whl", url = "https://example.org/torch-2.0-py3-none-any.whl", upload-time = 2024-01-02T03:04:05Z, size = 10, hashes = {{ sha256 = "{HASH}" }} }},
]

[[packages]]
name = "torch"
version = "2.0+cu128"
marker = "'cu128' in extras"
wheels = [
    {{ name = "torch-2.0+cu128-py3-none-any.whl", url = "https://example.org/torch-2.0%2Bcu128-py3-none-any.whl", hashes = {{ sha256 = "{HASH}" }} }},
]
"#
    )
}

fn wrong(text: &str) -> String {
    match text.parse::<Lock>() {
        Ok(_) => panic!("it was accepted:\n{text}"),
        Err(error) => error.to_string(),
    }
}

/// A place in the good lock, what is put there, and a part of what is said.
const CHANGES: &[(&str, &str, &str)] = &[
    ("lock-version = \"1.0\"", "", "`lock-version` is missing"),
    ("\"1.0\"", "\"2.0\"", "its version `2.0` is not one"),
    ("\"1.0\"", "\"1\"", "its version `1` is not one"),
    ("\"1.0\"", "1.0", "`lock-version` must be a string"),
    ("created-by = \"test\"", "", "`created-by` is missing"),
    (">=3.10", "3.10 or so", "top level: `requires-python`"),
    (
        "[\"cpu\", \"cu128\"]",
        "\"cpu\"",
        "`extras` must be an array",
    ),
    ("[\"cpu\", \"cu128\"]", "[1]", "`extras` must hold strings"),
    (
        "sys_platform == 'linux'",
        "sys_platform = ",
        "Failed to parse marker",
    ),
    (
        "'cpu' in extras",
        "extras",
        "only goes with `in` and `not in`",
    ),
    (
        "'cpu' in extras",
        "cpu in extras",
        "`cpu` must stand in quotes",
    ),
    (
        "'cpu' in extras",
        "('cpu' in extras",
        "a parenthesis isn't closed",
    ),
    ("'cpu' in extras", "'cpu' in extras)", "is one too many"),
    (
        "'cpu' in extras",
        "'cpu' in extras and",
        "a comparison is missing",
    ),
    ("'cpu' in extras", "'cpu in extras", "a quote isn't closed"),
    (
        "name = \"torch\"\nversion = \"2.0\"",
        "version = \"2.0\"",
        "packages[0]: `name` is missing",
    ),
    (
        "name = \"torch\"\n",
        "name = \"../x\"\n",
        "packages[0] (../x)",
    ),
    (
        "version = \"2.0\"\n",
        "version = \"new\"\n",
        "packages[0] (torch): `version`",
    ),
    (
        "version = \"2.0\"\n",
        "version = \"3.0\"\n",
        "is a file of another package",
    ),
    (
        "\"torch-2.0-py3-none-any.whl\"",
        "\"numpy-2.0-py3-none-any.whl\"",
        "is at the place of another file",
    ),
    (
        "\"torch-2.0-py3-none-any.whl\"",
        "\"../torch-2.0-py3-none-any.whl\"",
        "is not the name of a file",
    ),
    (
        "\"torch-2.0-py3-none-any.whl\"",
        "\"..\\\\torch-2.0-py3-none-any.whl\"",
        "is not the name of a file",
    ),
    (
        "\"torch-2.0-py3-none-any.whl\"",
        "\"C:torch-2.0-py3-none-any.whl\"",
        "is not the name of a file",
    ),
    (
        "\"torch-2.0-py3-none-any.whl\"",
        "\"torch-2.0.whl\"",
        "is at the place of another file",
    ),
    (
        "url = \"https://example.org/torch-2.0-py3-none-any.whl\", ",
        "",
        "`url` and `path` are missing",
    ),
    (
        "\"https://example.org/torch-2.0-py3",
        "\"ftp://example.org/torch-2.0-py3",
        "`url` must be an address by one of https, http, file",
    ),
    ("size = 10", "size = -1", "`size` is negative"),
    ("size = 10", "size = \"10\"", "`size` must be an integer"),
    (
        "2024-01-02T03:04:05Z",
        "\"yesterday\"",
        "`upload-time` must be a date and time",
    ),
    ("sha256 = ", "md5 = ", "md5="),
    (
        "sha256 = ",
        "blake9 = ",
        "there is no hash that bnbpip can check",
    ),
    ("sha256 = \"aa", "sha256 = \"", "sha256="),
    ("[[packages]]", "[[packages]]\nname = \"twice\"", "line "),
    (
        "[[packages]]",
        "<<<<<<< ours\n[[packages]]",
        "line 10 is a conflict marker",
    ),
    ("marker = ", "marker = 3 # ", "`marker` must be a string"),
    (
        "wheels = [",
        "vcs = { type = \"git\" }\nwheels = [",
        "it has more than one source",
    ),
    (
        "index = ",
        "directory = { path = \"x\" }\nindex = ",
        "it has more than one source",
    ),
];

#[test]
fn each_fault_has_a_sentence_of_its_own() {
    for (place, put, said) in CHANGES {
        let good = good();
        assert!(good.contains(place), "{place}");
        let message = wrong(&good.replacen(place, put, 1));
        assert!(message.contains(said), "{place} -> {put}: {message}");
    }
}

#[test]
fn a_truncated_lock_is_refused_wherever_it_ends_within_a_value() {
    let good = good();
    for end in [20, 60, 300, 420, good.len() - 3] {
        let message = wrong(&good[..end]);
        let says_where = message.starts_with("line ") || message.contains(" is missing");
        assert!(says_where, "{end}: {message}");
    }
}

#[test]
fn weak_and_missing_hashes_and_missing_files_are_refused() {
    let hashes = format!("{{ sha256 = \"{HASH}\" }}");
    let weak = good().replacen(&hashes, "{ md5 = \"00000000000000000000000000000000\" }", 1);
    assert!(wrong(&weak).ends_with("there are only weak hashes"));
    let none = good().replacen(&format!(", hashes = {hashes}"), "", 1);
    assert!(wrong(&none).ends_with("`hashes` is missing"));
    let top = "lock-version = \"1.0\"\ncreated-by = \"x\"\n";
    assert!(wrong(top).ends_with("`packages` is missing"));
    let bare = format!("{top}[[packages]]\nname = \"a\"\n");
    assert!(wrong(&bare).ends_with("packages[0] (a): it has no files"));
    assert!(wrong(&format!("{top}packages = [3]")).ends_with("must hold tables"));
    let file = format!("{{ path = \"a-1-py3-none-any.whl\", hashes = {hashes} }}");
    let twice = format!("{bare}wheels = [{file}, {file}]");
    assert!(wrong(&twice).ends_with("is there twice"));
}

#[test]
fn more_than_the_limit_is_refused_before_it_is_parsed() {
    let text = "#".repeat(usize::try_from(bnbpip_lock::MAX_BYTES).unwrap() + 1);
    assert!(wrong(&text).contains("it has more than"));
}

fn linux() -> MarkerEnvironment {
    MarkerEnvironment::try_from(MarkerEnvironmentBuilder {
        implementation_name: "cpython",
        implementation_version: "3.12.0",
        os_name: "posix",
        platform_machine: "x86_64",
        platform_python_implementation: "CPython",
        platform_release: "",
        platform_system: "Linux",
        platform_version: "",
        python_full_version: "3.12.0",
        python_version: "3.12",
        sys_platform: "linux",
    })
    .unwrap()
}

fn select(text: &str, extras: &[&str], python: [u64; 2]) -> Result<Vec<String>, String> {
    let tags = Tags::for_target(&TargetTags {
        implementation: Implementation::CPython,
        python: (3, 12),
        free_threaded: false,
        abis: Vec::new(),
        platforms: vec!["linux_x86_64".into()],
    });
    let extras: Vec<String> = extras.iter().map(ToString::to_string).collect();
    let lock: Lock = text.parse().unwrap();
    let selected = lock.select(Selecting {
        markers: &linux(),
        tags: &tags,
        python: &Version::new(python),
        description: "Linux",
        extras: &extras,
        groups: &[],
    });
    let selected = selected.map_err(|error| error.to_string())?;
    let names = selected.iter().map(|it| match it.from {
        SelectedFrom::Wheel(file) => file.name.clone(),
        SelectedFrom::Source(source) => source.key().to_owned(),
    });
    Ok(names.collect())
}

#[test]
fn extras_tell_the_builds_apart() {
    let good = good();
    assert_eq!(
        select(&good, &["cpu"], [3, 12]).unwrap(),
        ["torch-2.0-py3-none-any.whl"]
    );
    assert_eq!(
        select(&good, &["cu128"], [3, 12]).unwrap(),
        ["torch-2.0+cu128-py3-none-any.whl"]
    );
    assert!(select(&good, &[], [3, 12]).unwrap().is_empty());
}

#[test]
fn what_is_not_for_the_target_is_refused() {
    let good = good();
    let refused = |text: &str, extras: &[&str], python| {
        let message = select(text, extras, python).unwrap_err();
        message
            .strip_prefix("Failed to use the lock: ")
            .unwrap()
            .to_string()
    };
    assert_eq!(
        refused(&good, &["cpu", "cu128"], [3, 12]),
        "it has two entries for `torch` that both match"
    );
    assert_eq!(refused(&good, &["nope"], [3, 12]), "it has no extra `nope`");
    assert_eq!(
        refused(&good, &["cpu"], [3, 9]),
        "it is for Python >=3.10, and this is 3.9"
    );
    let windows = good.replace("'linux'", "'win32'");
    assert_eq!(
        refused(&windows, &["cpu"], [3, 12]),
        "it has no environment for Linux"
    );
    let wheel = good.replace("2.0-py3-none-any", "2.0-cp311-cp311-win_amd64");
    assert_eq!(
        refused(&wheel, &["cpu"], [3, 12]),
        "`torch` 2.0 has no wheel for Linux"
    );
}

#[test]
fn markers_join_members_with_the_standards_own() {
    let marker: LockMarker =
        "('a' in extras or 'B_c' in dependency_groups) and sys_platform == 'linux' and 'x' not in extras"
            .parse()
            .unwrap();
    let holds = |extras: &[&str], groups: &[&str]| {
        let own = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        marker.evaluate(&linux(), &own(extras), &own(groups))
    };
    assert!(holds(&["a"], &[]) && holds(&[], &["b-c"]));
    assert!(!holds(&[], &[]) && !holds(&["a", "x"], &[]));
}

#[test]
fn what_is_written_reads_as_the_same_and_is_written_the_same() {
    let lock: Lock = good().parse().unwrap();
    let text = lock.to_toml();
    let again: Lock = text.parse().unwrap();
    assert_eq!(again.to_toml(), text);
    assert_eq!(again.packages[0].wheels, lock.packages[0].wheels);
}

/// Every kind of source, and everything that bnbpip writes of its own.
fn sources() -> String {
    format!(
        r#"lock-version = "1.0"
created-by = "test"

[[packages]]
name = "a"
version = "1.0"
sdist = {{ name = "a-1.0.tar.gz", url = "https://example.org/a-1.0.tar.gz", size = 3, hashes = {{ sha256 = "{HASH}" }} }}
attestation-identities = [
    {{ kind = "GitHub", repository = "o/a", workflow = "release.yml" }},
]

[[packages]]
name = "b"
version = "2.0"
archive = {{ path = "files/b-2.0-py3-none-any.whl", hashes = {{ sha256 = "{HASH}" }}, subdirectory = "inner" }}

[packages.tool.bnbpip]
requirements = [
    "b",
    {{ extra = "gpu", requirement = "b[x]" }},
    {{ group = "dev", requirement = "b ; sys_platform == 'linux'" }},
]

[[packages]]
name = "c"
vcs = {{ type = "git", url = "https://example.org/c", requested-revision = "main", commit-id = "0123456789012345678901234567890123456789", subdirectory = "py" }}

[[packages]]
name = "d"
directory = {{ path = "../d", editable = true, subdirectory = "py" }}

[tool.bnbpip]
accelerators = [
    "cpu",
    "cu128",
]
indexes = [
    "https://example.org/simple",
]
constraints = [
    "numpy<2",
]
exclude-newer = "P7D"

[tool.bnbpip.overlay]
version = "2026-01-01"
sha256 = "{HASH}"
"#
    )
}

#[test]
fn every_kind_of_source_is_read_and_written_as_it_was() {
    let text = sources();
    let lock: Lock = text.parse().unwrap();
    assert_eq!(lock.to_toml(), text);
    let keys: Vec<&str> = lock
        .packages
        .iter()
        .map(|it| it.source.as_ref().unwrap().key())
        .collect();
    assert_eq!(keys, ["sdist", "archive", "vcs", "directory"]);
    assert!(matches!(
        &lock.packages[3].source,
        Some(LockedSource::Directory { path, editable: true, .. }) if path == "../d"
    ));
    let asked: Vec<&AskedBy> = lock.packages[1]
        .requirements
        .iter()
        .map(|it| &it.asked_by)
        .collect();
    let parts = [
        AskedBy::Base,
        AskedBy::Extra("gpu".into()),
        AskedBy::Group("dev".into()),
    ];
    assert_eq!(asked, parts.iter().collect::<Vec<_>>());
    assert_eq!(
        select(&text, &[], [3, 12]).unwrap(),
        ["sdist", "archive", "vcs", "directory"]
    );
}

#[test]
fn a_source_that_is_not_one_is_named() {
    for (place, put, said) in [
        ("a-1.0.tar.gz\"", "a-1.0.exe\"", "packages[0] (a), sdist: "),
        (
            "type = \"git\"",
            "type = \"hg\"",
            "`hg` repositories can't be read, only `git` ones",
        ),
        ("type = \"git\", ", "", "`type` is missing"),
        (
            "commit-id = \"01",
            "commit-id = \"x",
            "the whole digest of a commit",
        ),
        (
            "url = \"https://example.org/c\", ",
            "",
            "`url` and `path` are missing",
        ),
        (
            "https://example.org/c",
            "ext::sh -c id",
            "`url` must be an address by one of https, http",
        ),
        (
            "subdirectory = \"py\"",
            "subdirectory = \"../x\"",
            "leads out of the source",
        ),
        (
            "subdirectory = \"inner\"",
            "subdirectory = \"C:x\"",
            "leads out of the source",
        ),
        (
            "path = \"../d\", ",
            "",
            "packages[3] (d), directory: `path` is missing",
        ),
        (
            "editable = true",
            "editable = 1",
            "`editable` must be true or false",
        ),
        (
            "kind = \"GitHub\", ",
            "",
            "attestation-identities: `kind` is missing",
        ),
        ("    \"b\",\n", "    3,\n", "must hold strings and tables"),
        (
            "    \"numpy<2\",\n",
            "    3,\n",
            "`constraints` must hold strings",
        ),
    ] {
        let good = sources();
        assert!(good.contains(place), "{place}");
        let message = wrong(&good.replacen(place, put, 1));
        assert!(message.contains(said), "{place} -> {put}: {message}");
    }
}
