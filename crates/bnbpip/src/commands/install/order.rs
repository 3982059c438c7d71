//! In which order pip tells of packages, and who asked for each.

use bnbpip_packaging::PackageName;
use rustc_hash::{FxHashMap, FxHashSet};

use super::plan::{Change, Package, Plan};
use crate::request::Request;

/// How a request leads to packages: those that were named first, then what they need.
#[derive(Debug, Default)]
pub(super) struct Route {
    places: FxHashMap<PackageName, usize>,
    parents: FxHashMap<PackageName, PackageName>,
}

impl Route {
    /// The route through a plan.
    pub(super) fn of(plan: &Plan, request: &Request) -> Self {
        let mut needed: FxHashMap<&PackageName, Vec<&PackageName>> = FxHashMap::default();
        let mut left: FxHashSet<&PackageName> = FxHashSet::default();
        for package in plan.packages() {
            left.insert(&package.name);
            for dependent in &package.dependents {
                needed.entry(dependent).or_default().push(&package.name);
            }
        }
        let named = request.requirements.iter();
        let named = named.map(|given| &given.requirement.name);
        let mut order: Vec<&PackageName> = named.filter(|name| left.remove(name)).collect();
        let mut route = Self::default();
        let mut reached = 0;
        while let Some(parent) = order.get(reached).copied() {
            reached += 1;
            for name in needed.get(parent).into_iter().flatten() {
                if left.remove(name) {
                    route.parents.insert((*name).clone(), parent.clone());
                    order.push(name);
                }
            }
        }
        // What is kept consistent only is reached from nowhere.
        let rest = plan.packages().map(|package| &package.name);
        order.extend(rest.filter(|name| left.contains(name)));
        route.places = order.into_iter().cloned().zip(0..).collect();
        route
    }

    /// Who asked for a package first, among those that weren't named.
    pub(super) fn parent(&self, name: &PackageName) -> Option<&PackageName> {
        self.parents.get(name)
    }

    /// The changes in this order.
    pub(super) fn changes<'a>(&self, plan: &'a Plan) -> Vec<&'a Change> {
        let mut changes: Vec<&Change> = plan.changes.iter().collect();
        changes.sort_by_key(|change| self.places.get(&change.package.name));
        changes
    }
}

/// The changes in the order in which pip installs them: what needs nothing that is left comes
/// first, by name from behind; what needs itself comes last.
pub(super) fn installing(plan: &Plan) -> Vec<&Change> {
    let mut rounds: FxHashMap<&PackageName, usize> = FxHashMap::default();
    // How many of those that are left each needs.
    let mut needs: FxHashMap<&PackageName, usize> = FxHashMap::default();
    for dependent in plan.packages().flat_map(|package| &package.dependents) {
        *needs.entry(dependent).or_default() += 1;
    }
    let packages: FxHashMap<&PackageName, &Package> = plan
        .packages()
        .map(|package| (&package.name, package))
        .collect();
    let is_ready = |name: &&PackageName| !needs.contains_key(name);
    let mut ready: Vec<&PackageName> = packages.keys().copied().filter(is_ready).collect();
    for round in 0.. {
        if ready.is_empty() {
            break;
        }
        rounds.extend(ready.iter().map(|name| (*name, round)));
        let done = ready.iter().filter_map(|name| packages.get(name));
        let mut next = Vec::new();
        for dependent in done.flat_map(|package| &package.dependents) {
            if let Some(left) = needs.get_mut(dependent) {
                *left -= 1;
                if *left == 0 {
                    next.push(dependent);
                }
            }
        }
        ready = next;
    }
    let mut changes: Vec<&Change> = plan.changes.iter().collect();
    changes.sort_by(|a, b| {
        let round = |change: &Change| *rounds.get(&change.package.name).unwrap_or(&usize::MAX);
        let by_name = b.package.name.cmp(&a.package.name);
        round(a).cmp(&round(b)).then(by_name)
    });
    changes
}
