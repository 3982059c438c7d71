//! What can go wrong between the question "which files are there" and unpacked wheels.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use bnbpip_packaging::{HashAlgorithm, PackageName};

use crate::archive::ArchiveError;
use crate::cache::CacheError;
use crate::http::HttpError;
use crate::metadata::MetadataLiteError;
use crate::page::{FileError, PageError};

/// Errors are shared by all who wait for the same page, metadata or wheel.
pub type SharedResult<T> = Result<T, Arc<IndexError>>;

/// A failure of this crate. Addresses in messages carry no credentials.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The network failed or may not be used.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The cache can't be used.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// An address or path that the user gave is no wheel's.
    #[error(transparent)]
    File(#[from] FileError),
    /// A page can't be understood.
    #[error("Failed to read the index page `{url}`")]
    BadPage {
        /// The page's address.
        url: String,
        /// What is wrong with it.
        #[source]
        source: PageError,
    },
    /// A route names an index that isn't defined.
    #[error("Failed to look up `{package}`: its index `{index}` is not defined")]
    UnknownIndex {
        /// The package.
        package: PackageName,
        /// The index's name.
        index: String,
    },
    /// A wheel's metadata can't be used.
    #[error("Failed to read the metadata of `{filename}` from `{location}`")]
    BadMetadata {
        /// The wheel's file name.
        filename: String,
        /// Host or path that it came from.
        location: String,
        /// What is wrong with it.
        #[source]
        source: MetadataLiteError,
    },
    /// A wheel's own metadata isn't what its index said of it (PEP 658).
    #[error(
        "Failed to accept `{filename}` from `{location}`: it has inconsistent {field} between its \
         PEP 658 .metadata file and the wheel's METADATA: sidecar has '{told}', wheel has '{own}'"
    )]
    MetadataDiffers {
        /// The wheel's file name.
        filename: String,
        /// Host or path that it came from.
        location: String,
        /// The field that differs.
        field: &'static str,
        /// What the index says.
        told: String,
        /// What the wheel says.
        own: String,
    },
    /// What an index says about who attests to a file can't be understood.
    #[error("Failed to read who attests to `{filename}`")]
    BadProvenance {
        /// The file's name.
        filename: String,
        /// What is wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A wheel is refused.
    #[error("Failed to unpack `{filename}` from `{location}`")]
    BadWheel {
        /// The wheel's file name.
        filename: String,
        /// Host or path that it came from.
        location: String,
        /// What is wrong with it.
        #[source]
        source: ArchiveError,
    },
    /// The file isn't what it should be.
    #[error(
        "Failed to verify `{filename}` from `{location}`: {algorithm} should be `{expected}`, but is `{got}`"
    )]
    HashMismatch {
        /// The file's name.
        filename: String,
        /// Host or path that it came from.
        location: String,
        /// The digest's kind.
        algorithm: HashAlgorithm,
        /// What it should be; several are separated by ` or `.
        expected: String,
        /// What it is.
        got: String,
    },
    /// The server sent less, or more, than it or the index announced.
    #[error(
        "Failed to download `{filename}` from `{location}`: got {got_bytes} of {expected_bytes} bytes"
    )]
    Truncated {
        /// The file's name.
        filename: String,
        /// Host or path that it came from.
        location: String,
        /// What was announced.
        expected_bytes: u64,
        /// What came.
        got_bytes: u64,
    },
    /// No room.
    #[error("Failed to write `{}`: no space left on the disk; {needed_bytes} bytes are needed", path.display())]
    DiskFull {
        /// The file that couldn't be written.
        path: PathBuf,
        /// The bytes that the file, or the whole wheel, needs.
        needed_bytes: u64,
    },
    /// A file operation failed.
    #[error("Failed to {action} `{}`", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// There is no wheel to fetch.
    #[error("Failed to fetch `{filename}`: it is a source distribution and has to be built first")]
    NeedsBuild {
        /// The file's name.
        filename: String,
    },
    /// A task of this program ended early.
    #[error("Failed to finish the work on `{object}`: it was cancelled")]
    Cancelled {
        /// What was worked on.
        object: String,
    },
}

impl IndexError {
    /// A failed file operation; a full disk is told apart.
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
        needed_bytes: u64,
        source: io::Error,
    ) -> Self {
        let path = path.into();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::DiskFull { path, needed_bytes }
            }
            _ => Self::Io {
                action,
                path,
                source,
            },
        }
    }

    /// Whether a file that was there a moment ago is gone.
    pub(crate) fn is_missing_file(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }

    /// Whether the cause is that the network is switched off.
    pub fn is_offline(&self) -> bool {
        matches!(self, Self::Http(HttpError::Offline { .. }))
    }
}
