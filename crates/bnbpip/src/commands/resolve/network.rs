//! The index's client of a run, and its failures with what to do about them.

use std::collections::BTreeMap;
use std::sync::Arc;

use bnbpip_index::{
    Cache, CacheError, ClientOptions, HttpError, IndexEntry, IndexError, IndexLocations,
    IndexStrategy, IndexUrl, NetworkErrorKind,
};

use crate::cli::index::IndexArgs;
use crate::cli::values;
use crate::configuration::DEFAULT_INDEX_URL;
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::request::FileOptions;

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
        offline: network.offline,
        ..ClientOptions::default()
    }
}

/// Where packages come from: the command line's places, then the files'.
///
/// # Errors
/// When an address can't be understood.
pub(crate) fn locations(
    arguments: &IndexArgs,
    files: &FileOptions,
    settings: &Settings,
) -> Result<IndexLocations, Failure> {
    let base = settings.environment.working_directory();
    let parse = |text: &str| -> Result<IndexUrl, Failure> {
        let path = base.join(text);
        let is_path = !text.contains("://") && path.exists();
        let shown = if is_path {
            path.to_string_lossy()
        } else {
            text.into()
        };
        Ok(shown.parse()?)
    };
    let primary = files
        .index_url
        .as_deref()
        .or(arguments.index_url.as_deref())
        .unwrap_or(DEFAULT_INDEX_URL);
    let mut indexes = vec![IndexEntry::new(parse(primary)?)];
    for extra in arguments
        .extra_index_url
        .iter()
        .chain(&files.extra_index_urls)
    {
        indexes.push(IndexEntry::new(parse(extra)?));
    }
    let mut routes = BTreeMap::new();
    for route in &files.routes {
        let is_known = |entry: &IndexEntry| entry.name.as_ref() == Some(&route.index);
        if !indexes.iter().any(is_known) {
            indexes.push(IndexEntry::routed(&route.index, parse(&route.url)?));
        }
        let name = route.index.clone();
        routes.entry(route.package.clone()).or_insert(name);
    }
    let find_links = arguments
        .find_links
        .iter()
        .chain(&files.find_links)
        .map(|link| parse(link))
        .collect::<Result<_, _>>()?;
    Ok(IndexLocations {
        indexes,
        find_links,
        no_index: arguments.no_index || files.no_index,
        strategy: match arguments.index_strategy {
            values::IndexStrategy::FirstIndex => IndexStrategy::FirstIndex,
            values::IndexStrategy::UnsafeBestMatch => IndexStrategy::UnsafeBestMatch,
        },
        routes,
    })
}

/// Says where packages are looked for, in pip's words, unless it is the usual place alone.
///
/// # Errors
/// When an address can't be understood.
pub(crate) fn say_locations(
    arguments: &IndexArgs,
    files: &FileOptions,
    settings: &Settings,
    printer: &Printer,
) -> Result<(), Failure> {
    let locations = locations(arguments, files, settings)?;
    let shown = |url: &IndexUrl| {
        let text = bnbpip_index::redacted(url.url());
        text.trim_end_matches('/').to_owned()
    };
    let asked = locations.indexes.iter().filter(|entry| !entry.explicit);
    let indexes: Vec<String> = asked.map(|entry| shown(&entry.url)).collect();
    let usual = DEFAULT_INDEX_URL.trim_end_matches('/');
    if !locations.no_index && indexes != [usual] {
        printer.narrate(&format!("Looking in indexes: {}", indexes.join(", ")));
    }
    if !locations.find_links.is_empty() {
        let links: Vec<String> = locations.find_links.iter().map(shown).collect();
        printer.narrate(&format!("Looking in links: {}", links.join(", ")));
    }
    Ok(())
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

/// A failure of the index's client with what to do about it.
pub(crate) fn explained(error: &Arc<IndexError>) -> Failure {
    let failure = Failure::from(SharedError(Arc::clone(error)));
    match hint(error) {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
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
            NetworkErrorKind::Timeout => "try again, or wait longer with `--timeout`",
            NetworkErrorKind::Cut => "try again, or try more often with `--retries`",
            NetworkErrorKind::Protocol => "check the index's address: this is no web server",
            NetworkErrorKind::ProxyCredentials => PROXY_CREDENTIALS,
        }),
        HttpError::Proxy { .. } => Some(
            "write it as `scheme://[user:password@]host:port`, for instance `http://proxy:3128`",
        ),
        HttpError::Status { status, .. } => match status.as_u16() {
            401 | 403 => Some(
                "the index wants other credentials: put them into its address or into `.netrc`",
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
