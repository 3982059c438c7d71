//! Locks that were read from an address.

use bnbpip_packaging::PackageName;
use url::{ParseError, Url};

use crate::{Lock, LockedFile, LockedSource};

/// A lock's path leads nowhere from where the lock is.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// A folder or a repository of the machine that the lock was made on.
    #[error("Failed to use the lock's `{0}`: it is a path, and the lock was read from an address")]
    Path(PackageName),
    /// No address comes out.
    #[error("Failed to use the lock's `{name}`")]
    Address {
        /// The package.
        name: PackageName,
        /// Why.
        source: ParseError,
    },
}

impl Lock {
    /// The lock as it is where it was read from: the paths of files start there, and become
    /// addresses.
    ///
    /// # Errors
    /// When it has folders or repositories that are paths.
    pub fn at(mut self, address: &Url) -> Result<Self, RemoteError> {
        for package in &mut self.packages {
            let name = package.name.clone();
            let wheels = package.wheels.iter_mut();
            let source = match &mut package.source {
                Some(LockedSource::Sdist(file) | LockedSource::Archive { file, .. }) => Some(file),
                Some(LockedSource::Vcs(vcs)) if vcs.path.is_some() => {
                    return Err(RemoteError::Path(name));
                }
                Some(LockedSource::Directory { .. }) => return Err(RemoteError::Path(name)),
                Some(LockedSource::Vcs(_)) | None => None,
            };
            for file in wheels.chain(source) {
                let url = file.url.as_deref().unwrap_or_default();
                if url.starts_with("file:") {
                    return Err(RemoteError::Path(name));
                }
                place(file, address).map_err(|source| RemoteError::Address {
                    name: name.clone(),
                    source,
                })?;
            }
        }
        Ok(self)
    }
}

fn place(file: &mut LockedFile, address: &Url) -> Result<(), ParseError> {
    if let Some(path) = file.path.take() {
        file.url = Some(address.join(&path)?.to_string());
    }
    Ok(())
}
