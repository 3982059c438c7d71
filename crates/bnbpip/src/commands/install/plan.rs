//! The plan: a resolution minus what is installed.

use std::sync::Arc;

use bnbpip_index::{IndexClient, PackageFile};
use bnbpip_installer::{InstalledDistribution, InstalledEnvironment};
use bnbpip_packaging::{DirectUrl, PackageName};
use bnbpip_report::{Action, PlanLine, PlanView};
use bnbpip_resolver::{Resolution, ResolvedPackage, Source};

use super::order::Route;
use crate::commands::distribution::Dependency;
use crate::commands::resolve::Resolved;
use crate::commands::resolve::community::Community;
use crate::commands::sources::Sources;
use crate::failure::Failure;
use crate::request::Request;

/// The requirement of a file for a package as its metadata spells it, without a marker.
pub(crate) type Needed<'a> = &'a dyn Fn(&Arc<PackageFile>, &PackageName) -> Option<String>;

pub(super) type Package = ResolvedPackage<Arc<PackageFile>>;

/// A package to install, and what it takes the place of.
#[derive(Debug)]
pub(crate) struct Change {
    /// The package.
    pub(crate) package: Package,
    /// Its name as it is shown: as the user or the project spells it.
    pub(crate) shown_name: String,
    /// The file to install it from.
    pub(crate) file: Arc<PackageFile>,
    /// The URL that was named, if one was.
    pub(crate) direct_url: Option<String>,
    /// The wheel that was built, if the file is a source.
    pub(crate) built: Option<Arc<PackageFile>>,
    /// Where a source that was named came from.
    pub(crate) origin: Option<DirectUrl>,
    /// The installed distribution of that name.
    pub(crate) replaces: Option<InstalledDistribution>,
}

/// What will change.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The changes, sorted by name.
    pub(crate) changes: Vec<Change>,
    /// The resolved packages that stay as they are.
    pub(crate) kept: Vec<Package>,
}

impl Plan {
    /// Compares a resolution with what is installed. `reinstall` also installs what is there.
    pub(crate) fn new(
        resolution: &Resolution<Arc<PackageFile>>,
        installed: &InstalledEnvironment,
        reinstall: bool,
    ) -> Self {
        let mut plan = Self {
            changes: Vec::new(),
            kept: Vec::new(),
        };
        for package in &resolution.packages {
            let (file, direct_url) = match &package.source {
                Source::Installed => {
                    plan.kept.push(package.clone());
                    continue;
                }
                // An upgrade looks for the newest version, which may be the installed one.
                Source::Index(_)
                    if !reinstall
                        && installed
                            .get(&package.name)
                            .is_some_and(|present| present.version == package.version) =>
                {
                    plan.kept.push(package.clone());
                    continue;
                }
                Source::Index(file) => (Arc::clone(file), None),
                // pip doesn't look whether a wheel is another one of the same version.
                Source::Direct { file, .. }
                    if !reinstall
                        && is_local_wheel(file)
                        && installed.get(&package.name).is_some_and(|present| {
                            present.version == package.version && !present.is_editable()
                        }) =>
                {
                    plan.kept.push(package.clone());
                    continue;
                }
                Source::Direct { file, url } => (Arc::clone(file), Some(url.clone())),
            };
            plan.changes.push(Change {
                replaces: installed.get(&package.name).cloned(),
                shown_name: spelled(&file),
                package: package.clone(),
                file,
                direct_url,
                built: None,
                origin: None,
            });
        }
        plan
    }

    /// The change of a package.
    pub(super) fn change(&self, name: &PackageName) -> Option<&Change> {
        let found = self
            .changes
            .binary_search_by(|change| change.package.name.cmp(name));
        self.changes.get(found.ok()?)
    }

    /// All packages, those that stay included.
    pub(super) fn packages(&self) -> impl Iterator<Item = &Package> {
        let changes = self.changes.iter().map(|change| &change.package);
        changes.chain(&self.kept)
    }

    /// Shows names as pip does: as whoever asked wrote them, the user or the metadata of another
    /// package, or else as the sources' own metadata does. `needed` has the requirement of a file
    /// for a package.
    pub(crate) fn spell(
        &mut self,
        request: &Request,
        sources: Option<&Sources>,
        needed: Needed<'_>,
    ) {
        let route = Route::of(self, request);
        let given = request.by_name();
        let mut names = Vec::new();
        for change in &self.changes {
            let name = &change.package.name;
            let given = given.get(name).and_then(|given| given.first());
            let written = match (given, route.parent(name)) {
                (Some(given), _) => Some(given.raw.clone()),
                (None, Some(parent)) => self
                    .change(parent)
                    .and_then(|parent| needed(&parent.file, name)),
                (None, None) => None,
            };
            let written = written.and_then(|text| Dependency::parse(&text).ok());
            let written = written.map(|requirement| requirement.raw_name().to_owned());
            let own = || sources.and_then(|sources| sources.spelled_name(&change.file));
            let by_path = || given.map(|_| name.to_string());
            names.push(written.or_else(own).or_else(by_path));
        }
        for (change, name) in self.changes.iter_mut().zip(names) {
            if let Some(name) = name {
                change.shown_name = name;
            }
        }
    }

    /// Puts what is new beside what is there, and over it (`--ignore-installed`).
    pub(crate) fn ignore_installed(&mut self) {
        for change in &mut self.changes {
            change.replaces = None;
        }
    }

    /// Leaves the packages out that the user named (`--only-deps`).
    pub(crate) fn leave_out_requested(&mut self) {
        self.changes.retain(|change| !change.package.requested);
        self.kept.retain(|package| !package.requested);
    }

    /// Notes where the sources that were named came from.
    pub(crate) fn note_origins(&mut self, sources: &Sources) {
        for change in &mut self.changes {
            if change.direct_url.is_some() && change.file.wheel().is_none() {
                change.origin = sources.direct_url(&change.file);
            }
        }
    }

    /// Builds the wheels of all sources among the changes.
    ///
    /// # Errors
    /// When one can't be built.
    pub(crate) fn build(&mut self, sources: &Sources, resolved: &Resolved) -> Result<(), Failure> {
        // The others' wheels are kept: they need not be built again when this one is mended.
        let mut failed = None;
        for change in &mut self.changes {
            if change.file.wheel().is_none() {
                match sources.wheel(&change.file, resolved.access()) {
                    Ok(wheel) => change.built = Some(wheel),
                    Err(failure) if crate::interrupt::requested() => return Err(failure),
                    Err(failure) => failed = Some(failed.unwrap_or(failure)),
                }
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// Refuses what can't be had without network before anything is begun. `places` says where the
    /// files were looked for.
    ///
    /// # Errors
    /// When files are missing; all are named.
    pub(crate) fn check_offline(
        &self,
        verb: &str,
        client: &IndexClient,
        places: &str,
    ) -> Result<(), Failure> {
        let files = self.changes.iter();
        let files = files.map(|change| change.built.as_ref().unwrap_or(&change.file));
        // What has to be built says by itself what it lacks.
        let missing = files.filter(|file| file.wheel().is_some() && !client.is_here(file));
        let missing: Vec<&str> = missing.map(|file| &*file.filename_text).collect();
        let are = match missing.len() {
            0 => return Ok(()),
            1 => "is",
            _ => "are",
        };
        Err(Failure::new(format!(
            "Failed to {verb} without network: {} {are} {places}",
            missing.join(", ")
        )))
    }

    /// Bytes to fetch, as far as the index tells sizes.
    pub(crate) fn file_bytes(&self) -> u64 {
        self.changes
            .iter()
            .filter_map(|change| change.file.size_bytes)
            .sum()
    }

    /// The plan as it is shown. `is_cached` says whether a file is in the store.
    pub(crate) fn view(
        &self,
        resolution: &Resolution<Arc<PackageFile>>,
        is_cached: impl Fn(&PackageFile) -> bool,
        free_bytes: Option<u64>,
        community: Option<&Community>,
    ) -> PlanView {
        let mut view = PlanView {
            free_bytes,
            ..PlanView::default()
        };
        for change in &self.changes {
            let size = change.file.size_bytes;
            if is_cached(&change.file) {
                view.cached_wheels += 1;
            } else if let Some(size) = size {
                view.download_bytes += size;
            } else if ["http", "https"].contains(&change.file.url.scheme()) {
                view.unknown_sizes += 1;
            }
            // Wheels of compiled code unpack to about two and a half times their size.
            view.disk_bytes += size.unwrap_or_default() * 5 / 2;
            view.lines.push(line(change, resolution, community));
        }
        view.lines.sort_by_key(|line| !line.prominent);
        view
    }
}

/// A project's name as its file spells it: with the file's letters and dots, and dashes where names
/// of files have underscores.
pub(crate) fn spelled(file: &PackageFile) -> String {
    let canonical = file.name().as_ref();
    let start = file.filename_text.chars().take(canonical.len());
    let text: String = start.map(|it| if it == '_' { '-' } else { it }).collect();
    match text.parse::<PackageName>() {
        Ok(name) if name == *file.name() => text,
        _ => canonical.to_owned(),
    }
}

fn line(
    change: &Change,
    resolution: &Resolution<Arc<PackageFile>>,
    community: Option<&Community>,
) -> PlanLine {
    let package = &change.package;
    let new = package.version.to_string();
    let old = change.replaces.as_ref().map(|old| old.version.to_string());
    let rules = rules_for(&package.name, resolution);
    let mut reasons = Vec::new();
    if package.requested {
        reasons.push("you asked for it".to_string());
    } else if !package.reached {
        reasons.push("keeps what is installed consistent".to_string());
    } else if let Some(first) = package.dependents.first() {
        let others = package.dependents.len() - 1;
        reasons.push(match others {
            0 => format!("for {first}"),
            _ => format!("for {first} and {others} more"),
        });
    }
    let origin = community.and_then(|community| community.origin(&change.file));
    let prominent = package.requested || old.is_some() || !rules.is_empty() || origin.is_some();
    reasons.extend(rules);
    if let Some(origin) = origin {
        reasons.push(format!("a community wheel of {}", origin.source));
    }
    PlanLine {
        action: match &old {
            None => Action::Add,
            Some(old) if *old == new => Action::Reinstall,
            Some(_) => Action::Replace,
        },
        name: package.name.to_string(),
        old,
        new: Some(new),
        reasons,
        prominent,
    }
}

/// The rules that had a say in a package's version.
fn rules_for(name: &PackageName, resolution: &Resolution<Arc<PackageFile>>) -> Vec<String> {
    resolution
        .effects
        .iter()
        .filter(|effect| effect.package == *name)
        .map(|effect| bnbpip_report::explain::rule_sentence_here(&effect.rule, &resolution.machine))
        .collect()
}

fn is_local_wheel(file: &PackageFile) -> bool {
    file.wheel().is_some() && file.local_path().is_some()
}
