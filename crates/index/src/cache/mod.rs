//! The cache folder: its layout, its locks, and how files get into it.
//!
//! Every bucket carries its format's version in its name, so that two releases can share one
//! folder. Names are digests: nothing that comes from outside becomes a path. A file appears
//! whole or not at all (written beside, then renamed).

mod admin;
mod policy;
mod sealed;
mod stored;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fs_err as fs;
use sha2::{Digest, Sha256};

pub use admin::{BucketInfo, CacheAdmin, CacheEntry, RemovedInfo};

pub(crate) use policy::{Freshness, StoredPolicy};
pub(crate) use sealed::{open_sealed, seal};
pub(crate) use stored::{read_stored, write_stored};

use crate::page::encode_hex;

/// The parts of the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bucket {
    /// Index pages.
    Simple,
    /// The essentials of wheels' metadata.
    Metadata,
    /// Single files out of wheels on servers, and those wheels' directories.
    Members,
    /// Downloaded wheels, whole and partial.
    Wheels,
    /// Unpacked wheels by digest.
    Store,
    /// Which digest an address without one led to.
    Pointers,
    /// Wheels that were built from source.
    Built,
    /// Byte-code of wheels' modules by the wheel's digest, which the installer keeps.
    ByteCode,
}

impl Bucket {
    /// Every bucket.
    pub const ALL: [Self; 8] = [
        Self::Simple,
        Self::Metadata,
        Self::Members,
        Self::Wheels,
        Self::Store,
        Self::Pointers,
        Self::Built,
        Self::ByteCode,
    ];

    /// The bucket's folder name.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Simple => "simple-v2",
            Self::Metadata => "metadata-v1",
            Self::Members => "members-v1",
            Self::Wheels => "wheels-v1",
            Self::Store => "store-v1",
            Self::Pointers => "pointers-v1",
            Self::Built => "built-v1",
            Self::ByteCode => "bytecode-v1",
        }
    }
}

/// The cache can't be opened or changed.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// A file operation failed.
    #[error("Failed to use the cache at `{}`", path.display())]
    Io {
        /// The cache's folder.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
}

/// An open cache. While it lives, `remove` and `purge` of other processes wait.
#[derive(Debug, Clone)]
pub struct Cache {
    root: PathBuf,
    _shared: Arc<Held>,
}

#[derive(Debug)]
struct Held {
    _lock: fs::File,
    _temporary: Option<tempfile::TempDir>,
}

impl Cache {
    /// Opens the cache at `root`, making the folder if it isn't there.
    ///
    /// # Errors
    /// When the folder can't be made, marked or locked.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, CacheError> {
        Self::open_with(root.into(), None)
    }

    /// A cache that is deleted when its last clone is dropped.
    ///
    /// # Errors
    /// When no temporary folder can be made.
    pub fn temporary() -> Result<Self, CacheError> {
        let folder = tempfile::Builder::new()
            .prefix("bnbpip-cache-")
            .tempdir()
            .map_err(|source| CacheError::Io {
                path: std::env::temp_dir(),
                source,
            })?;
        Self::open_with(folder.path().to_path_buf(), Some(folder))
    }

    fn open_with(root: PathBuf, temporary: Option<tempfile::TempDir>) -> Result<Self, CacheError> {
        let open = || -> io::Result<fs::File> {
            let lock = match open_lock(&root) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    fs::create_dir_all(&root)?;
                    cachedir::ensure_tag(&root)?;
                    open_lock(&root)?
                }
                other => other?,
            };
            lock.file().lock_shared()?;
            Ok(lock)
        };
        match open() {
            Ok(lock) => Ok(Self {
                _shared: Arc::new(Held {
                    _lock: lock,
                    _temporary: temporary,
                }),
                root,
            }),
            Err(source) => Err(CacheError::Io { path: root, source }),
        }
    }

    /// The cache's folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A folder for records of other parts of the program; `name` must end in a format version.
    pub fn folder(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// The folder of a bucket.
    pub(crate) fn bucket(&self, bucket: Bucket) -> PathBuf {
        self.root.join(bucket.folder())
    }

    /// The file of a record: `<bucket>/<2 digits>/<62 digits>.<extension>`.
    pub(crate) fn entry(&self, bucket: Bucket, key: &CacheKey, extension: &str) -> PathBuf {
        let (shard, rest) = key.0.split_at(2);
        let mut path = self.bucket(bucket);
        path.push(shard);
        path.push(format!("{rest}.{extension}"));
        path
    }
}

fn open_lock(root: &Path) -> io::Result<fs::File> {
    fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(root.join(".lock"))
}

/// A name inside a bucket: 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct CacheKey(String);

impl CacheKey {
    /// The digest of some texts; their borders count.
    pub(crate) fn digest(parts: &[&str]) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        Self(encode_hex(&hasher.finalize()))
    }

    /// A SHA-256 that is known already.
    pub(crate) fn sha256(hex: &str) -> Option<Self> {
        (hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .then(|| Self(hex.to_ascii_lowercase()))
    }

    /// The digits.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Writes a file so that others see the old one or the new one, never a part.
pub(crate) fn write_atomic(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = match tempfile::Builder::new().prefix(".tmp-").tempfile_in(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(folder)?;
            tempfile::Builder::new()
                .prefix(".tmp-")
                .tempfile_in(folder)?
        }
        other => other?,
    };
    for part in parts {
        file.write_all(part)?;
    }
    let mut tries = RENAME_TRIES;
    loop {
        let Err(error) = file.persist(path) else {
            return Ok(());
        };
        if path.is_dir() {
            remove_any(path)?;
        } else if cfg!(windows)
            && error.error.kind() == io::ErrorKind::PermissionDenied
            && path.exists()
        {
            // A reader in another process can hold the old file for a moment; it holds the same
            // record, or one as good.
            return Ok(());
        } else if tries == 0 {
            return Err(error.error);
        } else {
            std::thread::sleep(RENAME_PAUSE);
        }
        tries = tries.saturating_sub(1);
        file = error.file;
    }
}

/// How often a rename is tried again: on Windows a scanner that looks at fresh files can be in the
/// way for a moment, which is an error of no kind of its own.
const RENAME_TRIES: u32 = if cfg!(windows) { 20 } else { 0 };
const RENAME_PAUSE: Duration = Duration::from_millis(50);

/// Moves a file to its place, where a folder may stand that has no business there.
pub(crate) fn replace(from: &Path, to: &Path) -> io::Result<()> {
    if to.is_dir() {
        remove_any(to)?;
    }
    rename(from, to)
}

/// A rename, with patience for who is in the way.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    let mut tries = RENAME_TRIES;
    loop {
        match fs::rename(from, to) {
            Err(_) if tries > 0 && from.exists() => {
                tries -= 1;
                std::thread::sleep(RENAME_PAUSE);
            }
            other => return other,
        }
    }
}

/// Removes a file, or a folder with all that is in it. It is fine if there is neither.
pub(crate) fn remove_any(path: &Path) -> io::Result<()> {
    let is_folder = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir());
    let removed = if is_folder {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Reads a file, or `None` if there is none.
pub(crate) fn read_if_present(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_keep_the_borders_of_their_parts() {
        assert_ne!(
            CacheKey::digest(&["ab", "c"]),
            CacheKey::digest(&["a", "bc"])
        );
        assert!(CacheKey::sha256("../../etc").is_none());
    }

    #[test]
    fn temporary_caches_vanish() {
        let cache = Cache::temporary().unwrap();
        let root = cache.root().to_path_buf();
        write_atomic(
            &cache.entry(Bucket::Simple, &CacheKey::digest(&["x"]), "page"),
            &[b"1"],
        )
        .unwrap();
        drop(cache);
        assert!(!root.exists());
    }
}
