//! The nearest thing that works: which of the user's own requirements have to give way, tried out
//! with the solver before it is said.

use bnbpip_packaging::{MarkerTree, PackageName, VersionOrUrl};
use bnbpip_resolver::{Explanation, Fact, MetadataProvider, Resolution, SolveRequest, resolve};

/// So many of the user's requirements are considered.
const CONSIDERED: usize = 5;

/// A set of requirements that has a solution.
#[derive(Debug)]
pub(crate) struct Suggestion {
    /// All requirements, those that give way replaced by pins that work.
    pub(crate) requirements: Vec<String>,
    /// These pins.
    pub(crate) pins: Vec<String>,
}

/// Looks for one requirement, or two, whose version limits stand in the way. A solution that
/// keeps every rule counts before one that needs an `avoid` rule dropped.
pub(crate) fn find<P: MetadataProvider>(
    provider: &P,
    request: &mut SolveRequest,
    explanation: &Explanation,
) -> Option<Suggestion> {
    let mut limited = limited_requirements(request, explanation);
    limited.truncate(CONSIDERED);
    let singles: Vec<Vec<usize>> = limited.iter().map(|index| vec![*index]).collect();
    let mut pairs = Vec::new();
    for (position, first) in limited.iter().enumerate() {
        pairs.extend(
            limited[position + 1..]
                .iter()
                .map(|second| vec![*first, *second]),
        );
    }
    let mut second_best = None;
    for freed in singles.iter().chain(&pairs) {
        let Some((suggestion, keeps_rules)) = try_without_limits(provider, request, freed) else {
            continue;
        };
        if keeps_rules {
            return Some(suggestion);
        }
        second_best.get_or_insert(suggestion);
    }
    second_best
}

fn try_without_limits<P: MetadataProvider>(
    provider: &P,
    request: &mut SolveRequest,
    freed: &[usize],
) -> Option<(Suggestion, bool)> {
    let originals = request.requested.clone();
    for index in freed {
        request.requested[*index].requirement.version_or_url = None;
    }
    let outcome = resolve(provider, request);
    request.requested = originals;
    let resolution = outcome.ok()?;
    let keeps_rules = resolution.relaxed.is_empty();
    Some((suggestion(request, freed, &resolution)?, keeps_rules))
}

/// The user's requirements that the explanation names and that limit versions. A package that is
/// named twice is left out: either of its requirements may be the wrong one.
fn limited_requirements(request: &SolveRequest, explanation: &Explanation) -> Vec<usize> {
    let named: Vec<&PackageName> = explanation
        .facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::Requested { name, .. } => Some(name),
            _ => None,
        })
        .collect();
    let times = |name: &PackageName| {
        request
            .requested
            .iter()
            .filter(|requested| requested.requirement.name == *name)
            .count()
    };
    request
        .requested
        .iter()
        .enumerate()
        .filter(|(_, requested)| {
            let requirement = &requested.requirement;
            named.contains(&&requirement.name)
                && times(&requirement.name) == 1
                && matches!(
                    requirement.version_or_url,
                    Some(VersionOrUrl::VersionSpecifier(_))
                )
        })
        .map(|(index, _)| index)
        .collect()
}

fn suggestion<F>(
    request: &SolveRequest,
    freed: &[usize],
    resolution: &Resolution<F>,
) -> Option<Suggestion> {
    let mut requirements = Vec::with_capacity(request.requested.len());
    let mut pins = Vec::with_capacity(freed.len());
    for (index, requested) in request.requested.iter().enumerate() {
        let name = &requested.requirement.name;
        if freed.contains(&index) {
            let package = resolution.packages.iter().find(|it| it.name == *name)?;
            pins.push(format!("{name}=={}", package.version));
            requirements.extend(pins.last().cloned());
        } else {
            let mut requirement = requested.requirement.clone();
            requirement.marker = MarkerTree::default();
            requirements.push(requirement.to_string().replace(' ', ""));
        }
    }
    Some(Suggestion { requirements, pins })
}
