//! Where a transaction keeps files before and after they are visible: in its own folder, and
//! for targets on other file systems in a folder there, so that every move is a rename.

use std::io;
use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;

use crate::journal::Journal;
use crate::steps::Files;

/// What tells file systems apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Volume {
    #[cfg(unix)]
    Device(u64),
    #[cfg(not(unix))]
    Prefix(std::ffi::OsString),
    Unknown,
}

/// The staging folders of one transaction.
pub(crate) struct Areas {
    id: String,
    by_volume: FxHashMap<Volume, PathBuf>,
    volumes: FxHashMap<PathBuf, Volume>,
    stashed: usize,
}

impl Areas {
    /// Begins with the transaction's own folder.
    pub(crate) fn new(id: &str, folder: &Path) -> Self {
        let mut by_volume = FxHashMap::default();
        by_volume.insert(volume_of(folder), folder.to_path_buf());
        Self {
            id: id.to_string(),
            by_volume,
            volumes: FxHashMap::default(),
            stashed: 0,
        }
    }

    /// The folder on the file system of `root`, which may not exist yet.
    pub(crate) fn folder_for(
        &mut self,
        root: &Path,
        files: &Files,
        journal: &mut Journal,
    ) -> io::Result<PathBuf> {
        let volume = if let Some(volume) = self.volumes.get(root) {
            volume.clone()
        } else {
            let volume = volume_of(root);
            self.volumes.insert(root.to_path_buf(), volume.clone());
            volume
        };
        if let Some(folder) = self.by_volume.get(&volume) {
            return Ok(folder.clone());
        }
        let folder = existing(root).join(format!(".bnbpip-{}", self.id));
        // Noted before it exists, so that it can't be forgotten.
        journal.area(&folder)?;
        files.create_dir(&folder)?;
        self.by_volume.insert(volume, folder.clone());
        Ok(folder)
    }

    /// A free path to move an existing file or folder to.
    pub(crate) fn stash_for(
        &mut self,
        target: &Path,
        files: &Files,
        journal: &mut Journal,
    ) -> io::Result<PathBuf> {
        let parent = target.parent().unwrap_or(target);
        let old = self.folder_for(parent, files, journal)?.join("old");
        if self.stashed == 0 || !old.is_dir() {
            files.create_dir_all(&old)?;
        }
        self.stashed += 1;
        Ok(old.join(self.stashed.to_string()))
    }

    /// The folders besides the transaction's own.
    pub(crate) fn others(&self, own: &Path) -> Vec<PathBuf> {
        self.by_volume
            .values()
            .filter(|folder| *folder != own)
            .cloned()
            .collect()
    }
}

/// The nearest folder at or above the path that exists.
fn existing(path: &Path) -> &Path {
    path.ancestors()
        .find(|ancestor| ancestor.is_dir())
        .unwrap_or(path)
}

#[cfg(unix)]
fn volume_of(path: &Path) -> Volume {
    use std::os::unix::fs::MetadataExt as _;
    fs_err::metadata(existing(path)).map_or(Volume::Unknown, |found| Volume::Device(found.dev()))
}

#[cfg(not(unix))]
fn volume_of(path: &Path) -> Volume {
    match path.components().next() {
        Some(std::path::Component::Prefix(prefix)) => {
            Volume::Prefix(prefix.as_os_str().to_ascii_lowercase())
        }
        _ => Volume::Unknown,
    }
}
