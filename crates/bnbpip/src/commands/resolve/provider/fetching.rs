//! Pages and metadata for the solver's thread and for the tasks that fetch ahead: each once.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bnbpip_index::{
    IndexClient, IndexError, Metadata, MetadataLiteError, PackageFile, WheelMetadataLite,
};
use bnbpip_packaging::{PackageName, Version, VersionRange, VersionSpecifiers};
use bnbpip_resolver::{PackageMetadata, VersionList as _};
use rustc_hash::{FxHashMap, FxHashSet};
use tokio::sync::{OnceCell, Semaphore};

use crate::commands::resolve::candidates::Selection;
use crate::commands::resolve::community::Community;
use crate::commands::resolve::resolution::LockedFiles;
use crate::commands::resolve::versions::Candidates;

/// How many packages are fetched ahead at once: more than the network takes.
pub(super) const AHEAD: usize = 512;

/// What the solver's thread and the tasks that fetch ahead share.
pub(super) struct Shared {
    pub(super) client: IndexClient,
    pub(super) selection: Arc<Selection>,
    /// What others built, if it may be taken.
    pub(super) community: Option<Arc<Community>>,
    /// The packages that come from one file alone, whatever indexes have.
    pub(super) locked: LockedFiles,
    pub(super) lists: Mutex<FxHashMap<PackageName, Arc<OnceCell<ListResult>>>>,
    pub(super) metadata: Mutex<FxHashMap<FileKey, Arc<OnceCell<MetadataResult>>>>,
    pub(super) announced: Mutex<FxHashSet<(PackageName, VersionRange)>>,
    /// How many packages are fetched ahead at once.
    pub(super) ahead: Semaphore,
    pub(super) direct: Mutex<FxHashMap<String, Arc<PackageFile>>>,
    /// What was passed over because of its metadata.
    pub(super) passed_over: Mutex<BTreeSet<String>>,
    /// The addresses of source distributions that were passed over, which is told at once.
    pub(super) discarded: Mutex<FxHashSet<String>>,
}

/// The address of the file's one record: pages keep theirs for as long as the run lasts.
type FileKey = usize;
type ListResult = Result<Option<Arc<Candidates>>, Arc<IndexError>>;
type MetadataResult = Result<Arc<PackageMetadata>, MetadataFailure>;

#[derive(Debug, Clone)]
pub(super) enum MetadataFailure {
    Invalid(String),
    /// It is of another project or version than the file's name says.
    Inconsistent {
        /// What the two say.
        message: String,
        /// The same in pip's words.
        reason: String,
    },
    /// The wheel's `.dist-info` folder is at fault.
    Folder(String),
    NoBuild(String),
    Index(Arc<IndexError>),
}

/// What is wrong with the metadata of a wheel.
fn invalid(error: &MetadataLiteError) -> MetadataFailure {
    let message = error.to_string();
    let MetadataLiteError::Disagrees { expected, found } = error else {
        return MetadataFailure::Invalid(message);
    };
    let (name, version) = expected.split_once(' ').unwrap_or((expected, ""));
    let (found_name, found_version) = found.split_once(' ').unwrap_or((found, ""));
    let (what, expected, found) = if name == found_name {
        ("version", version, found_version)
    } else {
        ("name", name, found_name)
    };
    let reason =
        format!("has inconsistent {what}: expected '{expected}', but metadata has '{found}'");
    MetadataFailure::Inconsistent { message, reason }
}

impl Shared {
    pub(super) async fn list(&self, name: &PackageName) -> ListResult {
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

    pub(super) async fn metadata(&self, file: &Arc<PackageFile>) -> MetadataResult {
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
                IndexError::BadMetadata { source, .. } => invalid(source),
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
    pub(super) async fn fetch_ahead(
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

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
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
