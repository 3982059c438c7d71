//! `bnbpip show`.

use std::collections::BTreeSet;

use bnbpip_installer::DistributionKind;
use bnbpip_packaging::{MarkerEnvironment, PackageName, record};

use super::distribution::Distribution;
use super::{selection, target_environment};
use crate::cli::ShowArgs;
use crate::configuration::settings::Settings;
use crate::failure::{Failure, exit_code};
use crate::printer::Printer;

/// Shows packages.
///
/// # Errors
/// When there is no environment, or none of the packages is in it.
pub(crate) fn run(
    arguments: &ShowArgs,
    settings: &Settings,
    printer: &Printer,
) -> Result<(), Failure> {
    if arguments.packages.is_empty() {
        printer.warning("ERROR: Please provide a package name or names.");
        return Err(Failure::silent(exit_code::ERROR));
    }
    let interpreter = target_environment::find(settings)?.interpreter;
    target_environment::settle(&interpreter, printer);
    let all = selection::read_all(&target_environment::library_dirs(&interpreter), printer)?;
    let find = |name: &str| {
        let name: PackageName = name.parse().ok()?;
        all.iter()
            .find(|distribution| distribution.installed.name == name)
    };
    let (found, mut missing): (Vec<_>, Vec<_>) = arguments
        .packages
        .iter()
        .partition(|name| find(name).is_some());
    if !missing.is_empty() {
        missing.sort();
        let missing: Vec<&str> = missing.into_iter().map(String::as_str).collect();
        printer.warning(&format!("Package(s) not found: {}", missing.join(", ")));
    }
    let sections: Vec<String> = found
        .iter()
        .filter_map(|name| find(name))
        .map(|distribution| {
            let mut lines = fields(distribution, &all, &interpreter.markers);
            if printer.verbosity() > 0 {
                lines.extend(verbose_fields(distribution));
            }
            if arguments.files {
                lines.extend(files(distribution));
            }
            lines.join("\n")
        })
        .collect();
    if sections.is_empty() {
        return Err(Failure::silent(exit_code::ERROR));
    }
    printer.info(&sections.join("\n---\n"));
    Ok(())
}

fn fields(
    distribution: &Distribution,
    all: &[Distribution],
    markers: &MarkerEnvironment,
) -> Vec<String> {
    let header = |name: &str| {
        distribution
            .headers
            .first(name)
            .unwrap_or_default()
            .to_owned()
    };
    let mut lines = vec![
        format!("Name: {}", distribution.name()),
        format!("Version: {}", distribution.raw_version()),
        format!("Summary: {}", header("Summary")),
        format!("Home-page: {}", home_page(distribution)),
        format!("Author: {}", header("Author")),
        format!("Author-email: {}", header("Author-email")),
    ];
    let expression = header("License-Expression");
    if has_license_expression(&header("Metadata-Version")) && !expression.is_empty() {
        lines.push(format!("License-Expression: {expression}"));
    } else {
        lines.push(format!("License: {}", header("License")));
    }
    let installed = &distribution.installed;
    // What a link leads to lies there, and not beside the link.
    let location = installed.linked_project.as_ref();
    let location = location.unwrap_or(&installed.location);
    lines.push(format!("Location: {}", location.display()));
    if let Some(project) = distribution.editable_location() {
        lines.push(format!("Editable project location: {}", project.display()));
    }
    lines.push(format!("Requires: {}", requires(distribution, markers)));
    lines.push(format!(
        "Required-by: {}",
        required_by(distribution, all, markers)
    ));
    lines
}

fn verbose_fields(distribution: &Distribution) -> Vec<String> {
    let header = |name: &str| {
        distribution
            .headers
            .first(name)
            .unwrap_or_default()
            .to_owned()
    };
    let mut lines = vec![
        format!("Metadata-Version: {}", header("Metadata-Version")),
        format!(
            "Installer: {}",
            distribution.installed.installer().unwrap_or_default()
        ),
        "Classifiers:".to_owned(),
    ];
    let indented = |text: &str| format!("  {}", text.trim());
    lines.extend(distribution.headers.all("Classifier").map(indented));
    lines.push("Entry-points:".to_owned());
    let entry_points = distribution
        .record_text("entry_points.txt")
        .unwrap_or_default();
    lines.extend(entry_points.lines().map(indented));
    lines.push("Project-URLs:".to_owned());
    lines.extend(distribution.headers.all("Project-URL").map(indented));
    lines
}

fn files(distribution: &Distribution) -> Vec<String> {
    let declared = match distribution.installed.kind {
        DistributionKind::DistInfo => distribution
            .record_text("RECORD")
            .and_then(|text| record::parse(&text).ok())
            .map(|entries| entries.into_iter().map(|entry| entry.path).collect()),
        DistributionKind::EggInfo | DistributionKind::EggLink => {
            installed_files_of_egg(distribution)
        }
    };
    let mut lines = vec!["Files:".to_owned()];
    match declared {
        Some(declared) => {
            let declared: BTreeSet<String> = declared;
            lines.extend(declared.iter().map(|path| format!("  {path}")));
        }
        None => lines.push("Cannot locate RECORD or installed-files.txt".to_owned()),
    }
    lines
}

/// The paths of `installed-files.txt`, which are relative to the `.egg-info` folder, as paths
/// relative to the library folder.
fn installed_files_of_egg(distribution: &Distribution) -> Option<BTreeSet<String>> {
    let text = distribution.record_text("installed-files.txt")?;
    let info = distribution
        .installed
        .dist_info
        .file_name()?
        .to_string_lossy()
        .into_owned();
    let relative = |line: &str| {
        let mut parts: Vec<&str> = vec![&info];
        for part in line.split('/') {
            match part {
                "." | "" => {}
                ".." if parts.last().is_some_and(|last| *last != "..") => {
                    parts.pop();
                }
                part => parts.push(part),
            }
        }
        parts.join("/")
    };
    Some(
        text.lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .map(relative)
            .collect(),
    )
}

/// The `Home-page` field, else the project URL that is labelled so.
fn home_page(distribution: &Distribution) -> String {
    let field = distribution.headers.first("Home-page").unwrap_or_default();
    if !field.is_empty() {
        return field.to_owned();
    }
    let labelled = distribution.headers.all("Project-URL").find_map(|entry| {
        let (label, url) = entry.split_once(',')?;
        let label: String = label
            .chars()
            .filter(|c| !c.is_ascii_punctuation() && !c.is_whitespace())
            .flat_map(char::to_lowercase)
            .collect();
        (label == "homepage").then(|| url.trim().to_owned())
    });
    labelled.unwrap_or_default()
}

/// Whether a metadata version (2.4 and later) has the field.
fn has_license_expression(metadata_version: &str) -> bool {
    let mut parts = metadata_version
        .split('.')
        .map(|part| part.parse::<u32>().unwrap_or_default());
    (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    ) >= (2, 4)
}

fn requires(distribution: &Distribution, markers: &MarkerEnvironment) -> String {
    let mut names: Vec<String> = match distribution.dependencies(markers) {
        Ok(dependencies) => {
            let names: BTreeSet<String> = dependencies
                .iter()
                .map(|dependency| dependency.raw_name().to_owned())
                .collect();
            names.into_iter().collect()
        }
        // Requirements that nobody can read are shown as they are.
        Err(_) => distribution
            .headers
            .all("Requires-Dist")
            .map(str::to_owned)
            .collect(),
    };
    names.sort_by_key(|name| name.to_lowercase());
    names.join(", ")
}

fn required_by(
    distribution: &Distribution,
    all: &[Distribution],
    markers: &MarkerEnvironment,
) -> String {
    let name = &distribution.installed.name;
    let mut are_all_known = true;
    let mut dependents: Vec<&str> = all
        .iter()
        .filter(|other| {
            let Ok(dependencies) = other.dependencies(markers) else {
                are_all_known = false;
                return false;
            };
            let mut needed = dependencies.iter();
            needed.any(|dependency| dependency.requirement.name == *name)
        })
        .map(Distribution::name)
        .collect();
    // pip's word where it isn't known: one whose requirements nobody can read may be among them.
    if dependents.is_empty() && !are_all_known {
        dependents.push("#N/A");
    }
    dependents.sort_by_key(|name| name.to_lowercase());
    dependents.join(", ")
}
