//! What pip says on standard output on the way, for the scripts that look for it.

use std::path::Path;

use bnbpip_index::PackageFile;
use bnbpip_installer::{InstalledDistribution, InstalledEnvironment};
use bnbpip_packaging::{MarkerEnvironment, PackageName, VersionOrUrl};

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
    /// The folder that paths are shown from.
    pub(super) directory: &'a Path,
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
            match self.local_source(&package.name) {
                Some(what) => self.printer.narrate(&format!("{what}{from}")),
                None => self.printer.narrate(&format!("Collecting {label}{from}")),
            }
        }
    }

    /// The files that are fetched, and those that the cache has.
    pub(super) fn fetching(&self, plan: &Plan, is_cached: impl Fn(&PackageFile) -> bool) {
        for Change { file, .. } in &plan.changes {
            if !["http", "https"].contains(&file.url.scheme()) {
                continue;
            }
            let size = file
                .size_bytes
                .map(|bytes| format!(" ({})", pip_size(bytes)));
            let (name, size) = (&file.filename_text, size.unwrap_or_default());
            let what = if is_cached(file) {
                "Using cached"
            } else {
                "Downloading"
            };
            self.printer.narrate(&format!("  {what} {name}{size}"));
        }
    }

    /// What is said of a file or a folder that was named, in place of `Collecting`.
    fn local_source(&self, name: &PackageName) -> Option<String> {
        let mut requirements = self.request.requirements.iter();
        let given = requirements.find(|given| given.requirement.name == *name)?;
        let Some(VersionOrUrl::Url(url)) = &given.requirement.version_or_url else {
            return None;
        };
        let url = url.to_url();
        if given.editable {
            return Some(format!("Obtaining {url}"));
        }
        let path = url.to_file_path().ok().filter(|_| url.scheme() == "file")?;
        let shown = match path.strip_prefix(self.directory) {
            Ok(inside) => Path::new(".").join(inside),
            Err(_) => path,
        };
        Some(format!("Processing {}", shown.display()))
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

/// A size as pip writes it.
#[expect(clippy::cast_precision_loss, reason = "one decimal place is shown")]
fn pip_size(bytes: u64) -> String {
    match bytes {
        1_000_001.. => format!("{:.1} MB", bytes as f64 / 1e6),
        10_001.. => format!("{} kB", bytes / 1000),
        1_001.. => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{bytes} bytes"),
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
