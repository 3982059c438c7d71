//! What pip says on standard output on the way, for the scripts that look for it.

use std::path::Path;
use std::sync::Arc;

use bnbpip_index::{IndexClient, PackageFile};
use bnbpip_installer::{InstalledDistribution, InstalledEnvironment};
use bnbpip_packaging::{MarkerEnvironment, PackageName};
use rustc_hash::FxHashMap;

use super::download_progress::announce;
use super::order::{self, Route};
use super::plan::{Change, Needed, Plan};
use crate::commands::distribution::{Dependency, Distribution};
use crate::commands::resolve::{Resolved, wording};
use crate::commands::sources::Sources;
use crate::configuration::settings::Settings;
use crate::printer::Printer;
use crate::request::{Request, RequestedRequirement, RequirementOrigin};

/// Tells in pip's words what happens to a request.
pub(super) struct Narration<'a> {
    printer: &'a Printer,
    request: &'a Request,
    given: FxHashMap<&'a PackageName, Vec<&'a RequestedRequirement>>,
    markers: &'a MarkerEnvironment,
    directory: &'a Path,
    plan: Option<&'a Plan>,
}

impl<'a> Narration<'a> {
    /// What is told of a request for an environment. Paths are shown from the folder.
    pub(super) fn new(
        printer: &'a Printer,
        request: &'a Request,
        markers: &'a MarkerEnvironment,
        directory: &'a Path,
    ) -> Self {
        Self {
            printer,
            request,
            given: request.by_name(),
            markers,
            directory,
            plan: None,
        }
    }

    /// The same once it is known what is to be done.
    pub(super) fn of(self, plan: &'a Plan) -> Self {
        Self {
            plan: Some(plan),
            ..self
        }
    }

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

    /// What is there already, and who needs it. `parent` says who asked for a package that wasn't
    /// named, `spelled` how a package that comes anew does that.
    pub(super) fn satisfied(
        &self,
        distribution: &InstalledDistribution,
        parent: &dyn Fn(&PackageName) -> Option<PackageName>,
        spelled: &dyn Fn(&PackageName) -> Option<String>,
        installed: &InstalledEnvironment,
    ) {
        let name = &distribution.name;
        let (label, from) = match (self.given(name), parent(name)) {
            (None, Some(dependent)) => {
                let label = spelled(&dependent).or_else(|| {
                    let dependent = installed.get(&dependent)?;
                    self.needed(dependent, name)
                });
                let label = label.unwrap_or_else(|| name.to_string());
                (label, format!(" (from {})", self.chain(dependent, parent)))
            }
            _ => self.requested(name),
        };
        tell_satisfied(distribution, (&label, &from), self.directory, self.printer);
    }

    /// The packages that change, before they are fetched. `needed` has the requirement of a file
    /// for a package as its metadata spells it.
    pub(super) fn collecting(
        &self,
        plan: &Plan,
        installed: &InstalledEnvironment,
        needed: Needed<'_>,
    ) {
        let route = Route::of(plan, self.request);
        let parent = |name: &PackageName| route.parent(name).cloned();
        for change in route.changes(plan) {
            let name = &change.package.name;
            let (label, from) = match (self.given(name), parent(name)) {
                (None, Some(dependent)) => {
                    let label = match plan.change(&dependent) {
                        Some(change) => needed(&change.file, name),
                        None => installed
                            .get(&dependent)
                            .and_then(|dependent| self.needed(dependent, name)),
                    };
                    let from = format!(" (from {})", self.chain(dependent, &parent));
                    (label.unwrap_or_else(|| name.to_string()), from)
                }
                _ => self.requested(name),
            };
            let what = match self.local_source(change) {
                // Whose name its build tells is named by its place alone.
                Some(what) if self.is_unnamed_source(change) => what,
                Some(what) => format!("{what}{from}"),
                None => format!("Collecting {label}{from}"),
            };
            self.printer.narrate(&what);
        }
    }

    /// Who asked for a package, up to where the user did: `a==1->-r requirements.txt (line 1)`.
    /// What was named by its place is told with the version that comes.
    fn chain(
        &self,
        name: PackageName,
        parent: &dyn Fn(&PackageName) -> Option<PackageName>,
    ) -> String {
        let mut parts = Vec::new();
        let mut next = Some(name);
        while let Some(name) = next {
            let Some(given) = self.given_at_most(&name) else {
                parts.push(name.to_string());
                next = parent(&name);
                continue;
            };
            let change = self.plan.and_then(|plan| plan.change(&name));
            parts.push(match change.filter(|_| is_unnamed(given)) {
                Some(change) => format!("{}=={}", change.shown_name, change.package.version),
                None => label(given),
            });
            if given.source != RequirementOrigin::CommandLine {
                parts.push(given.source.to_string());
            }
            break;
        }
        parts.join("->")
    }

    /// The wheels that are fetched, and those that the cache has. Sources are told of where their
    /// files are got.
    pub(super) fn fetching(&self, plan: &Plan, client: &IndexClient) {
        let files = plan.changes.iter().map(|change| &change.file);
        for file in files.filter(|file| file.wheel().is_some()) {
            announce(file, client, self.printer);
        }
    }

    /// What is said of a file or a folder on this machine, in place of `Collecting`.
    fn local_source(&self, change: &Change) -> Option<String> {
        let given = self.given(&change.package.name);
        if given.is_some_and(|given| given.editable) {
            let mut url = change.file.url.clone();
            url.set_fragment(None);
            return Some(format!("Obtaining {url}"));
        }
        let path = change.file.local_path()?;
        Some(format!("Processing {}", self.shown(&path)))
    }

    /// Whether it is a source that was named by its place, and isn't edited there.
    fn is_unnamed_source(&self, change: &Change) -> bool {
        let given = self.given(&change.package.name);
        change.file.wheel().is_none()
            && given.is_some_and(|given| !given.editable && is_unnamed(given))
    }

    /// A path as pip shows it: from the working directory if it is below that.
    fn shown(&self, path: &Path) -> String {
        shown(path, self.directory)
    }

    /// The packages that change, when all are there.
    pub(super) fn installing(&self, plan: &Plan) {
        let changes = order::installing(plan);
        let names: Vec<&str> = changes.iter().map(|it| it.shown_name.as_str()).collect();
        let names = names.join(", ");
        self.printer
            .narrate(&format!("Installing collected packages: {names}"));
    }

    /// A wheel on this machine whose version is there already.
    pub(super) fn provided(&self, name: &PackageName, wheel: &Path) {
        let written = self.given(name);
        let written = written.and_then(|given| Dependency::parse(&given.raw).ok());
        let label = written.map_or_else(|| name.to_string(), |it| it.raw_name().to_owned());
        self.printer
            .narrate(&format!("Processing {}", self.shown(wheel)));
        self.printer.info(&format!(
            "{label} is already installed with the same version as the provided wheel. Use \
             --force-reinstall to force an installation of the wheel."
        ));
    }

    /// A package as it was asked for, and where that stands; its name if nobody asked.
    fn requested(&self, name: &PackageName) -> (String, String) {
        match self.given(name) {
            Some(given) => (label(given), from(&given.source)),
            None => (name.to_string(), String::new()),
        }
    }

    /// The line of the request that asks most of a package: with extras, if one has them.
    fn given_at_most(&self, name: &PackageName) -> Option<&RequestedRequirement> {
        let mut lines = self.given.get(name)?.iter();
        let has_extras = |given: &&&RequestedRequirement| {
            !given.requirement.extras.is_empty()
                && given.requirement.marker.evaluate(self.markers, &[])
        };
        lines.find(has_extras).copied().or_else(|| self.given(name))
    }

    fn given(&self, name: &PackageName) -> Option<&RequestedRequirement> {
        self.given.get(name)?.first().copied()
    }

    /// The requirement of one distribution for another.
    fn needed(&self, dependent: &InstalledDistribution, name: &PackageName) -> Option<String> {
        let dependencies = Distribution::read(dependent.clone()).dependencies(self.markers);
        let mut dependencies = dependencies.ok()?.into_iter();
        let found = dependencies.find(|needed| needed.requirement.name == *name)?;
        Some(found.without_marker())
    }
}

fn shown(path: &Path, directory: &Path) -> String {
    let shown = match path.strip_prefix(directory) {
        Ok(inside) => Path::new(".").join(inside),
        Err(_) => path.to_path_buf(),
    };
    shown.display().to_string()
}

/// Tells what is there already: how it is asked for, and where. Paths are shown from the folder.
pub(crate) fn tell_satisfied(
    distribution: &InstalledDistribution,
    (label, from): (&str, &str),
    directory: &Path,
    printer: &Printer,
) {
    printer.info(&format!(
        "Requirement already satisfied: {label} in {}{from} ({})",
        shown(&distribution.location, directory),
        distribution.version
    ));
}

/// What is told of the packages whose place others take; they must still be there.
pub(super) fn replaced(plan: &Plan) -> Vec<String> {
    let changes = order::installing(plan).into_iter();
    changes
        .filter_map(|change| {
            let old = Distribution::read(change.replaces.clone()?);
            let (name, version) = (old.name(), old.raw_version());
            Some(format!(
                "  Attempting uninstall: {}\n    Found existing installation: {name} \
                 {version}\n    Uninstalling {name}-{version}:\n      Successfully \
                 uninstalled {name}-{version}",
                change.shown_name
            ))
        })
        .collect()
}

/// Tells which packages are collected where none is installed: for `wheel` and `download`.
pub(crate) fn tell_collected(
    request: &Request,
    resolved: &Resolved,
    sources: Option<&Sources>,
    markers: &MarkerEnvironment,
    (settings, printer): (&Settings, &Printer),
) {
    let nothing = InstalledEnvironment::default();
    let mut plan = Plan::new(&resolved.resolution, &nothing, false);
    let spelling = wording::Spelling::new(markers, resolved.access(), sources);
    let needed = |file: &Arc<PackageFile>, name: &PackageName| spelling.needed(file, name);
    plan.spell(request, sources, &needed);
    let directory = settings.environment.working_directory();
    let narration = Narration::new(printer, request, markers, directory);
    narration.unneeded();
    narration.of(&plan).collecting(&plan, &nothing, &needed);
}

/// Whether a requirement is a place without a name.
fn is_unnamed(given: &RequestedRequirement) -> bool {
    Dependency::parse(&given.raw).is_err()
}

fn label(given: &RequestedRequirement) -> String {
    match Dependency::parse(&given.raw) {
        Ok(requirement) => requirement.without_marker(),
        Err(_) => given.requirement.name.to_string(),
    }
}

fn from(source: &RequirementOrigin) -> String {
    match source {
        RequirementOrigin::CommandLine => String::new(),
        other => format!(" (from {other})"),
    }
}
