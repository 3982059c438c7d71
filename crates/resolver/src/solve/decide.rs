//! What a package is to be: its version, with its dependencies, or why it has none.

use std::sync::Arc;

use bnbpip_packaging::{Version, VersionRange};

use super::{PackageId, Solver};
use crate::attempts::ResolveError;
use crate::choose::{Candidate, Choice, Origin};
use crate::edges;
use crate::package::{ExtraId, NameId, SolverPackage};
use crate::provider::MetadataProvider;
use crate::reason::{Reason, VersionReason};
use crate::rules;

/// How many releases of a project may have metadata that can't be read before no more are asked
/// for: an index could go on for ever.
const UNREADABLE_LIMIT: usize = 500;

impl<P: MetadataProvider> Solver<'_, P> {
    /// Picks what a package is to be, and adds what follows from it. A URL that a dependency names
    /// is given back.
    pub(super) fn decide(
        &mut self,
        package: PackageId,
        range: &VersionRange,
    ) -> Result<Option<edges::DirectReference>, ResolveError> {
        match self.state.package_store[package] {
            SolverPackage::Root => {
                let edges = std::mem::take(&mut self.root_edges);
                self.announce(&edges);
                let only = VersionRange::singleton(Version::new([0]));
                self.state.add_package_version_dependencies(
                    package,
                    Version::new([0]),
                    only,
                    edges,
                );
                Ok(None)
            }
            SolverPackage::Guard(_) => {
                match rules::guard_choice(range) {
                    Some(version) => self.state.partial_solution.add_decision(package, version),
                    None => self.state.add_no_versions(package, range.clone()),
                }
                Ok(None)
            }
            SolverPackage::Machine(fact) => {
                let version = rules::fact_version(self.provider.machine(), fact);
                if range.contains(&version) {
                    self.state.partial_solution.add_decision(package, version);
                } else {
                    self.state.add_no_versions(package, range.clone());
                }
                Ok(None)
            }
            SolverPackage::Package(name) => self.decide_project(package, name, None, range),
            SolverPackage::Extra(name, extra) => {
                self.decide_project(package, name, Some(extra), range)
            }
        }
    }

    fn decide_project(
        &mut self,
        package: PackageId,
        name: NameId,
        extra: Option<ExtraId>,
        range: &VersionRange,
    ) -> Result<Option<edges::DirectReference>, ResolveError> {
        let shared = match extra {
            Some(_) => self.shared_with_project(package, name, range),
            None => Some(range.clone()),
        };
        let Some(range) = &shared else {
            return Ok(None);
        };
        let choice = match extra.and_then(|_| self.base_decision(name, range)) {
            Some(candidate) => Choice::Version(candidate),
            None => self.choose(name, range)?,
        };
        let candidate = match choice {
            Choice::Version(candidate) => candidate,
            Choice::NoVersions => {
                self.state.add_no_versions(package, range.clone());
                return Ok(None);
            }
            Choice::Unavailable(reason) => {
                self.state.add_unavailable(package, range.clone(), reason);
                return Ok(None);
            }
        };
        let version = candidate.version.clone();
        self.decisions += 1;
        self.decided_at.insert(package, self.decisions);
        // An extra is of its project's version: a dozen extras are no dozen tries.
        if extra.is_none() {
            self.announce_batch(name, range, &version);
        }
        self.note_newest_wanted(name, &candidate);
        if !self
            .expanded
            .entry(package)
            .or_default()
            .insert(version.clone())
        {
            self.candidates.insert((name, version.clone()), candidate);
            self.state.partial_solution.add_decision(package, version);
            return Ok(None);
        }
        let edges = match self.expand(name, extra, &candidate)? {
            Ok(edges) => edges,
            Err(reason) => {
                self.reject(package, name, range, &candidate, reason);
                return Ok(None);
            }
        };
        if let Some(reference) = self.unknown_direct() {
            return Ok(Some(reference));
        }
        self.announce(&edges);
        let versions = self.widened(name, &candidate);
        self.candidates.insert((name, version.clone()), candidate);
        self.state
            .add_package_version_dependencies(package, version, versions, edges);
        Ok(None)
    }

    /// Takes a candidate's version out, with the gap down to the one below: what is left is then one
    /// range however many are out. After too many of a project the rest of `range` goes with it.
    fn reject(
        &mut self,
        package: PackageId,
        name: NameId,
        range: &VersionRange,
        candidate: &Candidate<P::File>,
        reason: VersionReason,
    ) {
        let mut versions = self.widened(name, candidate);
        let unreadable = self.unreadable.entry(name).or_default();
        *unreadable += usize::from(matches!(reason, VersionReason::InvalidMetadata(_)));
        let give_up = *unreadable >= UNREADABLE_LIMIT;
        let mut reasons = vec![(candidate.version.clone(), reason)];
        if give_up && let Some(Some(list)) = self.lists.get(self.interner.name(name)) {
            let others = list.versions().iter().rev();
            let others = others.filter(|it| range.contains(it) && **it != candidate.version);
            reasons.extend(others.map(|it| (it.clone(), VersionReason::NotTried)));
            versions = range.clone();
        }
        self.state
            .add_unavailable(package, versions, Reason::Versions(Arc::new(reasons)));
    }

    /// The versions of an extra that its project can have as well. An extra is of its project's
    /// version: where none is left in common that is the conflict, and none need be looked at.
    fn shared_with_project(
        &mut self,
        package: PackageId,
        name: NameId,
        range: &VersionRange,
    ) -> Option<VersionRange> {
        let project = self.package_id(SolverPackage::Package(name));
        let (Some(project), Some(left)) = (project, self.current_range(name)) else {
            return Some(range.clone());
        };
        let shared = range.intersection(&left);
        if shared.is_empty() {
            self.state
                .add_dependency(package, range.clone(), (project, range.clone()));
            return None;
        }
        Some(shared)
    }

    /// The version that an extra's project already has.
    fn base_decision(&self, name: NameId, range: &VersionRange) -> Option<Candidate<P::File>> {
        let base = self.package_id(SolverPackage::Package(name))?;
        let decided = self
            .state
            .partial_solution
            .term_intersection_for_package(base)?;
        let version = match decided {
            pubgrub::Term::Positive(versions) => versions.as_singleton()?.clone(),
            pubgrub::Term::Negative(_) => return None,
        };
        if !range.contains(&version) {
            return None;
        }
        self.candidates.get(&(name, version)).cloned()
    }

    /// Remembers the newest version that the decisions so far ask for, where it isn't the chosen
    /// one: if a rule stands between them, it made a difference.
    fn note_newest_wanted(&mut self, name: NameId, candidate: &Candidate<P::File>) {
        if !self.ruled.contains(&name) || !matches!(candidate.origin, Origin::Index(_)) {
            return;
        }
        let project = self.interner.name(name).clone();
        let declared = self.declared_range(&project);
        let Some(Some(list)) = self.lists.get(&project).cloned() else {
            return;
        };
        let newest = self.newest(&project, &list, &declared);
        if let Some(newest) = newest
            && newest.version > candidate.version
        {
            self.newest_wanted
                .insert((name, candidate.version.clone()), newest.version);
        }
    }
}
