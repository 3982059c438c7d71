//! One file of a project: a wheel or a source distribution, and what is known about it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bnbpip_packaging::{
    Hashes, PackageName, SdistFilename, Version, WheelFilename, WheelFilenameError,
};
use url::Url;

use super::requires_python::RequiresPython;
use crate::index_url::{IndexUrl, host_of, path_url, redacted};

/// A distribution's file name, parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DistributionFilename {
    /// A built distribution.
    Wheel(WheelFilename),
    /// A source distribution; it has to be built.
    Sdist(SdistFilename),
}

impl DistributionFilename {
    /// The project's name.
    pub fn name(&self) -> &PackageName {
        match self {
            Self::Wheel(wheel) => &wheel.name,
            Self::Sdist(sdist) => &sdist.name,
        }
    }

    /// The version.
    pub fn version(&self) -> &Version {
        match self {
            Self::Wheel(wheel) => &wheel.version,
            Self::Sdist(sdist) => &sdist.version,
        }
    }
}

/// Why an address given by the user can't be taken as a wheel.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The last part of the address is no wheel's file name.
    #[error("Failed to use `{url}` as a wheel")]
    Filename {
        /// The address, without credentials.
        url: String,
        /// What is wrong with the name.
        #[source]
        source: WheelFilenameError,
    },
    /// The path can't be written as a URL.
    #[error("Failed to use `{}` as a wheel: the path can't be made absolute", .0.display())]
    Path(PathBuf),
}

/// A file that an index offers, or that the user named.
#[derive(Debug, Clone)]
pub struct PackageFile {
    /// The file name, parsed.
    pub filename: DistributionFilename,
    /// The file name as text.
    pub filename_text: Box<str>,
    /// Where the file is: `http`, `https` or `file`. It may hold credentials: print
    /// [`PackageFile::shown_url`].
    pub url: Url,
    /// Its digests; empty if the index gives none.
    pub hashes: Hashes,
    /// Its size.
    pub size_bytes: Option<u64>,
    /// When it was uploaded, in milliseconds since 1970-01-01 UTC.
    pub upload_time_ms: Option<i64>,
    /// The Python versions it needs; shared between files that say the same.
    pub requires_python: Option<Arc<RequiresPython>>,
    /// Set if the file is yanked (PEP 592); the reason may be empty.
    pub yanked: Option<Box<str>>,
    /// Set if `<url>.metadata` exists (PEP 658); holds its digests if the index gives them.
    pub core_metadata: Option<Hashes>,
    /// Where the index tells who attests to it (PEP 740).
    pub provenance: Option<Box<str>>,
    /// The index that offers it; `None` if the user named the file itself.
    pub index: Option<Arc<IndexUrl>>,
}

impl PackageFile {
    /// A wheel at an address that the user gave. Digests in the fragment are taken over.
    ///
    /// # Errors
    /// When the last path segment isn't a wheel's file name.
    pub fn from_url(mut url: Url) -> Result<Self, FileError> {
        let filename = last_segment(&url);
        let wheel: WheelFilename = filename.parse().map_err(|source| FileError::Filename {
            url: redacted(&url),
            source,
        })?;
        let hashes = url
            .fragment()
            .map(Hashes::parse_fragment)
            .unwrap_or_default();
        url.set_fragment(None);
        Ok(Self {
            filename: DistributionFilename::Wheel(wheel),
            filename_text: filename.into_boxed_str(),
            url,
            hashes,
            size_bytes: None,
            upload_time_ms: None,
            requires_python: None,
            yanked: None,
            core_metadata: None,
            provenance: None,
            index: None,
        })
    }

    /// A wheel on disk.
    ///
    /// # Errors
    /// When the path can't be made absolute or isn't a wheel's file name.
    pub fn from_path(path: &Path) -> Result<Self, FileError> {
        let url = path_url(path).ok_or_else(|| FileError::Path(path.to_path_buf()))?;
        Self::from_url(url)
    }

    /// The project's name.
    pub fn name(&self) -> &PackageName {
        self.filename.name()
    }

    /// The version.
    pub fn version(&self) -> &Version {
        self.filename.version()
    }

    /// The wheel's file name, unless this is a source distribution.
    pub fn wheel(&self) -> Option<&WheelFilename> {
        match &self.filename {
            DistributionFilename::Wheel(wheel) => Some(wheel),
            DistributionFilename::Sdist(_) => None,
        }
    }

    /// When it was uploaded.
    pub fn upload_time(&self) -> Option<jiff::Timestamp> {
        jiff::Timestamp::from_millisecond(self.upload_time_ms?).ok()
    }

    /// The address without credentials, for people.
    pub fn shown_url(&self) -> String {
        redacted(&self.url)
    }

    /// The host or the path that it comes from, for messages.
    pub(crate) fn location(&self) -> String {
        match self.local_path() {
            Some(path) => path.display().to_string(),
            None => host_of(&self.url),
        }
    }

    /// The path of a file on this machine.
    pub fn local_path(&self) -> Option<PathBuf> {
        (self.url.scheme() == "file").then(|| self.url.to_file_path().ok())?
    }
}

/// The last segment of the path, decoded once.
pub(crate) fn last_segment(url: &Url) -> String {
    let segment = url.path().rsplit('/').next().unwrap_or_default();
    percent_encoding::percent_decode_str(segment)
        .decode_utf8_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_digests_from_the_fragment_and_decodes_once() {
        let digest = "ab".repeat(32);
        let file = PackageFile::from_url(
            format!("https://u:p@host.example/a-1.0%2Bcu1-py3-none-any.whl#sha256={digest}")
                .parse()
                .unwrap(),
        )
        .unwrap();
        assert_eq!(&*file.filename_text, "a-1.0+cu1-py3-none-any.whl");
        assert_eq!(file.hashes.sha256(), Some(digest.as_str()));
        assert!(!file.shown_url().contains('p') || !file.shown_url().contains("u:p"));
        let twice: Url = "https://host.example/a%252D1.whl".parse().unwrap();
        assert_eq!(last_segment(&twice), "a%2D1.whl");
        let error = PackageFile::from_url("https://u:secret@host.example/x.zip".parse().unwrap());
        assert!(!error.unwrap_err().to_string().contains("secret"));
    }
}
