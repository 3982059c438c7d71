//! `bnbpip lock export`: a lock's packages in other formats.

use bnbpip_lock::{ExportedPackage, Lock, Selecting, cyclonedx, requirements, spdx};

use super::environments;
use crate::cli::lock_tools::{ExportFormat, LockExportArgs};
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::output_file;
use crate::printer::Printer;
use crate::request::normalized;

/// Writes the packages.
///
/// # Errors
/// When the lock can't be read, doesn't have what is asked for, or the file can't be written.
pub(super) fn run(
    arguments: &LockExportArgs,
    settings: &Settings,
    printer: &Printer,
) -> Result<(), Failure> {
    let directory = settings.environment.working_directory();
    let lock = super::read(&directory.join(&arguments.file), printer)?;
    let packages = packages(&lock, arguments, settings)?;
    let version = env!("CARGO_PKG_VERSION");
    let text = match arguments.format {
        ExportFormat::Requirements => requirements(&lock, &packages),
        ExportFormat::Cyclonedx => cyclonedx(&packages, version)?,
        ExportFormat::Spdx => {
            let name = arguments.file.file_stem().unwrap_or_default();
            spdx(&packages, &name.to_string_lossy(), version)?
        }
    };
    let text = text.trim_end();
    match &arguments.output {
        Some(file) => output_file::write(&directory.join(file), &format!("{text}\n"))?,
        None => printer.data(text),
    }
    Ok(())
}

fn packages<'a>(
    lock: &'a Lock,
    arguments: &LockExportArgs,
    settings: &Settings,
) -> Result<Vec<ExportedPackage<'a>>, Failure> {
    let all = |names: &[String]| {
        names
            .iter()
            .map(|name| normalized(name))
            .collect::<Vec<_>>()
    };
    let (extras, groups) = (all(&arguments.extra), all(&arguments.group));
    let Some(name) = &arguments.environment else {
        return Ok(lock.exported(&extras, &groups)?);
    };
    let names = [name.clone()];
    let mut packages = Vec::new();
    for target in environments::targets(&names, None, settings)? {
        let selected = lock.select(Selecting {
            markers: &target.target.markers,
            tags: &target.target.tags,
            python: &target.target.python_full_version,
            description: &target.target.description,
            extras: &extras,
            groups: &groups,
        })?;
        packages.extend(selected.iter().map(ExportedPackage::from));
    }
    Ok(packages)
}
