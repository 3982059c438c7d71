//! The one door to all of this: projects, metadata, wheels, each asked for once.

mod facts;
mod projects;

use std::sync::Arc;

use bnbpip_packaging::PackageName;

use crate::cache::{Bucket, Cache};
use crate::download::{DownloadedFile, Downloader, RequiredHashes};
use crate::error::{IndexError, SharedResult};
use crate::flat::FlatPage;
use crate::http::{Get, HttpClient, Purpose, SharedHttp};
use crate::index_url::{IndexUrl, without_credentials};
use crate::locations::IndexLocations;
use crate::metadata::{MetadataFetcher, WheelMetadataLite, check_agreement};
use crate::once_map::OnceMap;
use crate::options::ClientOptions;
use crate::page::{PackageFile, Project};
use crate::progress::Progress;
use crate::remote_wheel::RemoteWheel;
use crate::simple::PageFetcher;
use crate::sources::PageSources;
use crate::store::{Store, StoredWheel};

pub use self::facts::Publisher;
pub(crate) use self::facts::cached_filename;

/// What is known about the metadata of a file.
#[derive(Debug, Clone)]
pub enum Metadata {
    /// A wheel's.
    Wheel(Arc<WheelMetadataLite>),
    /// A source distribution: it has to be built to know.
    NeedsBuild,
}

/// Looks projects up, reads metadata and fetches wheels. Cheap to clone; clones share everything.
///
/// Its methods must be called inside a `tokio` runtime.
#[derive(Debug, Clone)]
pub struct IndexClient {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    locations: IndexLocations,
    http: SharedHttp,
    pages: PageSources,
    metadata: Arc<MetadataFetcher>,
    cache: Cache,
    downloader: Arc<Downloader>,
    store: Arc<Store>,
    keep_archives: bool,
    projects: OnceMap<PackageName, SharedResult<Option<Arc<Project>>>>,
    flat: OnceMap<IndexUrl, SharedResult<Arc<FlatPage>>>,
    metadata_of: OnceMap<FileKey, SharedResult<Arc<WheelMetadataLite>>>,
    wheels: OnceMap<FileKey, SharedResult<Arc<StoredWheel>>>,
}

/// The largest file that [`IndexClient::read_url`] takes.
const SMALL_FILE_LIMIT_BYTES: u64 = 64 << 20;

/// Address and SHA-256 of a file.
type FileKey = (String, Option<Box<str>>);

fn key_of(file: &PackageFile) -> FileKey {
    let sha256 = file.hashes.sha256().map(Box::from);
    (without_credentials(&file.url), sha256)
}

impl IndexClient {
    /// A client. Nothing is opened or read yet.
    pub fn new(locations: IndexLocations, cache: Cache, options: &ClientOptions) -> Self {
        let indexes = locations.indexes.iter().map(|entry| &entry.url);
        let mirrors = locations.mirrors.iter().map(|mirror| &mirror.url);
        let places = indexes.chain(&locations.find_links).chain(mirrors);
        let http = Arc::new(HttpClient::new(options, places));
        let downloader = Arc::new(Downloader::new(
            Arc::clone(&http),
            cache.clone(),
            options.concurrent_downloads,
            options.offline,
        ));
        let inner = Inner {
            metadata: Arc::new(MetadataFetcher::new(
                Arc::clone(&http),
                cache.clone(),
                Arc::clone(&downloader),
            )),
            cache: cache.clone(),
            store: Arc::new(Store::new(&cache, options.verification)),
            pages: PageSources::new(
                PageFetcher::new(Arc::clone(&http), cache, options),
                locations.mirrors.clone(),
            ),
            keep_archives: options.keep_archives,
            locations,
            http,
            downloader,
            projects: OnceMap::default(),
            flat: OnceMap::default(),
            metadata_of: OnceMap::default(),
            wheels: OnceMap::default(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Reads certificates and sets connections up, which the first `https` request would wait
    /// for. Blocks for some milliseconds; call it on a thread of its own when it is clear that
    /// the network will be asked.
    pub fn prepare(&self) {
        self.inner.http.prepare();
    }

    /// Where packages come from.
    pub fn locations(&self) -> &IndexLocations {
        &self.inner.locations
    }

    /// What went wrong without being a failure, to be told: each once.
    pub fn take_notes(&self) -> Vec<String> {
        self.inner.pages.mirrors.take_notes()
    }

    /// The essentials of a file's metadata.
    ///
    /// # Errors
    /// When it can't be fetched, or isn't the file's.
    pub async fn metadata(&self, file: &PackageFile) -> SharedResult<Metadata> {
        let Some(wheel) = file.wheel() else {
            return Ok(Metadata::NeedsBuild);
        };
        let fetch = || async {
            let mut sources = self.inner.pages.of_file(file);
            while let Some(source) = sources.next().await {
                match self.inner.metadata.fetch(&source, wheel).await {
                    Err(error) if sources.goes_on_after(&error) => {}
                    lite => return lite.map(Arc::new).map_err(Arc::new),
                }
            }
            let lite = self.inner.metadata.fetch(file, wheel).await;
            lite.map(Arc::new).map_err(Arc::new)
        };
        let lite = self
            .inner
            .metadata_of
            .get_or_compute(key_of(file), fetch)
            .await?;
        Ok(Metadata::Wheel(lite))
    }

    /// What an index says of the metadata of a source distribution (PEP 658), so that nothing has
    /// to be built to know; `None` if it says nothing.
    ///
    /// # Errors
    /// When it can't be fetched, or isn't what the index has digests of.
    pub async fn told_metadata(&self, file: &PackageFile) -> SharedResult<Option<Vec<u8>>> {
        Ok(self.inner.metadata.beside(file).await?)
    }

    /// The whole `METADATA` file of a wheel: for reports, not cached. `None` for a source
    /// distribution, which has to be built to know.
    ///
    /// # Errors
    /// When it can't be fetched.
    pub async fn metadata_document(&self, file: &PackageFile) -> SharedResult<Option<Vec<u8>>> {
        match file.wheel() {
            Some(wheel) => Ok(Some(self.inner.metadata.document(file, wheel).await?)),
            None => Ok(None),
        }
    }

    /// The files inside a wheel, to be listed and read one by one: a wheel of gigabytes costs a
    /// range for its directory and one for what is read. Both are cached.
    ///
    /// # Errors
    /// When the file is no wheel, or its directory can't be had.
    pub async fn open_remote(&self, file: &Arc<PackageFile>) -> SharedResult<RemoteWheel> {
        if file.wheel().is_none() {
            let filename = file.filename_text.to_string();
            return Err(Arc::new(IndexError::NeedsBuild { filename }));
        }
        let inner = &self.inner;
        let metadata = Arc::clone(&inner.metadata);
        Ok(RemoteWheel::open(Arc::clone(file), inner.cache.clone(), metadata).await?)
    }

    /// Any small file at an `http` or `https` address, such as a requirements file.
    ///
    /// # Errors
    /// When it can't be had, or is larger than a page may be.
    pub async fn read_url(&self, url: &url::Url) -> SharedResult<Vec<u8>> {
        let get = Get {
            url,
            purpose: Purpose::Page,
            headers: http::HeaderMap::new(),
            retries: None,
        };
        let whole = self
            .inner
            .http
            .get_whole(&get, SMALL_FILE_LIMIT_BYTES)
            .await
            .map_err(IndexError::from)?;
        if whole.status.is_success() {
            return Ok(whole.body);
        }
        let error = whole.refusal(url);
        Err(Arc::new(error.into()))
    }

    /// The file as it is on its server, verified, in the cache (a local file stays where it is).
    ///
    /// # Errors
    /// When it can't be fetched or isn't what it should be.
    pub async fn download(
        &self,
        file: &PackageFile,
        required: &RequiredHashes,
        progress: &dyn Progress,
    ) -> Result<DownloadedFile, IndexError> {
        let downloaded = self.download_once(file, required, progress).await?;
        self.check_told(file, &downloaded).await?;
        Ok(downloaded)
    }

    /// Checks that a wheel says of itself what its index said when versions were chosen.
    async fn check_told(
        &self,
        file: &PackageFile,
        downloaded: &DownloadedFile,
    ) -> Result<(), IndexError> {
        let told = file
            .core_metadata
            .as_ref()
            .and_then(|_| self.inner.metadata_of.get(&key_of(file)));
        let (Some(Ok(told)), Some(wheel)) = (told, file.wheel()) else {
            return Ok(());
        };
        let (path, wheel) = (downloaded.path.clone(), wheel.clone());
        let location = file.location();
        crate::blocking(&file.filename_text, move || {
            check_agreement(&told, &path, &wheel, location)
        })
        .await
    }

    async fn download_once(
        &self,
        file: &PackageFile,
        required: &RequiredHashes,
        progress: &dyn Progress,
    ) -> Result<DownloadedFile, IndexError> {
        let downloader = &self.inner.downloader;
        let mut sources = self.inner.pages.of_file(file);
        while let Some(source) = sources.next().await {
            match downloader.download(&source, required, progress).await {
                Err(error) if sources.goes_on_after(&error) => {}
                result => return result,
            }
        }
        downloader.download(file, required, progress).await
    }

    /// The wheel, verified and unpacked.
    ///
    /// # Errors
    /// When it can't be fetched, isn't what it should be, or is refused.
    pub async fn fetch(
        &self,
        file: &PackageFile,
        required: &RequiredHashes,
        progress: &dyn Progress,
    ) -> SharedResult<Arc<StoredWheel>> {
        let fetch = || async {
            let stored = self.fetch_once(file, required, progress).await;
            stored.map(Arc::new).map_err(Arc::new)
        };
        self.inner.wheels.get_or_compute(key_of(file), fetch).await
    }

    async fn fetch_once(
        &self,
        file: &PackageFile,
        required: &RequiredHashes,
        progress: &dyn Progress,
    ) -> Result<StoredWheel, IndexError> {
        let filename = file.filename_text.to_string();
        if file.wheel().is_none() {
            return Err(IndexError::NeedsBuild { filename });
        }
        let mut tries = 3;
        loop {
            if let Some(stored) = self.stored(file, required).await? {
                return Ok(stored);
            }
            let fetched = async {
                let downloaded = self.download(file, required, progress).await?;
                self.unpack(file, downloaded).await
            };
            match fetched.await {
                // Another process unpacked and removed the archive in between.
                Err(error) if error.is_missing_file() && tries > 0 => {}
                other => return other,
            }
            tries -= 1;
        }
    }

    /// The unpacked wheel from the store, if its digest is known and it is there.
    async fn stored(
        &self,
        file: &PackageFile,
        required: &RequiredHashes,
    ) -> Result<Option<StoredWheel>, IndexError> {
        let known = self.inner.downloader.known_sha256(file);
        let Some(sha256) = known.filter(|sha256| required.allows_sha256(sha256)) else {
            return Ok(None);
        };
        let store = Arc::clone(&self.inner.store);
        crate::blocking(&file.filename_text, move || Ok(store.get(&sha256))).await
    }

    /// Unpacks a downloaded wheel, and removes the archive unless it is to be kept.
    async fn unpack(
        &self,
        file: &PackageFile,
        downloaded: DownloadedFile,
    ) -> Result<StoredWheel, IndexError> {
        let filename = file.filename_text.to_string();
        let location = file.location();
        let is_ours = downloaded
            .path
            .starts_with(self.inner.cache.bucket(Bucket::Wheels))
            && !self.inner.keep_archives;
        let store = Arc::clone(&self.inner.store);
        crate::blocking(&file.filename_text, move || {
            let DownloadedFile { path, sha256, .. } = downloaded;
            if let Some(stored) = store.get(&sha256) {
                return Ok(stored);
            }
            let stored = store.put(&path, &sha256, &filename, &location)?;
            if is_ours && let Err(error) = fs_err::remove_file(&path) {
                tracing::debug!(%error, "a downloaded file can't be removed");
            }
            Ok(stored)
        })
        .await
    }

    /// Whether a file can be had without network: on this machine, unpacked in the cache, or
    /// downloaded there. A look at the directory, not a verification.
    pub fn is_here(&self, file: &PackageFile) -> bool {
        match file.local_path() {
            Some(path) => path.is_file(),
            None => self.is_stored(file) || self.inner.downloader.has(file),
        }
    }

    /// Whether the unpacked wheel seems to be in the cache already, so that nothing has to be
    /// downloaded for it. A look at the directory, not a verification.
    pub fn is_stored(&self, file: &PackageFile) -> bool {
        let sha256 = self.inner.downloader.known_sha256(file);
        sha256.is_some_and(|sha256| self.inner.store.has(&sha256))
    }
}
