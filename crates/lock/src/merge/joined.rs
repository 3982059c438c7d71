//! Which entries of several solutions are one.

use std::collections::BTreeMap;

use bnbpip_packaging::{PackageName, Version};

use super::{Places, Solution};
use crate::{LockedPackage, LockedSource};

/// What tells entries apart: a direct source beside name, version and index.
type Key = (PackageName, Option<Version>, Option<String>, Option<String>);

fn key(package: &LockedPackage) -> Key {
    let source = match &package.source {
        None | Some(LockedSource::Sdist(_)) => None,
        Some(source) => Some(format!("{source:?}")),
    };
    (
        package.name.clone(),
        package.version.clone(),
        package.index.clone(),
        source,
    )
}

/// The entries of all solutions, each once, in their order in the file.
pub(super) fn join(solutions: &[Solution]) -> Vec<(LockedPackage, Places)> {
    let mut merged: BTreeMap<Key, (LockedPackage, Places)> = BTreeMap::new();
    for (place, solution) in solutions.iter().enumerate() {
        for package in &solution.packages {
            let at = (place, package.marker.clone());
            match merged.get_mut(&key(package)) {
                None => {
                    merged.insert(key(package), (package.clone(), vec![at]));
                }
                Some((entry, places)) => {
                    places.push(at);
                    add(entry, package);
                }
            }
        }
    }
    merged.into_values().collect()
}

fn add(entry: &mut LockedPackage, other: &LockedPackage) {
    // What the files say differently, the wheels' tags alone can tell.
    if entry.requires_python != other.requires_python {
        entry.requires_python = None;
    }
    for wheel in &other.wheels {
        if !entry.wheels.contains(wheel) {
            entry.wheels.push(wheel.clone());
        }
    }
    if entry.source.is_none() {
        entry.source.clone_from(&other.source);
    }
    entry
        .dependencies
        .extend(other.dependencies.iter().cloned());
    entry
        .requirements
        .extend(other.requirements.iter().cloned());
    let identities = other.attestation_identities.iter();
    entry.attestation_identities.extend(identities.cloned());
}
