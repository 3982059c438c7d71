//! An unpacked wheel.

use std::path::PathBuf;

use super::manifest::{Manifest, ManifestFile};
use crate::error::IndexError;
use crate::options::Verification;

/// One file of an unpacked wheel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// Its path in the wheel, with `/`.
    pub path: Box<str>,
    /// Its size.
    pub size_bytes: u64,
    /// The SHA-256 of what was unpacked.
    pub sha256: [u8; 32],
    /// Whether the archive marks it as executable.
    pub executable: bool,
}

/// A wheel, unpacked and verified. Its files are shared with other runs: link or copy them,
/// never change them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredWheel {
    /// The folder that holds the files.
    pub root: PathBuf,
    /// The files in the archive's order; folders are implied.
    pub files: Vec<StoredFile>,
    /// The wheel's SHA-256, 64 hexadecimal digits.
    pub sha256: Box<str>,
    /// The size of the wheel itself, packed.
    pub archive_bytes: u64,
    /// The wheel's file name.
    pub filename: Box<str>,
}

impl StoredWheel {
    pub(super) fn new(root: PathBuf, manifest: Manifest) -> Self {
        let to_stored = |file: ManifestFile| StoredFile {
            path: file.path,
            size_bytes: file.size,
            sha256: file.sha256,
            executable: file.executable,
        };
        Self {
            root,
            files: manifest.files.into_iter().map(to_stored).collect(),
            sha256: manifest.sha256.into(),
            archive_bytes: manifest.archive_bytes,
            filename: manifest.filename.into(),
        }
    }

    /// The bytes of all files.
    pub fn size_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size_bytes).sum()
    }

    /// Checks the files on disk again.
    ///
    /// # Errors
    /// When a file is missing or isn't what was unpacked.
    pub fn verify(&self, verification: Verification) -> Result<(), IndexError> {
        let manifest_path = self.root.with_added_extension("manifest");
        let damaged = |reason: String| IndexError::Io {
            action: "verify",
            path: self.root.clone(),
            source: std::io::Error::new(std::io::ErrorKind::InvalidData, reason),
        };
        Manifest::read(&manifest_path)
            .ok_or_else(|| damaged("the manifest is missing or damaged".to_string()))?
            .verify(&self.root, verification)
            .map_err(damaged)
    }
}
