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
    let mut merged: BTreeMap<_, (LockedPackage, Places)> = BTreeMap::new();
    for (place, solution) in solutions.iter().enumerate() {
        for package in &solution.packages {
            let key = (
                package.name.clone(),
                package.version.clone(),
                package.index.clone(),
            );
            match merged.get_mut(&key) {
                None => {
                    let places = vec![(place, package.marker.clone())];
                    merged.insert(key, (package.clone(), places));
                }
                Some((entry, places)) => {
                    places.push((place, package.marker.clone()));
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
        package.marker = marker(&places, solutions)?;
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

/// The solutions that an entry is part of, each with the marker that it has there: that of the
/// extras and groups that ask for it.
type Places = Vec<(usize, Option<LockMarker>)>;

/// Where an entry holds; everywhere if there is none.
fn marker(places: &Places, solutions: &[Solution]) -> Result<Option<LockMarker>, MarkerError> {
    let own = |place: &(usize, Option<LockMarker>)| place.1.as_ref().map(ToString::to_string);
    let first = places.first().and_then(own);
    let agree = places.iter().all(|place| own(place) == first);
    if agree && places.len() == solutions.len() {
        return first.map(|text| text.parse()).transpose();
    }
    let mut texts: Vec<String> = places
        .iter()
        .map(|(place, own)| {
            let environment = solutions[*place].environment.as_str();
            match own.as_ref().filter(|_| !agree) {
                Some(own) => format!("({environment}) and ({own})"),
                None => environment.to_owned(),
            }
        })
        .collect();
    texts.sort_unstable();
    let environments = if let [only] = &texts[..] {
        only.clone()
    } else {
        let texts: Vec<String> = texts.iter().map(|text| format!("({text})")).collect();
        texts.join(" or ")
    };
    let text = match first.filter(|_| agree) {
        Some(own) => format!("({environments}) and ({own})"),
        None => environments,
    };
    text.parse().map(Some)
}
