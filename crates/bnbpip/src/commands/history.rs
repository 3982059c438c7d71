//! `bnbpip history`: the receipts of an environment, newest first.

use bnbpip_installer::{Receipt, ReceiptEntry};

use super::target_environment;
use crate::cli::HistoryArgs;
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;

/// Shows what bnbpip has changed.
///
/// # Errors
/// When there is no environment, or a receipt can't be read.
pub(crate) fn run(
    arguments: &HistoryArgs,
    settings: &Settings,
    printer: &Printer,
) -> Result<(), Failure> {
    let found = target_environment::find(settings)?;
    let environment = target_environment::with_history(&found.interpreter, settings);
    target_environment::settle(&found.interpreter, printer);
    let receipts = bnbpip_installer::receipts(&environment)?;
    if arguments.json {
        printer.data(&serde_json::to_string_pretty(&receipts)?);
    } else if receipts.is_empty() {
        printer.status(&format!(
            "bnbpip has changed nothing in `{}` yet",
            found.root.display()
        ));
    } else {
        let entries: Vec<String> = receipts.iter().rev().map(describe).collect();
        printer.info(&entries.join("\n"));
    }
    Ok(())
}

/// One receipt: when and what, then each distribution on a line.
fn describe(receipt: &Receipt) -> String {
    let mut lines = vec![format!(
        "{:>4}  {}  {}",
        receipt.number,
        time(receipt.time_unix_s),
        receipt.command
    )];
    let mut names: Vec<&str> = receipt
        .removed
        .iter()
        .chain(&receipt.installed)
        .map(|entry| entry.name.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    lines.extend(names.into_iter().filter_map(|name| {
        let of = |entries: &'_ [ReceiptEntry]| {
            let entry = entries.iter().find(|entry| entry.name == name);
            entry.map(|entry| entry.version.clone())
        };
        change(name, of(&receipt.removed), of(&receipt.installed))
    }));
    lines.join("\n")
}

/// A distribution's change in a line; `None` if there was none.
pub(super) fn change(name: &str, old: Option<String>, new: Option<String>) -> Option<String> {
    match (old, new) {
        (None, None) => None,
        (None, Some(new)) => Some(format!("      + {name} {new}")),
        (Some(old), None) => Some(format!("      - {name} {old}")),
        (Some(old), Some(new)) => Some(format!("      ~ {name} {old} -> {new}")),
    }
}

fn time(unix_s: u64) -> String {
    i64::try_from(unix_s)
        .ok()
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        .map_or_else(
            || "unknown time        ".to_owned(),
            |time| time.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        )
}
