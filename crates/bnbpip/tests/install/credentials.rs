//! Credentials: where they may come from, whom they are shown to, and that they are found nowhere
//! else.

use std::path::{Path, PathBuf};

use bnbpip_testing::{Fault, HostedFile, IndexServer, Run, TestEnvironment, WheelBuilder};

use crate::support::{PROGRAM, last_line};

const USER: &str = "robot-user";
const PASSWORD: &str = "hunter2-s3cret";

/// An index that lets nobody in but one.
fn closed() -> IndexServer {
    let server = IndexServer::with([
        WheelBuilder::new("own", "1.0").requires("dep").build(),
        WheelBuilder::new("dep", "1.0").build(),
    ]);
    server.configure(|options| options.credentials = Some((USER.into(), PASSWORD.into())));
    server
}

/// The secret in every form that it could be written down in.
fn forms() -> Vec<Vec<u8>> {
    // As a header has it: `user:password` in base 64.
    vec![PASSWORD.into(), "cm9ib3QtdXNlcjpodW50ZXIyLXMzY3JldA".into()]
}

fn holds_secret(bytes: &[u8]) -> bool {
    let forms = forms();
    let mut forms = forms.iter();
    forms.any(|form| bytes.windows(form.len()).any(|part| part == &form[..]))
}

/// Every file below a folder whose name or content holds the secret.
fn leaks(folder: &Path) -> Vec<PathBuf> {
    let mut leaks = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs_err::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let kind = fs_err::symlink_metadata(&path).unwrap();
            if holds_secret(path.to_string_lossy().as_bytes()) {
                leaks.push(path.clone());
            }
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() && holds_secret(&fs_err::read(&path).unwrap()) {
                leaks.push(path);
            }
        }
    }
    leaks
}

fn assert_silent(run: &Run) {
    for text in [&run.stdout, &run.stderr] {
        assert!(!holds_secret(text.as_bytes()), "{text}");
    }
}

#[test]
fn credentials_are_nowhere_to_be_found() {
    let server = closed();
    let environment = TestEnvironment::new(PROGRAM);
    let index = server.simple_url_with(USER, PASSWORD);
    let root = index.trim_end_matches("simple/").to_owned();
    let direct = format!("own @ {root}files/own-1.0-py3-none-any.whl");
    let log = environment.work().join("out.log");
    let log = log.to_str().unwrap();
    let common = ["-vvv", "--log", log, "--index-url", &index];
    let run = |arguments: &[&str]| {
        let run = environment.run([arguments, &common].concat());
        assert_silent(&run);
        run
    };
    drop(run(&["install", "own"]).success());
    drop(
        run(&[
            "install",
            "--force-reinstall",
            &direct,
            "--report",
            "report.json",
        ])
        .success(),
    );
    drop(run(&["uninstall", "-y", "own"]));
    drop(run(&["install", "own", "-f", &format!("{root}flat/")]).success());
    drop(run(&["lock", "own", "--environment", "linux-3.11"]).success());
    drop(run(&[
        "lock",
        &direct,
        "--environment",
        "linux-3.11",
        "-o",
        "pylock.direct.toml",
    ]));
    drop(run(&["download", "own", "-d", "out"]).success());
    let wheel = format!("{root}files/own-1.0-py3-none-any.whl");
    drop(run(&["download", &wheel, "-d", "out2"]).success());
    // What fails has the most to say.
    assert_ne!(run(&["install", "own>=7"]).code, 0);
    assert_ne!(run(&["install", "nothing-there"]).code, 0);
    assert_ne!(
        run(&["install", &format!("{root}files/none-1.0-py3-none-any.whl")]).code,
        0
    );
    assert_ne!(
        run(&["install", &format!("{root}files/none.zip?x")]).code,
        0
    );
    let broken = "https://robot-user:hunter2-s3cret@host example/simple";
    assert_ne!(
        run(&["install", "more", "--extra-index-url", broken]).code,
        0
    );
    assert_ne!(
        run(&["install", "x", "--mirror", &format!("cu124={broken}")]).code,
        0
    );
    assert_ne!(
        run(&["install", "x", "--index-for", &format!("a={broken}")]).code,
        0
    );
    assert_ne!(
        run(&["install", "x", "--index", &format!("a={broken}")]).code,
        0
    );
    server.plan_fault("/simple/dep/", 9, Fault::Status(500));
    assert_ne!(
        run(&["download", "dep", "--no-cache-dir", "--retries", "0"]).code,
        0
    );
    for command in [
        &["freeze"][..],
        &["inspect"],
        &["history"],
        &["list", "-v"],
        &["show", "-f", "own"],
    ] {
        assert_silent(&environment.run(command));
    }
    assert!(
        leaks(environment.root()).is_empty(),
        "{:?}",
        leaks(environment.root())
    );
    // They were of use: nothing here is had without them.
    let requests = server.requests();
    assert!(
        requests
            .iter()
            .all(|request| request.authorization.is_some())
    );
}

#[test]
fn other_servers_see_no_credentials() {
    let (server, other) = (closed(), IndexServer::start());
    server.configure(|options| options.metadata_files = false);
    let wheel = WheelBuilder::new("moved", "1.0").build();
    let linked = WheelBuilder::new("linked", "1.0").build();
    other.add(&wheel);
    other.add(&linked);
    server.add(&wheel);
    let elsewhere = other.file_url(&linked.filename);
    server.add(HostedFile::from(&linked).linked_as(&elsewhere));
    server.plan_fault(
        "/files/moved",
        9,
        Fault::Redirect(other.file_url(&wheel.filename)),
    );
    let environment = TestEnvironment::new(PROGRAM);
    let index = server.simple_url_with(USER, PASSWORD);
    let line = ["install", "--index-url", &index, "moved", "linked"];
    drop(environment.run(line).success());
    let requests = other.requests();
    assert!(requests.len() >= 2, "{requests:?}");
    assert!(
        requests
            .iter()
            .all(|request| request.authorization.is_none()),
        "{requests:?}"
    );
}

#[test]
fn variables_belong_to_an_index_by_its_name() {
    let (server, public) = (closed(), IndexServer::start());
    let environment = TestEnvironment::new(PROGRAM).with_index(&public);
    let table = format!(
        "[[index]]\nname = 'my-corp.index'\nurl = '{}'\n",
        server.simple_url()
    );
    fs_err::write(environment.work().join("bnbpip.toml"), table).unwrap();
    let with = |user: &str, password: &str| {
        let mut command = environment.command();
        command.env("BNBPIP_INDEX_MY_CORP_INDEX_USERNAME", user);
        command.env("BNBPIP_INDEX_MY_CORP_INDEX_PASSWORD", password);
        let run = command.args(["install", "own"]).output().unwrap();
        Run::from(run)
    };
    let refused = with("somebody", "else").failure();
    assert!(
        refused.stderr.contains("BNBPIP_INDEX_<NAME>_USERNAME"),
        "{}",
        refused.stderr
    );
    let run = with(USER, PASSWORD).success();
    assert_eq!(
        last_line(&run.stdout),
        "Successfully installed dep-1.0 own-1.0"
    );
    assert!(
        public
            .requests()
            .iter()
            .all(|request| request.authorization.is_none())
    );
    assert!(
        leaks(environment.root()).is_empty(),
        "{:?}",
        leaks(environment.root())
    );
}

#[test]
fn a_netrc_names_servers() {
    let server = closed();
    let environment = TestEnvironment::new(PROGRAM).with_index(&server);
    let netrc = environment.root().join("netrc");
    fs_err::write(
        &netrc,
        format!("machine 127.0.0.1 login {USER} password {PASSWORD}\n"),
    )
    .unwrap();
    let mut command = environment.command();
    command.env("NETRC", &netrc).args(["install", "own"]);
    let run = Run::from(command.output().unwrap()).success();
    assert_silent(&run);
    assert_eq!(leaks(environment.root()), [netrc]);
}

/// A program in the keyring's place that writes down what it was asked.
#[cfg(unix)]
fn keyring(environment: &TestEnvironment, service: &str) -> PathBuf {
    let folder = environment.root().join("bin");
    fs_err::create_dir(&folder).unwrap();
    let asked = environment.root().join("asked");
    let script = format!(
        "#!/bin/sh\necho \"$*\" >> '{}'\n[ \"$2\" = '{service}' ] && [ \"$3\" = {USER} ] && \
         echo {PASSWORD} && exit 0\nexit 1\n",
        asked.display()
    );
    let program = folder.join("keyring");
    fs_err::write(&program, script).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs_err::set_permissions(&program, mode).unwrap();
    folder
}

#[cfg(unix)]
#[test]
fn a_keyring_is_asked_once_a_server_wants_a_password() {
    let server = closed();
    let environment = TestEnvironment::new(PROGRAM);
    let host = server.url().trim_start_matches("http://").to_owned();
    let folder = keyring(&environment, &host);
    let index = server
        .simple_url()
        .replace("http://", &format!("http://{USER}@"));
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let run = |more: &[&str]| {
        let mut command = environment.command();
        command
            .env("PATH", &path)
            .args(["install", "own", "--index-url", &index]);
        Run::from(command.args(more).output().unwrap())
    };
    drop(run(&["--keyring-provider", "disabled"]).failure());
    let asked = environment.root().join("asked");
    assert!(!asked.exists());
    // The project says it where the run doesn't.
    let project = environment.work().join("bnbpip.toml");
    fs_err::write(&project, "keyring-provider = 'disabled'\n").unwrap();
    drop(run(&[]).failure());
    assert!(!asked.exists());
    fs_err::write(&project, "keyring-provider = 'subprocess'\n").unwrap();
    let done = run(&[]).success();
    assert_silent(&done);
    let simple = server.simple_url();
    let lines = fs_err::read_to_string(&asked).unwrap();
    assert_eq!(lines, format!("get {simple} {USER}\nget {host} {USER}\n"));
    assert_eq!(leaks(environment.root()), [folder.join("keyring")]);
    // A server that lets everybody in needs no keyring.
    fs_err::remove_file(&asked).unwrap();
    server.configure(|options| options.credentials = None);
    drop(
        run(&[
            "--force-reinstall",
            "--no-cache-dir",
            "--keyring-provider",
            "subprocess",
        ])
        .success(),
    );
    assert!(!asked.exists());
}
