//! `bnbpip freeze`.

use std::collections::{BTreeMap, HashSet};

use bnbpip_packaging::{DirectUrl, DirectUrlSource, PackageName};

use super::distribution::Distribution;
use super::selection;
use super::version_control::{Checkout, checkout};
use crate::cli::FreezeArgs;
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::request::{RequirementOrigin, Surroundings, UNNAMED, parse_requirement};

/// Starts of lines that a requirements file may have and that are passed through.
const KEPT: &[&str] = &[
    "-r",
    "--requirement",
    "-f",
    "--find-links",
    "-i",
    "--index-url",
    "--pre",
    "--trusted-host",
    "--process-dependency-links",
    "--extra-index-url",
    "--use-feature",
];

/// Prints what is installed as requirements.
///
/// # Errors
/// When there is no environment, or a requirements file can't be read.
pub(crate) fn run(
    arguments: &FreezeArgs,
    settings: &Settings,
    printer: &Printer,
) -> Result<(), Failure> {
    let selected = selection::select(&arguments.selection, settings, printer)?;
    let mut skipped: HashSet<PackageName> = arguments
        .selection
        .exclude
        .iter()
        .filter_map(|name| name.parse().ok())
        .collect();
    if !arguments.all {
        let mut names = vec!["pip"];
        if selected.interpreter.version_info < (3, 12) {
            names.extend(["setuptools", "distribute", "wheel"]);
        }
        skipped.extend(
            names
                .into_iter()
                .filter_map(|name| name.parse::<PackageName>().ok()),
        );
    }
    let mut frozen: BTreeMap<PackageName, (String, String)> = selected
        .distributions
        .iter()
        .map(|found| {
            let entry = (found.name().to_lowercase(), requirement(found, printer));
            (found.installed.name.clone(), entry)
        })
        .collect();
    let mut lines = Vec::new();
    if !arguments.requirement.is_empty() {
        let files = arguments.requirement.as_slice();
        lines.extend(in_order_of(files, &mut frozen, settings, printer)?);
        lines.push("## The following requirements were added by pip freeze:".to_owned());
    }
    let mut rest: Vec<_> = frozen
        .into_iter()
        .filter(|(name, _)| !skipped.contains(name))
        .map(|(_, it)| it)
        .collect();
    rest.sort();
    lines.extend(rest.into_iter().map(|(_, line)| line));
    if !lines.is_empty() {
        printer.data(&lines.join("\n"));
    }
    Ok(())
}

/// The requirement that gets the same distribution again, comments before it included.
fn requirement(distribution: &Distribution, printer: &Printer) -> String {
    // Only `===` compares what isn't a version.
    let equals = match distribution.installed.legacy_version {
        Some(_) => "===",
        None => "==",
    };
    let pinned = format!("{}{equals}{}", distribution.name(), distribution.version());
    if let Some(project) = distribution.editable_location() {
        let location = project.display();
        return match checkout(&project, distribution.name()) {
            Checkout::Requirement(requirement) => format!("-e {requirement}"),
            Checkout::None => {
                format!("# Editable install with no version control ({pinned})\n-e {location}")
            }
            Checkout::LostRemote(remote) => format!(
                "# Editable Git install ({pinned}) with either a deleted local remote or invalid \
                 URI:\n# '{remote}'\n-e {location}"
            ),
            Checkout::NoRemote => {
                format!("# Editable Git install with no remote ({pinned})\n-e {location}")
            }
            Checkout::NoGit => {
                printer.warning(&format!(
                    "cannot determine version of editable source in {location} (git command not \
                     found in path)"
                ));
                format!("-e {location}")
            }
        };
    }
    match distribution.installed.direct_url() {
        Ok(Some(url)) => direct_reference(&url, distribution.name()),
        Ok(None) | Err(_) => pinned,
    }
}

/// `name @ url#sha256=…`
fn direct_reference(url: &DirectUrl, name: &str) -> String {
    let mut fragments = Vec::new();
    let mut reference = match &url.source {
        DirectUrlSource::Vcs(vcs) => format!("{name} @ {}+{}@{}", vcs.vcs, url.url, vcs.commit_id),
        DirectUrlSource::Archive(archive) => {
            let hash = match archive.hashes.first_key_value() {
                Some((algorithm, digest)) => Some(format!("{algorithm}={digest}")),
                None => archive.hash.clone(),
            };
            fragments.extend(hash);
            format!("{name} @ {}", url.url)
        }
        DirectUrlSource::Directory(_) => format!("{name} @ {}", url.url),
    };
    fragments.extend(
        url.subdirectory
            .iter()
            .map(|folder| format!("subdirectory={folder}")),
    );
    if !fragments.is_empty() {
        reference.push('#');
        reference.push_str(&fragments.join("&"));
    }
    reference
}

/// The lines for the packages that requirements files name, in the files' order and with their
/// comments; what is found is taken out of `frozen`.
fn in_order_of(
    files: &[std::path::PathBuf],
    frozen: &mut BTreeMap<PackageName, (String, String)>,
    settings: &Settings,
    printer: &Printer,
) -> Result<Vec<String>, Failure> {
    let mut lines = Vec::new();
    let mut passed_through = HashSet::new();
    let mut seen: BTreeMap<PackageName, Vec<String>> = BTreeMap::new();
    for file in files {
        let shown = file.display().to_string();
        let path = settings.environment.working_directory().join(file);
        for (index, line) in fs_err::read_to_string(path)?.lines().enumerate() {
            let trimmed = line.trim();
            if trimmed.is_empty()
                || trimmed.starts_with('#')
                || KEPT.iter().any(|start| line.starts_with(start))
            {
                let line = line.trim_end().to_owned();
                if passed_through.insert(line.clone()) {
                    lines.push(line);
                }
                continue;
            }
            let Some(name) = named_by(trimmed, &shown, index + 1, settings, printer)? else {
                continue;
            };
            let files_of_name = seen.entry(name.clone()).or_default();
            match frozen.remove(&name) {
                Some((_, requirement)) => {
                    files_of_name.push(shown.clone());
                    lines.push(requirement);
                }
                None if files_of_name.is_empty() => printer.warning(&format!(
                    "Requirement file [{shown}] contains {}, but package '{}' is not installed",
                    without_comment(trimmed),
                    spelled_name(trimmed, &name)
                )),
                None => files_of_name.push(shown.clone()),
            }
        }
    }
    for (name, files) in seen.iter_mut().filter(|(_, files)| files.len() > 1) {
        files.sort();
        files.dedup();
        printer.warning(&format!(
            "Requirement {name} included multiple times [{}]",
            files.join(", ")
        ));
    }
    Ok(lines)
}

/// The package that a line of a requirements file names.
fn named_by(
    line: &str,
    file: &str,
    number: usize,
    settings: &Settings,
    printer: &Printer,
) -> Result<Option<PackageName>, Failure> {
    let unclear = || {
        // Standard output is a requirements file.
        printer.status(&format!(
            "Skipping line in requirement file [{file}] because it's not clear what it would \
             install: {line}"
        ));
        printer.status("  (add #egg=PackageName to the URL to avoid this warning)");
    };
    let by_egg = || egg_of(line)?.parse().ok();
    if ["--editable", "-e"].iter().any(|it| line.starts_with(it)) {
        let name = by_egg();
        if name.is_none() {
            unclear();
        }
        return Ok(name);
    }
    let surroundings = Surroundings {
        working_directory: settings.environment.working_directory(),
        variable: &|name| settings.environment.get(name).map(str::to_owned),
    };
    let origin = RequirementOrigin::File {
        path: file.to_owned(),
        line: number,
    };
    let text = without_comment(line);
    // Options behind the requirement (`--hash`) don't matter for its name.
    let text = text.split(" --").next().unwrap_or(text);
    let given = parse_requirement(text, origin, Vec::new(), surroundings)?;
    let name = given.requirement.name;
    if name.as_ref() != UNNAMED {
        return Ok(Some(name));
    }
    let name = by_egg();
    if name.is_none() {
        unclear();
    }
    Ok(name)
}

/// The name in `#egg=name`, as a line spells it.
fn egg_of(line: &str) -> Option<&str> {
    let (_, fragment) = without_comment(line).split_once('#')?;
    let (_, egg) = fragment.split_once("egg=")?;
    egg.split(['&', '[']).next().map(str::trim)
}

/// A package's name as a line spells it.
fn spelled_name<'a>(line: &'a str, name: &'a PackageName) -> &'a str {
    let is_part = |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | '_' | '.');
    let first = line.split(|it| !is_part(it)).next().unwrap_or_default();
    let spelled = egg_of(line).unwrap_or(first);
    let is_name = spelled.parse().is_ok_and(|it: PackageName| it == *name);
    if is_name { spelled } else { name.as_ref() }
}

fn without_comment(line: &str) -> &str {
    line.split(" #").next().unwrap_or(line).trim_end()
}
