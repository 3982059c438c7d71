//! `bnbpip index versions`: what an index has of a package.

use std::sync::Arc;

use bnbpip_installer::InstalledEnvironment;
use bnbpip_overlay::Overlay;
use bnbpip_packaging::{PackageName, Version};
use serde_json::json;

use super::python_json;
use super::resolve::lookup::{Lookup, Releases};
use super::target_environment;
use crate::cli::IndexCommandArgs;
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;

/// Shows the versions of a package, the newest first, and the installed one.
///
/// # Errors
/// When no index has the package, or one can't be asked.
pub(crate) fn run(
    arguments: &IndexCommandArgs,
    settings: &Settings,
    printer: &Printer,
) -> Result<(), Failure> {
    let query = match arguments.words.as_slice() {
        [action, query] if action == "versions" => query,
        [action, ..] if action == "versions" => {
            return Err(Failure::new("You need to specify exactly one argument"));
        }
        _ => return Err(Failure::new("Need an action (versions) to perform.")),
    };
    let none = || Failure::new(format!("No matching distribution found for {query}"));
    let name: PackageName = query.parse().map_err(|_| none())?;
    let interpreter = target_environment::find_to_read(settings)?;
    let target = arguments.target_python.request()?;
    let target = target.target(Some(&interpreter))?;
    // The question is what the index has, not what is advisable.
    let rules = Arc::new(Overlay::empty().active(&target.markers));
    let ignore_python = arguments.ignore_requires_python;
    let lookup = Lookup::new(&arguments.index, &target, rules, ignore_python, settings)?;
    let releases = lookup.releases(std::iter::once(&name))?;
    let found = releases.iter().flat_map(Releases::iter);
    let versions: Vec<&Version> = found.map(|(version, _)| version).collect();
    let latest = *versions.first().ok_or_else(none)?;
    let folders = target_environment::library_dirs(&interpreter);
    let installed = InstalledEnvironment::scan(&folders)?;
    let installed = installed.get(&name).map(|found| &found.version);
    let texts: Vec<String> = versions.iter().map(ToString::to_string).collect();
    if arguments.json {
        printer.info(&as_json(query, &texts, installed));
        return Ok(());
    }
    printer.info(&format!("{query} ({latest})"));
    printer.info(&format!("Available versions: {}", texts.join(", ")));
    if let Some(installed) = installed {
        printer.info(&format!("  INSTALLED: {installed}"));
        let remark = if latest.is_pre() {
            " (pre-release; install with `bnbpip install --pre`)"
        } else {
            ""
        };
        printer.info(&format!("  LATEST:    {latest}{remark}"));
    }
    Ok(())
}

fn as_json(query: &str, versions: &[String], installed: Option<&Version>) -> String {
    let mut fields = vec![
        ("name", query.into()),
        ("versions", json!(versions)),
        ("latest", json!(versions.first())),
    ];
    if let Some(installed) = installed {
        fields.push(("installed_version", installed.to_string().into()));
    }
    python_json::object(&fields)
}
