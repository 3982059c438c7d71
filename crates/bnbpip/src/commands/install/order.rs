//! In which order pip tells of packages, and who asked for each.

use bnbpip_packaging::PackageName;
use rustc_hash::{FxHashMap, FxHashSet};

use super::plan::{Change, Package, Plan};
use crate::request::Request;

/// How a request leads to packages: those that were named first, then what they need.
#[derive(Debug, Default)]
pub(super) struct Route {
    order: Vec<PackageName>,
    parents: FxHashMap<PackageName, PackageName>,
}

impl Route {
    /// The route through a plan.
    pub(super) fn of(plan: &Plan, request: &Request) -> Self {
        let mut left: Vec<&Package> = plan.packages().collect();
        let mut route = Self::default();
        let named = request.requirements.iter();
        for name in named.map(|given| &given.requirement.name) {
            if let Some(index) = left.iter().position(|package| package.name == *name) {
                route.order.push(left.remove(index).name.clone());
            }
        }
        let mut reached = 0;
        while reached < route.order.len() {
            let parent = route.order[reached].clone();
            reached += 1;
            let (next, others): (Vec<_>, Vec<_>) = left
                .into_iter()
                .partition(|package| package.dependents.contains(&parent));
            left = others;
            for package in next {
                route.parents.insert(package.name.clone(), parent.clone());
                route.order.push(package.name.clone());
            }
        }
        // What is kept consistent only is reached from nowhere.
        route
            .order
            .extend(left.into_iter().map(|package| package.name.clone()));
        route
    }

    /// Who asked for a package first, among those that weren't named.
    pub(super) fn parent(&self, name: &PackageName) -> Option<&PackageName> {
        self.parents.get(name)
    }

    /// The changes in this order.
    pub(super) fn changes<'a>(&self, plan: &'a Plan) -> Vec<&'a Change> {
        let place = |change: &&Change| {
            let mut order = self.order.iter();
            order.position(|name| *name == change.package.name)
        };
        let mut changes: Vec<&Change> = plan.changes.iter().collect();
        changes.sort_by_cached_key(place);
        changes
    }
}

/// The changes in the order in which pip installs them: what needs nothing that is left comes
/// first, by name from behind; what needs itself comes last.
pub(super) fn installing(plan: &Plan) -> Vec<&Change> {
    let mut rounds: FxHashMap<&PackageName, usize> = FxHashMap::default();
    let mut left: Vec<&Package> = plan.packages().collect();
    for round in 0.. {
        let waiting: FxHashSet<&PackageName> = left
            .iter()
            .flat_map(|package| &package.dependents)
            .collect();
        let (later, ready): (Vec<_>, Vec<_>) = left
            .into_iter()
            .partition(|package| waiting.contains(&package.name));
        if ready.is_empty() {
            break;
        }
        rounds.extend(ready.iter().map(|package| (&package.name, round)));
        left = later;
    }
    let mut changes: Vec<&Change> = plan.changes.iter().collect();
    changes.sort_by(|a, b| {
        let round = |change: &Change| *rounds.get(&change.package.name).unwrap_or(&usize::MAX);
        let by_name = b.package.name.cmp(&a.package.name);
        round(a).cmp(&round(b)).then(by_name)
    });
    changes
}
