//! Requirements as edges between solver packages.

use bnbpip_packaging::{
    ExtraName, MarkerEnvironment, Operator, PackageName, Requirement, VersionOrUrl, VersionRange,
    range,
};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::package::{Interner, SolverPackage};

/// A direct URL that a requirement names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DirectReference {
    pub(crate) name: PackageName,
    pub(crate) url: String,
}

/// What the requirements seen so far say about packages beyond ranges.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Packages of which some specifier names a pre-release.
    pub(crate) prerelease: FxHashSet<PackageName>,
    /// Packages that some specifier pins with `==` or `===`.
    pub(crate) pinned: FxHashSet<PackageName>,
    /// The texts that `===` asks for.
    pub(crate) arbitrary: FxHashMap<PackageName, String>,
    /// URLs.
    pub(crate) direct: Vec<DirectReference>,
}

/// The edges of requirements whose markers hold.
///
/// `extra` is the extra whose requirements are wanted: only those that don't hold without it.
pub(crate) fn edges<'a>(
    requirements: impl Iterator<Item = &'a Requirement>,
    extra: Option<&ExtraName>,
    markers: &MarkerEnvironment,
    interner: &mut Interner,
    seen: &mut Seen,
) -> Vec<(SolverPackage, VersionRange)> {
    let mut edges = Vec::new();
    for requirement in requirements {
        if holds(requirement, extra, markers) {
            push(requirement, interner, seen, &mut edges);
        }
    }
    edges
}

fn holds(
    requirement: &Requirement,
    extra: Option<&ExtraName>,
    markers: &MarkerEnvironment,
) -> bool {
    let plain = requirement.marker.evaluate(markers, &[]);
    match extra {
        None => plain,
        Some(extra) => {
            !plain
                && requirement
                    .marker
                    .evaluate(markers, std::slice::from_ref(extra))
        }
    }
}

/// The edges of one requirement: to the package, and to each extra of it.
pub(crate) fn push(
    requirement: &Requirement,
    interner: &mut Interner,
    seen: &mut Seen,
    edges: &mut Vec<(SolverPackage, VersionRange)>,
) {
    let range = range_of(requirement, seen);
    let name = interner.name_id(&requirement.name);
    edges.push((SolverPackage::Package(name), range.clone()));
    for extra in &requirement.extras {
        let extra = interner.extra_id(extra);
        edges.push((SolverPackage::Extra(name, extra), range.clone()));
    }
}

/// The versions that a requirement allows, and what else it says.
pub(crate) fn range_of(requirement: &Requirement, seen: &mut Seen) -> VersionRange {
    match &requirement.version_or_url {
        None => VersionRange::full(),
        Some(VersionOrUrl::Url(url)) => {
            let reference = DirectReference {
                name: requirement.name.clone(),
                url: url.to_string(),
            };
            if !seen.direct.contains(&reference) {
                seen.direct.push(reference);
            }
            VersionRange::full()
        }
        Some(VersionOrUrl::VersionSpecifier(specifiers)) => {
            for specifier in specifiers.iter() {
                if specifier.any_prerelease() {
                    seen.prerelease.insert(requirement.name.clone());
                }
                match specifier.operator() {
                    Operator::Equal => {
                        seen.pinned.insert(requirement.name.clone());
                    }
                    Operator::ExactEqual => {
                        seen.pinned.insert(requirement.name.clone());
                        let text = specifier.version().to_string();
                        seen.arbitrary.insert(requirement.name.clone(), text);
                    }
                    _ => {}
                }
            }
            range::from_specifiers(specifiers)
        }
    }
}
