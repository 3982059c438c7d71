//! The files inside a wheel, read one by one without downloading it: the central directory from
//! the wheel's last bytes, members by byte ranges, both kept in the cache.
//!
//! A member's bytes are checked against the directory's size and checksum. The wheel's own digest
//! can't be checked this way: what is read here is evidence about a wheel, never installed.

use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::archive::{ArchiveError, Entry, find_directory, read_directory};
use crate::cache::{Bucket, Cache, CacheKey, open_sealed, read_if_present, seal, write_atomic};
use crate::error::{IndexError, SharedResult};
use crate::index_url::{host_of, without_credentials};
use crate::metadata::{MetadataFetcher, MetadataLiteError, Ranged, member_end, unpack_member};
use crate::page::PackageFile;

/// The largest member that is read alone.
const MEMBER_LIMIT_BYTES: u64 = 64 << 20;

/// Members closer together than this are read in one range.
const GAP_BYTES: u64 = 48 << 10;

/// The most bytes of one range, unless a single member is larger.
const RANGE_BYTES: u64 = 4 << 20;

/// Ranges that are asked for at once.
const CONCURRENT_RANGES: usize = 6;

const KIND: [u8; 4] = *b"MEMB";

/// A file inside a wheel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WheelMember {
    /// Its path in the archive, with `/`.
    pub path: Box<str>,
    /// Its unpacked size.
    pub size_bytes: u64,
}

/// A wheel whose files can be listed and read one by one. Made by
/// [`IndexClient::open_remote`](crate::IndexClient::open_remote).
#[derive(Debug)]
pub struct RemoteWheel {
    file: Arc<PackageFile>,
    cache: Cache,
    metadata: Arc<MetadataFetcher>,
    source: Source,
    entries: Vec<Entry>,
    by_path: FxHashMap<Box<str>, usize>,
    members: Vec<WheelMember>,
}

#[derive(Debug)]
enum Source {
    Ranges,
    Local(PathBuf),
}

/// The cached form of the directory's bytes and of a member's content.
#[derive(Serialize, Deserialize)]
struct Record {
    filename: String,
    archive_bytes: u64,
    content: Vec<u8>,
}

/// The wheel's file name in a record of this module.
pub(crate) fn cached_filename(path: &Path, bytes: &[u8]) -> Option<String> {
    open_sealed::<Record>(KIND, path, bytes).map(|record| record.filename)
}

impl RemoteWheel {
    pub(crate) async fn open(
        file: Arc<PackageFile>,
        cache: Cache,
        metadata: Arc<MetadataFetcher>,
    ) -> Result<Self, IndexError> {
        let mut wheel = Self {
            file,
            cache,
            metadata,
            source: Source::Ranges,
            entries: Vec::new(),
            by_path: FxHashMap::default(),
            members: Vec::new(),
        };
        wheel.entries = wheel.read_entries().await?;
        let files = wheel.entries.iter().enumerate().filter(|(_, e)| !e.is_dir);
        for (at, entry) in files {
            wheel.by_path.insert(entry.name.as_str().into(), at);
            wheel.members.push(WheelMember {
                path: entry.name.as_str().into(),
                size_bytes: entry.size,
            });
        }
        Ok(wheel)
    }

    /// The file that this is.
    pub fn file(&self) -> &Arc<PackageFile> {
        &self.file
    }

    /// The files in the wheel (folders are left out), in the archive's order.
    pub fn files(&self) -> &[WheelMember] {
        &self.members
    }

    /// Whether the wheel holds a file at `path`.
    pub fn contains(&self, path: &str) -> bool {
        self.by_path.contains_key(path)
    }

    /// The content of the file at `path`; `None` if the wheel has none.
    ///
    /// # Errors
    /// When it can't be fetched or is damaged.
    pub async fn read(&self, path: &str) -> SharedResult<Option<Vec<u8>>> {
        let mut contents = self.read_many(&[path]).await?;
        Ok(contents.pop().flatten())
    }

    /// The contents of several files, in the order of `paths`, in as few ranges as is sensible.
    ///
    /// # Errors
    /// When one can't be fetched or is damaged.
    pub async fn read_many(&self, paths: &[&str]) -> SharedResult<Vec<Option<Vec<u8>>>> {
        let mut found: FxHashMap<usize, Vec<u8>> = FxHashMap::default();
        let mut missing: Vec<&Entry> = Vec::new();
        let mut asked = rustc_hash::FxHashSet::default();
        for path in paths {
            let Some(&at) = self.by_path.get(*path) else {
                continue;
            };
            if !asked.insert(at) {
                continue;
            }
            let entry = &self.entries[at];
            if entry.size > MEMBER_LIMIT_BYTES {
                let reason = "it is too large to be read alone";
                return Err(Arc::new(self.bad(ArchiveError::entry(&entry.name, reason))));
            }
            match self.cached(path) {
                Some(record) => {
                    found.insert(at, record.content);
                }
                None => missing.push(entry),
            }
        }
        let ranges = coalesce(missing);
        let pieces: Vec<Vec<(&Entry, Vec<u8>)>> = futures::stream::iter(ranges)
            .map(|range| self.read_range(range))
            .buffered(CONCURRENT_RANGES)
            .try_collect()
            .await?;
        for (entry, content) in pieces.into_iter().flatten() {
            if let Some(&at) = self.by_path.get(entry.name.as_str()) {
                found.insert(at, content);
            }
        }
        let take = |path: &&str| found.get(self.by_path.get(*path)?).cloned();
        Ok(paths.iter().map(take).collect())
    }

    /// The entries of the archive, and where members can be had from.
    async fn read_entries(&mut self) -> Result<Vec<Entry>, IndexError> {
        if let Some(path) = self.file.local_path() {
            self.source = Source::Local(path);
        } else if let Some(record) = self.cached("") {
            return self.parse(&record.content, record.archive_bytes);
        } else if let Some((tail, total)) = self.directory_by_range().await? {
            let entries = self.parse(&tail, total)?;
            self.keep("", total, tail);
            return Ok(entries);
        } else {
            self.source = Source::Local(self.metadata.whole(&self.file).await?);
        }
        let Source::Local(path) = &self.source else {
            return Ok(Vec::new());
        };
        let (tail, total) = local_directory(path)?.map_err(|error| self.bad(error))?;
        self.parse(&tail, total)
    }

    fn parse(&self, tail: &[u8], total: u64) -> Result<Vec<Entry>, IndexError> {
        entries_of(tail, total).map_err(|error| self.bad(error))
    }

    /// The bytes from the central directory's start to the archive's end, and the archive's size.
    /// `None` if the server has no byte ranges.
    async fn directory_by_range(&self) -> Result<Option<(Vec<u8>, u64)>, IndexError> {
        let Some(mut tail) = self.metadata.tail(&self.file).await? else {
            return Ok(None);
        };
        let total = tail.end();
        // Other bytes than those asked for: the whole wheel, with its digest, tells what is wrong.
        let Ok(directory) = find_directory(&tail.bytes, total) else {
            return Ok(None);
        };
        if directory.offset < tail.start {
            let range = format!("{}-{}", directory.offset, tail.start.saturating_sub(1));
            let Ranged::Bytes(part, _) = self.metadata.range(&self.file.url, &range).await? else {
                return Ok(None);
            };
            if part.start != directory.offset || part.end() != tail.start {
                return Ok(None);
            }
            let mut bytes = part.bytes;
            bytes.append(&mut tail.bytes);
            return Ok(Some((bytes, total)));
        }
        let skip = usize::try_from(directory.offset - tail.start).unwrap_or(usize::MAX);
        Ok(Some((
            tail.bytes.split_off(skip.min(tail.bytes.len())),
            total,
        )))
    }

    async fn read_range<'wheel>(
        &'wheel self,
        entries: Vec<&'wheel Entry>,
    ) -> Result<Vec<(&'wheel Entry, Vec<u8>)>, IndexError> {
        let first = entries.first().map_or(0, |entry| entry.header_offset);
        let end = entries.iter().map(|entry| member_end(entry)).max();
        let end = end.unwrap_or(first);
        let bytes = match &self.source {
            Source::Local(path) => local_range(path, first, end)?,
            Source::Ranges => {
                let range = format!("{first}-{}", end.saturating_sub(1));
                match self.metadata.range(&self.file.url, &range).await? {
                    Ranged::Bytes(part, _) if part.start == first => part.bytes,
                    // The server stopped serving ranges in between: take the whole.
                    Ranged::Bytes(..) | Ranged::Unsupported(_) => {
                        let path = self.metadata.whole(&self.file).await?;
                        local_range(&path, first, end)?
                    }
                }
            }
        };
        let mut contents = Vec::with_capacity(entries.len());
        for entry in entries {
            let at = usize::try_from(entry.header_offset - first).unwrap_or(usize::MAX);
            let content = unpack_member(bytes.get(at..).unwrap_or_default(), entry);
            let content = content.map_err(|source| match source {
                MetadataLiteError::Archive(error) => self.bad(error),
                source => IndexError::BadMetadata {
                    filename: self.file.filename_text.to_string(),
                    location: host_of(&self.file.url),
                    source,
                },
            })?;
            if matches!(self.source, Source::Ranges) {
                self.keep(&entry.name, 0, content.clone());
            }
            contents.push((entry, content));
        }
        Ok(contents)
    }

    fn cache_path(&self, member: &str) -> PathBuf {
        let sha256 = self.file.hashes.sha256().unwrap_or_default();
        let key = CacheKey::digest(&[&without_credentials(&self.file.url), sha256, member]);
        self.cache.entry(Bucket::Members, &key, "member")
    }

    fn cached(&self, member: &str) -> Option<Record> {
        let path = self.cache_path(member);
        let bytes = read_if_present(&path).ok()??;
        open_sealed(KIND, &path, &bytes)
    }

    fn keep(&self, member: &str, archive_bytes: u64, content: Vec<u8>) {
        let record = Record {
            filename: self.file.filename_text.to_string(),
            archive_bytes,
            content,
        };
        let path = self.cache_path(member);
        if let Ok(bytes) = seal(KIND, &path, &record)
            && let Err(error) = write_atomic(&path, &[&bytes])
        {
            tracing::debug!(%error, "a wheel's member can't be cached");
        }
    }

    fn bad(&self, source: ArchiveError) -> IndexError {
        IndexError::BadWheel {
            filename: self.file.filename_text.to_string(),
            location: host_of(&self.file.url),
            source,
        }
    }
}

/// The entries, given the bytes from the directory's start to the archive's end.
fn entries_of(tail: &[u8], total: u64) -> Result<Vec<Entry>, ArchiveError> {
    let directory = find_directory(tail, total)?;
    let size = usize::try_from(directory.size).unwrap_or(usize::MAX);
    read_directory(tail.get(..size).unwrap_or_default(), directory)
}

/// Groups of members that lie close together, each group in the archive's order.
fn coalesce(mut entries: Vec<&Entry>) -> Vec<Vec<&Entry>> {
    entries.sort_unstable_by_key(|entry| entry.header_offset);
    let mut groups: Vec<Vec<&Entry>> = Vec::new();
    let (mut start, mut end) = (0, 0);
    for entry in entries {
        let joins = entry.header_offset <= u64::saturating_add(end, GAP_BYTES)
            && member_end(entry) - start <= RANGE_BYTES;
        match groups.last_mut() {
            Some(group) if joins => group.push(entry),
            _ => {
                start = entry.header_offset;
                groups.push(vec![entry]);
            }
        }
        end = member_end(entry);
    }
    groups
}

/// As [`RemoteWheel::directory_by_range`], of a file on disk.
fn local_directory(
    path: &std::path::Path,
) -> Result<Result<(Vec<u8>, u64), ArchiveError>, IndexError> {
    let io = |source| IndexError::io("read", path, 0, source);
    let total = fs_err::metadata(path).map_err(io)?.len();
    let tail = local_range(path, total.saturating_sub(66 << 10), total)?;
    let directory = match find_directory(&tail, total) {
        Ok(directory) => directory,
        Err(error) => return Ok(Err(error)),
    };
    Ok(Ok((local_range(path, directory.offset, total)?, total)))
}

fn local_range(path: &std::path::Path, from: u64, to: u64) -> Result<Vec<u8>, IndexError> {
    let read = || {
        let mut file = fs_err::File::open(path)?;
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        file.take(to.saturating_sub(from)).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().map_err(|source| IndexError::io("read", path, 0, source))
}
