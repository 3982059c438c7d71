//! From a request to a resolution: the attempts that it may take.
//!
//! The first attempt holds every rule and keeps every installed package consistent. Where that has
//! no solution, `avoid` rules that stand in the way are dropped, then the care for installed
//! packages that the request doesn't reach (only those that a rule speaks of stay in). What was
//! dropped is said in the result.
//!
//! An `avoid` rule about the machine that installed packages break already takes no part: they were
//! chosen for this machine by somebody, and moving them is not this request's business.

use std::sync::Arc;

use bnbpip_overlay::{ActiveRules, MachineFacts, Rule, RuleId, Severity, Subject};
use bnbpip_packaging::{PackageName, Requirement, VersionOrUrl, range};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::explanation::Explanation;
use crate::provider::{MetadataProvider, ProviderError};
use crate::request::SolveRequest;
use crate::resolution::{Resolution, Source};
use crate::solve::{Outcome, Solver};

/// Why there is no resolution.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// The request can't be met.
    #[error("No solution for the requirements")]
    NoSolution(Box<Explanation>),
    /// A page, file or URL could not be had.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// Two URLs are asked for under one name.
    #[error("Failed to choose a source for `{name}`: `{first}` and `{second}` are both asked for")]
    TwoUrls {
        /// The package.
        name: PackageName,
        /// The URL that was met first.
        first: String,
        /// The other.
        second: String,
    },
}

/// Solves a request.
///
/// # Errors
///
/// [`ResolveError::NoSolution`] with the explanation, or what the provider could not bring.
pub fn resolve<P: MetadataProvider>(
    provider: &P,
    request: &mut SolveRequest,
) -> Result<Resolution<P::File>, ResolveError> {
    if request.eager {
        let reached = reachable_installed(request);
        request.upgrade.extend(reached);
    }
    let lived_with = lived_with(provider, request);
    let mut relaxed: Vec<Arc<Rule>> = Vec::new();
    let mut direct = named_urls(request)?;
    let mut care = Care::Everything;
    loop {
        let dropped = lived_with.iter().chain(&relaxed);
        let rules = Arc::new(active_rules(dropped, request));
        let companions = companions(request, &rules, provider.machine(), care);
        let mut solver = Solver::new(provider, request, rules, &direct);
        match solver.run(&companions)? {
            Outcome::Solved => {
                let resolution = Resolution::build(&mut solver, relaxed.clone(), care);
                let kept = kept_in(&resolution, request);
                if !request.eager || kept.is_empty() {
                    return Ok(resolution);
                }
                // New versions need other packages than those that are there.
                request.upgrade.extend(kept);
            }
            Outcome::Direct(reference) => {
                direct.insert(reference.name, reference.url);
            }
            Outcome::NoSolution(tree) => {
                let explanation = Explanation::build(&mut solver, &tree)?;
                let avoid = explanation.rules_of(Severity::Avoid);
                if !avoid.is_empty() {
                    relaxed.extend(avoid);
                } else if let (Some(less), false) = (care.less(), companions.is_empty()) {
                    care = less;
                } else {
                    return Err(ResolveError::NoSolution(Box::new(explanation)));
                }
            }
        }
    }
}

/// Which installed packages beyond the request have to stay consistent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Care {
    /// All that are consistent now.
    Everything,
    /// Those that a rule speaks of.
    Ruled,
}

impl Care {
    fn less(self) -> Option<Self> {
        match self {
            Self::Everything => Some(Self::Ruled),
            Self::Ruled => None,
        }
    }
}

fn active_rules<'a>(
    dropped: impl Iterator<Item = &'a Arc<Rule>>,
    request: &SolveRequest,
) -> ActiveRules {
    let ids: Vec<RuleId> = dropped.map(|rule| rule.id.clone()).collect();
    request
        .overlay
        .clone()
        .without(&ids)
        .active(&request.markers)
}

/// The `avoid` rules about the machine that installed packages break which may stay.
fn lived_with<P: MetadataProvider>(provider: &P, request: &SolveRequest) -> Vec<Arc<Rule>> {
    let staying = request
        .installed
        .iter()
        .filter(|(name, _)| !request.upgrade.contains(*name));
    let subjects: Vec<Subject> = staying
        .map(|(name, installed)| Subject::new(name.clone(), installed.version.clone()))
        .collect();
    let is_about_machine =
        |rule: &Rule| rule.severity == Severity::Avoid && !rule.machine_sides().is_empty();
    let findings = request.overlay.active(&request.markers).evaluate_some(
        &subjects,
        provider.machine(),
        is_about_machine,
    );
    findings.into_iter().map(|finding| finding.rule).collect()
}

/// The URLs that the user named, in requirements and constraints, by package.
fn named_urls(request: &SolveRequest) -> Result<FxHashMap<PackageName, String>, ResolveError> {
    let mut urls = request.url_constraints.clone();
    for requested in &request.requested {
        let requirement = &requested.requirement;
        let Some(VersionOrUrl::Url(url)) = &requirement.version_or_url else {
            continue;
        };
        if !requirement.marker.evaluate(&request.markers, &[]) {
            continue;
        }
        let second = url.to_string();
        match urls.insert(requirement.name.clone(), second.clone()) {
            Some(first) if first != second => {
                let name = requirement.name.clone();
                return Err(ResolveError::TwoUrls {
                    name,
                    first,
                    second,
                });
            }
            _ => {}
        }
    }
    Ok(urls)
}

/// The installed packages that are part of the solution beside the request.
///
/// A package whose own requirements aren't met now, or that breaks a rule now, was broken before:
/// it is not this request's business.
fn companions(
    request: &SolveRequest,
    rules: &ActiveRules,
    machine: &dyn MachineFacts,
    care: Care,
) -> Vec<PackageName> {
    if request.no_dependencies || request.installed.is_empty() {
        return Vec::new();
    }
    let subjects: Vec<Subject> = request
        .installed
        .iter()
        .map(|(name, installed)| Subject::new(name.clone(), installed.version.clone()))
        .collect();
    let broken: FxHashSet<PackageName> = rules
        .evaluate(&subjects, machine)
        .into_iter()
        .flat_map(|finding| finding.packages.into_iter().map(|(name, _)| name))
        .collect();
    let spoken_of: FxHashSet<&PackageName> = rules
        .conflicts()
        .flat_map(|conflict| conflict.sides)
        .flat_map(|side| side.packages.iter().map(|(name, _)| name))
        .collect();
    let mut names: Vec<PackageName> = request
        .installed
        .keys()
        .filter(|name| care == Care::Everything || spoken_of.contains(*name))
        .filter(|name| !broken.contains(*name) && is_consistent(request, rules, name))
        .cloned()
        .collect();
    leave_constrained_out(request, &mut names);
    names.sort_unstable();
    names
}

/// A constraint is about what the request needs. What is installed against one stays as it is, and
/// so does what needs that: neither takes part.
fn leave_constrained_out(request: &SolveRequest, names: &mut Vec<PackageName>) {
    let mut out: FxHashSet<&PackageName> = request
        .constraints
        .iter()
        .filter(|constraint| {
            let present = request.installed.get(&constraint.name);
            present.is_some_and(|present| !constraint.range.contains(&present.version))
        })
        .map(|constraint| &constraint.name)
        .collect();
    if out.is_empty() {
        return;
    }
    loop {
        let known = out.len();
        for (name, installed) in &request.installed {
            let mut needed = installed.metadata.requires_dist.iter();
            if needed.any(|it| out.contains(&it.name) && it.marker.evaluate(&request.markers, &[]))
            {
                out.insert(name);
            }
        }
        if out.len() == known {
            break;
        }
    }
    names.retain(|name| !out.contains(name));
}

fn is_consistent(request: &SolveRequest, rules: &ActiveRules, name: &PackageName) -> bool {
    let Some(installed) = request.installed.get(name) else {
        return false;
    };
    installed
        .metadata
        .requires_dist
        .iter()
        .filter(|requirement| requirement.marker.evaluate(&request.markers, &[]))
        .all(|requirement| is_met(request, rules, requirement))
}

fn is_met(request: &SolveRequest, rules: &ActiveRules, requirement: &Requirement) -> bool {
    let wanted = match &requirement.version_or_url {
        Some(VersionOrUrl::VersionSpecifier(specifiers)) => range::from_specifiers(specifiers),
        // The origin of an installed package is not known here; its presence counts.
        Some(VersionOrUrl::Url(_)) | None => range::VersionRange::full(),
    };
    let present = |name: &PackageName, wanted: &range::VersionRange| {
        request
            .installed
            .get(name)
            .is_some_and(|installed| wanted.contains(&installed.version))
    };
    present(&requirement.name, &wanted)
        || rules
            .providers_of(&requirement.name)
            .any(|(_, provides)| present(&provides.package, &provides.package_range(&wanted)))
}

/// What a resolution leaves as it is, though the request leads there.
fn kept_in<F>(resolution: &Resolution<F>, request: &SolveRequest) -> Vec<PackageName> {
    let packages = resolution.packages.iter();
    packages
        .filter(|package| package.reached && matches!(package.source, Source::Installed))
        .filter(|package| !request.upgrade.contains(&package.name))
        .map(|package| package.name.clone())
        .collect()
}

/// What the named packages need, as far as it is installed: it is upgraded with them.
fn reachable_installed(request: &SolveRequest) -> FxHashSet<PackageName> {
    let mut reached = FxHashSet::default();
    let mut open: Vec<PackageName> = request
        .requested
        .iter()
        .map(|requested| requested.requirement.name.clone())
        .collect();
    while let Some(name) = open.pop() {
        let Some(installed) = request.installed.get(&name) else {
            continue;
        };
        if reached.insert(name) {
            let requirements = installed.metadata.requires_dist.iter();
            open.extend(
                requirements
                    .filter(|requirement| requirement.marker.evaluate(&request.markers, &[]))
                    .map(|requirement| requirement.name.clone()),
            );
        }
    }
    reached
}
