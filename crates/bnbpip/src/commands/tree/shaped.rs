//! Which edges of a graph were shaped by rules: a rule added the edge, named a stand-in at its end,
//! or keeps newer versions away from it.

use std::collections::BTreeSet;

use bnbpip_overlay::{Rule, RuleId, RuleKind};
use bnbpip_packaging::{
    MarkerEnvironment, PackageName, Version, VersionOrUrl, VersionRange, range, requirement,
};
use bnbpip_report::dependency_graph::{DependencyGraph, GraphEdge};

/// The packages of a graph, in its order.
pub(super) type Subjects = [(PackageName, Option<Version>)];

/// Where the rules are known from.
#[derive(Clone, Copy)]
pub(super) enum Known<'a> {
    /// They hold in this environment; whether they shaped anything shows in the versions.
    Holding(&'a MarkerEnvironment),
    /// A lock names them as those that shaped it, but conflicts.
    Recorded,
}

/// Names the rules on the edges that they shaped, and gives those rules.
pub(super) fn mark<'a>(
    graph: &mut DependencyGraph,
    subjects: &Subjects,
    rules: impl Iterator<Item = &'a Rule>,
    known: Known<'_>,
) -> Vec<&'a Rule> {
    let mut shaping = Vec::new();
    for rule in rules {
        let mut edges = missing(rule, graph, subjects, known);
        for (to, barred) in kept_away(rule, subjects, known) {
            edges.extend(into(graph, to, subjects[to].1.as_ref(), barred.as_ref()));
        }
        for (from, to) in &edges {
            let package = &mut graph.packages[*from];
            for edge in package.requires.iter_mut().filter(|edge| edge.to == *to) {
                edge.requirement = noted(&edge.requirement, &rule.id);
            }
        }
        if !edges.is_empty() {
            shaping.push(rule);
        }
    }
    shaping
}

/// A requirement's text with the rule's name: `triton>=3 (BNB-0012)`.
pub(super) fn noted(text: &str, rule: &RuleId) -> String {
    format!("{text} ({rule})")
}

type Edges = BTreeSet<(usize, usize)>;

/// The edges that a rule says the metadata lacks; they are added where they aren't there.
fn missing(
    rule: &Rule,
    graph: &mut DependencyGraph,
    subjects: &Subjects,
    known: Known<'_>,
) -> Edges {
    let mut edges = Edges::new();
    let RuleKind::Requires(lacking) = &rule.kind else {
        return edges;
    };
    if let Known::Holding(environment) = known
        && !lacking.requirement.marker.evaluate(environment, &[])
    {
        return edges;
    }
    for (from, (name, version)) in subjects.iter().enumerate() {
        let lacks = version
            .as_ref()
            .is_some_and(|it| lacking.versions.contains(it));
        if !lacks || !lacking.packages.contains(name) {
            continue;
        }
        for (to, _) in places(subjects, &lacking.requirement.name) {
            let package = &mut graph.packages[from];
            if !package.requires.iter().any(|edge| edge.to == to) {
                let mut shown = lacking.requirement.clone();
                shown.marker = bnbpip_packaging::MarkerTree::TRUE;
                package.requires.push(GraphEdge {
                    to,
                    requirement: shown.to_string(),
                });
            }
            edges.insert((from, to));
        }
    }
    edges
}

/// The packages of which a rule keeps versions away, and which versions; all that are asked for if
/// it is known that it did.
fn kept_away(
    rule: &Rule,
    subjects: &Subjects,
    known: Known<'_>,
) -> Vec<(usize, Option<VersionRange>)> {
    let range = |range: &VersionRange| match known {
        Known::Holding(_) => Some(range.clone()),
        Known::Recorded => None,
    };
    match &rule.kind {
        RuleKind::Conflict(conflict) => {
            let sides = conflict.sides.iter().enumerate();
            let packages = sides.flat_map(|(number, side)| {
                let others = conflict.sides.iter().enumerate();
                let mut others = others.filter(|(other, _)| *other != number);
                let is_there = others.all(|(_, other)| {
                    let mut packages = other.packages.iter();
                    packages.any(|(name, range)| {
                        let mut found = places(subjects, name);
                        found.any(|(_, version)| {
                            version.as_ref().is_some_and(|it| range.contains(it))
                        })
                    })
                });
                side.packages.iter().filter(move |_| is_there)
            });
            packages
                .flat_map(|(name, own)| {
                    places(subjects, name).map(move |(to, _)| (to, Some(own.clone())))
                })
                .collect()
        }
        RuleKind::Exclude(exclude)
            if !exclude.is_limited_to_wheels() || matches!(known, Known::Recorded) =>
        {
            let own = &exclude.versions.range;
            let found = places(subjects, &exclude.package);
            found.map(|(to, _)| (to, range(own))).collect()
        }
        RuleKind::Provides(provides) if matches!(known, Known::Recorded) => {
            let found = places(subjects, &provides.package);
            found.map(|(to, _)| (to, None)).collect()
        }
        _ => Vec::new(),
    }
}

fn places<'a>(
    subjects: &'a Subjects,
    name: &'a PackageName,
) -> impl Iterator<Item = (usize, &'a Option<Version>)> {
    let all = subjects.iter().enumerate();
    let found = all.filter(move |(_, (other, _))| other == name);
    found.map(|(place, (_, version))| (place, version))
}

/// The edges into a package. With barred versions only those that would allow one which is newer
/// than what is there: without the rule it would have come to that.
fn into(
    graph: &DependencyGraph,
    to: usize,
    version: Option<&Version>,
    barred: Option<&VersionRange>,
) -> Edges {
    let all = graph.packages.iter().enumerate();
    let edges = all.flat_map(|(from, package)| package.requires.iter().map(move |it| (from, it)));
    let shaped = edges.filter(|(_, edge)| {
        let (Some(barred), Some(version)) = (barred, version) else {
            return edge.to == to && barred.is_none();
        };
        let newer = VersionRange::strictly_higher_than(version.clone());
        let open = newer
            .intersection(barred)
            .intersection(&allowed(&edge.requirement));
        edge.to == to && open != VersionRange::empty()
    });
    shaped.map(|(from, edge)| (from, edge.to)).collect()
}

fn allowed(text: &str) -> VersionRange {
    match requirement::parse(text).map(|it| it.version_or_url) {
        Ok(Some(VersionOrUrl::VersionSpecifier(specifiers))) => range::from_specifiers(&specifiers),
        _ => VersionRange::full(),
    }
}
