//! From findings to commands: what `bnbpip doctor --fix` runs, and the one line that a person
//! pastes.

use bnbpip_installer::leftovers;
use bnbpip_overlay::RuleId;
use bnbpip_report::doctor::{Diagnosis, Finding, Mend, Shell, command_line};

use super::examination::Examination;
use crate::cli::{self, Command, Parsed};
use crate::commands::transaction_notes::{TransactionNotes, with_hint};
use crate::commands::{install, uninstall};
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;

/// One step of mending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Finish or take back what was interrupted, and remove remains.
    Clean,
    /// A command of bnbpip's, without the program's name.
    Run(Vec<String>),
}

/// What mends the findings, in the order in which it has to be done.
pub(super) fn steps(findings: &[Finding], allowed: &[RuleId], settings: &Settings) -> Vec<Step> {
    let (mut removed, mut wanted, mut again) = (Vec::new(), Vec::new(), Vec::new());
    let mut steps = Vec::new();
    for finding in findings {
        match &finding.mend {
            Mend::Change(choices) => {
                wanted.extend(choices.first().map(|(_, requirement)| requirement.clone()));
            }
            Mend::Require(requirements) => wanted.extend(requirements.iter().cloned()),
            Mend::Reinstall(name, version) => again.push(format!("{name}=={version}")),
            Mend::Separate { keep, remove } => {
                removed.extend(remove.iter().map(ToString::to_string));
                again.push(format!("{}=={}", keep.0, keep.1));
            }
            Mend::Clean if steps.is_empty() => steps.push(Step::Clean),
            Mend::Clean | Mend::ByHand(_) => {}
        }
    }
    for requirements in [&mut removed, &mut wanted, &mut again] {
        requirements.sort();
        requirements.dedup();
    }
    let mut push = |words: &[&str], arguments: Vec<String>, rules: &[RuleId]| {
        if arguments.is_empty() {
            return;
        }
        let mut command: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        command.extend(target(settings));
        for id in rules {
            command.extend(["--allow".to_owned(), id.to_string()]);
        }
        command.extend(arguments);
        steps.push(Step::Run(command));
    };
    push(&["uninstall", "-y"], removed, &[]);
    push(&["install"], wanted, allowed);
    push(
        &["install", "--force-reinstall", "--no-deps"],
        again,
        allowed,
    );
    steps
}

/// The options that lead to the same environment.
fn target(settings: &Settings) -> Vec<String> {
    match &settings.python {
        Some(python) => vec!["--python".to_owned(), python.display().to_string()],
        None => Vec::new(),
    }
}

/// Puts the command into the diagnosis.
pub(super) fn describe(
    diagnosis: &mut Diagnosis,
    steps: &[Step],
    allowed: &[RuleId],
    settings: &Settings,
) {
    let shell = Shell::current();
    match steps {
        [] => {}
        [Step::Run(command)] => diagnosis.command = Some(command_line(command, shell)),
        _ => {
            let mut command = vec!["doctor".to_owned(), "--fix".to_owned()];
            command.extend(target(settings));
            for id in allowed {
                command.extend(["--allow".to_owned(), id.to_string()]);
            }
            diagnosis.command = Some(command_line(&command, shell));
            if steps.len() > 1 {
                diagnosis.steps = steps
                    .iter()
                    .map(|step| match step {
                        Step::Clean => "(clean up after what was interrupted)".to_owned(),
                        Step::Run(command) => command_line(command, shell),
                    })
                    .collect();
            }
        }
    }
}

/// Takes the steps.
///
/// # Errors
/// When one of them fails; those before it have been taken.
pub(super) fn run(
    steps: &[Step],
    examination: &Examination,
    settings: &Settings,
    printer: &'static Printer,
) -> Result<(), Failure> {
    for step in steps {
        match step {
            Step::Clean => clean(examination, printer)?,
            Step::Run(command) => run_command(command, settings, printer)?,
        }
    }
    Ok(())
}

fn clean(examination: &Examination, printer: &Printer) -> Result<(), Failure> {
    let state_dir = &examination.for_installer.state_dir;
    let notes = TransactionNotes(printer);
    bnbpip_installer::recover(state_dir, &notes).map_err(with_hint)?;
    let found = leftovers(&examination.own_folders())?;
    bnbpip_installer::remove_leftovers(state_dir, &found, &notes).map_err(with_hint)?;
    for leftover in &found {
        printer.status(&format!("Removed `{}`", leftover.path.display()));
    }
    Ok(())
}

/// Runs a command as if it had been typed, so that what is printed and what is run are the same.
fn run_command(
    command: &[String],
    settings: &Settings,
    printer: &'static Printer,
) -> Result<(), Failure> {
    printer.status(&format!(
        "\nRunning `{}`",
        command_line(command, Shell::current())
    ));
    let words = std::iter::once("bnbpip").chain(command.iter().map(String::as_str));
    let words = words.map(Into::into).collect();
    let Parsed::Run(cli) = cli::parse(words, &settings.environment)? else {
        return Ok(());
    };
    let settings = Settings {
        verbosity: settings.verbosity,
        color: settings.color,
        cache_dir: settings.cache_dir.clone(),
        network: settings.network.clone(),
        ..Settings::resolve(&cli.global, &settings.environment)
    };
    match &cli.command {
        Some(Command::Install(arguments)) => install::run(arguments, &settings, printer),
        Some(Command::Uninstall(arguments)) => uninstall::run(arguments, &settings, printer),
        _ => Ok(()),
    }
}
