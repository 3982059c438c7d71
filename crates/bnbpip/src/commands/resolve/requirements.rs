//! The request: command line and files, with the rules of hash mode.

use bnbpip_packaging::{HashAlgorithm, Operator, PackageName, VersionOrUrl, range};
use bnbpip_resolver::{Constraint, Requested};
use rustc_hash::FxHashMap;

use crate::cli::resolve::ResolveArgs;
use crate::commands::profiles;
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::request::{
    Request, RequestedRequirement, RequirementOrigin, RequirementsReader, Surroundings,
};

use super::remote_file;

/// Digests of which a file must have one, by package.
pub(crate) type RequiredHashes = FxHashMap<PackageName, Vec<(HashAlgorithm, String)>>;

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
    let fetch = |url: &url::Url| remote_file::read(url, settings);
    let mut reader = RequirementsReader::new(surroundings, &fetch);
    for requirement in requirements {
        reader.add(requirement)?;
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
    let mut request = reader.into_request();
    profiles::apply(&options.profiles, &mut request, settings, printer)?;
    for warning in &request.warnings {
        printer.warning(warning);
    }
    let asks_for_nothing = options.requirement_files.is_empty() && options.profiles.is_empty();
    if requirements.is_empty() && editables.is_empty() && asks_for_nothing {
        return Err(Failure::new(format!(
            "You must give at least one requirement to {command} (see \"bnbpip help {command}\")"
        )));
    }
    Ok(request)
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
    let mut reader = RequirementsReader::new(surroundings, &fetch);
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
            origin: origin(&given.source),
        })
        .collect()
}

fn origin(source: &RequirementOrigin) -> Option<String> {
    match source {
        RequirementOrigin::CommandLine => None,
        _ => Some(source.to_string()),
    }
}

/// The constraints whose markers hold, as the solver takes them.
///
/// # Errors
/// When one pins a URL, which only a requirement can.
pub(crate) fn constraints(
    request: &Request,
    markers: &bnbpip_packaging::MarkerEnvironment,
) -> Result<Vec<Constraint>, Failure> {
    let mut constraints = Vec::new();
    for given in &request.constraints {
        let requirement = &given.requirement;
        if !requirement.marker.evaluate(markers, &[]) {
            continue;
        }
        match &requirement.version_or_url {
            Some(VersionOrUrl::VersionSpecifier(specifiers)) => constraints.push(Constraint {
                name: requirement.name.clone(),
                range: range::from_specifiers(specifiers),
                text: given.raw.clone(),
                origin: origin(&given.source),
            }),
            Some(VersionOrUrl::Url(_)) => {
                return Err(Failure::new(format!(
                    "Failed to use the constraint `{}` ({}): a URL can't constrain",
                    given.raw, given.source
                ))
                .hint("name the URL as a requirement"));
            }
            None => {}
        }
    }
    Ok(constraints)
}

/// Whether every file needs a given hash: asked for, or switched on by the first `--hash`.
pub(crate) fn is_hash_mode(options: &ResolveArgs, request: &Request) -> bool {
    if options.no_require_hashes {
        return false;
    }
    options.require_hashes || request.options.require_hashes == Some(true) || request.has_hashes()
}

/// The digests that the user gave. Those of a requirement and a constraint are intersected.
pub(crate) fn required_hashes(request: &Request) -> RequiredHashes {
    let mut required: RequiredHashes = FxHashMap::default();
    for given in request.requirements.iter().chain(&request.constraints) {
        if given.hashes.is_empty() {
            continue;
        }
        let digests: Vec<(HashAlgorithm, String)> = given
            .hashes
            .iter()
            .filter_map(|hash| Some((hash.algorithm.parse().ok()?, hash.digest.clone())))
            .collect();
        match required.get_mut(&given.requirement.name) {
            Some(known) if given.source.is_constraint() => {
                known.retain(|digest| digests.contains(digest));
            }
            Some(known) => known.extend(digests),
            None => {
                required.insert(given.requirement.name.clone(), digests);
            }
        }
    }
    required
}

/// In hash mode each requirement must be pinned and have a hash.
///
/// # Errors
/// With the requirements that aren't, in pip's words.
pub(crate) fn check_hash_mode(request: &Request, required: &RequiredHashes) -> Result<(), Failure> {
    let listed = |offenders: Vec<&RequestedRequirement>| {
        let lines: Vec<String> = offenders
            .iter()
            .map(|given| match origin(&given.source) {
                Some(origin) => format!("\n    {} (from {origin})", given.raw),
                None => format!("\n    {}", given.raw),
            })
            .collect();
        lines.concat()
    };
    let unpinned: Vec<_> = request
        .requirements
        .iter()
        .filter(|given| !is_pinned(given))
        .collect();
    if !unpinned.is_empty() {
        return Err(Failure::new(format!(
            "In --require-hashes mode, all requirements must have their versions pinned with ==. \
             These do not:{}",
            listed(unpinned)
        )));
    }
    let unhashed: Vec<_> = request
        .requirements
        .iter()
        .filter(|given| !has_hash(given, required))
        .collect();
    if !unhashed.is_empty() {
        return Err(Failure::new(format!(
            "Hashes are required in --require-hashes mode, but they are missing from some \
             requirements:{}",
            listed(unhashed)
        ))
        .hint("add `--hash=sha256:...` to each, or leave out all hashes"));
    }
    Ok(())
}

fn is_pinned(given: &RequestedRequirement) -> bool {
    match &given.requirement.version_or_url {
        Some(VersionOrUrl::Url(_)) => true,
        Some(VersionOrUrl::VersionSpecifier(specifiers)) => specifiers
            .iter()
            .any(|one| matches!(one.operator(), Operator::Equal | Operator::ExactEqual)),
        None => false,
    }
}

fn has_hash(given: &RequestedRequirement, required: &RequiredHashes) -> bool {
    let in_url = match &given.requirement.version_or_url {
        Some(VersionOrUrl::Url(url)) => url
            .raw()
            .fragment()
            .is_some_and(|fragment| !bnbpip_packaging::Hashes::parse_fragment(fragment).is_empty()),
        _ => false,
    };
    in_url
        || required
            .get(&given.requirement.name)
            .is_some_and(|digests| !digests.is_empty())
}
