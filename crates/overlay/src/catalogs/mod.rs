//! Catalogs: wheels of a platform that their projects don't publish, built by others, each with its
//! digest and with what it is built for.
//!
//! A catalog is a TOML file under `constraints/catalogs`. Metadata of such wheels says nothing about
//! the torch and the CUDA that they were compiled for; the catalog does, and the solver holds it to
//! that. This module stands on its own, because the crate's build script compiles it too.

mod read;

use bnbpip_packaging::{PackageName, Version, VersionSpecifiers, WheelFilename, range};

use crate::rules::RuleDate;

/// Wheels and indexes of a platform that come from others than the projects.
#[derive(Debug, Clone)]
pub struct Catalog {
    /// The source that it was read from, usually a path with forward slashes.
    pub file: String,
    /// The day of its last change.
    pub date: RuleDate,
    /// Indexes that have such wheels.
    pub indexes: Vec<CommunityIndex>,
    /// Single wheels.
    pub wheels: Vec<CommunityWheel>,
}

/// An index of wheels that somebody else than their projects built.
#[derive(Debug, Clone)]
pub struct CommunityIndex {
    /// What it is called.
    pub name: String,
    /// The root of the index (PEP 503).
    pub url: String,
    /// What it has.
    pub packages: Vec<PackageName>,
    /// The versions that it has of these.
    pub versions: VersionSpecifiers,
    /// Why it is there, as a sentence without a full stop.
    pub why: String,
    /// Where it is known from.
    pub provenance: Vec<String>,
    /// The day of the last review.
    pub reviewed: RuleDate,
}

/// A wheel that somebody else than its project built.
#[derive(Debug, Clone)]
pub struct CommunityWheel {
    /// Its address.
    pub url: String,
    /// Its file name.
    pub filename: WheelFilename,
    /// The SHA-256, in lowercase hexadecimal.
    pub sha256: String,
    /// Its size, if somebody wrote it down.
    pub size_bytes: Option<u64>,
    /// The releases of torch that it works with; any if there are none.
    pub torch: Option<VersionSpecifiers>,
    /// The version of CUDA that it was compiled with (`12.8`).
    pub cuda: Option<String>,
    /// The Pythons that it is for, where its tags don't say all.
    pub python: Option<VersionSpecifiers>,
    /// Who built it: the project that publishes it.
    pub source: String,
    /// Why it is there, as a sentence without a full stop.
    pub why: String,
    /// Who recorded the digest, each by itself.
    pub provenance: Vec<String>,
    /// The day of the last review.
    pub reviewed: RuleDate,
}

/// What is wrong with a catalog, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {message}")]
pub struct CatalogError {
    /// The catalog's file.
    pub file: String,
    /// The line in it, from 1.
    pub line: usize,
    /// What is wrong, as a sentence without a full stop.
    pub message: String,
}

impl Catalog {
    /// Reads a catalog; `file` is what errors call it.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn parse(text: &str, file: &str) -> Result<Self, Vec<CatalogError>> {
        read::catalog(text, file)
    }

    /// The wheels of a package, in the catalog's order.
    pub fn wheels_of<'a>(&'a self, name: &PackageName) -> impl Iterator<Item = &'a CommunityWheel> {
        self.wheels
            .iter()
            .filter(move |wheel| wheel.filename.name == *name)
    }

    /// The indexes that have a package.
    pub fn indexes_of<'a>(
        &'a self,
        name: &PackageName,
    ) -> impl Iterator<Item = &'a CommunityIndex> {
        self.indexes
            .iter()
            .filter(move |index| index.packages.contains(name))
    }
}

impl CommunityWheel {
    /// The local version of the builds of torch that it works with: `cu128`.
    pub fn torch_build(&self) -> Option<String> {
        let cuda = self.cuda.as_ref()?;
        Some(format!("cu{}", cuda.replace('.', "")))
    }

    /// Whether it works with a build of torch: the release, and the CUDA that its local version
    /// tells. A build that tells none doesn't fit a wheel for one.
    pub fn works_with(&self, torch: &Version) -> bool {
        let release = self.torch.as_ref().is_none_or(|specifiers| {
            let public = torch.clone().without_local();
            range::from_specifiers(specifiers).contains(&public)
        });
        let built = self.torch_build().is_none_or(|build| {
            let text = torch.to_string();
            text.split_once('+')
                .is_some_and(|(_, local)| local == build)
        });
        release && built
    }

    /// The releases of torch that it works with, in words: `2.8.*`.
    pub fn torch_releases(&self) -> Option<String> {
        let text = self.torch.as_ref()?.to_string();
        Some(text.strip_prefix("==").unwrap_or(&text).to_owned())
    }

    /// What it is built for, in words: `torch 2.8.* with CUDA 12.8`.
    pub fn built_for(&self) -> Option<String> {
        let torch = self.torch_releases()?;
        Some(match &self.cuda {
            Some(cuda) => format!("torch {torch} with CUDA {cuda}"),
            None => format!("torch {torch}"),
        })
    }
}
