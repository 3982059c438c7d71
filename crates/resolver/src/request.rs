//! What is to be solved.

use std::sync::Arc;

use bnbpip_overlay::Overlay;
use bnbpip_packaging::{MarkerEnvironment, PackageName, Requirement, Version, VersionRange};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::provider::PackageMetadata;

/// One requirement that the user named.
#[derive(Debug, Clone)]
pub struct Requested {
    /// The requirement, its marker already known to hold or not.
    pub requirement: Requirement,
    /// The same as it was written, without a marker.
    pub text: String,
    /// Where it stands, as a person would say it (`requirements.txt line 3`); `None` for the
    /// command line.
    pub origin: Option<String>,
}

/// A constraint: it limits a package without requiring it.
#[derive(Debug, Clone)]
pub struct Constraint {
    /// The package.
    pub name: PackageName,
    /// The versions that it leaves.
    pub range: VersionRange,
    /// The specifiers as they were written.
    pub text: String,
    /// Where it stands.
    pub origin: Option<String>,
}

/// A distribution in the target environment.
#[derive(Debug, Clone)]
pub struct InstalledPackage {
    /// Its version.
    pub version: Version,
    /// Its metadata; empty when it can't be read.
    pub metadata: Arc<PackageMetadata>,
}

/// How pre-releases are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PrereleasePolicy {
    /// As pip: where a specifier names one, or nothing else matches what is asked for.
    #[default]
    IfNecessary,
    /// `--pre`
    Allow,
    /// Not even where a specifier names one.
    Never,
}

/// The versions of packages that are tried first, the best first; as a lock has them.
pub type PreferredVersions = FxHashMap<PackageName, Vec<Version>>;

/// The whole input of [`crate::resolve`].
#[derive(Debug)]
pub struct SolveRequest {
    /// What the user named, in order.
    pub requested: Vec<Requested>,
    /// Limits on packages.
    pub constraints: Vec<Constraint>,
    /// The target's markers.
    pub markers: MarkerEnvironment,
    /// The target's Python version, without local parts.
    pub python_version: Version,
    /// What is in the environment and may stay; empty to look past it.
    pub installed: FxHashMap<PackageName, InstalledPackage>,
    /// Installed packages whose installed version is not preferred (`--upgrade`).
    pub upgrade: FxHashSet<PackageName>,
    /// What the named packages need is upgraded with them (`--upgrade-strategy eager`).
    pub eager: bool,
    /// Take no dependencies (`--no-deps`).
    pub no_dependencies: bool,
    /// Look past `Requires-Python`.
    pub ignore_requires_python: bool,
    /// How pre-releases are treated.
    pub prereleases: PrereleasePolicy,
    /// How those of some packages are, whatever [`Self::prereleases`] says.
    pub prereleases_of: FxHashMap<PackageName, PrereleasePolicy>,
    /// Addresses that packages come from wherever they are needed, without being required.
    pub url_constraints: FxHashMap<PackageName, String>,
    /// The rules, without those that the user allowed.
    pub overlay: Overlay,
    /// Versions that are tried before newer ones.
    pub preferred: PreferredVersions,
}

impl SolveRequest {
    /// How a package's pre-releases are treated.
    pub(crate) fn prerelease_policy(&self, name: &PackageName) -> PrereleasePolicy {
        let named = self.prereleases_of.get(name);
        named.copied().unwrap_or(self.prereleases)
    }

    /// The installed version that is preferred for a package.
    pub(crate) fn kept(&self, name: &PackageName) -> Option<&InstalledPackage> {
        if self.upgrade.contains(name) {
            return None;
        }
        self.installed.get(name)
    }
}
