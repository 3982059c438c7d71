//! What an unpacked wheel must consist of.

use std::io::Read;
use std::path::Path;
use std::time::UNIX_EPOCH;

use fs_err as fs;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::cache::{open_sealed, read_if_present, seal, write_atomic};
use crate::error::IndexError;
use crate::options::Verification;

const KIND: [u8; 4] = *b"STO3";

/// The manifest of an unpacked wheel.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) filename: String,
    pub(crate) sha256: String,
    pub(crate) archive_bytes: u64,
    pub(crate) files: Vec<ManifestFile>,
}

/// One file. The CRC-32 is the archive's own and was checked while unpacking: it tells damage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ManifestFile {
    pub(crate) path: Box<str>,
    pub(crate) size: u64,
    /// Time of last change after unpacking, in nanoseconds since 1970.
    pub(crate) modified_ns: i64,
    pub(crate) crc32: u32,
    pub(crate) executable: bool,
    pub(crate) sha256: [u8; 32],
}

impl Manifest {
    /// Reads a manifest; `None` if there is none or it is damaged.
    pub(crate) fn read(path: &Path) -> Option<Self> {
        open_sealed(KIND, path, &read_if_present(path).ok()??)
    }

    /// Writes it.
    pub(crate) fn write(&self, path: &Path) -> Result<(), IndexError> {
        seal(KIND, path, self)
            .map_err(std::io::Error::other)
            .and_then(|bytes| write_atomic(path, &[&bytes]))
            .map_err(|source| IndexError::io("write", path, 0, source))
    }

    /// The bytes of all files.
    pub(crate) fn size_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }

    /// Compares the files below `root` with the manifest; the error says what differs.
    pub(crate) fn verify(&self, root: &Path, verification: Verification) -> Result<(), String> {
        self.files
            .par_iter()
            .with_min_len(64)
            .try_for_each(|file| verify_file(&root.join(&*file.path), file, verification))
    }
}

/// A changed time alone is no damage: then the content decides.
fn verify_file(path: &Path, file: &ManifestFile, verification: Verification) -> Result<(), String> {
    let metadata = fs::symlink_metadata(path).map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err(format!("`{}` is no file", file.path));
    }
    if metadata.len() != file.size {
        return Err(format!("`{}` has another size", file.path));
    }
    if verification == Verification::Stamps && modified_ns(&metadata) == file.modified_ns {
        return Ok(());
    }
    let crc = crc_of(path).map_err(|error| error.to_string())?;
    if crc == file.crc32 {
        Ok(())
    } else {
        Err(format!("`{}` has other content", file.path))
    }
}

/// Time of last change in nanoseconds since 1970; 0 where the system tells none.
pub(super) fn modified_ns(metadata: &std::fs::Metadata) -> i64 {
    metadata
        .modified()
        .ok()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
        .and_then(|age| i64::try_from(age.as_nanos()).ok())
        .unwrap_or(0)
}

fn crc_of(path: &Path) -> std::io::Result<u32> {
    let mut file = fs::File::open(path)?;
    let mut crc = crc32fast::Hasher::new();
    let mut buffer = vec![0; 128 << 10];
    loop {
        let length = file.read(&mut buffer)?;
        match buffer.get(..length).filter(|bytes| !bytes.is_empty()) {
            Some(bytes) => crc.update(bytes),
            None => return Ok(crc.finalize()),
        }
    }
}
