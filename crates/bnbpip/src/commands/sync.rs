//! `bnbpip sync`: a lock's packages → plan → fetched → receipt. The resolution is the lock's.

use std::path::PathBuf;
use std::sync::Arc;

use bnbpip_index::{Cache, IndexClient, PackageFile};
use bnbpip_installer::{InstallOptions, InstalledDistribution, InstalledEnvironment};
use bnbpip_lock::{LockedFile, Selected, SelectedFrom, Selecting};
use bnbpip_packaging::{HashAlgorithm, PackageName};
use bnbpip_platform::Target;
use bnbpip_resolver::{ResolvedPackage, Source};
use rustc_hash::FxHashMap;

use super::install::{Application, Change, DownloadProgress, Plan, listing, tell_outcome};
use super::lock;
use super::resolve::network;
use super::target_environment;
use super::transaction_notes::{TransactionNotes, with_hint};
use crate::cli::SyncArgs;
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::request;

/// Makes the environment what the lock says.
///
/// # Errors
/// When the lock isn't for it, or it can't be done; the environment is then as it was.
pub(crate) fn run(
    arguments: &SyncArgs,
    settings: &Settings,
    printer: &'static Printer,
) -> Result<(), Failure> {
    let directory = settings.environment.working_directory();
    let file = directory.join(&arguments.file);
    let lock = lock::read(&file)?;
    let found = if arguments.dry_run {
        target_environment::find(settings)?
    } else {
        target_environment::find_to_change(settings, arguments.break_system_packages)?
    };
    let target = Target::from_interpreter(&found.interpreter);
    let (extras, groups) = (normalized(&arguments.extra), normalized(&arguments.group));
    let selected = lock.select(Selecting {
        markers: &target.markers,
        tags: &target.tags,
        python: &target.python_full_version,
        description: &target.description,
        extras: &extras,
        groups: &groups,
    })?;
    if !arguments.inexact && !found.interpreter.is_venv {
        return Err(Failure::new(format!(
            "Failed to sync `{}`: it is not a virtual environment, and packages that the lock \
             doesn't have would be removed",
            found.root.display()
        ))
        .hint("make one with `bnbpip venv`, or pass `--inexact` to keep them"));
    }
    let environment =
        target_environment::for_installer(&found.interpreter, &found.interpreter.schemes.prefix);
    if !arguments.dry_run {
        let notes = TransactionNotes(printer);
        bnbpip_installer::recover(&environment.state_dir, &notes).map_err(with_hint)?;
    }
    let installed = InstalledEnvironment::scan(&environment.library_dirs)?;
    let folder = file.parent().map(PathBuf::from).unwrap_or_default();
    let plan = plan(&selected, &installed, &folder)?;
    let surplus = if arguments.inexact {
        Vec::new()
    } else {
        surplus(&selected, &installed, &found.interpreter.prefix)
    };
    if plan.changes.is_empty() && surplus.is_empty() {
        printer.info("The environment is as the lock says");
        return Ok(());
    }
    let changes = Changes { plan, surplus };
    if arguments.dry_run {
        changes.say(printer, "Would remove", "Would install");
        return Ok(());
    }
    target_environment::announce(&found, printer);
    changes.apply(arguments, settings, &environment, printer)?;
    changes.say(printer, "Successfully removed", "Successfully installed");
    Ok(())
}

fn normalized(names: &[String]) -> Vec<String> {
    names.iter().map(|name| request::normalized(name)).collect()
}

/// What the lock has and the environment has not.
fn plan(
    selected: &[Selected<'_>],
    installed: &InstalledEnvironment,
    folder: &std::path::Path,
) -> Result<Plan, Failure> {
    let mut plan = Plan {
        changes: Vec::new(),
        kept: Vec::new(),
    };
    for selected in selected {
        let present = installed.get(&selected.package.name);
        let wheel = match selected.from {
            SelectedFrom::Wheel(wheel) => wheel,
            SelectedFrom::Source(source) => {
                return Err(Failure::new(format!(
                    "Failed to use the lock: `{}` has no wheels, only `{}`",
                    selected.package.name,
                    source.key()
                )));
            }
        };
        let mut file = file(wheel, folder)?;
        // What the index's mirrors are found by.
        let index = selected.package.index.as_deref();
        file.index = index.and_then(|index| index.parse().ok()).map(Arc::new);
        let file = Arc::new(file);
        let version = file.version().clone();
        if present.is_some_and(|present| present.version == version) {
            continue;
        }
        plan.changes.push(Change {
            package: ResolvedPackage {
                name: selected.package.name.clone(),
                version,
                source: Source::Index(Arc::clone(&file)),
                extras: Vec::new(),
                requested: !selected.package.requirements.is_empty(),
                dependents: Vec::new(),
                reached: true,
            },
            file,
            direct_url: None,
            built: None,
            origin: None,
            replaces: present.cloned(),
        });
    }
    Ok(plan)
}

/// The locked file as it is fetched: from the path beside the lock if there is one.
fn file(wheel: &LockedFile, folder: &std::path::Path) -> Result<PackageFile, Failure> {
    let mut file = match (&wheel.path, &wheel.url) {
        (Some(path), _) => PackageFile::from_path(&folder.join(path))?,
        (None, url) => PackageFile::from_url(url.as_deref().unwrap_or_default().parse()?)?,
    };
    file.hashes = wheel.hashes.clone();
    file.size_bytes = wheel.size_bytes;
    Ok(file)
}

/// What is installed in the environment itself and not in the lock. Installers are nobody's packages and stay.
fn surplus(
    selected: &[Selected<'_>],
    installed: &InstalledEnvironment,
    prefix: &std::path::Path,
) -> Vec<InstalledDistribution> {
    let is_kept = |name: &PackageName| {
        matches!(
            name.as_ref(),
            "pip" | "setuptools" | "wheel" | "uv" | "bnbpip"
        ) || selected.iter().any(|it| it.package.name == *name)
    };
    let all = installed.distributions.iter();
    all.filter(|distribution| !is_kept(&distribution.name))
        .filter(|distribution| distribution.location.starts_with(prefix))
        .cloned()
        .collect()
}

/// What is to be done.
struct Changes {
    plan: Plan,
    surplus: Vec<InstalledDistribution>,
}

impl Changes {
    fn say(&self, printer: &Printer, removed: &str, installed: &str) {
        if !self.surplus.is_empty() {
            let names = self.surplus.iter();
            let mut names: Vec<String> = names
                .map(|gone| format!("{}-{}", gone.name, gone.version))
                .collect();
            names.sort_unstable();
            printer.info(&format!("{removed} {}", names.join(" ")));
        }
        if !self.plan.changes.is_empty() {
            printer.info(&format!("{installed} {}", listing(&self.plan)));
        }
    }

    fn apply(
        &self,
        arguments: &SyncArgs,
        settings: &Settings,
        environment: &bnbpip_installer::Environment,
        printer: &'static Printer,
    ) -> Result<(), Failure> {
        let cache: Cache = network::cache(settings)?;
        let options = network::client_options(settings, &[]);
        let locations = network::locations_of_lock(&arguments.mirrors, settings)?;
        let client = IndexClient::new(locations, cache, &options);
        let runtime = tokio::runtime::Runtime::new()?;
        let bytes = self.plan.file_bytes();
        let progress = DownloadProgress::new(printer, arguments.progress_bar, bytes);
        let application = Application {
            client: &client,
            progress: Arc::new(progress),
            required: self.required(),
            exact_sizes: true,
            runtime: &runtime,
            environment,
            options: InstallOptions {
                command: format!("sync {}", arguments.file.display()),
                ..InstallOptions::default()
            },
            printer,
            removed: &self.surplus,
        };
        let applied = application.run(&self.plan);
        network::say_notes(&client, printer);
        tell_outcome(&applied?, settings, printer);
        Ok(())
    }

    /// The lock's digests, of which each file must have the strongest.
    fn required(&self) -> FxHashMap<PackageName, Vec<(HashAlgorithm, String)>> {
        let changes = self.plan.changes.iter();
        changes
            .filter_map(|change| {
                let (algorithm, hex) = change.file.hashes.strongest()?;
                Some((
                    change.package.name.clone(),
                    vec![(algorithm, hex.to_string())],
                ))
            })
            .collect()
    }
}
