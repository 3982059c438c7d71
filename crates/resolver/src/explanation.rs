//! Why there is no solution: the proof's premises, as facts that are each true by themselves.
//!
//! PubGrub's proof is a tree whose leaves are what was given: requirements, dependencies, missing
//! versions, rules. The inner nodes follow from the leaves, so the leaves alone say why; they are
//! brought into the order in which a person would walk from the request to the contradiction.
//! Guards are folded back into the rule behind them.

use std::collections::hash_map::Entry;
use std::sync::Arc;

use bnbpip_overlay::{MachineFact, Rule, Severity};
use bnbpip_packaging::{PackageName, Version, VersionRange};
use pubgrub::{DerivationTree, External};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::attempts::ResolveError;
use crate::fact::{self, Fact, Project};
use crate::package::SolverPackage;
use crate::provider::MetadataProvider;
use crate::reason::{Reason, VersionReason};
use crate::request::PrereleasePolicy;
use crate::solve::{Solver, Tree};

/// The premises of a contradiction, in reading order.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// The facts.
    pub facts: Vec<Fact>,
    /// The versions that exist of each package that the facts speak of, ascending.
    pub existing: FxHashMap<PackageName, Vec<Version>>,
    /// Those of these packages of which no pre-release may be taken.
    pub only_final: FxHashSet<PackageName>,
    /// The versions that come into question for no request that doesn't pin them, of the packages
    /// of which no version fits, ascending.
    pub left_out: FxHashMap<PackageName, Vec<(Version, VersionReason)>>,
}

impl Explanation {
    /// The rules among the facts, of one severity.
    pub fn rules_of(&self, severity: Severity) -> Vec<Arc<Rule>> {
        self.rules()
            .filter(|rule| rule.severity == severity)
            .cloned()
            .collect()
    }

    /// The rules among the facts.
    pub fn rules(&self) -> impl Iterator<Item = &Arc<Rule>> {
        self.facts.iter().filter_map(|fact| match fact {
            Fact::Rule(rule) => Some(rule),
            _ => None,
        })
    }

    pub(crate) fn build<P: MetadataProvider>(
        solver: &mut Solver<'_, P>,
        tree: &Tree,
    ) -> Result<Self, ResolveError> {
        let mut collector = Collector::default();
        let mut visited = FxHashSet::default();
        collector.walk(solver, tree, &mut visited);
        let facts = fact::in_reading_order(fact::merge(collector.facts));
        let mut existing = FxHashMap::default();
        for name in facts.iter().flat_map(Fact::packages) {
            if let Entry::Vacant(entry) = existing.entry(name) {
                let versions = existing_versions(solver, entry.key())?;
                entry.insert(versions);
            }
        }
        let only_final =
            |name: &&PackageName| solver.request.prerelease_policy(name) == PrereleasePolicy::Never;
        let only_final = existing.keys().filter(only_final).cloned().collect();
        let mut left_out = FxHashMap::default();
        for fact in &facts {
            if let Fact::NoVersions { name, .. } | Fact::Versions { name, .. } = fact {
                left_out.insert(name.clone(), left_out_versions(solver, name)?);
            }
        }
        Ok(Self {
            facts,
            existing,
            only_final,
            left_out,
        })
    }
}

/// The versions on the indexes that have no file for the target, or were yanked.
fn left_out_versions<P: MetadataProvider>(
    solver: &mut Solver<'_, P>,
    name: &PackageName,
) -> Result<Vec<(Version, VersionReason)>, ResolveError> {
    if solver.direct.contains_key(name) {
        return Ok(Vec::new());
    }
    let Some(list) = solver.list(name)? else {
        return Ok(Vec::new());
    };
    let versions = list.versions().iter().enumerate();
    let left_out = versions.filter_map(|(index, version)| {
        let reason = match (list.file(index), list.yanked(index)) {
            (Err(unusable), _) => VersionReason::Unusable(unusable),
            (Ok(_), Some(yanked)) => VersionReason::Yanked(yanked.reason),
            (Ok(_), None) => return None,
        };
        Some((version.clone(), reason))
    });
    Ok(left_out.collect())
}

/// The versions on the indexes, and the installed one.
fn existing_versions<P: MetadataProvider>(
    solver: &mut Solver<'_, P>,
    name: &PackageName,
) -> Result<Vec<Version>, ResolveError> {
    let mut versions = match solver.direct.get(name) {
        Some(_) => Vec::new(),
        None => solver
            .list(name)?
            .map(|list| list.versions().to_vec())
            .unwrap_or_default(),
    };
    if let Some(installed) = solver.request.installed.get(name) {
        versions.push(installed.version.clone());
    }
    versions.sort_unstable();
    versions.dedup();
    Ok(versions)
}

#[derive(Default)]
struct Collector {
    facts: Vec<Fact>,
    rules: FxHashSet<String>,
    requested: FxHashSet<PackageName>,
}

impl Collector {
    fn walk<P: MetadataProvider>(
        &mut self,
        solver: &Solver<'_, P>,
        tree: &Tree,
        visited: &mut FxHashSet<usize>,
    ) {
        let mut open = vec![tree];
        while let Some(tree) = open.pop() {
            match tree {
                DerivationTree::External(external) => self.leaf(solver, external),
                DerivationTree::Derived(derived) => {
                    if derived.shared_id.is_some_and(|id| !visited.insert(id)) {
                        continue;
                    }
                    open.push(&derived.cause2);
                    open.push(&derived.cause1);
                }
            }
        }
    }

    fn leaf<P: MetadataProvider>(
        &mut self,
        solver: &Solver<'_, P>,
        external: &External<SolverPackage, VersionRange, Reason>,
    ) {
        match external {
            External::NotRoot(..) => {}
            External::NoVersions(SolverPackage::Machine(package), _) => {
                // What the machine hasn't breaks no rule: it is never part of a proof.
                if let Some(version) = solver.provider.machine().version(*package) {
                    let package = *package;
                    self.machine(MachineFact { package, version });
                }
            }
            External::NoVersions(package, range) => {
                if let Some(name) = package.name() {
                    let name = solver.interner.name(name).clone();
                    self.facts.push(Fact::NoVersions {
                        name,
                        range: range.clone(),
                    });
                }
            }
            External::FromDependencyOf(package, versions, dependency, accepted) => {
                self.dependency(solver, (*package, versions), (*dependency, accepted));
            }
            External::Custom(package, _, reason) => {
                if let Some(name) = package.name() {
                    self.custom(solver, solver.interner.name(name).clone(), reason);
                }
            }
        }
    }

    fn dependency<P: MetadataProvider>(
        &mut self,
        solver: &Solver<'_, P>,
        (package, versions): (SolverPackage, &VersionRange),
        (dependency, accepted): (SolverPackage, &VersionRange),
    ) {
        if let SolverPackage::Guard(guard) = dependency {
            if let Some(rule) = solver.guards.rule(guard) {
                self.rule(rule);
            }
            return;
        }
        let Some(dependency) = project(solver, dependency) else {
            return;
        };
        match project(solver, package) {
            None => self.request(solver, &dependency.name),
            // An extra needs its own project's version: true, and no news.
            Some(project) if project.name == dependency.name => {}
            Some(project) => self.facts.push(Fact::Depends {
                project,
                versions: versions.clone(),
                dependency,
                accepted: accepted.clone(),
            }),
        }
    }

    fn request<P: MetadataProvider>(&mut self, solver: &Solver<'_, P>, name: &PackageName) {
        if !self.requested.insert(name.clone()) {
            return;
        }
        let before = self.facts.len();
        for requested in &solver.request.requested {
            let requirement = &requested.requirement;
            if requirement.name == *name
                && requirement.marker.evaluate(&solver.request.markers, &[])
            {
                self.facts.push(Fact::Requested {
                    name: name.clone(),
                    requirement: requested.text.clone(),
                    origin: requested.origin.clone(),
                });
            }
        }
        if self.facts.len() == before
            && let Some(installed) = solver.request.installed.get(name)
        {
            let version = installed.version.clone();
            self.facts.push(Fact::Installed {
                name: name.clone(),
                version,
            });
        }
    }

    fn custom<P: MetadataProvider>(
        &mut self,
        solver: &Solver<'_, P>,
        name: PackageName,
        reason: &Reason,
    ) {
        match reason {
            Reason::NotFound => self.facts.push(Fact::NotFound(name)),
            Reason::Versions(reasons) => {
                self.facts.push(Fact::Versions {
                    name,
                    reasons: Arc::clone(reasons),
                });
            }
            Reason::Constraint(constraint) => {
                let (text, origin) = constraint.as_ref().clone();
                self.facts.push(Fact::Constraint { name, text, origin });
            }
            Reason::Rule(id) => {
                if let Some(rule) = solver.rules.rules().iter().find(|rule| rule.id == *id) {
                    self.rule(rule);
                }
            }
        }
    }

    fn machine(&mut self, fact: MachineFact) {
        let is_known = |known: &Fact| matches!(known, Fact::Machine(known) if *known == fact);
        if !self.facts.iter().any(is_known) {
            self.facts.push(Fact::Machine(fact));
        }
    }

    fn rule(&mut self, rule: &Arc<Rule>) {
        if self.rules.insert(rule.id.to_string()) {
            self.facts.push(Fact::Rule(Arc::clone(rule)));
        }
    }
}

fn project<P: MetadataProvider>(solver: &Solver<'_, P>, package: SolverPackage) -> Option<Project> {
    let name = solver.interner.name(package.name()?).clone();
    let extra = match package {
        SolverPackage::Extra(_, extra) => Some(solver.interner.extra(extra).clone()),
        _ => None,
    };
    Some(Project { name, extra })
}
