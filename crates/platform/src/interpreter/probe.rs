//! Asking an interpreter about itself: one run of a short script, with a time limit, its output
//! fenced off from whatever start-up files print.

use std::ffi::OsString;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::{Interpreter, cache};

const SCRIPT: &str = include_str!("probe.py");
const START: &[u8] = b"<<bnbpip-facts>>";
const END: &[u8] = b"<</bnbpip-facts>>";
const TIMEOUT: Duration = Duration::from_secs(30);

/// The environment variables that change what an interpreter says about itself. Hand their
/// values to [`Prober::with_environment`], so that answers are kept apart.
pub const PROBE_VARIABLES: &[&str] = &[
    "APPDATA",
    "HOME",
    "LANG",
    "LC_ALL",
    "LC_MESSAGES",
    "MACOSX_DEPLOYMENT_TARGET",
    "PYTHONHOME",
    "PYTHONNOUSERSITE",
    "PYTHONPATH",
    "PYTHONPLATLIBDIR",
    "PYTHONUSERBASE",
    "SYSTEM_VERSION_COMPAT",
    "USERPROFILE",
    "_PYTHON_HOST_PLATFORM",
    "_PYTHON_SYSCONFIGDATA_NAME",
];

/// Why an interpreter could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// There is no such file.
    #[error("Could not locate Python interpreter {}", .path.display())]
    NotFound {
        /// where it was looked for
        path: PathBuf,
    },
    /// The operating system refused to start it.
    #[error("Failed to run `{}`", .path.display())]
    NotExecutable {
        /// the file
        path: PathBuf,
        /// the operating system's reason
        source: io::Error,
    },
    /// It ended with an error.
    #[error("Failed to query `{}`: it exited with {status}{}", .path.display(), tail(.stderr))]
    Failed {
        /// the file
        path: PathBuf,
        /// how it ended
        status: String,
        /// the end of what it wrote to stderr
        stderr: String,
    },
    /// It didn't answer in time.
    #[error("Failed to query `{}`: no answer within {timeout_seconds} s", .path.display())]
    TimedOut {
        /// the file
        path: PathBuf,
        /// the limit
        timeout_seconds: u64,
    },
    /// It ran, but isn't Python, or something in it swallowed the answer.
    #[error("Failed to query `{}`: it doesn't answer like a Python interpreter{}", .path.display(), tail(.stderr))]
    NotPython {
        /// the file
        path: PathBuf,
        /// the end of what it wrote to stderr
        stderr: String,
    },
    /// The answer can't be read.
    #[error("Failed to read what `{}` says about itself", .path.display())]
    BadAnswer {
        /// the file
        path: PathBuf,
        /// what is wrong with it
        source: serde_json::Error,
    },
    /// It is too old.
    #[error("Failed to use `{}`: it is Python {version}, and 3.7 is the oldest that is supported", .path.display())]
    Unsupported {
        /// the file
        path: PathBuf,
        /// its version
        version: String,
    },
}

fn tail(stderr: &str) -> String {
    if stderr.is_empty() {
        String::new()
    } else {
        format!(":\n{stderr}")
    }
}

/// Asks interpreters about themselves and remembers the answers on disk.
#[derive(Debug, Clone, Default)]
pub struct Prober {
    cache_folder: Option<PathBuf>,
    environment: Vec<(OsString, OsString)>,
    timeout: Option<Duration>,
}

impl Prober {
    /// A prober that remembers nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps answers under `cache_root` (in its `interpreter-v1`).
    #[must_use]
    pub fn with_cache(mut self, cache_root: &Path) -> Self {
        self.cache_folder = Some(cache_root.join("interpreter-v1"));
        self
    }

    /// The values of those of [`PROBE_VARIABLES`] that are set. The interpreter inherits them
    /// from this process anyway; here they only tell answers apart.
    #[must_use]
    pub fn with_environment(
        mut self,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Self {
        self.environment = variables.into_iter().collect();
        self.environment.sort();
        self
    }

    /// How long an interpreter may take to answer; 30 s unless told.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Facts about the interpreter at `executable`, from the cache if nothing has changed.
    ///
    /// # Errors
    /// If it isn't there, doesn't run, doesn't answer or is too old.
    pub fn interpreter(&self, executable: &Path) -> Result<Interpreter, ProbeError> {
        let executable = std::path::absolute(executable).unwrap_or_else(|_| executable.into());
        let Some(folder) = &self.cache_folder else {
            return self.run(&executable);
        };
        let entry = cache::Entry::new(folder, &executable, &self.environment);
        if let Some(interpreter) = entry.load() {
            return Ok(interpreter);
        }
        let interpreter = self.run(&executable)?;
        entry.store(&interpreter);
        Ok(interpreter)
    }

    fn run(&self, executable: &Path) -> Result<Interpreter, ProbeError> {
        let path = executable.to_path_buf();
        // The Microsoft Store's names for programs can be started, but not followed.
        let is_there =
            executable.exists() || cfg!(windows) && fs_err::symlink_metadata(executable).is_ok();
        if !is_there {
            return Err(ProbeError::NotFound { path });
        }
        let mut child =
            command(executable)
                .spawn()
                .map_err(|source| ProbeError::NotExecutable {
                    path: path.clone(),
                    source,
                })?;
        let timeout = self.timeout.unwrap_or(TIMEOUT);
        let Some(output) = Output::read(&mut child, timeout) else {
            return Err(ProbeError::TimedOut {
                path,
                timeout_seconds: timeout.as_secs(),
            });
        };
        output.into_interpreter(path)
    }
}

/// What may come out of the script.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Answer {
    Unsupported { unsupported: String },
    Other(serde::de::IgnoredAny),
}

fn command(executable: &Path) -> Command {
    let mut command = Command::new(executable);
    command
        .args(["-c", SCRIPT])
        // Set by the launcher of a macOS framework build for its own child only.
        .env_remove("__PYVENV_LAUNCHER__")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    #[cfg(windows)]
    {
        use std::os::windows::process::CommandExt as _;
        const CREATE_NO_WINDOW: u32 = 0x0800_0000;
        command.creation_flags(CREATE_NO_WINDOW);
    }
    command
}

/// What a child wrote until its answer was complete or it ended.
struct Output {
    stdout: Vec<u8>,
    stderr: String,
    failure: Option<String>,
}

impl Output {
    /// `None` if the time is up; the child is gone then.
    fn read(child: &mut Child, timeout: Duration) -> Option<Self> {
        let deadline = Instant::now() + timeout;
        let (send_stdout, stdout) = mpsc::channel();
        let (send_stderr, stderr) = mpsc::channel();
        if let Some(pipe) = child.stdout.take() {
            std::thread::spawn(move || send_stdout.send(read_until_answered(pipe)));
        }
        if let Some(pipe) = child.stderr.take() {
            std::thread::spawn(move || send_stderr.send(read_tail(pipe)));
        }
        let stdout = match stdout.recv_timeout(timeout) {
            Ok(stdout) => stdout,
            Err(RecvTimeoutError::Disconnected) => Vec::new(),
            Err(RecvTimeoutError::Timeout) => {
                end(child);
                return None;
            }
        };
        if answer(&stdout).is_some() {
            // Don't wait for exit handlers: the answer is what matters.
            wait_until(
                child,
                deadline.min(Instant::now() + Duration::from_millis(500)),
            );
            return Some(Self {
                stdout,
                stderr: String::new(),
                failure: None,
            });
        }
        let status = wait_until(child, deadline)?;
        let stderr = stderr
            .recv_timeout(Duration::from_secs(1))
            .unwrap_or_default();
        let failure = (!status.success()).then(|| describe(status));
        Some(Self {
            stdout,
            stderr,
            failure,
        })
    }

    fn into_interpreter(self, path: PathBuf) -> Result<Interpreter, ProbeError> {
        let Some(answer) = answer(&self.stdout) else {
            let stderr = self.stderr;
            return Err(match self.failure {
                Some(status) => ProbeError::Failed {
                    path,
                    status,
                    stderr,
                },
                None => ProbeError::NotPython { path, stderr },
            });
        };
        if let Ok(Answer::Unsupported { unsupported }) = serde_json::from_slice(answer) {
            return Err(ProbeError::Unsupported {
                path,
                version: unsupported,
            });
        }
        serde_json::from_slice(answer).map_err(|source| ProbeError::BadAnswer { path, source })
    }
}

fn describe(status: std::process::ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("status {code}"),
        None => status.to_string(),
    }
}

/// The JSON between the last pair of fences.
fn answer(stdout: &[u8]) -> Option<&[u8]> {
    let start = rfind(stdout, START)? + START.len();
    let length = rfind(&stdout[start..], END)?;
    Some(&stdout[start..start + length])
}

fn rfind(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    (haystack.windows(needle.len())).rposition(|window| window == needle)
}

fn read_until_answered(mut pipe: impl Read) -> Vec<u8> {
    let mut stdout = Vec::with_capacity(16 * 1024);
    let mut buffer = [0; 8 * 1024];
    loop {
        match pipe.read(&mut buffer) {
            Ok(0) => return stdout,
            Ok(count) => stdout.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return stdout,
        }
        // The closing fence may be split between two reads, but not by more than its length.
        let recent = stdout.len().saturating_sub(buffer.len() + END.len());
        if rfind(&stdout[recent..], END).is_some() {
            return stdout;
        }
    }
}

/// The last lines of a stream, at most 2 KiB.
fn read_tail(mut pipe: impl Read) -> String {
    const LIMIT: usize = 2 * 1024;
    let mut kept = Vec::new();
    let mut buffer = [0; 4 * 1024];
    while let Ok(count) = pipe.read(&mut buffer) {
        if count == 0 {
            break;
        }
        kept.extend_from_slice(&buffer[..count]);
        let excess = kept.len().saturating_sub(LIMIT);
        kept.drain(..excess);
    }
    String::from_utf8_lossy(&kept).trim().to_string()
}

/// Waits for the child to end, and ends it if it takes too long.
fn wait_until(child: &mut Child, deadline: Instant) -> Option<std::process::ExitStatus> {
    let mut pause = Duration::from_micros(200);
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if Instant::now() < deadline => std::thread::sleep(pause),
            _ => {
                end(child);
                return None;
            }
        }
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

fn end(child: &mut Child) {
    // Both fail only if the child has ended by itself.
    drop(child.kill());
    drop(child.wait());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_found_between_noise() {
        let stdout = b"hello from sitecustomize\n<<bnbpip-facts>>{\"a\":1}<</bnbpip-facts>>\nbye";
        assert_eq!(answer(stdout), Some(&b"{\"a\":1}"[..]));
        assert_eq!(answer(b"<<bnbpip-facts>>{\"a\":1}"), None);
        assert_eq!(answer(b""), None);
    }

    #[test]
    fn reading_stops_at_the_fence_even_if_the_pipe_stays_open() {
        struct Endless(bool);
        impl Read for Endless {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                assert!(
                    !std::mem::replace(&mut self.0, true),
                    "read again after the fence"
                );
                let text = b"<<bnbpip-facts>>{}<</bnbpip-facts>>";
                buffer[..text.len()].copy_from_slice(text);
                Ok(text.len())
            }
        }
        assert!(answer(&read_until_answered(Endless(false))).is_some());
    }

    #[test]
    fn a_tail_keeps_the_end() {
        let long = format!("{}the reason\n", "x".repeat(10_000));
        let tail = read_tail(long.as_bytes());
        assert!(tail.ends_with("the reason"));
        assert!(tail.len() <= 2048);
    }
}
