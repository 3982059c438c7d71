//! One resolution for each environment and accelerator, each with the others as its preference.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use bnbpip_installer::InstalledEnvironment;
use bnbpip_lock::{Lock, LockedPackage, Solution};
use bnbpip_packaging::{PackageName, Version};
use bnbpip_resolver::PreferredVersions;

use super::facts::{self, KnownSizes};
use super::locked::{self, Locking};
use super::{LockTarget, Run, project};
use crate::commands::resolve::accelerator::{Accelerator, local};
use crate::commands::resolve::machine::Machine;
use crate::commands::resolve::{
    CommandWords, InstalledPolicy, LockedFiles, Resolved, Resolving, requirements,
};
use crate::failure::Failure;
use crate::request::Request;

/// The solutions, and what is to be told about them.
#[derive(Default)]
pub(super) struct Solved {
    pub(super) solutions: Vec<Solution>,
    /// The rules that shaped them.
    pub(super) rules: BTreeSet<String>,
    /// What of the machine is behind these.
    pub(super) machine: BTreeSet<String>,
    /// Sentences about rules that had to be broken, and indexes that can't be asked.
    warnings: BTreeSet<String>,
}

/// One environment with one accelerator.
#[derive(Clone, Copy)]
struct Place<'a> {
    number: usize,
    target: &'a LockTarget,
    family: Option<&'a str>,
}

impl Run<'_> {
    /// Solves for every environment and accelerator.
    pub(super) fn solve_all(&self, old: &Lock) -> Result<Solved, Failure> {
        let mut all = Solved::default();
        for family in &self.families {
            let family = family.as_deref();
            let first = self.solve_family(old, family, &all.solutions, &BTreeMap::new())?;
            // An environment that was solved later may lack a version that an earlier one was
            // given: both can have the later one's, it may be.
            let lowest = differing(&first.solutions);
            let found = if lowest.is_empty() {
                first
            } else {
                match self.solve_family(old, family, &all.solutions, &lowest) {
                    Ok(second) if excess(&second.solutions) < excess(&first.solutions) => second,
                    _ => first,
                }
            };
            all.solutions.extend(found.solutions);
            all.rules.extend(found.rules);
            all.machine.extend(found.machine);
            all.warnings.extend(found.warnings);
        }
        for warning in &all.warnings {
            self.printer.warning(warning);
        }
        Ok(all)
    }

    /// Solves for every environment with one accelerator. `first` are the versions to try before
    /// those of the old lock and of the solutions that are there.
    fn solve_family(
        &self,
        old: &Lock,
        family: Option<&str>,
        others: &[Solution],
        first: &BTreeMap<PackageName, Version>,
    ) -> Result<Solved, Failure> {
        let mut solved = Solved::default();
        let known = KnownSizes::of(old);
        for (number, target) in self.targets.iter().enumerate() {
            let place = Place {
                number,
                target,
                family,
            };
            let mut preferred = PreferredVersions::default();
            for (name, version) in first {
                preferred.insert(name.clone(), vec![version.clone()]);
            }
            let elsewhere = others.iter().chain(&solved.solutions);
            self.prefer(&mut preferred, old, place, elsewhere);
            let warnings = &mut solved.warnings;
            let (solution, resolved) = self.solution(place, preferred, &known, warnings)?;
            let effects = resolved.resolution.effects.iter();
            let rules = effects.map(|effect| effect.rule.id.to_string());
            solved.rules.extend(rules);
            let facts = resolved.resolution.machine.iter();
            solved.machine.extend(facts.map(ToString::to_string));
            for rule in &resolved.resolution.relaxed {
                solved.warnings.insert(format!(
                    "{}: accepted, because nothing else meets the request",
                    bnbpip_report::explain::rule_sentence_here(rule, &resolved.resolution.machine)
                ));
            }
            solved.solutions.push(solution);
        }
        Ok(solved)
    }

    fn solution(
        &self,
        place: Place<'_>,
        preferred: PreferredVersions,
        known: &KnownSizes,
        warnings: &mut BTreeSet<String>,
    ) -> Result<(Solution, Resolved), Failure> {
        let resolved = self.resolve(place, preferred, &self.inputs.all())?;
        let files = locked::files(&resolved.resolution);
        let facts = facts::gather(&files, known, &resolved.client, warnings);
        let facts = resolved.runtime.block_on(facts)?;
        let folder = self.folder();
        let locking = Locking {
            inputs: &self.inputs,
            markers: &place.target.target.markers,
            facts: &facts,
            sources: self.sources.as_ref(),
            folder: Path::new(&folder),
            community: resolved.community.as_deref(),
        };
        if let Some(community) = &resolved.community {
            community.say(&resolved.resolution, self.printer);
        }
        let mut packages = locking.packages(&resolved.resolution)?;
        if self.resolve.only_deps {
            let solution = resolved.resolution.packages.iter();
            let asked: Vec<_> = solution
                .filter(|it| it.requested)
                .map(|it| &it.name)
                .collect();
            packages.retain(|package| !asked.contains(&&package.name));
        }
        self.mark(place, &resolved, &mut packages)?;
        let solution = Solution {
            environment: place.number,
            accelerator: place.family.map(str::to_owned),
            packages,
        };
        Ok((solution, resolved))
    }

    /// Says of each package which extras and groups it is for. All together have one solution;
    /// it is kept to for each alone, so that only the packages' names have to be compared.
    fn mark(
        &self,
        place: Place<'_>,
        resolved: &Resolved,
        packages: &mut [LockedPackage],
    ) -> Result<(), Failure> {
        if self.inputs.parts.is_empty() {
            return Ok(());
        }
        let solution = resolved.resolution.packages.iter();
        let preferred: PreferredVersions = solution
            .map(|package| (package.name.clone(), vec![package.version.clone()]))
            .collect();
        let names = |request: &Request| -> Result<Vec<PackageName>, Failure> {
            if request.requirements.is_empty() {
                return Ok(Vec::new());
            }
            let alone = self.resolve(place, preferred.clone(), request)?;
            let packages = alone.resolution.packages.iter();
            Ok(packages.map(|package| package.name.clone()).collect())
        };
        let base = names(&self.inputs.base)?;
        let mut parts = Vec::new();
        for part in &self.inputs.parts {
            parts.push((part, names(&self.inputs.with(part))?));
        }
        project::mark(packages, &base, &parts)
    }

    fn resolve(
        &self,
        place: Place<'_>,
        preferred: PreferredVersions,
        request: &Request,
    ) -> Result<Resolved, Failure> {
        let overlay = self.overlay.clone();
        let target = &place.target.target;
        let rules = Arc::new(overlay.active(&target.markers));
        let mut request = request.clone();
        let mut options = format!(" --environment {}", place.target.name);
        let chosen = if let Some(family) = place.family {
            options.push_str(" --accelerator ");
            options.push_str(family);
            Accelerator::named(family, &self.resolve, &mut request)
        } else {
            let nothing = || Ok(InstalledEnvironment::default());
            let (settings, printer) = (self.settings, self.printer);
            let options = &self.resolve;
            Accelerator::choose(options, &mut request, target, nothing, settings, printer).map(drop)
        };
        chosen.map_err(|failure| {
            failure.context(format!("Failed to lock for {}", place.target.name))
        })?;
        let mut constraints = requirements::constraints(&request, &target.markers);
        constraints.extend(self.upgrades.limits().iter().cloned());
        let resolving = Resolving {
            options: &self.resolve,
            policy: InstalledPolicy::default(),
            command: CommandWords {
                name: "lock",
                options,
            },
            settings: self.settings,
            printer: self.printer,
            request: &request,
            target,
            overlay,
            constraints,
            rules,
            preferred,
            sources: self.sources.clone(),
            machine: self.machine(),
            connections: self.connections.clone(),
            locked: LockedFiles::default(),
        };
        resolving
            .run(rustc_hash::FxHashMap::default())
            .map_err(|failure| {
                let description = &target.description;
                failure.context(match place.family {
                    Some(family) => format!("Failed to lock for {description} with {family}"),
                    None => format!("Failed to lock for {description}"),
                })
            })
    }

    /// The machine that the lock is for, as the variables tell. This one isn't asked: a lock is for others, too.
    pub(super) fn machine(&self) -> Machine {
        Machine::told(self.settings, self.printer)
    }

    /// What the old lock has for the environment comes first, then what others were given.
    fn prefer<'s>(
        &self,
        preferred: &mut PreferredVersions,
        old: &Lock,
        place: Place<'_>,
        elsewhere: impl Iterator<Item = &'s Solution>,
    ) {
        let markers = &place.target.target.markers;
        self.preferences.add_to(preferred, markers, &self.upgrades);
        let own = place.family.or(self.resolve.accelerator());
        let accelerators = &old.inputs.accelerators;
        let counts = |name: &&String| !accelerators.contains(name) || Some(name.as_str()) == own;
        let extras: Vec<String> = old.extras.iter().filter(counts).cloned().collect();
        let holds = |marker: &bnbpip_lock::LockMarker| {
            marker.evaluate(markers, &extras, &old.dependency_groups)
        };
        let here = old.packages.iter().filter(|package| {
            package.marker.as_ref().is_none_or(holds) && !self.upgrades.has(&package.name)
        });
        for package in here {
            add(preferred, package, None);
        }
        for solution in elsewhere {
            let is_other = solution.accelerator.as_deref() != place.family;
            for package in &solution.packages {
                add(preferred, package, place.family.filter(|_| is_other));
            }
        }
    }
}

/// Adds a version behind those that are tried before it. What was built for another accelerator
/// stands for the same release built for this one.
fn add(preferred: &mut PreferredVersions, package: &LockedPackage, family: Option<&str>) {
    let Some(version) = &package.version else {
        return;
    };
    let versions = preferred.entry(package.name.clone()).or_default();
    if let Some(family) = family
        && local(version).is_some()
    {
        let public = version.clone().without_local();
        versions.extend(format!("{public}+{family}").parse::<Version>().ok());
        versions.push(public);
        return;
    }
    versions.push(version.clone());
}

/// The different versions of each package.
fn versions(solutions: &[Solution]) -> BTreeMap<&PackageName, BTreeSet<&Version>> {
    let mut versions: BTreeMap<&PackageName, BTreeSet<&Version>> = BTreeMap::new();
    for package in solutions.iter().flat_map(|solution| &solution.packages) {
        if let Some(version) = &package.version {
            versions.entry(&package.name).or_default().insert(version);
        }
    }
    versions
}

/// The lowest version of each package of which there are several.
fn differing(solutions: &[Solution]) -> BTreeMap<PackageName, Version> {
    let versions = versions(solutions).into_iter();
    let several = versions.filter(|(_, versions)| versions.len() > 1);
    several
        .filter_map(|(name, versions)| Some((name.clone(), (*versions.first()?).clone())))
        .collect()
}

/// How many versions there are beyond one a package.
fn excess(solutions: &[Solution]) -> usize {
    let versions = versions(solutions);
    versions.values().map(|versions| versions.len() - 1).sum()
}
