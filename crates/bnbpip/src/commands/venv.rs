//! `bnbpip venv`.

use std::path::{Path, PathBuf};
use std::process::Command;

use bnbpip_platform::{ExistingDirectory, Interpreter, ThisMachine, VenvError, VenvOptions};

use super::target_environment;
use crate::cli::VenvArgs;
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;

/// Makes a virtual environment.
///
/// # Errors
/// When there is no Python to make it from, or something is in the way.
pub(crate) fn run(
    arguments: &VenvArgs,
    settings: &Settings,
    printer: &Printer,
) -> Result<(), Failure> {
    let inputs = target_environment::discovery_inputs(settings)?;
    let prober = target_environment::prober(settings);
    let base = bnbpip_platform::find_interpreter(&inputs, &prober)
        .map_err(target_environment::explained)?;
    printer.status(&format!(
        "Using {} {} at `{}`",
        base.implementation(),
        base.version(),
        base.base_executable.display()
    ));
    let root = settings
        .environment
        .working_directory()
        .join(&arguments.directory);
    let options = VenvOptions {
        prompt: arguments.prompt.clone(),
        system_site_packages: arguments.system_site_packages,
        existing: if arguments.clear {
            ExistingDirectory::Clear
        } else {
            ExistingDirectory::Refuse
        },
        ..VenvOptions::default()
    };
    let python = create(&base, &root, &options)?;
    if arguments.seed {
        seed(&python)?;
    }
    let shown = arguments.directory.display();
    printer.status(&format!("Made a virtual environment at `{shown}`"));
    printer.status(&format!(
        "Activate it with: {}",
        activation(&root, &shown.to_string())
    ));
    Ok(())
}

/// Makes a virtual environment; what is in the way is said with what to do about it.
///
/// # Errors
/// When it can't be made.
pub(crate) fn create(
    base: &Interpreter,
    root: &Path,
    options: &VenvOptions,
) -> Result<PathBuf, Failure> {
    let options = VenvOptions {
        path_limit: target_environment::path_limit(&ThisMachine),
        ..options.clone()
    };
    bnbpip_platform::create_venv(base, root, &options).map_err(|error| {
        let hint = match &error {
            VenvError::NotEmpty { is_venv: true, .. } => {
                Some("it is an environment already: use it as it is, or empty it with `--clear`")
            }
            VenvError::NotEmpty { is_venv: false, .. } => {
                Some("choose another folder, or empty it with `--clear`")
            }
            VenvError::IsFile { .. } | VenvError::SeparatorInPath { .. } => {
                Some("choose another folder")
            }
            VenvError::HoldsBase { .. } => {
                Some("choose another folder, or name another Python with `--python`")
            }
            VenvError::NoLauncher { .. } => {
                Some("an embeddable Python can't make environments: install the full one")
            }
            VenvError::PathTooLong { .. } => Some(
                "choose a shorter path, or turn long paths on, as administrator: `reg add \
                 HKLM\\SYSTEM\\CurrentControlSet\\Control\\FileSystem /v LongPathsEnabled \
                 /t REG_DWORD /d 1 /f`",
            ),
            VenvError::Io { .. } => None,
        };
        let failure = Failure::from(error);
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    })
}

/// Puts pip into a new environment with the interpreter's own bundled copy: no network.
fn seed(python: &Path) -> Result<(), Failure> {
    let failed = || Failure::new(format!("Failed to put pip into `{}`", python.display()));
    let output = Command::new(python)
        .args(["-I", "-m", "ensurepip", "--upgrade", "--default-pip"])
        .output()
        .map_err(|error| failed().caused_by(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said
        .trim()
        .lines()
        .next_back()
        .unwrap_or_default()
        .to_owned();
    Err(failed().caused_by(last).hint(
        "this Python comes without `ensurepip`: install its package (`python3-venv` on Debian), \
         or leave out `--seed`",
    ))
}

/// The command that activates the environment in this system's usual shell.
fn activation(root: &Path, shown: &str) -> String {
    if root.join("Scripts").is_dir() {
        format!("{shown}\\Scripts\\activate")
    } else {
        format!("source {shown}/bin/activate")
    }
}
