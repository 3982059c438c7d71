//! A file on its way: its bytes so far, what is known about them, and the lock that keeps other
//! processes from the same download.

use std::io;
use std::path::{Path, PathBuf};

use fs_err as fs;
use http::{HeaderMap, header};
use serde::{Deserialize, Serialize};

use crate::cache::{
    CacheKey, open_sealed, read_if_present, remove_any, replace, seal, write_atomic,
};
use crate::error::IndexError;

/// What tells one version of a file on a server from another.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Validator {
    pub(super) etag: Option<Box<str>>,
    pub(super) last_modified: Option<Box<str>>,
}

impl Validator {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name)?.to_str().ok().map(Box::from);
        Self {
            etag: text(header::ETAG),
            last_modified: text(header::LAST_MODIFIED),
        }
    }

    /// Whether an answer belongs to the same version, as far as either side tells.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        let differ = |mine: &Option<Box<str>>, theirs: &Option<Box<str>>| {
            mine.is_some() && theirs.is_some() && mine != theirs
        };
        !differ(&self.etag, &other.etag) && !differ(&self.last_modified, &other.last_modified)
    }

    pub(super) fn is_known(&self) -> bool {
        self.etag.is_some() || self.last_modified.is_some()
    }
}

/// Where an address without a digest led to.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Pointer {
    pub(super) sha256: Box<str>,
    pub(super) validator: Validator,
}

impl Pointer {
    pub(super) const KIND: [u8; 4] = *b"PTR1";
}

/// What the next run has to know.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) validator: Validator,
    pub(super) total: Option<u64>,
    /// How many bytes of each piece are here, from its start; empty if the file is written from
    /// front to back.
    pub(super) pieces: Vec<u64>,
    pub(super) piece_bytes: u64,
}

impl State {
    /// The whole file's size, where it comes in pieces.
    pub(super) fn total_of_pieces(&self) -> Option<u64> {
        self.total.filter(|_| !self.pieces.is_empty())
    }
}

const KIND: [u8; 4] = *b"PAR2";

/// A locked partial file.
#[derive(Debug)]
pub(super) struct Partial {
    pub(super) path: PathBuf,
    state_path: PathBuf,
    pub(super) state: State,
    _lock: fs::File,
}

impl Partial {
    /// Waits until no other process downloads the same file.
    pub(super) fn lock(folder: &Path, key: &CacheKey) -> Result<Self, IndexError> {
        let path = folder.join(format!("{}.part", key.as_str()));
        let lock_path = folder.join(format!(".{}.lock", key.as_str()));
        let open = || -> io::Result<fs::File> {
            fs::create_dir_all(folder)?;
            let lock = fs::OpenOptions::new()
                .create(true)
                .truncate(false)
                .write(true)
                .open(&lock_path)?;
            lock.file().lock()?;
            Ok(lock)
        };
        let lock = open().map_err(|source| IndexError::io("lock", &lock_path, 0, source))?;
        let state_path = path.with_extension("state");
        let state = read_if_present(&state_path)
            .ok()
            .flatten()
            .and_then(|bytes| open_sealed(KIND, &state_path, &bytes));
        let mut partial = Self {
            path,
            state_path,
            state: State::default(),
            _lock: lock,
        };
        match state {
            Some(state) if partial.path.exists() => partial.state = state,
            _ => partial.reset()?,
        }
        Ok(partial)
    }

    /// The bytes that are here already.
    pub(super) fn bytes_here(&self) -> u64 {
        if self.state.pieces.is_empty() {
            return fs::metadata(&self.path).map_or(0, |metadata| metadata.len());
        }
        self.state.pieces.iter().sum()
    }

    /// Forgets every byte.
    pub(super) fn reset(&mut self) -> Result<(), IndexError> {
        self.state = State::default();
        for path in [&self.state_path, &self.path] {
            remove_any(path).map_err(|error| IndexError::io("remove", path, 0, error))?;
        }
        Ok(())
    }

    /// Writes down what the next run has to know.
    pub(super) fn save(&self) -> Result<(), IndexError> {
        let bytes = seal(KIND, &self.state_path, &self.state).map_err(io::Error::other);
        bytes
            .and_then(|bytes| write_atomic(&self.state_path, &[&bytes]))
            .map_err(|source| IndexError::io("write", &self.state_path, 0, source))
    }

    /// Opens the file for writing, keeping its bytes.
    pub(super) fn open(&self, needed_bytes: u64) -> Result<fs::File, IndexError> {
        fs::OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&self.path)
            .map_err(|source| IndexError::io("open", &self.path, needed_bytes, source))
    }

    /// Moves the complete file to its place.
    pub(super) fn finish(&mut self, path: &Path) -> Result<(), IndexError> {
        let rename = || -> io::Result<()> {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            replace(&self.path, path)
        };
        rename().map_err(|source| IndexError::io("move", path, 0, source))?;
        self.reset()
    }
}
