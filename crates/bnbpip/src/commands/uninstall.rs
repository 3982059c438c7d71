//! `bnbpip uninstall`.

use bnbpip_installer::{
    InstallOptions, InstalledDistribution, InstalledEnvironment, RemovalError, RemovalPlan,
    Transaction,
};
use bnbpip_packaging::PackageName;

use super::distribution::Distribution;
use super::target_environment;
use super::transaction_notes::{TransactionNotes, unremovable, with_hint};
use crate::cli::UninstallArgs;
use crate::cli::values::RootUserAction;
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::interrupt;
use crate::printer::Printer;
use crate::request::{RequirementsReader, Surroundings, read_url_nothing};

/// Uninstalls packages: all of them, or none.
///
/// # Errors
/// When a package's files are unknown, or the environment can't be changed; it is then as it was.
pub(crate) fn run(
    arguments: &UninstallArgs,
    settings: &Settings,
    printer: &Printer,
) -> Result<(), Failure> {
    let names = requested_names(arguments, settings, printer)?;
    if names.is_empty() {
        return Err(Failure::new(
            "You must give at least one requirement to uninstall (see \"bnbpip help uninstall\")",
        ));
    }
    let found = target_environment::find_to_change(settings, arguments.break_system_packages)?;
    target_environment::announce(&found, printer);
    let environment = target_environment::with_history(&found.interpreter, settings);
    let notes = TransactionNotes(printer);
    bnbpip_installer::recover(&environment.state_dir, &notes).map_err(with_hint)?;
    let installed = InstalledEnvironment::scan(&environment.library_dirs)?;

    let mut chosen = Vec::new();
    for (name, spelled) in &names {
        let Some(distribution) = installed.get(name) else {
            printer.warning(&format!("Skipping {spelled} as it is not installed."));
            continue;
        };
        let labels = Labels::of(distribution);
        let Some(plan) = removable(&environment, distribution, (spelled, printer))
            .inspect_err(|_| labels.print_found(printer))?
        else {
            continue;
        };
        if !arguments.yes {
            labels.print_intent(printer);
            if !confirmed(&plan, &environment, settings, printer)? {
                continue;
            }
        }
        for file in &plan.missing_path_files {
            printer.warning(&format!(
                "Cannot remove entries from nonexistent file {}",
                file.display()
            ));
        }
        let paths = if printer.verbosity() > 0 {
            plan.summary(&environment)
        } else {
            Vec::new()
        };
        chosen.push((distribution, labels, paths));
    }
    if chosen.is_empty() {
        return Ok(());
    }
    let distributions: Vec<_> = chosen.iter().map(|(found, ..)| *found).collect();
    commit(&environment, &distributions, notes, printer)?;
    for (_, labels, paths) in &chosen {
        if arguments.yes {
            labels.print_intent(printer);
        }
        for path in paths {
            let path = path.trim_end_matches('*');
            printer.info(&format!("  Removing file or directory {path}"));
        }
        printer.info(&format!("  Successfully uninstalled {}", labels.dashed));
    }
    warn_if_root(arguments, &found.interpreter, printer);
    Ok(())
}

/// A distribution's name and version as pip prints them.
struct Labels {
    spaced: String,
    dashed: String,
}

impl Labels {
    fn of(distribution: &InstalledDistribution) -> Self {
        let distribution = Distribution::read(distribution.clone());
        let (name, version) = (distribution.name(), distribution.raw_version());
        Self {
            spaced: format!("{name} {version}"),
            dashed: format!("{name}-{version}"),
        }
    }

    fn print_found(&self, printer: &Printer) {
        printer.info(&format!("Found existing installation: {}", self.spaced));
    }

    fn print_intent(&self, printer: &Printer) {
        self.print_found(printer);
        printer.info(&format!("Uninstalling {}:", self.dashed));
    }
}

fn commit(
    environment: &bnbpip_installer::Environment,
    chosen: &[&InstalledDistribution],
    notes: TransactionNotes<'_>,
    printer: &Printer,
) -> Result<(), Failure> {
    let names: Vec<&str> = chosen.iter().map(|it| it.name.as_ref()).collect();
    let options = InstallOptions {
        command: format!("uninstall {}", names.join(" ")),
        ..InstallOptions::default()
    };
    let _guard = interrupt::Guard::new();
    let transaction = Transaction::begin(environment, options, &notes).map_err(with_hint)?;
    for distribution in chosen {
        interrupt::check()?;
        transaction.remove(distribution).map_err(with_hint)?;
    }
    interrupt::check()?;
    let outcome = transaction.commit().map_err(with_hint)?;
    for warning in &outcome.warnings {
        printer.warning(warning);
    }
    Ok(())
}

/// The packages that were named, each once, with their names as given.
fn requested_names(
    arguments: &UninstallArgs,
    settings: &Settings,
    printer: &Printer,
) -> Result<Vec<(PackageName, String)>, Failure> {
    let surroundings = Surroundings {
        working_directory: settings.environment.working_directory(),
        variable: &|name| settings.environment.get(name).map(str::to_owned),
    };
    let mut reader = RequirementsReader::new(surroundings, &read_url_nothing);
    for package in &arguments.packages {
        if is_place(package) {
            printer.warning(&unnamed(package));
        } else {
            reader.add(package)?;
        }
    }
    for file in &arguments.requirement_files {
        reader.read(file, false)?;
    }
    let request = reader.into_request();
    for given in &request.unnamed {
        printer.warning(&unnamed(&given.raw));
    }
    for warning in &request.warnings {
        printer.warning(warning);
    }
    let mut names: Vec<(PackageName, String)> = Vec::new();
    for given in request.requirements {
        let name = given.requirement.name;
        if !names.iter().any(|(known, _)| *known == name) {
            let end = given
                .raw
                .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')));
            let spelled = given.raw[..end.unwrap_or(given.raw.len())].to_owned();
            let is_name = spelled
                .parse::<PackageName>()
                .is_ok_and(|spelled| spelled == name);
            let spelled = if is_name { spelled } else { name.to_string() };
            names.push((name, spelled));
        }
    }
    Ok(names)
}

/// Whether the text is the path or the address of something rather than a name.
fn is_place(text: &str) -> bool {
    let lowercase = text.to_ascii_lowercase();
    let mut endings = [".whl", ".zip", ".gz", ".bz2", ".xz", ".tgz"].into_iter();
    let has_separator = text.contains(['/', '\\']) || text.starts_with('.');
    !text.contains(" @ ") && (has_separator || endings.any(|ending| lowercase.ends_with(ending)))
}

fn unnamed(text: &str) -> String {
    format!(
        "Invalid requirement: '{text}' ignored - the uninstall command expects named requirements."
    )
}

/// What uninstalling would remove; `None` if it is not this environment's to remove, which is
/// said and is no error, as with pip.
fn removable(
    environment: &bnbpip_installer::Environment,
    distribution: &InstalledDistribution,
    (name, printer): (&str, &Printer),
) -> Result<Option<RemovalPlan>, Failure> {
    match RemovalPlan::new(environment, distribution) {
        Ok(plan) => Ok(Some(plan)),
        Err(RemovalError::OutsideEnvironment { location, .. }) => {
            let prefix = environment
                .prefix
                .as_ref()
                .unwrap_or(&environment.scheme.data);
            printer.info(&format!(
                "Not uninstalling {name} at {}, outside environment {}",
                location.display(),
                prefix.display()
            ));
            printer.info(&format!(
                "Can't uninstall '{name}'. No files were found to uninstall."
            ));
            Ok(None)
        }
        Err(RemovalError::StandardLibrary { location, .. }) => {
            printer.info(&format!(
                "Not uninstalling {name} at {}, as it is in the standard library.",
                location.display()
            ));
            printer.info(&format!(
                "Can't uninstall '{name}'. No files were found to uninstall."
            ));
            Ok(None)
        }
        Err(error) => Err(unremovable(error)),
    }
}

/// Shows what would go and asks.
fn confirmed(
    plan: &RemovalPlan,
    environment: &bnbpip_installer::Environment,
    settings: &Settings,
    printer: &Printer,
) -> Result<bool, Failure> {
    let section = |title: &str, paths: Vec<String>| {
        if !paths.is_empty() {
            printer.info(&format!("  {title}"));
            for path in paths {
                printer.info(&format!("    {path}"));
            }
        }
    };
    if printer.verbosity() > 0 {
        let all = plan
            .files
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        section("Would remove:", all);
    } else {
        let mut lines = plan.summary(environment);
        lines.retain(|line| !line.contains("__pycache__"));
        section("Would remove:", lines);
    }
    let refused = plan
        .refused
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    section("Would not remove (outside of prefix):", refused);
    let unanswered = |reason: &str| {
        Failure::new(format!("Failed to ask whether to proceed: {reason}"))
            .hint("pass `-y` to uninstall without being asked")
    };
    if !settings.may_ask {
        return Err(unanswered("`--no-input` is set"));
    }
    loop {
        let answer = printer
            .ask("Proceed (Y/n)? ")
            .ok_or_else(|| unanswered("standard input has no answer"))?;
        match answer.trim().to_ascii_lowercase().as_str() {
            "" | "y" => return Ok(true),
            "n" => return Ok(false),
            other => printer.info(&format!(
                "Your response ('{other}') was not one of the expected responses: y, n, "
            )),
        }
    }
}

fn warn_if_root(
    arguments: &UninstallArgs,
    interpreter: &bnbpip_platform::Interpreter,
    printer: &Printer,
) {
    if arguments.root_user_action == RootUserAction::Warn
        && !interpreter.is_venv
        && bnbpip_platform::is_effective_root()
    {
        printer.warning(super::ROOT_WARNING);
    }
}
