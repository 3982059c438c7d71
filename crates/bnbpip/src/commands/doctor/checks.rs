//! `doctor --run`: five things tried in the environment's own interpreter, each in a process of its
//! own and with a time limit. This runs the packages' code, because the user asked for it.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bnbpip_report::doctor::{Check, Outcome, last_exception};

use super::examination::Examination;
use crate::printer::Printer;

const SCRIPT: &str = include_str!("checks.py");
const MARK: &str = "<<bnbpip-check>>";

/// How often a process is asked whether it has ended.
const POLL: Duration = Duration::from_millis(20);

/// What is tried, in this order.
const CHECKS: [(&str, &str); 5] = [
    ("import", "import bitsandbytes"),
    (
        "matmul",
        "from bitsandbytes.autograd._functions import MatMul8bitLt",
    ),
    ("torch", "torch on the GPU"),
    ("layer", "an 8-bit layer of bitsandbytes on the GPU"),
    ("unsloth", "import unsloth"),
];

/// Tries all five.
pub(super) fn run(examination: &Examination, timeout_s: u64, printer: &Printer) -> Vec<Check> {
    let python = &examination.environment.interpreter.sys_executable;
    CHECKS
        .iter()
        .map(|(key, what)| {
            printer.status(&format!("Trying: {what}"));
            Check {
                key,
                what,
                outcome: outcome(python, key, Duration::from_secs(timeout_s)),
            }
        })
        .collect()
}

fn outcome(python: &Path, key: &str, timeout: Duration) -> Outcome {
    let failed = |reason: String| Outcome::Failed { reason };
    let spawned = Command::new(python)
        .args(["-c", SCRIPT, key])
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONIOENCODING", "utf-8")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) => return failed(format!("Failed to run `{}`: {error}", python.display())),
    };
    let stdout = reader(child.stdout.take());
    let stderr = reader(child.stderr.take());
    let Some(status) = wait(&mut child, timeout) else {
        return failed(format!("It took longer than {} s", timeout.as_secs()));
    };
    let stdout = text(stdout);
    let word = stdout
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix(MARK));
    match word {
        // What fails while the process ends is no failure of what was tried.
        Some("pass") => Outcome::Passed,
        Some(word) => {
            let reason = word.strip_prefix("skip:").unwrap_or(word);
            Outcome::Skipped(reason.to_owned())
        }
        None => failed(last_exception(&text(stderr)).unwrap_or_else(|| ended(status))),
    }
}

/// A process that left no words.
fn ended(status: ExitStatus) -> String {
    format!("The process ended without a word ({status})")
}

fn reader(pipe: Option<impl Read + Send + 'static>) -> Option<JoinHandle<Vec<u8>>> {
    let mut pipe = pipe?;
    Some(std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // What has been read up to an error is still worth showing.
        let _ = pipe.read_to_end(&mut bytes);
        bytes
    }))
}

fn text(reader: Option<JoinHandle<Vec<u8>>>) -> String {
    let bytes = reader.and_then(|reader| reader.join().ok());
    String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned()
}

/// Waits for the end; past the limit the process is killed. Its pipes are not read then: a child of
/// its own may hold them open.
fn wait(child: &mut Child, timeout: Duration) -> Option<ExitStatus> {
    let end = Instant::now() + timeout;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if Instant::now() < end => std::thread::sleep(POLL),
            Ok(None) | Err(_) => {
                // It may have ended this instant.
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
        }
    }
}
