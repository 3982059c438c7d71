//! What pip says on standard output on the way, for the scripts that look for it.

use bnbpip_installer::{InstalledDistribution, InstalledEnvironment};
use bnbpip_packaging::{MarkerEnvironment, PackageName};

use super::plan::{Change, Plan};
use crate::commands::distribution::{Dependency, Distribution};
use crate::printer::Printer;
use crate::request::{Request, RequestedRequirement, RequirementOrigin};

/// Tells in pip's words what happens to a request.
#[derive(Clone, Copy)]
pub(super) struct Narration<'a> {
    pub(super) printer: &'a Printer,
    pub(super) request: &'a Request,
    pub(super) markers: &'a MarkerEnvironment,
}

impl Narration<'_> {
    /// Requirements whose markers don't hold.
    pub(super) fn unneeded(&self) {
        for given in &self.request.requirements {
            if !given.requirement.marker.evaluate(self.markers, &[]) {
                let name = &given.requirement.name;
                let marker = given.requirement.marker.try_to_string();
                self.printer.info(&format!(
                    "Ignoring {name}: markers '{}' don't match your environment",
                    marker.unwrap_or_default().replace('\'', "\"")
                ));
            }
        }
    }

    /// What is there already, and who needs it.
    pub(super) fn satisfied(
        &self,
        distribution: &InstalledDistribution,
        dependent: Option<&PackageName>,
        installed: &InstalledEnvironment,
    ) {
        let (label, from) = match dependent {
            None => self.requested(&distribution.name),
            Some(name) => {
                let label = installed
                    .get(name)
                    .and_then(|dependent| self.needed(dependent, &distribution.name))
                    .unwrap_or_else(|| distribution.name.to_string());
                (label, format!(" (from {})", self.requested(name).0))
            }
        };
        self.printer.info(&format!(
            "Requirement already satisfied: {label} in {}{from} ({})",
            distribution.location.display(),
            distribution.version
        ));
    }

    /// The packages that change, before they are fetched.
    pub(super) fn collecting(&self, plan: &Plan) {
        for Change { package, .. } in &plan.changes {
            let (label, from) = self.requested(&package.name);
            let from = match package.dependents.first().filter(|_| !package.requested) {
                Some(dependent) => format!(" (from {})", self.requested(dependent).0),
                None => from,
            };
            self.printer.narrate(&format!("Collecting {label}{from}"));
        }
    }

    /// The packages that change, when all are there.
    pub(super) fn installing(&self, plan: &Plan) {
        let names: Vec<&str> = plan
            .changes
            .iter()
            .map(|change| change.package.name.as_ref())
            .collect();
        let names = names.join(", ");
        self.printer
            .narrate(&format!("Installing collected packages: {names}"));
    }

    /// The packages whose place others took.
    pub(super) fn replaced(&self, plan: &Plan) {
        for old in plan.changes.iter().filter_map(|it| it.replaces.as_ref()) {
            let old = Distribution::read(old.clone());
            let (name, version) = (old.name(), old.raw_version());
            self.printer.narrate(&format!(
                "  Attempting uninstall: {}\n    Found existing installation: {name} {version}\n    \
                 Uninstalling {name}-{version}:\n      Successfully uninstalled {name}-{version}",
                old.installed.name
            ));
        }
    }

    /// A package as it was asked for, and where that stands; its name if nobody asked.
    fn requested(&self, name: &PackageName) -> (String, String) {
        let given = self
            .request
            .requirements
            .iter()
            .find(|given| given.requirement.name == *name);
        match given {
            Some(given) => (label(given), from(&given.source)),
            None => (name.to_string(), String::new()),
        }
    }

    /// The requirement of one distribution for another.
    fn needed(&self, dependent: &InstalledDistribution, name: &PackageName) -> Option<String> {
        let dependencies = Distribution::read(dependent.clone()).dependencies(self.markers);
        let mut dependencies = dependencies.ok()?.into_iter();
        let found = dependencies.find(|needed| needed.requirement.name == *name)?;
        Some(without_marker(&found))
    }
}

fn label(given: &RequestedRequirement) -> String {
    match Dependency::parse(&given.raw) {
        Ok(requirement) => without_marker(&requirement),
        Err(_) => given.requirement.name.to_string(),
    }
}

fn without_marker(requirement: &Dependency) -> String {
    let text = requirement.to_string();
    text.split("; ").next().unwrap_or_default().to_owned()
}

fn from(source: &RequirementOrigin) -> String {
    match source {
        RequirementOrigin::CommandLine => String::new(),
        other => format!(" (from {other})"),
    }
}
