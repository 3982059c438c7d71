//! The rules that hold in one environment, indexed for questions about a package.

use std::collections::HashMap;
use std::sync::Arc;

use bnbpip_packaging::{MarkerEnvironment, PackageName, Requirement, Version, WheelFilename};

use crate::rules::{
    MachineFact, MachineFacts, MachineSide, Provides, Rule, RuleKind, Side, Subject,
};

/// The rules of an [`crate::Overlay`] that hold in one environment.
#[derive(Debug, Clone)]
pub struct ActiveRules {
    rules: Vec<Arc<Rule>>,
    environment: MarkerEnvironment,
    exclusions: HashMap<PackageName, Vec<usize>>,
    requirements: HashMap<PackageName, Vec<usize>>,
    providers: HashMap<PackageName, Vec<usize>>,
}

/// A conflict in effect: not all of the sides may be present.
#[derive(Debug, Clone, Copy)]
pub struct ActiveConflict<'a> {
    /// The rule that says so.
    pub rule: &'a Arc<Rule>,
    /// The sides of packages; a side is present when any of its packages is, in its range.
    pub sides: &'a [Side],
    /// The sides of the machine.
    pub machine: &'a [MachineSide],
}

/// A rule that a set of packages breaks.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The rule.
    pub rule: Arc<Rule>,
    /// The packages concerned, in the order in which the rule names them.
    pub packages: Vec<(PackageName, Version)>,
    /// What of the machine is concerned.
    pub machine: Vec<MachineFact>,
}

impl ActiveRules {
    pub(crate) fn new(
        rules: impl Iterator<Item = Arc<Rule>>,
        environment: MarkerEnvironment,
    ) -> Self {
        let mut active = Self {
            rules: rules.collect(),
            environment,
            exclusions: HashMap::new(),
            requirements: HashMap::new(),
            providers: HashMap::new(),
        };
        for (position, rule) in active.rules.iter().enumerate() {
            match &rule.kind {
                RuleKind::Conflict(_) => {}
                RuleKind::Exclude(exclude) => {
                    active
                        .exclusions
                        .entry(exclude.package.clone())
                        .or_default()
                        .push(position);
                }
                RuleKind::Requires(requires) => {
                    for name in &requires.packages {
                        active
                            .requirements
                            .entry(name.clone())
                            .or_default()
                            .push(position);
                    }
                }
                RuleKind::Provides(provides) => {
                    active
                        .providers
                        .entry(provides.provided.clone())
                        .or_default()
                        .push(position);
                }
            }
        }
        active
    }

    /// The environment that the rules were chosen for.
    pub fn environment(&self) -> &MarkerEnvironment {
        &self.environment
    }

    /// The rules, by identifier.
    pub fn rules(&self) -> &[Arc<Rule>] {
        &self.rules
    }

    /// Every conflict, with full ranges.
    pub fn conflicts(&self) -> impl Iterator<Item = ActiveConflict<'_>> {
        self.rules.iter().filter_map(|rule| match &rule.kind {
            RuleKind::Conflict(conflict) => Some(ActiveConflict {
                rule,
                sides: &conflict.sides,
                machine: &conflict.machine,
            }),
            _ => None,
        })
    }

    /// Whether some exclusion speaks about the package: if not, [`Self::excluded`] need not be asked.
    pub fn has_exclusions(&self, name: &PackageName) -> bool {
        self.exclusions.contains_key(name)
    }

    /// The rule that leaves out this release or, where a wheel is given, this wheel of it. The strictest one counts.
    ///
    /// Without a wheel, only rules about whole releases answer.
    pub fn excluded(
        &self,
        name: &PackageName,
        version: &Version,
        wheel: Option<&WheelFilename>,
    ) -> Option<&Arc<Rule>> {
        let positions = self.exclusions.get(name)?;
        let rules = positions.iter().map(|position| &self.rules[*position]);
        rules
            .filter(|rule| match &rule.kind {
                RuleKind::Exclude(exclude) => {
                    exclude.versions.contains(version)
                        && match wheel {
                            Some(wheel) => exclude.names_wheel(wheel),
                            None => !exclude.is_limited_to_wheels(),
                        }
                }
                _ => false,
            })
            .min_by_key(|rule| rule.severity)
    }

    /// The requirements that the metadata of this release lacks. Their own markers are still to be evaluated.
    pub fn extra_requirements<'a>(
        &'a self,
        name: &PackageName,
        version: &'a Version,
    ) -> impl Iterator<Item = (&'a Arc<Rule>, &'a Requirement)> + use<'a> {
        let positions = self
            .requirements
            .get(name)
            .map(Vec::as_slice)
            .unwrap_or_default();
        positions.iter().filter_map(move |position| {
            let rule = &self.rules[*position];
            match &rule.kind {
                RuleKind::Requires(requires) if requires.versions.contains(version) => {
                    Some((rule, &requires.requirement))
                }
                _ => None,
            }
        })
    }

    /// The distributions that may stand in for this one.
    pub fn providers_of(
        &self,
        name: &PackageName,
    ) -> impl Iterator<Item = (&Arc<Rule>, &Provides)> + use<'_> {
        let positions = self
            .providers
            .get(name)
            .map(Vec::as_slice)
            .unwrap_or_default();
        positions.iter().filter_map(|position| {
            let rule = &self.rules[*position];
            match &rule.kind {
                RuleKind::Provides(provides) => Some((rule, provides)),
                _ => None,
            }
        })
    }

    /// The rules that a set of packages breaks on a machine, by identifier. The machine is asked only
    /// if that decides about a rule.
    ///
    /// A rule about single wheels counts for a package whose wheel is not known. Stand-ins are not findings.
    pub fn evaluate(&self, set: &[Subject], machine: &dyn MachineFacts) -> Vec<Finding> {
        self.evaluate_some(set, machine, |_| true)
    }

    /// The same for some of the rules.
    pub fn evaluate_some(
        &self,
        set: &[Subject],
        machine: &dyn MachineFacts,
        is_wanted: impl Fn(&Rule) -> bool,
    ) -> Vec<Finding> {
        let broken = self.rules.iter().filter_map(|rule| {
            if matches!(rule.kind, RuleKind::Provides(_)) || !is_wanted(rule) {
                return None;
            }
            let applies = rule.applies(set, &self.environment, machine)?;
            let packages = applies
                .packages
                .iter()
                .map(|position| (set[*position].name.clone(), set[*position].version.clone()))
                .collect();
            Some(Finding {
                rule: Arc::clone(rule),
                packages,
                machine: applies.machine,
            })
        });
        broken.collect()
    }
}
