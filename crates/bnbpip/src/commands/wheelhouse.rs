//! A folder of wheels that a lock's files are looked for in: by their digests, whatever they are
//! called and wherever the lock says that they are.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use bnbpip_lock::LockedFile;
use bnbpip_packaging::HashAlgorithm;
use rustc_hash::FxHashMap;
use sha2::{Sha224, Sha256, Sha384, Sha512};

use super::hash::digest_of;
use crate::configuration::settings::Settings;
use crate::failure::Failure;

/// The wheels of a folder and of the folders in it.
#[derive(Debug)]
pub(crate) struct Wheelhouse {
    folder: PathBuf,
    wheels: Vec<(PathBuf, u64)>,
    digests: RefCell<FxHashMap<(PathBuf, HashAlgorithm), String>>,
}

impl Wheelhouse {
    /// Lists a folder.
    ///
    /// # Errors
    /// When there is none, or it can't be read.
    pub(crate) fn open(folder: &Path, settings: &Settings) -> Result<Self, Failure> {
        let folder = settings.environment.working_directory().join(folder);
        if !folder.is_dir() {
            return Err(Failure::new(format!(
                "Failed to use the wheelhouse `{}`: there is no such folder",
                folder.display()
            )));
        }
        let mut wheels = Vec::new();
        let mut open = vec![folder.clone()];
        while let Some(inner) = open.pop() {
            for entry in fs_err::read_dir(&inner)? {
                let entry = entry?;
                let path = entry.path();
                if entry.file_type()?.is_dir() {
                    open.push(path);
                } else if path.extension().is_some_and(|extension| extension == "whl") {
                    wheels.push((path, fs_err::metadata(entry.path())?.len()));
                }
            }
        }
        wheels.sort();
        Ok(Self {
            folder,
            wheels,
            digests: RefCell::default(),
        })
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where a locked file is in it: the one of the same name is looked at first, then those that
    /// could be it by their size.
    ///
    /// # Errors
    /// When a file can't be read.
    pub(crate) fn find(&self, wanted: &LockedFile) -> Result<Option<&Path>, Failure> {
        let is_named = |path: &Path| path.file_name().is_some_and(|name| *name == *wanted.name);
        let fits = |size: u64| wanted.size_bytes.is_none_or(|wanted| wanted == size);
        let sized = self.wheels.iter().filter(|(_, size)| fits(*size));
        let (named, others): (Vec<_>, Vec<_>) = sized.partition(|(path, _)| is_named(path));
        for (path, _) in named.into_iter().chain(others) {
            if self.has_digest(path, wanted)? {
                return Ok(Some(path));
            }
        }
        Ok(None)
    }

    fn has_digest(&self, path: &Path, wanted: &LockedFile) -> Result<bool, Failure> {
        let Some((algorithm, hex)) = wanted.hashes.strongest() else {
            return Ok(false);
        };
        let key = (path.to_path_buf(), algorithm);
        if let Some(known) = self.digests.borrow().get(&key) {
            return Ok(known == hex);
        }
        let digest = match algorithm {
            HashAlgorithm::Sha224 => digest_of::<Sha224>(path)?,
            HashAlgorithm::Sha256 => digest_of::<Sha256>(path)?,
            HashAlgorithm::Sha384 => digest_of::<Sha384>(path)?,
            HashAlgorithm::Sha512 => digest_of::<Sha512>(path)?,
            // No lock is read that has nothing better.
            HashAlgorithm::Md5 | HashAlgorithm::Sha1 => return Ok(false),
        };
        let is_it = digest == hex;
        self.digests.borrow_mut().insert(key, digest);
        Ok(is_it)
    }
}
