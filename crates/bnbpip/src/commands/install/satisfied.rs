//! What an installation finds in the environment already.

use bnbpip_installer::InstalledEnvironment;
use bnbpip_overlay::ActiveRules;
use bnbpip_packaging::{PackageName, Requirement};
use bnbpip_resolver::{Constraint, Source};
use rustc_hash::FxHashMap;

use super::Run;
use super::order::Route;
use super::plan::{Needed, Plan};
use crate::commands::resolve::installed::{self, Satisfied};
use crate::commands::resolve::machine::Machine;
use crate::commands::resolve::requirements;

impl Run<'_> {
    /// Says so and ends if the environment meets the request: no solver, no network.
    pub(super) fn finish_if_satisfied(
        &self,
        installed: &InstalledEnvironment,
        constraints: &[Constraint],
        rules: &ActiveRules,
        machine: &Machine,
    ) -> bool {
        let arguments = self.arguments;
        let looks = !(arguments.upgrade
            || arguments.force_reinstall
            || arguments.ignore_installed
            || arguments.resolve.only_deps
            || arguments.report.is_some());
        if !looks || !self.destination.sees_installed {
            return false;
        }
        let markers = &self.destination.target.markers;
        let requirements: Vec<&Requirement> = self
            .request
            .requirements
            .iter()
            .map(|given| &given.requirement)
            .filter(|requirement| requirement.marker.evaluate(markers, &[]))
            .collect();
        let Some(satisfied) = installed::satisfied(
            installed,
            &requirements,
            constraints,
            markers,
            rules,
            machine,
            !arguments.resolve.no_deps,
        ) else {
            return false;
        };
        // What an address is to be taken from isn't known of what is there.
        let addresses = requirements::url_constraints(&self.request, markers);
        let mut names = satisfied.iter().map(|it| &it.distribution.name);
        if names.any(|name| addresses.contains_key(name)) {
            return false;
        }
        let narration = self.narration();
        narration.unneeded();
        let parents: FxHashMap<&PackageName, &PackageName> = satisfied
            .iter()
            .filter_map(|it| Some((&it.distribution.name, it.dependent?)))
            .collect();
        let parent = |name: &PackageName| parents.get(name).map(|name| (*name).clone());
        for Satisfied { distribution, .. } in &satisfied {
            narration.satisfied(distribution, &parent, &|_| None, installed);
        }
        true
    }

    pub(super) fn say_kept(
        &self,
        plan: &Plan,
        installed: &InstalledEnvironment,
        needed: Needed<'_>,
    ) {
        let narration = self.narration().of(plan);
        narration.unneeded();
        let route = Route::of(plan, &self.request);
        for package in &plan.kept {
            if let Source::Direct { file, .. } = &package.source
                && let Some(wheel) = file.local_path()
            {
                narration.provided(&package.name, &wheel);
            } else if let Some(distribution) = installed.get(&package.name) {
                let parent = |name: &PackageName| route.parent(name).cloned();
                let spelled = |dependent: &PackageName| {
                    let change = plan.change(dependent)?;
                    needed(&change.file, &package.name)
                };
                narration.satisfied(distribution, &parent, &spelled, installed);
            }
        }
    }
}
