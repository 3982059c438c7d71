//! What a lock holds beside an index's wheels: addresses, archives, repositories, folders.

use std::path::Path;
use std::process::Command;

use bnbpip_testing::{HashInPage, HostedFile, IndexServer, TestEnvironment, WheelBuilder};

use crate::{environment, lock, read};

const BACKEND: &str = include_str!("../install/backend.py");
const PYPROJECT: &str =
    "[build-system]\nrequires = []\nbuild-backend = \"backend\"\nbackend-path = [\".\"]\n";

/// The files of a project that builds itself.
fn project(name: &str) -> [(&'static str, String); 4] {
    [
        (
            "pyproject.toml",
            format!("{PYPROJECT}[project]\nname = \"{name}\"\nversion = \"1.0\"\n"),
        ),
        ("backend.py", BACKEND.to_owned()),
        (
            "build.json",
            format!("{{\"name\": \"{name}\", \"version\": \"1.0\"}}"),
        ),
        ("PKG-INFO", "Metadata-Version: 2.1\n".to_owned()),
    ]
}

fn write(name: &str, folder: &Path) {
    fs_err::create_dir_all(folder).unwrap();
    for (path, content) in project(name) {
        fs_err::write(folder.join(path), content).unwrap();
    }
}

pub(crate) fn sdist(name: &str) -> HostedFile {
    let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut builder = tar::Builder::new(gzip);
    for (path, content) in project(name) {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        let path = format!("{name}-1.0/{path}");
        builder
            .append_data(&mut header, path, content.as_bytes())
            .unwrap();
    }
    let bytes = builder.into_inner().unwrap().finish().unwrap();
    HostedFile::other(name, &format!("{name}-1.0.tar.gz"), bytes)
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=x", "-c", "user.email=x@example.org", "-C"])
        .arg(folder)
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_string()
}

fn direct_url(environment: &TestEnvironment, dist_info: &str) -> serde_json::Value {
    let folder = environment.site_packages().join(dist_info);
    serde_json::from_slice(&fs_err::read(folder.join("direct_url.json")).unwrap()).unwrap()
}

#[test]
fn what_is_asked_for_can_be_left_out() {
    let needy = WheelBuilder::new("needy", "1.0").requires("base");
    let server = IndexServer::with([needy, WheelBuilder::new("base", "1.0")].map(|it| it.build()));
    let environment = environment(&server);
    let text = lock(&environment, &["needy", "--only-deps"]);
    assert!(text.contains("name = \"base\""), "{text}");
    assert!(!text.contains("name = \"needy\""), "{text}");
}

#[test]
fn addresses_folders_and_repositories_are_locked_and_installed() {
    let server = IndexServer::with([WheelBuilder::new("base", "1.0").build()]);
    server.add(WheelBuilder::new("named", "1.0").build());
    server.add(sdist("archived"));
    server.add(sdist("chosen"));
    server.add(WheelBuilder::new("chosen", "1.0").build());
    let environment = environment(&server);
    let work = environment.work();
    write("inplace", &work.join("inplace"));
    write("copied", &work.join("copied"));
    let repository = work.join("repository");
    write("cloned", &repository);
    for arguments in [
        &["init", "-q", "-b", "main"][..],
        &["add", "."],
        &["commit", "-q", "-m", "x"],
    ] {
        git(&repository, arguments);
    }
    let commit = git(&repository, &["rev-parse", "HEAD"]);
    let named = format!("named @ {}", server.file_url("named-1.0-py3-none-any.whl"));
    let archived = server.file_url("archived-1.0.tar.gz");
    let cloned = format!("git+file://{}@main", repository.display());
    let asked = [
        "base",
        &named,
        &archived,
        &cloned,
        "./copied",
        "chosen",
        "-e",
        "./inplace",
        "--no-binary",
        "chosen",
    ];
    let text = lock(&environment, &asked);
    for part in [
        "archive = { url = \"http",
        "named-1.0-py3-none-any.whl\", size = ",
        "archived-1.0.tar.gz\", size = ",
        "sdist = { name = \"chosen-1.0.tar.gz\"",
        "directory = { path = \"copied\" }",
        "directory = { path = \"inplace\", editable = true }",
        "requested-revision = \"main\"",
        "type = \"git\", path = \"repository\"",
        &format!("commit-id = \"{commit}\""),
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(lock(&environment, &asked), text);
    drop(
        environment
            .run([&["lock", "--check"], &asked[..]].concat())
            .success(),
    );
    // The branch goes on; what is locked stays.
    fs_err::write(
        repository.join("build.json"),
        "{\"name\": \"cloned\", \"version\": \"2.0\"}",
    )
    .unwrap();
    git(&repository, &["commit", "-q", "-a", "-m", "y"]);
    drop(environment.run(["sync"]).success());
    let all = [
        "archived-1.0",
        "base-1.0",
        "chosen-1.0",
        "cloned-1.0",
        "copied-1.0",
        "inplace-1.0",
        "named-1.0",
    ];
    assert_eq!(environment.installed(), all);
    let recorded = direct_url(&environment, "cloned-1.0.dist-info");
    assert_eq!(recorded["vcs_info"]["commit_id"], commit.as_str());
    assert_eq!(recorded["vcs_info"]["requested_revision"], "main");
    assert_eq!(
        direct_url(&environment, "inplace-1.0.dist-info")["dir_info"]["editable"],
        true
    );
    assert!(direct_url(&environment, "named-1.0.dist-info")["archive_info"]["hash"].is_string());
    let chosen = environment.site_packages().join("chosen-1.0.dist-info");
    assert!(!chosen.join("direct_url.json").exists());
    // A folder that is copied may have changed; nothing else is touched.
    let run = environment.run(["sync"]).success();
    let last = run.stdout.lines().next_back();
    assert_eq!(last, Some("Successfully installed copied-1.0"));
    let built = "\nBuilding wheels for collected packages: copied\n";
    assert_eq!(run.stdout.matches(built).count(), 1, "{}", run.stdout);

    // In a resolution the lock is believed about what can have no hash, unless all must have one.
    let again = [
        "install",
        "-r",
        "pylock.toml",
        "--dry-run",
        "--force-reinstall",
    ];
    let run = environment.run(again).success();
    let last = run.stdout.lines().next_back();
    assert_eq!(last, Some(&*format!("Would install {}", all.join(" "))));
    let run = environment.run([&again[..], &["--require-hashes"]].concat());
    assert_eq!(run.code, 1);
    let said = "ERROR: Hashes are required in --require-hashes mode, but they are missing";
    assert!(run.stderr.contains(said), "{}", run.stderr);
    let named: Vec<&str> = run.stderr.matches("(from pylock.toml)").collect();
    assert_eq!(named.len(), 3, "{}", run.stderr);

    // What is edited in its place comes as any other project where it is only kept.
    drop(
        environment
            .run(["wheel", "-r", "pylock.toml", "-w", "wheels"])
            .success(),
    );
    let wheel = work.join("wheels/inplace-1.0-py3-none-any.whl");
    let wheel = fs_err::read(wheel).unwrap();
    let content = String::from_utf8_lossy(&wheel);
    assert!(content.contains("inplace.py") && !content.contains(".pth"));
    let run = environment.run(["download", "-r", "pylock.toml", "-d", "files"]);
    drop(run.success());
    assert!(work.join("files/inplace-1.0.zip").is_file());
}

#[test]
fn a_source_that_is_not_what_the_lock_says_is_refused_before_it_is_built() {
    let server = IndexServer::start();
    server.add(sdist("archived"));
    let environment = environment(&server);
    let good = lock(&environment, &[&server.file_url("archived-1.0.tar.gz")]);
    let path = environment.work().join("pylock.toml");
    let refused = |from: &str, to: &str, said: &str| {
        assert!(good.contains(from), "{good}");
        fs_err::write(&path, good.replace(from, to)).unwrap();
        let run = environment.run(["sync"]);
        assert_eq!(run.code, 1, "{}", run.stderr);
        assert!(run.stderr.contains(said), "{}", run.stderr);
        assert!(!run.stderr.contains("Building"), "{}", run.stderr);
        assert!(environment.installed().is_empty());
    };
    refused("size = ", "size = 9", "bytes, and the lock says 9");
    refused("sha256 = \"", "sha256 = \"0000", "Failed to read the lock");
    let start = good.find("sha256 = \"").unwrap() + 10;
    let digest = &good[start..start + 64];
    refused(digest, &"0".repeat(64), "sha256 should be");
    refused(
        "\nversion = \"1.0\"",
        "\nversion = \"2.0\"",
        "it has version 1.0, and the lock says 2.0",
    );
}

#[test]
fn a_release_that_has_nothing_else_is_locked_as_its_source_distribution() {
    let server = IndexServer::start();
    server.add(sdist("chosen"));
    // Whoever builds for no platform builds for all.
    let old = WheelBuilder::new("chosen", "1.0").tag("py2-none-any");
    server.add(old.build());
    // That the project has wheels by now doesn't matter to who needs the old release.
    server.add(WheelBuilder::new("chosen", "2.0").build());
    let environment = environment(&server);
    let both = ["--environment", "windows", "--environment", "linux"];
    drop(lock(&environment, &[&both[..], &["chosen<2"]].concat()));
    assert!(read(&environment).contains("sdist = { name = \"chosen-1.0.tar.gz\""));
    assert_eq!(read(&environment).matches("[[packages]]").count(), 1);
    drop(environment.run(["sync"]).success());
    assert_eq!(environment.installed(), ["chosen-1.0"]);
    let run = environment.run(["lock", "chosen<2", "--only-binary", ":all:"]);
    assert_eq!(run.code, 1, "{}", run.stdout);
}

/// Their source distribution would be built for Windows, where it never was.
#[test]
fn what_has_wheels_for_others_is_not_locked_as_a_source_distribution() {
    let server = IndexServer::start();
    let linux = |version: &str| {
        let wheel = WheelBuilder::new("chosen", version);
        wheel.tag("py3-none-manylinux_2_17_x86_64").build()
    };
    server.add(sdist("chosen"));
    server.add(linux("2.0"));
    let environment = environment(&server);
    let windows = ["lock", "chosen", "--environment", "windows"];
    // The older release is what its project has left behind.
    let run = environment.run(windows).failure();
    let told = "chosen 1.0 has no wheel, only a source distribution";
    assert!(run.stderr.contains(told), "{}", run.stderr);
    let told = "chosen 2.0 has wheels for manylinux_2_17_x86_64";
    assert!(run.stderr.contains(told), "{}", run.stderr);
    drop(lock(&environment, &["chosen", "--environment", "linux"]));
    assert!(read(&environment).contains("version = \"2.0\""));
    server.add(linux("1.0"));
    let asked = [
        "chosen==1.0",
        "--environment",
        "windows",
        "--upgrade",
        "--refresh-package",
        "chosen",
    ];
    let run = environment.run([&["lock"], &asked[..]].concat()).failure();
    assert!(!run.stderr.contains("only a source"), "{}", run.stderr);
    drop(lock(
        &environment,
        &[&asked[..], &["--no-binary", "chosen"]].concat(),
    ));
    assert!(read(&environment).contains("sdist = { "));
}

#[test]
fn what_a_page_names_without_a_hash_is_locked_with_one() {
    let wheel = || HostedFile::from(WheelBuilder::new("lonely", "1.0").build());
    let server = IndexServer::with([wheel().hash(HashInPage::Missing)]);
    let environment = environment(&server);
    let page = server.flat_url();
    let text = lock(
        &environment,
        &["lonely", "--no-index", "--find-links", &page],
    );
    assert!(text.contains(&format!("index = \"{page}\"")), "{text}");
    let links = environment.work().join("links");
    fs_err::create_dir(&links).unwrap();
    let built = WheelBuilder::new("lonely", "1.0").build();
    built.write_to(&links);
    let of_folder = lock(
        &environment,
        &["lonely", "--no-index", "--find-links", "links"],
    );
    let path = "path = \"links/lonely-1.0-py3-none-any.whl\", size = ";
    assert!(of_folder.contains(path), "{of_folder}");
    for text in [&text, &of_folder] {
        assert!(text.contains("hashes = { sha256 = \""), "{text}");
    }
    drop(environment.run(["sync"]).success());
    assert_eq!(environment.installed(), ["lonely-1.0"]);
}
