//! Servers that ask for a certificate, and such that nobody vouches for: `--client-cert`,
//! `--cert` and `--trusted-host`.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use bnbpip_testing::environment::base_interpreter;
use bnbpip_testing::{Run, TestEnvironment, WheelBuilder};

use crate::support::PROGRAM;

const SERVER: &str = include_str!("tls/server.py");
/// For `localhost` and `127.0.0.1`, signed by itself; with its key.
const CERTIFICATE: &str = include_str!("tls/localhost.pem");

/// For `localhost`, signed by itself, and said to be an authority's; with its key.
const AUTHORITY: &str = include_str!("tls/authority.pem");

/// A server with TLS that serves a folder, and the environment that asks it.
struct Secured {
    environment: TestEnvironment,
    process: Child,
    url: String,
    certificate: PathBuf,
}

impl Secured {
    fn start() -> Self {
        Self::with(CERTIFICATE)
    }

    fn with(pem: &str) -> Self {
        let environment = TestEnvironment::new(PROGRAM);
        let work = environment.work();
        let folder = work.join("served/tool");
        fs_err::create_dir_all(&folder).unwrap();
        let wheel = WheelBuilder::new("tool", "1.0").build();
        wheel.write_to(&folder);
        let page = format!("<a href=\"{0}\">{0}</a>", wheel.filename);
        fs_err::write(folder.join("index.html"), page).unwrap();
        let (script, certificate) = (work.join("server.py"), work.join("localhost.pem"));
        fs_err::write(&script, SERVER).unwrap();
        fs_err::write(&certificate, pem).unwrap();
        let mut process = Command::new(&base_interpreter().sys_executable)
            .args([&script, &work.join("served"), &certificate])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut port = String::new();
        let mut lines = BufReader::with_capacity(1, process.stdout.take().unwrap());
        lines.read_line(&mut port).unwrap();
        process.stdout = Some(lines.into_inner());
        let url = format!("https://localhost:{}/", port.trim());
        Self {
            environment,
            process,
            url,
            certificate,
        }
    }

    fn install(&self, arguments: &[&str]) -> Run {
        let base = ["install", "--retries", "0", "--no-cache-dir", "tool"];
        let index = ["--index-url", &self.url];
        let line = base.iter().chain(&index);
        self.environment.run(line.chain(arguments))
    }

    fn certificate(&self) -> &str {
        path_text(&self.certificate)
    }

    /// Ends the server; what it was asked for, and by whom.
    fn requests(mut self) -> Vec<String> {
        self.process.kill().unwrap();
        let mut text = String::new();
        let output = self.process.stdout.as_mut().unwrap();
        output.read_to_string(&mut text).unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

impl Drop for Secured {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn path_text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_certificate_of_ones_own_is_shown_with_every_request() {
    let server = Secured::start();
    let own = server.certificate();
    drop(
        server
            .install(&["--cert", own, "--client-cert", own])
            .success(),
    );
    assert_eq!(server.environment.installed(), ["tool-1.0"]);
    // The wheel's metadata may have been asked for first.
    let mut requests = server.requests();
    requests.dedup();
    assert_eq!(
        requests,
        [
            "localhost /tool/",
            "localhost /tool/tool-1.0-py3-none-any.whl"
        ]
    );
}

#[test]
fn without_it_nothing_comes() {
    let server = Secured::start();
    let run = server.install(&["--cert", server.certificate()]).failure();
    assert!(run.stderr.contains("localhost"), "{}", run.stderr);
    assert_eq!(server.requests(), [""; 0]);
}

#[test]
fn a_server_that_nobody_vouches_for_has_to_be_trusted() {
    let server = Secured::start();
    let own = server.certificate();
    let run = server.install(&["--client-cert", own]).failure();
    assert!(run.stderr.contains("certificate"), "{}", run.stderr);
    assert!(run.stderr.contains("--cert"), "{}", run.stderr);
    for host in ["example.org", "localhost:1"] {
        drop(
            server
                .install(&["--client-cert", own, "--trusted-host", host])
                .failure(),
        );
    }
    drop(
        server
            .install(&["--client-cert", own, "--trusted-host", "localhost"])
            .success(),
    );
    assert_eq!(server.environment.installed(), ["tool-1.0"]);
    let wheel = "localhost /tool/tool-1.0-py3-none-any.whl";
    assert!(server.requests().iter().any(|request| request == wheel));
}

#[test]
fn a_servers_own_certificate_may_be_an_authoritys() {
    let server = Secured::with(AUTHORITY);
    let own = server.certificate();
    let options = ["--cert", own, "--client-cert", own];
    drop(server.install(&options).success());
    assert_eq!(server.environment.installed(), ["tool-1.0"]);
    // It has to be that very certificate, and for this name.
    let url = server.url.replace("localhost", "127.0.0.1");
    let line = ["install", "--force-reinstall", "tool", "--index-url", &url];
    let other_name = server.environment.run(line.iter().chain(&options));
    assert!(other_name.failure().stderr.contains("certificate"));
    let another = server.environment.work().join("another.pem");
    fs_err::write(&another, CERTIFICATE).unwrap();
    let options = ["--cert", path_text(&another), "--client-cert", own];
    let run = server.install(&[&options[..], &["--force-reinstall"]].concat());
    assert!(run.failure().stderr.contains("certificate"));
}

#[test]
fn what_is_no_certificate_is_told() {
    let server = Secured::start();
    let no_certificate = server.environment.work().join("no.pem");
    fs_err::write(&no_certificate, "nothing\n").unwrap();
    for option in ["--cert", "--client-cert"] {
        let gone = server.install(&[option, "gone.pem"]).failure();
        assert!(gone.stderr.contains("gone.pem"), "{}", gone.stderr);
        let wrong = server.install(&[option, path_text(&no_certificate)]);
        let stderr = wrong.failure().stderr;
        assert!(stderr.contains("no.pem"), "{option}: {stderr}");
    }
    assert_eq!(server.requests(), [""; 0]);
}
