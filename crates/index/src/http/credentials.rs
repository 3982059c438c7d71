//! Which credentials go to which server, and to no other.

use std::sync::OnceLock;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::HeaderValue;
use percent_encoding::percent_decode_str;
use rustc_hash::FxHashMap;
use url::Url;

use super::error::HttpError;
use crate::index_url::IndexUrl;
use crate::netrc::{Login, Netrc};
use crate::options::ClientOptions;

/// Scheme, host and port.
type Origin = (String, String, Option<u16>);

/// Credentials by server: those of an address itself, then those that an index's address brought
/// for its server, then `.netrc`'s.
#[derive(Debug)]
pub(super) struct Credentials {
    indexes: FxHashMap<Origin, Login>,
    netrc_path: Option<std::path::PathBuf>,
    netrc: OnceLock<Netrc>,
}

impl Credentials {
    pub(super) fn new<'index>(
        options: &ClientOptions,
        indexes: impl Iterator<Item = &'index IndexUrl>,
    ) -> Self {
        let indexes = indexes
            .filter_map(|index| Some((origin(index.url()), login_of(index.url())?)))
            .collect();
        Self {
            indexes,
            netrc_path: options.netrc.clone(),
            netrc: OnceLock::new(),
        }
    }

    /// Takes the credentials out of the address; the answer is the `Authorization` for its server.
    ///
    /// # Errors
    /// When there is a `.netrc` that can't be read.
    pub(super) fn take(&self, url: &mut Url) -> Result<Option<HeaderValue>, HttpError> {
        let own = login_of(url);
        let _no_host_no_credentials = url.set_password(None);
        let _no_host_no_credentials = url.set_username("");
        if own.is_some() {
            return Ok(own.as_ref().and_then(basic));
        }
        if let Some(login) = self.indexes.get(&origin(url)) {
            return Ok(basic(login));
        }
        let host = url.host_str().unwrap_or_default();
        Ok(self.netrc()?.login(host).and_then(basic))
    }

    fn netrc(&self) -> Result<&Netrc, HttpError> {
        if let Some(netrc) = self.netrc.get() {
            return Ok(netrc);
        }
        let netrc = match &self.netrc_path {
            None => Netrc::default(),
            Some(path) => match fs_err::read(path) {
                Ok(bytes) => Netrc::parse(&String::from_utf8_lossy(&bytes)),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Netrc::default(),
                Err(source) => {
                    return Err(HttpError::Netrc {
                        path: path.clone(),
                        source,
                    });
                }
            },
        };
        Ok(self.netrc.get_or_init(|| netrc))
    }
}

fn origin(url: &Url) -> Origin {
    (
        url.scheme().to_string(),
        url.host_str().unwrap_or_default().to_string(),
        url.port_or_known_default(),
    )
}

fn login_of(url: &Url) -> Option<Login> {
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let password = url.password().map(decode);
    if url.username().is_empty() && password.is_none() {
        return None;
    }
    Some(Login {
        user: decode(url.username()),
        password: password.unwrap_or_default(),
    })
}

fn basic(login: &Login) -> Option<HeaderValue> {
    let pair = BASE64_STANDARD.encode(format!("{}:{}", login.user, login.password));
    HeaderValue::from_str(&format!("Basic {pair}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials() -> (tempfile::NamedTempFile, Credentials) {
        let netrc = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(netrc.path(), "machine other.example login n password n").unwrap();
        let index: IndexUrl = "https://u%40x:p%3A@host.example/simple".parse().unwrap();
        let options = ClientOptions {
            netrc: Some(netrc.path().to_path_buf()),
            ..ClientOptions::default()
        };
        (netrc, Credentials::new(&options, std::iter::once(&index)))
    }

    fn sent(credentials: &Credentials, url: &str) -> Option<String> {
        let mut url: Url = url.parse().unwrap();
        let value = credentials.take(&mut url).unwrap();
        assert_eq!((url.username(), url.password()), ("", None));
        let value = value?.to_str().unwrap()["Basic ".len()..].to_string();
        Some(String::from_utf8(BASE64_STANDARD.decode(value).unwrap()).unwrap())
    }

    #[test]
    fn credentials_stay_with_their_server() {
        let (_file, credentials) = credentials();
        let sent = |url: &str| sent(&credentials, url);
        assert_eq!(
            sent("https://host.example/f/a.whl").as_deref(),
            Some("u@x:p:")
        );
        assert_eq!(
            sent("https://own:one@host.example/").as_deref(),
            Some("own:one")
        );
        assert_eq!(sent("https://other.example/").as_deref(), Some("n:n"));
        for url in [
            "http://host.example/f/a.whl",
            "https://host.example:8443/",
            "https://sub.host.example/",
            "https://host.example.evil/",
        ] {
            assert_eq!(sent(url), None, "{url}");
        }
    }
}
