//! Lock files that can't be used: each is refused in a sentence of its own, and nothing is
//! installed.

use bnbpip_testing::{IndexServer, TestEnvironment, WheelBuilder};
use insta::assert_snapshot;

use super::environment;

/// A fault: its name, a text of the good lock and what is put in its place (once), and what `sync`
/// is asked for besides.
type Fault = (
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
);

const HASH: &str = "hashes = { sha256 = \"[HASH]\" }";

/// In `[HASH]` stands the wheel's digest, in `[FILES]` the index's folder of files.
const GOOD: &str = r#"lock-version = "1.0"
environments = [
    "sys_platform != 'plan9'",
]
requires-python = ">=3.8"
extras = ["fast"]
dependency-groups = ["dev"]
created-by = "test"

[[packages]]
name = "base"
version = "1.0"
marker = "python_version >= '3'"
index = "[FILES]/simple"
wheels = [
    { name = "base-1.0-py3-none-any.whl", url = "[FILES]/base-1.0-py3-none-any.whl", upload-time = 2026-01-02T03:04:05Z, size = [BYTES], hashes = { sha256 = "[HASH]" } },
]

[[packages]]
name = "base"
version = "1.0"
marker = "'fast' in extras"
wheels = [
    { name = "base-1.0-py3-none-any.whl", path = "base-1.0-py3-none-any.whl", hashes = { sha256 = "[HASH]" } },
]
"#;

const WHEEL: &str = "name = \"base-1.0-py3-none-any.whl\"";
const URL: &str = "[FILES]/base-1.0-py3-none-any.whl\"";
const PATH: &str = "path = \"base-1.0-py3-none-any.whl\"";

const FAULTS: &[Fault] = &[
    ("version-missing", "lock-version = \"1.0\"\n", "", &[]),
    ("version-unknown", "\"1.0\"", "\"2.0\"", &[]),
    ("version-a-number", "\"1.0\"", "1.0", &[]),
    ("created-by-missing", "created-by = \"test\"\n", "", &[]),
    ("packages-missing", "[[packages]]", "\0", &[]),
    ("packages-a-table", "[[packages]]", "[packages]", &[]),
    (
        "key-twice",
        "version = \"1.0\"\nmarker",
        "name = \"base\"\nmarker",
        &[],
    ),
    (
        "conflict-markers",
        "[[packages]]",
        "<<<<<<< HEAD\n[[packages]]",
        &[],
    ),
    (
        "truncated-in-a-string",
        "[[packages]]\nname = \"base\"",
        "[[packages]]\nname = \"ba\0",
        &[],
    ),
    ("truncated-in-an-array", "    { name", "\0", &[]),
    (
        "unknown-table",
        "[[packages]]",
        "[metadata]\nfiles = 1\n\n[[packages]]",
        &[],
    ),
    ("unknown-key-of-a-package", "index =", "indices =", &[]),
    ("unknown-key-of-a-file", "size =", "sise =", &[]),
    (
        "size-beyond-all-measure",
        "size = [BYTES]",
        "size = 9223372036854775807",
        &[],
    ),
    (
        "environments-empty",
        "environments = [\n    \"sys_platform != 'plan9'\",\n]",
        "environments = []",
        &[],
    ),
    (
        "environment-not-a-marker",
        "sys_platform != 'plan9'",
        "linux",
        &[],
    ),
    ("environment-elsewhere", "!= 'plan9'", "== 'plan9'", &[]),
    ("python-not-a-range", ">=3.8", "3.8 or so", &[]),
    ("python-too-new", ">=3.8", ">=4.8", &[]),
    ("extras-a-string", "[\"fast\"]", "\"fast\"", &[]),
    ("extras-not-normalized", "[\"fast\"]", "[\"Fast_er\"]", &[]),
    ("extra-unknown", "", "", &["--extra", "nope"]),
    ("group-unknown", "", "", &["--group", "nope"]),
    ("two-entries-match", "", "", &["--extra", "fast"]),
    (
        "name-not-normalized",
        "name = \"base\"",
        "name = \"Base\"",
        &[],
    ),
    (
        "name-with-a-path",
        "name = \"base\"",
        "name = \"../base\"",
        &[],
    ),
    (
        "name-with-control-characters",
        "name = \"base\"",
        "name = \"ba\\u001b[31mse\"",
        &[],
    ),
    (
        "version-not-a-version",
        "\nversion = \"1.0\"\n",
        "\nversion = \"newest\"\n",
        &[],
    ),
    (
        "version-of-another-file",
        "\nversion = \"1.0\"\n",
        "\nversion = \"1.1\"\n",
        &[],
    ),
    (
        "file-of-another-package",
        "base-1.0-py3-none-any.whl\", url = \"[FILES]/base-1.0-py3-none-any.whl\"",
        "other-1.0-py3-none-any.whl\", url = \"[FILES]/other-1.0-py3-none-any.whl\"",
        &[],
    ),
    (
        "file-name-with-a-path",
        WHEEL,
        "name = \"../base-1.0-py3-none-any.whl\"",
        &[],
    ),
    (
        "file-name-with-a-drive",
        WHEEL,
        "name = \"C:base-1.0-py3-none-any.whl\"",
        &[],
    ),
    (
        "file-name-not-a-wheel",
        WHEEL,
        "name = \"base-1.0.zip\"",
        &[],
    ),
    (
        "file-name-unlike-its-url",
        URL,
        "[FILES]/other-1.0-py3-none-any.whl\"",
        &[],
    ),
    (
        "file-twice",
        "    { name",
        "    { name = \"base-1.0-py3-none-any.whl\", path = \"base-1.0-py3-none-any.whl\", hashes = { sha256 = \"[HASH]\" } },\n    { name",
        &[],
    ),
    (
        "url-missing",
        "url = \"[FILES]/base-1.0-py3-none-any.whl\", ",
        "",
        &[],
    ),
    (
        "url-by-ftp",
        "\"[FILES]/base",
        "\"ftp://example.org/base",
        &[],
    ),
    (
        "url-not-an-address",
        "\"[FILES]/base",
        "\"https://[/base",
        &[],
    ),
    (
        "path-out-of-the-folder",
        PATH,
        "path = \"a/../../base-1.0-py3-none-any.whl\"",
        &[],
    ),
    (
        "path-absolute",
        PATH,
        "path = \"/base-1.0-py3-none-any.whl\"",
        &[],
    ),
    (
        "path-with-a-drive",
        PATH,
        "path = 'C:\\base-1.0-py3-none-any.whl'",
        &[],
    ),
    (
        "index-not-an-address",
        "index = \"",
        "index = \"not at ",
        &[],
    ),
    ("size-negative", "[BYTES]", "-1", &[]),
    ("size-a-string", "[BYTES]", "\"[BYTES]\"", &[]),
    ("size-wrong", "[BYTES]", "[BYTES]0", &[]),
    (
        "hashes-missing",
        ", hashes = { sha256 = \"[HASH]\" }",
        "",
        &[],
    ),
    ("hashes-empty", HASH, "hashes = {}", &[]),
    (
        "hashes-weak-alone",
        HASH,
        "hashes = { md5 = \"00000000000000000000000000000000\" }",
        &[],
    ),
    ("hashes-unknown-alone", "{ sha256", "{ blake9", &[]),
    (
        "hash-too-short",
        "sha256 = \"[HASH]\"",
        "sha256 = \"abc\"",
        &[],
    ),
    (
        "hash-wrong",
        "[HASH]",
        "0000000000000000000000000000000000000000000000000000000000000000",
        &[],
    ),
    (
        "upload-time-a-string",
        "2026-01-02T03:04:05Z",
        "\"yesterday\"",
        &[],
    ),
    (
        "upload-time-a-day",
        "2026-01-02T03:04:05Z",
        "2026-01-02",
        &[],
    ),
    (
        "marker-a-number",
        "marker = \"python_version >= '3'\"",
        "marker = 3",
        &[],
    ),
    (
        "marker-unclosed",
        "python_version >= '3'",
        "(python_version >= '3'",
        &[],
    ),
    (
        "marker-of-extra",
        "python_version >= '3'",
        "extra == 'fast'",
        &[],
    ),
    (
        "marker-without-quotes",
        "'fast' in extras",
        "fast in extras",
        &[],
    ),
    (
        "marker-turned-round",
        "'fast' in extras",
        "extras == 'fast'",
        &[],
    ),
    (
        "wheels-empty",
        "wheels = [",
        "wheels = []\ndependencies = [",
        &[],
    ),
    (
        "wheels-a-string",
        "wheels = [",
        "wheels = \"all\"\ndependencies = [",
        &[],
    ),
    (
        "two-sources",
        "index =",
        "vcs = { type = \"git\", url = \"https://example.org/a.git\", commit-id = \"0000000000000000000000000000000000000000\" }\nindex =",
        &[],
    ),
    (
        "wheel-of-another-platform",
        "-py3-none-any.whl\", url = \"[FILES]/base-1.0-py3-none-any.whl\"",
        "-py3-none-plan9.whl\", url = \"[FILES]/base-1.0-py3-none-plan9.whl\"",
        &[],
    ),
];

/// The good lock, in a folder that has its wheel too.
fn good(server: &IndexServer, environment: &TestEnvironment) -> String {
    let wheel = WheelBuilder::new("base", "1.0").build();
    wheel.write_to(&environment.work());
    GOOD.replace("[FILES]/simple", &server.simple_url())
}

/// A text in the terms of [`GOOD`] with what differs from run to run.
fn filled(text: &str, server: &IndexServer) -> String {
    let wheel = WheelBuilder::new("base", "1.0").build();
    let url = server.file_url(&wheel.filename);
    let files = url.trim_end_matches(&format!("/{}", wheel.filename));
    text.replace("[BYTES]", &wheel.bytes.len().to_string())
        .replace("[HASH]", &wheel.sha256())
        .replace("[FILES]", files)
}

fn said(environment: &TestEnvironment, arguments: &[&str]) -> String {
    let run = environment.run([&["sync"], arguments].concat());
    assert!(
        environment.installed().is_empty(),
        "something was installed"
    );
    assert_eq!(run.code, 1, "{}", run.stderr);
    let filters = environment
        .filters()
        .with(r"\b[0-9a-f]{64}\b", "[HASH]")
        .with(r"\b3\.\d+\.\d+(?:[a-z]+\d+)?\b", "[PYTHON]")
        .with(
            r"CPython \[PYTHON\] on [^`\n]*",
            "CPython [PYTHON] on [MACHINE]",
        )
        .with(r"CPython 3\.\d+ on [^:`]*?( \(|\.|\n|$)", "[TARGET]$1");
    filters.apply(&run.stderr)
}

#[test]
fn each_fault_is_refused_and_nothing_is_installed() {
    let server = IndexServer::with([WheelBuilder::new("base", "1.0").build()]);
    let environment = environment(&server);
    let good = good(&server, &environment);
    let path = environment.work().join("pylock.toml");
    for (name, place, put, arguments) in FAULTS {
        assert!(good.contains(place), "{name}: {place}");
        let mut text = if place.is_empty() {
            good.clone()
        } else {
            good.replacen(place, put, 1)
        };
        text.truncate(text.find('\0').unwrap_or(text.len()));
        fs_err::write(&path, filled(&text, &server)).unwrap();
        assert_snapshot!(*name, said(&environment, arguments));
    }
    fs_err::write(&path, filled(&good, &server)).unwrap();
    drop(environment.run(["sync"]).success());
    assert_eq!(environment.installed(), ["base-1.0"]);
}

#[test]
fn what_is_no_text_of_a_lock_at_all_is_refused() {
    let server = IndexServer::with([WheelBuilder::new("base", "1.0").build()]);
    let environment = environment(&server);
    let path = environment.work().join("pylock.toml");
    assert_snapshot!("file-missing", said(&environment, &[]));
    let texts: [(&str, &[u8]); 7] = [
        ("file-empty", b""),
        (
            "file-not-utf-8",
            b"lock-version = \"1.0\"\ncreated-by = \"\xff\"\n",
        ),
        ("file-utf-16", b"\xff\xfel\0o\0c\0k\0"),
        ("file-with-nul", b"lock-version = \"1.0\"\0\n"),
        (
            "file-with-control-characters",
            b"lock-version = \"\x1b[31m1.0\"\n",
        ),
        ("file-a-page", b"<!DOCTYPE html>\n<title>404</title>\n"),
        ("file-a-wheel", b"PK\x03\x04\x14\0\0\0"),
    ];
    for (name, bytes) in texts {
        fs_err::write(&path, bytes).unwrap();
        assert_snapshot!(name, said(&environment, &[]));
    }
    fs_err::write(&path, format!("x = {}", "[".repeat(100_000))).unwrap();
    assert_snapshot!("file-nested-deep", said(&environment, &[]));
    let marker = format!(
        "lock-version = '1.0'\ncreated-by = 'x'\nenvironments = [\"{}\"]\n",
        "(".repeat(5_000)
    );
    fs_err::write(&path, marker).unwrap();
    assert_snapshot!("marker-nested-deep", said(&environment, &[]));
    let file = fs_err::File::create(&path).unwrap();
    file.set_len(100 << 20).unwrap();
    drop(file);
    assert_snapshot!("file-too-large", said(&environment, &[]));
    fs_err::remove_file(&path).unwrap();
    fs_err::create_dir(&path).unwrap();
    assert_snapshot!("file-a-folder", said(&environment, &[]));
}
