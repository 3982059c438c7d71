//! What a candidate leads to: its dependencies as edges, or why its version is out.

use std::sync::Arc;

use bnbpip_packaging::{VersionRange, range};

use crate::attempts::ResolveError;
use crate::choose::{Candidate, Origin};
use crate::edges;
use crate::package::{ExtraId, NameId, SolverPackage};
use crate::provider::{DependencyError, MetadataProvider, PackageMetadata};
use crate::reason::VersionReason;
use crate::rules;
use crate::solve::Solver;

impl<P: MetadataProvider> Solver<'_, P> {
    /// The edges of a candidate, or why its version is out.
    pub(crate) fn expand(
        &mut self,
        name: NameId,
        extra: Option<ExtraId>,
        candidate: &Candidate<P::File>,
    ) -> Result<Result<Vec<(SolverPackage, VersionRange)>, VersionReason>, ResolveError> {
        let project = self.interner.name(name).clone();
        let metadata = match &candidate.origin {
            Origin::Provided {
                provider, range, ..
            } => {
                let provider = SolverPackage::Package(self.interner.name_id(provider));
                let mut edges = vec![(provider, range.clone())];
                if extra.is_some() {
                    edges.push(Self::same_version(name, candidate));
                }
                return Ok(Ok(edges));
            }
            Origin::Installed => match self.request.installed.get(&project) {
                Some(installed) => Arc::clone(&installed.metadata),
                None => Arc::default(),
            },
            Origin::Index(file) | Origin::Direct(file, _) => {
                match self.provider.metadata(&project, &candidate.version, file) {
                    Ok(metadata) => metadata,
                    Err(DependencyError::Invalid(message)) => {
                        return Ok(Err(VersionReason::InvalidMetadata(message)));
                    }
                    Err(DependencyError::NotCached) => {
                        return Ok(Err(VersionReason::NotCached));
                    }
                    Err(DependencyError::NoBuild(wanted)) => {
                        return Ok(Err(VersionReason::NoBuild(wanted)));
                    }
                    Err(DependencyError::Provider(error)) => {
                        return Err(ResolveError::Provider(error));
                    }
                }
            }
        };
        if let Some(reason) = self.wrong_python(&metadata, candidate) {
            return Ok(Err(reason));
        }
        Ok(Ok(self.dependency_edges(name, extra, candidate, &metadata)))
    }

    fn wrong_python(
        &self,
        metadata: &PackageMetadata,
        candidate: &Candidate<P::File>,
    ) -> Option<VersionReason> {
        if self.request.ignore_requires_python || matches!(candidate.origin, Origin::Installed) {
            return None;
        }
        let wanted = metadata.requires_python.as_ref()?;
        let fits = range::from_specifiers(wanted).contains(&self.request.python_version);
        (!fits).then(|| VersionReason::RequiresPython(wanted.to_string()))
    }

    fn dependency_edges(
        &mut self,
        name: NameId,
        extra: Option<ExtraId>,
        candidate: &Candidate<P::File>,
        metadata: &PackageMetadata,
    ) -> Vec<(SolverPackage, VersionRange)> {
        let extra_name = extra.map(|extra| self.interner.extra(extra).clone());
        let mut found = Vec::new();
        if let Some(extra_name) = &extra_name {
            found.push(Self::same_version(name, candidate));
            if !metadata.provides_extra.contains(extra_name) {
                let project = self.interner.name(name).clone();
                let missing = (project, candidate.version.clone(), extra_name.clone());
                self.missing_extras.push(missing);
            }
        }
        if extra.is_none() {
            let project = self.interner.name(name);
            found.extend(rules::guard_edges(&self.rules, project, &candidate.version));
        }
        if self.request.no_dependencies {
            return found;
        }
        found.extend(edges::edges(
            metadata.requires_dist.iter(),
            extra_name.as_ref(),
            &self.request.markers,
            &mut self.interner,
            &mut self.seen,
        ));
        if extra.is_none() {
            for (built_for, range) in &metadata.builds {
                let built_for = self.interner.name_id(built_for);
                found.push((SolverPackage::Package(built_for), range.clone()));
            }
            let project = self.interner.name(name).clone();
            let rules = Arc::clone(&self.rules);
            for (_, requirement) in rules.extra_requirements(&project, &candidate.version) {
                if requirement.marker.evaluate(&self.request.markers, &[]) {
                    edges::push(requirement, &mut self.interner, &mut self.seen, &mut found);
                }
            }
        }
        // A project that requires itself asks for nothing new.
        let itself = SolverPackage::Package(name);
        if extra.is_none() {
            found.retain(|(package, _)| *package != itself);
        }
        found
    }

    fn same_version(name: NameId, candidate: &Candidate<P::File>) -> (SolverPackage, VersionRange) {
        (
            SolverPackage::Package(name),
            VersionRange::singleton(candidate.version.clone()),
        )
    }

    /// The candidate's version widened to its neighbours' borders: no other existing version is
    /// inside, and adjacent versions with equal dependencies merge.
    pub(crate) fn widened(&self, name: NameId, candidate: &Candidate<P::File>) -> VersionRange {
        let single = VersionRange::singleton(candidate.version.clone());
        let project = self.interner.name(name);
        let installed = self.request.installed.contains_key(project);
        match (&candidate.origin, self.lists.get(project)) {
            (Origin::Index(_), Some(Some(list))) if !installed => {
                single.widen_versions(list.versions())
            }
            _ => single,
        }
    }
}
