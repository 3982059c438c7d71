//! Merging the solutions of several environments: one entry for each version, with a marker where
//! not all environments have it.

use std::collections::BTreeMap;

use crate::{LockMarker, LockedPackage, MarkerError};

/// What one environment installs.
#[derive(Debug, Clone)]
pub struct Solution {
    /// Holds in this environment and in no other one that is merged with it.
    pub environment: LockMarker,
    /// Its packages.
    pub packages: Vec<LockedPackage>,
}

/// Merges solutions whose environments exclude each other. Entries are sorted by name and version;
/// files by name. What several environments agree on is one entry.
///
/// # Errors
/// When a marker that is made of the environments' own can't be parsed.
pub fn merge(solutions: &[Solution]) -> Result<Vec<LockedPackage>, MarkerError> {
    let mut merged: BTreeMap<_, (LockedPackage, Vec<usize>)> = BTreeMap::new();
    for (place, solution) in solutions.iter().enumerate() {
        for package in &solution.packages {
            let key = (
                package.name.clone(),
                package.version.clone(),
                package.index.clone(),
            );
            match merged.get_mut(&key) {
                None => {
                    merged.insert(key, (package.clone(), vec![place]));
                }
                Some((entry, places)) => {
                    places.push(place);
                    // What the files say differently, the wheels' tags alone can tell.
                    if entry.requires_python != package.requires_python {
                        entry.requires_python = None;
                    }
                    join(&mut entry.wheels, &package.wheels);
                    join(&mut entry.dependencies, &package.dependencies);
                    join(&mut entry.requirements, &package.requirements);
                }
            }
        }
    }
    let mut packages = Vec::with_capacity(merged.len());
    for (mut package, places) in merged.into_values() {
        package.wheels.sort_by(|a, b| a.name.cmp(&b.name));
        package.dependencies.sort();
        package.requirements.sort();
        if places.len() < solutions.len() {
            package.marker = Some(either(&places, solutions)?);
        }
        packages.push(package);
    }
    Ok(packages)
}

fn join<T: Clone + PartialEq>(into: &mut Vec<T>, more: &[T]) {
    for item in more {
        if !into.contains(item) {
            into.push(item.clone());
        }
    }
}

fn either(places: &[usize], solutions: &[Solution]) -> Result<LockMarker, MarkerError> {
    let mut texts: Vec<&str> = places
        .iter()
        .map(|place| solutions[*place].environment.as_str())
        .collect();
    texts.sort_unstable();
    if let [only] = texts[..] {
        return only.parse();
    }
    let texts: Vec<String> = texts.iter().map(|text| format!("({text})")).collect();
    texts.join(" or ").parse()
}
