//! What differs between two locks, package by package and, where it isn't the same everywhere,
//! place by place.

mod side;

use std::collections::BTreeSet;

use bnbpip_packaging::PackageName;
use serde::Serialize;

pub use self::side::{FilesDiff, Side};
use crate::places::{DescribedEnvironment, Part};
use crate::{Lock, LockedPackage};

/// The difference of two locks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LockDiff {
    /// What is different about the whole.
    pub lock: Vec<SettingDiff>,
    /// The packages that differ, by name.
    pub packages: Vec<PackageDiff>,
}

/// Something that the whole lock has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SettingDiff {
    /// What it is: `environment`, `rule`.
    pub name: &'static str,
    /// What only the old lock has.
    pub removed: Vec<String>,
    /// What only the new lock has.
    pub added: Vec<String>,
}

/// A package that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PackageDiff {
    /// The package.
    pub name: String,
    /// Where it differs like this; empty for everywhere.
    pub places: Vec<String>,
    /// What the old lock has.
    pub old: Option<Side>,
    /// What the new lock has.
    pub new: Option<Side>,
    /// The files that differ, where the version is the same.
    pub files: FilesDiff,
}

impl Lock {
    /// What is different in a newer lock.
    pub fn diff(&self, newer: &Self) -> LockDiff {
        let names = |lock: &Self| -> BTreeSet<PackageName> {
            lock.packages
                .iter()
                .map(|package| package.name.clone())
                .collect()
        };
        let names: BTreeSet<PackageName> = names(self).union(&names(newer)).cloned().collect();
        let places = Places::of(self, newer);
        LockDiff {
            lock: settings(self, newer),
            packages: names
                .iter()
                .flat_map(|name| of_package(name, self, newer, &places))
                .collect(),
        }
    }
}

fn settings(old: &Lock, new: &Lock) -> Vec<SettingDiff> {
    let texts = |lock: &Lock| {
        let inputs = &lock.inputs;
        let overlay = lock.overlay.iter();
        let strings = |list: &[String]| list.to_vec();
        let optional = |text: Option<String>| text.into_iter().collect::<Vec<_>>();
        [
            (
                "environment",
                lock.environments.iter().map(ToString::to_string).collect(),
            ),
            (
                "Python",
                optional(lock.requires_python.as_ref().map(ToString::to_string)),
            ),
            ("extra", strings(&lock.extras)),
            ("dependency group", strings(&lock.dependency_groups)),
            ("default group", strings(&lock.default_groups)),
            ("index", strings(&inputs.indexes)),
            ("accelerator", strings(&inputs.accelerators)),
            ("constraint", strings(&inputs.constraints)),
            ("machine", strings(&inputs.machine)),
            ("time limit", optional(inputs.exclude_newer.clone())),
            ("rule", strings(&lock.rules)),
            (
                "set of rules",
                overlay
                    .map(|it| format!("{} ({})", it.version, it.sha256))
                    .collect(),
            ),
        ]
    };
    let pairs = texts(old).into_iter().zip(texts(new));
    let differing = pairs.filter_map(|((name, old), (_, new)): ((_, Vec<String>), _)| {
        let only = |one: &[String], other: &[String]| -> Vec<String> {
            one.iter()
                .filter(|it| !other.contains(it))
                .cloned()
                .collect()
        };
        let (removed, added) = (only(&old, &new), only(&new, &old));
        (!removed.is_empty() || !added.is_empty()).then_some(SettingDiff {
            name,
            removed,
            added,
        })
    });
    differing.collect()
}

/// What the two locks are compared by.
enum Places {
    /// The environments of both, and what can be asked for.
    Environments(Vec<DescribedEnvironment>, BTreeSet<Part>),
    /// The markers of the entries, where environments aren't known.
    Markers,
}

/// A place in words: its environment and what is asked for there.
type Words = (String, Option<String>);

impl Places {
    fn of(old: &Lock, new: &Lock) -> Self {
        // A lock without anything is for whatever the other one is for.
        let described = |lock: &Lock| match lock.described() {
            None if lock.packages.is_empty() => Some(Vec::new()),
            described => described,
        };
        let (Some(mut environments), Some(more)) = (described(old), described(new)) else {
            return Self::Markers;
        };
        for environment in more {
            if !environments.iter().any(|it| it.name == environment.name) {
                environments.push(environment);
            }
        }
        environments.sort_by(|a, b| a.name.cmp(&b.name));
        let parts = old.parts().into_iter().chain(new.parts());
        Self::Environments(environments, parts.collect())
    }

    /// Each place that has the package, and what both locks have there.
    fn pairs<'a>(
        &self,
        name: &PackageName,
        old: &'a Lock,
        new: &'a Lock,
    ) -> Vec<(Words, Vec<&'a LockedPackage>, Vec<&'a LockedPackage>)> {
        let Self::Environments(environments, parts) = self else {
            return by_marker(name, old, new);
        };
        let mut pairs = Vec::new();
        for environment in environments {
            let has = |lock: &Lock| {
                let mut described = lock.described().into_iter().flatten();
                described.any(|it| it.name == environment.name)
            };
            let (in_old, in_new) = (has(old), has(new));
            let entries = |lock: &'a Lock, is_there: bool, part: &Part| {
                let entries = is_there.then(|| lock.entries(name, environment, part));
                entries.unwrap_or_default()
            };
            let base_old = entries(old, in_old, &Part::Base);
            let base_new = entries(new, in_new, &Part::Base);
            for part in parts {
                let one = entries(old, in_old, part);
                let other = entries(new, in_new, part);
                let as_always = same(&one, &base_old) && same(&other, &base_new);
                if (*part == Part::Base || !as_always) && !(one.is_empty() && other.is_empty()) {
                    let words = match part {
                        Part::Base => None,
                        Part::Extra(name) => Some(format!("extra {name}")),
                        Part::Group(name) => Some(format!("group {name}")),
                    };
                    pairs.push(((environment.name.clone(), words), one, other));
                }
            }
        }
        pairs
    }
}

fn by_marker<'a>(
    name: &PackageName,
    old: &'a Lock,
    new: &'a Lock,
) -> Vec<(Words, Vec<&'a LockedPackage>, Vec<&'a LockedPackage>)> {
    let marker = |package: &LockedPackage| {
        package
            .marker
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default()
    };
    let of = |lock: &'a Lock| -> Vec<&'a LockedPackage> {
        lock.packages.iter().filter(|it| it.name == *name).collect()
    };
    let (old, new) = (of(old), of(new));
    let markers: BTreeSet<String> = old.iter().chain(&new).map(|it| marker(it)).collect();
    let pairs = markers.into_iter().map(|text| {
        let with = |list: &[&'a LockedPackage]| -> Vec<&'a LockedPackage> {
            list.iter()
                .filter(|it| marker(it) == text)
                .copied()
                .collect()
        };
        let (one, other) = (with(&old), with(&new));
        ((text, None), one, other)
    });
    pairs.collect()
}

fn same(one: &[&LockedPackage], other: &[&LockedPackage]) -> bool {
    let mut pairs = one.iter().zip(other);
    one.len() == other.len() && pairs.all(|(a, b)| std::ptr::eq(*a, *b))
}

/// The differences of a package: places with the same one are put together.
fn of_package(name: &PackageName, old: &Lock, new: &Lock, places: &Places) -> Vec<PackageDiff> {
    let pairs = places.pairs(name, old, new);
    let mut differences: Vec<(PackageDiff, Vec<Words>)> = Vec::new();
    for (words, one, other) in &pairs {
        for number in 0..one.len().max(other.len()) {
            let (one, other) = (one.get(number), other.get(number));
            let side = |package: &&LockedPackage| Side::of(package);
            let files = match (one, other) {
                (Some(one), Some(other)) if one.version == other.version => {
                    FilesDiff::of(one, other)
                }
                _ => FilesDiff::default(),
            };
            let found = PackageDiff {
                name: name.to_string(),
                places: Vec::new(),
                old: one.map(side),
                new: other.map(side),
                files,
            };
            if found.old == found.new && found.files.is_empty() {
                continue;
            }
            match differences.iter_mut().find(|(known, _)| *known == found) {
                Some((_, places)) => places.push(words.clone()),
                None => differences.push((found, vec![words.clone()])),
            }
        }
    }
    let environments = match places {
        Places::Environments(environments, _) => Some(environments.len()),
        Places::Markers => None,
    };
    let labelled = differences.into_iter().map(|(mut difference, here)| {
        difference.places = labels(&here, environments);
        difference
    });
    labelled.collect()
}

/// The places in few words: nothing if it is all environments.
fn labels(here: &[Words], environments: Option<usize>) -> Vec<String> {
    let parts: BTreeSet<&Option<String>> = here.iter().map(|(_, part)| part).collect();
    let mut labels = Vec::new();
    for part in parts {
        let own: Vec<&str> = here
            .iter()
            .filter(|words| words.1 == *part)
            .map(|(environment, _)| environment.as_str())
            .collect();
        let everywhere = environments == Some(own.len());
        match part {
            Some(part) if everywhere => labels.push(part.clone()),
            Some(part) => labels.extend(own.iter().map(|it| format!("{it}, {part}"))),
            None if everywhere => {}
            None => labels.extend(
                own.into_iter()
                    .filter(|it| !it.is_empty())
                    .map(String::from),
            ),
        }
    }
    labels
}
