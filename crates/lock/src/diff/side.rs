//! One of two locks' word on a package.

use serde::Serialize;

use crate::{AttestationIdentity, LockedFile, LockedPackage, LockedSource};

/// What a lock has of a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Side {
    /// The version; source trees have none.
    pub version: Option<String>,
    /// What it is installed from: `wheels`, `git https://…@0123abcd`.
    pub source: String,
    /// The index that it was found on.
    pub index: Option<String>,
    /// Who attests to its files.
    pub publishers: Vec<String>,
    /// The Python versions that it is for.
    pub requires_python: Option<String>,
    /// What it was asked for with.
    pub requirements: Vec<String>,
    /// What it needs.
    pub dependencies: Vec<String>,
}

/// The files of a version that two locks don't have alike.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FilesDiff {
    /// Only the old one has these.
    pub removed: Vec<String>,
    /// Only the new one has these.
    pub added: Vec<String>,
    /// Both have these, with other hashes: somebody put another file there.
    pub changed: Vec<String>,
}

impl Side {
    pub(super) fn of(package: &LockedPackage) -> Self {
        let requirements = package.requirements.iter();
        Self {
            version: package.version.as_ref().map(ToString::to_string),
            source: package.source.as_ref().map_or("wheels".to_owned(), source),
            index: package.index.clone(),
            publishers: package
                .attestation_identities
                .iter()
                .map(publisher)
                .collect(),
            requires_python: package.requires_python.as_ref().map(ToString::to_string),
            requirements: requirements.map(|it| it.text.clone()).collect(),
            dependencies: package
                .dependencies
                .iter()
                .map(ToString::to_string)
                .collect(),
        }
    }
}

fn source(source: &LockedSource) -> String {
    match source {
        LockedSource::Sdist(_) => "sdist".to_owned(),
        LockedSource::Archive { file, .. } => {
            let place = file.url.as_ref().or(file.path.as_ref());
            place.cloned().unwrap_or_default()
        }
        LockedSource::Vcs(vcs) => {
            let place = vcs.url.as_ref().or(vcs.path.as_ref());
            let place = place.map(String::as_str).unwrap_or_default();
            format!("{} {place}@{}", vcs.kind, vcs.commit_id)
        }
        LockedSource::Directory { path, editable, .. } => {
            let kind = if *editable { "in place: " } else { "" };
            format!("{kind}{path}")
        }
    }
}

/// `GitHub pytorch/pytorch, release.yml`
fn publisher(identity: &AttestationIdentity) -> String {
    let claims: Vec<&str> = identity.claims.values().map(String::as_str).collect();
    format!("{} {}", identity.kind, claims.join(", "))
        .trim()
        .to_owned()
}

impl FilesDiff {
    pub(super) fn of(old: &LockedPackage, new: &LockedPackage) -> Self {
        let (old, new): (Vec<_>, Vec<_>) = (old.files().collect(), new.files().collect());
        let mut files = Self::default();
        for file in &old {
            match new.iter().find(|it| it.name == file.name) {
                None => files.removed.push(file.name.clone()),
                Some(other) if !agree(file, other) => files.changed.push(file.name.clone()),
                Some(_) => {}
            }
        }
        let is_new = |file: &&&LockedFile| !old.iter().any(|it| it.name == file.name);
        files.added = new
            .iter()
            .filter(is_new)
            .map(|it| it.name.clone())
            .collect();
        files
    }

    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.added.is_empty() && self.changed.is_empty()
    }
}

/// Whether no algorithm that both have disagrees.
fn agree(one: &LockedFile, other: &LockedFile) -> bool {
    let mut hashes = one.hashes.iter();
    hashes.all(|(algorithm, hex)| {
        let mut others = other.hashes.iter();
        others.all(|(same, other)| algorithm != same || hex == other)
    })
}
