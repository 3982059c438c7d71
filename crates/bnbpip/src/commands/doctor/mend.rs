//! From findings to commands: what `bnbpip doctor --fix` runs, and the one line that a person
//! pastes.

use bnbpip_installer::leftovers;
use bnbpip_packaging::{PackageName, Version};
use bnbpip_report::doctor::{Diagnosis, Finding, Mend, Shell, command_line};

use super::examination::Examination;
use super::trial::Trial;
use crate::cli::{self, Command, DoctorArgs, Parsed};
use crate::commands::resolve::accelerator::accelerator_of;
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

/// The mending of one environment.
pub(super) struct Mending<'a> {
    pub(super) examination: &'a Examination,
    pub(super) arguments: &'a DoctorArgs,
    pub(super) settings: &'a Settings,
    pub(super) printer: &'static Printer,
}

/// What has to be done, before it is tried out.
#[derive(Debug, Default)]
struct Wanted {
    is_unclean: bool,
    removed: Vec<String>,
    requirements: Vec<String>,
    again: Vec<(PackageName, Version)>,
    /// Whether something of that can't be uninstalled first, as nothing lists its files.
    is_over: bool,
    /// An accelerator, and what is to be installed for it.
    rebuilt: Option<(String, Vec<String>)>,
    notes: Vec<String>,
}

impl Mending<'_> {
    /// What mends the findings, in the order in which it has to be done; the diagnosis is told
    /// the command for it.
    pub(super) fn plan(&self, diagnosis: &mut Diagnosis) -> Vec<Step> {
        let mut wanted = Wanted::of(&diagnosis.findings);
        let trial = Trial {
            examination: self.examination,
            settings: self.settings,
            printer: self.printer,
            options: self.rule_options(),
        };
        wanted.try_out(&diagnosis.findings, &trial);
        let mut steps = Vec::new();
        if wanted.is_unclean {
            steps.push(Step::Clean);
        }
        let again = wanted
            .again
            .iter()
            .map(|(name, version)| format!("{name}=={version}"))
            .collect();
        let rebuilt = wanted.rebuilt.unwrap_or_default();
        let accelerator = Some(&*rebuilt.0).filter(|name| !name.is_empty());
        let mut push = |words: &[&str], arguments| {
            steps.extend(self.step(words, accelerator, arguments));
        };
        push(&["uninstall", "-y"], wanted.removed);
        push(&["install"], rebuilt.1);
        push(&["install"], wanted.requirements);
        let anyway = if wanted.is_over {
            "--ignore-installed"
        } else {
            "--force-reinstall"
        };
        push(&["install", anyway, "--no-deps"], again);
        self.describe(diagnosis, &steps);
        diagnosis.notes.extend(wanted.notes);
        steps
    }

    /// A command for these arguments, if there are any. torch stays with the builds that it has, or
    /// is given these.
    fn step(
        &self,
        words: &[&str],
        accelerator: Option<&str>,
        arguments: Vec<String>,
    ) -> Option<Step> {
        if arguments.is_empty() {
            return None;
        }
        let mut command: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        command.extend(self.target_options());
        if words.first() == Some(&"install") {
            let installed = &self.examination.scanned;
            let name = accelerator_of(installed, accelerator, &arguments);
            let option = name.map(|name| ["--accelerator".to_owned(), name]);
            command.extend(option.into_iter().flatten());
            command.extend(self.rule_options());
        }
        command.extend(arguments);
        Some(Step::Run(command))
    }

    /// The options that lead to the same environment.
    fn target_options(&self) -> Vec<String> {
        match &self.settings.python {
            Some(python) => vec!["--python".to_owned(), python.display().to_string()],
            None => Vec::new(),
        }
    }

    /// The options that say which rules hold.
    fn rule_options(&self) -> Vec<String> {
        let layers = self.arguments.overlay.overlay.iter();
        let layers = layers.map(|layer| ("--overlay", layer));
        let allowed = self.arguments.allow.iter().map(|id| ("--allow", id));
        layers
            .chain(allowed)
            .flat_map(|(option, value)| [option.to_owned(), value.clone()])
            .collect()
    }

    /// Puts the command into the diagnosis: the step itself, or for several `doctor --fix`.
    fn describe(&self, diagnosis: &mut Diagnosis, steps: &[Step]) {
        let shell = Shell::current();
        if steps.is_empty() {
            return;
        }
        if let [Step::Run(command)] = steps {
            diagnosis.command = Some(command_line(command, shell));
            return;
        }
        let mut command = vec!["doctor".to_owned(), "--fix".to_owned()];
        command.extend(self.target_options());
        command.extend(self.rule_options());
        diagnosis.command = Some(command_line(&command, shell));
        if steps.len() > 1 {
            let steps = steps.iter().map(|step| match step {
                Step::Clean => "(clean up after what was interrupted)".to_owned(),
                Step::Run(command) => command_line(command, shell),
            });
            diagnosis.steps = steps.collect();
        }
    }

    /// Takes the steps.
    ///
    /// # Errors
    /// When one of them fails; those before it have been taken.
    pub(super) fn run(&self, steps: &[Step]) -> Result<(), Failure> {
        for step in steps {
            match step {
                Step::Clean => clean(self.examination, self.printer)?,
                Step::Run(command) => run_command(command, self.settings, self.printer)?,
            }
        }
        Ok(())
    }
}

impl Wanted {
    fn of(findings: &[Finding]) -> Self {
        let mut wanted = Self::default();
        for finding in findings {
            wanted.is_over |= matches!(finding.code, "no-record" | "unreadable-record");
            match &finding.mend {
                Mend::Change(choices) => {
                    let first = choices.first().map(|(_, requirement)| requirement.clone());
                    wanted.requirements.extend(first);
                }
                Mend::Require(requirements) => {
                    wanted.requirements.extend(requirements.iter().cloned());
                }
                Mend::Reinstall(name, version) => {
                    wanted.again.push((name.clone(), version.clone()));
                }
                Mend::Separate { keep, remove } => {
                    wanted
                        .removed
                        .extend(remove.iter().map(ToString::to_string));
                    wanted.again.push(keep.clone());
                }
                Mend::Rebuild {
                    accelerator,
                    requirements,
                } => wanted.rebuilt = Some((accelerator.clone(), requirements.clone())),
                Mend::Clean => wanted.is_unclean = true,
                Mend::ByHand(_) => {}
            }
        }
        wanted.requirements.sort();
        wanted.requirements.dedup();
        wanted.removed.sort();
        wanted.removed.dedup();
        wanted.again.sort();
        wanted.again.dedup();
        wanted
    }

    /// Puts what the solver says in place of what the findings ask for.
    fn try_out(&mut self, findings: &[Finding], trial: &Trial<'_>) {
        if let Some((accelerator, requirements)) = &self.rebuilt
            && let Err(failure) = trial.has_builds(accelerator, requirements)
        {
            self.notes.push(untried(&failure));
        }
        if !self.requirements.is_empty() {
            match trial.mend(findings) {
                Ok(Some(solution)) => {
                    self.requirements = solution.requirements;
                    self.again
                        .retain(|(name, _)| !solution.changes.contains_key(name));
                }
                Ok(None) => self.notes.push(
                    "No versions were found with which no rule is broken: the command asks for \
                     the nearest"
                        .to_owned(),
                ),
                Err(failure) => {
                    self.notes.push(untried(&failure));
                    return;
                }
            }
        }
        if trial.has(&self.again) {
            return;
        }
        let (again, gone): (Vec<_>, Vec<_>) = std::mem::take(&mut self.again)
            .into_iter()
            .partition(|package| trial.has(std::slice::from_ref(package)));
        self.again = again;
        self.notes.extend(gone.iter().map(|(name, version)| {
            format!(
                "{name} {version} can't be installed again: the index doesn't offer this version \
                 or can't be reached"
            )
        }));
    }
}

/// Why nobody knows whether the command works.
fn untried(failure: &Failure) -> String {
    let messages = failure.messages();
    let reason = messages.first().map_or("", |it| it.trim_end_matches('.'));
    format!("The command could not be tried out: {reason}")
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
    let Parsed::Run(cli, _) = cli::parse(words, &settings.environment)? else {
        return Ok(());
    };
    let settings = Settings {
        verbosity: settings.verbosity,
        color: settings.color,
        cache_dir: settings.cache_dir.clone(),
        network: settings.network.clone(),
        ..Settings::resolve(&cli.global, &settings.environment).completed(&cli.global)?
    };
    match &cli.command {
        Some(Command::Install(arguments)) => install::run(arguments, &settings, printer),
        Some(Command::Uninstall(arguments)) => uninstall::run(arguments, &settings, printer),
        _ => Ok(()),
    }
}
