//! The loop: propagate, pick a package, pick a version, add its dependencies.

mod decide;

use std::convert::Infallible;
use std::sync::Arc;

use bnbpip_overlay::ActiveRules;
use bnbpip_packaging::{ExtraName, PackageName, Version, VersionRange, range};
use pubgrub::{
    Dependencies, DependencyProvider, DerivationTree, Id, PackageResolutionStatistics, State,
};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::attempts::ResolveError;
use crate::choose::{Candidate, List};
use crate::conflicts::{ConflictHistory, Priority};
use crate::edges::{self, Seen};
use crate::package::{Interner, NameId, SolverPackage};
use crate::provider::MetadataProvider;
use crate::reason::Reason;
use crate::request::SolveRequest;
use crate::rules::{self, Guards};

/// The types that the solver library works on. Its own callbacks are never used: the loop is here.
#[derive(Debug)]
pub(crate) struct Dialect;

impl DependencyProvider for Dialect {
    type P = SolverPackage;
    type V = Version;
    type VS = VersionRange;
    type Priority = Priority;
    type M = Reason;
    type Err = Infallible;

    fn prioritize(
        &self,
        _: &SolverPackage,
        _: &VersionRange,
        _: &PackageResolutionStatistics,
    ) -> Priority {
        Priority::Fixed
    }

    fn choose_version(
        &self,
        _: &SolverPackage,
        _: &VersionRange,
    ) -> Result<Option<Version>, Infallible> {
        Ok(None)
    }

    fn get_dependencies(
        &self,
        _: &SolverPackage,
        _: &Version,
    ) -> Result<Dependencies<SolverPackage, VersionRange, Reason>, Infallible> {
        Ok(Dependencies::Available(std::iter::empty().collect()))
    }
}

pub(crate) type Tree = DerivationTree<SolverPackage, VersionRange, Reason>;
pub(crate) type PackageId = Id<SolverPackage>;

/// The state of one attempt.
pub(crate) struct Solver<'a, P: MetadataProvider> {
    pub(crate) provider: &'a P,
    pub(crate) request: &'a SolveRequest,
    pub(crate) rules: Arc<ActiveRules>,
    pub(crate) direct: &'a FxHashMap<PackageName, String>,
    pub(crate) state: State<Dialect>,
    pub(crate) interner: Interner,
    pub(crate) seen: Seen,
    pub(crate) lists: FxHashMap<PackageName, Option<List<P::File>>>,
    pub(crate) guards: Guards,
    pub(crate) candidates: FxHashMap<(NameId, Version), Candidate<P::File>>,
    pub(crate) missing_extras: Vec<(PackageName, Version, ExtraName)>,
    /// The newest version that was asked for when a package that rules speak of was decided.
    pub(crate) newest_wanted: FxHashMap<(NameId, Version), Version>,
    ruled: FxHashSet<NameId>,
    root_edges: Vec<(SolverPackage, VersionRange)>,
    ids: FxHashMap<SolverPackage, PackageId>,
    history: ConflictHistory,
    expanded: FxHashMap<PackageId, FxHashSet<Version>>,
    decided_at: FxHashMap<PackageId, u64>,
    decisions: u64,
    tries: FxHashMap<NameId, u32>,
    /// How many releases of a project have metadata that can't be read.
    unreadable: FxHashMap<NameId, usize>,
}

/// How one attempt ended.
pub(crate) enum Outcome {
    /// Every package has a version.
    Solved,
    /// No solution: the proof.
    NoSolution(Box<Tree>),
    /// A dependency names a URL for a package: start again knowing it.
    Direct(edges::DirectReference),
}

impl<'a, P: MetadataProvider> Solver<'a, P> {
    pub(crate) fn new(
        provider: &'a P,
        request: &'a SolveRequest,
        rules: Arc<ActiveRules>,
        direct: &'a FxHashMap<PackageName, String>,
    ) -> Self {
        let mut state = State::init(SolverPackage::Root, Version::new([0]));
        let mut interner = Interner::default();
        let guards = rules::install(&rules, &mut state, &mut interner);
        let spoken_of = rules::conflicting_names(&rules, &mut interner);
        for constraint in &request.constraints {
            let package = SolverPackage::Package(interner.name_id(&constraint.name));
            let package = state.package_store.alloc(package);
            let reason = Reason::Constraint(Arc::new((
                constraint.text.clone(),
                constraint.origin.clone(),
            )));
            let outside = constraint.range.complement();
            if !outside.is_empty() {
                state.add_unavailable(package, outside, reason);
            }
        }
        Self {
            provider,
            request,
            rules,
            direct,
            state,
            interner,
            seen: Seen::default(),
            lists: FxHashMap::default(),
            guards,
            candidates: FxHashMap::default(),
            missing_extras: Vec::new(),
            newest_wanted: FxHashMap::default(),
            ruled: spoken_of,
            root_edges: Vec::new(),
            ids: FxHashMap::default(),
            history: ConflictHistory::default(),
            expanded: FxHashMap::default(),
            decided_at: FxHashMap::default(),
            decisions: 0,
            tries: FxHashMap::default(),
            unreadable: FxHashMap::default(),
        }
    }

    /// Runs to a solution or to a proof that there is none. `companions` are installed packages
    /// that have to stay consistent: part of the request, at whatever version.
    pub(crate) fn run(&mut self, companions: &[PackageName]) -> Result<Outcome, ResolveError> {
        self.root_edges = self.request_edges(companions);
        if let Some(reference) = self.unknown_direct() {
            return Ok(Outcome::Direct(reference));
        }
        let mut next = self.state.root_package;
        loop {
            match self.state.unit_propagation(next) {
                Ok(conflicts) => {
                    let conflicts: Vec<_> = conflicts.into_iter().collect();
                    for (affected, conflict) in conflicts {
                        self.learn(affected, &conflict);
                    }
                }
                Err(tree) => return Ok(Outcome::NoSolution(Box::new(tree))),
            }
            let Some((package, range)) = self.pick() else {
                return Ok(Outcome::Solved);
            };
            next = package;
            if let Some(reference) = self.decide(package, &range)? {
                return Ok(Outcome::Direct(reference));
            }
        }
    }

    /// What the request asks for, in order.
    fn request_edges(&mut self, companions: &[PackageName]) -> Vec<(SolverPackage, VersionRange)> {
        let request = self.request;
        let requirements = request
            .requested
            .iter()
            .map(|requested| &requested.requirement);
        let mut edges = edges::edges(
            requirements,
            None,
            &request.markers,
            &mut self.interner,
            &mut self.seen,
        );
        for constraint in &request.constraints {
            if constraint.range.as_singleton().is_some() || is_exact(&constraint.text) {
                self.seen.pinned.insert(constraint.name.clone());
            }
        }
        for name in companions {
            let id = self.interner.name_id(name);
            edges.push((SolverPackage::Package(id), VersionRange::full()));
        }
        edges
    }

    /// The next package to decide, with the versions that are left.
    fn pick(&mut self) -> Option<(PackageId, VersionRange)> {
        let Self {
            state,
            history,
            direct,
            interner,
            ..
        } = self;
        let State {
            partial_solution,
            package_store,
            ..
        } = state;
        partial_solution
            .pick_highest_priority_pkg(|id, range| match package_store[id] {
                SolverPackage::Root => Priority::Root,
                SolverPackage::Guard(_) | SolverPackage::Machine(_) => Priority::Fixed,
                SolverPackage::Package(name) | SolverPackage::Extra(name, _) => {
                    if direct.contains_key(interner.name(name)) {
                        Priority::Fixed
                    } else {
                        history.priority(name, is_pin(range))
                    }
                }
            })
            .map(|(package, range)| (package, range.clone()))
    }

    fn unknown_direct(&mut self) -> Option<edges::DirectReference> {
        let direct = self.direct;
        self.seen
            .direct
            .iter()
            .find(|reference| !direct.contains_key(&reference.name))
            .cloned()
    }

    fn announce(&mut self, edges: &[(SolverPackage, VersionRange)]) {
        for (package, range) in edges {
            let id = self.state.package_store.alloc(*package);
            self.ids.insert(*package, id);
            let Some(name) = package.name() else { continue };
            self.history.discover(name);
            let project = self.interner.name(name);
            let stays = self
                .request
                .kept(project)
                .is_some_and(|kept| range.contains(&kept.version));
            if !stays && !self.direct.contains_key(project) {
                self.provider.prefetch(project, range);
            }
        }
    }

    /// From the fifth try of a package on, several versions' metadata is asked for ahead.
    fn announce_batch(&mut self, name: NameId, range: &VersionRange, version: &Version) {
        let tries = self.tries.entry(name).or_default();
        *tries += 1;
        let due = matches!(*tries, 5 | 10) || (*tries >= 20 && tries.is_multiple_of(20));
        if due {
            let count = (*tries as usize * 2).min(50);
            self.provider
                .prefetch_batch(self.interner.name(name), range, version, count);
        }
    }

    /// Counts who stood in whose way; steps back when the order changed.
    fn learn(&mut self, affected: PackageId, conflict: &pubgrub::ConflictId<Dialect>) {
        let Some(affected_name) = self.state.package_store[affected].name() else {
            return;
        };
        let culprit = self
            .state
            .conflict_packages(conflict)
            .filter(|id| {
                self.state.package_store[*id]
                    .name()
                    .is_some_and(|n| n != affected_name)
            })
            .max_by_key(|id| self.decided_at.get(id).copied().unwrap_or_default());
        let Some(culprit) = culprit else { return };
        let Some(culprit_name) = self.state.package_store[culprit].name() else {
            return;
        };
        if self.history.record(affected_name, culprit_name) {
            self.state.backtrack_package(culprit);
        }
    }

    /// The solver library's id of a package, if it was met.
    pub(crate) fn package_id(&self, package: SolverPackage) -> Option<PackageId> {
        self.ids.get(&package).copied()
    }

    /// The decisions so far.
    pub(crate) fn decided(&self) -> FxHashMap<PackageId, Version> {
        self.state.partial_solution.extract_solution().collect()
    }

    /// The versions of a project that the partial solution leaves, if it is in it.
    pub(crate) fn current_range(&self, name: NameId) -> Option<VersionRange> {
        let package = self.package_id(SolverPackage::Package(name))?;
        match self
            .state
            .partial_solution
            .term_intersection_for_package(package)?
        {
            pubgrub::Term::Positive(versions) => Some(versions.clone()),
            pubgrub::Term::Negative(versions) => Some(versions.complement()),
        }
    }
}

/// Whether a range holds one public version, with or without its local versions.
fn is_pin(range: &VersionRange) -> bool {
    if range.as_singleton().is_some() {
        return true;
    }
    match range.bounding_range() {
        Some((std::ops::Bound::Included(version), _)) => {
            range.subset_of(&range::equal(version.clone().without_local()))
        }
        _ => false,
    }
}

fn is_exact(text: &str) -> bool {
    text.contains("==") && !text.contains('*') && !text.contains('!')
}
