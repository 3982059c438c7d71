//! Which environment a command works on, and how the crates that know interpreters and the one
//! that installs see it.

use std::path::PathBuf;

use bnbpip_installer::History;
use bnbpip_platform::{
    DiscoveryError, DiscoveryInputs, Environment, Interpreter, MachineFiles, Origin,
    PROBE_VARIABLES, Prober, PythonRequest, Scheme,
};

use super::transaction_notes::TransactionNotes;
use crate::configuration::settings::Settings;
use crate::failure::{Failure, exit_code};
use crate::printer::Printer;

/// How interpreters are asked about themselves.
pub(crate) fn prober(settings: &Settings) -> Prober {
    let variables = PROBE_VARIABLES.iter().filter_map(|name| {
        settings
            .environment
            .get_os(name)
            .map(|value| (name.into(), value.clone()))
    });
    let prober = Prober::new().with_environment(variables);
    match &settings.cache_dir {
        Some(cache) => prober.with_cache(cache),
        None => prober,
    }
}

/// What finding an environment goes by.
///
/// # Errors
/// When `--python` can't be understood.
pub(crate) fn discovery_inputs(settings: &Settings) -> Result<DiscoveryInputs, Failure> {
    let cwd = settings.environment.working_directory().to_path_buf();
    let python = match &settings.python {
        Some(python) => Some(match python.to_str() {
            Some(text) => match in_home(text, settings) {
                // Some shells leave it alone, and all do inside quotes.
                Some(path) if !cwd.join(text).exists() => PythonRequest::Path(path),
                _ => PythonRequest::parse(text, &cwd)?,
            },
            None => PythonRequest::Path(cwd.join(python)),
        }),
        None => None,
    };
    Ok(DiscoveryInputs {
        python,
        virtual_env: settings.shell.virtual_env.clone(),
        conda_prefix: settings.shell.conda_prefix.clone(),
        cwd,
        path: settings.shell.path.clone(),
        registered: bnbpip_platform::registered_pythons(&bnbpip_platform::ThisRegistry),
    })
}

/// The path that `~/...` means.
fn in_home(text: &str, settings: &Settings) -> Option<PathBuf> {
    let rest = text.strip_prefix('~')?.strip_prefix(['/', '\\'])?;
    let variable = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
    Some(settings.environment.get_path(variable)?.join(rest))
}

/// Finds the environment to work on.
///
/// # Errors
/// When there is none, or it doesn't work.
pub(crate) fn find(settings: &Settings) -> Result<Environment, Failure> {
    let inputs = discovery_inputs(settings)?;
    bnbpip_platform::find_environment(&inputs, &prober(settings)).map_err(explained)
}

/// Finishes or takes back a change of the environment that was interrupted, so that what is read
/// next is whole. Where that can't be done (another user's environment), it is said.
pub(crate) fn settle(interpreter: &Interpreter, printer: &Printer) {
    let environment = for_installer(interpreter, &interpreter.schemes.prefix);
    let notes = TransactionNotes(printer);
    if let Err(error) = bnbpip_installer::recover_abandoned(&environment.state_dir, &notes) {
        printer.warning(&format!(
            "A change of this environment was interrupted, and what follows may be half of it: {}",
            chain(&error)
        ));
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let texts: Vec<String> = causes.map(ToString::to_string).collect();
    texts.join(": ")
}

/// The interpreter for a command that changes nothing: the environment's, or without one any that
/// is on `PATH`.
///
/// # Errors
/// When there is none, or it doesn't work.
pub(crate) fn find_to_read(settings: &Settings) -> Result<Interpreter, Failure> {
    let (inputs, prober) = (discovery_inputs(settings)?, prober(settings));
    match bnbpip_platform::find_environment(&inputs, &prober) {
        Ok(environment) => Ok(environment.interpreter),
        Err(DiscoveryError::NoEnvironment { .. }) => {
            bnbpip_platform::find_interpreter(&inputs, &prober).map_err(explained)
        }
        Err(error) => Err(explained(error)),
    }
}

/// The same as [`find`], for a command that changes the environment: `--require-virtualenv` and the claims of
/// a system's package manager are looked at.
///
/// # Errors
/// When there is none, or it must not be changed.
pub(crate) fn find_to_change(
    settings: &Settings,
    break_system_packages: bool,
) -> Result<Environment, Failure> {
    let environment = find(settings)?;
    check_virtualenv(settings, &environment.interpreter)?;
    if !break_system_packages {
        check_externally_managed(&environment.interpreter)?;
    }
    Ok(environment)
}

/// Holds `--require-virtualenv`.
///
/// # Errors
/// When it is set and the interpreter is no virtual environment's.
pub(crate) fn check_virtualenv(
    settings: &Settings,
    interpreter: &Interpreter,
) -> Result<(), Failure> {
    if settings.require_virtualenv && !interpreter.is_venv {
        return Err(
            Failure::new("Could not find an activated virtualenv (required).")
                .hint("make one with `bnbpip venv`, or leave out `--require-virtualenv`")
                .exit_with(exit_code::ENVIRONMENT),
        );
    }
    Ok(())
}

/// Holds the claim of a system's package manager (PEP 668).
///
/// # Errors
/// When there is one.
pub(crate) fn check_externally_managed(interpreter: &Interpreter) -> Result<(), Failure> {
    let Some(managed) = interpreter
        .externally_managed
        .as_ref()
        .filter(|_| !interpreter.is_venv)
    else {
        return Ok(());
    };
    let mut message = "externally-managed-environment: this environment is externally managed \
                       by the system's package manager"
        .to_owned();
    for line in managed
        .message
        .iter()
        .flat_map(|message| message.trim().lines())
    {
        message.push_str("\n  ");
        message.push_str(line);
    }
    Err(Failure::new(message)
        .hint("make a virtual environment with `bnbpip venv` and install there")
        .hint("`--break-system-packages` overrides this, and may break the system's Python"))
}

/// Says on standard error which environment is about to be changed.
pub(crate) fn announce(environment: &Environment, printer: &Printer) {
    printer.status(&format!(
        "Using {} {} in `{}` ({})",
        environment.interpreter.implementation(),
        environment.interpreter.version(),
        environment.root.display(),
        environment.origin
    ));
    if let Some(notice) = hidden_library(&bnbpip_platform::ThisMachine, &environment.interpreter) {
        printer.warning(&notice);
    }
}

/// An embedded Python finds what its `._pth` names, and as it comes that isn't what gets installed.
fn hidden_library(machine: &impl MachineFiles, interpreter: &Interpreter) -> Option<String> {
    let layout = bnbpip_platform::embedded_layout(machine, &interpreter.base_executable)?;
    (!layout.sees_packages && !interpreter.is_venv).then(|| {
        format!(
            "this embedded Python doesn't see what is installed: take the `#` away before \
             `import site` in `{}`",
            layout.path_file.display()
        )
    })
}

/// A failed discovery with what to do about it.
pub(crate) fn explained(error: DiscoveryError) -> Failure {
    let hints: Vec<String> = match &error {
        DiscoveryError::NoEnvironment {
            interpreter_on_path,
            ..
        } => {
            let mut hints = vec![
                "make one with `bnbpip venv`, which is then found in `.venv`, or with `bnbpip \
                 install --venv DIR ...`"
                    .to_owned(),
            ];
            if let Some(python) = interpreter_on_path {
                hints.push(format!(
                    "or name one: `--python {}` works on that Python itself",
                    python.display()
                ));
            }
            hints
        }
        DiscoveryError::NoInterpreter { origin, .. } => vec![match origin {
            Origin::Requested => {
                "`--python` takes an interpreter, an environment's folder, or a version".to_owned()
            }
            Origin::VirtualEnv => "make the environment again, or run `deactivate`".to_owned(),
            Origin::CondaPrefix => "install Python into it with `conda install python`".to_owned(),
            Origin::DotVenv => "make it again with `bnbpip venv --clear`".to_owned(),
        }],
        DiscoveryError::NotOnPath { .. } => {
            vec!["install that Python, or give the path of an interpreter".to_owned()]
        }
        DiscoveryError::Probe(_) => Vec::new(),
    };
    hints.into_iter().fold(Failure::from(error), Failure::hint)
}

/// The folders that an interpreter imports from, the environment's own among them even if they
/// don't exist yet.
pub(crate) fn library_dirs(interpreter: &Interpreter) -> Vec<PathBuf> {
    let mut folders = interpreter.sys_path.clone();
    for own in interpreter.library_folders() {
        if !folders.iter().any(|folder| folder == own) {
            folders.push(own.to_path_buf());
        }
    }
    folders
}

/// The environment as the installer sees it, with files going to `scheme`.
pub(crate) fn for_installer(
    interpreter: &Interpreter,
    scheme: &Scheme,
) -> bnbpip_installer::Environment {
    let prefix = interpreter.is_venv.then(|| interpreter.prefix.clone());
    let is_windows = interpreter.markers.platform_system() == "Windows";
    bnbpip_installer::Environment {
        state_dir: bnbpip_installer::default_state_dir(prefix.as_deref(), &scheme.purelib),
        scheme: bnbpip_installer::Scheme {
            purelib: scheme.purelib.clone(),
            platlib: scheme.platlib.clone(),
            scripts: scheme.scripts.clone(),
            data: scheme.data.clone(),
            headers: scheme.include.clone(),
        },
        interpreter: bnbpip_installer::InterpreterFacts {
            sys_executable: interpreter.sys_executable.clone(),
            gui_executable: gui_executable(interpreter, is_windows),
            version: interpreter.version_info,
            full_version: interpreter.markers.python_full_version().string.clone(),
            is_windows,
            cache_tag: interpreter.cache_tag.clone(),
            path_limit: path_limit(&bnbpip_platform::ThisMachine),
        },
        prefix,
        stdlib: vec![interpreter.stdlib.clone()],
        library_dirs: library_dirs(interpreter),
        history: None,
    }
}

/// The environment of an interpreter itself, of which it is kept what bnbpip changes.
pub(crate) fn with_history(
    interpreter: &Interpreter,
    settings: &Settings,
) -> bnbpip_installer::Environment {
    let environment = for_installer(interpreter, &interpreter.schemes.prefix);
    let marker = interpreter.prefix.join("pyvenv.cfg");
    let (place, marker) = match &environment.prefix {
        Some(prefix) => (prefix, Some(marker.as_path())),
        None => (&environment.scheme.purelib, None),
    };
    let parent = settings.state_dir.as_ref().map(|it| it.join("history"));
    bnbpip_installer::Environment {
        history: Some(History::of(place, marker, parent.as_deref())),
        ..environment
    }
}

/// Windows' `MAX_PATH` without the zero at the end, unless long paths are turned on.
pub(crate) fn path_limit(machine: &impl MachineFiles) -> Option<usize> {
    (machine.long_paths() == Some(false)).then_some(259)
}

/// `pythonw.exe` beside `python.exe`.
fn gui_executable(interpreter: &Interpreter, is_windows: bool) -> Option<PathBuf> {
    let candidate = interpreter.sys_executable.with_file_name("pythonw.exe");
    (is_windows && candidate.is_file()).then_some(candidate)
}

#[cfg(test)]
mod tests {
    use bnbpip_platform::ThisMachine;

    use super::*;

    #[test]
    fn an_embedded_python_that_sees_no_packages_is_told_of() {
        let folder = tempfile::tempdir().unwrap();
        let mut interpreter = bnbpip_testing::base_interpreter().clone();
        interpreter.base_executable = folder.path().join("python.exe");
        interpreter.is_venv = false;
        let notice = |text: &str| {
            fs_err::write(folder.path().join("python311._pth"), text).unwrap();
            hidden_library(&ThisMachine, &interpreter)
        };
        let told = notice("python311.zip\r\n.\r\n#import site\r\n").unwrap();
        assert!(told.ends_with("python311._pth`"), "{told}");
        assert_eq!(notice(".\r\nimport site\r\n"), None);
        assert_eq!(notice("# as usual\r\nLib/site-packages\r\n"), None);
        assert!(notice("# Lib/site-packages\r\n").is_some());
    }
}
