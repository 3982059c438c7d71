//! `bnbpip help --man`: the manual pages, made from the command line's definition.

use crate::cli::{self, HelpArgs};
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;

/// Writes a page for the program and one for each command, and says where.
///
/// # Errors
/// When the folder can't be written.
pub(crate) fn run(
    arguments: &HelpArgs,
    settings: &Settings,
    printer: &Printer,
) -> Result<(), Failure> {
    let Some(folder) = &arguments.man else {
        return Ok(());
    };
    let folder = settings.environment.working_directory().join(folder);
    fs_err::create_dir_all(&folder)?;
    // The usage that stands above errors is made for a terminal: a page makes its own synopsis.
    clap_mangen::generate_to(cli::plain_definition(), &folder)
        .map_err(|error| Failure::from(error).context("Failed to write the manual pages"))?;
    printer.info(&format!("Wrote the manual pages to {}", folder.display()));
    Ok(())
}
