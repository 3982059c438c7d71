//! The resolver's view of the index: pages and metadata, fetched ahead, each once.

mod fetching;
mod metadata;
mod public_index;

use std::fmt;
use std::sync::{Arc, Mutex};

use bnbpip_index::{IndexClient, IndexError, IndexLocations, PackageFile};
use bnbpip_overlay::MachineFacts;
use bnbpip_packaging::{Hashes, MarkerEnvironment, PackageName, Version, VersionRange};
use bnbpip_resolver::{
    DependencyError, MetadataProvider, PackageMetadata, ProviderError, Unusable, VersionList,
};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use super::candidates::Selection;
use super::community::Community;
use super::machine::Machine;
use super::resolution::LockedFiles;
use super::wording::requirements_of;
use crate::commands::sources::{Access, Sources, is_source};
use crate::failure::Failure;
use fetching::{AHEAD, Shared, lock};

/// Joins the index's client to the solver, which runs on a thread of its own and may block.
pub(crate) struct IndexProvider {
    shared: Arc<Shared>,
    runtime: Handle,
    sources: Option<Sources>,
    machine: Machine,
}

/// A source that can't be had or built, with all that is to be said.
#[derive(Debug)]
pub(super) struct SourceError(pub(super) Failure);

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.messages().join("\n"))
    }
}

impl std::error::Error for SourceError {}

/// A URL that can't be used for the package that names it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DirectError {
    /// The URL's file belongs to another project.
    #[error("Failed to use `{url}` for `{name}`: the file is of `{found}`")]
    OtherProject {
        /// The URL, without credentials.
        url: String,
        /// The project that is asked for.
        name: PackageName,
        /// The project that the file is of.
        found: PackageName,
    },
    /// It is no wheel.
    #[error("Failed to use `{url}`: only wheels can be installed from a URL")]
    NotAWheel {
        /// The URL, without credentials.
        url: String,
    },
    /// The address has a hash that no file can have.
    #[error("Failed to use `{url}`: no file has the {algorithm} `{hex}`")]
    NoHash {
        /// The URL, without credentials.
        url: String,
        /// Which hash it is.
        algorithm: String,
        /// Its digits, as they were given.
        hex: String,
    },
    /// The wheel's tags don't fit.
    #[error("{filename} is not a supported wheel on this platform.")]
    Unsupported {
        /// The wheel's file name.
        filename: String,
    },
}

impl fmt::Debug for IndexProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IndexProvider").finish_non_exhaustive()
    }
}

impl IndexProvider {
    /// A provider over `client` that chooses files by `selection`.
    pub(crate) fn new(
        client: IndexClient,
        selection: Arc<Selection>,
        community: Option<Arc<Community>>,
        runtime: Handle,
        sources: Option<Sources>,
        machine: Machine,
        locked: LockedFiles,
    ) -> Self {
        let shared = Shared {
            client,
            selection,
            community,
            locked,
            lists: Mutex::default(),
            metadata: Mutex::default(),
            announced: Mutex::default(),
            ahead: Semaphore::new(AHEAD),
            direct: Mutex::default(),
            passed_over: Mutex::default(),
            discarded: Mutex::default(),
        };
        Self {
            shared: Arc::new(shared),
            runtime,
            sources,
            machine,
        }
    }

    /// The newer versions of a package that could not be considered because they have no wheel,
    /// newest first; only pages that were read count.
    pub(crate) fn source_only_above(
        &self,
        name: &PackageName,
        chosen: &Version,
    ) -> Option<Version> {
        let lists = lock(&self.shared.lists);
        let candidates = lists.get(name)?.get()?.as_ref().ok()?.clone()?;
        let versions = candidates.versions().iter().enumerate().rev();
        versions
            .take_while(|(_, version)| *version > chosen)
            .filter(|(_, version)| !version.any_prerelease())
            .find(|(index, _)| matches!(candidates.file(*index), Err(Unusable::OnlySource)))
            .map(|(_, version)| version.clone())
    }
}

impl IndexProvider {
    /// Which versions were passed over because of their metadata, in sentences.
    pub(crate) fn passed_over(&self) -> Vec<String> {
        lock(&self.shared.passed_over).iter().cloned().collect()
    }

    /// How a package of a version in `versions`, that was looked at, spells its requirement of
    /// `needed`.
    pub(super) fn spelled(
        &self,
        name: &PackageName,
        versions: &VersionRange,
        needed: &PackageName,
        markers: &MarkerEnvironment,
    ) -> Option<String> {
        let direct = lock(&self.shared.direct);
        let direct = direct.values().find(|file| file.name() == name).cloned();
        let file = direct.or_else(|| {
            let lists = lock(&self.shared.lists);
            let candidates = lists.get(name)?.get()?.as_ref().ok()?.clone()?;
            let mut newest = candidates.versions().iter().enumerate().rev();
            let (index, _) = newest.find(|(_, version)| versions.contains(version))?;
            candidates.file(index).ok()
        })?;
        let sources = self.sources.as_ref();
        requirements_of(&file, markers, self.access(), sources)?.remove(needed)
    }

    /// How many indexes have a package, of those that were asked.
    pub(super) fn index_count(&self, name: &PackageName, locations: &IndexLocations) -> usize {
        let lists = lock(&self.shared.lists);
        let Some(Ok(Some(candidates))) = lists.get(name).and_then(|cell| cell.get()) else {
            return 0;
        };
        candidates.index_count(&locations.find_links)
    }
}

/// What pip says of a wheel that it was given and can't use.
fn invalid_wheel(file: &PackageFile, reason: String) -> Failure {
    let name = file.name();
    let place = match file.local_path() {
        Some(path) => path.display().to_string(),
        None => file.shown_url(),
    };
    Failure::new(format!("Wheel '{name}' located at {place} is invalid.")).caused_by(reason)
}

fn source_error(failure: Failure) -> ProviderError {
    ProviderError(Box::new(SourceError(failure)))
}

fn provider_error(error: Arc<IndexError>) -> ProviderError {
    ProviderError(Box::new(error))
}

impl MetadataProvider for IndexProvider {
    type File = Arc<PackageFile>;

    fn versions(
        &self,
        name: &PackageName,
    ) -> Result<Option<Arc<dyn VersionList<File = Self::File>>>, ProviderError> {
        let candidates = self
            .runtime
            .block_on(self.shared.list(name))
            .map_err(provider_error)?;
        Ok(candidates.map(|candidates| {
            let list: Arc<dyn VersionList<File = Self::File>> = candidates;
            list
        }))
    }

    fn metadata(
        &self,
        name: &PackageName,
        version: &Version,
        file: &Self::File,
    ) -> Result<Arc<PackageMetadata>, DependencyError> {
        let metadata = self.metadata_of(name, version, file)?;
        match public_index::refusal(file, &metadata.requires_dist) {
            Some(failure) => Err(source_error(failure).into()),
            None => Ok(metadata),
        }
    }

    fn prefetch(&self, name: &PackageName, range: &VersionRange) {
        if lock(&self.shared.announced).insert((name.clone(), range.clone())) {
            let shared = Arc::clone(&self.shared);
            self.runtime
                .spawn(shared.fetch_ahead(name.clone(), range.clone(), None, 1));
        }
    }

    fn prefetch_batch(
        &self,
        name: &PackageName,
        range: &VersionRange,
        below: &Version,
        count: usize,
    ) {
        let shared = Arc::clone(&self.shared);
        let (name, range, below) = (name.clone(), range.clone(), Some(below.clone()));
        self.runtime
            .spawn(shared.fetch_ahead(name, range, below, count));
    }

    fn machine(&self) -> &dyn MachineFacts {
        &self.machine
    }

    fn direct(
        &self,
        name: &PackageName,
        url: &str,
    ) -> Result<(Version, Self::File), ProviderError> {
        let refuse = |error: DirectError| ProviderError(Box::new(error));
        let parsed: url::Url = url
            .parse()
            .map_err(|error| ProviderError(Box::new(error)))?;
        if let Some(sources) = self.sources.as_ref().filter(|_| is_source(&parsed)) {
            if let Some(known) = lock(&self.shared.direct).get(url) {
                return Ok((known.version().clone(), Arc::clone(known)));
            }
            let file = sources
                .direct(name, parsed, self.access())
                .map_err(source_error)?;
            let version = file.version().clone();
            return Ok((version, self.direct_file(url, file)));
        }
        let fragment = parsed.fragment().unwrap_or_default().to_owned();
        let file = PackageFile::from_url(parsed).map_err(|error| ProviderError(Box::new(error)))?;
        // A hash that can't be compared would leave the file unchecked.
        if let Some((algorithm, hex)) = Hashes::malformed(&fragment) {
            return Err(refuse(DirectError::NoHash {
                url: file.shown_url(),
                algorithm: algorithm.to_owned(),
                hex: hex.to_owned(),
            }));
        }
        let Some(wheel) = file.wheel() else {
            return Err(refuse(DirectError::NotAWheel {
                url: file.shown_url(),
            }));
        };
        if wheel.name != *name {
            return Err(refuse(DirectError::OtherProject {
                url: file.shown_url(),
                name: name.clone(),
                found: wheel.name.clone(),
            }));
        }
        if !self.shared.selection.fits(wheel) {
            let filename = wheel.to_string();
            return Err(refuse(DirectError::Unsupported { filename }));
        }
        let version = wheel.version.clone();
        Ok((version, self.direct_file(url, file)))
    }
}

impl IndexProvider {
    fn access(&self) -> Access<'_> {
        Access {
            client: &self.shared.client,
            runtime: &self.runtime,
        }
    }

    /// Whether a file is one that was named by its address: no other can stand in for it.
    fn is_direct(&self, file: &Arc<PackageFile>) -> bool {
        let direct = lock(&self.shared.direct);
        direct.values().any(|named| Arc::ptr_eq(named, file))
    }

    /// The one record of a direct URL's file.
    fn direct_file(&self, url: &str, file: PackageFile) -> Arc<PackageFile> {
        let mut direct = lock(&self.shared.direct);
        Arc::clone(
            direct
                .entry(url.to_string())
                .or_insert_with(|| Arc::new(file)),
        )
    }
}
