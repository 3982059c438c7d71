//! Where a source's files are.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use bnbpip_build::{UnpackLimits, unpack_sdist};
use bnbpip_packaging::SdistExtension;

use crate::failure::Failure;

/// A source's files. An archive is unpacked once they are wanted: what was found out before is kept
/// by its digest.
#[derive(Debug)]
pub(super) enum SourceFiles {
    /// A project's folder.
    Folder(PathBuf),
    /// A project in an archive.
    Archive(Archive),
}

/// An archive.
#[derive(Debug)]
pub(super) struct Archive {
    /// Its file.
    pub(super) path: PathBuf,
    /// The name that it has where it came from.
    pub(super) filename: String,
    /// What kind it is.
    pub(super) extension: SdistExtension,
    /// Where the project lies in it, if not at the top.
    pub(super) subdirectory: Option<String>,
    /// The folder that it is unpacked into.
    pub(super) folder: PathBuf,
    /// The project's folder, once it is unpacked.
    pub(super) root: OnceCell<PathBuf>,
}

impl SourceFiles {
    /// The project's folder.
    ///
    /// # Errors
    /// When an archive can't be unpacked.
    pub(super) fn root(&self) -> Result<&Path, Failure> {
        let archive = match self {
            Self::Folder(root) => return Ok(root),
            Self::Archive(archive) => archive,
        };
        if let Some(root) = archive.root.get() {
            return Ok(root);
        }
        let top = unpack_sdist(
            &archive.path,
            &archive.filename,
            archive.extension,
            &archive.folder,
            UnpackLimits::default(),
        )?;
        Ok(archive.root.get_or_init(|| match &archive.subdirectory {
            Some(path) => top.join(path),
            None => top,
        }))
    }

    /// Whether it is an archive, as an sdist is, in which metadata may be packed.
    pub(super) fn is_archive(&self) -> bool {
        matches!(self, Self::Archive(_))
    }
}
