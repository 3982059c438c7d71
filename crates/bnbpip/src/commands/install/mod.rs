//! `bnbpip install`.

use crate::cli::InstallArgs;
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;

/// Installs what was asked for.
///
/// # Errors
/// When it can't be done; the environment is then as it was.
pub(crate) fn run(
    arguments: &InstallArgs,
    settings: &Settings,
    printer: &Printer,
) -> Result<(), Failure> {
    let _ = (arguments, settings, printer);
    Err(Failure::new("install is not wired yet"))
}
