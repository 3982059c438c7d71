//! `bnbpip undo`: the inverse of the last receipts, as one transaction. What is to come back
//! comes from the store of unpacked wheels; no index is asked.

use bnbpip_index::{Cache, StoredWheel};
use bnbpip_installer::{
    INSTALLER, InstallOptions, InstalledDistribution, InstalledEnvironment, Receipt, ReceiptEntry,
    Reversal, Transaction, WheelInstall,
};
use bnbpip_packaging::PackageName;

use super::install::unpacked;
use super::resolve::network;
use super::transaction_notes::{TransactionNotes, with_hint};
use super::{history, target_environment};
use crate::cli::UndoArgs;
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::interrupt;
use crate::printer::Printer;

/// Takes the last changes back: all of them, or nothing.
///
/// # Errors
/// When there is nothing to take back, the environment is no longer as the changes left it, or
/// what was there can't be had again; it then stays as it is.
pub(crate) fn run(
    arguments: &UndoArgs,
    settings: &Settings,
    printer: &Printer,
) -> Result<(), Failure> {
    let found = target_environment::find_to_change(settings, arguments.break_system_packages)?;
    target_environment::announce(&found, printer);
    let environment = target_environment::with_history(&found.interpreter, settings);
    let notes = TransactionNotes(printer);
    let cache = network::cache(settings)?;
    let count = arguments.count.get();
    if arguments.dry_run {
        let undo = Undo::new(&environment, count, &cache)?;
        undo.show(printer);
        printer.info(&format!("Would undo {}", undo.commands()));
        return Ok(());
    }
    let _guard = interrupt::Guard::new();
    let options = InstallOptions {
        command: format!("undo {count}"),
        compile: true,
        byte_code_cache: settings.byte_code_cache(),
        ..InstallOptions::default()
    };
    // The receipts are read under the lock: nobody adds one in between.
    let transaction = Transaction::begin(&environment, options, &notes).map_err(with_hint)?;
    let undo = Undo::new(&environment, count, &cache)?;
    undo.show(printer);
    for step in undo.steps {
        interrupt::check()?;
        step.prepare(&transaction)?;
    }
    interrupt::check()?;
    let outcome = transaction.commit().map_err(with_hint)?;
    for warning in &outcome.warnings {
        printer.warning(warning);
    }
    printer.info(&format!("Successfully undid {}", undo.commands));
    Ok(())
}

/// What is to be done, checked against the environment and the store.
struct Undo {
    commands: String,
    steps: Vec<Step>,
}

/// One distribution's part.
struct Step {
    reversal: Reversal,
    present: Option<InstalledDistribution>,
    wheel: Option<StoredWheel>,
}

impl Undo {
    fn new(
        environment: &bnbpip_installer::Environment,
        count: usize,
        cache: &Cache,
    ) -> Result<Self, Failure> {
        let receipts = bnbpip_installer::receipts(environment)?;
        if receipts.is_empty() {
            return Err(Failure::new(
                "There is nothing to undo: bnbpip has changed nothing in this environment",
            ));
        }
        if count > receipts.len() {
            return Err(Failure::new(format!(
                "Failed to undo {count} changes: there are {}",
                receipts.len()
            ))
            .hint("`bnbpip history` lists them"));
        }
        let installed = InstalledEnvironment::scan(&environment.library_dirs)?;
        let mut steps = Vec::new();
        for reversal in bnbpip_installer::reversals(&receipts, count) {
            let name: PackageName = reversal.name.parse()?;
            let present = installed.get(&name).cloned();
            steps.push(Step {
                wheel: stored(reversal.before.as_ref(), cache),
                reversal,
                present,
            });
        }
        refuse_foreign_changes(&steps)?;
        refuse_missing_wheels(&steps)?;
        Ok(Self {
            commands: commands(&receipts, count),
            steps,
        })
    }

    fn commands(&self) -> &str {
        &self.commands
    }

    fn show(&self, printer: &Printer) {
        let version = |entry: &ReceiptEntry| entry.version.clone();
        for Step { reversal, .. } in &self.steps {
            let old = reversal.left.as_ref().map(version);
            let new = reversal.before.as_ref().map(version);
            if let Some(line) = history::change(&reversal.name, old, new) {
                printer.status(&line);
            }
        }
    }
}

/// The commands that are taken back, newest first.
fn commands(receipts: &[Receipt], count: usize) -> String {
    let quoted: Vec<String> = receipts
        .iter()
        .rev()
        .take(count)
        .map(|receipt| format!("`{}`", receipt.command))
        .collect();
    quoted.join(", ")
}

/// The wheel that a distribution had been installed from.
fn stored(entry: Option<&ReceiptEntry>, cache: &Cache) -> Option<StoredWheel> {
    cache.stored_wheel(entry?.sha256.as_deref()?)
}

/// What another tool has changed since is not ours to overwrite.
fn refuse_foreign_changes(steps: &[Step]) -> Result<(), Failure> {
    let foreign: Vec<String> = steps.iter().filter_map(Step::foreign_change).collect();
    if foreign.is_empty() {
        return Ok(());
    }
    Err(
        Failure::new("Failed to undo: another tool has changed the environment since")
            .detail(foreign.join("\n"))
            .hint("say what you want with `bnbpip install` or `bnbpip uninstall`"),
    )
}

fn refuse_missing_wheels(steps: &[Step]) -> Result<(), Failure> {
    let missing: Vec<String> = steps
        .iter()
        .filter(|step| step.wheel.is_none())
        .filter_map(|step| step.reversal.before.as_ref())
        .map(|entry| format!("{}=={}", entry.name, entry.version))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "Failed to undo: {} can't be had from the cache",
        missing.join(", ")
    ))
    .hint(format!(
        "`bnbpip install --no-deps {}` fetches what was there",
        missing.join(" ")
    )))
}

impl Step {
    /// How the environment differs from what the last change left, if it does.
    fn foreign_change(&self) -> Option<String> {
        let name = &self.reversal.name;
        match (&self.reversal.left, &self.present) {
            (None, None) => None,
            (None, Some(present)) => Some(format!("{name} {} was installed", present.version)),
            (Some(left), None) => Some(format!("{name} {} was removed", left.version)),
            (Some(left), Some(present)) if present.version.to_string() != left.version => Some(
                format!("{name} {} is there, not {}", present.version, left.version),
            ),
            (Some(_), Some(present)) => {
                let installer = present.installer().unwrap_or_default();
                (installer != INSTALLER).then(|| {
                    format!(
                        "{name} {} was installed again by another tool",
                        present.version
                    )
                })
            }
        }
    }

    fn prepare(self, transaction: &Transaction<'_>) -> Result<(), Failure> {
        let (Some(before), Some(wheel)) = (self.reversal.before, self.wheel) else {
            if let Some(present) = &self.present {
                transaction.remove(present).map_err(with_hint)?;
            }
            return Ok(());
        };
        let install = WheelInstall {
            wheel: unpacked(&wheel)?,
            sha256: before.sha256,
            requested: before.requested,
            direct_url: before.direct_url,
            replaces: self.present.into_iter().collect(),
        };
        transaction.install(install).map_err(with_hint)
    }
}
