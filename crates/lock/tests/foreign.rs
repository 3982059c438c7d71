//! What other tools' locks pin.

#![expect(clippy::unwrap_used, reason = "what fails here is the test's failure")]

use bnbpip_lock::ForeignLock;

fn pins(kind: ForeignLock, text: &str) -> Vec<String> {
    let pins = kind.pins(text).unwrap().into_iter().map(|pin| {
        let marker = pin.marker.and_then(|marker| marker.try_to_string());
        let marker = marker.map(|marker| format!(" ; {marker}"));
        format!(
            "{}=={}{}",
            pin.name,
            pin.version,
            marker.unwrap_or_default()
        )
    });
    pins.collect()
}

fn refused(kind: ForeignLock, text: &str) -> String {
    kind.pins(text).unwrap_err().to_string()
}

const UV: &str = r#"version = 1
revision = 3
requires-python = ">=3.12"

[[package]]
name = "app"
version = "0.1.0"
source = { virtual = "." }
dependencies = [{ name = "numpy" }]

[[package]]
name = "numpy"
version = "2.0.0"
source = { registry = "https://example.org/simple" }
resolution-markers = ["sys_platform == 'win32'", "sys_platform == 'darwin'"]
sdist = { url = "https://example.org/numpy-2.0.0.tar.gz", hash = "sha256:00", size = 1 }

[[package]]
name = "tool"
version = "1.0"
source = { git = "https://example.org/tool.git#00" }
"#;

const POETRY: &str = r#"
[[package]]
name = "NumPy"
version = "2.0.0"
description = "x"
optional = false
python-versions = ">=3.9"
groups = ["main", "dev"]
markers = {main = "os_name == 'nt'", dev = "os_name == 'posix'"}
files = [{file = "numpy-2.0.0.tar.gz", hash = "sha256:00"}]

[[package]]
name = "torch"
version = "2.9.0+cpu"
markers = "sys_platform == 'linux'"

[package.source]
type = "legacy"
url = "https://example.org/cpu"
reference = "cpu"

[[package]]
name = "tool"
version = "1.0"

[package.source]
type = "git"
url = "https://example.org/tool.git"

[metadata]
lock-version = "2.1"
python-versions = ">=3.12"
content-hash = "00"
"#;

const PIPFILE: &str = r#"{"_meta": {"hash": {"sha256": "00"}, "pipfile-spec": 6, "requires": {}, "sources": []},
 "default": {"numpy": {"hashes": ["sha256:00"], "index": "pypi", "version": "==2.0.0",
                       "markers": "python_version >= '3.9'"},
             "tool": {"git": "https://example.org/tool.git", "ref": "00"}},
 "develop": {"pytest": {"version": "==8.0"}}}"#;

#[test]
fn each_tools_pins_are_read_and_only_an_indexs() {
    assert_eq!(
        pins(ForeignLock::Uv, UV),
        ["numpy==2.0.0 ; sys_platform == 'darwin' or sys_platform == 'win32'"]
    );
    assert_eq!(
        pins(ForeignLock::Poetry, POETRY),
        [
            "numpy==2.0.0 ; os_name == 'nt' or os_name == 'posix'",
            "torch==2.9.0+cpu ; sys_platform == 'linux'"
        ]
    );
    assert_eq!(
        pins(ForeignLock::Pipfile, PIPFILE),
        ["numpy==2.0.0 ; python_full_version >= '3.9'", "pytest==8.0"]
    );
}

#[test]
fn other_versions_are_refused() {
    assert_eq!(
        refused(
            ForeignLock::Uv,
            &UV.replacen("version = 1", "version = 2", 1)
        ),
        "Failed to read the lock of uv: its version 2 is not one that bnbpip knows (1)"
    );
    assert_eq!(
        refused(ForeignLock::Poetry, &POETRY.replace("\"2.1\"", "\"3.0\"")),
        "Failed to read the lock of Poetry: its version 3.0 is not one that bnbpip knows (1.x and 2.x)"
    );
    assert_eq!(
        refused(ForeignLock::Pipfile, &PIPFILE.replace(": 6", ": 7")),
        "Failed to read the lock of Pipenv: its version 7 is not one that bnbpip knows (6)"
    );
}

#[test]
fn what_is_not_of_the_form_is_refused() {
    let package = "[[package]]\nname = 'a'\nversion = '1'\nsource = {registry = 'x'}\n";
    for (kind, text, said) in [
        (
            ForeignLock::Uv,
            format!("version = 1\n{}", package.repeat(50_001)),
            "more than 50000 packages",
        ),
        (
            ForeignLock::Poetry,
            format!("x = [{}]\n{POETRY}", "0,".repeat(250_000)),
            "more than 250000 values",
        ),
        (
            ForeignLock::Uv,
            "package = []".to_owned(),
            "missing field `version`",
        ),
        (
            ForeignLock::Uv,
            UV.replace("2.0.0\"\nsource", "new\"\nsource"),
            "`numpy`: ",
        ),
        (ForeignLock::Uv, UV.replace("== 'win32'", "="), "`numpy`: "),
        (
            ForeignLock::Uv,
            UV.replace("\"numpy\"\nversion", "\"../numpy\"\nversion"),
            "`../numpy`: ",
        ),
        (
            ForeignLock::Poetry,
            "[[package]]".to_owned(),
            "missing field",
        ),
        (
            ForeignLock::Poetry,
            POETRY.replace("version = \"1.0\"\n", ""),
            "missing field `version`",
        ),
        (ForeignLock::Pipfile, "{".to_owned(), "EOF"),
        (
            ForeignLock::Pipfile,
            PIPFILE.replace("==8.0", ">=8.0"),
            "`pytest`: `>=8.0` is no pin",
        ),
        (
            ForeignLock::Pipfile,
            PIPFILE.replace("{\"pytest\": {\"version\": \"==8.0\"}}", "[]"),
            "`develop`: ",
        ),
    ] {
        let message = refused(kind, &text);
        assert!(message.contains(said), "{message}");
    }
}
