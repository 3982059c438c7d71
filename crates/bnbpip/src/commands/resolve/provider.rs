//! The resolver's view of the index: pages and metadata, fetched ahead, each once.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bnbpip_index::{
    IndexClient, IndexError, IndexLocations, Metadata, PackageFile, WheelMetadataLite,
};
use bnbpip_overlay::MachineFacts;
use bnbpip_packaging::{
    Hashes, PackageName, TagCompatibility, Version, VersionRange, VersionSpecifiers,
};
use bnbpip_resolver::{
    DependencyError, MetadataProvider, PackageMetadata, ProviderError, Unusable, VersionList,
};
use rustc_hash::{FxHashMap, FxHashSet};
use tokio::runtime::Handle;
use tokio::sync::{OnceCell, Semaphore};

use super::candidates::Selection;
use super::community::Community;
use super::machine::Machine;
use super::resolution::LockedFiles;
use super::versions::Candidates;
use crate::commands::sources::{Access, Sources, is_source};
use crate::failure::Failure;

/// How many packages are fetched ahead at once: more than the network takes.
const AHEAD: usize = 512;

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

/// What the solver's thread and the tasks that fetch ahead share.
struct Shared {
    client: IndexClient,
    selection: Arc<Selection>,
    /// What others built, if it may be taken.
    community: Option<Arc<Community>>,
    /// The packages that come from one file alone, whatever indexes have.
    locked: LockedFiles,
    lists: Mutex<FxHashMap<PackageName, Arc<OnceCell<ListResult>>>>,
    metadata: Mutex<FxHashMap<FileKey, Arc<OnceCell<MetadataResult>>>>,
    announced: Mutex<FxHashSet<(PackageName, VersionRange)>>,
    /// How many packages are fetched ahead at once.
    ahead: Semaphore,
    direct: Mutex<FxHashMap<String, Arc<PackageFile>>>,
    /// What was passed over because of its metadata.
    passed_over: Mutex<BTreeSet<String>>,
}

/// The address of the file's one record: pages keep theirs for as long as the run lasts.
type FileKey = usize;
type ListResult = Result<Option<Arc<Candidates>>, Arc<IndexError>>;
type MetadataResult = Result<Arc<PackageMetadata>, MetadataFailure>;

#[derive(Debug, Clone)]
enum MetadataFailure {
    Invalid(String),
    /// The wheel's `.dist-info` folder is at fault.
    Folder(String),
    NoBuild(String),
    Index(Arc<IndexError>),
}

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

    /// How many indexes have a package, of those that were asked.
    pub(super) fn index_count(&self, name: &PackageName, locations: &IndexLocations) -> usize {
        let lists = lock(&self.shared.lists);
        let Some(Ok(Some(candidates))) = lists.get(name).and_then(|cell| cell.get()) else {
            return 0;
        };
        candidates.index_count(&locations.find_links)
    }
}

impl Shared {
    async fn list(&self, name: &PackageName) -> ListResult {
        let cell = Arc::clone(lock(&self.lists).entry(name.clone()).or_default());
        let fetch = async || {
            if let Some(file) = self.locked.get(name) {
                let selection = Arc::clone(&self.selection);
                let candidates = Candidates::of_file(Arc::clone(file), selection);
                return Ok(Some(Arc::new(candidates)));
            }
            let project = self.client.project(name).await?;
            let community = match &self.community {
                Some(community) => community.files(name, &self.client).await,
                None => Vec::new(),
            };
            if project.is_none() && community.is_empty() {
                return Ok(None);
            }
            let selection = Arc::clone(&self.selection);
            let candidates = Candidates::with_community(project, community, selection);
            Ok(Some(Arc::new(candidates)))
        };
        cell.get_or_init(fetch).await.clone()
    }

    async fn metadata(&self, file: &Arc<PackageFile>) -> MetadataResult {
        let key = Arc::as_ptr(file) as FileKey;
        let cell = Arc::clone(lock(&self.metadata).entry(key).or_default());
        let fetch = async || match self.client.metadata(file).await {
            Ok(Metadata::Wheel(metadata)) => match parse(&metadata) {
                Ok(metadata) => self.held_to_torch(file, metadata).await.map(Arc::new),
                Err(message) => Err(MetadataFailure::Invalid(message)),
            },
            Ok(Metadata::NeedsBuild) => Err(MetadataFailure::Invalid(
                "it has to be built first".to_string(),
            )),
            Err(error) => Err(match &*error {
                IndexError::BadMetadata { source, .. } if source.is_about_folder() => {
                    MetadataFailure::Folder(source.to_string())
                }
                IndexError::BadMetadata { source, .. } => {
                    MetadataFailure::Invalid(source.to_string())
                }
                _ => MetadataFailure::Index(error),
            }),
        };
        cell.get_or_init(fetch).await.clone()
    }

    /// The metadata of a community wheel with the builds of torch that it works with: it says
    /// nothing about these itself.
    async fn held_to_torch(
        &self,
        file: &PackageFile,
        mut metadata: PackageMetadata,
    ) -> Result<PackageMetadata, MetadataFailure> {
        let community = self.community.as_ref();
        let Some((wheel, wanted)) = community
            .and_then(|community| community.wheel_of(file))
            .and_then(|wheel| Some((wheel, wheel.built_for()?)))
        else {
            return Ok(metadata);
        };
        let torch = PackageName::new("torch".to_string())
            .map_err(|error| MetadataFailure::Invalid(error.to_string()))?;
        let offered = self.list(&torch).await.map_err(MetadataFailure::Index)?;
        let mut fitting = VersionRange::empty();
        let mut take = |version: &Version| {
            if wheel.works_with(version) {
                fitting = fitting.union(&VersionRange::singleton(version.clone()));
            }
        };
        if let Some(offered) = &offered {
            offered.versions().iter().for_each(&mut take);
        }
        let direct = lock(&self.direct);
        let direct = direct.values().filter(|file| *file.name() == torch);
        direct.map(|file| file.version()).for_each(&mut take);
        let installed = community.and_then(|community| community.installed_torch.as_ref());
        installed.into_iter().for_each(&mut take);
        if fitting.is_empty() {
            return Err(MetadataFailure::NoBuild(wanted));
        }
        metadata.builds.push((torch, fitting));
        Ok(metadata)
    }

    /// Fetches the page, then the metadata of `count` likely versions in `range`. What waits takes
    /// little memory: a package may name tens of thousands.
    async fn fetch_ahead(
        self: Arc<Self>,
        name: PackageName,
        range: VersionRange,
        below: Option<Version>,
        count: usize,
    ) {
        if let Ok(_permit) = self.ahead.acquire().await {
            Box::pin(Arc::clone(&self).look_ahead(name, range, below, count)).await;
        }
    }

    async fn look_ahead(
        self: Arc<Self>,
        name: PackageName,
        range: VersionRange,
        below: Option<Version>,
        count: usize,
    ) {
        let Ok(Some(candidates)) = self.list(&name).await else {
            return;
        };
        let mut end = match &below {
            Some(version) => candidates
                .versions()
                .partition_point(|known| known < version),
            None => candidates.versions().len(),
        };
        for _ in 0..count {
            // Behind a narrow range (a pin by each version of another package) the next ones in
            // order are the likeliest to be asked for.
            let in_range = candidates.likely(&range, end);
            let next = in_range.or_else(|| match count {
                1 => None,
                _ => candidates.likely(&VersionRange::full(), end),
            });
            let Some((index, file)) = next else { return };
            end = index;
            if count == 1 {
                // What goes wrong here goes wrong again, and is told, when the solver asks.
                let _told_later = self.metadata(&file).await;
            } else {
                let shared = Arc::clone(&self);
                tokio::spawn(async move { shared.metadata(&file).await.map(drop) });
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Parses the texts of the metadata.
fn parse(metadata: &WheelMetadataLite) -> Result<PackageMetadata, String> {
    let requires_dist = metadata
        .requires_dist
        .iter()
        .map(|text| bnbpip_packaging::metadata::parse_requirement(text))
        .collect::<Result<_, _>>()
        .map_err(|error| error.to_string())?;
    let requires_python: Option<VersionSpecifiers> = metadata
        .requires_python
        .as_deref()
        .map(bnbpip_packaging::metadata::parse_requires_python)
        .transpose()
        .map_err(|error| error.to_string())?;
    let provides_extra = metadata
        .provides_extra
        .iter()
        .filter_map(|extra| extra.parse().ok())
        .collect();
    Ok(PackageMetadata {
        requires_dist,
        requires_python,
        provides_extra,
        builds: Vec::new(),
    })
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
        if let Some(sources) = self.sources.as_ref().filter(|_| file.wheel().is_none()) {
            let metadata = sources
                .metadata(file, self.access())
                .map_err(source_error)?;
            return Ok(Arc::new(PackageMetadata {
                requires_dist: metadata.requires_dist,
                requires_python: metadata.requires_python,
                provides_extra: metadata.provides_extra,
                builds: Vec::new(),
            }));
        }
        match self.runtime.block_on(self.shared.metadata(file)) {
            Ok(metadata) => Ok(metadata),
            Err(MetadataFailure::Invalid(message)) if self.is_direct(file) => {
                Err(source_error(invalid_wheel(file, message)).into())
            }
            Err(MetadataFailure::Folder(message)) if self.is_direct(file) => {
                let text = format!("{} has an invalid wheel, {message}", file.name());
                Err(source_error(Failure::new(text)).into())
            }
            Err(MetadataFailure::Invalid(message) | MetadataFailure::Folder(message)) => {
                lock(&self.shared.passed_over).insert(format!(
                    "Ignoring version {version} of {name} since it has invalid metadata: {message}"
                ));
                Err(DependencyError::Invalid(message))
            }
            Err(MetadataFailure::NoBuild(wanted)) => Err(DependencyError::NoBuild(wanted)),
            Err(MetadataFailure::Index(error)) if error.is_offline() => {
                Err(DependencyError::NotCached)
            }
            Err(MetadataFailure::Index(error)) => Err(provider_error(error).into()),
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
        let fits = self.shared.selection.tags.compatibility(wheel);
        if matches!(fits, TagCompatibility::Incompatible(_)) {
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
