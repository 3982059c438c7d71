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
mod satisfied;
mod showing;
mod solving;
mod user_site;
mod warnings;

use std::sync::Arc;

use bnbpip_index::PackageFile;
use bnbpip_installer::{InstallOptions, InstalledEnvironment};
use bnbpip_packaging::PackageName;

pub(crate) use self::apply::{Application, tell_outcome, unpacked};
use self::destination::Destination;
pub(crate) use self::download_progress::{DownloadProgress, announce};
use self::narration::Narration;
pub(crate) use self::narration::{tell_collected, tell_satisfied};
pub(crate) use self::outcome::listing;
pub(crate) use self::plan::{Change, Plan, spelled};
use crate::cli::InstallArgs;
use crate::cli::values::LinkMode;
use crate::commands::locked_requirements;
use crate::commands::resolve::accelerator::Accelerator;
use crate::commands::resolve::{
    LockedFiles, Resolved, hash_mode, network, notes, requirements, wording,
};
use crate::commands::sources::{SourceUse, Sources};
use crate::commands::sync::Wish;
use crate::commands::transaction_notes::{TransactionNotes, with_hint};
use crate::commands::version;
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
    if printer.verbosity() > 0 {
        printer.info(&format!("Using {}", version::line(settings)));
    }
    Destination::check(arguments)?;
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
            let used_for = if arguments.dry_run {
                SourceUse::Metadata
            } else {
                SourceUse::Wheels
            };
            let sources =
                Sources::new(used_for, options, settings, printer, &request, interpreter)?;
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
            Err(failure) if keeps_torch && failure.is_no_solution() => {
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
        if self.arguments.ignore_installed {
            // Nothing is uninstalled first, so that nothing need be known of what is there. What
            // lies in the very place of a new distribution gives way to it.
            plan.ignore_installed();
        }
        self.keep_to_user_site(&mut plan, installed)?;
        if self.arguments.resolve.only_deps {
            plan.leave_out_requested();
        }
        if let Some(sources) = &self.sources {
            plan.note_origins(sources);
        }
        let markers = &self.destination.target.markers;
        let sources = self.sources.as_ref();
        let spelling = wording::Spelling::new(markers, resolved.access(), sources);
        let needed = |file: &Arc<PackageFile>, name: &PackageName| spelling.needed(file, name);
        plan.spell(&self.request, sources, &needed);
        builds::warn_about_rest(&plan, installed, self.printer);
        if self.accelerator.is_none() {
            let target = &self.destination.target;
            builds::guard(&plan, &self.request, target, self.settings, self.printer)?;
        }
        self.say_kept(&plan, installed, &needed);
        if plan.changes.is_empty() {
            return self.finish_without_changes(&plan, resolved);
        }
        self.narration()
            .of(&plan)
            .collecting(&plan, installed, &needed);
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
        self.narration().fetching(&plan, &resolved.client);
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

    /// Says in pip's words what happens.
    fn narration(&self) -> Narration<'_> {
        Narration::new(
            self.printer,
            &self.request,
            &self.destination.target.markers,
            self.settings.environment.working_directory(),
        )
    }

    fn finish_without_changes(&self, plan: &Plan, resolved: &Resolved) -> Result<(), Failure> {
        notes::say(&resolved.resolution, self.printer);
        self.report(plan, resolved)
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
        self.check_report()?;
        self.warn_if_root();
        let progress =
            DownloadProgress::new(self.printer, self.arguments.progress_bar, plan.file_bytes());
        let application = Application {
            client: &resolved.client,
            progress: Arc::new(progress),
            required: hash_mode::required_hashes(&self.request),
            sizes: locked_requirements::sizes(&self.locked),
            runtime: &resolved.runtime,
            environment,
            options: self.install_options(),
            printer: self.printer,
            removed: &[],
        };
        let replaced = narration::replaced(plan);
        let applied = application.run(plan);
        network::say_notes(&resolved.client, self.printer);
        let outcome = applied?;
        self.narration().installing(plan);
        for told in replaced {
            self.printer.narrate(&told);
        }
        tell_outcome(&outcome, self.settings, self.printer);
        self.report(plan, resolved)?;
        if !self.arguments.no_warn_conflicts && !self.arguments.resolve.no_deps {
            let markers = &self.destination.target.markers;
            let resolution = &resolved.resolution;
            outcome::warn_about_conflicts(resolution, installed, markers, self.printer);
        }
        self.warn_about_path(&outcome);
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
        compile: arguments.compile.wanted(),
        byte_code_cache: settings.byte_code_cache(),
        ..InstallOptions::default()
    }
}
