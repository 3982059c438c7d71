//! One call of a backend's hook: a Python process that gets a request and leaves an answer, each a
//! JSON file, so that whatever the backend prints is output and nothing else.

use std::ffi::OsString;
use std::io::{self, Read as _, Seek as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use bnbpip_packaging::Requirement;
use serde::{Deserialize, Serialize};

use crate::tree::{BuildSystem, LIMIT_BYTES, read_limited};

/// How much of what a backend printed is kept: its end.
const OUTPUT_LIMIT_BYTES: u64 = 1 << 20;

const RUNNER: &str = include_str!("runner.py");

/// Whatever went wrong while the caller prepared an environment.
pub type EnvironmentError = Box<dyn std::error::Error + Send + Sync>;

/// The interpreter that runs a backend.
#[derive(Debug, Clone)]
pub struct BuildPython {
    /// Its path.
    pub executable: PathBuf,
    /// `PATH` of the backend's process, with the folder of the environment's scripts in front;
    /// `None` leaves it alone.
    pub search_path: Option<OsString>,
    /// Whether the environment holds only what was installed for the build: what variables and
    /// the user's own packages would add is then kept away.
    pub isolated: bool,
}

/// An environment in which a project is built; made by the caller.
pub trait BuildEnvironment: Send {
    /// The interpreter.
    fn python(&self) -> &BuildPython;

    /// Puts into place what the build needs; at least sees to it that it is there.
    ///
    /// # Errors
    /// When that can't be done.
    fn install(&self, requirements: &[Requirement]) -> Result<(), EnvironmentError>;

    /// Sees to it that nothing is in place that goes against `requirements`.
    ///
    /// # Errors
    /// When something does.
    fn confirm(&self, _requirements: &[Requirement]) -> Result<(), EnvironmentError> {
        Ok(())
    }

    /// Whether what is needed is put into place or looked at: if not, backends aren't asked what they need.
    fn takes_requirements(&self) -> bool {
        true
    }

    /// Is told what the backend printed in a call that succeeded.
    fn printed(&self, _hook: &str, _output: &str) {}
}

/// What is asked of the runner.
#[derive(Debug, Serialize)]
struct Call<'a> {
    backend: &'a str,
    backend_path: Vec<PathBuf>,
    hook: &'a str,
    arguments: serde_json::Value,
}

/// What the runner answers.
#[derive(Debug, Deserialize)]
struct Answer {
    value: Option<serde_json::Value>,
    #[serde(default)]
    missing: bool,
    unavailable: Option<String>,
}

/// How a call ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The hook's own answer.
    Value(serde_json::Value),
    /// The backend has no such hook.
    Missing,
    /// The backend can't be imported, for this reason.
    Unavailable(String),
    /// The process ended without an answer.
    Failed(ExitStatus),
}

/// A finished call: how it ended and what was printed.
#[derive(Debug)]
pub(crate) struct Called {
    pub(crate) outcome: Outcome,
    pub(crate) output: String,
}

/// Runs `hook` in the project's folder. `scratch` holds the files of the exchange.
pub(crate) fn call(
    python: &BuildPython,
    root: &Path,
    system: &BuildSystem,
    hook: &str,
    arguments: serde_json::Value,
    scratch: &Path,
) -> io::Result<Called> {
    let file = |name: &str| scratch.join(name);
    let (runner, request) = (file("runner.py"), file("request.json"));
    let (answer, log) = (file("answer.json"), file("output.log"));
    fs_err::write(&runner, RUNNER)?;
    let call = Call {
        backend: &system.backend,
        backend_path: system
            .backend_path
            .iter()
            .map(|path| root.join(path))
            .collect(),
        hook,
        arguments,
    };
    fs_err::write(&request, serde_json::to_vec(&call)?)?;
    match fs_err::remove_file(&answer) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let output = fs_err::File::create(&log)?.into_parts().0;
    let status = command(python)
        .arg(&runner)
        .arg(&request)
        .arg(&answer)
        .current_dir(root)
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .status()?;
    let output = read_end(&log)?;
    if !status.success() {
        let outcome = Outcome::Failed(status);
        return Ok(Called { outcome, output });
    }
    let answer: Answer = serde_json::from_slice(&read_limited(&answer, LIMIT_BYTES)?)?;
    let outcome = match answer {
        Answer { missing: true, .. } => Outcome::Missing,
        Answer {
            unavailable: Some(reason),
            ..
        } => Outcome::Unavailable(reason),
        Answer { value, .. } => Outcome::Value(value.unwrap_or_default()),
    };
    Ok(Called { outcome, output })
}

/// The end of what a backend printed: it may print more than fits into memory.
fn read_end(log: &Path) -> io::Result<String> {
    let mut file = fs_err::File::open(log)?;
    let left_out = file.metadata()?.len().saturating_sub(OUTPUT_LIMIT_BYTES);
    file.seek(io::SeekFrom::Start(left_out))?;
    let mut bytes = Vec::new();
    file.take(OUTPUT_LIMIT_BYTES).read_to_end(&mut bytes)?;
    let output = String::from_utf8_lossy(&bytes);
    Ok(match left_out {
        0 => output.into_owned(),
        _ => format!("[{left_out} earlier bytes are left out]\n{output}"),
    })
}

fn command(python: &BuildPython) -> Command {
    let mut command = Command::new(&python.executable);
    // Backends print file names in any language; a log in the machine's own code page loses them.
    command.env("PYTHONIOENCODING", "utf-8:backslashreplace");
    command.env("PYTHONUNBUFFERED", "1");
    if python.isolated {
        command.env("PYTHONNOUSERSITE", "1");
        for variable in [
            "PYTHONPATH",
            "PYTHONHOME",
            "PYTHONSTARTUP",
            "__PYVENV_LAUNCHER__",
        ] {
            command.env_remove(variable);
        }
    }
    if let Some(path) = &python.search_path {
        command.env("PATH", path);
    }
    command
}
