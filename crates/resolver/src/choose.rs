//! Which version of a package to try next.

use std::sync::Arc;

use bnbpip_overlay::{Rule, RuleId};
use bnbpip_packaging::{PackageName, Version, VersionRange};

use crate::attempts::ResolveError;
use crate::package::{NameId, SolverPackage};
use crate::provider::{MetadataProvider, VersionList};
use crate::reason::{Reason, VersionReason};
use crate::request::PrereleasePolicy;
use crate::solve::Solver;

/// The outcome for one package and range.
pub(crate) enum Choice<F> {
    /// Try this version.
    Version(Candidate<F>),
    /// No version exists in the range.
    NoVersions,
    /// Versions exist, and none can be taken.
    Unavailable(Reason),
}

/// A version with where it comes from.
#[derive(Debug, Clone)]
pub(crate) struct Candidate<F> {
    pub(crate) version: Version,
    pub(crate) origin: Origin<F>,
}

/// Where a candidate comes from.
#[derive(Debug, Clone)]
pub(crate) enum Origin<F> {
    /// The environment has it already.
    Installed,
    /// A file of an index.
    Index(F),
    /// A direct URL.
    Direct(F, String),
    /// Another distribution stands in for it.
    Provided {
        /// The rule that says so.
        rule: RuleId,
        /// The stand-in.
        provider: PackageName,
        /// Its versions that stand for this one.
        range: VersionRange,
    },
}

/// A package's version list and the source of its files.
pub(crate) type List<F> = Arc<dyn VersionList<File = F>>;

impl<P: MetadataProvider> Solver<'_, P> {
    /// Chooses the version of a project within `range`.
    pub(crate) fn choose(
        &mut self,
        id: NameId,
        range: &VersionRange,
    ) -> Result<Choice<P::File>, ResolveError> {
        let name = self.interner.name(id).clone();
        if let Some(candidate) = self.direct_candidate(&name)? {
            return Ok(if range.contains(&candidate.version) {
                Choice::Version(candidate)
            } else {
                Choice::NoVersions
            });
        }
        if let Some(kept) = self.request.kept(&name)
            && range.contains(&kept.version)
        {
            let version = kept.version.clone();
            return Ok(Choice::Version(Candidate {
                version,
                origin: Origin::Installed,
            }));
        }
        let list = self.list(&name)?;
        let mut rejected = Vec::new();
        if let Some(list) = &list
            && let Some(candidate) = self.preferred_in(&name, list, range)
        {
            return Ok(Choice::Version(candidate));
        }
        if let Some(list) = &list
            && let Some(candidate) = self.best_in(&name, list, range, &mut rejected)
        {
            let newer = self.installed_in(&name, range);
            let newer = newer.filter(|it| it.version > candidate.version);
            return Ok(Choice::Version(newer.unwrap_or(candidate)));
        }
        if let Some(candidate) = self.stand_in(&name, range)? {
            return Ok(Choice::Version(candidate));
        }
        // As pip: an upgrade that finds nothing to take keeps what is there.
        if let Some(candidate) = self.installed_in(&name, range) {
            return Ok(Choice::Version(candidate));
        }
        Ok(match (list, rejected.is_empty()) {
            (None, _) if !self.request.installed.contains_key(&name) => {
                Choice::Unavailable(Reason::NotFound)
            }
            (_, true) => Choice::NoVersions,
            (_, false) => Choice::Unavailable(Reason::Versions(Arc::new(rejected))),
        })
    }

    /// The installed version that an upgrade may come back to, as no index has a newer one.
    fn installed_in(&self, name: &PackageName, range: &VersionRange) -> Option<Candidate<P::File>> {
        let installed = self.request.installed.get(name)?;
        let is_asked = self.request.upgrade.contains(name) && range.contains(&installed.version);
        is_asked.then(|| Candidate {
            version: installed.version.clone(),
            origin: Origin::Installed,
        })
    }

    /// The first of the preferred versions in `range` that can be taken.
    fn preferred_in(
        &self,
        name: &PackageName,
        list: &List<P::File>,
        range: &VersionRange,
    ) -> Option<Candidate<P::File>> {
        let preferred = self.request.preferred.get(name)?;
        let usable = |version: &Version| {
            let index = list.versions().binary_search(version).ok()?;
            // A preferred pre-release was chosen before.
            let file = self.judge(name, list, index, true).ok()?;
            Some(Candidate {
                version: version.clone(),
                origin: Origin::Index(file),
            })
        };
        let mut within = preferred.iter().filter(|version| range.contains(*version));
        within.find_map(usable)
    }

    /// The page of a package, asked for once.
    pub(crate) fn list(
        &mut self,
        name: &PackageName,
    ) -> Result<Option<List<P::File>>, ResolveError> {
        if let Some(list) = self.lists.get(name) {
            return Ok(list.clone());
        }
        let list = self
            .provider
            .versions(name)
            .map_err(ResolveError::Provider)?;
        self.lists.insert(name.clone(), list.clone());
        Ok(list)
    }

    /// The newest version in `range` that policies allow and that has a file for the target.
    fn best_in(
        &self,
        name: &PackageName,
        list: &List<P::File>,
        range: &VersionRange,
        rejected: &mut Vec<(Version, VersionReason)>,
    ) -> Option<Candidate<P::File>> {
        let policy = self.request.prerelease_policy(name);
        let is_final_only = policy == PrereleasePolicy::Never;
        let prereleases = policy == PrereleasePolicy::Allow
            || (self.seen.prerelease.contains(name) && !is_final_only);
        let found = self.scan(name, list, range, prereleases, rejected);
        if found.is_some() || prereleases || is_final_only {
            return found;
        }
        let only_prereleases = rejected
            .iter()
            .any(|(_, reason)| *reason == VersionReason::Prerelease)
            && !self.stable_is_asked_for(name, list);
        if only_prereleases {
            rejected.clear();
            return self.scan(name, list, range, true, rejected);
        }
        None
    }

    /// The newest version in `range` by the policies alone, whatever the solver ruled out.
    pub(crate) fn newest(
        &self,
        name: &PackageName,
        list: &List<P::File>,
        range: &VersionRange,
    ) -> Option<Candidate<P::File>> {
        self.best_in(name, list, range, &mut Vec::new())
    }

    fn scan(
        &self,
        name: &PackageName,
        list: &List<P::File>,
        range: &VersionRange,
        prereleases: bool,
        rejected: &mut Vec<(Version, VersionReason)>,
    ) -> Option<Candidate<P::File>> {
        let versions = list.versions();
        let mut best: Option<(usize, Candidate<P::File>)> = None;
        for (index, version) in versions.iter().enumerate().rev() {
            if !range.contains(version) {
                continue;
            }
            match self.judge(name, list, index, prereleases) {
                Ok(file) => {
                    let candidate = Candidate {
                        version: version.clone(),
                        origin: Origin::Index(file),
                    };
                    let rank = list.rank(index);
                    if rank == 0 {
                        return Some(candidate);
                    }
                    if best.as_ref().is_none_or(|(known, _)| rank < *known) {
                        best = Some((rank, candidate));
                    }
                }
                Err(reason) => rejected.push((version.clone(), reason)),
            }
        }
        best.map(|(_, candidate)| candidate)
    }

    /// Whether one version can be taken.
    fn judge(
        &self,
        name: &PackageName,
        list: &List<P::File>,
        index: usize,
        prereleases: bool,
    ) -> Result<P::File, VersionReason> {
        let version = &list.versions()[index];
        if version.any_prerelease() && !prereleases {
            return Err(VersionReason::Prerelease);
        }
        if let Some(text) = self.seen.arbitrary.get(name)
            && *text != version.to_string()
        {
            return Err(VersionReason::ArbitraryEquality);
        }
        if let Some(yanked) = list.yanked(index)
            && !self.is_pinned_to(name, version)
        {
            return Err(VersionReason::Yanked(yanked.reason));
        }
        list.file(index).map_err(VersionReason::Unusable)
    }

    /// PEP 592: a yanked version is taken only where it is pinned.
    fn is_pinned_to(&self, name: &PackageName, version: &Version) -> bool {
        self.seen.pinned.contains(name)
            && self
                .declared_range(name)
                .subset_of(&bnbpip_packaging::range::equal(
                    version.clone().without_local(),
                ))
    }

    /// Whether what is asked for, without what the solver ruled out, has a stable version for this
    /// target. If so, pip stays with stable versions.
    fn stable_is_asked_for(&self, name: &PackageName, list: &List<P::File>) -> bool {
        let declared = self.declared_range(name);
        list.versions().iter().enumerate().any(|(index, version)| {
            !version.any_prerelease()
                && declared.contains(version)
                && list.yanked(index).is_none()
                && list.file(index).is_ok()
        })
    }

    /// The intersection of what the current decisions ask of a package.
    pub(crate) fn declared_range(&self, name: &PackageName) -> VersionRange {
        let Some(id) = self.interner.known_name(name) else {
            return VersionRange::full();
        };
        let Some(package) = self.package_id(SolverPackage::Package(id)) else {
            return VersionRange::full();
        };
        let decided = self.decided();
        let mut range = VersionRange::full();
        for dependency in self.state.dependencies(package) {
            let dependent_decided = decided
                .get(&dependency.dependent)
                .is_some_and(|version| dependency.dependent_versions.contains(version));
            if dependency.dependency == package && dependent_decided {
                range = dependency
                    .dependency_versions
                    .map_or_else(VersionRange::empty, |versions| range.intersection(versions));
            }
        }
        range
    }

    fn direct_candidate(
        &self,
        name: &PackageName,
    ) -> Result<Option<Candidate<P::File>>, ResolveError> {
        let Some(url) = self.direct.get(name) else {
            return Ok(None);
        };
        let (version, file) = self
            .provider
            .direct(name, url)
            .map_err(ResolveError::Provider)?;
        Ok(Some(Candidate {
            version,
            origin: Origin::Direct(file, url.clone()),
        }))
    }

    /// The newest release within `range` for which another distribution stands in by a rule.
    fn stand_in(
        &mut self,
        name: &PackageName,
        range: &VersionRange,
    ) -> Result<Option<Candidate<P::File>>, ResolveError> {
        let rules = Arc::clone(&self.rules);
        for (rule, provides) in rules.providers_of(name) {
            let mut wanted = provides.package_range(range);
            let provider_id = self.interner.name_id(&provides.package);
            if let Some(current) = self.current_range(provider_id) {
                wanted = wanted.intersection(&current);
            }
            let Some(version) = self.stand_in_version(&provides.package, &wanted)? else {
                continue;
            };
            let Some(provided) = provides.provided_version(&version) else {
                continue;
            };
            let candidate = Self::provided_candidate(rule, provides, provided);
            return Ok(Some(candidate));
        }
        Ok(None)
    }

    fn provided_candidate(
        rule: &Arc<Rule>,
        provides: &bnbpip_overlay::Provides,
        version: Version,
    ) -> Candidate<P::File> {
        Candidate {
            origin: Origin::Provided {
                rule: rule.id.clone(),
                provider: provides.package.clone(),
                range: provides.package_range(&VersionRange::singleton(version.clone())),
            },
            version,
        }
    }

    fn stand_in_version(
        &mut self,
        provider: &PackageName,
        range: &VersionRange,
    ) -> Result<Option<Version>, ResolveError> {
        if let Some(kept) = self.request.kept(provider)
            && range.contains(&kept.version)
        {
            return Ok(Some(kept.version.clone()));
        }
        let Some(list) = self.list(provider)? else {
            return Ok(None);
        };
        let best = self.best_in(provider, &list, range, &mut Vec::new());
        Ok(best.map(|candidate| candidate.version))
    }
}
