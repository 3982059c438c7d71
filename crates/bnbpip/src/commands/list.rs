//! `bnbpip list`.

use std::cmp::Ordering;
use std::sync::Arc;

use bnbpip_packaging::WheelMetadata;
use bnbpip_platform::Target;

use super::distribution::Distribution;
use super::resolve::lookup::Lookup;
use super::selection::{self, Selected};
use super::{python_json, rule_set};
use crate::cli::ListArgs;
use crate::cli::values::ListFormat;
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;

/// A listed distribution.
struct Row {
    distribution: Distribution,
    /// The newest release and the kind of its file, where that was asked for.
    latest: Option<(String, &'static str)>,
}

/// Lists what is installed.
///
/// # Errors
/// When there is no environment or it can't be read, or an index can't be asked.
pub(crate) fn run(
    arguments: &ListArgs,
    settings: &Settings,
    printer: &Printer,
) -> Result<(), Failure> {
    if arguments.outdated && arguments.uptodate {
        return Err(Failure::new(
            "Options --outdated and --uptodate cannot be combined.",
        ));
    }
    if arguments.outdated && arguments.format == ListFormat::Freeze {
        return Err(Failure::new(
            "List format 'freeze' cannot be used with the --outdated option.",
        ));
    }
    let mut selected = selection::select(&arguments.selection, settings, printer)?;
    let distributions = &mut selected.distributions;
    if arguments.editable {
        distributions.retain(|distribution| distribution.editable_location().is_some());
    }
    if arguments.not_required {
        selection::only_not_required(distributions, &selected.interpreter.markers);
    }
    selection::exclude(distributions, &arguments.selection.exclude);
    let rows = if arguments.outdated || arguments.uptodate {
        compared(selected, arguments, settings)?
    } else {
        let rows = selected.distributions.into_iter();
        rows.map(|distribution| Row {
            distribution,
            latest: None,
        })
        .collect()
    };
    let verbose = printer.verbosity() > 0;
    let text = match arguments.format {
        ListFormat::Columns => columns(&rows, verbose),
        ListFormat::Freeze => freeze(&rows, verbose),
        ListFormat::Json => json(&rows, verbose),
    };
    if !text.is_empty() {
        printer.info(&text);
    }
    Ok(())
}

/// The distributions of which there is (or, for `--uptodate`, isn't) a newer release. Those that
/// no index has are neither.
fn compared(
    selected: Selected,
    arguments: &ListArgs,
    settings: &Settings,
) -> Result<Vec<Row>, Failure> {
    let target = Target::from_interpreter(&selected.interpreter);
    // What a rule forbids would not be installed: it makes nothing outdated.
    let rules = rule_set::overlay(&[], &[], settings)?.active(&target.markers);
    let lookup = Lookup::new(&arguments.index, &target, Arc::new(rules), false, settings)?;
    let names = selected.distributions.iter().map(|it| &it.installed.name);
    let releases = lookup.releases(names)?;
    let mut rows = Vec::new();
    for (distribution, releases) in selected.distributions.into_iter().zip(releases) {
        let Some((version, file)) = releases.newest() else {
            continue;
        };
        let kind = if file.wheel().is_some() {
            "wheel"
        } else {
            "sdist"
        };
        let ordering = version.cmp(&distribution.installed.version);
        if arguments.outdated && ordering == Ordering::Greater {
            let latest = Some((version.to_string(), kind));
            rows.push(Row {
                distribution,
                latest,
            });
        } else if arguments.uptodate && ordering == Ordering::Equal {
            rows.push(Row {
                distribution,
                latest: None,
            });
        }
    }
    Ok(rows)
}

fn freeze(rows: &[Row], verbose: bool) -> String {
    let lines: Vec<String> = rows
        .iter()
        .map(|Row { distribution, .. }| {
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

fn json(rows: &[Row], verbose: bool) -> String {
    let objects: Vec<_> = rows
        .iter()
        .map(
            |Row {
                 distribution,
                 latest,
             }| {
                let mut fields = vec![
                    ("name", distribution.name().to_owned()),
                    ("version", distribution.version()),
                ];
                if verbose {
                    let location = distribution.installed.location.display().to_string();
                    fields.push(("location", location));
                    let installer = distribution.installed.installer();
                    fields.push(("installer", installer.unwrap_or_default()));
                }
                if let Some((version, kind)) = latest {
                    fields.push(("latest_version", version.clone()));
                    fields.push(("latest_filetype", (*kind).to_owned()));
                }
                if let Some(project) = distribution.editable_location() {
                    fields.push(("editable_project_location", project.display().to_string()));
                }
                fields
            },
        )
        .collect();
    python_json::array_of_objects(&objects)
}

fn columns(rows: &[Row], verbose: bool) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let build_tags: Vec<String> = rows
        .iter()
        .map(|row| build_tag(&row.distribution).unwrap_or_default())
        .collect();
    let projects: Vec<String> = rows
        .iter()
        .map(|row| row.distribution.editable_location())
        .map(|path| path.map_or(String::new(), |path| path.display().to_string()))
        .collect();
    let has_latest = rows.iter().any(|row| row.latest.is_some());
    let has_build_tags = build_tags.iter().any(|tag| !tag.is_empty());
    let has_projects = projects.iter().any(|project| !project.is_empty());

    let mut header = vec!["Package", "Version"];
    if has_latest {
        header.extend(["Latest", "Type"]);
    }
    if has_build_tags {
        header.push("Build");
    }
    if has_projects {
        header.push("Editable project location");
    }
    if verbose {
        header.extend(["Location", "Installer"]);
    }
    let mut lines = vec![header.into_iter().map(str::to_owned).collect()];
    for ((row, tag), project) in rows.iter().zip(build_tags).zip(projects) {
        let distribution = &row.distribution;
        let mut cells = vec![distribution.name().to_owned(), distribution.raw_version()];
        if let Some((version, kind)) = &row.latest {
            cells.extend([version.clone(), (*kind).to_owned()]);
        }
        if has_build_tags {
            cells.push(tag);
        }
        if has_projects {
            cells.push(project);
        }
        if verbose {
            cells.push(distribution.installed.location.display().to_string());
            cells.push(distribution.installed.installer().unwrap_or_default());
        }
        lines.push(cells);
    }
    table(&lines)
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
