//! The address of a package index. It may carry credentials; what is printed never does.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use url::Url;

/// An address that can't be used as an index.
#[derive(Debug, thiserror::Error)]
pub enum IndexUrlError {
    /// The text is neither an absolute URL nor the path of a folder that exists.
    #[error("Failed to read index address `{text}`")]
    Invalid {
        /// The text, without credentials.
        text: String,
        /// What the URL parser said.
        #[source]
        source: url::ParseError,
    },
    /// Only `http`, `https` and `file` addresses can be asked.
    #[error("Failed to use index address `{text}`: the scheme `{scheme}` is not supported")]
    Scheme {
        /// The address, without credentials.
        text: String,
        /// Its scheme.
        scheme: String,
    },
}

/// The address of an index (`https://host/simple`) or of a flat page.
///
/// Equality and hashing ignore credentials: the same index asked by two users is one index.
#[derive(Debug, Clone)]
pub struct IndexUrl {
    url: Url,
    shown: Box<str>,
}

impl IndexUrl {
    /// Takes a parsed URL.
    ///
    /// # Errors
    /// When the scheme is not `http`, `https` or `file`.
    pub fn from_url(url: Url) -> Result<Self, IndexUrlError> {
        let shown = redacted(&url);
        if !matches!(url.scheme(), "http" | "https" | "file") {
            return Err(IndexUrlError::Scheme {
                // `user:password@host` without a scheme reads as a scheme and a path.
                text: if url.cannot_be_a_base() {
                    without_user(&shown)
                } else {
                    shown
                },
                scheme: url.scheme().to_string(),
            });
        }
        let shown = shown.into_boxed_str();
        Ok(Self { url, shown })
    }

    /// The URL with its credentials. Never print it.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The address as it may be shown: credentials are replaced by `****`.
    pub fn as_str(&self) -> &str {
        &self.shown
    }

    /// The folder or file that a `file:` address names.
    pub fn to_file_path(&self) -> Option<PathBuf> {
        (self.url.scheme() == "file").then(|| self.url.to_file_path().ok())?
    }

    /// The page of one project below this index: `<index>/<name>/`.
    pub fn project_url(&self, name: &str) -> Url {
        let mut url = self.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push(name).push("");
        }
        url.set_fragment(None);
        url
    }

    /// A place below this one: `/cu124` is another segment. The address itself for nothing.
    pub(crate) fn below(&self, rest: &str) -> Option<Self> {
        let segments: Vec<&str> = rest.split('/').filter(|part| !part.is_empty()).collect();
        if segments.is_empty() {
            return Some(self.clone());
        }
        let mut url = self.url.clone();
        url.path_segments_mut()
            .ok()?
            .pop_if_empty()
            .extend(segments);
        Self::from_url(url).ok()
    }

    /// The same address with these credentials.
    #[must_use]
    pub fn with_credentials(&self, user: Option<&str>, password: Option<&str>) -> Self {
        let mut url = self.url.clone();
        if let Some(user) = user {
            let _no_host_no_credentials = url.set_username(user);
        }
        if let Some(password) = password {
            let _no_host_no_credentials = url.set_password(Some(password));
        }
        let shown = redacted(&url).into_boxed_str();
        Self { url, shown }
    }

    /// The URL without credentials, fragment and trailing slash: what identifies the index.
    pub(crate) fn identity(&self) -> String {
        let mut identity = without_credentials(&self.url);
        let kept = identity.trim_end_matches('/').len();
        identity.truncate(kept);
        identity
    }
}

impl FromStr for IndexUrl {
    type Err = IndexUrlError;

    /// Reads a URL, or the path of a local folder or file that exists.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let path = Path::new(text);
        // A Windows path such as `C:\wheels` parses as a URL with the scheme `c`.
        if path.exists()
            && let Some(url) = path_url(path)
        {
            return Self::from_url(url);
        }
        match Url::parse(text) {
            Ok(url) => Self::from_url(url),
            Err(source) => Err(IndexUrlError::Invalid {
                text: without_user(text),
                source,
            }),
        }
    }
}

impl fmt::Display for IndexUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl PartialEq for IndexUrl {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl Eq for IndexUrl {}

impl Hash for IndexUrl {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.identity().hash(state);
    }
}

/// A `file:` URL for a path, made absolute first.
pub(crate) fn path_url(path: &Path) -> Option<Url> {
    let absolute = std::path::absolute(path).ok()?;
    if absolute.is_dir() {
        Url::from_directory_path(absolute).ok()
    } else {
        Url::from_file_path(absolute).ok()
    }
}

/// What may be shown of an address that can't be taken apart.
fn without_user(text: &str) -> String {
    text.rsplit_once('@')
        .map_or_else(|| text.to_string(), |(_, rest)| format!("****@{rest}"))
}

/// The URL as text with user and password replaced by `****`.
pub fn redacted(url: &Url) -> String {
    if url.username().is_empty() && url.password().is_none() {
        return url.to_string();
    }
    let mut shown = url.clone();
    let _no_host_no_credentials = shown.set_password(None);
    let _no_host_no_credentials = shown.set_username("****");
    shown.to_string()
}

/// The URL as text without user, password and fragment: the key of everything cached for it.
pub(crate) fn without_credentials(url: &Url) -> String {
    let mut bare = url.clone();
    let _no_host_no_credentials = bare.set_password(None);
    let _no_host_no_credentials = bare.set_username("");
    bare.set_fragment(None);
    bare.into()
}

/// Host and port, for messages and for what is remembered by host.
pub(crate) fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port()
        .map_or_else(|| host.to_string(), |port| format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_shows_credentials() {
        let index: IndexUrl = "https://user:secret@host.example/simple".parse().unwrap();
        assert_eq!(index.to_string(), "https://****@host.example/simple");
        assert!(!index.as_str().contains("secret"));
        let error = "https://user:secret@host example/simple"
            .parse::<IndexUrl>()
            .unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }

    #[test]
    fn project_pages_end_in_a_slash() {
        for text in [
            "https://host.example/simple",
            "https://host.example/simple/",
        ] {
            let index: IndexUrl = text.parse().unwrap();
            assert_eq!(
                index.project_url("a-b").as_str(),
                "https://host.example/simple/a-b/"
            );
        }
    }

    #[test]
    fn credentials_are_no_part_of_the_identity() {
        let with: IndexUrl = "https://u:p@host.example/simple/".parse().unwrap();
        let without: IndexUrl = "https://host.example/simple".parse().unwrap();
        assert_eq!(with, without);
        assert!("ftp://host.example/".parse::<IndexUrl>().is_err());
    }

    #[test]
    fn addresses_that_can_not_be_used_show_no_password() {
        for text in [
            "user:secret@host/simple",
            "https://user:secret@[/simple",
            "https://user:secret@host:port/simple",
            "ftp://user:secret@host/simple",
        ] {
            let shown = text.parse::<IndexUrl>().unwrap_err().to_string();
            assert!(!shown.contains("secret"), "{shown}");
        }
    }
}
