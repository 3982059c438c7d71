//! Where requirements files are, and what stands beside them.

use std::path::{Path, PathBuf};

use bnbpip_installer::normalize;
use url::Url;

use crate::failure::Failure;

/// A file or an address that requirements are read from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Location {
    File(PathBuf),
    Url(Url),
}

impl Location {
    /// What a name stands for: an address, or a path below a folder.
    pub(super) fn of(name: &str, folder: &Path) -> Self {
        match remote(name) {
            Some(url) => Self::Url(url),
            None => Self::File(normalize(&folder.join(local_path(name)))),
        }
    }

    /// The file that this one includes by a name, and how it is shown.
    ///
    /// # Errors
    /// When the name makes no address beside this one's.
    pub(super) fn beside(&self, name: &str) -> Result<(String, Self), Failure> {
        match self {
            Self::Url(base) => {
                let url = base.join(name).map_err(|error| {
                    Failure::from(error).context(format!("Failed to read `{name}`"))
                })?;
                Ok((url.to_string(), Self::Url(url)))
            }
            Self::File(includer) => {
                let folder = includer.parent().unwrap_or(Path::new(""));
                let location = Self::of(name, folder);
                let shown = match &location {
                    Self::Url(_) => name.to_owned(),
                    Self::File(path) => path.display().to_string(),
                };
                Ok((shown, location))
            }
        }
    }

    /// A `--find-links` value of this file: relative to it if that exists, else as it is.
    pub(super) fn find_links(&self, value: String) -> String {
        if let Self::File(path) = self
            && let Some(folder) = path.parent()
        {
            let candidate = folder.join(&value);
            if candidate.exists() {
                return candidate.display().to_string();
            }
        }
        value
    }
}

/// The URL, if the name is one of something on the network.
fn remote(name: &str) -> Option<Url> {
    let url = Url::parse(name).ok()?;
    matches!(url.scheme(), "http" | "https").then_some(url)
}

/// The path that a name stands for: itself, or a `file:` address's.
fn local_path(name: &str) -> PathBuf {
    let is_file_url = name
        .get(..5)
        .is_some_and(|start| start.eq_ignore_ascii_case("file:"));
    let url = if is_file_url {
        Url::parse(name).ok()
    } else {
        None
    };
    url.and_then(|url| url.to_file_path().ok())
        .unwrap_or_else(|| PathBuf::from(name))
}
