//! `install -r pylock.toml[extra]` and `--group pylock.toml:dev`: a lock that is asked for alone is
//! installed as it is, without a resolution.

use bnbpip_installer::InstallOptions;

use super::options_of;
use crate::cli::InstallArgs;
use crate::commands::locked_requirements;
use crate::commands::sync::{Syncing, Wish, Words};
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::request::{NamedLock, Request};
use crate::secrets::without_credentials;

/// The lock, if nothing else is asked for.
///
/// # Errors
/// When the options don't go together with a lock, or want one.
pub(super) fn alone<'a>(
    request: &'a Request,
    arguments: &InstallArgs,
) -> Result<Option<&'a NamedLock>, Failure> {
    let Some(first) = request.locks.first() else {
        return match &arguments.wheelhouse {
            Some(_) => Err(Failure::new(
                "Failed to use the wheelhouse: it is for the files of a lock, and none is asked for",
            )
            .hint("`--find-links` takes files from a folder for other requirements")),
            None => Ok(None),
        };
    };
    let python = arguments.target_python.request()?;
    locked_requirements::refuse_restrictions(request, !python.is_empty())?;
    let is_alone = request.locks.len() == 1
        && request.requirements.is_empty()
        && request.unnamed.is_empty()
        && request.constraints.is_empty();
    let to_environment = arguments.target.is_none()
        && arguments.prefix.is_none()
        && arguments.root.is_none()
        && arguments.venv.is_none()
        && !arguments.user;
    let resolves = arguments.report.is_some()
        || arguments.force_reinstall
        || arguments.ignore_installed
        || arguments.resolve.only_deps;
    Ok((is_alone && to_environment && !resolves).then_some(first))
}

/// Installs what the lock has. What it hasn't stays.
///
/// # Errors
/// When the lock isn't for the environment, or it can't be done.
pub(super) fn install(
    named: &NamedLock,
    arguments: &InstallArgs,
    settings: &Settings,
    printer: &'static Printer,
) -> Result<(), Failure> {
    locked_requirements::tell_of_sync(printer);
    let command = format!("install -r {}", named.file);
    let syncing = Syncing {
        wheelhouse: arguments.wheelhouse.as_deref(),
        file: &named.file,
        asked: named.asked.clone(),
        accelerator: Wish::of(&arguments.resolve, settings),
        inexact: true,
        words: Words::Pips,
        dry_run: arguments.dry_run,
        break_system_packages: arguments.break_system_packages,
        progress_bar: arguments.progress_bar,
        resolve: &arguments.resolve,
        options: InstallOptions {
            command: without_credentials(&command).into_owned(),
            ..options_of(arguments, settings)
        },
    };
    syncing.run(settings, printer)
}
