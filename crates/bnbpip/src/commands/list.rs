//! `bnbpip list`.

use bnbpip_packaging::WheelMetadata;

use super::distribution::Distribution;
use super::{python_json, selection};
use crate::cli::ListArgs;
use crate::cli::values::ListFormat;
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;

/// Lists what is installed.
///
/// # Errors
/// When there is no environment or it can't be read.
pub(crate) fn run(
    arguments: &ListArgs,
    settings: &Settings,
    printer: &Printer,
) -> Result<(), Failure> {
    let mut selected = selection::select(&arguments.selection, settings, printer)?;
    let distributions = &mut selected.distributions;
    if arguments.editable {
        distributions.retain(|distribution| distribution.editable_location().is_some());
    }
    if arguments.not_required {
        selection::only_not_required(distributions, &selected.interpreter.markers);
    }
    selection::exclude(distributions, &arguments.selection.exclude);
    let verbose = printer.verbosity() > 0;
    let text = match arguments.format {
        ListFormat::Columns => columns(distributions, verbose),
        ListFormat::Freeze => freeze(distributions, verbose),
        ListFormat::Json => json(distributions, verbose),
    };
    if !text.is_empty() {
        printer.info(&text);
    }
    Ok(())
}

fn freeze(distributions: &[Distribution], verbose: bool) -> String {
    let lines: Vec<String> = distributions
        .iter()
        .map(|distribution| {
            let line = format!("{}=={}", distribution.name(), distribution.version());
            if verbose {
                format!("{line} ({})", distribution.installed.location.display())
            } else {
                line
            }
        })
        .collect();
    lines.join("\n")
}

fn json(distributions: &[Distribution], verbose: bool) -> String {
    let objects: Vec<_> = distributions
        .iter()
        .map(|distribution| {
            let mut fields = vec![
                ("name", distribution.name().to_owned()),
                ("version", distribution.version()),
            ];
            if verbose {
                let location = distribution.installed.location.display().to_string();
                fields.push(("location", location));
                fields.push((
                    "installer",
                    distribution.installed.installer().unwrap_or_default(),
                ));
            }
            if let Some(project) = distribution.editable_location() {
                fields.push(("editable_project_location", project.display().to_string()));
            }
            fields
        })
        .collect();
    python_json::array_of_objects(&objects)
}

fn columns(distributions: &[Distribution], verbose: bool) -> String {
    if distributions.is_empty() {
        return String::new();
    }
    let build_tags: Vec<String> = distributions
        .iter()
        .map(|found| build_tag(found).unwrap_or_default())
        .collect();
    let projects: Vec<String> = distributions
        .iter()
        .map(|found| {
            found
                .editable_location()
                .map_or(String::new(), |path| path.display().to_string())
        })
        .collect();
    let has_build_tags = build_tags.iter().any(|tag| !tag.is_empty());
    let has_projects = projects.iter().any(|project| !project.is_empty());

    let mut header = vec!["Package".to_owned(), "Version".to_owned()];
    if has_build_tags {
        header.push("Build".to_owned());
    }
    if has_projects {
        header.push("Editable project location".to_owned());
    }
    if verbose {
        header.extend(["Location".to_owned(), "Installer".to_owned()]);
    }
    let mut rows = vec![header];
    for ((distribution, tag), project) in distributions.iter().zip(build_tags).zip(projects) {
        let mut row = vec![distribution.name().to_owned(), distribution.raw_version()];
        if has_build_tags {
            row.push(tag);
        }
        if has_projects {
            row.push(project);
        }
        if verbose {
            row.push(distribution.installed.location.display().to_string());
            row.push(distribution.installed.installer().unwrap_or_default());
        }
        rows.push(row);
    }
    table(&rows)
}

fn build_tag(distribution: &Distribution) -> Option<String> {
    WheelMetadata::parse(&distribution.record_text("WHEEL")?)
        .ok()?
        .build
}

/// Columns as wide as their longest cell, a line of dashes below the first row.
fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            rows.iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
        })
        .map(Option::unwrap_or_default)
        .collect();
    let mut lines: Vec<String> = rows
        .iter()
        .map(|row| {
            let cells: Vec<String> = row
                .iter()
                .zip(&widths)
                .map(|(cell, width)| format!("{cell:width$}"))
                .collect();
            cells.join(" ").trim_end().to_owned()
        })
        .collect();
    let dashes: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
    lines.insert(1, dashes.join(" "));
    lines.join("\n")
}
