//! Selecting: what one target installs from a lock (PEP 751, "Installing").

use std::collections::HashSet;

use bnbpip_packaging::{
    MarkerEnvironment, PackageName, Tags, Version, WheelFilename, WheelFilenameError,
};

use crate::{Lock, LockedFile, LockedPackage, LockedSource};

/// The target, and what of the lock is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Selecting<'a> {
    /// The target's markers.
    pub markers: &'a MarkerEnvironment,
    /// The wheel tags that it accepts.
    pub tags: &'a Tags,
    /// Its Python version.
    pub python: &'a Version,
    /// The target, in words.
    pub description: &'a str,
    /// The extras that are asked for.
    pub extras: &'a [String],
    /// The dependency groups that are asked for; the default ones if there are none.
    pub groups: &'a [String],
}

/// A package to install and its file.
#[derive(Debug, Clone)]
pub struct Selected<'a> {
    /// The entry.
    pub package: &'a LockedPackage,
    /// Its version; a source tree's is known when it is built.
    pub version: Option<Version>,
    /// What it is installed from.
    pub from: SelectedFrom<'a>,
}

/// What a package is installed from.
#[derive(Debug, Clone, Copy)]
pub enum SelectedFrom<'a> {
    /// The best of its wheels for the target.
    Wheel(&'a LockedFile),
    /// A source: the entry has no wheels.
    Source(&'a LockedSource),
}

/// The lock can't be installed on the target.
#[derive(Debug, thiserror::Error)]
pub enum SelectError {
    /// Another Python is needed.
    #[error("Failed to use the lock: it is for Python {wanted}, and this is {found}")]
    Python {
        /// `requires-python`.
        wanted: String,
        /// The target's version.
        found: String,
    },
    /// It was made for other environments.
    #[error("Failed to use the lock: it has no environment for {0}")]
    Environment(String),
    /// There is no such extra.
    #[error("Failed to use the lock: it has no extra `{0}`")]
    Extra(String),
    /// There is no such group.
    #[error("Failed to use the lock: it has no dependency group `{0}`")]
    Group(String),
    /// Two entries of one package hold.
    #[error("Failed to use the lock: it has two entries for `{0}` that both match")]
    Ambiguous(PackageName),
    /// The package has another Python.
    #[error("Failed to use the lock: `{name}` is for Python {wanted}, and this is {found}")]
    PackagePython {
        /// The package.
        name: PackageName,
        /// Its `requires-python`.
        wanted: String,
        /// The target's version.
        found: String,
    },
    /// No wheel fits.
    #[error("Failed to use the lock: `{name}` {version} has no wheel for {target}")]
    NoWheel {
        /// The package.
        name: PackageName,
        /// Its version.
        version: Version,
        /// The target.
        target: String,
    },
    /// A file name that reading would have refused.
    #[error(transparent)]
    Filename(#[from] WheelFilenameError),
}

impl Lock {
    /// What a target installs, sorted by name.
    ///
    /// # Errors
    /// When the lock isn't for this target, or what is asked for isn't in it.
    pub fn select(&self, selecting: Selecting<'_>) -> Result<Vec<Selected<'_>>, SelectError> {
        self.check(selecting)?;
        let groups = if selecting.groups.is_empty() {
            &self.default_groups
        } else {
            selecting.groups
        };
        let mut chosen: Vec<Selected<'_>> = Vec::new();
        let mut names = HashSet::new();
        for package in &self.packages {
            let holds = package
                .marker
                .as_ref()
                .is_none_or(|marker| marker.evaluate(selecting.markers, selecting.extras, groups));
            if !holds {
                continue;
            }
            if !names.insert(&package.name) {
                return Err(SelectError::Ambiguous(package.name.clone()));
            }
            chosen.push(one(package, selecting)?);
        }
        chosen.sort_by(|a, b| a.package.name.cmp(&b.package.name));
        Ok(chosen)
    }

    fn check(&self, selecting: Selecting<'_>) -> Result<(), SelectError> {
        if let Some(wanted) = &self.requires_python
            && !wanted.contains(selecting.python)
        {
            return Err(SelectError::Python {
                wanted: wanted.to_string(),
                found: selecting.python.to_string(),
            });
        }
        let fits = self
            .environments
            .iter()
            .any(|marker| marker.evaluate(selecting.markers, &[], &[]));
        if !fits && !self.environments.is_empty() {
            return Err(SelectError::Environment(selecting.description.to_string()));
        }
        self.check_asked(selecting.extras, selecting.groups)
    }

    /// # Errors
    /// When there is no such extra or group.
    pub(crate) fn check_asked(
        &self,
        extras: &[String],
        groups: &[String],
    ) -> Result<(), SelectError> {
        if let Some(unknown) = extras.iter().find(|it| !self.extras.contains(it)) {
            return Err(SelectError::Extra(unknown.clone()));
        }
        // Default groups need not be listed among those that can be asked for.
        let is_unknown = |group: &&String| {
            !self.dependency_groups.contains(group) && !self.default_groups.contains(group)
        };
        match groups.iter().find(is_unknown) {
            Some(unknown) => Err(SelectError::Group(unknown.clone())),
            None => Ok(()),
        }
    }
}

fn one<'a>(
    package: &'a LockedPackage,
    selecting: Selecting<'_>,
) -> Result<Selected<'a>, SelectError> {
    let name = &package.name;
    if let Some(wanted) = &package.requires_python
        && !wanted.contains(selecting.python)
    {
        return Err(SelectError::PackagePython {
            name: name.clone(),
            wanted: wanted.to_string(),
            found: selecting.python.to_string(),
        });
    }
    // An sdist beside wheels is for whoever reads the lock: what has wheels for other targets
    // alone isn't locked for this one.
    if package.wheels.is_empty()
        && let Some(source) = &package.source
    {
        return Ok(Selected {
            package,
            version: package.version.clone(),
            from: SelectedFrom::Source(source),
        });
    }
    let mut best: Option<(u32, &LockedFile, Version)> = None;
    let mut any_version = None;
    for wheel in &package.wheels {
        let filename: WheelFilename = wheel.name.parse()?;
        if let Some(priority) = selecting.tags.priority(&filename)
            && best.as_ref().is_none_or(|(known, ..)| *known < priority)
        {
            best = Some((priority, wheel, filename.version.clone()));
        }
        any_version = Some(filename.version);
    }
    match (best, any_version) {
        (Some((_, wheel, version)), _) => Ok(Selected {
            package,
            version: Some(package.version.clone().unwrap_or(version)),
            from: SelectedFrom::Wheel(wheel),
        }),
        (None, version) => Err(SelectError::NoWheel {
            name: name.clone(),
            version: version.unwrap_or_else(|| Version::new([0])),
            target: selecting.description.to_string(),
        }),
    }
}
