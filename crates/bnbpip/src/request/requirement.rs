//! A requirement's text, from the command line or a file.

use std::str::FromStr;

use bnbpip_packaging::{
    ExtraName, MarkerTree, PackageName, Requirement, VersionOrUrl, requirement,
};

use super::{
    RequestedRequirement, RequirementHash, RequirementOrigin, Surroundings, UNNAMED, path_or_url,
    syntax,
};
use crate::failure::Failure;

/// Reads a requirement: a name with version limits (PEP 508), `name @ address`, or the path or
/// address of a wheel or of a source, each with an optional `; marker`.
///
/// # Errors
/// With the place of the mistake marked, or with what to do about something that bnbpip can't
/// install from.
pub(crate) fn parse_requirement(
    text: &str,
    origin: RequirementOrigin,
    hashes: Vec<RequirementHash>,
    surroundings: Surroundings<'_>,
) -> Result<RequestedRequirement, Failure> {
    let text = text.trim();
    syntax::check_nesting(text, &origin)?;
    let separator = if path_or_url::is_url(text) { "; " } else { ";" };
    let (reference, marker) = match text.split_once(separator) {
        Some((reference, marker)) => (reference.trim(), marker.trim()),
        None => (text, ""),
    };
    if origin.is_constraint() && path_or_url::is_archive(reference) {
        name_of(None, text, &origin)?;
    }
    let requirement = match path_or_url::parse(reference, &origin, surroundings)? {
        Some(reference) => Requirement {
            name: name_of(reference.name, text, &origin)?,
            extras: extras(reference.extras.as_deref(), text, &origin)?,
            version_or_url: Some(VersionOrUrl::Url(reference.url)),
            marker: parse_marker(marker, text, &origin)?,
            origin: None,
        },
        None => named(text, reference, &origin, surroundings)?,
    };
    if origin.is_constraint() && !requirement.extras.is_empty() {
        return Err(Failure::new(format!(
            "Constraints cannot have extras{}",
            syntax::from(&origin)
        ))
        .caused_by(format!("'{text}' asks for extras"))
        .hint("constrain the package without its extras, and ask for them as a requirement"));
    }
    Ok(RequestedRequirement {
        requirement,
        takes_settings: origin == RequirementOrigin::CommandLine,
        source: origin,
        hashes,
        raw: text.to_owned(),
        editable: false,
        config_settings: Vec::new(),
    })
}

/// Reads what is to be installed in place: a project's folder, or a repository with a name
/// (`git+https://…#egg=name`, `name @ git+https://…`).
///
/// # Errors
/// When there is no project in the folder, or the repository's project isn't named.
pub(crate) fn parse_editable(
    text: &str,
    origin: RequirementOrigin,
    surroundings: Surroundings<'_>,
) -> Result<RequestedRequirement, Failure> {
    let text = text.trim();
    let requirement = if path_or_url::named_repository(text) {
        named(text, text, &origin, surroundings)?
    } else {
        let (name, place) = match path_or_url::named_folder(text) {
            Some((name, place)) => (Some(name), place),
            None => (None, text),
        };
        let reference = path_or_url::editable(place, &origin, surroundings)?;
        let (name, brackets) = match name.map(path_or_url::split_extras) {
            Some((name, brackets)) => (name.trim().parse().ok(), brackets.map(str::to_owned)),
            None => (reference.name, reference.extras),
        };
        Requirement {
            name: name_of(name, text, &origin)?,
            extras: extras(brackets.as_deref(), text, &origin)?,
            version_or_url: Some(VersionOrUrl::Url(reference.url)),
            marker: MarkerTree::TRUE,
            origin: None,
        }
    };
    Ok(RequestedRequirement {
        requirement,
        takes_settings: origin == RequirementOrigin::CommandLine,
        source: origin,
        hashes: Vec::new(),
        raw: format!("-e {text}"),
        editable: true,
        config_settings: Vec::new(),
    })
}

/// The name that an address says, or the one that stands for none.
fn name_of(
    known: Option<PackageName>,
    text: &str,
    origin: &RequirementOrigin,
) -> Result<PackageName, Failure> {
    match known {
        Some(name) => Ok(name),
        None if origin.is_constraint() => Err(Failure::new(format!(
            "Unnamed requirements are not allowed as constraints{}",
            syntax::from(origin)
        ))
        .caused_by(format!("'{text}' doesn't say a project's name"))),
        None => Ok(UNNAMED.parse()?),
    }
}

fn named(
    text: &str,
    reference: &str,
    origin: &RequirementOrigin,
    surroundings: Surroundings<'_>,
) -> Result<Requirement, Failure> {
    let mut requirement = requirement::parse(text).map_err(|error| {
        let failure = syntax::from_parser(&error, text, origin);
        match advice(reference, surroundings) {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    })?;
    if let Some(VersionOrUrl::Url(url)) = &requirement.version_or_url {
        let given = url.given().unwrap_or(url.raw().as_str()).to_owned();
        let reference = path_or_url::from_url(url.to_url(), &given, origin)?;
        if let Some(name) = reference.name.filter(|_| reference.is_wheel)
            && name != requirement.name
        {
            return Err(Failure::new(format!(
                "Failed to install `{}`{}: the file is a wheel of `{name}`",
                requirement.name,
                syntax::from(origin),
            )));
        }
        requirement.version_or_url = Some(VersionOrUrl::Url(reference.url));
    }
    Ok(requirement)
}

/// What the user may have meant by text that is no requirement.
fn advice(reference: &str, surroundings: Surroundings<'_>) -> Option<String> {
    const OPERATORS: [&str; 8] = ["~=", "==", "!=", "<=", ">=", "===", "<", ">"];
    if let Some((_, address)) = reference.split_once(" @ ") {
        return path_or_url::looks_like_path(address)
            .then(|| format!("give the path alone (`{address}`), or a `file:` address"));
    }
    if path_or_url::looks_like_path(reference) {
        let exists = surroundings.absolute(reference).exists();
        return Some(if exists {
            format!(
                "It looks like a path. The path does exist. If '{reference}' is a requirements \
                 file, use the '-r' flag to install the packages specified within it."
            )
        } else {
            format!("It looks like a path. File '{reference}' does not exist.")
        });
    }
    let has_operator = OPERATORS
        .iter()
        .any(|operator| reference.contains(operator));
    (reference.contains('=') && !has_operator)
        .then(|| "= is not a valid operator. Did you mean == ?".to_owned())
}

fn parse_marker(
    marker: &str,
    text: &str,
    origin: &RequirementOrigin,
) -> Result<MarkerTree, Failure> {
    if marker.is_empty() {
        return Ok(MarkerTree::TRUE);
    }
    requirement::parse_marker(marker).map_err(|error| syntax::from_parser(&error, text, origin))
}

fn extras(
    bracketed: Option<&str>,
    text: &str,
    origin: &RequirementOrigin,
) -> Result<Vec<ExtraName>, Failure> {
    let Some(bracketed) = bracketed else {
        return Ok(Vec::new());
    };
    bracketed
        .trim_matches(['[', ']'])
        .split(',')
        .map(str::trim)
        .filter(|extra| !extra.is_empty())
        .map(|extra| {
            ExtraName::from_str(extra).map_err(|error| {
                let start = text.find(extra).unwrap_or_default();
                syntax::invalid(text, text, &error.to_string(), (start, extra.len()), origin)
            })
        })
        .collect()
}
