//! `METADATA` of a wheel on a server: the `.metadata` file beside it (PEP 658), else the end of
//! the wheel by a byte range, else the whole wheel.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bnbpip_packaging::WheelFilename;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use url::Url;

use super::archive::{FromTail, Tail, document_of_local_wheel, unpack_member};
use super::lite::{METADATA_LIMIT_BYTES, MetadataLiteError, WheelMetadataLite};
use super::{from_record, to_record};
use crate::cache::{Bucket, Cache, CacheKey, read_if_present, write_atomic};
use crate::download::{Downloader, RequiredHashes, check_bytes};
use crate::error::IndexError;
use crate::http::{Answer, Get, HttpError, Purpose, SharedHttp, content_range, range_header};
use crate::index_url::{host_of, redacted, without_credentials};
use crate::page::PackageFile;
use crate::progress::NoProgress;

/// Fetches metadata, and remembers which servers have no byte ranges.
#[derive(Debug)]
pub(crate) struct MetadataFetcher {
    http: SharedHttp,
    cache: Cache,
    downloader: Arc<Downloader>,
    without_ranges: Mutex<HashSet<String>>,
}

/// What a request for a range brought.
pub(crate) enum Ranged<'client> {
    /// These bytes, and the size of the whole if the server tells it.
    Bytes(Tail, Option<u64>),
    /// No range, but perhaps an answer with the whole file, of which nothing is read yet.
    Unsupported(Option<Box<Answer<'client>>>),
}

/// Why ranges brought no metadata.
enum RangedError {
    Http(HttpError),
    Metadata(MetadataLiteError),
}

impl From<HttpError> for RangedError {
    fn from(error: HttpError) -> Self {
        Self::Http(error)
    }
}

impl From<MetadataLiteError> for RangedError {
    fn from(error: MetadataLiteError) -> Self {
        Self::Metadata(error)
    }
}

impl MetadataFetcher {
    pub(crate) fn new(http: SharedHttp, cache: Cache, downloader: Arc<Downloader>) -> Self {
        Self {
            http,
            cache,
            downloader,
            without_ranges: Mutex::default(),
        }
    }

    /// The essentials of a wheel, from the cache if they are there: a file with the same address
    /// and digest never changes.
    pub(crate) async fn fetch(
        &self,
        file: &PackageFile,
        wheel: &WheelFilename,
    ) -> Result<WheelMetadataLite, IndexError> {
        if file.local_path().is_some() {
            return self.read(file, wheel).await;
        }
        let sha256 = file.hashes.sha256().unwrap_or_default();
        let key = CacheKey::digest(&[&without_credentials(&file.url), sha256]);
        let path = self.cache.entry(Bucket::Metadata, &key, "meta");
        // A record is a few hundred bytes: not worth another thread.
        if let Ok(Some(bytes)) = read_if_present(&path)
            && let Some(lite) = from_record(&path, &bytes)
        {
            return Ok(lite);
        }
        let lite = self.read(file, wheel).await?;
        if let Some(record) = to_record(&path, &file.filename_text, &lite)
            && let Err(error) = write_atomic(&path, &[&record])
        {
            tracing::debug!(%error, "metadata can't be cached");
        }
        Ok(lite)
    }

    async fn read(
        &self,
        file: &PackageFile,
        wheel: &WheelFilename,
    ) -> Result<WheelMetadataLite, IndexError> {
        let bad = |source| IndexError::BadMetadata {
            filename: file.filename_text.to_string(),
            location: file.location(),
            source,
        };
        let parse = |content: &[u8]| {
            WheelMetadataLite::parse(content)
                .and_then(|lite| lite.check(wheel))
                .map_err(bad)
        };
        parse(&self.document(file, wheel).await?)
    }

    /// The whole `METADATA` file.
    pub(crate) async fn document(
        &self,
        file: &PackageFile,
        wheel: &WheelFilename,
    ) -> Result<Vec<u8>, IndexError> {
        if let Some(content) = self.beside(file).await? {
            return Ok(content);
        }
        let path = if let Some(path) = file.local_path() {
            path
        } else {
            if let Some(content) = self.by_range(file, wheel).await? {
                return Ok(content);
            }
            self.whole(file).await?
        };
        let wheel = wheel.clone();
        crate::blocking(&file.filename_text, move || {
            document_of_local_wheel(&path, &wheel)
        })
        .await
    }

    /// The path of the whole wheel. It is kept: if it is chosen it need not be downloaded again.
    pub(crate) async fn whole(&self, file: &PackageFile) -> Result<PathBuf, IndexError> {
        let required = RequiredHashes::default();
        let downloaded = self.downloader.download(file, &required, &NoProgress);
        Ok(downloaded.await?.path)
    }

    /// The last bytes of the wheel; `None` if its server has no byte ranges, which is remembered.
    pub(crate) async fn tail(&self, file: &PackageFile) -> Result<Option<Tail>, IndexError> {
        let host = host_of(&file.url);
        if self.lacks_ranges(&host) {
            return Ok(None);
        }
        let length = tail_length(file.size_bytes);
        // Some servers take `-N` for the first bytes: then the ranges are of no use.
        match self.range(&file.url, &format!("-{length}")).await? {
            Ranged::Bytes(tail, total) if total == Some(tail.end()) => Ok(Some(tail)),
            ranged => {
                self.remember_lack(host);
                if let Ranged::Unsupported(Some(answer)) = ranged {
                    self.downloader.take_over(file, *answer).await;
                }
                Ok(None)
            }
        }
    }

    /// The `.metadata` file; `None` if the index says nothing of one, or it isn't there although
    /// the index says so.
    pub(crate) async fn beside(&self, file: &PackageFile) -> Result<Option<Vec<u8>>, IndexError> {
        let Some(hashes) = &file.core_metadata else {
            return Ok(None);
        };
        let content = match file.local_path() {
            Some(path) => {
                let filename = &file.filename_text;
                let mut beside = path.into_os_string();
                beside.push(".metadata");
                let beside = PathBuf::from(beside);
                let read = move || {
                    read_local(&beside).map_err(|error| IndexError::io("read", beside, 0, error))
                };
                crate::blocking(filename, read).await?
            }
            None => self.remote_beside(file).await?,
        };
        if let Some(content) = &content {
            let filename = format!("{}.metadata", file.filename_text);
            check_bytes(content, hashes, &filename, &file.location())?;
        }
        Ok(content)
    }

    async fn remote_beside(&self, file: &PackageFile) -> Result<Option<Vec<u8>>, IndexError> {
        let mut url = file.url.clone();
        url.set_path(&format!("{}.metadata", file.url.path()));
        let get = Get {
            url: &url,
            purpose: Purpose::Page,
            headers: HeaderMap::new(),
            retries: None,
        };
        let whole = self.http.get_whole(&get, METADATA_LIMIT_BYTES).await?;
        match whole.status {
            StatusCode::OK => Ok(Some(whole.body)),
            StatusCode::NOT_FOUND | StatusCode::GONE => {
                tracing::debug!(url = %redacted(&url), "the metadata file is missing");
                Ok(None)
            }
            _ => Err(whole.refusal(&url).into()),
        }
    }

    /// `METADATA` out of the end of the wheel; `None` if the server has no byte ranges, or sends
    /// other bytes than those asked for: the whole wheel, with its digest, tells what is wrong.
    async fn by_range(
        &self,
        file: &PackageFile,
        wheel: &WheelFilename,
    ) -> Result<Option<Vec<u8>>, IndexError> {
        let Some(tail) = self.tail(file).await? else {
            return Ok(None);
        };
        match self.read_tail(&file.url, wheel, tail).await {
            Ok(content) => Ok(content),
            Err(RangedError::Http(error)) => Err(error.into()),
            Err(RangedError::Metadata(MetadataLiteError::Archive(error))) => {
                tracing::debug!(%error, file = %file.filename_text, "the ranges make no archive");
                Ok(None)
            }
            Err(RangedError::Metadata(source)) => Err(IndexError::BadMetadata {
                filename: file.filename_text.to_string(),
                location: host_of(&file.url),
                source,
            }),
        }
    }

    async fn read_tail(
        &self,
        url: &Url,
        wheel: &WheelFilename,
        mut tail: Tail,
    ) -> Result<Option<Vec<u8>>, RangedError> {
        // Twice at the most: for the end record, then for the directory.
        for _ in 0..3 {
            match tail.metadata(wheel)? {
                FromTail::Metadata(content) => return Ok(Some(content)),
                FromTail::Member(entry, first, last) => {
                    let range = format!("{first}-{last}");
                    let Ranged::Bytes(part, _) = self.range(url, &range).await? else {
                        return Ok(None);
                    };
                    return Ok(Some(unpack_member(&part.bytes, &entry)?));
                }
                FromTail::WidenTo(start) => {
                    let range = format!("{start}-{}", tail.start.saturating_sub(1));
                    let Ranged::Bytes(part, _) = self.range(url, &range).await? else {
                        return Ok(None);
                    };
                    if part.start != start || part.end() != tail.start {
                        return Ok(None);
                    }
                    let mut bytes = part.bytes;
                    bytes.append(&mut tail.bytes);
                    tail = Tail { bytes, start };
                }
            }
        }
        Ok(None)
    }

    /// One range, with retries. Anything but a sound 206 counts as "no ranges here".
    pub(crate) async fn range(&self, url: &Url, range: &str) -> Result<Ranged<'_>, HttpError> {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, range_header(range));
        headers.insert(
            header::ACCEPT_ENCODING,
            HeaderValue::from_static("identity"),
        );
        let get = Get {
            url,
            purpose: Purpose::File,
            headers,
            retries: None,
        };
        let mut retry = self.http.retry();
        loop {
            match self.range_once(&get).await {
                Ok(ranged) => return Ok(ranged),
                Err(error) => retry.pause(error).await?,
            }
        }
    }

    async fn range_once(&self, get: &Get<'_>) -> Result<Ranged<'_>, HttpError> {
        let mut answer = self.http.send(get).await?;
        let status = answer.status();
        let may_be_about_ranges =
            status.is_success() || status == StatusCode::RANGE_NOT_SATISFIABLE;
        if !may_be_about_ranges {
            return Err(answer.refusal(get.url));
        }
        let is_encoded = answer.headers().contains_key(header::CONTENT_ENCODING);
        let (Some((first, last, total)), StatusCode::PARTIAL_CONTENT, false) =
            (content_range(answer.headers()), status, is_encoded)
        else {
            let whole = (status == StatusCode::OK && !is_encoded).then(|| Box::new(answer));
            return Ok(Ranged::Unsupported(whole));
        };
        let length = last - first + 1;
        let mut bytes = Vec::with_capacity(usize::try_from(length.min(8 << 20)).unwrap_or(0));
        while let Some(chunk) = answer.chunk().await? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() as u64 > length {
                return Ok(Ranged::Unsupported(None));
            }
        }
        if bytes.len() as u64 != length {
            return Ok(Ranged::Unsupported(None));
        }
        let tail = Tail {
            bytes,
            start: first,
        };
        Ok(Ranged::Bytes(tail, total))
    }

    fn lacks_ranges(&self, host: &str) -> bool {
        let hosts = self.without_ranges.lock();
        hosts.unwrap_or_else(PoisonError::into_inner).contains(host)
    }

    fn remember_lack(&self, host: String) {
        let hosts = self.without_ranges.lock();
        hosts.unwrap_or_else(PoisonError::into_inner).insert(host);
    }
}

/// How much of the end to ask for at first. Central directories grow with the wheel, and the
/// `.dist-info` folder mostly lies last, next to it. Too little costs a second round trip, too
/// much the time to transfer it.
fn tail_length(size_bytes: Option<u64>) -> u64 {
    let Some(size) = size_bytes else {
        return 64 << 10;
    };
    (16 << 10) + (size / 48).min(240 << 10)
}

/// A metadata file on this machine, if it is there. No longer one is read than from a server, nor a
/// device or a pipe, which may never end.
fn read_local(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let metadata = match fs_err::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        metadata => metadata?,
    };
    if !metadata.is_file() || metadata.len() > METADATA_LIMIT_BYTES {
        let reason = format!("it is no file of at most {METADATA_LIMIT_BYTES} bytes");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
    }
    fs_err::read(path).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_grow_with_the_wheel_up_to_a_limit() {
        assert_eq!(tail_length(Some(0)), 16 << 10);
        assert!(tail_length(Some(10 << 20)) > 200 << 10);
        assert_eq!(tail_length(Some(1 << 40)), 256 << 10);
    }
}
