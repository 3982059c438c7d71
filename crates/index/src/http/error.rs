//! Why a request failed, in words that name the host and never the credentials.

use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use http::{HeaderMap, StatusCode, header};
use url::Url;

use crate::index_url::{host_of, redacted};

/// Which part of the way to a server failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkErrorKind {
    /// The host's name has no address.
    Dns,
    /// No connection.
    Connect,
    /// The connection isn't secure: a certificate that isn't trusted, mostly.
    Tls,
    /// Nothing arrived for too long.
    Timeout,
    /// Too little arrived for too long.
    Slow,
    /// The connection ended in the middle.
    Cut,
    /// The answer is no HTTP.
    Protocol,
    /// The proxy wants credentials, or others.
    ProxyCredentials,
}

impl NetworkErrorKind {
    fn phrase(self) -> &'static str {
        match self {
            Self::Dns => "its name can't be resolved",
            Self::Connect => "no connection",
            Self::Tls => "no secure connection",
            Self::Timeout => "no answer in time",
            Self::Slow => "hardly anything arrives",
            Self::Cut => "the connection was cut",
            Self::Protocol => "the answer is not valid HTTP",
            Self::ProxyCredentials => "the proxy wants credentials (407)",
        }
    }
}

/// A request that brought no usable answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The network is not to be used.
    #[error("Failed to fetch `{url}`: it is not in the cache, and the network is switched off")]
    Offline {
        /// The address, without credentials.
        url: String,
    },
    /// The network failed.
    #[error("Failed to fetch `{url}` from `{host}`: {}", kind.phrase())]
    Network {
        /// The host that was asked.
        host: String,
        /// The address, without credentials.
        url: String,
        /// What failed.
        kind: NetworkErrorKind,
        /// The cause.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The server refused or failed.
    #[error("Failed to fetch `{url}`: `{host}` answered {}", in_words(*status, phrase.as_deref()))]
    Status {
        /// The host that was asked.
        host: String,
        /// The address, without credentials.
        url: String,
        /// The status.
        status: StatusCode,
        /// The server's own words for it, where it has any.
        phrase: Option<Box<str>>,
        /// How long the server asks to wait, in seconds.
        retry_after_seconds: Option<u64>,
    },
    /// A redirect that isn't followed.
    #[error("Failed to follow the redirect from `{url}`: {reason}")]
    Redirect {
        /// Where the redirect came from, without credentials.
        url: String,
        /// Why not.
        reason: String,
    },
    /// The body is larger than what is accepted.
    #[error("Failed to read `{url}`: it is larger than {limit_bytes} bytes")]
    TooLarge {
        /// The address, without credentials.
        url: String,
        /// The limit, unpacked.
        limit_bytes: u64,
    },
    /// Certificates or a client certificate can't be read.
    #[error("Failed to read certificates from `{}`", path.display())]
    Certificates {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The `.netrc` file can't be read.
    #[error("Failed to read credentials from `{}`", path.display())]
    Netrc {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The proxy's address is none.
    #[error("Failed to use the proxy at `{address}`: this is no address")]
    Proxy {
        /// What stands there, without credentials.
        address: String,
    },
    /// The client can't be set up.
    #[error("Failed to set up the network client")]
    Setup(#[source] Box<dyn Error + Send + Sync>),
}

impl HttpError {
    pub(super) fn network(url: &Url, source: reqwest::Error) -> Self {
        Self::Network {
            host: host_of(url),
            url: redacted(url),
            kind: classify(&source),
            source: source.without_url().into(),
        }
    }

    /// A body that would take for ever.
    pub(super) fn slow(url: &Url, received_bytes: u64, waited: Duration) -> Self {
        Self::Network {
            host: host_of(url),
            url: redacted(url),
            kind: NetworkErrorKind::Slow,
            source: format!("{received_bytes} bytes in {} s", waited.as_secs()).into(),
        }
    }

    /// A status that is no answer to what was asked.
    pub(super) fn status(
        url: &Url,
        status: StatusCode,
        headers: &HeaderMap,
        phrase: Option<&str>,
    ) -> Self {
        Self::Status {
            host: host_of(url),
            url: redacted(url),
            status,
            phrase: phrase.map(Into::into),
            retry_after_seconds: retry_after_seconds(headers),
        }
    }

    /// An answer that nothing changed, to a request that didn't ask for changes.
    pub(crate) fn not_modified(url: &Url) -> Self {
        Self::status(url, StatusCode::NOT_MODIFIED, &HeaderMap::new(), None)
    }

    /// How long the server asks to wait before the next request.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status {
                retry_after_seconds,
                ..
            } => retry_after_seconds.map(Duration::from_secs),
            _ => None,
        }
    }

    /// Whether the same request may well succeed a little later.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Network { kind, .. } => !matches!(
                kind,
                NetworkErrorKind::Tls | NetworkErrorKind::ProxyCredentials
            ),
            Self::Status { status, .. } => is_transient_status(*status),
            _ => false,
        }
    }
}

/// A status as it is told: guards of an index say in their own words why they refuse a file.
fn in_words(status: StatusCode, phrase: Option<&str>) -> String {
    match phrase {
        Some(phrase) => format!("{} {phrase}", status.as_u16()),
        None => status.to_string(),
    }
}

/// 408, 429 and the 5xx that proxies and overloaded servers give.
pub(super) fn is_transient_status(status: StatusCode) -> bool {
    matches!(
        status.as_u16(),
        408 | 429 | 500 | 502 | 503 | 504 | 520..=524 | 529
    )
}

/// `Retry-After`: seconds, or a date.
fn retry_after_seconds(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(seconds);
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    let wait = date.as_second() - jiff::Timestamp::now().as_second();
    Some(u64::try_from(wait).unwrap_or(0))
}

fn classify(error: &reqwest::Error) -> NetworkErrorKind {
    let mut kind = if error.is_timeout() {
        return NetworkErrorKind::Timeout;
    } else if error.is_connect() {
        NetworkErrorKind::Connect
    } else if error.is_body() || error.is_decode() {
        NetworkErrorKind::Cut
    } else {
        NetworkErrorKind::Protocol
    };
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    while let Some(error) = cause {
        if error.is::<rustls::Error>() {
            return NetworkErrorKind::Tls;
        }
        if let Some(error) = error.downcast_ref::<io::Error>() {
            match classify_io(error) {
                Some(NetworkErrorKind::Cut) => kind = NetworkErrorKind::Cut,
                Some(certain) => return certain,
                None => {}
            }
        }
        let text = error.to_string();
        if kind == NetworkErrorKind::Connect && text.contains("dns error") {
            return NetworkErrorKind::Dns;
        }
        // So says the tunnel through a proxy, whose errors have no type that others can name.
        if kind == NetworkErrorKind::Connect && text.contains("proxy authorization required") {
            return NetworkErrorKind::ProxyCredentials;
        }
        let ended = [
            "connection closed before message completed",
            "end of file before message",
        ];
        if kind == NetworkErrorKind::Protocol && ended.iter().any(|phrase| text.contains(phrase)) {
            kind = NetworkErrorKind::Cut;
        }
        cause = error.source();
    }
    kind
}

/// What an I/O error tells. The errors of TLS come wrapped in several of them, and the source of
/// such a wrapper is not what it wraps.
fn classify_io(error: &io::Error) -> Option<NetworkErrorKind> {
    if let Some(inner) = error.get_ref() {
        if inner.is::<rustls::Error>() {
            return Some(NetworkErrorKind::Tls);
        }
        if let Some(kind) = inner.downcast_ref().and_then(classify_io) {
            return Some(kind);
        }
    }
    match error.kind() {
        io::ErrorKind::TimedOut => Some(NetworkErrorKind::Timeout),
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof => Some(NetworkErrorKind::Cut),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_forms_of_retry_after() {
        let read = |text: &str| {
            let headers = HeaderMap::from_iter([(header::RETRY_AFTER, text.parse().unwrap())]);
            retry_after_seconds(&headers)
        };
        assert_eq!(read("7"), Some(7));
        assert_eq!(read("Wed, 21 Oct 2015 07:28:00 GMT"), Some(0));
        assert_eq!(read("soon"), None);
    }
}
