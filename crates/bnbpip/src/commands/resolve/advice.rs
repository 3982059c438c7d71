//! What community wheels could do where a run fails, or builds, for want of a wheel for Windows.

use std::sync::Arc;

use bnbpip_index::PackageFile;
use bnbpip_overlay::{Catalog, CommunityWheel};
use bnbpip_packaging::{PackageName, Tags, VersionRange, range};
use bnbpip_platform::OperatingSystem;
use bnbpip_resolver::reason::VersionReason;
use bnbpip_resolver::{Explanation, Fact, Resolution, ResolvedPackage, Source, Unusable};

use super::Resolving;
use super::community;
use crate::failure::Failure;

impl Resolving<'_> {
    /// Says where a source has to be built for Windows although somebody built it before.
    pub(super) fn say_community_wheels(
        &self,
        resolution: &Resolution<Arc<PackageFile>>,
    ) -> Result<(), Failure> {
        let sources = resolution.packages.iter();
        let mut sources = sources.filter(|package| is_source(package)).peekable();
        if self.target.operating_system != OperatingSystem::Windows
            || sources.peek().is_none()
            || community::is_allowed(self.options, self.settings)
        {
            return Ok(());
        }
        let catalogs = community::catalogs(self.options, self.settings)?;
        let advice = self.advice(&catalogs);
        for package in sources {
            let range = range::equal(package.version.clone());
            if let Some(hint) = advice.hint(&package.name, &range) {
                self.printer.status(&format!(
                    "{} {} has no wheel for Windows, and is built: {hint}",
                    package.name, package.version
                ));
            }
        }
        Ok(())
    }

    fn advice<'a>(&'a self, catalogs: &'a [Catalog]) -> Advice<'a> {
        Advice {
            catalogs,
            tags: &self.target.tags,
            allowed: community::is_allowed(self.options, self.settings),
        }
    }

    /// What community wheels could do, or need, where there is no solution.
    pub(super) fn community_hints(&self, explanation: &Explanation) -> Vec<String> {
        if self.target.operating_system != OperatingSystem::Windows {
            return Vec::new();
        }
        // A catalog that can't be read is told when it is used.
        let catalogs = community::catalogs(self.options, self.settings).unwrap_or_default();
        self.advice(&catalogs).hints(explanation)
    }
}

/// Whether a package would be built from an index's source.
fn is_source(package: &ResolvedPackage<Arc<PackageFile>>) -> bool {
    matches!(&package.source, Source::Index(file) if file.wheel().is_none())
}

/// What to say where a run found no solution and community wheels might help.
struct Advice<'a> {
    catalogs: &'a [Catalog],
    tags: &'a Tags,
    /// Whether community wheels were allowed already.
    allowed: bool,
}

impl Advice<'_> {
    /// The hints, one for each package that an index has no wheel of for the target.
    fn hints(&self, explanation: &Explanation) -> Vec<String> {
        let mut hints: Vec<String> = Vec::new();
        for fact in &explanation.facts {
            let hint = match fact {
                Fact::Versions { name, reasons } if self.allowed => {
                    let unmet =
                        |reason: &VersionReason| matches!(reason, VersionReason::NoBuild(_));
                    let is_unmet = reasons.iter().any(|(_, reason)| unmet(reason));
                    is_unmet.then(|| self.builds_hint(name)).flatten()
                }
                _ if self.allowed => None,
                Fact::NotFound(name) => self.hint(name, &VersionRange::full()),
                Fact::NoVersions { name, range } => self.hint(name, range),
                Fact::Versions { name, reasons } => {
                    let lacking = reasons.iter().filter(|(_, reason)| lacks_wheel(reason));
                    let versions = lacking.fold(VersionRange::empty(), |all, (version, _)| {
                        all.union(&range::equal(version.clone()))
                    });
                    self.hint(name, &versions)
                }
                _ => None,
            };
            if let Some(hint) = hint.filter(|hint| !hints.contains(hint)) {
                hints.push(hint);
            }
        }
        hints
    }

    /// The catalogs' wheels of a package for the target.
    fn wheels<'a>(&'a self, name: &PackageName) -> impl Iterator<Item = &'a CommunityWheel> {
        let wheels = self.catalogs.iter().flat_map(|it| it.wheels_of(name));
        wheels.filter(|wheel| self.tags.priority(&wheel.filename).is_some())
    }

    /// Who has a wheel of a package, and how to allow it.
    fn hint(&self, name: &PackageName, range: &VersionRange) -> Option<String> {
        let fitting = self.wheels(name);
        let fitting = fitting.filter(|wheel| range.contains(&wheel.filename.version));
        let fitting: Vec<&CommunityWheel> = fitting.collect();
        if !fitting.is_empty() {
            let mut sources: Vec<&str> = fitting.iter().map(|wheel| &*wheel.source).collect();
            sources.dedup();
            let built = match &built_for(&fitting)[..] {
                [] => String::new(),
                some => format!(", for {}", some.join(", or ")),
            };
            return Some(format!(
                "{} built {name} for Windows{built}: `--community` lets such wheels be taken",
                sources.join(" and ")
            ));
        }
        let mut indexes = self.catalogs.iter().flat_map(|it| it.indexes_of(name));
        let index =
            indexes.find(|index| !range::from_specifiers(&index.versions).is_disjoint(range))?;
        Some(format!(
            "the community index {} has {name}{} for Windows: `--community` lets it be asked",
            index.name, index.versions
        ))
    }

    /// The accelerators that a package's wheels are built for.
    fn builds_hint(&self, name: &PackageName) -> Option<String> {
        let mut builds: Vec<String> = self
            .wheels(name)
            .filter_map(CommunityWheel::torch_build)
            .collect();
        builds.sort_unstable();
        builds.dedup();
        let options = builds
            .iter()
            .map(|build| format!("`--accelerator {build}`"));
        let options: Vec<String> = options.collect();
        (!options.is_empty()).then(|| {
            format!(
                "the community wheels of {name} go with torch for a GPU, which {} brings",
                options.join(" or ")
            )
        })
    }
}

/// What wheels are built for, by their CUDA: `torch 2.7.* or 2.8.* with CUDA 12.8`.
fn built_for(wheels: &[&CommunityWheel]) -> Vec<String> {
    let mut builds: Vec<(Option<&str>, Vec<String>)> = Vec::new();
    for wheel in wheels {
        let Some(torch) = wheel.torch_releases() else {
            continue;
        };
        let cuda = wheel.cuda.as_deref();
        match builds.iter_mut().find(|(known, _)| *known == cuda) {
            Some((_, releases)) if releases.contains(&torch) => {}
            Some((_, releases)) => releases.push(torch),
            None => builds.push((cuda, vec![torch])),
        }
    }
    let builds = builds.into_iter().map(|(cuda, releases)| {
        let cuda = cuda.map(|cuda| format!(" with CUDA {cuda}"));
        format!(
            "torch {}{}",
            releases.join(" or "),
            cuda.unwrap_or_default()
        )
    });
    builds.collect()
}

/// Whether a version can't be taken because there is no wheel of it for the target.
fn lacks_wheel(reason: &VersionReason) -> bool {
    matches!(
        reason,
        VersionReason::Unusable(
            Unusable::OnlySource
                | Unusable::Tags { .. }
                | Unusable::Rule(_)
                | Unusable::BinaryPolicy
        )
    )
}
