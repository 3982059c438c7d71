//! `bnbpip install`: request → target → resolution → plan → fetched → receipt.

mod apply;
mod builds;
mod destination;
mod download_progress;
mod locked;
mod narration;
mod order;
mod outcome;
mod plan;
mod solving;

use std::path::Path;
use std::sync::Arc;

use bnbpip_installer::{InstallOptions, InstalledDistribution, InstalledEnvironment};
use bnbpip_overlay::ActiveRules;
use bnbpip_packaging::{CoreMetadata, PackageName, Requirement};
use bnbpip_report::rules::RuleSetIdentity;
use bnbpip_resolver::Constraint;
use rustc_hash::FxHashMap;

pub(crate) use self::apply::{Application, tell_outcome, unpacked};
use self::destination::Destination;
pub(crate) use self::download_progress::DownloadProgress;
use self::narration::Narration;
use self::order::Route;
pub(crate) use self::outcome::listing;
pub(crate) use self::plan::{Change, Plan, spelled};
use crate::cli::InstallArgs;
use crate::cli::values::{LinkMode, RootUserAction};
use crate::commands::distribution::Distribution;
use crate::commands::locked_requirements;
use crate::commands::resolve::accelerator::Accelerator;
use crate::commands::resolve::automatic::is_no_solution;
use crate::commands::resolve::installed::{self, Satisfied};
use crate::commands::resolve::machine::Machine;
use crate::commands::resolve::{LockedFiles, Resolved, network, notes, requirements};
use crate::commands::sources::Sources;
use crate::commands::sync::Wish;
use crate::commands::transaction_notes::{TransactionNotes, with_hint};
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::request::Request;
use crate::secrets::without_credentials;

/// Installs what was asked for.
///
/// # Errors
/// When it can't be done; the environment is then as it was.
pub(crate) fn run(
    arguments: &InstallArgs,
    settings: &Settings,
    printer: &'static Printer,
) -> Result<(), Failure> {
    let mut request = requirements::read_with_editables(
        "install",
        (&arguments.requirements, &arguments.editables),
        &arguments.resolve,
        settings,
        printer,
    )?;
    if let Some(lock) = locked::alone(&request, arguments)? {
        return locked::install(lock, arguments, settings, printer);
    }
    network::say_locations(
        &arguments.resolve.index,
        &request.options,
        settings,
        printer,
    )?;
    let destination = Destination::find(arguments, settings, printer)?;
    let target = &destination.target;
    let wish = Wish::of(&arguments.resolve, settings);
    let folder = arguments.wheelhouse.as_deref();
    let locked =
        locked_requirements::ask_for(&mut request, target, (wish, folder), settings, printer)?;
    let accelerator = Accelerator::choose(
        &arguments.resolve,
        &mut request,
        &destination.target,
        // What is there doesn't count where something newer is asked for.
        || {
            if arguments.upgrade || arguments.force_reinstall || arguments.ignore_installed {
                return Ok(InstalledEnvironment::default());
            }
            destination.installed()
        },
        settings,
        printer,
    )?;
    // What is built here runs here: not for another platform.
    let sources = match &destination.interpreter {
        Some(interpreter) => {
            let options = &arguments.resolve;
            let sources = Sources::new(options, settings, printer, &request, interpreter)?;
            sources.name_requirements(&mut request, &destination.target.markers)?;
            Some(sources)
        }
        None => None,
    };
    let mut run = Run {
        arguments,
        settings,
        printer,
        request,
        locked,
        destination,
        accelerator,
        sources,
    };
    run.recover()?;
    run.install()
}

/// One run with what it was asked for and where it goes.
struct Run<'a> {
    arguments: &'a InstallArgs,
    settings: &'a Settings,
    printer: &'static Printer,
    request: Request,
    /// The files that locks have for packages.
    locked: LockedFiles,
    destination: Destination,
    /// What torch was asked for to run on.
    accelerator: Option<Accelerator>,
    sources: Option<Sources>,
}

impl Run<'_> {
    /// Deals with what an interrupted run left, unless nothing is to be changed.
    fn recover(&self) -> Result<(), Failure> {
        if let Some(environment) = &self.destination.environment
            && !self.arguments.dry_run
        {
            let notes = TransactionNotes(self.printer);
            bnbpip_installer::recover(&environment.state_dir, &notes).map_err(with_hint)?;
        }
        Ok(())
    }

    fn install(&mut self) -> Result<(), Failure> {
        let installed = self.destination.installed()?;
        let keeps_torch = self
            .accelerator
            .as_ref()
            .is_some_and(|it| it.keeps_installed);
        let resolved = match self.resolve(&installed) {
            Err(failure) if keeps_torch && is_no_solution(&failure) => {
                self.leave_installed_torch()?;
                self.resolve(&installed)?
            }
            resolved => resolved?,
        };
        match resolved {
            Some(resolved) => self.carry_out(&installed, &resolved),
            None => Ok(()),
        }
    }

    /// Plans, shows and applies a resolution.
    fn carry_out(
        &self,
        installed: &InstalledEnvironment,
        resolved: &Resolved,
    ) -> Result<(), Failure> {
        let reinstall = self.arguments.force_reinstall || self.arguments.ignore_installed;
        let mut plan = Plan::new(&resolved.resolution, installed, reinstall);
        self.keep_to_user_site(&mut plan, installed)?;
        if self.arguments.resolve.only_deps {
            plan.leave_out_requested();
        }
        if let Some(sources) = &self.sources {
            plan.note_origins(sources);
        }
        plan.spell(&self.request, self.sources.as_ref());
        builds::warn_about_rest(&plan, installed, self.printer);
        if self.accelerator.is_none() {
            let target = &self.destination.target;
            builds::guard(&plan, &self.request, target, self.settings, self.printer)?;
        }
        self.say_kept(&plan, installed);
        if plan.changes.is_empty() {
            return self.finish_without_changes(&plan, resolved);
        }
        self.narration().collecting(&plan);
        self.show(&plan, resolved)?;
        if self.settings.network.offline && !self.arguments.dry_run {
            let checked = plan.check_offline("install", &resolved.client, "not in the cache");
            checked.map_err(|failure| {
                failure.hint(
                    "`bnbpip bundle` fills a folder for `--find-links` where there is network",
                )
            })?;
        }
        if self.arguments.dry_run {
            self.report(&plan, resolved)?;
            self.printer
                .info(&format!("Would install {}", outcome::listing(&plan)));
            return Ok(());
        }
        self.narration()
            .fetching(&plan, |file| resolved.client.is_stored(file));
        if let Some(sources) = &self.sources {
            let outcome = plan.build(sources, resolved);
            let built = sources.built();
            if !built.is_empty() {
                self.printer
                    .info(&format!("Successfully built {}", built.join(" ")));
            }
            outcome?;
        }
        self.apply(&plan, installed, resolved)
    }

    /// With `--user` nothing is replaced but what the user's own folder has: what is elsewhere stays.
    /// In a virtual environment it would still be the one that is found.
    fn keep_to_user_site(
        &self,
        plan: &mut Plan,
        installed: &InstalledEnvironment,
    ) -> Result<(), Failure> {
        let Some(environment) = &self.destination.environment else {
            return Ok(());
        };
        if !self.arguments.user {
            return Ok(());
        }
        let scheme = &environment.scheme;
        let is_users = |found: &InstalledDistribution| {
            found.location == scheme.purelib || found.location == scheme.platlib
        };
        for change in &mut plan.changes {
            let Some(present) = change.replaces.take_if(|present| !is_users(present)) else {
                continue;
            };
            let mut shadowed = installed.shadowed.iter();
            change.replaces = shadowed
                .find(|found| found.name == present.name && is_users(found))
                .cloned();
            if self.destination.is_venv && !self.arguments.ignore_installed {
                let distribution = Distribution::read(present);
                return Err(Failure::new(format!(
                    "Will not install to the user site because it will lack sys.path precedence \
                     to {} in {}",
                    distribution.name(),
                    distribution.installed.location.display()
                )));
            }
        }
        Ok(())
    }

    /// Says so and ends if the environment meets the request: no solver, no network.
    fn finish_if_satisfied(
        &self,
        installed: &InstalledEnvironment,
        constraints: &[Constraint],
        rules: &ActiveRules,
        machine: &Machine,
    ) -> bool {
        let arguments = self.arguments;
        let looks = !(arguments.upgrade
            || arguments.force_reinstall
            || arguments.ignore_installed
            || arguments.resolve.only_deps
            || arguments.report.is_some());
        if !looks || !self.destination.sees_installed {
            return false;
        }
        let markers = &self.destination.target.markers;
        let requirements: Vec<&Requirement> = self
            .request
            .requirements
            .iter()
            .map(|given| &given.requirement)
            .filter(|requirement| requirement.marker.evaluate(markers, &[]))
            .collect();
        let Some(satisfied) = installed::satisfied(
            installed,
            &requirements,
            constraints,
            markers,
            rules,
            machine,
            !arguments.resolve.no_deps,
        ) else {
            return false;
        };
        // What an address is to be taken from isn't known of what is there.
        let addresses = requirements::url_constraints(&self.request, markers);
        let mut names = satisfied.iter().map(|it| &it.distribution.name);
        if names.any(|name| addresses.contains_key(name)) {
            return false;
        }
        self.narration().unneeded();
        let parents: FxHashMap<&PackageName, &PackageName> = satisfied
            .iter()
            .filter_map(|it| Some((&it.distribution.name, it.dependent?)))
            .collect();
        let parent = |name: &PackageName| parents.get(name).map(|name| (*name).clone());
        for Satisfied { distribution, .. } in &satisfied {
            self.narration().satisfied(distribution, &parent, installed);
        }
        true
    }

    /// Says in pip's words what happens.
    fn narration(&self) -> Narration<'_> {
        Narration {
            printer: self.printer,
            request: &self.request,
            markers: &self.destination.target.markers,
            directory: self.settings.environment.working_directory(),
        }
    }

    fn say_kept(&self, plan: &Plan, installed: &InstalledEnvironment) {
        self.narration().unneeded();
        let route = Route::of(plan, &self.request);
        for package in &plan.kept {
            if let Some(distribution) = installed.get(&package.name) {
                let parent = |name: &PackageName| route.parent(name).cloned();
                self.narration().satisfied(distribution, &parent, installed);
            }
        }
    }

    fn finish_without_changes(&self, plan: &Plan, resolved: &Resolved) -> Result<(), Failure> {
        notes::say(&resolved.resolution, self.printer);
        self.report(plan, resolved)
    }

    /// The plan, before anything changes; and whether there is room for it.
    fn show(&self, plan: &Plan, resolved: &Resolved) -> Result<(), Failure> {
        let library = self
            .destination
            .environment
            .as_ref()
            .map(|environment| environment.scheme.purelib.as_path());
        let free_bytes = library.and_then(bnbpip_platform::free_bytes);
        let view = plan.view(
            &resolved.resolution,
            |file| resolved.client.is_stored(file),
            free_bytes,
            resolved.community.as_deref(),
        );
        self.printer
            .status(&format!("Target {}", self.destination.target.description));
        self.printer
            .verbose(&RuleSetIdentity::of(&resolved.overlay)?.to_string());
        self.printer
            .status(&view.render(self.printer.verbosity() > 0));
        notes::say(&resolved.resolution, self.printer);
        if self.arguments.dry_run {
            return Ok(());
        }
        let cache = self.settings.cache_dir.as_deref();
        let rooms = [
            ("environment", library, free_bytes),
            ("cache", cache, cache.and_then(bnbpip_platform::free_bytes)),
        ];
        let needed = view.download_bytes + view.disk_bytes;
        match rooms
            .iter()
            .find_map(|room| lack(room, view.download_bytes, needed))
        {
            Some(failure) => Err(failure),
            None => Ok(()),
        }
    }

    /// Writes `--report`.
    fn report(&self, plan: &Plan, resolved: &Resolved) -> Result<(), Failure> {
        let Some(path) = &self.arguments.report else {
            return Ok(());
        };
        let mut metadata = Vec::with_capacity(plan.changes.len());
        for change in &plan.changes {
            let file = &change.file;
            let document = match &self.sources {
                Some(sources) if file.wheel().is_none() => {
                    sources.document(file, resolved.access())?
                }
                _ => {
                    let document = resolved.client.metadata_document(file);
                    let document = resolved.runtime.block_on(document);
                    let document = document.map_err(|error| network::explained(&error))?;
                    document.unwrap_or_default()
                }
            };
            metadata.push(CoreMetadata::parse(&document)?);
        }
        let markers = &self.destination.target.markers;
        outcome::write_report(path, plan, &metadata, markers, resolved, self.printer)
    }

    fn apply(
        &self,
        plan: &Plan,
        installed: &InstalledEnvironment,
        resolved: &Resolved,
    ) -> Result<(), Failure> {
        let Some(environment) = &self.destination.environment else {
            return Err(Failure::new(
                "Failed to install: there is no environment to install into",
            ));
        };
        self.warn_if_root();
        let progress =
            DownloadProgress::new(self.printer, self.arguments.progress_bar, plan.file_bytes());
        let application = Application {
            client: &resolved.client,
            progress: Arc::new(progress),
            required: requirements::required_hashes(&self.request),
            sizes: locked_requirements::sizes(&self.locked),
            runtime: &resolved.runtime,
            environment,
            options: self.install_options(),
            printer: self.printer,
            removed: &[],
        };
        let applied = application.run(plan);
        network::say_notes(&resolved.client, self.printer);
        let outcome = applied?;
        self.narration().installing(plan);
        self.narration().replaced(plan);
        tell_outcome(&outcome, self.settings, self.printer);
        self.report(plan, resolved)?;
        if !self.arguments.no_warn_conflicts && !self.arguments.resolve.no_deps {
            let markers = &self.destination.target.markers;
            let resolution = &resolved.resolution;
            outcome::warn_about_conflicts(resolution, installed, markers, self.printer);
        }
        self.warn_about_path();
        self.printer.info(&format!(
            "Successfully installed {}",
            outcome::listing(plan)
        ));
        Ok(())
    }

    fn install_options(&self) -> InstallOptions {
        let names: Vec<&str> = self
            .request
            .requirements
            .iter()
            .map(|given| given.raw.as_str())
            .collect();
        InstallOptions {
            target_mode: self.destination.target_mode,
            command: without_credentials(&format!("install {}", names.join(" "))).into_owned(),
            ..options_of(self.arguments, self.settings)
        }
    }

    fn warn_if_root(&self) {
        if self.arguments.root_user_action == RootUserAction::Warn
            && !self.destination.is_venv
            && self.destination.scripts_on_path
            && bnbpip_platform::is_effective_root()
        {
            self.printer.warning(crate::commands::ROOT_WARNING);
        }
    }

    /// Says when the scripts' folder can't be found by the shell.
    fn warn_about_path(&self) {
        let Some(environment) = &self.destination.environment else {
            return;
        };
        if self.arguments.no_warn_script_location
            || !self.destination.scripts_on_path
            || self.destination.is_venv
        {
            return;
        }
        let scripts = &environment.scheme.scripts;
        let on_path = self
            .settings
            .shell
            .path
            .as_ref()
            .is_some_and(|path| std::env::split_paths(path).any(|folder| folder == *scripts));
        if !on_path && scripts.is_dir() {
            self.printer.warning(&format!(
                "The scripts were installed in '{}' which is not on PATH.",
                scripts.display()
            ));
        }
    }
}

/// How the arguments want files to get into the environment.
fn options_of(arguments: &InstallArgs, settings: &Settings) -> InstallOptions {
    InstallOptions {
        link_mode: match arguments.link_mode {
            LinkMode::Auto => bnbpip_installer::LinkMode::Auto,
            LinkMode::Clone => bnbpip_installer::LinkMode::Clone,
            LinkMode::Hardlink => bnbpip_installer::LinkMode::Hardlink,
            LinkMode::Copy => bnbpip_installer::LinkMode::Copy,
        },
        compile: arguments.compiles(),
        byte_code_cache: settings.byte_code_cache(),
        ..InstallOptions::default()
    }
}

/// The failure where a volume has no room even for the downloads; `room` is whose it is, a folder on
/// it, and what is free there.
fn lack(
    room: &(&str, Option<&Path>, Option<u64>),
    download_bytes: u64,
    needed: u64,
) -> Option<Failure> {
    let (whose, folder, free) = room;
    let folder = (*folder)?;
    let free = (*free).filter(|free| download_bytes > *free)?;
    let message = format!(
        "Failed to install: no space left on the volume of `{}`: {} have to be downloaded, and {} \
         are free",
        folder.display(),
        bnbpip_report::sizes::bytes(download_bytes),
        bnbpip_report::sizes::bytes(free)
    );
    Some(Failure::new(message).hint(format!(
        "make room for about {} on the volume of the {whose}",
        bnbpip_report::sizes::bytes(needed)
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_volume_needs_room() {
        let folder = Some(Path::new("/there"));
        let cache = |free| lack(&("cache", folder, free), 1_000_000, 3_000_000);
        let failure = cache(Some(900_000)).unwrap();
        let told = failure.messages().join(" ") + " " + &failure.hints().join(" ");
        let expected = "Failed to install: no space left on the volume of `/there`: 1.0 MB have to \
                        be downloaded, and 900 kB are free \
                        make room for about 3.0 MB on the volume of the cache";
        assert_eq!(told, expected);
        assert!(cache(Some(1_000_000)).is_none());
        assert!(cache(None).is_none());
    }
}
