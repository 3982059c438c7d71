//! Package indexes: pages, metadata, downloads, the cache and the wheel store.
//!
//! [`IndexClient`] is the door: `project` answers which files there are, `metadata` what a wheel
//! requires, `fetch` brings it, verified and unpacked. Where packages come from is said by
//! [`IndexLocations`], how the network is used by [`ClientOptions`], where things are kept by
//! [`Cache`]. This crate knows nothing of solving and installing, reads no environment variables
//! and prints nothing.

mod archive;
pub mod cache;
mod client;
mod download;
mod error;
mod flat;
#[doc(hidden)]
pub mod hostile;
mod http;
mod index_url;
mod keyring;
mod locations;
mod metadata;
mod mirrors;
mod netrc;
mod once_map;
mod options;
pub mod page;
mod progress;
mod remote_wheel;
mod simple;
mod sources;
mod store;

pub use archive::ArchiveError;
pub use cache::{Cache, CacheAdmin, CacheError};
pub use client::{IndexClient, Metadata, Publisher};
pub use download::{DownloadedFile, RequiredHashes};
pub use error::{IndexError, SharedResult};
pub use http::{HttpError, NetworkErrorKind};
pub use index_url::{IndexUrl, IndexUrlError, redacted};
pub use keyring::{Asker, Keyring};
pub use locations::{IndexEntry, IndexLocations, IndexStrategy, Mirror};
pub use metadata::{MetadataLiteError, WheelMetadataLite};
pub use options::{ClientOptions, Verification};
pub use page::{
    DistributionFilename, FileError, PackageFile, Project, ProjectPage, RequiresPython,
};
pub use progress::{NoProgress, Progress};
pub use remote_wheel::{RemoteWheel, WheelMember};
pub use store::{StoredFile, StoredWheel};

/// Runs work that blocks on a thread for such work.
async fn blocking<T: Send + 'static>(
    object: &str,
    work: impl FnOnce() -> Result<T, IndexError> + Send + 'static,
) -> Result<T, IndexError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(_) => Err(IndexError::Cancelled {
            object: object.to_string(),
        }),
    }
}
