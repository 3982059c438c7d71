//! The index's client of a run, and its failures with what to do about them.

use std::sync::Arc;

use bnbpip_index::{
    Cache, CacheError, ClientOptions, HttpError, IndexClient, IndexError, NetworkErrorKind,
};

pub(crate) use super::locations::{locations, say_locations};
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::request::MISMATCH;

/// The client's settings of a run.
pub(crate) fn client_options(settings: &Settings, extra_trusted: &[String]) -> ClientOptions {
    let network = &settings.network;
    let mut trusted_hosts = network.trusted_hosts.clone();
    trusted_hosts.extend(extra_trusted.iter().cloned());
    ClientOptions {
        cert: network.cert.clone(),
        client_cert: network.client_cert.clone(),
        proxy: network.proxy.clone(),
        no_proxy: network.no_proxy.clone(),
        system_proxy: network.system_proxy,
        trusted_hosts,
        timeout: network.timeout,
        retries: network.retries,
        netrc: network.netrc.clone(),
        keyrings: network.keyrings.clone(),
        asker: settings.asker.clone(),
        offline: network.offline,
        ..ClientOptions::default()
    }
}

/// The cache of a run; one that goes with the run where none is wanted.
///
/// # Errors
/// When it can't be opened.
pub(crate) fn cache(settings: &Settings) -> Result<Cache, Failure> {
    Ok(match &settings.cache_dir {
        Some(folder) => {
            let folder = settings.environment.working_directory().join(folder);
            match Cache::open(folder) {
                Err(error) => {
                    let CacheError::Io { source, .. } = &error;
                    let closed = is_closed(source);
                    let failure = Failure::from(error);
                    return Err(if closed {
                        failure.hint(CLOSED_CACHE)
                    } else {
                        failure
                    });
                }
                Ok(cache) => cache,
            }
        }
        None => Cache::temporary()?,
    })
}

/// Tells what went wrong with places that others stood in for.
pub(crate) fn say_notes(client: &IndexClient, printer: &Printer) {
    for note in client.take_notes() {
        printer.warning(&note);
    }
}

/// A failure of the index's client with what to do about it.
pub(crate) fn explained(error: &Arc<IndexError>) -> Failure {
    let mut failure = Failure::from(SharedError(Arc::clone(error)));
    if let IndexError::HashMismatch {
        filename,
        algorithm,
        expected,
        got,
        ..
    } = &**error
    {
        failure = failure.and(mismatch(filename, &algorithm.to_string(), expected, got));
    }
    if let IndexError::Http(HttpError::Status { url, status, .. }) = &**error
        && !url.ends_with('/')
    {
        // What pip says of a file, and scripts look for.
        let code = status.as_u16();
        failure = failure.and(format!("HTTP error {code} while getting {url}"));
    }
    match hint(error) {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// What pip says of a file that isn't the one that was meant.
pub(crate) fn mismatch(filename: &str, algorithm: &str, expected: &str, got: &str) -> String {
    format!(
        "{MISMATCH}\n    {filename}:\n        \
         Expected {algorithm} {expected}\n             Got        {got}"
    )
}

fn hint(error: &IndexError) -> Option<&'static str> {
    if error.is_offline() {
        return Some(
            "run again without `--offline`, or fill the cache with a run that has network",
        );
    }
    match error {
        IndexError::Http(error) => http_hint(error),
        IndexError::HashMismatch { .. } => Some(
            "the file isn't the one that was meant: don't install it, and tell whoever runs the \
             index",
        ),
        IndexError::MetadataDiffers { .. } => Some(
            "the index says other things of the wheel than the wheel itself: tell whoever runs the \
             index, or take another version",
        ),
        IndexError::Truncated { .. } => {
            Some("what arrived is kept: the same command goes on from there")
        }
        IndexError::DiskFull { .. } => {
            Some("make room, or put the cache elsewhere with `--cache-dir`")
        }
        // Only the cache is written to, and what is read may be a file of the user's.
        IndexError::Io { action, source, .. } if *action != "read" && is_closed(source) => {
            Some(CLOSED_CACHE)
        }
        IndexError::Cache(CacheError::Io { source, .. }) if is_closed(source) => Some(CLOSED_CACHE),
        IndexError::BadWheel { .. } => {
            Some("the wheel is damaged or unsafe, and was not used: another version may do")
        }
        _ => None,
    }
}

const PROXY_CREDENTIALS: &str =
    "the proxy wants credentials: put them into the address of `--proxy`";

/// For a cache that may not be written.
const CLOSED_CACHE: &str =
    "`--cache-dir` names another folder for the cache, `--no-cache-dir` does without one";

fn is_closed(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
    matches!(error.kind(), PermissionDenied | ReadOnlyFilesystem)
}

fn http_hint(error: &HttpError) -> Option<&'static str> {
    match error {
        HttpError::Network { kind, .. } => Some(match kind {
            NetworkErrorKind::Dns | NetworkErrorKind::Connect => {
                "check the network and the index's address; behind a proxy, name it with `--proxy`"
            }
            NetworkErrorKind::Tls => {
                "check that the address is right; if the network has a certificate authority of \
                 its own, name its certificate with `--cert`"
            }
            NetworkErrorKind::Timeout | NetworkErrorKind::Slow => {
                "try again, or wait longer with `--timeout`"
            }
            NetworkErrorKind::Cut => "try again, or try more often with `--retries`",
            NetworkErrorKind::Protocol => "check the index's address: this is no web server",
            NetworkErrorKind::ProxyCredentials => PROXY_CREDENTIALS,
        }),
        HttpError::Proxy { .. } => Some(
            "write it as `scheme://[user:password@]host:port`, for instance `http://proxy:3128`",
        ),
        HttpError::Status { status, .. } => match status.as_u16() {
            401 | 403 => Some(
                "the index wants other credentials: put them into `.netrc`, into \
                 `BNBPIP_INDEX_<NAME>_USERNAME` and `_PASSWORD` for an index with a name, or into \
                 its address",
            ),
            407 => Some(PROXY_CREDENTIALS),
            429 | 500..=599 => Some("the server is in trouble: try again later"),
            _ => None,
        },
        _ => None,
    }
}

/// An error that several tasks wait for.
#[derive(Debug)]
struct SharedError(Arc<IndexError>);

impl std::fmt::Display for SharedError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for SharedError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}
