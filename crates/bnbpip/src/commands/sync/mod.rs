//! `bnbpip sync`: a lock's packages → plan → fetched → receipt. The resolution is the lock's.

mod accelerator;
mod asked;
mod building;
mod planning;
mod present;

use std::path::Path;
use std::sync::Arc;

use bnbpip_index::{Cache, IndexClient};
use bnbpip_installer::{InstallOptions, InstalledDistribution, InstalledEnvironment};
use bnbpip_lock::Selected;
use bnbpip_packaging::{HashAlgorithm, PackageName};
use bnbpip_platform::Target;
use rustc_hash::FxHashMap;

pub(crate) use self::accelerator::Wish;
use self::building::Building;
use self::pips_words::{INVALID, READING, SELECTING};
pub(crate) use self::planning::{Origin, Places, SourceOrigin, Wanted, locked_file, wanted};
use super::install::{
    Application, DownloadProgress, Plan, announce, listing, tell_outcome, tell_satisfied,
};
use super::lock::LockText;
use super::resolve::{network, runtime};
use super::target_environment;
use super::transaction_notes::{TransactionNotes, with_hint};
use super::wheelhouse::Wheelhouse;
use crate::cli::SyncArgs;
use crate::cli::index::IndexArgs;
use crate::cli::resolve::ResolveArgs;
use crate::cli::values::ProgressBar;
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::request::{self, AskedOfLock, FileOptions};
use crate::secrets::without_credentials;

/// What pip says of a lock that it can't use; the lock's name follows.
pub(crate) mod pips_words {
    pub(crate) const READING: &str = "Error reading pylock file";
    pub(crate) const INVALID: &str = "Invalid pylock file";
    pub(crate) const SELECTING: &str = "Cannot select requirements from pylock file";
}

/// Whose command was typed, and so whose words a lock is refused in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Words {
    /// bnbpip's own.
    Own,
    /// pip's.
    Pips,
}

/// A lock that is to be installed, and how.
pub(crate) struct Syncing<'a> {
    /// The lock file: a path or an address.
    pub(crate) file: &'a str,
    /// What of it is asked for.
    pub(crate) asked: AskedOfLock,
    /// What torch is to run on.
    pub(crate) accelerator: Wish<'a>,
    /// Whether packages that the lock doesn't have stay.
    pub(crate) inexact: bool,
    /// A folder that may have the lock's files.
    pub(crate) wheelhouse: Option<&'a Path>,
    pub(crate) dry_run: bool,
    pub(crate) break_system_packages: bool,
    pub(crate) progress_bar: ProgressBar,
    /// How what has to be built is built, and where what that needs comes from.
    pub(crate) resolve: &'a ResolveArgs,
    /// How a lock that can't be used is refused.
    pub(crate) words: Words,
    /// How files get into the environment; the command, for the history.
    pub(crate) options: InstallOptions,
}

/// Makes the environment what the lock says.
///
/// # Errors
/// When the lock isn't for it, or it can't be done; the environment is then as it was.
pub(crate) fn run(
    arguments: &SyncArgs,
    settings: &Settings,
    printer: &'static Printer,
) -> Result<(), Failure> {
    let resolve = ResolveArgs {
        build: arguments.build.clone(),
        index: arguments.index.clone(),
        ..ResolveArgs::default()
    };
    let normalized = |names: &[String]| names.iter().map(|it| request::normalized(it)).collect();
    let of_project = settings.project.options.accelerator.as_deref();
    let syncing = Syncing {
        file: &arguments.file,
        asked: AskedOfLock {
            extras: normalized(&arguments.extra),
            groups: normalized(&arguments.group),
            with_default_groups: arguments.group.is_empty(),
        },
        accelerator: Wish(arguments.accelerator.as_deref().or(of_project)),
        inexact: arguments.inexact,
        wheelhouse: arguments.wheelhouse.as_deref(),
        dry_run: arguments.dry_run,
        break_system_packages: arguments.break_system_packages,
        progress_bar: arguments.progress_bar,
        resolve: &resolve,
        words: Words::Own,
        options: InstallOptions {
            command: without_credentials(&format!("sync {}", arguments.file)).into_owned(),
            compile: arguments.compile.wanted(),
            byte_code_cache: settings.byte_code_cache(),
            ..InstallOptions::default()
        },
    };
    syncing.run(settings, printer)
}

impl Syncing<'_> {
    /// Makes the environment what the lock says.
    ///
    /// # Errors
    /// When the lock isn't for it, or it can't be done; the environment is then as it was.
    pub(crate) fn run(self, settings: &Settings, printer: &'static Printer) -> Result<(), Failure> {
        let text = LockText::fetch(self.file, settings);
        let text = text.map_err(|failure| self.worded(failure, READING))?;
        let (lock, folder) = text
            .parse(printer)
            .map_err(|failure| self.worded(failure, INVALID))?;
        let found = if self.dry_run {
            target_environment::find(settings)?
        } else {
            target_environment::find_to_change(settings, self.break_system_packages)?
        };
        let target = Target::from_interpreter(&found.interpreter);
        let asked = self.asked.clone();
        let selected = asked
            .settled(&lock, self.accelerator, &target, settings, printer)
            .and_then(|asked| asked.select(&lock, &target))
            .map_err(|failure| self.worded(failure, SELECTING))?;
        if !self.inexact && !found.interpreter.is_venv {
            return Err(Failure::new(format!(
                "Failed to sync `{}`: it is not a virtual environment, and packages that the lock \
                 doesn't have would be removed",
                found.root.display()
            ))
            .hint("make one with `bnbpip venv`, or pass `--inexact` to keep them"));
        }
        let environment = target_environment::with_history(&found.interpreter, settings);
        if !self.dry_run {
            let notes = TransactionNotes(printer);
            bnbpip_installer::recover(&environment.state_dir, &notes).map_err(with_hint)?;
        }
        let installed = InstalledEnvironment::scan(&environment.library_dirs)?;
        let wheelhouse = self.wheelhouse;
        let wheelhouse = wheelhouse.map(|folder| Wheelhouse::open(folder, settings));
        let wheelhouse = wheelhouse.transpose()?;
        let places = Places {
            folder: &folder,
            wheelhouse: wheelhouse.as_ref(),
        };
        let mut wanted = wanted(&selected, places)?;
        let records = present::Records::read(&environment);
        let is_there = |one: &Wanted| present::is_there(one, &installed, &records);
        if self.words == Words::Pips {
            let there = wanted.iter().filter(|one| is_there(one));
            self.tell_satisfied(there, &installed, (settings, printer));
        }
        wanted.retain(|one| !is_there(one));
        let surplus = if self.inexact {
            Vec::new()
        } else {
            surplus(&selected, &installed, &found.interpreter.prefix)
        };
        if wanted.is_empty() && surplus.is_empty() {
            if self.words == Words::Own {
                printer.info("The environment is as the lock says");
            }
            return Ok(());
        }
        if !self.dry_run {
            target_environment::announce(&found, printer);
        }
        let building = Building::new(self.resolve, &wanted, &found.interpreter, settings, printer)?;
        let plan = building.plan(wanted, &installed, self.dry_run)?;
        let changes = Changes { plan, surplus };
        if settings.network.offline {
            changes.check_offline(&building.client, wheelhouse.as_ref())?;
        }
        if self.dry_run {
            changes.say(printer, "Would remove", "Would install");
            return Ok(());
        }
        changes.apply(&self, &building, &environment, settings, printer)?;
        changes.say(printer, "Successfully removed", "Successfully installed");
        Ok(())
    }

    /// Tells in pip's words what is there.
    fn tell_satisfied<'one>(
        &self,
        there: impl Iterator<Item = &'one Wanted>,
        installed: &InstalledEnvironment,
        (settings, printer): (&Settings, &Printer),
    ) {
        let from = format!(" (from {})", without_credentials(self.file));
        for one in there {
            let Some(distribution) = installed.get(&one.name) else {
                continue;
            };
            let label = (one.address()).map_or_else(
                || format!("{}=={}", one.name, distribution.version),
                |url| format!("{} @ {url}", one.name),
            );
            let directory = settings.environment.working_directory();
            tell_satisfied(distribution, (&label, &from), directory, printer);
        }
    }

    /// A failure about the lock, with what pip says of it if its command was typed.
    fn worded(&self, failure: Failure, said: &str) -> Failure {
        if self.words == Words::Pips {
            failure.context(format!("{said} '{}'", self.file))
        } else {
            failure
        }
    }
}

/// What is installed in the environment itself and not in the lock. Installers are nobody's packages and stay.
fn surplus(
    selected: &[Selected<'_>],
    installed: &InstalledEnvironment,
    prefix: &Path,
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

    /// Refuses what can't be done without network.
    fn check_offline(
        &self,
        client: &IndexClient,
        wheelhouse: Option<&Wheelhouse>,
    ) -> Result<(), Failure> {
        let places = match wheelhouse {
            Some(wheelhouse) => format!(
                "neither in the wheelhouse `{}` nor in the cache",
                wheelhouse.folder().display()
            ),
            None => "not in the cache".to_owned(),
        };
        let checked = self.plan.check_offline("sync", client, &places);
        checked.map_err(|failure| {
            failure.hint(
                "`bnbpip bundle pylock.toml -o DIR` fills a folder where there is network, and \
                 `--wheelhouse DIR` takes the files from there",
            )
        })
    }

    fn apply(
        &self,
        syncing: &Syncing<'_>,
        building: &Building,
        environment: &bnbpip_installer::Environment,
        settings: &Settings,
        printer: &'static Printer,
    ) -> Result<(), Failure> {
        let bytes = self.plan.file_bytes();
        let progress = DownloadProgress::new(printer, syncing.progress_bar, bytes);
        for change in self.plan.changes.iter().filter(|it| it.built.is_none()) {
            announce(&change.file, &building.client, printer);
        }
        let application = Application {
            client: &building.client,
            progress: Arc::new(progress),
            required: self.required(),
            sizes: self.sizes(),
            runtime: &building.runtime,
            environment,
            options: syncing.options.clone(),
            printer,
            removed: &self.surplus,
        };
        let applied = application.run(&self.plan);
        network::say_notes(&building.client, printer);
        tell_outcome(&applied?, settings, printer);
        Ok(())
    }

    /// The sizes of files by the lock.
    fn sizes(&self) -> FxHashMap<PackageName, u64> {
        let changes = self.plan.changes.iter();
        changes
            .filter_map(|change| Some((change.package.name.clone(), change.file.size_bytes?)))
            .collect()
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

/// The client that gets the lock's files. Indexes are known for their credentials and mirrors.
fn client(
    index: &IndexArgs,
    settings: &Settings,
) -> Result<(tokio::runtime::Runtime, IndexClient), Failure> {
    let cache: Cache = network::cache(settings)?;
    let options = network::client_options(settings, &[]);
    let locations = network::locations(index, &FileOptions::default(), settings)?;
    let client = IndexClient::new(locations, cache, &options);
    Ok((runtime()?, client))
}
