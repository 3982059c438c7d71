//! `bnbpip lock`: request → one resolution for each environment and accelerator → one
//! `pylock.toml`.

mod check;
mod diff;
pub(crate) mod environments;
mod export;
mod facts;
mod families;
mod locked;
mod merging;
mod preferences;
mod project;
mod reading;
mod solving;
mod upgrades;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use bnbpip_lock::{Environments, Lock, Overlay, merge};
use bnbpip_packaging::VersionSpecifiers;

use self::environments::LockTarget;
use self::preferences::Preferences;
use self::project::Inputs;
pub(crate) use self::reading::{LockText, read};
use self::upgrades::Upgrades;
use crate::cli::LockArgs;
use crate::cli::lock_tools::LockAction;
use crate::cli::resolve::ResolveArgs;
use crate::commands::resolve::{Connections, network};
use crate::commands::rule_set;
use crate::commands::sources::{SourceUse, Sources};
use crate::commands::target_environment;
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::output_file;
use crate::printer::Printer;
use crate::request::is_lock_name;

/// Locks what was asked for.
///
/// # Errors
/// When an environment has no solution, or the file can't be read or written.
pub(crate) fn run(
    arguments: &LockArgs,
    settings: &Settings,
    printer: &'static Printer,
) -> Result<(), Failure> {
    match &arguments.action {
        Some(LockAction::Diff(arguments)) => return diff::run(arguments, settings, printer),
        Some(LockAction::Export(arguments)) => return export::run(arguments, settings, printer),
        None => {}
    }
    if let [base, ours, theirs] = &arguments.merge[..] {
        return merging::run([base, ours, theirs], settings, printer);
    }
    let mut preferences = Preferences::read(arguments, settings, printer)?;
    let mut resolving = None;
    if arguments.resolve_conflicts {
        let (sides, arguments) = preferences::sides(arguments, settings)?;
        preferences.add_sides(&sides);
        resolving = Some(arguments);
    }
    let arguments = resolving.as_ref().unwrap_or(arguments);
    let mut run = Run::new(arguments, settings, printer)?;
    run.preferences = preferences;
    if arguments.check && !arguments.online {
        return run.check();
    }
    run.prepare_sources()?;
    if arguments.check {
        return run.check_online();
    }
    run.lock()
}

/// A new lock that isn't written, and the folder that its paths start from.
///
/// # Errors
/// When an environment has no solution.
pub(crate) fn solved(
    arguments: &LockArgs,
    settings: &Settings,
    printer: &'static Printer,
) -> Result<(Lock, PathBuf), Failure> {
    let mut run = Run::new(arguments, settings, printer)?;
    run.prepare_sources()?;
    Ok((run.solve(&Lock::default())?, run.folder()))
}

struct Run<'a> {
    arguments: &'a LockArgs,
    /// The arguments' own, with wheels alone for what nobody wants as a source distribution.
    resolve: ResolveArgs,
    settings: &'a Settings,
    printer: &'static Printer,
    inputs: Inputs,
    targets: Vec<LockTarget>,
    /// The accelerators that the lock lets choose from; `None` alone where there is no choice.
    families: Vec<Option<String>>,
    /// What builds; nothing where there is no Python.
    sources: Option<Sources>,
    /// What is tried first, before what the old lock has.
    preferences: Preferences,
    /// What doesn't keep to the old lock.
    upgrades: Upgrades,
    /// The rules in force.
    overlay: bnbpip_overlay::Overlay,
    /// How indexes are reached: what one environment's resolution has read serves the others.
    connections: Connections,
}

impl<'a> Run<'a> {
    fn new(
        arguments: &'a LockArgs,
        settings: &'a Settings,
        printer: &'static Printer,
    ) -> Result<Self, Failure> {
        let inputs = Inputs::read(arguments, settings, printer)?;
        let wanted = inputs.requires_python.as_ref();
        let targets = environments::targets(&arguments.environments, wanted, settings)?;
        let families = families::wanted(&arguments.resolve, &inputs.extras)?;
        for target in &targets {
            inputs.check(target)?;
        }
        let (layers, allow) = (&arguments.resolve.overlay.overlay, &arguments.resolve.allow);
        let overlay = rule_set::overlay(layers, allow, settings)?;
        Ok(Self {
            arguments,
            resolve: arguments.resolve.clone(),
            settings,
            printer,
            inputs,
            targets,
            families,
            sources: None,
            preferences: Preferences::default(),
            upgrades: Upgrades::read(&arguments.upgrade_package)?,
            overlay,
            connections: Connections::default(),
        })
    }
}

impl Run<'_> {
    fn output(&self) -> PathBuf {
        let directory = self.settings.environment.working_directory();
        directory.join(&self.arguments.output)
    }

    /// The folder that paths in the lock start from.
    fn folder(&self) -> PathBuf {
        if self.arguments.output == Path::new("-") {
            return self.settings.environment.working_directory().to_path_buf();
        }
        let output = self.output();
        output.parent().map_or_else(PathBuf::new, Path::to_path_buf)
    }

    /// Source distributions are locked where they were asked for by `--no-binary`, an address or a
    /// folder, and where a release has nothing else. Each that doesn't tell its metadata is built for it
    /// on this machine, once for all environments.
    fn prepare_sources(&mut self) -> Result<(), Failure> {
        let files = &self.inputs.base.options;
        let index = &mut self.resolve.index;
        index.format_control = index.format_control.clone().with_wheels_first();
        let formats = files.format_control(&index.format_control);
        let is_address = |given: &crate::request::RequestedRequirement| {
            let place = &given.requirement.version_or_url;
            matches!(place, Some(bnbpip_packaging::VersionOrUrl::Url(_)))
        };
        let mut asked = self.inputs.asked();
        let is_needed = formats.has_no_binary()
            || !self.inputs.base.unnamed.is_empty()
            || asked.any(|(_, given)| is_address(given));
        drop(asked);
        let Some(first) = self.targets.first() else {
            return Ok(());
        };
        let interpreter = match target_environment::find_to_read(self.settings) {
            Ok(interpreter) => interpreter,
            Err(_) if !is_needed => return Ok(()),
            Err(failure) => return Err(failure),
        };
        let all = self.inputs.all();
        let (options, settings) = (&self.resolve, self.settings);
        let sources = Sources::new(
            SourceUse::Metadata,
            options,
            settings,
            self.printer,
            &all,
            &interpreter,
        )?;
        sources.name_requirements(&mut self.inputs.base, &first.target.markers)?;
        self.sources = Some(sources);
        Ok(())
    }

    fn lock(&self) -> Result<(), Failure> {
        let output = self.output();
        let to_stdout = self.arguments.output == Path::new("-");
        let name = output.file_name().unwrap_or_default().to_string_lossy();
        if !to_stdout && !is_lock_name(&name) {
            // Others don't take it for one.
            self.printer
                .warning(&format!("{name} is not a valid lock file name."));
        }
        let is_new = to_stdout || self.arguments.upgrade || self.arguments.resolve_conflicts;
        let old = if is_new || !output.exists() {
            Lock::default()
        } else {
            read(&output, self.printer).map_err(|failure| {
                failure.hint("pass `--upgrade` to make the lock anew, without its versions")
            })?
        };
        let lock = self.solve(&old)?;
        self.printer.status(&format!(
            "Locked {} for {}",
            bnbpip_report::counted(lock.packages.len(), "package"),
            bnbpip_report::counted(self.targets.len(), "environment")
        ));
        let text = lock.to_toml();
        if to_stdout {
            self.printer.data(text.trim_end());
            return Ok(());
        }
        if !bnbpip_installer::read_regular_text(&output).is_ok_and(|present| present == text) {
            output_file::write(&output, &text)?;
        }
        Ok(())
    }

    fn solve(&self, old: &Lock) -> Result<Lock, Failure> {
        let solved = self.solve_all(old)?;
        let environments = self.targets.iter().map(|target| target.environment.clone());
        let environments = Environments(environments.collect());
        let overlay = &self.overlay;
        let digest = overlay.digest()?;
        Ok(Lock {
            created_by: "bnbpip".into(),
            environments: self.markers(),
            packages: merge(&environments, &solved.solutions)?,
            extras: self.extras(),
            dependency_groups: self.inputs.groups.clone(),
            requires_python: self.requires_python()?,
            inputs: bnbpip_lock::Inputs {
                machine: solved.machine.into_iter().collect(),
                ..self.described()?
            },
            rules: solved.rules.into_iter().collect(),
            overlay: overlay.version().map(|version| Overlay {
                version: version.to_string(),
                sha256: digest,
            }),
            ..Lock::default()
        })
    }

    fn markers(&self) -> Vec<bnbpip_lock::LockMarker> {
        let targets = self.targets.iter();
        targets.map(|target| target.marker.clone()).collect()
    }

    /// The project's extras, and one for each accelerator.
    fn extras(&self) -> Vec<String> {
        let own = self.inputs.extras.iter().cloned();
        let families = self.families.iter().flatten().cloned();
        let extras: BTreeSet<String> = own.chain(families).collect();
        extras.into_iter().collect()
    }

    /// The lowest Python of the environments: what PEP 751 means by `requires-python`.
    fn requires_python(&self) -> Result<Option<VersionSpecifiers>, Failure> {
        let pythons = self.targets.iter().map(|it| it.target.python_version);
        let lowest = pythons
            .min()
            .map(|(major, minor)| format!(">={major}.{minor}").parse());
        Ok(lowest.transpose()?)
    }

    /// What the lock is made from, beside requirements, environments, rules and the machine.
    fn described(&self) -> Result<bnbpip_lock::Inputs, Failure> {
        let files = &self.inputs.base.options;
        let index = &self.arguments.resolve.index;
        let locations = network::locations(index, files, self.settings)?;
        let is_asked = !locations.no_index;
        let indexes = locations
            .indexes
            .iter()
            .filter(|entry| is_asked && !entry.explicit);
        // A folder of this machine is no address for others.
        let indexes = indexes
            .map(|entry| entry.url.url())
            .filter(|url| url.scheme() != "file")
            .map(locked::public);
        let constraints = self.inputs.base.constraints.iter();
        let constraints: BTreeSet<String> = constraints
            .map(|given| locked::locked_requirement(&bnbpip_lock::AskedBy::Base, given).text)
            .collect();
        Ok(bnbpip_lock::Inputs {
            indexes: indexes.collect(),
            accelerators: self.families.iter().flatten().cloned().collect(),
            exclude_newer: index.cutoff().map(|cutoff| cutoff.to_string()),
            constraints: constraints.into_iter().collect(),
            machine: Vec::new(),
        })
    }
}
