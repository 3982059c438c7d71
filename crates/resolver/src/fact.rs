//! The premises of a contradiction: what they say, joined where they say the same, in reading
//! order.

use std::sync::Arc;

use bnbpip_overlay::{MachineFact, Rule};
use bnbpip_packaging::{ExtraName, PackageName, Version, VersionRange};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::reason::VersionReasons;

/// A package with one of its extras.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Project {
    /// The package.
    pub name: PackageName,
    /// The extra, if the fact is about it.
    pub extra: Option<ExtraName>,
}

/// One premise.
#[derive(Debug, Clone)]
pub enum Fact {
    /// The user asks for it: the requirement as it was written, and where it stands.
    Requested {
        /// The package.
        name: PackageName,
        /// The requirement.
        requirement: String,
        /// Where it stands, if not on the command line.
        origin: Option<String>,
    },
    /// It is installed, and has to stay consistent.
    Installed {
        /// The package.
        name: PackageName,
        /// The version.
        version: Version,
    },
    /// These versions of a package need those of another.
    Depends {
        /// The package.
        project: Project,
        /// The versions that say so.
        versions: VersionRange,
        /// What they need.
        dependency: Project,
        /// The versions that they accept.
        accepted: VersionRange,
    },
    /// The machine has it.
    Machine(MachineFact),
    /// A rule keeps packages apart, or excludes versions.
    Rule(Arc<Rule>),
    /// No index has it.
    NotFound(PackageName),
    /// It has no version in the range.
    NoVersions {
        /// The package.
        name: PackageName,
        /// The range.
        range: VersionRange,
    },
    /// Its versions in the range can't be taken, each for its reason.
    Versions {
        /// The package.
        name: PackageName,
        /// The versions.
        reasons: VersionReasons,
    },
    /// A constraint limits it.
    Constraint {
        /// The package.
        name: PackageName,
        /// The constraint as it was written.
        text: String,
        /// Where it stands.
        origin: Option<String>,
    },
}

impl Fact {
    /// The packages that it speaks of.
    pub(crate) fn packages(&self) -> Vec<PackageName> {
        match self {
            Fact::Depends {
                project,
                dependency,
                ..
            } => {
                vec![project.name.clone(), dependency.name.clone()]
            }
            Fact::NotFound(name) | Fact::NoVersions { name, .. } | Fact::Versions { name, .. } => {
                vec![name.clone()]
            }
            Fact::Rule(rule) => rule.packages().into_iter().cloned().collect(),
            _ => Vec::new(),
        }
    }
}

/// Joins the same dependency of several versions into one fact, and the reasons of one package.
pub(crate) fn merge(facts: Vec<Fact>) -> Vec<Fact> {
    let mut merged: Vec<Fact> = Vec::new();
    let mut lists: FxHashMap<PackageName, Vec<VersionReasons>> = FxHashMap::default();
    for fact in facts {
        if let Fact::Versions { name, reasons } = &fact {
            let lists = lists.entry(name.clone()).or_default();
            lists.push(Arc::clone(reasons));
            if lists.len() == 1 {
                merged.push(fact);
            }
        } else if merged
            .iter_mut()
            .find_map(|known| join(known, &fact))
            .is_none()
        {
            merged.push(fact);
        }
    }
    for fact in &mut merged {
        if let Fact::Versions { name, reasons } = fact
            && let Some(lists) = lists.get(name)
            && lists.len() > 1
        {
            // All at once: there can be hundreds, and one of a hundred thousand.
            let mut all: Vec<_> = lists.iter().flat_map(|list| list.iter()).cloned().collect();
            all.sort_by(|(a, _), (b, _)| b.cmp(a));
            all.dedup();
            *reasons = Arc::new(all);
        }
    }
    merged
}

/// Takes `fact` into `known` if both say the same of different versions.
fn join(known: &mut Fact, fact: &Fact) -> Option<()> {
    match (known, fact) {
        (
            Fact::Depends {
                project,
                versions,
                dependency,
                accepted,
            },
            Fact::Depends {
                project: other,
                versions: more,
                dependency: other_dependency,
                accepted: other_accepted,
            },
        ) if project == other && dependency == other_dependency && accepted == other_accepted => {
            *versions = versions.union(more);
            Some(())
        }
        (
            Fact::NoVersions { name, range },
            Fact::NoVersions {
                name: other,
                range: more,
            },
        ) if name == other => {
            *range = range.union(more);
            Some(())
        }
        _ => None,
    }
}

/// From the request outwards: a fact comes once the package that it is about was mentioned.
pub(crate) fn in_reading_order(facts: Vec<Fact>) -> Vec<Fact> {
    let mut known: FxHashSet<PackageName> = FxHashSet::default();
    let mut ordered = Vec::with_capacity(facts.len());
    let mut rest = facts;
    loop {
        let (ready, waiting): (Vec<Fact>, Vec<Fact>) =
            rest.into_iter().partition(|fact| is_ready(fact, &known));
        if ready.is_empty() {
            ordered.extend(waiting);
            return ordered;
        }
        for fact in &ready {
            match fact {
                Fact::Requested { name, .. } | Fact::Installed { name, .. } => {
                    known.insert(name.clone());
                }
                Fact::Depends { dependency, .. } => {
                    known.insert(dependency.name.clone());
                }
                _ => {}
            }
        }
        ordered.extend(ready);
        rest = waiting;
    }
}

fn is_ready(fact: &Fact, known: &FxHashSet<PackageName>) -> bool {
    match fact {
        Fact::Requested { .. } | Fact::Installed { .. } => true,
        Fact::Depends { project, .. } => known.contains(&project.name),
        Fact::NotFound(name)
        | Fact::NoVersions { name, .. }
        | Fact::Versions { name, .. }
        | Fact::Constraint { name, .. } => known.contains(name),
        // The machine comes after what was asked for.
        Fact::Machine(_) => !known.is_empty(),
        // Rules close the argument.
        Fact::Rule(_) => false,
    }
}
