//! The nearest thing that works: which of the user's own requirements has to give way, tried out
//! with the solver before it is said.

use bnbpip_packaging::{MarkerTree, PackageName, VersionOrUrl};
use bnbpip_resolver::{Explanation, Fact, MetadataProvider, Resolution, SolveRequest, resolve};

/// So many requirements are tried.
const TRIES: usize = 8;

/// A set of requirements that has a solution.
#[derive(Debug)]
pub(crate) struct Suggestion {
    /// The requirement that gives way.
    pub(crate) name: PackageName,
    /// All requirements, the one that gives way replaced by a pin that works.
    pub(crate) requirements: Vec<String>,
    /// That pin.
    pub(crate) pin: String,
}

/// Looks for one requirement whose version limits stand in the way.
pub(crate) fn find<P: MetadataProvider>(
    provider: &P,
    request: &mut SolveRequest,
    explanation: &Explanation,
) -> Option<Suggestion> {
    let candidates: Vec<usize> = limited_requirements(request, explanation);
    for index in candidates.into_iter().take(TRIES) {
        let original = request.requested[index].requirement.clone();
        request.requested[index].requirement.version_or_url = None;
        let outcome = resolve(provider, request);
        request.requested[index].requirement = original;
        if let Ok(resolution) = outcome
            && resolution.relaxed.is_empty()
            && let Some(suggestion) = suggestion(request, index, &resolution)
        {
            return Some(suggestion);
        }
    }
    None
}

/// The user's requirements that the explanation names and that limit versions, last first: what
/// was added last is the likeliest to give way.
fn limited_requirements(request: &SolveRequest, explanation: &Explanation) -> Vec<usize> {
    let named: Vec<&PackageName> = explanation
        .facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::Requested { name, .. } => Some(name),
            _ => None,
        })
        .collect();
    request
        .requested
        .iter()
        .enumerate()
        .filter(|(_, requested)| {
            let requirement = &requested.requirement;
            named.contains(&&requirement.name)
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
    index: usize,
    resolution: &Resolution<F>,
) -> Option<Suggestion> {
    let name = request.requested[index].requirement.name.clone();
    let version = &resolution
        .packages
        .iter()
        .find(|package| package.name == name)?
        .version;
    let pin = format!("{name}=={version}");
    let requirements = request
        .requested
        .iter()
        .enumerate()
        .map(|(at, requested)| {
            let mut requirement = requested.requirement.clone();
            requirement.marker = MarkerTree::default();
            if at == index {
                pin.clone()
            } else {
                requirement.to_string().replace(' ', "")
            }
        })
        .collect();
    Some(Suggestion {
        name,
        requirements,
        pin,
    })
}
