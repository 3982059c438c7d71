//! Files from servers, verified: hashed while they arrive, resumed after a cut and by the next
//! run, large ones in several pieces at once.

mod hashing;
mod partial;
mod pieces;
mod sequential;
mod taken_over;

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use bnbpip_packaging::HashAlgorithm;
use fs_err as fs;
use rustc_hash::FxHashMap;
use tokio::sync::Semaphore;

use crate::cache::{
    Bucket, Cache, CacheKey, open_sealed, read_if_present, remove_any, seal, write_atomic,
};
use crate::error::IndexError;
use crate::http::{HttpError, SharedHttp};
use crate::index_url::{host_of, redacted, without_credentials};
use crate::page::PackageFile;
use crate::progress::Progress;

pub(crate) use hashing::check_bytes;

use hashing::{Digests, hash_file, verify};
use partial::{Partial, Pointer, Validator};

/// The sizes of files that are fetched in pieces. Beyond them a size is a lie, of which no list of
/// pieces is made.
const IN_PIECES_BYTES: RangeInclusive<u64> = (16 << 20) + 1..=1 << 40;

/// How many of them are under way at once, each in several pieces: one after the other they can be
/// unpacked while the next ones come, where all at once would also end at once.
const LARGE_AT_ONCE: usize = 3;

/// Digests that the user demands; a file passes if it has any one of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequiredHashes(pub Vec<(HashAlgorithm, Box<str>)>);

impl RequiredHashes {
    /// Whether a file is acceptable of which only the SHA-256 is known.
    pub fn allows_sha256(&self, sha256: &str) -> bool {
        self.0.is_empty()
            || self.0.iter().any(|(algorithm, hex)| {
                *algorithm == HashAlgorithm::Sha256 && hex.eq_ignore_ascii_case(sha256)
            })
    }
}

/// A verified file in the cache, or on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DownloadedFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its SHA-256, 64 hexadecimal digits.
    pub sha256: Box<str>,
    /// Its size.
    pub size_bytes: u64,
}

/// Downloads into the cache.
#[derive(Debug)]
pub(crate) struct Downloader {
    http: SharedHttp,
    cache: Cache,
    permits: Semaphore,
    large_permits: Semaphore,
    offline: bool,
    /// What addresses without a digest led to in this run.
    resolved: Mutex<FxHashMap<CacheKey, Box<str>>>,
}

/// How an attempt went wrong.
#[derive(Debug)]
enum Failure {
    /// For good.
    Error(IndexError),
    /// The server has no byte ranges after all.
    NoRanges,
    /// The file on the server isn't the one that the partial file came from.
    Changed,
    /// It is large and can be had in pieces.
    Large(u64),
}

impl From<IndexError> for Failure {
    fn from(error: IndexError) -> Self {
        Self::Error(error)
    }
}

impl From<HttpError> for Failure {
    fn from(error: HttpError) -> Self {
        Self::Error(error.into())
    }
}

/// A complete partial file and its digests.
struct Complete {
    digests: Digests,
    validator: Validator,
    /// Some of the bytes come from an earlier run.
    resumed: bool,
}

impl Downloader {
    pub(crate) fn new(http: SharedHttp, cache: Cache, concurrent: usize, offline: bool) -> Self {
        Self {
            http,
            cache,
            permits: Semaphore::new(concurrent.max(1)),
            large_permits: Semaphore::new(LARGE_AT_ONCE),
            offline,
            resolved: Mutex::default(),
        }
    }

    /// The file, from the cache or from its server, with every known digest checked.
    pub(crate) async fn download(
        &self,
        file: &PackageFile,
        required: &RequiredHashes,
        progress: &dyn Progress,
    ) -> Result<DownloadedFile, IndexError> {
        if let Some(path) = file.local_path() {
            return self.local(file, required, path).await;
        }
        let key = Self::key(file);
        if let Some(done) = self.cached(file, required, &key).await? {
            return Ok(done);
        }
        if self.offline {
            return Err(HttpError::Offline {
                url: redacted(&file.url),
            }
            .into());
        }
        let is_large = file
            .size_bytes
            .is_some_and(|size| IN_PIECES_BYTES.contains(&size));
        let _large_permit = if is_large {
            self.large_permits.acquire().await.ok()
        } else {
            None
        };
        let _permit = self.permits.acquire().await.ok();
        let partial = self.lock(file, &key).await?;
        // Another process may have finished it while this one waited.
        if let Some(done) = self.cached(file, required, &key).await? {
            return Ok(done);
        }
        progress.started(&file.filename_text, file.size_bytes, partial.bytes_here());
        let result = self.complete(file, required, partial, progress).await;
        progress.finished(&file.filename_text);
        let done = result?;
        self.remember(&key, &done);
        Ok(done)
    }

    fn key(file: &PackageFile) -> CacheKey {
        file.hashes
            .sha256()
            .and_then(CacheKey::sha256)
            .unwrap_or_else(|| CacheKey::digest(&["url", &without_credentials(&file.url)]))
    }

    fn remember(&self, key: &CacheKey, done: &DownloadedFile) {
        let resolved = self.resolved.lock();
        resolved
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key.clone(), done.sha256.clone());
    }

    /// The digest that an address is known to lead to: by its index, by this run, or, if the
    /// network is switched off, by an earlier run.
    pub(crate) fn known_sha256(&self, file: &PackageFile) -> Option<Box<str>> {
        if let Some(sha256) = file.hashes.sha256() {
            return Some(sha256.into());
        }
        let key = Self::key(file);
        let resolved = self.resolved.lock();
        let resolved = resolved.unwrap_or_else(PoisonError::into_inner);
        resolved.get(&key).cloned().or_else(|| {
            let pointer = self.offline.then(|| self.pointer(&key)).flatten()?;
            Some(pointer.sha256)
        })
    }

    /// Whether the file was downloaded into the cache.
    pub(crate) fn has(&self, file: &PackageFile) -> bool {
        let sha256 = self.known_sha256(file);
        sha256.is_some_and(|sha256| self.final_path(&sha256, &file.filename_text).is_file())
    }

    fn pointer(&self, key: &CacheKey) -> Option<Pointer> {
        let path = self.cache.entry(Bucket::Pointers, key, "pointer");
        open_sealed(Pointer::KIND, &path, &read_if_present(&path).ok()??)
    }

    /// A file on this machine: used where it lies, its digest taken.
    async fn local(
        &self,
        file: &PackageFile,
        required: &RequiredHashes,
        path: PathBuf,
    ) -> Result<DownloadedFile, IndexError> {
        let (hashes, required) = (file.hashes.clone(), required.clone());
        let filename = file.filename_text.to_string();
        crate::blocking(&file.filename_text, move || {
            let digests = hash_file(&path, &hashes, &required)?;
            verify(
                &digests,
                &hashes,
                &required,
                &filename,
                &path.display().to_string(),
            )?;
            Ok(DownloadedFile {
                sha256: digests.sha256().into(),
                size_bytes: digests.bytes(),
                path,
            })
        })
        .await
    }

    /// The finished file in the cache, if it is there and sound.
    async fn cached(
        &self,
        file: &PackageFile,
        required: &RequiredHashes,
        key: &CacheKey,
    ) -> Result<Option<DownloadedFile>, IndexError> {
        let Some(sha256) = self.known_sha256(file) else {
            return Ok(None);
        };
        let path = self.final_path(&sha256, &file.filename_text);
        if !path.exists() {
            return Ok(None);
        }
        let (hashes, required, filename) = (
            file.hashes.clone(),
            required.clone(),
            file.filename_text.to_string(),
        );
        let host = host_of(&file.url);
        tracing::debug!(key = key.as_str(), "using the downloaded file");
        crate::blocking(&file.filename_text, move || {
            if path.is_dir() {
                remove_any(&path).map_err(|error| IndexError::io("remove", &path, 0, error))?;
                return Ok(None);
            }
            let digests = match hash_file(&path, &hashes, &required) {
                Err(error) if error.is_missing_file() => return Ok(None),
                other => other?,
            };
            if digests.sha256() != &*sha256 {
                tracing::warn!(path = %path.display(), "a cached file is damaged and fetched again");
                fs::remove_file(&path).map_err(|error| IndexError::io("remove", &path, 0, error))?;
                return Ok(None);
            }
            verify(&digests, &hashes, &required, &filename, &host)?;
            Ok(Some(DownloadedFile {
                path,
                sha256,
                size_bytes: digests.bytes(),
            }))
        })
        .await
    }

    fn final_path(&self, sha256: &str, filename: &str) -> PathBuf {
        let (shard, rest) = sha256.split_at_checked(2).unwrap_or(("00", sha256));
        let mut path = self.cache.bucket(Bucket::Wheels);
        path.extend([shard, rest]);
        path.push(safe_filename(filename));
        path
    }

    async fn lock(&self, file: &PackageFile, key: &CacheKey) -> Result<Partial, IndexError> {
        let folder = self.cache.bucket(Bucket::Wheels).join("partial");
        let key = key.clone();
        crate::blocking(&file.filename_text, move || Partial::lock(&folder, &key)).await
    }

    async fn complete(
        &self,
        file: &PackageFile,
        required: &RequiredHashes,
        mut partial: Partial,
        progress: &dyn Progress,
    ) -> Result<DownloadedFile, IndexError> {
        let is_large = |size: Option<u64>| size.is_some_and(|size| IN_PIECES_BYTES.contains(&size));
        // Many pages tell no sizes: what an earlier run was told stands beside its pieces.
        let mut total = file.size_bytes.or(partial.state.total_of_pieces());
        let mut pieces = is_large(total);
        let mut restarts = 0;
        loop {
            let attempt = match total.filter(|_| pieces) {
                Some(total) => {
                    self.in_pieces(file, required, &mut partial, total, progress)
                        .await
                }
                None => {
                    self.in_sequence(file, required, &mut partial, progress)
                        .await
                }
            };
            match attempt {
                Ok(complete) => match self.accept(file, required, &mut partial, &complete) {
                    Err(IndexError::HashMismatch { .. }) if complete.resumed && restarts < 3 => {}
                    other => return other,
                },
                Err(Failure::Error(error)) => return Err(error),
                Err(Failure::Large(size)) if restarts < 3 => {
                    (pieces, total) = (true, Some(size));
                }
                Err(Failure::NoRanges) if restarts < 3 => pieces = false,
                Err(Failure::Changed) if restarts < 3 => {
                    total = file.size_bytes;
                    pieces = is_large(total);
                }
                Err(_) => {
                    return Err(IndexError::Truncated {
                        filename: file.filename_text.to_string(),
                        location: host_of(&file.url),
                        expected_bytes: total.unwrap_or(0),
                        got_bytes: 0,
                    });
                }
            }
            restarts += 1;
            partial.reset()?;
            progress.restarted(&file.filename_text, 0);
        }
    }

    /// Checks the digests of a complete partial file and moves it to its place.
    fn accept(
        &self,
        file: &PackageFile,
        required: &RequiredHashes,
        partial: &mut Partial,
        complete: &Complete,
    ) -> Result<DownloadedFile, IndexError> {
        let host = host_of(&file.url);
        let digests = &complete.digests;
        let verified = verify(digests, &file.hashes, required, &file.filename_text, &host);
        let announced = file.size_bytes.filter(|size| *size > digests.bytes());
        // A digest outweighs the size that a page gives; without one the size is all there is.
        let error = match (verified, announced) {
            (Ok(()), None) => None,
            (Ok(()), Some(_)) if !file.hashes.is_empty() || !required.0.is_empty() => None,
            (_, Some(expected_bytes)) => Some(IndexError::Truncated {
                filename: file.filename_text.to_string(),
                location: host,
                expected_bytes,
                got_bytes: digests.bytes(),
            }),
            (Err(error), None) => Some(error),
        };
        if let Some(error) = error {
            partial.reset()?;
            return Err(error);
        }
        let path = self.final_path(digests.sha256(), &file.filename_text);
        partial.finish(&path)?;
        if file.hashes.sha256().is_none() {
            self.write_pointer(file, digests, &complete.validator);
        }
        Ok(DownloadedFile {
            path,
            sha256: digests.sha256().into(),
            size_bytes: digests.bytes(),
        })
    }

    fn write_pointer(&self, file: &PackageFile, digests: &Digests, validator: &Validator) {
        let pointer = Pointer {
            sha256: digests.sha256().into(),
            validator: validator.clone(),
        };
        let path = self
            .cache
            .entry(Bucket::Pointers, &Self::key(file), "pointer");
        let written = seal(Pointer::KIND, &path, &pointer)
            .map_err(std::io::Error::other)
            .and_then(|bytes| write_atomic(&path, &[&bytes]));
        if let Err(error) = written {
            tracing::debug!(%error, "the address can't be remembered");
        }
    }
}

/// The file name if every system takes it, else a plain one.
fn safe_filename(filename: &str) -> &str {
    let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || b"._+!-".contains(&byte);
    if filename.len() <= 200 && filename.bytes().all(is_safe) && !filename.starts_with('.') {
        filename
    } else if Path::new(filename)
        .extension()
        .is_some_and(|extension| extension == "whl")
    {
        "wheel.whl"
    } else {
        "archive"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_in_the_cache_are_harmless() {
        let long = format!("a-{}-py3-none-any.whl", "1".repeat(300));
        for filename in [
            long.as_str(),
            "a:b-1-py3-none-any.whl",
            "é-1-py3-none-any.whl",
        ] {
            assert_eq!(safe_filename(filename), "wheel.whl");
        }
        assert_eq!(safe_filename(".."), "archive");
        assert_eq!(
            safe_filename("a-1!2+cu1-py3-none-any.whl"),
            "a-1!2+cu1-py3-none-any.whl"
        );
    }
}
