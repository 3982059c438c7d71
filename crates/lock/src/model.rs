//! What a lock file holds.

use std::collections::BTreeMap;

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
    /// What it was made from, if bnbpip wrote it. What packages were asked for with stands with
    /// them.
    pub inputs: Inputs,
    /// The rules that took part, if bnbpip wrote it.
    pub overlay: Option<Overlay>,
    /// Names of the rules that shaped the result.
    pub rules: Vec<String>,
    /// Keys that it has from a later version of the format. Nothing is known of what they mean.
    pub unknown_keys: Vec<String>,
}

/// What a lock was made from (`[tool.bnbpip]`): nothing secret, and nothing of one machine alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inputs {
    /// The indexes that were asked, in order.
    pub indexes: Vec<String>,
    /// The accelerators that the lock has builds for, each an extra; empty if it has no such
    /// choice.
    pub accelerators: Vec<String>,
    /// Only files that were uploaded before this were taken; as it was written.
    pub exclude_newer: Option<String>,
    /// The constraints, as they were written.
    pub constraints: Vec<String>,
    /// What the machine was said to have, where a rule about it shaped the result:
    /// `__cuda_driver==535.183.1`.
    pub machine: Vec<String>,
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
    /// What it is built or copied from. Only an sdist may stand beside wheels.
    pub source: Option<LockedSource>,
    /// The publishers that attest to its files (PEP 740), each once.
    pub attestation_identities: Vec<AttestationIdentity>,
    /// The requirements that asked for it.
    pub requirements: Vec<LockedRequirement>,
    /// Who built its wheels, where its project didn't.
    pub community: Option<Community>,
}

/// Where wheels are from that others than their project built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Community {
    /// Who built them, or the index that has them.
    pub source: String,
    /// Why they are taken.
    pub why: String,
}

impl LockedPackage {
    /// An entry that has nothing but a name yet.
    pub fn new(name: PackageName) -> Self {
        Self {
            name,
            version: None,
            marker: None,
            requires_python: None,
            dependencies: Vec::new(),
            index: None,
            wheels: Vec::new(),
            source: None,
            attestation_identities: Vec::new(),
            requirements: Vec::new(),
            community: None,
        }
    }

    /// Its files: wheels, and a source distribution or an archive.
    pub fn files(&self) -> impl Iterator<Item = &LockedFile> {
        let source = self.source.as_ref().and_then(LockedSource::file);
        self.wheels.iter().chain(source)
    }
}

/// A requirement that asked for a package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LockedRequirement {
    /// Who asked.
    pub asked_by: AskedBy,
    /// The requirement as it was written, but without an address: that is the entry's source.
    pub text: String,
}

/// Who asked for a package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum AskedBy {
    /// What is always installed.
    Base,
    /// This extra.
    Extra(String),
    /// This dependency group.
    Group(String),
}

/// One file of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedFile {
    /// The file name.
    pub name: String,
    /// Where it is.
    pub url: Option<String>,
    /// Where it is, from the lock file's folder, with `/`.
    pub path: Option<String>,
    /// Its size.
    pub size_bytes: Option<u64>,
    /// When it was uploaded, as TOML writes it.
    pub upload_time: Option<String>,
    /// Its digests; at least one is strong.
    pub hashes: Hashes,
}

/// What a package without wheels is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockedSource {
    /// A source distribution of an index.
    Sdist(LockedFile),
    /// An archive that was named: a wheel or a source tree.
    Archive {
        /// The file; its name is the last part of its address.
        file: LockedFile,
        /// The project's folder in it.
        subdirectory: Option<String>,
    },
    /// A commit of a repository.
    Vcs(LockedVcs),
    /// A folder.
    Directory {
        /// Where it is, from the lock file's folder, with `/`.
        path: String,
        /// Whether it is installed in place.
        editable: bool,
        /// The project's folder in it.
        subdirectory: Option<String>,
    },
}

impl LockedSource {
    /// Its key in the file.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Sdist(_) => "sdist",
            Self::Archive { .. } => "archive",
            Self::Vcs(_) => "vcs",
            Self::Directory { .. } => "directory",
        }
    }

    /// The file that it is, if it is one.
    pub fn file(&self) -> Option<&LockedFile> {
        match self {
            Self::Sdist(file) | Self::Archive { file, .. } => Some(file),
            Self::Vcs(_) | Self::Directory { .. } => None,
        }
    }
}

/// A commit of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedVcs {
    /// The system: `git`.
    pub kind: String,
    /// The repository's address.
    pub url: Option<String>,
    /// The repository's folder, from the lock file's folder.
    pub path: Option<String>,
    /// The branch, tag or commit that was asked for.
    pub requested_revision: Option<String>,
    /// The exact commit.
    pub commit_id: String,
    /// The project's folder in it.
    pub subdirectory: Option<String>,
}

/// A publisher that attests to files (PEP 740).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AttestationIdentity {
    /// What kind of publisher: `GitHub`, `GitLab`, …
    pub kind: String,
    /// What else identifies it, such as `repository` and `workflow`.
    pub claims: BTreeMap<String, String>,
}
