//! Which installed distributions `list` and `freeze` look at.

use std::path::{Path, PathBuf};

use bnbpip_installer::InstalledEnvironment;
use bnbpip_packaging::{Headers, MarkerEnvironment};
use bnbpip_platform::Interpreter;
use rayon::prelude::*;

use super::distribution::Distribution;
use super::target_environment;
use crate::cli::environment::SelectionArgs;
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::request::normalized;

/// Names that are modules of Python itself although old installs record them.
const STANDARD_LIBRARY: &[&str] = &["python", "wsgiref", "argparse"];

/// What was selected, by name, and where.
pub(super) struct Selected {
    /// The distributions, sorted by normalised name.
    pub(super) distributions: Vec<Distribution>,
    /// The environment's interpreter.
    pub(super) interpreter: Interpreter,
}

/// Everything installed in an environment, metadata read.
///
/// # Errors
/// When a library folder can't be listed.
pub(super) fn read_all(
    folders: &[PathBuf],
    printer: &Printer,
) -> Result<Vec<Distribution>, Failure> {
    let installed = InstalledEnvironment::scan(folders)?;
    for path in &installed.invalid {
        let name = invalid_name(path);
        let folder = path.parent().unwrap_or(path).display();
        printer.warning(&format!("Ignoring invalid distribution {name} ({folder})"));
    }
    Ok(installed
        .distributions
        .into_par_iter()
        .map(Distribution::read)
        .collect())
}

/// The name that a distribution without a valid one goes by: what its metadata says, runs of `-`,
/// `_` and `.` drawn together, or else what its folder is called.
fn invalid_name(path: &Path) -> String {
    let files = [
        path.to_path_buf(),
        path.join("METADATA"),
        path.join("PKG-INFO"),
    ];
    let mut texts = files.iter().filter_map(|file| fs_err::read(file).ok());
    let name = texts.find_map(|bytes| {
        let headers = Headers::parse(&String::from_utf8_lossy(&bytes));
        headers.first("Name").map(normalized)
    });
    name.unwrap_or_else(|| {
        let stem = path.file_stem().unwrap_or_default();
        stem.to_string_lossy().into_owned()
    })
}

/// The distributions that the options select; `--exclude` is left to the caller.
///
/// # Errors
/// When there is no environment, or options exclude each other.
pub(super) fn select(
    arguments: &SelectionArgs,
    settings: &Settings,
    printer: &Printer,
) -> Result<Selected, Failure> {
    if !arguments.path.is_empty() && (arguments.user || arguments.local) {
        return Err(Failure::new(
            "Cannot combine '--path' with '--user' or '--local'",
        ));
    }
    let interpreter = target_environment::find(settings)?.interpreter;
    target_environment::settle(&interpreter, printer);
    let folders = if arguments.path.is_empty() {
        target_environment::library_dirs(&interpreter)
    } else {
        let base = settings.environment.working_directory();
        arguments.path.iter().map(|path| base.join(path)).collect()
    };
    let mut distributions = read_all(&folders, printer)?;
    distributions.retain(|distribution| {
        let location = &distribution.installed.location;
        let is_selected = !STANDARD_LIBRARY.contains(&distribution.installed.name.as_ref());
        let is_local = !interpreter.is_venv || is_below(location, &interpreter.prefix);
        let in_user_site = || {
            interpreter
                .user_site
                .as_ref()
                .is_some_and(|folder| is_below(location, folder))
        };
        is_selected
            && (!arguments.local || is_local)
            && (!arguments.user || in_user_site())
            && !(arguments.exclude_editable && distribution.editable_location().is_some())
    });
    Ok(Selected {
        distributions,
        interpreter,
    })
}

/// Leaves out the packages of `--exclude`.
pub(super) fn exclude(distributions: &mut Vec<Distribution>, names: &[String]) {
    let names: Vec<bnbpip_packaging::PackageName> =
        names.iter().filter_map(|name| name.parse().ok()).collect();
    distributions.retain(|distribution| !names.contains(&distribution.installed.name));
}

/// Leaves only packages that no other one requires. Requirements that can't be read count as none.
pub(super) fn only_not_required(
    distributions: &mut Vec<Distribution>,
    markers: &MarkerEnvironment,
) {
    let required: rustc_hash::FxHashSet<_> = distributions
        .iter()
        .flat_map(|distribution| distribution.dependencies(markers).unwrap_or_default())
        .map(|dependency| dependency.requirement.name)
        .collect();
    distributions.retain(|distribution| !required.contains(&distribution.installed.name));
}

/// Whether a path lies in a folder, links resolved.
fn is_below(path: &Path, folder: &Path) -> bool {
    let resolved = |path: &Path| fs_err::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    resolved(path).starts_with(resolved(folder))
}
