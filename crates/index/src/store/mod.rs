//! Unpacked wheels by digest: `store-v1/<2 digits>/<SHA-256>/`, and beside each a manifest.
//!
//! The manifest is written last: a folder without one is a leftover and is replaced. Nothing in
//! a stored folder is ever changed.

mod manifest;
mod unpack;
mod wheel;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::time::{Duration, SystemTime};

use fs_err as fs;

use crate::cache::{Bucket, Cache, remove_any, rename};
use crate::error::IndexError;
use crate::options::Verification;

pub(crate) use manifest::Manifest;
pub(crate) use unpack::check as check_archive;
pub use wheel::{StoredFile, StoredWheel};

use unpack::{UnpackError, unpack};

impl Cache {
    /// The unpacked wheel with this SHA-256 (64 hexadecimal digits), if it is in the store and
    /// sound: without asking any index.
    pub fn stored_wheel(&self, sha256: &str) -> Option<StoredWheel> {
        Store::new(self, Verification::default()).get(sha256)
    }
}

/// Folders of unfinished work older than this are leftovers of a killed process.
const LEFTOVER_AGE: Duration = Duration::from_hours(24);

/// The store of unpacked wheels.
#[derive(Debug)]
pub(crate) struct Store {
    root: PathBuf,
    verification: Verification,
    swept: Once,
}

impl Store {
    pub(crate) fn new(cache: &Cache, verification: Verification) -> Self {
        Self {
            root: cache.bucket(Bucket::Store),
            verification,
            swept: Once::new(),
        }
    }

    fn paths(&self, sha256: &str) -> (PathBuf, PathBuf) {
        let shard = self.root.join(sha256.get(..2).unwrap_or("00"));
        let folder = shard.join(sha256);
        let manifest = shard.join(format!("{sha256}.manifest"));
        (folder, manifest)
    }

    /// The unpacked wheel, if it is there and sound. A damaged one is as good as none.
    pub(crate) fn get(&self, sha256: &str) -> Option<StoredWheel> {
        if sha256.len() != 64 || !sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let (folder, manifest) = self.paths(sha256);
        let manifest = Manifest::read(&manifest).filter(|manifest| manifest.sha256 == sha256)?;
        if let Err(damage) = manifest.verify(&folder, self.verification) {
            tracing::warn!(wheel = %manifest.filename, %damage, "a stored wheel is damaged and fetched again");
            return None;
        }
        Some(StoredWheel::new(folder, manifest))
    }

    /// Whether there is a manifest for the digest.
    pub(crate) fn has(&self, sha256: &str) -> bool {
        self.paths(sha256).1.exists()
    }

    /// Unpacks a verified archive. `location` is where it came from, for messages.
    ///
    /// # Errors
    /// When the archive is refused or can't be written.
    pub(crate) fn put(
        &self,
        archive: &Path,
        sha256: &str,
        filename: &str,
        location: &str,
    ) -> Result<StoredWheel, IndexError> {
        self.swept.call_once(|| self.sweep());
        let (folder, manifest_path) = self.paths(sha256);
        let io = |path: &Path, source| IndexError::io("write", path, 0, source);
        let shard = folder.parent().unwrap_or(&self.root);
        fs::create_dir_all(shard).map_err(|error| io(shard, error))?;
        let staging = tempfile::Builder::new()
            .prefix(".tmp-")
            .tempdir_in(&self.root)
            .map_err(|error| io(&self.root, error))?;
        let files = unpack(archive, staging.path()).map_err(|error| match error {
            UnpackError::Archive(source) => IndexError::BadWheel {
                filename: filename.to_string(),
                location: location.to_string(),
                source,
            },
            UnpackError::Io {
                path,
                needed_bytes,
                source,
            } => IndexError::io("write", path, needed_bytes, source),
        })?;
        let manifest = Manifest {
            filename: filename.to_string(),
            sha256: sha256.to_string(),
            archive_bytes: fs::metadata(archive)
                .map_err(|error| IndexError::io("read", archive, 0, error))?
                .len(),
            files,
        };
        let _lock = self.lock(sha256)?;
        if let Some(stored) = self.get(sha256) {
            return Ok(stored);
        }
        for path in [&manifest_path, &folder] {
            remove_any(path).map_err(|error| io(path, error))?;
        }
        rename(&staging.keep(), &folder).map_err(|error| io(&folder, error))?;
        manifest.write(&manifest_path)?;
        Ok(StoredWheel::new(folder, manifest))
    }

    /// Keeps other processes from putting the same wheel at the same moment.
    fn lock(&self, sha256: &str) -> Result<fs::File, IndexError> {
        let folder = self.root.join(".locks");
        let path = folder.join(sha256.get(..2).unwrap_or("00"));
        let open = || -> io::Result<fs::File> {
            fs::create_dir_all(&folder)?;
            let lock = fs::OpenOptions::new()
                .create(true)
                .truncate(false)
                .write(true)
                .open(&path)?;
            lock.file().lock()?;
            Ok(lock)
        };
        open().map_err(|source| IndexError::io("lock", &path, 0, source))
    }

    /// Removes what killed processes left behind.
    fn sweep(&self) {
        let Ok(entries) = fs::read_dir(&self.root) else {
            return;
        };
        for entry in entries.flatten() {
            let is_old = entry
                .metadata()
                .and_then(|metadata| metadata.modified())
                .is_ok_and(|modified| {
                    SystemTime::now()
                        .duration_since(modified)
                        .is_ok_and(|age| age > LEFTOVER_AGE)
                });
            if is_old && entry.file_name().to_string_lossy().starts_with(".tmp-") {
                let _next_time = fs::remove_dir_all(entry.path());
            }
        }
    }
}
