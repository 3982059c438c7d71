//! `audit`: known vulnerabilities of what is installed or locked, from an export of the database.

use std::io::Write as _;

use bnbpip_testing::{HostedFile, IndexServer, TestEnvironment, WheelBuilder};
use insta::assert_snapshot;

use super::environment;

/// Two databases about one vulnerability, one about another, one that was withdrawn, and one about
/// another ecosystem's package of the same name.
const ADVISORIES: &[(&str, &str)] = &[
    (
        "PYSEC-2026-1.json",
        r#"{"id": "PYSEC-2026-1", "aliases": ["CVE-2026-0001"],
            "details": "Base reads any file.\nAll versions since 1.0 do.",
            "affected": [{"package": {"ecosystem": "PyPI", "name": "base"},
                "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "1.0"}, {"fixed": "1.5"}]}]}]}"#,
    ),
    (
        "GHSA-aaaa-bbbb-cccc.json",
        r#"{"id": "GHSA-aaaa-bbbb-cccc", "aliases": ["CVE-2026-0001"], "summary": "Files leak",
            "database_specific": {"severity": "HIGH"},
            "affected": [{"package": {"ecosystem": "PyPI", "name": "Base"}, "versions": ["1.0"],
                "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.6"}]}]}]}"#,
    ),
    (
        "more/GHSA-dddd-eeee-ffff.json",
        r#"{"id": "GHSA-dddd-eeee-ffff", "summary": "Leaf falls\u001b[31m",
            "affected": [{"package": {"ecosystem": "PyPI", "name": "leaf"}, "versions": ["1.0"]}]}"#,
    ),
    (
        "PYSEC-2026-2.json",
        r#"{"id": "PYSEC-2026-2", "withdrawn": "2026-02-01T00:00:00Z",
            "affected": [{"package": {"ecosystem": "PyPI", "name": "base"}, "versions": ["1.0"]}]}"#,
    ),
    (
        "GHSA-gggg.json",
        r#"{"id": "GHSA-gggg", "affected": [{"package": {"ecosystem": "npm", "name": "base"},
            "versions": ["1.0"]}]}"#,
    ),
];

fn folder(environment: &TestEnvironment) {
    for (name, text) in ADVISORIES {
        let path = environment.work().join("osv").join(name);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    }
}

fn installed() -> TestEnvironment {
    let environment = environment(&IndexServer::start());
    for name in ["base", "leaf", "sound"] {
        environment.install_by_hand(&WheelBuilder::new(name, "1.0"));
    }
    folder(&environment);
    environment
}

fn audit(environment: &TestEnvironment, arguments: &[&str]) -> String {
    let run = environment.run([&["audit"], arguments].concat());
    run.snapshot(&environment.filters())
}

#[test]
fn what_is_installed_is_looked_up_and_each_vulnerability_told_once() {
    let environment = installed();
    assert_snapshot!(audit(&environment, &["--db", "osv"]));
    assert_snapshot!(audit(&environment, &["--db", "osv", "--json"]));
}

#[test]
fn a_list_of_what_is_ignored_counts_until_its_day() {
    let environment = installed();
    let config = environment.work().join("bnbpip.toml");
    let text = "[audit]\ndb = 'osv'\n\n[[audit.ignore]]\nid = 'cve-2026-0001'\n\
                reason = 'no files there'\nuntil = 2999-12-31\n";
    fs_err::write(&config, text).unwrap();
    assert_snapshot!(audit(&environment, &[]));
    let all = audit(&environment, &["--ignore-vuln", "GHSA-dddd-eeee-ffff"]);
    assert!(
        all.contains("exit code: 0\n") && all.contains("in 3 packages (2 ignored)"),
        "{all}"
    );
    fs_err::write(&config, text.replace("2999-12-31", "'2001-12-31'")).unwrap();
    assert_snapshot!(audit(&environment, &[]));
    for (place, put, said) in [
        (
            "2999-12-31",
            "'soon'",
            "`soon` is not a day such as 2026-12-31",
        ),
        ("2999-12-31", "3", "a day is written as 2026-12-31"),
        ("reason = 'no files there'\n", "", "missing field `reason`"),
        ("until = 2999-12-31\n", "", "missing field `until`"),
        (
            "[[audit.ignore]]",
            "[[audit.ignored]]",
            "unknown field `ignored`",
        ),
    ] {
        fs_err::write(&config, text.replace(place, put)).unwrap();
        let run = environment.run(["audit"]);
        assert_eq!(run.code, 3, "{}", run.stderr);
        assert!(run.stderr.contains(said), "{}", run.stderr);
    }
}

#[test]
fn a_lock_is_looked_at_with_all_its_versions() {
    let environment = installed();
    let file = |name: &str, version: &str| {
        format!(
            "[[packages]]\nname = '{name}'\nversion = '{version}'\nwheels = [{{ path = \
             '{name}-{version}-py3-none-any.whl', hashes = {{ sha256 = '{}' }} }}]\n",
            "0".repeat(64)
        )
    };
    let head = "lock-version = '1.0'\ncreated-by = 'x'\n";
    let text = [
        head,
        &file("base", "1.5"),
        &file("base", "1.6+cu128"),
        &file("leaf", "2.0"),
    ]
    .concat();
    fs_err::write(environment.work().join("pylock.toml"), text).unwrap();
    assert_snapshot!(audit(&environment, &["pylock.toml", "--db", "osv"]));
}

/// Records with all that those of the public database have.
const WHOLE: &[(&str, &str)] = &[
    (
        "GHSA-2222-3333-4444.json",
        r#"{"schema_version": "1.4.0", "id": "GHSA-2222-3333-4444", "modified": "2026-03-02T10:00:00.123456Z",
            "published": "2026-03-01T10:00:00Z", "aliases": ["CVE-2026-1234", "PYSEC-2026-7"], "related": ["CGA-x"],
            "upstream": [], "summary": "Base runs what it is sent", "details": "Impact\n\nAll of it.",
            "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"},
                {"type": "CVSS_V4", "score": "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"}],
            "affected": [
                {"package": {"ecosystem": "PyPI", "name": "base", "purl": "pkg:pypi/base"},
                 "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0.9"}, {"fixed": "1.0.1"}],
                    "database_specific": {"last_known_affected_version_range": "<= 1.0"}}],
                 "versions": ["0.9", "0.9-dev_x", "1.0"], "ecosystem_specific": {}, "database_specific":
                    {"source": "https://example.org/GHSA-2222-3333-4444.json"}},
                {"package": {"ecosystem": "PyPI", "name": "base"},
                 "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "2.0rc1"}, {"last_affected": "2.3"}]}]}],
            "references": [{"type": "WEB", "url": "https://example.org"}], "credits": [{"name": "N", "type": "FINDER"}],
            "database_specific": {"cwe_ids": ["CWE-94"], "severity": "CRITICAL", "github_reviewed": true,
                "github_reviewed_at": "2026-03-01T10:00:00Z", "nvd_published_at": null}}"#,
    ),
    (
        "PYSEC-2026-7.json",
        r#"{"id": "PYSEC-2026-7", "modified": "2026-03-02T10:00:00Z", "published": "2026-03-01T10:00:00Z",
            "aliases": ["CVE-2026-1234", "GHSA-2222-3333-4444"], "summary": null,
            "details": "An issue in base.", "withdrawn": null,
            "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
            "affected": [{"package": {"name": "base", "ecosystem": "PyPI", "purl": "pkg:pypi/base"},
                "ranges": [
                    {"type": "GIT", "repo": "https://example.org/base.git", "events": [{"introduced": "0"},
                        {"fixed": "9c3b3ab5cd2b5a2e5b0f0ad2fe0b4a8a8f3f3b0e"}]},
                    {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.0.2"}]}],
                "versions": ["0.1", "0.9", "1.0", "1.0.1"], "database_specific": null}],
            "references": [{"type": "FIX", "url": "https://example.org/fix"}]}"#,
    ),
    (
        "MAL-2026-10.json",
        r#"{"schema_version": "1.5.0", "id": "MAL-2026-10", "aliases": null, "summary": "Malicious code in leaf (PyPI)",
            "details": "\n---\nIt sends what it finds.", "severity": [],
            "affected": [{"package": {"ecosystem": "PyPI", "name": "leaf"}, "ranges": null, "versions": ["1.0"],
                "database_specific": {"cwes": [{"cweId": "CWE-506"}]}}],
            "database_specific": {"malicious-packages-origins": [{"source": "x", "sha256": "00",
                "import_time": "2026-03-01T10:00:00Z", "versions": ["1.0"]}]}}"#,
    ),
];

#[test]
fn records_of_the_public_database_are_read_with_all_that_they_have() {
    let environment = environment(&IndexServer::start());
    for name in ["base", "leaf", "sound"] {
        environment.install_by_hand(&WheelBuilder::new(name, "1.0"));
    }
    let folder = environment.work().join("osv");
    fs_err::create_dir_all(&folder).unwrap();
    for (name, text) in WHOLE {
        fs_err::write(folder.join(name), text).unwrap();
    }
    assert_snapshot!(audit(&environment, &["--db", "osv"]));
}

#[test]
fn the_database_can_be_an_archive_an_address_or_one_file() {
    let environment = installed();
    let path = environment.work().join("all.zip");
    let mut archive = zip::ZipWriter::new(fs_err::File::create(&path).unwrap().into_parts().0);
    for (name, text) in ADVISORIES {
        let options = zip::write::SimpleFileOptions::default();
        archive
            .start_file(name.replace("more/", ""), options)
            .unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    archive.finish().unwrap();
    let of_folder = audit(&environment, &["--db", "osv"]);
    assert_eq!(audit(&environment, &["--db", "all.zip"]), of_folder);
    let server = IndexServer::start();
    let mut hosted = HostedFile::from(WheelBuilder::new("all", "1").build());
    hosted.filename = "all.zip".into();
    hosted.bytes = fs_err::read(&path).unwrap().into();
    server.add(hosted);
    let address = server.file_url("all.zip");
    assert_eq!(audit(&environment, &["--db", &address]), of_folder);
    let one = audit(&environment, &["--db", "osv/PYSEC-2026-1.json"]);
    assert!(
        one.contains("Found 1 known vulnerability in 1 package"),
        "{one}"
    );
}

#[test]
fn a_database_that_cannot_be_read_is_told() {
    let environment = installed();
    let work = environment.work();
    fs_err::create_dir(work.join("none")).unwrap();
    fs_err::write(work.join("bad.json"), "{\"id\": 3}").unwrap();
    fs_err::write(work.join("bad.zip"), b"PK\x03\x04").unwrap();
    let said = |arguments: &[&str]| {
        let run = environment.run([&["audit"], arguments].concat());
        assert_eq!((run.code, run.stdout.as_str()), (1, ""));
        environment.filters().apply(&run.stderr)
    };
    assert_snapshot!(said(&[]));
    assert_snapshot!(said(&["--db", "none"]));
    assert_snapshot!(said(&["--db", "missing"]));
    assert_snapshot!(said(&["--db", "bad.json"]));
    assert_snapshot!(said(&["--db", "bad.zip"]));
}
