//! `download`: files in a folder, wheels and source distributions as they are.

use bnbpip_testing::{HostedFile, Run, TestEnvironment, WheelBuilder, sha256_hex};
use insta::assert_snapshot;

use crate::sources;
use crate::support::{environment, index, last_line, listing};

fn shown(environment: &TestEnvironment, run: &Run) -> String {
    run.snapshot(&environment.filters()).replace('\\', "/")
}

#[test]
fn files_come_with_what_they_need_and_once() {
    let server = index();
    let environment = environment(&server);
    let download = ["download", "top", "-d", "wheels", "--progress-bar", "off"];
    let run = environment.run(download).success();
    // Which file arrives first is open.
    let stdout = environment.filters().apply(&run.stdout);
    let mut lines: Vec<&str> = stdout.lines().collect();
    lines.sort_unstable();
    assert_snapshot!(lines.join("\n").replace('\\', "/"));
    assert_eq!(run.stderr, "");
    let folder = environment.work().join("wheels");
    let files = ["base-2.0-py3-none-any.whl", "top-2.0-py3-none-any.whl"];
    assert_eq!(listing(&folder), files);
    assert_eq!(environment.installed(), [""; 0]);
    // Again: nothing is fetched; what was changed meanwhile is put right.
    fs_err::write(folder.join(files[0]), "changed").unwrap();
    server.forget_requests();
    let run = environment.run(download).success();
    assert_eq!(server.requests_for(".whl").len(), 0);
    assert_snapshot!(shown(&environment, &run));
    assert_ne!(fs_err::read(folder.join(files[0])).unwrap(), b"changed");
    // They can be installed from there.
    let install = ["install", "--no-index", "-f", "wheels", "top"];
    let run = environment.run(install).success();
    assert_eq!(
        last_line(&run.stdout),
        "Successfully installed base-2.0 top-2.0"
    );
}

#[cfg(unix)]
#[test]
fn others_may_read_what_was_downloaded() {
    use std::os::unix::fs::PermissionsExt as _;
    let server = index();
    let environment = environment(&server);
    drop(environment.run(["download", "base"]).success());
    let file = environment.work().join("base-2.0-py3-none-any.whl");
    let mode = fs_err::metadata(file).unwrap().permissions().mode();
    assert_eq!(mode & 0o444, 0o444, "{mode:o}");
}

#[test]
fn sources_stay_sources() {
    let server = index();
    sources::served(&server, "src", "1.0", "\"requires\": [\"base<2\"]");
    let environment = environment(&server);
    drop(environment.run(["download", "src"]).success());
    let files = ["base-1.5-py3-none-any.whl", "src-1.0.tar.gz"];
    assert_eq!(listing(&environment.work()), files);
    let run = environment.run(["download", "src", "--only-binary=:all:"]);
    assert!(run.failure().stderr.contains("src"));
    // A folder is not copied, an archive at an address is.
    sources::write(
        &sources::project("local", "2", "\"requires\": []"),
        &environment.work().join("local"),
    );
    let url = server.file_url("src-1.0.tar.gz");
    let run = environment.run(["download", "./local", &url, "--no-deps", "-d", "more"]);
    let run = run.success();
    assert_eq!(
        listing(&environment.work().join("more")),
        ["src-1.0.tar.gz"]
    );
    assert!(run.stderr.contains("Not copying"), "{}", run.stderr);
    assert_eq!(last_line(&run.stdout), "Successfully downloaded local src");
    // Of one that is edited in its place an archive is made.
    fs_err::write(environment.work().join("edited.txt"), "-e ./local\n").unwrap();
    let run = environment.run(["download", "-r", "edited.txt", "-d", "edited"]);
    drop(run.success());
    assert_eq!(listing(&environment.work().join("edited")), ["local-2.zip"]);
}

#[test]
fn for_other_platforms() {
    let server = index();
    for tag in ["cp311-cp311-win_amd64", "cp311-cp311-manylinux_2_17_x86_64"] {
        server.add(WheelBuilder::new("native", "1.0").tag(tag).build());
    }
    let environment = environment(&server);
    let windows = ["--platform", "win_amd64", "--python-version", "3.11"];
    let run = environment.run(["download", "native"].iter().chain(&windows));
    assert_snapshot!(shown(&environment, &run.failure()));
    for further in ["--only-binary=:all:", "--no-deps"] {
        let run = environment.run(["download", "native", further].iter().chain(&windows));
        drop(run.success());
        let expected = "native-1.0-cp311-cp311-win_amd64.whl";
        assert_eq!(listing(&environment.work()), [expected]);
        fs_err::remove_file(environment.work().join(expected)).unwrap();
    }
    // bnbpip's own option needs nothing else.
    let own = ["--python-platform", "linux", "--python-version", "3.11"];
    drop(
        environment
            .run(["download", "native"].iter().chain(&own))
            .success(),
    );
    assert_eq!(
        listing(&environment.work()),
        ["native-1.0-cp311-cp311-manylinux_2_17_x86_64.whl"]
    );
}

#[test]
fn nothing_is_kept_of_what_is_wrong() {
    let server = index();
    let environment = environment(&server);
    assert_snapshot!(shown(
        &environment,
        &environment.run(["download"]).failure()
    ));
    let hash = "0".repeat(64);
    let requirements = format!("base==2.0 --hash=sha256:{hash}\n");
    fs_err::write(environment.work().join("r.txt"), requirements).unwrap();
    let run = environment
        .run(["download", "-r", "r.txt", "-d", "d"])
        .failure();
    assert!(run.stderr.contains("base"), "{}", run.stderr);
    assert_eq!(listing(&environment.work().join("d")), [""; 0]);
}

#[test]
fn what_the_folder_has_by_its_digest_is_not_asked_for() {
    let server = index();
    let environment = environment(&server);
    let bytes = sources::sdist(
        "src-1.0",
        &sources::project("src", "1.0", "\"requires\": []"),
    );
    let folder = environment.work().join("d");
    fs_err::create_dir(&folder).unwrap();
    fs_err::write(folder.join("src-1.0.tar.gz"), &bytes).unwrap();
    let digest = sha256_hex(&bytes);
    let url = format!("{}#sha256={digest}", server.file_url("src-1.0.tar.gz"));
    let run = environment.run(["download", "--no-deps", "-d", "d", &url]);
    let run = run.success();
    assert_eq!(server.requests_for("src-1.0.tar.gz").len(), 0);
    assert!(
        run.stdout.contains("File was already downloaded"),
        "{}",
        run.stdout
    );
    // Another file of that name is not taken for it.
    let wrong = format!(
        "{}#sha256={}",
        server.file_url("src-1.0.tar.gz"),
        "0".repeat(64)
    );
    drop(
        environment
            .run(["download", "--no-deps", "-d", "d", &wrong])
            .failure(),
    );
}

#[test]
fn names_lead_nowhere_else() {
    let server = index();
    let bytes = sources::sdist("evil-1.0", &sources::project("evil", "1.0", ""));
    server.add(HostedFile::other("evil", "evil-1.0.tar.gz", bytes));
    let environment = environment(&server);
    let url = server.file_url("evil-1.0.tar.gz");
    let url = url.replace("evil-1.0.tar.gz", "..%2F..%2Fevil-1.0.tar.gz");
    let run = environment.run(["download", "--no-deps", &format!("evil @ {url}")]);
    drop(run.failure());
    assert_eq!(listing(&environment.work()), [""; 0]);
}
