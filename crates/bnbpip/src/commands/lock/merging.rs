//! `bnbpip lock --merge`: git's merge driver.

use std::path::Path;

use bnbpip_lock::merge_texts;

use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;

/// Merges the locks `[base, ours, theirs]` into ours. What conflicts is left in it between conflict
/// markers, as git expects it.
///
/// # Errors
/// When something conflicts, or one of them isn't a lock; then ours stays as it is.
pub(super) fn run(
    [base, ours, theirs]: [&Path; 3],
    settings: &Settings,
    printer: &Printer,
) -> Result<(), Failure> {
    let directory = settings.environment.working_directory();
    let read = |file: &Path| fs_err::read_to_string(directory.join(file));
    let (base_text, ours_text, theirs_text) = (read(base)?, read(ours)?, read(theirs)?);
    let merged = merge_texts(&base_text, &ours_text, &theirs_text).map_err(|(side, error)| {
        Failure::from(error).context(format!("Failed to merge the lock: {side} isn't one"))
    })?;
    fs_err::write(directory.join(ours), &merged.text)?;
    if merged.conflicts.is_empty() {
        printer.verbose("Merged the locks");
        return Ok(());
    }
    Err(Failure::new(format!(
        "Failed to merge the lock: both sides changed {}",
        merged.conflicts.join(", ")
    ))
    .hint(RESOLVE))
}

/// What to do about conflict markers.
pub(super) const RESOLVE: &str =
    "`bnbpip lock --resolve-conflicts` solves it again, with the versions of both sides first";
