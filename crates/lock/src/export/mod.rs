//! A lock's packages in the formats of other tools: requirements files, and bills of materials.

mod cyclonedx;
mod requirements;
mod spdx;

pub use cyclonedx::cyclonedx;
pub use requirements::requirements;
pub use spdx::spdx;

use bnbpip_packaging::PackageName;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{Lock, LockedFile, LockedPackage, LockedSource, SelectError, Selected, SelectedFrom};

/// A package to export: an entry, where it is for, and its files.
#[derive(Debug, Clone)]
pub struct ExportedPackage<'a> {
    /// The entry.
    pub package: &'a LockedPackage,
    /// Where it is installed, in PEP 508's words; everywhere if there is none.
    pub marker: Option<String>,
    /// The files that it may be installed from.
    pub files: Vec<&'a LockedFile>,
}

impl Lock {
    /// What all environments install with these extras, and with these dependency groups or, if
    /// there are none, the default ones.
    ///
    /// # Errors
    /// When the lock has no such extra or group.
    pub fn exported(
        &self,
        extras: &[String],
        groups: &[String],
    ) -> Result<Vec<ExportedPackage<'_>>, SelectError> {
        self.check_asked(extras, groups)?;
        let groups = if groups.is_empty() {
            &self.default_groups
        } else {
            groups
        };
        let packages = self.packages.iter().filter_map(|package| {
            let marker = match &package.marker {
                Some(marker) => {
                    let left = marker.tree_with(extras, groups);
                    if left.is_false() {
                        return None;
                    }
                    left.try_to_string()
                }
                None => None,
            };
            Some(ExportedPackage {
                files: package.files().collect(),
                package,
                marker,
            })
        });
        Ok(packages.collect())
    }
}

impl<'a> From<&Selected<'a>> for ExportedPackage<'a> {
    fn from(selected: &Selected<'a>) -> Self {
        let file = match selected.from {
            SelectedFrom::Wheel(file) => Some(file),
            SelectedFrom::Source(source) => source.file(),
        };
        Self {
            package: selected.package,
            marker: None,
            files: file.into_iter().collect(),
        }
    }
}

/// What may stand in a package URL as it is.
const PURL: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

impl ExportedPackage<'_> {
    /// The package URL: `pkg:pypi/torch@2.9.0%2Bcpu`.
    fn purl(&self) -> String {
        let mut purl = format!("pkg:pypi/{}", self.package.name);
        if let Some(version) = &self.package.version {
            let version = version.to_string();
            purl = format!("{purl}@{}", utf8_percent_encode(&version, PURL));
        }
        if let Some(LockedSource::Vcs(vcs)) = &self.package.source
            && let Some(url) = &vcs.url
        {
            let address = format!("{}+{url}@{}", vcs.kind, vcs.commit_id);
            purl = format!("{purl}?vcs_url={}", utf8_percent_encode(&address, PURL));
        }
        purl
    }
}

/// An identifier for each package, unlike all others: its own, with a number if it comes again.
fn unique(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for text in texts {
        let mut candidate = text.clone();
        let mut number = 2;
        while found.contains(&candidate) {
            candidate = format!("{text}-{number}");
            number += 1;
        }
        found.push(candidate);
    }
    found
}

/// For each package the places of those that it needs.
fn needed(packages: &[ExportedPackage<'_>]) -> Vec<Vec<usize>> {
    let places = |name: &PackageName| {
        let all = packages.iter().enumerate();
        let of_name = all.filter(|(_, other)| other.package.name == *name);
        of_name.map(|(place, _)| place).collect::<Vec<_>>()
    };
    let needed = packages.iter().map(|exported| {
        let names = exported.package.dependencies.iter();
        names.flat_map(places).collect()
    });
    needed.collect()
}
