//! Overlay rules as incompatibilities, added before the first decision with their full ranges.
//!
//! A conflict of n sides is a guard package of n versions: side i, in its range, needs any version
//! of the guard but i. With all sides present no version is left; with one side missing nothing is
//! asked of anybody, and no side pulls another in.
//!
//! A side that is about the machine is a side of a package as well, a virtual one: it has one version,
//! and is part of the solution once the conflict's first side is. So the machine is asked only when
//! such a package was chosen.

use std::sync::Arc;

use bnbpip_overlay::{
    ActiveConflict, ActiveRules, MachineFact, MachineFacts, Rule, RuleKind, VirtualPackage,
};
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
        for (position, side) in conflict.sides.iter().enumerate() {
            let allowed = allowed(&conflict, position);
            for (name, range) in &side.packages {
                if rules.providers_of(name).next().is_some() {
                    continue;
                }
                let package = SolverPackage::Package(interner.name_id(name));
                let package = state.package_store.alloc(package);
                state.add_dependency(package, range.clone(), (guard, allowed.clone()));
                for (fact, any) in facts_of(&conflict, position) {
                    let fact = state.package_store.alloc(fact);
                    state.add_dependency(package, range.clone(), (fact, any));
                }
            }
        }
        for (position, side) in (conflict.sides.len()..).zip(conflict.machine) {
            let fact = state
                .package_store
                .alloc(SolverPackage::Machine(side.package));
            let range = side.versions.range.intersection(&present());
            state.add_dependency(fact, range, (guard, allowed(&conflict, position)));
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
        for (position, side) in conflict.sides.iter().enumerate() {
            if side.contains(name, version) {
                edges.push((SolverPackage::Guard(number), allowed(&conflict, position)));
                edges.extend(facts_of(&conflict, position));
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

/// The versions of a conflict's guard that a side of it leaves.
fn allowed(conflict: &ActiveConflict<'_>, side: usize) -> VersionRange {
    let sides = conflict.sides.len() + conflict.machine.len();
    let others = (0..sides).filter(|position| *position != side);
    others.fold(VersionRange::empty(), |range, position| {
        range.union(&VersionRange::singleton(value(position)))
    })
}

/// The facts that come with a side of a conflict, each at whatever version: the first brings all.
fn facts_of(
    conflict: &ActiveConflict<'_>,
    side: usize,
) -> impl Iterator<Item = (SolverPackage, VersionRange)> {
    let facts = conflict.machine.iter().filter(move |_| side == 0);
    facts.map(|fact| (SolverPackage::Machine(fact.package), VersionRange::full()))
}

/// The one version of a fact for the solver: 0 stands for what the machine hasn't, or nobody knows.
pub(crate) fn fact_version(machine: &dyn MachineFacts, fact: VirtualPackage) -> Version {
    machine.version(fact).unwrap_or_else(|| value(0))
}

/// The versions of a fact that machines can have.
fn present() -> VersionRange {
    VersionRange::strictly_higher_than(value(0))
}

/// What a machine has of the facts that some rules speak of, each once.
pub(crate) fn facts_behind<'a>(
    rules: impl Iterator<Item = &'a Arc<Rule>>,
    machine: &dyn MachineFacts,
) -> Vec<MachineFact> {
    let sides = rules.flat_map(|rule| rule.machine_sides());
    let mut facts: Vec<MachineFact> = sides.filter_map(|side| side.present_on(machine)).collect();
    facts.sort_unstable();
    facts.dedup();
    facts
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
