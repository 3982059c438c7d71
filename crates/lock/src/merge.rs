//! Merging the solutions of several environments and accelerators: one entry for each version, with
//! a marker where not all of them have it.

mod cover;
mod joined;

pub use self::cover::{Environment, Environments};
use crate::{LockMarker, LockedPackage, MarkerError};

/// What is installed in one environment, for one accelerator if there are several.
#[derive(Debug, Clone)]
pub struct Solution {
    /// The environment's place among those that are merged.
    pub environment: usize,
    /// The extra that chooses the accelerator.
    pub accelerator: Option<String>,
    /// Its packages.
    pub packages: Vec<LockedPackage>,
}

/// Merges solutions, of which there is one for each environment and accelerator. Entries are sorted
/// by name, version and index; files by name. What several solutions agree on is one entry; what
/// all agree on has no marker.
///
/// # Errors
/// When a marker that is made of the environments' own can't be parsed.
pub fn merge(
    environments: &Environments,
    solutions: &[Solution],
) -> Result<Vec<LockedPackage>, MarkerError> {
    let mut packages = Vec::new();
    for (mut package, places) in joined::join(solutions) {
        package.wheels.sort_by(|a, b| a.name.cmp(&b.name));
        package.dependencies.sort();
        package.dependencies.dedup();
        package.requirements.sort();
        package.requirements.dedup();
        package.attestation_identities.sort();
        package.attestation_identities.dedup();
        package.marker = marker(environments, solutions, &places)?;
        packages.push(package);
    }
    Ok(packages)
}

/// The solutions that an entry is part of, each with the marker that it has there: that of the
/// extras and groups that ask for it.
type Places = Vec<(usize, Option<LockMarker>)>;

/// Where an entry holds; everywhere if there is none.
fn marker(
    environments: &Environments,
    solutions: &[Solution],
    places: &Places,
) -> Result<Option<LockMarker>, MarkerError> {
    let text = |place: &(usize, Option<LockMarker>)| place.1.as_ref().map(ToString::to_string);
    let mut owns: Vec<Option<String>> = places.iter().map(text).collect();
    owns.sort();
    owns.dedup();
    let mut alternatives = Vec::new();
    for own in owns {
        let with_own = places.iter().filter(|place| text(place) == own);
        let covered: Vec<usize> = with_own.map(|(place, _)| *place).collect();
        let conjunctions = cover::conjunctions(environments, solutions, &covered);
        for mut terms in conjunctions {
            terms.extend(own.clone());
            if terms.is_empty() {
                return Ok(None);
            }
            alternatives.push(cover::joined(&terms, " and "));
        }
    }
    alternatives.sort();
    cover::joined(&alternatives, " or ").parse().map(Some)
}
