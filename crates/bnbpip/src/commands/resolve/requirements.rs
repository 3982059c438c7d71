//! The request: command line and files.

use bnbpip_packaging::{MarkerTree, PackageName, Requirement, VersionOrUrl, range};
use bnbpip_resolver::{Constraint, Requested};
use rustc_hash::FxHashMap;

use crate::cli::resolve::ResolveArgs;
use crate::commands::distribution::Dependency;
use crate::commands::profiles;
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::request::{
    NamedLock, ReleaseControl, Request, RequestedRequirement, RequirementOrigin,
    RequirementsReader, Script, Surroundings, group_requirements,
};

use super::remote_file;

/// Reads everything that was asked for.
///
/// # Errors
/// When something can't be read or understood, or nothing was asked for.
pub(crate) fn read(
    command: &str,
    requirements: &[String],
    options: &ResolveArgs,
    settings: &Settings,
    printer: &Printer,
) -> Result<Request, Failure> {
    read_with_editables(command, (requirements, &[]), options, settings, printer)
}

/// Reads everything that was asked for: requirements, and projects to be installed in place.
///
/// # Errors
/// When something can't be read or understood, or nothing was asked for.
pub(crate) fn read_with_editables(
    command: &str,
    (requirements, editables): (&[String], &[String]),
    options: &ResolveArgs,
    settings: &Settings,
    printer: &Printer,
) -> Result<Request, Failure> {
    let surroundings = Surroundings {
        working_directory: settings.environment.working_directory(),
        variable: &|name| settings.environment.get(name).map(str::to_owned),
    };
    warn_about_addresses(options, settings, printer);
    let fetch = |url: &url::Url| remote_file::read(url, settings);
    let mut reader = RequirementsReader::new(surroundings, &fetch);
    for requirement in requirements {
        reader.add(requirement)?;
    }
    let directory = surroundings.working_directory;
    for group in &options.groups {
        if let Some(lock) = NamedLock::of_group(&group.path, &group.name) {
            reader.add_lock(lock);
            continue;
        }
        let path = directory.join(&group.path);
        for text in group_requirements(&path, &group.path, &group.name)? {
            reader.add_written(&text)?;
        }
    }
    for editable in editables {
        reader.add_editable(editable)?;
    }
    for file in &options.requirement_files {
        reader.read(file, false)?;
    }
    for file in &options.constraint_files {
        reader.read(file, true)?;
    }
    if options.scripts.len() > 1 {
        return Err(Failure::new(
            "--requirements-from-script can only be given once",
        ));
    }
    for shown in &options.scripts {
        let script = Script::read(&directory.join(shown), shown)?;
        if let Some(python) = script.python.filter(|_| !options.ignore_requires_python) {
            reader.add_script(python);
        }
        for text in &script.dependencies {
            reader.add_written(text)?;
        }
    }
    let mut request = reader.into_request();
    profiles::apply(&options.profiles, &mut request, settings, printer)?;
    for warning in &request.warnings {
        printer.warning(warning);
    }
    let files_ask = !options.requirement_files.is_empty()
        || !options.profiles.is_empty()
        || !options.groups.is_empty()
        || !options.scripts.is_empty();
    if requirements.is_empty() && editables.is_empty() && !files_ask {
        return Err(nothing_asked(command, options));
    }
    check_combinations(options, &request)?;
    Ok(request)
}

/// Says in pip's words which indexes have no scheme and are no folders, before anything else goes
/// wrong for it: an option may have been taken for an address.
fn warn_about_addresses(options: &ResolveArgs, settings: &Settings, printer: &Printer) {
    let index = &options.index;
    let directory = settings.environment.working_directory();
    for address in index.index_url.iter().chain(&index.extra_index_url) {
        let lacks_scheme = url::Url::parse(address) == Err(url::ParseError::RelativeUrlWithoutBase);
        if lacks_scheme && !directory.join(address).is_dir() {
            printer.warning(&format!(
                "The index url \"{address}\" seems invalid, please provide a scheme."
            ));
        }
    }
}

fn nothing_asked(command: &str, options: &ResolveArgs) -> Failure {
    let links = &options.index.find_links;
    let meant = if links.is_empty() {
        format!("see \"bnbpip help {command}\"")
    } else {
        let links = links.join(" ");
        format!("maybe you meant \"bnbpip {command} {links}\"?")
    };
    Failure::new(format!(
        "You must give at least one requirement to {command} ({meant})"
    ))
}

/// `--pre` leaves nothing to say about single packages.
pub(super) fn refuse_pre_beside(pre: bool, releases: &ReleaseControl) -> Result<(), Failure> {
    if pre && !releases.is_empty() {
        return Err(Failure::new(
            "--pre cannot be used with --all-releases or --only-final.",
        ));
    }
    Ok(())
}

/// Options that exclude each other, in pip's words.
fn check_combinations(options: &ResolveArgs, request: &Request) -> Result<(), Failure> {
    let releases = request
        .options
        .release_control(&options.index.release_control);
    refuse_pre_beside(options.index.pre || request.options.pre, &releases)?;
    if !options.only_deps {
        return Ok(());
    }
    let conflicts = [
        (options.no_deps, "'--no-deps'"),
        (!options.requirement_files.is_empty(), "'--requirement'"),
        (!options.scripts.is_empty(), "'--requirements-from-script'"),
        (!options.groups.is_empty(), "'--group'"),
    ];
    let mut given: Vec<String> = conflicts
        .into_iter()
        .filter(|(is_given, _)| *is_given)
        .map(|(_, name)| name.to_owned())
        .collect();
    if given.len() > 1
        && let Some(last) = given.last_mut()
    {
        *last = format!("or {last}");
    }
    if given.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "Cannot use '--only-dependencies' in combination with {}.",
        given.join(", ")
    )))
}

/// Refuses lock files where they can't be resolved.
///
/// # Errors
/// With the first one.
pub(crate) fn refuse_locks(request: &Request) -> Result<(), Failure> {
    match request.locks.first() {
        Some(lock) => Err(Failure::new(format!(
            "Failed to read `{}`: a lock file holds no requirements",
            lock.file
        ))
        .hint("`bnbpip sync` and `bnbpip install -r` install one")),
        None => Ok(()),
    }
}

/// Refuses scripts that are for other Pythons.
///
/// # Errors
/// With the first one, in pip's words.
pub(crate) fn check_scripts(
    request: &Request,
    python: &bnbpip_packaging::Version,
) -> Result<(), Failure> {
    let mut scripts = request.scripts.iter();
    match scripts.find(|script| !script.requires_python.contains(python)) {
        Some(script) => Err(Failure::new(format!(
            "Script '{}' requires a different Python: {python} not in '{}'",
            script.script, script.text
        ))),
        None => Ok(()),
    }
}

/// The addresses that constraints pin packages to.
pub(crate) fn url_constraints(
    request: &Request,
    markers: &bnbpip_packaging::MarkerEnvironment,
) -> FxHashMap<PackageName, String> {
    let constraints = request.constraints.iter();
    let holding = constraints.filter(|given| given.requirement.marker.evaluate(markers, &[]));
    holding
        .filter_map(|given| match &given.requirement.version_or_url {
            Some(VersionOrUrl::Url(url)) => Some((given.requirement.name.clone(), url.to_string())),
            _ => None,
        })
        .collect()
}

/// Refuses a package that is asked for and constrained to two addresses.
///
/// # Errors
/// With the package's name, in pip's words.
pub(crate) fn check_url_constraints(
    request: &Request,
    markers: &bnbpip_packaging::MarkerEnvironment,
) -> Result<(), Failure> {
    let chosen = url_constraints(request, markers);
    for given in &request.constraints {
        let Some(VersionOrUrl::Url(url)) = &given.requirement.version_or_url else {
            continue;
        };
        let name = &given.requirement.name;
        let mut wanted = request.requirements.iter();
        let other = chosen.get(name).filter(|other| **other != url.to_string());
        if let Some(other) = other
            && let Some(wanted) = wanted.find(|wanted| wanted.requirement.name == *name)
        {
            return Err(Failure::new(format!(
                "Cannot install {} because these package versions have conflicting dependencies.",
                wanted.raw
            ))
            .caused_by(format!("constraints name `{url}` and `{other}`")));
        }
    }
    Ok(())
}

/// Reads constraints files alone.
///
/// # Errors
/// When one can't be read or understood.
pub(crate) fn read_constraints(
    files: &[String],
    settings: &Settings,
    printer: &Printer,
) -> Result<Request, Failure> {
    let surroundings = Surroundings {
        working_directory: settings.environment.working_directory(),
        variable: &|name| settings.environment.get(name).map(str::to_owned),
    };
    let fetch = |url: &url::Url| remote_file::read(url, settings);
    let mut reader = RequirementsReader::of_build_constraints(surroundings, &fetch);
    for file in files {
        reader.read(file, true)?;
    }
    let request = reader.into_request();
    for warning in &request.warnings {
        printer.warning(warning);
    }
    Ok(request)
}

/// The requirements as the solver takes them.
pub(crate) fn requested(request: &Request) -> Vec<Requested> {
    request
        .requirements
        .iter()
        .map(|given| Requested {
            requirement: given.requirement.clone(),
            text: written(given),
            origin: origin(&given.source),
        })
        .collect()
}

/// A requirement as it was written, without its marker; a name with its address where the address
/// stood alone.
pub(crate) fn written(given: &RequestedRequirement) -> String {
    match (
        &given.requirement.version_or_url,
        Dependency::parse(&given.raw),
    ) {
        (Some(VersionOrUrl::Url(_)), _) | (_, Err(_)) => Requirement {
            marker: MarkerTree::default(),
            ..given.requirement.clone()
        }
        .to_string(),
        (_, Ok(typed)) => typed.without_marker(),
    }
}

/// Where a requirement stands, unless it was typed.
pub(super) fn origin(source: &RequirementOrigin) -> Option<String> {
    match source {
        RequirementOrigin::CommandLine => None,
        _ => Some(source.to_string()),
    }
}

/// The constraints on versions whose markers hold, as the solver takes them.
pub(crate) fn constraints(
    request: &Request,
    markers: &bnbpip_packaging::MarkerEnvironment,
) -> Vec<Constraint> {
    let mut constraints = Vec::new();
    for given in &request.constraints {
        let requirement = &given.requirement;
        if !requirement.marker.evaluate(markers, &[]) {
            continue;
        }
        if let Some(VersionOrUrl::VersionSpecifier(specifiers)) = &requirement.version_or_url {
            constraints.push(Constraint {
                name: requirement.name.clone(),
                range: range::from_specifiers(specifiers),
                text: given.raw.clone(),
                origin: origin(&given.source),
            });
        }
    }
    constraints
}
