//! Which rules made a difference to a chosen version.

use std::sync::Arc;

use bnbpip_overlay::{Conflict, RuleKind};
use bnbpip_packaging::{PackageName, VersionRange};

use super::{Chosen, ResolvedPackage, RuleEffect};
use crate::provider::MetadataProvider;
use crate::solve::Solver;

/// The conflicts, exclusions and missing edges that made a difference to a chosen version.
pub(super) fn rule_effects<P: MetadataProvider>(
    solver: &Solver<'_, P>,
    packages: &[ResolvedPackage<P::File>],
) -> Vec<RuleEffect> {
    let chosen: Chosen<'_> = packages
        .iter()
        .map(|package| (&package.name, &package.version))
        .collect();
    let mut effects = Vec::new();
    for rule in solver.rules.rules() {
        let concerned = match &rule.kind {
            RuleKind::Conflict(conflict) => conflict_effect(solver, conflict, &chosen),
            RuleKind::Exclude(exclude) => {
                let ruled_out =
                    newer_in(solver, &exclude.package, &chosen, &exclude.versions.range);
                ruled_out.then(|| exclude.package.clone())
            }
            RuleKind::Requires(requires) => requires
                .packages
                .iter()
                .any(|name| {
                    chosen
                        .get(name)
                        .is_some_and(|v| requires.versions.contains(v))
                })
                .then(|| requires.requirement.name.clone())
                .filter(|name| chosen.contains_key(name)),
            RuleKind::Provides(_) => None,
        };
        let rule = Arc::clone(rule);
        effects.extend(concerned.map(|package| RuleEffect { rule, package }));
    }
    effects
}

/// The package that a conflict moved: all other sides are present, and its own side has a newer
/// version that was asked for.
fn conflict_effect<P: MetadataProvider>(
    solver: &Solver<'_, P>,
    conflict: &Conflict,
    chosen: &Chosen<'_>,
) -> Option<PackageName> {
    let sides = &conflict.sides;
    let present: Vec<bool> = sides
        .iter()
        .map(|side| {
            let mut packages = side.packages.iter();
            packages.any(|(name, range)| chosen.get(name).is_some_and(|v| range.contains(*v)))
        })
        .collect();
    let moved = sides.iter().enumerate().find_map(|(position, side)| {
        let others = present
            .iter()
            .enumerate()
            .all(|(other, there)| other == position || *there);
        if !others || present[position] {
            return None;
        }
        side.packages
            .iter()
            .find(|(name, range)| {
                wanted_in(solver, name, chosen, range) || newer_in(solver, name, chosen, range)
            })
            .map(|(name, _)| name.clone())
    })?;
    // Asked last: the machine may take its time.
    let machine = solver.provider.machine();
    let mut facts = conflict.machine.iter();
    let applies = facts.all(|side| side.present_on(machine).is_some());
    applies.then_some(moved)
}

/// Whether the newest version that was wanted when the package was decided lies in `range`.
fn wanted_in<P: MetadataProvider>(
    solver: &Solver<'_, P>,
    name: &PackageName,
    chosen: &Chosen<'_>,
    range: &VersionRange,
) -> bool {
    let decision = solver.interner.known_name(name).zip(chosen.get(name));
    decision
        .and_then(|(id, version)| solver.newest_wanted.get(&(id, (*version).clone())))
        .is_some_and(|newest| range.contains(newest))
}

/// Whether `range` holds a usable version newer than the chosen one that the request allows.
fn newer_in<P: MetadataProvider>(
    solver: &Solver<'_, P>,
    name: &PackageName,
    chosen: &Chosen<'_>,
    range: &VersionRange,
) -> bool {
    let Some(current) = chosen.get(name) else {
        return false;
    };
    let Some(Some(list)) = solver.lists.get(name) else {
        return false;
    };
    let prereleases = solver.seen.prerelease.contains(name);
    let candidates = || {
        list.versions()
            .iter()
            .enumerate()
            .filter(|(index, version)| {
                *version > *current
                    && range.contains(*version)
                    && (prereleases || !version.any_prerelease())
                    && list.yanked(*index).is_none()
            })
    };
    if candidates().next().is_none() {
        return false;
    }
    let declared = solver.declared_range(name);
    candidates().any(|(index, version)| declared.contains(version) && list.file(index).is_ok())
}
