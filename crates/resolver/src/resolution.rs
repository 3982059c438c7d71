//! The result: exact versions, the exact file for each, and why.

mod effects;

use std::sync::Arc;

use bnbpip_overlay::{MachineFact, Rule, RuleId};
use bnbpip_packaging::{ExtraName, PackageName, Version};
use rustc_hash::{FxHashMap, FxHashSet};

use self::effects::rule_effects;
use crate::attempts::Care;
use crate::choose::Origin;
use crate::package::{NameId, SolverPackage};
use crate::provider::MetadataProvider;
use crate::rules;
use crate::solve::{PackageId, Solver};

/// A set of packages that satisfies the request and the rules.
#[derive(Debug, Clone)]
pub struct Resolution<F> {
    /// The packages by name, each once; stand-ins appear under their own name.
    pub packages: Vec<ResolvedPackage<F>>,
    /// Rules that made a difference.
    pub effects: Vec<RuleEffect>,
    /// `avoid` rules that had to give way.
    pub relaxed: Vec<Arc<Rule>>,
    /// What of the machine is behind these rules.
    pub machine: Vec<MachineFact>,
    /// Extras that were asked for and don't exist: package, version, extra.
    pub missing_extras: Vec<(PackageName, Version, ExtraName)>,
    /// Whether installed packages that the request doesn't reach had to be left out of account.
    pub left_installed_out: bool,
}

/// One package of a resolution.
#[derive(Debug, Clone)]
pub struct ResolvedPackage<F> {
    /// The project.
    pub name: PackageName,
    /// The version.
    pub version: Version,
    /// Where it comes from.
    pub source: Source<F>,
    /// The extras that were asked for, sorted.
    pub extras: Vec<ExtraName>,
    /// Whether the user named it.
    pub requested: bool,
    /// The packages of the resolution that need it, sorted.
    pub dependents: Vec<PackageName>,
    /// Whether the request reaches it; if not, it is installed and was kept consistent.
    pub reached: bool,
}

/// Where a resolved package comes from.
#[derive(Debug, Clone)]
pub enum Source<F> {
    /// It is installed already.
    Installed,
    /// A file of an index or of `--find-links`.
    Index(F),
    /// A URL that a requirement names.
    Direct {
        /// The file.
        file: F,
        /// The URL as it was written.
        url: String,
    },
}

/// A rule that made a difference to one package.
#[derive(Debug, Clone)]
pub struct RuleEffect {
    /// The rule.
    pub rule: Arc<Rule>,
    /// The package.
    pub package: PackageName,
}

type Chosen<'a> = FxHashMap<&'a PackageName, &'a Version>;

impl<F: Clone> Resolution<F> {
    pub(crate) fn build<P: MetadataProvider<File = F>>(
        solver: &mut Solver<'_, P>,
        relaxed: Vec<Arc<Rule>>,
        care: Care,
    ) -> Self {
        let mut builder = Builder::new(solver);
        builder.collect(solver);
        builder.mark_reached(solver);
        builder.pass_stand_ins();
        let mut packages = builder.packages;
        packages.sort_by(|a, b| a.name.cmp(&b.name));
        let mut effects = builder.effects;
        effects.extend(rule_effects(solver, &packages));
        effects.sort_by(|a, b| (&a.rule.id, &a.package).cmp(&(&b.rule.id, &b.package)));
        effects.dedup_by(|a, b| a.rule.id == b.rule.id && a.package == b.package);
        packages.retain(|package| package.reached || !matches!(package.source, Source::Installed));
        let versions: FxHashMap<_, _> = packages
            .iter()
            .map(|package| (package.name.clone(), package.version.clone()))
            .collect();
        let mut missing_extras = std::mem::take(&mut solver.missing_extras);
        missing_extras.retain(|(name, version, _)| versions.get(name) == Some(version));
        missing_extras.sort();
        missing_extras.dedup();
        let left_installed_out = care != Care::Everything;
        let shaping = effects.iter().map(|effect| &effect.rule).chain(&relaxed);
        let machine = rules::facts_behind(shaping, solver.provider.machine());
        Self {
            packages,
            effects,
            relaxed,
            machine,
            missing_extras,
            left_installed_out,
        }
    }
}

struct Builder<F> {
    packages: Vec<ResolvedPackage<F>>,
    effects: Vec<RuleEffect>,
    /// Which packages each package leads to.
    edges: FxHashMap<PackageName, Vec<PackageName>>,
    /// What needs each name that another package stands in for.
    stand_ins: FxHashMap<PackageName, Vec<PackageName>>,
    decided: FxHashMap<NameId, Version>,
    extras: FxHashMap<NameId, Vec<ExtraName>>,
}

impl<F: Clone> Builder<F> {
    fn new<P: MetadataProvider<File = F>>(solver: &Solver<'_, P>) -> Self {
        let mut decided = FxHashMap::default();
        let mut extras: FxHashMap<NameId, Vec<ExtraName>> = FxHashMap::default();
        for (id, version) in solver.decided() {
            match solver.state.package_store[id] {
                SolverPackage::Package(name) => {
                    decided.insert(name, version);
                }
                SolverPackage::Extra(name, extra) => {
                    extras
                        .entry(name)
                        .or_default()
                        .push(solver.interner.extra(extra).clone());
                }
                SolverPackage::Root | SolverPackage::Guard(_) | SolverPackage::Machine(_) => {}
            }
        }
        Self {
            packages: Vec::new(),
            effects: Vec::new(),
            edges: FxHashMap::default(),
            stand_ins: FxHashMap::default(),
            decided,
            extras,
        }
    }

    fn collect<P: MetadataProvider<File = F>>(&mut self, solver: &Solver<'_, P>) {
        let everything = Decided::of(solver);
        let requested: FxHashSet<&PackageName> = requested_names(solver).collect();
        let decided = std::mem::take(&mut self.decided);
        for (id, version) in &decided {
            let name = solver.interner.name(*id).clone();
            let Some(candidate) = solver.candidates.get(&(*id, version.clone())) else {
                continue;
            };
            let dependents = everything.dependents(solver, *id);
            for dependent in &dependents {
                self.edges
                    .entry(dependent.clone())
                    .or_default()
                    .push(name.clone());
            }
            let source = match &candidate.origin {
                Origin::Installed => Source::Installed,
                Origin::Index(file) => Source::Index(file.clone()),
                Origin::Direct(file, url) => Source::Direct {
                    file: file.clone(),
                    url: url.clone(),
                },
                Origin::Provided { rule, provider, .. } => {
                    self.stand_in(solver, rule, provider);
                    self.stand_ins.insert(name, dependents);
                    continue;
                }
            };
            let mut extras = self.extras.get(id).cloned().unwrap_or_default();
            extras.sort_unstable();
            self.packages.push(ResolvedPackage {
                requested: requested.contains(&name),
                version: version.clone(),
                source,
                extras,
                dependents,
                reached: false,
                name,
            });
        }
    }

    fn stand_in<P: MetadataProvider<File = F>>(
        &mut self,
        solver: &Solver<'_, P>,
        rule: &RuleId,
        provider: &PackageName,
    ) {
        let rule = solver.rules.rules().iter().find(|known| known.id == *rule);
        if let Some(rule) = rule {
            let rule = Arc::clone(rule);
            self.effects.push(RuleEffect {
                rule,
                package: provider.clone(),
            });
        }
    }

    /// What needs a name needs what stands in for it.
    fn pass_stand_ins(&mut self) {
        for package in &mut self.packages {
            let stands_in = |name: &PackageName| self.stand_ins.contains_key(name);
            if !package.dependents.iter().any(stands_in) {
                continue;
            }
            let dependents = std::mem::take(&mut package.dependents).into_iter();
            let dependents = dependents.flat_map(|name| match self.stand_ins.get(&name) {
                Some(others) => others.clone(),
                None => vec![name],
            });
            package.dependents = dependents.collect();
            package.dependents.sort_unstable();
            package.dependents.dedup();
        }
    }

    fn mark_reached<P: MetadataProvider<File = F>>(&mut self, solver: &Solver<'_, P>) {
        let mut reached: FxHashSet<PackageName> = FxHashSet::default();
        let mut open: Vec<PackageName> = requested_names(solver).cloned().collect();
        while let Some(name) = open.pop() {
            if reached.insert(name.clone()) {
                open.extend(self.edges.get(&name).into_iter().flatten().cloned());
            }
        }
        for package in &mut self.packages {
            package.reached = reached.contains(&package.name);
        }
    }
}

/// The packages that the user named.
fn requested_names<'a, P: MetadataProvider>(
    solver: &Solver<'a, P>,
) -> impl Iterator<Item = &'a PackageName> {
    let request = solver.request;
    let requirements = request.requested.iter().map(|given| &given.requirement);
    requirements
        .filter(|requirement| requirement.marker.evaluate(&request.markers, &[]))
        .map(|requirement| &requirement.name)
}

/// What the solver came to.
struct Decided {
    versions: FxHashMap<PackageId, Version>,
    /// A project and its extras.
    ids: FxHashMap<NameId, Vec<PackageId>>,
}

impl Decided {
    fn of<P: MetadataProvider>(solver: &Solver<'_, P>) -> Self {
        let versions = solver.decided();
        let mut ids: FxHashMap<NameId, Vec<PackageId>> = FxHashMap::default();
        for id in versions.keys() {
            if let Some(name) = solver.state.package_store[*id].name() {
                ids.entry(name).or_default().push(*id);
            }
        }
        Self { versions, ids }
    }

    /// The projects whose chosen versions need this one.
    fn dependents<P: MetadataProvider>(
        &self,
        solver: &Solver<'_, P>,
        name: NameId,
    ) -> Vec<PackageName> {
        let mut names = Vec::new();
        for id in self.ids.get(&name).into_iter().flatten() {
            for dependency in solver.state.dependencies(*id) {
                let chosen = self.versions.get(&dependency.dependent);
                let holds = |version| dependency.dependent_versions.contains(version);
                if dependency.dependency != *id || !chosen.is_some_and(holds) {
                    continue;
                }
                let dependent = solver.state.package_store[dependency.dependent].name();
                if let Some(dependent) = dependent
                    && dependent != name
                {
                    names.push(solver.interner.name(dependent).clone());
                }
            }
        }
        names.sort_unstable();
        names.dedup();
        names
    }
}
