//! What has to be built first: sdists of the index, archives, folders, repositories. The backend
//! lies in the project itself, so that nothing else is needed.

use std::path::{Path, PathBuf};
use std::process::Command;

use bnbpip_testing::{HostedFile, IndexServer, Run, TestEnvironment, WheelBuilder};
use insta::assert_snapshot;

use crate::support::{environment, index, last_line, listing};

const BACKEND: &str = include_str!("backend.py");
const PYPROJECT: &str =
    "[build-system]\nrequires = []\nbuild-backend = \"backend\"\nbackend-path = [\".\"]\n";

/// The files of a project that builds itself. `more` are further members of `build.json`.
pub(crate) fn project(name: &str, version: &str, more: &str) -> Vec<(String, String)> {
    let comma = if more.is_empty() { "" } else { ", " };
    let said = format!("{{\"name\": \"{name}\", \"version\": \"{version}\"{comma}{more}}}");
    vec![
        ("pyproject.toml".into(), PYPROJECT.into()),
        ("backend.py".into(), BACKEND.into()),
        ("build.json".into(), said),
        ("PKG-INFO".into(), "Metadata-Version: 2.1\n".into()),
    ]
}

pub(crate) fn write(files: &[(String, String)], folder: &Path) {
    fs_err::create_dir_all(folder).unwrap();
    for (path, content) in files {
        fs_err::write(folder.join(path), content).unwrap();
    }
}

pub(crate) fn sdist(top: &str, files: &[(String, String)]) -> Vec<u8> {
    let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut builder = tar::Builder::new(gzip);
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        let path = format!("{top}/{path}");
        builder
            .append_data(&mut header, path, content.as_bytes())
            .unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

pub(crate) fn served(server: &IndexServer, name: &str, version: &str, more: &str) {
    let top = format!("{name}-{version}");
    let bytes = sdist(&top, &project(name, version, more));
    server.add(HostedFile::other(name, &format!("{top}.tar.gz"), bytes));
}

pub(crate) fn shown(environment: &TestEnvironment, run: &Run) -> String {
    let filters = environment
        .filters()
        .with(r"Python \d+\.\d+\.\d+", "Python [VERSION]")
        .with(r"Target .* on .*", "Target [PYTHON]")
        .with(r"Stored in directory: .*", "Stored in directory: [FOLDER]")
        .with(r"size=\d+ sha256=[0-9a-f]+", "size=[N] sha256=[HASH]")
        .with(r"exit (?:status|code): 1", "exit code: 1");
    run.snapshot(&filters)
}

pub(crate) fn direct_url(environment: &TestEnvironment, dist_info: &str) -> serde_json::Value {
    let path = environment
        .site_packages()
        .join(dist_info)
        .join("direct_url.json");
    serde_json::from_slice(&fs_err::read(path).unwrap()).unwrap()
}

pub(crate) fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=x", "-c", "user.email=x@example.org"])
        .arg("-C")
        .arg(folder)
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_string()
}

#[test]
fn an_sdist_of_the_index_is_built_once() {
    let server = index();
    served(&server, "src", "1.0", "\"requires\": [\"base<2\"]");
    let first = environment(&server);
    let run = first.run(["install", "src"]).success();
    assert_snapshot!(shown(&first, &run));
    assert_eq!(first.installed(), ["base-1.5", "src-1.0"]);
    let info = first.site_packages().join("src-1.0.dist-info");
    assert!(!info.join("direct_url.json").exists());
    // Again from the cache: neither downloaded nor built.
    drop(first.run(["uninstall", "-y", "src"]).success());
    server.forget_requests();
    let run = first.run(["install", "src"]).success();
    assert!(!run.stderr.contains("Building"), "{}", run.stderr);
    assert_eq!(last_line(&run.stdout), "Successfully installed src-1.0");
    // Nothing is left in the temporary folder.
    assert_eq!(listing(&first.root().join("tmp")), [""; 0]);
}

/// What the index calls 1.0 makes a 7.0: neither is what was asked for.
#[test]
fn a_source_of_another_version_than_its_name_says() {
    let server = index();
    let bytes = sdist("src-1.0", &project("src", "7.0", ""));
    server.add(HostedFile::other("src", "src-1.0.tar.gz", bytes));
    let environment = environment(&server);
    // The second run finds what the first has built.
    for _ in 0..2 {
        let run = environment.run(["install", "src"]).failure();
        let message = "ERROR: Failed to build `src 1.0`: its backend made `src-7.0-";
        assert!(run.stderr.contains(message), "{}", run.stderr);
        assert_eq!(environment.installed(), [""; 0]);
    }
}

#[test]
fn what_a_build_needs_is_installed_for_it_alone() {
    let server = index();
    served(
        &server,
        "src",
        "1.0",
        "\"build_requires\": [\"tool\", \"base<2\"], \"imports\": [\"tool\"]",
    );
    let environment = environment(&server);
    drop(environment.run(["install", "src"]).success());
    assert_eq!(environment.installed(), ["src-1.0"]);
}

#[test]
fn wheels_come_before_sources_of_the_same_version() {
    let server = index();
    server.add(WheelBuilder::new("both", "1.0").build());
    served(&server, "both", "1.0", "");
    served(&server, "both", "2.0", "");
    let environment = environment(&server);
    let run = environment.run(["install", "both==1.0"]).success();
    assert!(!run.stderr.contains("Building"), "{}", run.stderr);
    let run = environment
        .run(["install", "-U", "both", "--prefer-binary", "--dry-run"])
        .success();
    assert!(!run.stdout.contains("2.0"), "{}", run.stdout);
    let run = environment
        .run(["install", "-U", "both", "--only-binary", ":all:"])
        .success();
    assert!(!run.stdout.contains("2.0"), "{}", run.stdout);
    drop(environment.run(["install", "-U", "both"]).success());
    assert_eq!(environment.installed(), ["both-2.0"]);
    let run = environment
        .run(["install", "both==1.0", "--no-binary", "both"])
        .success();
    assert!(run.stderr.contains("Building both 1.0 from source"));
}

#[test]
fn a_failed_build_shows_the_backends_words() {
    let server = index();
    served(&server, "broken", "1.0", "\"fails\": \"module.c:1: error\"");
    let environment = environment(&server);
    let run = environment.run(["install", "broken"]);
    assert_snapshot!(shown(&environment, &run));
    assert_eq!(environment.installed(), [""; 0]);
}

/// A compiler may be missing here that installing would need, and resolving doesn't.
#[test]
fn where_nothing_is_built_a_failed_backend_gives_way_to_what_was_packed() {
    let server = index();
    let mut files = project("src", "1.0", "\"unprepared\": \"no krb5-config\"");
    for (name, text) in [
        (
            "PKG-INFO",
            "Metadata-Version: 2.1\nName: src\nVersion: 1.0\n",
        ),
        ("SOURCES.txt", "setup.py\n"),
        ("requires.txt", "base<2\n"),
    ] {
        files.push((format!("src.egg-info/{name}"), text.to_owned()));
    }
    let bytes = sdist("src-1.0", &files);
    server.add(HostedFile::other("src", "src-1.0.tar.gz", bytes));
    let environment = environment(&server);
    let run = environment.run(["install", "--dry-run", "src"]).success();
    assert_eq!(last_line(&run.stdout), "Would install base-1.5 src-1.0");
    let said = "what `src 1.0` requires is taken from what it was packed with";
    assert!(run.stderr.contains(said), "{}", run.stderr);
    let locking = ["lock", "--no-binary", "src", "src", "-o", "pylock.toml"];
    drop(environment.run(locking).success());
    let run = environment.run(["install", "src"]).failure();
    assert!(run.stderr.contains("no krb5-config"), "{}", run.stderr);
    assert!(!run.stderr.contains(said), "{}", run.stderr);
    assert_eq!(environment.installed(), [""; 0]);
}

#[test]
fn of_endless_output_the_end_is_kept() {
    let server = index();
    let more = "\"noise\": 3000000, \"fails\": \"error: no compiler\"";
    served(&server, "native", "1.0", more);
    let environment = environment(&server);
    let run = environment.run(["install", "native"]).failure();
    let shown = format!("{}{}", run.stdout, run.stderr);
    assert!(shown.contains("error: no compiler"), "{}", run.stderr.len());
    assert!(shown.contains("earlier bytes are left out]"));
    assert!(!shown.contains("first words"));
}

#[test]
fn a_build_may_need_only_so_much() {
    let server = index();
    served(&server, "needy", "1.0", "\"many_requires\": 5001");
    let requires = "[build-system]\nrequires = [REQUIRES]\n";
    let requires = requires.replace("REQUIRES", &"\"x\",".repeat(5_001));
    let files = [("pyproject.toml".to_owned(), requires)];
    let bytes = sdist("listing-1.0", &files);
    server.add(HostedFile::other("listing", "listing-1.0.tar.gz", bytes));
    let environment = environment(&server);
    let run = environment.run(["install", "needy"]).failure();
    assert!(
        run.stderr
            .contains("5001 requirements, and at most 5000 are taken"),
        "{}",
        run.stderr
    );
    let run = environment.run(["install", "listing"]).failure();
    assert!(
        run.stderr
            .contains("`build-system.requires` has more than 5000 entries"),
        "{}",
        run.stderr
    );
}

#[test]
fn builds_that_want_torch_get_a_hint() {
    let server = index();
    served(&server, "wants", "1.0", "\"imports\": [\"torch\"]");
    let environment = environment(&server);
    let run = environment.run(["install", "wants"]);
    assert_eq!(run.code, 1);
    assert!(
        run.stderr.contains("build with `--no-build-isolation`"),
        "{}",
        run.stderr
    );
}

#[test]
fn settings_reach_the_backend() {
    let server = index();
    served(&server, "src", "1.0", "");
    let environment = environment(&server);
    let line = "install src --config-settings a=1 -C a=2 --config-setting=b=x";
    drop(environment.run(line.split(' ')).success());
    let run = environment.python("import src; print(src.built_with)");
    assert_eq!(run.stdout.trim(), "{'a': ['1', '2'], 'b': 'x'}");
}

#[test]
fn without_isolation_the_environment_has_to_have_it() {
    let server = index();
    served(
        &server,
        "src",
        "1.0",
        "\"imports\": [\"tool\"], \"build_requires\": [\"unknown-to-all\"]",
    );
    let environment = environment(&server);
    let line = ["install", "src", "--no-build-isolation"];
    let run = environment.run(line);
    assert!(
        run.stderr.contains("No module named 'tool'"),
        "{}",
        run.stderr
    );
    drop(environment.run(["install", "tool"]).success());
    drop(environment.run(line).success());
    assert_eq!(environment.installed(), ["src-1.0", "tool-1.0"]);
}

#[test]
fn a_pure_wheel_of_a_build_without_isolation_will_do() {
    let server = index();
    served(
        &server,
        "src",
        "1.0",
        "\"build_requires\": [\"unknown-to-all\"]",
    );
    let environment = environment(&server);
    assert_eq!(environment.run(["wheel", "src"]).code, 1);
    let line = ["wheel", "--no-build-isolation", "src"];
    drop(environment.run(line).success());
    let run = environment.run(["wheel", "src", "-w", "again"]).success();
    assert!(!run.stdout.contains("Building wheel"), "{}", run.stdout);
    assert_eq!(
        listing(&environment.work().join("again")),
        ["src-1.0-py3-none-any.whl"]
    );
}

#[test]
fn a_wheel_that_can_not_be_put_down_was_built_all_the_same() {
    let server = index();
    served(&server, "src", "1.0", "");
    let environment = environment(&server);
    let place = environment.work().join("house/src-1.0-py3-none-any.whl/x");
    fs_err::create_dir_all(place).unwrap();
    let run = environment.run(["wheel", "-w", "house", "src"]).failure();
    assert_eq!(last_line(&run.stdout), "Successfully built src");
    let said = "ERROR: Failed to copy built wheel src-1.0-py3-none-any.whl to ";
    assert!(run.stderr.contains(said), "{}", run.stderr);
}

#[test]
fn builds_keep_to_their_constraints() {
    let server = index();
    served(&server, "src", "1.0", "\"build_requires\": [\"base>=2\"]");
    let environment = environment(&server);
    fs_err::write(environment.work().join("c.txt"), "base<2\n").unwrap();
    let run = environment.run(["install", "src", "--build-constraint", "c.txt"]);
    assert_eq!(run.code, 1);
    assert!(
        run.stderr
            .contains("Failed to install what the build of `src 1.0` needs"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("-c c.txt (line 1)"), "{}", run.stderr);
    let said = "Failed to build 'src' when installing build dependencies for src";
    assert!(run.stderr.contains(said), "{}", run.stderr);
}

#[test]
fn the_step_that_failed_is_told_as_pip_tells_it() {
    let environment = environment(&index());
    let files = project("src", "1.0", "\"build_requires\": 5");
    write(&files, &environment.work().join("src"));
    let address = url::Url::from_file_path(environment.work().join("src")).unwrap();
    let named = format!("src @ {address}");
    for (asked, name) in [("./src", address.as_str()), (&*named, "src")] {
        let stderr = environment.run(["install", asked]).failure().stderr;
        let said = format!("Failed to build '{name}' when getting requirements to build wheel");
        assert!(stderr.contains(&said), "{stderr}");
    }
}

#[test]
fn wheels_into_a_folder() {
    let server = index();
    served(&server, "src", "1.0", "\"requires\": [\"base<2\"]");
    let environment = environment(&server);
    let run = environment.run(["wheel", "-w", "house", "src"]).success();
    for said in ["Collecting src\n", "Collecting base<2 (from src)\n"] {
        assert!(run.stdout.contains(said), "{}", run.stdout);
    }
    assert_eq!(last_line(&run.stdout), "Successfully built src");
    let house = environment.work().join("house");
    assert_eq!(
        listing(&house),
        ["base-1.5-py3-none-any.whl", "src-1.0-py3-none-any.whl"]
    );
    assert_eq!(environment.installed(), [""; 0]);
    let line = "install --no-index -f house src";
    drop(environment.run(line.split(' ')).success());
    assert_eq!(environment.installed(), ["base-1.5", "src-1.0"]);
}

#[test]
fn a_folder() {
    let server = index();
    let environment = environment(&server);
    let folder = environment.work().join("here");
    write(
        &project("local", "1.0", "\"requires\": [\"base==1.5\"]"),
        &folder,
    );
    let run = environment.run(["install", "./here"]).success();
    // pip, too, writes the folder as the system does.
    assert_snapshot!(shown(&environment, &run).replace(r".\here", "./here"));
    assert_eq!(environment.installed(), ["base-1.5", "local-1.0"]);
    let url = url::Url::from_file_path(&folder).unwrap().to_string();
    assert_eq!(
        direct_url(&environment, "local-1.0.dist-info"),
        serde_json::json!({"url": url, "dir_info": {}})
    );
    // It may have changed: it is built again.
    write(&project("local", "1.1", ""), &folder);
    let run = environment.run(["install", "./here"]).success();
    assert_eq!(last_line(&run.stdout), "Successfully installed local-1.1");
}

#[test]
fn in_place() {
    let server = index();
    let environment = environment(&server);
    let folder = environment.work().join("here");
    write(&project("local", "1.0", ""), &folder);
    fs_err::write(folder.join("fresh.py"), "x = 41\n").unwrap();
    drop(environment.run(["install", "-e", "here"]).success());
    fs_err::write(folder.join("fresh.py"), "x = 42\n").unwrap();
    let run = environment.python("import fresh; print(fresh.x)");
    assert_eq!(run.stdout.trim(), "42");
    let url = url::Url::from_file_path(&folder).unwrap().to_string();
    assert_eq!(
        direct_url(&environment, "local-1.0.dist-info"),
        serde_json::json!({"url": url, "dir_info": {"editable": true}})
    );
    let run = environment.run(["list", "-e"]).success();
    assert!(run.stdout.contains("local"), "{}", run.stdout);
    let run = environment.run(["freeze"]).success();
    assert_eq!(last_line(&run.stdout), format!("-e {}", folder.display()));
    // The same by a requirements file, or with a name.
    fs_err::write(environment.work().join("r.txt"), "-e ./here\n").unwrap();
    drop(environment.run(["install", "-r", "r.txt"]).success());
    let named = format!("local @ {url}");
    fs_err::write(
        environment.work().join("n.txt"),
        format!("-e {named} -C a=1\n"),
    )
    .unwrap();
    for line in [["install", "-e", &named], ["install", "-r", "n.txt"]] {
        drop(environment.run(["uninstall", "-y", "local"]).success());
        drop(environment.run(line).success());
        let run = environment.run(["freeze"]).success();
        assert_eq!(last_line(&run.stdout), format!("-e {}", folder.display()));
    }
    // Then it becomes an ordinary one.
    drop(environment.run(["install", "./here"]).success());
    let run = environment.run(["freeze"]).success();
    assert_eq!(last_line(&run.stdout), format!("local @ {url}"));
}

#[test]
fn archives() {
    let server = index();
    served(&server, "src", "1.0", "");
    let environment = environment(&server);
    let bytes = sdist("some-branch", &project("named_inside", "3.0", ""));
    let digest = bnbpip_testing::sha256_hex(&bytes);
    fs_err::write(environment.work().join("main.tar.gz"), &bytes).unwrap();
    let address = server.file_url("src-1.0.tar.gz");
    let remote = format!("src @ {address}");
    drop(
        environment
            .run(["install", "./main.tar.gz", &remote])
            .success(),
    );
    assert_eq!(environment.installed(), ["named_inside-3.0", "src-1.0"]);
    let recorded = direct_url(&environment, "named_inside-3.0.dist-info");
    assert_eq!(
        recorded["archive_info"]["hashes"]["sha256"].as_str(),
        Some(digest.as_str())
    );
    // A wrong digest: no code of it is run.
    let wrong = format!("./main.tar.gz --hash=sha256:{}\n", "0".repeat(64));
    fs_err::write(environment.work().join("r.txt"), wrong).unwrap();
    let run = environment.run(["install", "-r", "r.txt"]);
    assert_eq!(run.code, 1);
    assert!(!run.stderr.contains("Building"), "{}", run.stderr);
}

#[test]
fn repositories() {
    let server = index();
    let environment = environment(&server);
    let repository: PathBuf = environment.work().join("repository");
    write(&project("versioned", "1.0", ""), &repository.join("part"));
    git(&environment.work(), &["init", "-q", "repository"]);
    git(&repository, &["add", "."]);
    git(&repository, &["commit", "-q", "-m", "one"]);
    git(&repository, &["tag", "v1"]);
    let commit = git(&repository, &["rev-parse", "HEAD"]);
    write(&project("versioned", "2.0", ""), &repository.join("part"));
    git(&repository, &["commit", "-q", "-a", "-m", "two"]);
    let file = url::Url::from_file_path(&repository).unwrap().to_string();
    let address = format!("git+{file}@v1#subdirectory=part");
    drop(environment.run(["install", &address]).success());
    assert_eq!(environment.installed(), ["versioned-1.0"]);
    assert_eq!(
        direct_url(&environment, "versioned-1.0.dist-info"),
        serde_json::json!({
            "url": file,
            "vcs_info": {"vcs": "git", "commit_id": commit, "requested_revision": "v1"},
            "subdirectory": "part",
        })
    );
    let run = environment.run(["freeze"]).success();
    assert_eq!(
        last_line(&run.stdout),
        format!("versioned @ git+{file}@{commit}#subdirectory=part")
    );
    let newest = format!("versioned @ git+{file}#subdirectory=part");
    drop(environment.run(["install", &newest]).success());
    assert_eq!(environment.installed(), ["versioned-2.0"]);
    let run = environment.run(["install", &format!("git+{file}@nothing#subdirectory=part")]);
    assert_eq!(run.code, 1);
    assert!(
        run.stderr.contains("Failed to find the revision `nothing`"),
        "{}",
        run.stderr
    );
}

#[test]
fn nothing_is_built_for_another_platform_or_against_the_users_word() {
    let server = index();
    served(&server, "src", "1.0", "");
    let environment = environment(&server);
    let run = environment.run([
        "install",
        "src",
        "--dry-run",
        "--python-platform",
        "windows",
    ]);
    assert_eq!(run.code, 1);
    assert_snapshot!(shown(&environment, &run));
}

#[test]
fn freeze_names_the_projects_folder_not_that_of_its_packages() {
    let environment = environment(&index());
    let work = environment.work();
    let (origin, checkout) = (work.join("origin"), work.join("checkout"));
    fs_err::create_dir_all(origin.join("part")).unwrap();
    fs_err::write(origin.join("part/setup.py"), "").unwrap();
    git(&origin, &["init", "-q"]);
    git(&origin, &["add", "."]);
    git(&origin, &["commit", "-q", "-m", "a"]);
    git(&work, &["clone", "-q", "origin", "checkout"]);
    let packages = checkout.join("part/src");
    fs_err::create_dir_all(packages.join("old.egg-info")).unwrap();
    let info = packages.join("old.egg-info/PKG-INFO");
    fs_err::write(info, "Name: old\nVersion: 1.0\n").unwrap();
    let link = environment.site_packages().join("old.egg-link");
    fs_err::write(link, format!("{}\n../", packages.display())).unwrap();
    let stdout = environment.run(["freeze"]).success().stdout;
    assert!(stdout.ends_with("#egg=old&subdirectory=part\n"), "{stdout}");
}
