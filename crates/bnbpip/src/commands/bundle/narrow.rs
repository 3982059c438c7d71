//! What of a lock some environments need: the packages of any of its extras and groups, and of each
//! the one wheel that fits best.

use bnbpip_lock::{Lock, LockMarker, LockedFile, LockedPackage, LockedSource};
use bnbpip_packaging::{Version, WheelFilename};

use super::LockTarget;
use crate::failure::Failure;

/// The lock with what these environments need; the whole of it if none is named.
///
/// # Errors
/// When it isn't for one of them, or lacks a wheel.
pub(super) fn narrowed(mut lock: Lock, targets: &[LockTarget]) -> Result<Lock, Failure> {
    for package in &mut lock.packages {
        // What was named by its address is a wheel like others once it lies beside the lock.
        package.wheels.extend(match package.source.take() {
            Some(LockedSource::Archive {
                file,
                subdirectory: None,
            }) if is_wheel(&file.name) => Some(file),
            Some(LockedSource::Sdist(_)) if !package.wheels.is_empty() => None,
            other => {
                package.source = other;
                None
            }
        });
    }
    if let Some(package) = lock.packages.iter().find(|it| it.wheels.is_empty()) {
        return Err(Failure::new(format!(
            "Failed to bundle `{}`: the lock has no wheels of it, only `{}`",
            package.name,
            package
                .source
                .as_ref()
                .map_or("nothing", |source| source.key())
        ))
        .hint("build its wheel with `bnbpip wheel`, put it on an index, and lock again"));
    }
    if targets.is_empty() {
        return Ok(lock);
    }
    let mut environments: Vec<LockMarker> = Vec::new();
    for target in targets {
        let markers = &target.target.markers;
        let own = lock.environments.iter();
        let own = own.filter(|marker| marker.evaluate(markers, &[], &[]));
        let own: Vec<&LockMarker> = own.collect();
        if own.is_empty() && !lock.environments.is_empty() {
            return Err(Failure::new(format!(
                "Failed to bundle for {}: the lock has no environment for it",
                target.name
            ))
            .hint("add it to the lock: `bnbpip lock --environment`"));
        }
        environments.extend(own.into_iter().cloned());
    }
    environments.sort_by(|a, b| a.as_str().cmp(b.as_str()));
    environments.dedup_by(|a, b| a.as_str() == b.as_str());
    let sets = sets(&lock);
    let mut packages = Vec::new();
    for package in &lock.packages {
        let mut wheels: Vec<LockedFile> = Vec::new();
        for target in targets {
            if sets.iter().any(|set| holds(package, target, set)) {
                let wheel = best(package, target)?;
                if !wheels.contains(wheel) {
                    wheels.push(wheel.clone());
                }
            }
        }
        if !wheels.is_empty() {
            packages.push(LockedPackage {
                wheels,
                ..package.clone()
            });
        }
    }
    lock.packages = packages;
    lock.environments = environments;
    Ok(lock)
}

/// Extras and groups that are asked for together.
type Set = (Vec<String>, Vec<String>);

/// What may be asked for: the defaults, each extra and each group by itself, and all at once.
fn sets(lock: &Lock) -> Vec<Set> {
    let mut sets: Vec<Set> = vec![
        (Vec::new(), lock.default_groups.clone()),
        (lock.extras.clone(), lock.dependency_groups.clone()),
    ];
    let extras = lock.extras.iter().map(|extra| {
        let extras = vec![extra.clone()];
        (extras, lock.default_groups.clone())
    });
    sets.extend(extras);
    let groups = lock.dependency_groups.iter();
    sets.extend(groups.map(|group| (Vec::new(), vec![group.clone()])));
    sets
}

fn holds(package: &LockedPackage, target: &LockTarget, (extras, groups): &Set) -> bool {
    let marker = package.marker.as_ref();
    marker.is_none_or(|marker| marker.evaluate(&target.target.markers, extras, groups))
}

/// The wheel that the environment installs.
fn best<'a>(package: &'a LockedPackage, target: &LockTarget) -> Result<&'a LockedFile, Failure> {
    let mut best: Option<(u32, &LockedFile)> = None;
    for wheel in &package.wheels {
        let filename: WheelFilename = wheel.name.parse()?;
        if let Some(priority) = target.target.tags.priority(&filename)
            && best.is_none_or(|(known, _)| known < priority)
        {
            best = Some((priority, wheel));
        }
    }
    best.map(|(_, wheel)| wheel).ok_or_else(|| {
        let version = package.version.as_ref().map(Version::to_string);
        Failure::new(format!(
            "Failed to bundle for {}: the lock has no wheel of `{}` {} for it",
            target.name,
            package.name,
            version.unwrap_or_default()
        ))
    })
}

/// Whether a file's name is a wheel's.
fn is_wheel(name: &str) -> bool {
    let extension = std::path::Path::new(name).extension();
    extension.is_some_and(|extension| extension == "whl")
}
