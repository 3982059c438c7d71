//! What a lock file holds.

use bnbpip_packaging::{Hashes, PackageName, Version, VersionSpecifiers};

use crate::LockMarker;

/// A lock file.
#[derive(Debug, Clone, Default)]
pub struct Lock {
    /// The tool that wrote it.
    pub created_by: String,
    /// The Python versions that it is for.
    pub requires_python: Option<VersionSpecifiers>,
    /// The environments that it is for; empty for all.
    pub environments: Vec<LockMarker>,
    /// The extras that it has, normalized.
    pub extras: Vec<String>,
    /// The dependency groups that it has, normalized.
    pub dependency_groups: Vec<String>,
    /// The groups that are installed unless others are named.
    pub default_groups: Vec<String>,
    /// The packages, by name.
    pub packages: Vec<LockedPackage>,
    /// The rules that took part, if bnbpip wrote it.
    pub overlay: Option<Overlay>,
    /// Names of the rules that shaped the result.
    pub rules: Vec<String>,
}

/// The overlay that a lock was made with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlay {
    /// Its version: the day of its newest rule.
    pub version: String,
    /// The SHA-256 of its rules.
    pub sha256: String,
}

/// One entry of `packages`.
#[derive(Debug, Clone)]
pub struct LockedPackage {
    /// The project.
    pub name: PackageName,
    /// Its version; source trees have none.
    pub version: Option<Version>,
    /// Where it is installed; everywhere if there is none.
    pub marker: Option<LockMarker>,
    /// The Python versions that it is for.
    pub requires_python: Option<VersionSpecifiers>,
    /// What it needs, for people.
    pub dependencies: Vec<PackageName>,
    /// The index that it was found on.
    pub index: Option<String>,
    /// Its wheels, by name.
    pub wheels: Vec<LockedFile>,
    /// What it is installed from where there are no wheels: `sdist`, `archive`, `vcs`,
    /// `directory`.
    pub source: Option<&'static str>,
    /// The requirements that asked for it, as they were written.
    pub requirements: Vec<String>,
}

/// One file of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedFile {
    /// The file name.
    pub name: String,
    /// Where it is.
    pub url: Option<String>,
    /// Where it is, from the lock file's folder.
    pub path: Option<String>,
    /// Its size.
    pub size_bytes: Option<u64>,
    /// When it was uploaded, as TOML writes it.
    pub upload_time: Option<String>,
    /// Its digests; at least one is strong.
    pub hashes: Hashes,
}
