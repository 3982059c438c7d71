//! Where packages will go and for which target: the environment, `--target`, `--prefix`, `--root`,
//! `--user`, a new environment by `--venv`, or another platform for a dry run.

use std::path::{Path, PathBuf};

use bnbpip_installer::{InstalledEnvironment, TargetMode};
use bnbpip_platform::{
    DiscoveryError, ExistingDirectory, Interpreter, Origin, Placement, PythonRequest, Target,
    TargetRequest, VenvOptions,
};

use crate::cli::InstallArgs;
use crate::commands::{target_environment, venv};
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;

/// What an installation is for and where it goes.
#[derive(Debug)]
pub(crate) struct Destination {
    /// Markers and tags.
    pub(crate) target: Target,
    /// The interpreter that source distributions are built for; `None` if the target isn't this
    /// machine's.
    pub(crate) interpreter: Option<Interpreter>,
    /// The environment; `None` for a dry run that needs none.
    pub(crate) environment: Option<bnbpip_installer::Environment>,
    /// Set for `--target`.
    pub(crate) target_mode: Option<TargetMode>,
    /// Whether what is installed counts: not with `--target`, nor for another platform.
    pub(crate) sees_installed: bool,
    /// Whether the scripts' folder should be on `PATH`.
    pub(crate) scripts_on_path: bool,
    /// Whether it is a virtual environment.
    pub(crate) is_venv: bool,
}

impl Destination {
    /// Finds (or, with `--venv`, makes) the place that the options name.
    ///
    /// # Errors
    /// When there is none, or it may not be changed.
    pub(crate) fn find(
        arguments: &InstallArgs,
        settings: &Settings,
        printer: &Printer,
    ) -> Result<Self, Failure> {
        let request = arguments.target_python.request()?;
        let Some(interpreter) = interpreter(arguments, settings, &request, printer)? else {
            return Ok(Self {
                target: request.target(None)?,
                interpreter: None,
                environment: None,
                target_mode: None,
                sees_installed: false,
                scripts_on_path: false,
                is_venv: false,
            });
        };
        let target = if request.is_empty() {
            Target::from_interpreter(&interpreter)
        } else {
            request.target(Some(&interpreter))?
        };
        let environment = place(arguments, settings, &interpreter)?;
        Ok(Self {
            environment: Some(environment),
            target_mode: arguments.target.is_some().then_some(TargetMode {
                upgrade: arguments.upgrade,
            }),
            sees_installed: arguments.target.is_none() && !target.is_synthetic,
            scripts_on_path: arguments.target.is_none() && arguments.prefix.is_none(),
            is_venv: interpreter.is_venv,
            interpreter: (!target.is_synthetic).then_some(interpreter),
            target,
        })
    }

    /// Looks at the options alone: whether they can be followed together.
    ///
    /// # Errors
    /// When they can't.
    pub(crate) fn check(arguments: &InstallArgs) -> Result<(), Failure> {
        check_combinations(arguments, &arguments.target_python.request()?)
    }

    /// What is installed there.
    ///
    /// # Errors
    /// When a folder can't be read.
    pub(crate) fn installed(&self) -> Result<InstalledEnvironment, Failure> {
        match &self.environment {
            Some(environment) if self.sees_installed => {
                Ok(InstalledEnvironment::scan(&environment.library_dirs)?)
            }
            _ => Ok(InstalledEnvironment::default()),
        }
    }
}

fn check_combinations(arguments: &InstallArgs, request: &TargetRequest) -> Result<(), Failure> {
    if !request.is_empty() && !arguments.dry_run && arguments.target.is_none() {
        return Err(Failure::new(
            "Can not use any platform or abi specific options unless installing via '--target' \
             or using '--dry-run'",
        ));
    }
    if arguments.user && (arguments.prefix.is_some() || arguments.target.is_some()) {
        let other = if arguments.prefix.is_some() {
            "--prefix"
        } else {
            "--target"
        };
        return Err(Failure::new(format!(
            "Can not combine '--user' and '{other}'"
        )));
    }
    if arguments.target.is_some() && (arguments.prefix.is_some() || arguments.root.is_some()) {
        return Err(Failure::new(
            "Can not combine '--target' with '--prefix' or '--root'",
        ));
    }
    Ok(())
}

/// The interpreter that the installation goes by; `None` where a dry run can do without one.
fn interpreter(
    arguments: &InstallArgs,
    settings: &Settings,
    request: &TargetRequest,
    printer: &Printer,
) -> Result<Option<Interpreter>, Failure> {
    let prober = target_environment::prober(settings);
    if let Some(root) = &arguments.venv {
        return made_environment(root, arguments, settings, printer).map(Some);
    }
    let elsewhere =
        arguments.target.is_some() || arguments.prefix.is_some() || arguments.root.is_some();
    let inputs = target_environment::discovery_inputs(settings)?;
    let found = match bnbpip_platform::find_environment(&inputs, &prober) {
        Ok(environment) => environment,
        // Without an environment any interpreter says what a dry run or another folder needs.
        Err(DiscoveryError::NoEnvironment { .. }) if arguments.dry_run && request.is_complete() => {
            return Ok(None);
        }
        Err(DiscoveryError::NoEnvironment { .. }) if arguments.dry_run || elsewhere => {
            return bnbpip_platform::find_interpreter(&inputs, &prober)
                .map(Some)
                .map_err(target_environment::explained);
        }
        Err(error) => return Err(target_environment::explained(error)),
    };
    target_environment::check_virtualenv(settings, &found.interpreter)?;
    if !arguments.dry_run {
        if !elsewhere && !arguments.break_system_packages {
            target_environment::check_externally_managed(&found.interpreter)?;
        }
        target_environment::announce(&found, printer);
    }
    Ok(Some(found.interpreter))
}

/// `--venv`: the environment in the folder, made first if there is none.
fn made_environment(
    root: &Path,
    arguments: &InstallArgs,
    settings: &Settings,
    printer: &Printer,
) -> Result<Interpreter, Failure> {
    let prober = target_environment::prober(settings);
    let root = settings.environment.working_directory().join(root);
    let inputs = target_environment::discovery_inputs(settings)?;
    if !bnbpip_platform::is_virtual_environment(&root) {
        if arguments.dry_run {
            return Err(Failure::new(format!(
                "Failed to find an environment in `{}`: a dry run doesn't make one",
                root.display()
            ))
            .hint(format!("make it with `bnbpip venv {}`", root.display())));
        }
        let base = bnbpip_platform::find_interpreter(&inputs, &prober)
            .map_err(target_environment::explained)?;
        let options = VenvOptions {
            existing: ExistingDirectory::Refuse,
            ..VenvOptions::default()
        };
        venv::create(&base, &root, &options)?;
        printer.status(&format!(
            "Made a virtual environment at `{}`",
            root.display()
        ));
    }
    let environment = bnbpip_platform::open_environment(&root, Origin::Requested, &prober)
        .map_err(target_environment::explained)?;
    let found = &environment.interpreter;
    if let Some(PythonRequest::Version(version)) = &inputs.python
        && !version.accepts(found.version(), found.free_threaded)
    {
        return Err(Failure::new(format!(
            "Failed to use Python {version} in `{}`: the environment there has {}",
            root.display(),
            found.version()
        ))
        .hint("name another folder, or make this one again with `bnbpip venv --clear`"));
    }
    printer.status(&format!(
        "Using {} {} in `{}` (`--venv`)",
        environment.interpreter.implementation(),
        environment.interpreter.version(),
        environment.root.display()
    ));
    Ok(environment.interpreter)
}

/// The installer's view of the place that the options name.
fn place(
    arguments: &InstallArgs,
    settings: &Settings,
    interpreter: &Interpreter,
) -> Result<bnbpip_installer::Environment, Failure> {
    let absolute = |path: &PathBuf| settings.environment.working_directory().join(path);
    let target = arguments.target.as_ref().map(absolute);
    let prefix = arguments.prefix.as_ref().map(absolute);
    let placement = if let Some(target) = &target {
        Placement::Target(target)
    } else if let Some(prefix) = &prefix {
        Placement::Prefix(prefix)
    } else if arguments.user {
        Placement::User
    } else {
        Placement::Environment
    };
    let mut scheme = interpreter.scheme(placement)?;
    if let Some(root) = arguments.root.as_ref().map(absolute) {
        scheme = scheme.rooted(&root);
    }
    if placement == Placement::Environment && arguments.root.is_none() {
        return Ok(target_environment::with_history(interpreter, settings));
    }
    let mut environment = target_environment::for_installer(interpreter, &scheme);
    // Another place: what is there counts, not what the interpreter sees, and nothing holds
    // it within the interpreter's own prefix.
    environment.prefix = None;
    environment.state_dir = bnbpip_installer::default_state_dir(None, &scheme.purelib);
    if placement != Placement::User {
        environment.library_dirs = vec![scheme.purelib.clone()];
        if scheme.platlib != scheme.purelib {
            environment.library_dirs.push(scheme.platlib.clone());
        }
    }
    Ok(environment)
}
