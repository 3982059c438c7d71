//! Overlay rules as incompatibilities, added before the first decision with their full ranges.
//!
//! A conflict of n sides is a guard package of n versions: side i, in its range, needs any version
//! of the guard but i. With all sides present no version is left; with one side missing nothing is
//! asked of anybody, and no side pulls another in.

use std::sync::Arc;

use bnbpip_overlay::{ActiveRules, Rule, RuleKind};
use bnbpip_packaging::{PackageName, Version, VersionRange};
use pubgrub::State;
use rustc_hash::FxHashSet;

use crate::package::{Interner, NameId, SolverPackage};
use crate::reason::Reason;
use crate::solve::Dialect;

/// The conflicts that stand behind the guards, by guard number.
#[derive(Debug, Default)]
pub(crate) struct Guards {
    rules: Vec<Arc<Rule>>,
}

impl Guards {
    /// The rule behind a guard.
    pub(crate) fn rule(&self, guard: u32) -> Option<&Arc<Rule>> {
        self.rules.get(guard as usize)
    }
}

/// Adds every conflict and every exclusion of whole releases to the solver's state.
pub(crate) fn install(
    rules: &ActiveRules,
    state: &mut State<Dialect>,
    interner: &mut Interner,
) -> Guards {
    let mut guards = Guards::default();
    for conflict in rules.conflicts() {
        let number = u32::try_from(guards.rules.len()).unwrap_or(u32::MAX);
        guards.rules.push(Arc::clone(conflict.rule));
        let guard = state.package_store.alloc(SolverPackage::Guard(number));
        let values = guard_values(conflict.sides.len());
        for (position, side) in conflict.sides.iter().enumerate() {
            let allowed =
                values.intersection(&VersionRange::singleton(value(position)).complement());
            for (name, range) in &side.packages {
                if rules.providers_of(name).next().is_some() {
                    continue;
                }
                let package = SolverPackage::Package(interner.name_id(name));
                let package = state.package_store.alloc(package);
                state.add_dependency(package, range.clone(), (guard, allowed.clone()));
            }
        }
    }
    for rule in rules.rules() {
        if let RuleKind::Exclude(exclude) = &rule.kind
            && !exclude.is_limited_to_wheels()
        {
            let package = SolverPackage::Package(interner.name_id(&exclude.package));
            let package = state.package_store.alloc(package);
            let reason = Reason::Rule(rule.id.clone());
            state.add_unavailable(package, exclude.versions.range.clone(), reason);
        }
    }
    guards
}

/// The guards of a version of a package that others can stand in for. Not added beforehand: a
/// version that is only stood in for isn't there, and conflicts with nothing.
pub(crate) fn guard_edges(
    rules: &ActiveRules,
    name: &PackageName,
    version: &Version,
) -> Vec<(SolverPackage, VersionRange)> {
    if rules.providers_of(name).next().is_none() {
        return Vec::new();
    }
    let mut edges = Vec::new();
    for (number, conflict) in (0..).zip(rules.conflicts()) {
        let values = guard_values(conflict.sides.len());
        for (position, side) in conflict.sides.iter().enumerate() {
            if side.contains(name, version) {
                let others = VersionRange::singleton(value(position)).complement();
                edges.push((SolverPackage::Guard(number), values.intersection(&others)));
            }
        }
    }
    edges
}

/// The packages that conflicts speak of.
pub(crate) fn conflicting_names(rules: &ActiveRules, interner: &mut Interner) -> FxHashSet<NameId> {
    rules
        .conflicts()
        .flat_map(|conflict| conflict.sides)
        .flat_map(|side| &side.packages)
        .map(|(name, _)| interner.name_id(name))
        .collect()
}

/// The versions that a guard of so many sides has.
fn guard_values(sides: usize) -> VersionRange {
    (0..sides).fold(VersionRange::empty(), |range, position| {
        range.union(&VersionRange::singleton(value(position)))
    })
}

/// Version i of a guard.
fn value(position: usize) -> Version {
    Version::new([position as u64])
}

/// The version that a guard takes within `range`, if any is left. Three sides are the most that a
/// rule has.
pub(crate) fn guard_choice(range: &VersionRange) -> Option<Version> {
    (0..3).map(value).find(|version| range.contains(version))
}
