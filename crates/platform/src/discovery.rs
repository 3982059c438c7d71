//! Which environment a command works on: the one that was asked for, the active virtual
//! environment, conda's, or `.venv` in the working directory; and interpreters on `PATH` and in
//! Windows' registry.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::layout::{LayoutOs, environment_python};
use crate::{Interpreter, ProbeError, Prober, PythonRequest};

/// What discovery goes by. Nothing is read from the process's environment here.
#[derive(Debug, Clone, Default)]
pub struct DiscoveryInputs {
    /// `--python`
    pub python: Option<PythonRequest>,
    /// `VIRTUAL_ENV`
    pub virtual_env: Option<PathBuf>,
    /// `CONDA_PREFIX`
    pub conda_prefix: Option<PathBuf>,
    /// The working directory, absolute.
    pub cwd: PathBuf,
    /// `PATH`
    pub path: Option<OsString>,
    /// Interpreters that are known besides, looked at after those on `PATH`.
    pub registered: Vec<PathBuf>,
}

/// An environment to work on.
#[derive(Debug, Clone)]
pub struct Environment {
    /// Its folder: `sys.prefix`.
    pub root: PathBuf,
    /// Its interpreter.
    pub interpreter: Interpreter,
    /// Why it was chosen.
    pub origin: Origin,
}

/// Why an environment was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// By `--python`.
    Requested,
    /// It is the active virtual environment.
    VirtualEnv,
    /// It is the active conda environment.
    CondaPrefix,
    /// It is `.venv` in the working directory.
    DotVenv,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Requested => "`--python`",
            Self::VirtualEnv => "the active virtual environment",
            Self::CondaPrefix => "the active conda environment",
            Self::DotVenv => "`.venv` in the working directory",
        })
    }
}

/// Why there is no environment or interpreter to work with.
#[derive(Debug, thiserror::Error)]
pub enum DiscoveryError {
    /// Nothing was asked for, nothing is active and there is no `.venv`.
    #[error("Failed to find a Python environment for `{}`", .cwd.display())]
    NoEnvironment {
        /// the working directory
        cwd: PathBuf,
        /// an interpreter on `PATH` that could serve as the base of a new environment
        interpreter_on_path: Option<PathBuf>,
    },
    /// The folder that was pointed to holds no interpreter.
    #[error("Failed to find a Python interpreter in `{}` ({origin})", .root.display())]
    NoInterpreter {
        /// the folder
        root: PathBuf,
        /// what pointed to it
        origin: Origin,
    },
    /// No interpreter on `PATH` or in the registry fits.
    #[error("Failed to find Python `{request}` on `PATH`{}{}", if cfg!(windows) { " and in the registry" } else { "" }, seen(.found))]
    NotOnPath {
        /// what was asked for
        request: String,
        /// the interpreters that were found instead, with their versions
        found: Vec<(PathBuf, String)>,
        /// the first interpreter that could not be asked
        #[source]
        source: Option<Box<ProbeError>>,
    },
    /// The interpreter could not be asked.
    #[error(transparent)]
    Probe(#[from] ProbeError),
}

fn seen(found: &[(PathBuf, String)]) -> String {
    if found.is_empty() {
        return String::new();
    }
    let list: Vec<String> = (found.iter())
        .map(|(path, version)| format!("{version} at `{}`", path.display()))
        .collect();
    format!(": there is {}", list.join(", "))
}

/// Finds the environment to work on: `--python`, `VIRTUAL_ENV`, `CONDA_PREFIX`, `./.venv`, in
/// this order. One that is pointed to but broken is an error, never skipped.
///
/// # Errors
/// If there is none, or its interpreter can't be asked.
pub fn find_environment(
    inputs: &DiscoveryInputs,
    prober: &Prober,
) -> Result<Environment, DiscoveryError> {
    if let Some(request) = &inputs.python {
        let interpreter = requested_interpreter(request, inputs, prober)?;
        return Ok(environment(interpreter, Origin::Requested));
    }
    let dot_venv = inputs.cwd.join(".venv");
    let pointers = [
        (inputs.virtual_env.as_deref(), Origin::VirtualEnv),
        (inputs.conda_prefix.as_deref(), Origin::CondaPrefix),
        (dot_venv.is_dir().then_some(&*dot_venv), Origin::DotVenv),
    ];
    for (root, origin) in pointers {
        if let Some(root) = root.filter(|root| !root.as_os_str().is_empty()) {
            return open_environment(root, origin, prober);
        }
    }
    Err(DiscoveryError::NoEnvironment {
        cwd: inputs.cwd.clone(),
        interpreter_on_path: any_interpreter(inputs, prober)
            .ok()
            .map(|it| it.sys_executable),
    })
}

/// Opens the environment at `root`.
///
/// # Errors
/// If it holds no interpreter, or the interpreter can't be asked.
pub fn open_environment(
    root: &Path,
    origin: Origin,
    prober: &Prober,
) -> Result<Environment, DiscoveryError> {
    let python = environment_python(root, LayoutOs::current());
    let python = python.ok_or_else(|| DiscoveryError::NoInterpreter {
        root: root.to_path_buf(),
        origin,
    })?;
    Ok(environment(prober.interpreter(&python)?, origin))
}

/// Finds an interpreter to make a new environment with: the one that was asked for, else the
/// first on `PATH`, else the first that the registry knows. Inside a virtual environment that is its own; its base is what gets used.
///
/// # Errors
/// If there is none, or it can't be asked.
pub fn find_interpreter(
    inputs: &DiscoveryInputs,
    prober: &Prober,
) -> Result<Interpreter, DiscoveryError> {
    match &inputs.python {
        Some(request) => requested_interpreter(request, inputs, prober),
        None => any_interpreter(inputs, prober),
    }
}

fn environment(interpreter: Interpreter, origin: Origin) -> Environment {
    Environment {
        root: interpreter.prefix.clone(),
        interpreter,
        origin,
    }
}

fn requested_interpreter(
    request: &PythonRequest,
    inputs: &DiscoveryInputs,
    prober: &Prober,
) -> Result<Interpreter, DiscoveryError> {
    match request {
        PythonRequest::Path(path) if path.is_dir() => {
            Ok(open_environment(path, Origin::Requested, prober)?.interpreter)
        }
        PythonRequest::Path(path) => Ok(prober.interpreter(&with_exe_suffix(path))?),
        PythonRequest::Name(name) => {
            let files = candidates_on_path(std::slice::from_ref(name), inputs);
            first_acceptable(files, request, prober, |_| true)
        }
        PythonRequest::Version(version) => {
            let names = version.executable_names();
            let files = candidates(&names, inputs);
            first_acceptable(files, request, prober, |interpreter| {
                version.accepts(interpreter.version(), interpreter.free_threaded)
            })
        }
    }
}

/// `python` means `python.exe` on Windows.
fn with_exe_suffix(path: &Path) -> PathBuf {
    if cfg!(windows) && !path.exists() && path.extension().is_none_or(|e| e != "exe") {
        let mut name = path.as_os_str().to_os_string();
        name.push(".exe");
        return name.into();
    }
    path.to_path_buf()
}

fn any_interpreter(
    inputs: &DiscoveryInputs,
    prober: &Prober,
) -> Result<Interpreter, DiscoveryError> {
    // Windows' installers make no `python3.exe`.
    let names = if cfg!(windows) {
        ["python", "python3"]
    } else {
        ["python3", "python"]
    };
    let names = names.map(str::to_owned);
    let request = PythonRequest::Name(names[0].clone());
    first_acceptable(candidates(&names, inputs), &request, prober, |_| true)
}

/// The first of the files that is an interpreter which will do.
fn first_acceptable(
    candidates: impl Iterator<Item = PathBuf>,
    request: &PythonRequest,
    prober: &Prober,
    accepts: impl Fn(&Interpreter) -> bool,
) -> Result<Interpreter, DiscoveryError> {
    let mut found: Vec<(PathBuf, String)> = Vec::new();
    let mut failure = None;
    for candidate in candidates {
        match prober.interpreter(&candidate) {
            Ok(interpreter) if accepts(&interpreter) => return Ok(interpreter),
            Ok(interpreter) => {
                let version = interpreter.version().to_string();
                if !(found.iter()).any(|(path, _)| *path == interpreter.sys_executable) {
                    found.push((interpreter.sys_executable, version));
                }
            }
            Err(error) => failure = failure.or(Some(Box::new(error))),
        }
    }
    Err(DiscoveryError::NotOnPath {
        request: request.to_string(),
        found,
        source: failure,
    })
}

/// The interpreters on `PATH`, then the registered ones.
fn candidates<'a>(
    names: &'a [String],
    inputs: &'a DiscoveryInputs,
) -> impl Iterator<Item = PathBuf> + 'a {
    let registered = inputs.registered.iter().filter(|file| is_executable(file));
    candidates_on_path(names, inputs).chain(registered.cloned())
}

/// `PATH` folder by folder, in each the names in order.
fn candidates_on_path<'a>(
    names: &'a [String],
    inputs: &'a DiscoveryInputs,
) -> impl Iterator<Item = PathBuf> + 'a {
    let folders = inputs.path.as_deref().map(std::env::split_paths);
    folders.into_iter().flatten().flat_map(move |folder| {
        let folder = inputs.cwd.join(folder);
        names.iter().filter_map(move |name| {
            let file = with_exe_suffix(&folder.join(name));
            is_executable(&file).then_some(file)
        })
    })
}

/// Whether a file can be started. The Microsoft Store's names for programs are files without content
/// that can be started and not opened. Where there is no Python behind one, it answers with an
/// error like any program that isn't Python, and the next is asked.
fn is_executable(file: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs_err::metadata(file)
            .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    }
    #[cfg(not(unix))]
    {
        fs_err::symlink_metadata(file).is_ok_and(|found| !found.is_dir())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(cwd: &Path) -> DiscoveryInputs {
        DiscoveryInputs {
            cwd: cwd.to_path_buf(),
            ..DiscoveryInputs::default()
        }
    }

    #[test]
    fn nothing_anywhere_is_told_with_the_working_directory() {
        let folder = tempfile::tempdir().unwrap();
        let error = find_environment(&inputs(folder.path()), &Prober::new()).unwrap_err();
        assert!(matches!(
            error,
            DiscoveryError::NoEnvironment { interpreter_on_path: None, ref cwd } if cwd == folder.path()
        ));
    }

    #[test]
    fn a_broken_active_environment_is_not_skipped() {
        let folder = tempfile::tempdir().unwrap();
        let mut inputs = inputs(folder.path());
        inputs.virtual_env = Some(folder.path().join("gone"));
        let error = find_environment(&inputs, &Prober::new()).unwrap_err();
        let expected = format!(
            "Failed to find a Python interpreter in `{}` (the active virtual environment)",
            folder.path().join("gone").display()
        );
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn empty_variables_count_as_unset() {
        let folder = tempfile::tempdir().unwrap();
        let mut inputs = inputs(folder.path());
        inputs.virtual_env = Some(PathBuf::new());
        let error = find_environment(&inputs, &Prober::new()).unwrap_err();
        assert!(matches!(error, DiscoveryError::NoEnvironment { .. }));
    }
}
