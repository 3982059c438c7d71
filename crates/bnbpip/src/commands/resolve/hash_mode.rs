//! Hash mode: every file has one of the digests that the user gave.

use bnbpip_packaging::{HashAlgorithm, Operator, PackageName, VersionOrUrl};
use rustc_hash::FxHashMap;

use super::requirements::origin;
use crate::cli::resolve::ResolveArgs;
use crate::failure::Failure;
use crate::request::{MISMATCH, Request, RequestedRequirement, RequirementOrigin};

/// Digests of which a file must have one, by package.
pub(crate) type RequiredHashes = FxHashMap<PackageName, Vec<(HashAlgorithm, String)>>;

/// Whether every file needs a given hash: asked for, or switched on by the first `--hash`.
pub(crate) fn is_hash_mode(options: &ResolveArgs, request: &Request) -> bool {
    !options.no_require_hashes && (wants_hashes(options, request) || request.has_hashes())
}

/// Whether it was asked for in so many words that every file has a given hash.
fn wants_hashes(options: &ResolveArgs, request: &Request) -> bool {
    options.require_hashes || request.options.require_hashes == Some(true)
}

/// The digests that the user gave. Where several lines name a package, all have to allow a digest:
/// a list that comes out empty allows none.
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
            Some(known) => known.retain(|digest| digests.contains(digest)),
            None => {
                required.insert(given.requirement.name.clone(), digests);
            }
        }
    }
    required
}

/// In hash mode each requirement must be pinned and have a hash. A lock's folders and repositories
/// have none; the lock is believed about them unless hashes were asked for in so many words.
///
/// # Errors
/// With the requirements that aren't, in pip's words.
pub(crate) fn check_hash_mode(
    options: &ResolveArgs,
    request: &Request,
    required: &RequiredHashes,
) -> Result<(), Failure> {
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
        let failure = Failure::new(format!(
            "In --require-hashes mode, all requirements must have their versions pinned with ==. \
             These do not:{}",
            listed(unpinned)
        ));
        let mut sources = request.requirements.iter().map(|given| &given.source);
        let has_lock = sources.any(|source| matches!(source, RequirementOrigin::Lock(_)));
        return Err(if has_lock {
            failure.hint("`--no-require-hashes` takes others beside the packages of a lock")
        } else {
            failure
        });
    }
    let unhashed: Vec<_> = request
        .requirements
        .iter()
        .filter(|given| !has_hash(given, required))
        .filter(|given| {
            wants_hashes(options, request) || !matches!(given.source, RequirementOrigin::Lock(_))
        })
        .collect();
    let mut emptied = unhashed.iter().filter(|given| !given.hashes.is_empty());
    if let Some(given) = emptied.next() {
        return Err(Failure::new(format!(
            "{MISMATCH}\n    {}: no file has \
             a hash that all lines about it allow",
            given.raw
        )));
    }
    if !unhashed.is_empty() {
        return Err(Failure::new(format!(
            "Hashes are required in --require-hashes mode, but they are missing from some \
             requirements. Here is a list of those:{}",
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
