//! What is installed, as the solver sees it; and whether it meets the request already.

use std::sync::Arc;

use bnbpip_installer::{InstalledDistribution, InstalledEnvironment};
use bnbpip_overlay::{ActiveRules, Rule, Severity, Subject};
use bnbpip_packaging::{
    DirectUrlSource, ExtraName, MarkerEnvironment, PackageName, Requirement, VersionOrUrl, range,
};
use bnbpip_resolver::{Constraint, InstalledPackage, PackageMetadata};
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::machine::Machine;

/// Every installed distribution with its metadata. Metadata that can't be read counts as empty:
/// one broken package must not keep others from being installed.
pub(crate) fn for_solver(
    installed: &InstalledEnvironment,
) -> FxHashMap<PackageName, InstalledPackage> {
    installed
        .distributions
        .par_iter()
        // What has no version can't be compared: it counts as something to replace.
        .filter(|distribution| distribution.legacy_version.is_none())
        .map(|distribution| {
            let metadata = distribution
                .metadata()
                .map(|metadata| PackageMetadata {
                    requires_dist: metadata.requires_dist,
                    requires_python: metadata.requires_python,
                    provides_extra: metadata.provides_extra,
                    builds: Vec::new(),
                })
                .unwrap_or_default();
            let version = distribution.version.clone();
            let package = InstalledPackage {
                version,
                metadata: Arc::new(metadata),
            };
            (distribution.name.clone(), package)
        })
        .collect()
}

/// A requirement that is met, and who asks for it.
#[derive(Debug)]
pub(crate) struct Satisfied<'a> {
    /// What meets it.
    pub(crate) distribution: &'a InstalledDistribution,
    /// The package that needs it; `None` if the user named it.
    pub(crate) dependent: Option<&'a PackageName>,
}

/// The distributions that meet the request as they are, in the order in which they are reached;
/// `None` if anything is missing, unsuitable, or breaks a rule.
pub(crate) fn satisfied<'a>(
    installed: &'a InstalledEnvironment,
    requirements: &[&Requirement],
    constraints: &[Constraint],
    markers: &MarkerEnvironment,
    rules: &ActiveRules,
    machine: &Machine,
    with_dependencies: bool,
) -> Option<Vec<Satisfied<'a>>> {
    let check = Check {
        installed,
        constraints,
        markers,
        rules,
        machine,
    };
    let mut reached: Vec<Satisfied<'a>> = Vec::new();
    let mut seen: FxHashSet<(PackageName, Vec<ExtraName>)> = FxHashSet::default();
    let mut open: Vec<(Requirement, Option<&'a PackageName>)> = requirements
        .iter()
        .rev()
        .map(|requirement| ((*requirement).clone(), None))
        .collect();
    while let Some((requirement, dependent)) = open.pop() {
        let distribution = check.meeting(&requirement)?;
        if !seen.insert((distribution.name.clone(), requirement.extras.clone())) {
            continue;
        }
        reached.push(Satisfied {
            distribution,
            dependent,
        });
        if with_dependencies {
            let metadata = distribution.metadata().ok()?;
            let needed = metadata.requires_dist.into_iter().rev().filter(|needed| {
                needed.marker.evaluate(markers, &requirement.extras)
                    || needed.marker.evaluate(markers, &[])
            });
            open.extend(needed.map(|needed| (needed, Some(&distribution.name))));
        }
    }
    (!check.breaks_a_rule(&reached)).then_some(reached)
}

struct Check<'a, 'b> {
    installed: &'a InstalledEnvironment,
    constraints: &'b [Constraint],
    markers: &'b MarkerEnvironment,
    rules: &'b ActiveRules,
    machine: &'b Machine,
}

impl<'a> Check<'a, '_> {
    /// The installed distribution that meets a requirement, itself or by standing in.
    fn meeting(&self, requirement: &Requirement) -> Option<&'a InstalledDistribution> {
        let wanted = match &requirement.version_or_url {
            Some(VersionOrUrl::VersionSpecifier(specifiers)) => range::from_specifiers(specifiers),
            Some(VersionOrUrl::Url(url)) => return self.meeting_url(requirement, url.as_str()),
            None => range::VersionRange::full(),
        };
        let own = self
            .installed
            .get(&requirement.name)
            .filter(|distribution| distribution.legacy_version.is_none())
            .filter(|distribution| wanted.contains(&distribution.version));
        let found = own.or_else(|| {
            self.rules
                .providers_of(&requirement.name)
                .find_map(|(_, provides)| {
                    let range = provides.package_range(&wanted);
                    self.installed
                        .get(&provides.package)
                        .filter(|distribution| range.contains(&distribution.version))
                })
        })?;
        let constrained = self.constraints.iter().all(|constraint| {
            constraint.name != found.name || constraint.range.contains(&found.version)
        });
        constrained.then_some(found)
    }

    /// A direct reference is met by what was installed from the same URL.
    fn meeting_url(
        &self,
        requirement: &Requirement,
        url: &str,
    ) -> Option<&'a InstalledDistribution> {
        let distribution = self.installed.get(&requirement.name)?;
        let origin = distribution.direct_url().ok()??;
        // A local file may have changed since.
        let same = origin.url == url && !url.starts_with("file:");
        (same && matches!(origin.source, DirectUrlSource::Archive(_))).then_some(distribution)
    }

    fn breaks_a_rule(&self, reached: &[Satisfied<'_>]) -> bool {
        let subjects: Vec<Subject> = self
            .installed
            .distributions
            .iter()
            .map(|found| Subject::new(found.name.clone(), found.version.clone()))
            .collect();
        let names: FxHashSet<&PackageName> = reached
            .iter()
            .map(|satisfied| &satisfied.distribution.name)
            .collect();
        debug_assert_eq!(self.rules.environment(), self.markers);
        let is_broken = |rule: &Rule| rule.severity == Severity::Broken;
        let findings = self.rules.evaluate_some(&subjects, self.machine, is_broken);
        let mut concerned = findings.iter().flat_map(|finding| &finding.packages);
        concerned.any(|(name, _)| names.contains(name))
    }
}
