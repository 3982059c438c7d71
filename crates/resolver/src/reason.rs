//! Why versions of a package can't be taken, apart from dependencies.

use std::fmt;
use std::sync::Arc;

use bnbpip_overlay::RuleId;
use bnbpip_packaging::Version;

use crate::provider::Unusable;

/// The reason behind an incompatibility that is no dependency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// No index has the package.
    NotFound,
    /// Each version in the range for its own reason.
    Versions(VersionReasons),
    /// A constraint leaves these versions out: its text and origin.
    Constraint(Arc<(String, Option<String>)>),
    /// An overlay rule excludes these versions.
    Rule(RuleId),
}

/// Versions, newest first, each with its reason.
pub type VersionReasons = Arc<Vec<(Version, VersionReason)>>;

/// Why one version can't be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VersionReason {
    /// No file fits.
    Unusable(Unusable),
    /// It was yanked, and no requirement pins it.
    Yanked(Option<String>),
    /// It is a pre-release, and stable versions are asked for.
    Prerelease,
    /// Its metadata can't be read.
    InvalidMetadata(String),
    /// Too many others have metadata that can't be read.
    NotTried,
    /// Its metadata isn't in the cache, and there is no network.
    NotCached,
    /// It is built for something that nobody offers, in words.
    NoBuild(String),
    /// Its metadata asks for another Python.
    RequiresPython(String),
    /// Its own text is not the one that `===` asks for.
    ArbitraryEquality,
}

/// The solver library asks for it; what users read is made by the report.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
