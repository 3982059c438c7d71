//! `bnbpip lock diff`: what differs between two locks.

use std::path::Path;

use bnbpip_lock::Lock;

use crate::cli::lock_tools::LockDiffArgs;
use crate::configuration::files::is_null_device;
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;

/// Shows the difference.
///
/// # Errors
/// When one of them can't be read.
pub(super) fn run(
    arguments: &LockDiffArgs,
    settings: &Settings,
    printer: &Printer,
) -> Result<(), Failure> {
    let read = |file: &Path| {
        // git gives the first for a file that isn't there, on every system.
        if file == Path::new("/dev/null") || is_null_device(file) {
            return Ok(Lock::default());
        }
        let path = settings.environment.working_directory().join(file);
        super::read(&path, printer)
            .map_err(|failure| failure.context(format!("Failed to compare `{}`", file.display())))
    };
    let (old, new) = match &arguments.new {
        Some(new) => (read(&arguments.old)?, read(new)?),
        None => (Lock::default(), read(&arguments.old)?),
    };
    let diff = old.diff(&new);
    if arguments.json {
        printer.data(&serde_json::to_string_pretty(&diff)?);
        return Ok(());
    }
    let text = bnbpip_report::lock_diff::text(&diff);
    if !text.is_empty() {
        printer.data(&text);
    }
    Ok(())
}
