//! What the solver asks of the world: versions of a package, and the metadata of one of them.

use std::fmt;
use std::sync::Arc;

use bnbpip_overlay::{MachineFacts, RuleId};
use bnbpip_packaging::{
    ExtraName, IncompatibleTag, PackageName, Requirement, Version, VersionRange, VersionSpecifiers,
};

/// Brings pages and metadata. Calls block; `prefetch*` only announce what will be asked for.
pub trait MetadataProvider {
    /// The handle of a chosen file, opaque to the solver.
    type File: Clone;

    /// Every version of a package, or `None` if no index has it.
    ///
    /// # Errors
    ///
    /// When an index can't be read; the resolution stops.
    fn versions(
        &self,
        name: &PackageName,
    ) -> Result<Option<Arc<dyn VersionList<File = Self::File>>>, ProviderError>;

    /// The metadata of a file.
    ///
    /// # Errors
    ///
    /// [`DependencyError::Invalid`] rules the version out; the others stop the resolution.
    fn metadata(
        &self,
        name: &PackageName,
        version: &Version,
        file: &Self::File,
    ) -> Result<Arc<PackageMetadata>, DependencyError>;

    /// The name's page will be needed, and likely the metadata of the best version in `range`.
    fn prefetch(&self, name: &PackageName, range: &VersionRange);

    /// The solver turns back and forth over this package: the metadata of the next `count`
    /// versions below `below` is likely to be asked for.
    fn prefetch_batch(
        &self,
        name: &PackageName,
        range: &VersionRange,
        below: &Version,
        count: usize,
    );

    /// The machine that the packages are for. It is asked once a rule depends on it.
    fn machine(&self) -> &dyn MachineFacts;

    /// The single candidate behind a direct URL.
    ///
    /// # Errors
    ///
    /// When it can't be had or is not the named project.
    fn direct(&self, name: &PackageName, url: &str)
    -> Result<(Version, Self::File), ProviderError>;
}

/// The versions of one package for one target.
pub trait VersionList: Send + Sync {
    /// The handle of a chosen file.
    type File;

    /// All versions with any file, ascending, each once.
    fn versions(&self) -> &[Version];

    /// The best file of the version at `index` in [`VersionList::versions`].
    ///
    /// # Errors
    ///
    /// Why no file of it can be used here.
    fn file(&self, index: usize) -> Result<Self::File, Unusable>;

    /// The rank of a version that has a file: one of a lower rank is tried before it, whichever is
    /// newer.
    fn rank(&self, _index: usize) -> usize {
        0
    }

    /// Whether the version was yanked (PEP 592), with its reason.
    fn yanked(&self, index: usize) -> Option<Yanked>;
}

/// The mark of a yanked version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Yanked {
    /// The publisher's words, if any.
    pub reason: Option<String>,
}

/// The metadata that solving needs.
#[derive(Debug, Clone, Default)]
pub struct PackageMetadata {
    /// Declared dependencies.
    pub requires_dist: Vec<Requirement>,
    /// Supported Python versions.
    pub requires_python: Option<VersionSpecifiers>,
    /// Declared extras.
    pub provides_extra: Vec<ExtraName>,
    /// Versions of other packages that it is built for, where no specifier can say so: builds are
    /// told apart by local versions alone.
    pub builds: Vec<(PackageName, VersionRange)>,
}

/// Why no file of a version can be used for the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unusable {
    /// The wheels' tags don't fit: the furthest part reached, and the tags that exist in that part.
    Tags {
        /// The part that failed.
        part: IncompatibleTag,
        /// What the wheels offer there (`cp311`, `win_amd64`), in order, without repeats.
        offered: Vec<String>,
    },
    /// Every file asks for another Python.
    RequiresPython(String),
    /// There is only a source distribution, and this tool would have to build it.
    OnlySource,
    /// `--only-binary` or `--no-binary` leaves no file.
    BinaryPolicy,
    /// Every file was uploaded after the limit: the first of them on this day (`2026-11-23`), if
    /// the index tells.
    TooNew(Option<String>),
    /// No file has a hash that the user gave.
    Hash,
    /// An overlay rule removed every file.
    Rule(RuleId),
}

/// A page or file could not be had: the resolution ends. Made by the provider from its own error.
#[derive(Debug)]
pub struct ProviderError(pub Box<dyn std::error::Error + Send + Sync>);

impl fmt::Display for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for ProviderError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

/// Why a version's metadata could not be used.
#[derive(Debug, thiserror::Error)]
pub enum DependencyError {
    /// It is there, and wrong; another version may do.
    #[error("{0}")]
    Invalid(String),
    /// It isn't in the cache, and there is no network; another version may do.
    #[error("Failed to find the metadata in the cache")]
    NotCached,
    /// It is built for something that nobody offers, in words; another version may do.
    #[error("{0}")]
    NoBuild(String),
    /// It could not be had.
    #[error(transparent)]
    Provider(#[from] ProviderError),
}
