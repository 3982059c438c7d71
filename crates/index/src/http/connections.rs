//! The connection pools, made when they are first needed.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use reqwest::{Client, Proxy};
use rustc_hash::FxHashMap;
use url::Url;

use super::error::HttpError;
use super::tls::{self, Trust};
use crate::options::ClientOptions;

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Purpose {
    /// A page: compressed on the way.
    Page,
    /// A piece of a file, small: as it is, over a shared connection.
    File,
    /// A file, or large pieces of one: each over a connection of its own, as one connection is
    /// seldom as fast as the line.
    Bulk,
}

/// The pools by purpose and by how the server's certificate is checked.
#[derive(Debug)]
pub(super) struct Connections {
    options: ClientOptions,
    roots: OnceLock<tls::Roots>,
    clients: Mutex<FxHashMap<(Purpose, Trust), Client>>,
}

impl Connections {
    pub(super) fn new(options: &ClientOptions) -> Self {
        Self {
            options: options.clone(),
            roots: OnceLock::new(),
            clients: Mutex::default(),
        }
    }

    /// Whether the user said to trust this server without certificates.
    pub(super) fn is_trusted(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        let port = url.port_or_known_default();
        self.options.trusted_hosts.iter().any(|trusted| {
            trusted.eq_ignore_ascii_case(host)
                || trusted.rsplit_once(':').is_some_and(|(name, number)| {
                    name.eq_ignore_ascii_case(host) && number.parse().ok() == port
                })
        })
    }

    /// Makes the pool for pages of `https` servers, in vain if that fails: the first request
    /// reports it.
    pub(super) fn prepare(&self) {
        if let Err(error) = self.make(Purpose::Page, Trust::Verified) {
            tracing::debug!(%error, "the network client can't be set up");
        }
    }

    /// The pool for a request.
    pub(super) fn client(&self, purpose: Purpose, url: &Url) -> Result<Client, HttpError> {
        let trust = if url.scheme() == "http" {
            Trust::Plain
        } else if self.is_trusted(url) {
            Trust::Unverified
        } else {
            Trust::Verified
        };
        self.make(purpose, trust)
    }

    fn make(&self, purpose: Purpose, trust: Trust) -> Result<Client, HttpError> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&(purpose, trust)) {
            return Ok(client.clone());
        }
        let client = self.build(purpose, trust)?;
        clients.insert((purpose, trust), client.clone());
        Ok(client)
    }

    fn build(&self, purpose: Purpose, trust: Trust) -> Result<Client, HttpError> {
        let options = &self.options;
        let mut config = tls::config(options, trust, &self.roots)?;
        config.alpn_protocols = match purpose {
            Purpose::Page | Purpose::File => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            Purpose::Bulk => vec![b"http/1.1".to_vec()],
        };
        let mut builder = Client::builder()
            .tls_backend_preconfigured(config)
            .redirect(reqwest::redirect::Policy::none())
            // Retries are counted in one place: ours.
            .retry(reqwest::retry::never())
            .referer(false)
            .user_agent(options.user_agent.as_str())
            .connect_timeout(options.timeout)
            .read_timeout(options.timeout)
            .pool_idle_timeout(Duration::from_secs(30))
            .tcp_nodelay(true)
            .http2_initial_stream_window_size(4 << 20)
            .http2_initial_connection_window_size(16 << 20);
        if purpose != Purpose::Page {
            builder = builder.no_gzip().no_zstd();
        }
        if purpose == Purpose::Bulk {
            builder = builder.http1_only();
        }
        let exceptions = options.no_proxy.as_deref().unwrap_or_default();
        if exceptions
            .split(',')
            .any(|exception| exception.trim() == "*")
        {
            // Everything is an exception. The client's own reading of it leaves out addresses
            // that are numbers.
            builder = builder.no_proxy();
        } else if let Some(address) = &options.proxy {
            let proxy = proxy(address)?;
            let exceptions = options
                .no_proxy
                .as_deref()
                .and_then(reqwest::NoProxy::from_string);
            builder = builder.proxy(proxy.no_proxy(exceptions));
        } else if !options.system_proxy {
            builder = builder.no_proxy();
        }
        builder
            .build()
            .map_err(|error| HttpError::Setup(error.into()))
    }
}

/// The proxy at `scheme://[user:password@]host:port`, or at such an address without its scheme.
fn proxy(address: &str) -> Result<Proxy, HttpError> {
    let whole = if address.contains("://") {
        address.to_string()
    } else {
        format!("http://{address}")
    };
    let is_address = Url::parse(&whole).is_ok_and(|url| url.has_host());
    let proxy = is_address.then(|| Proxy::all(whole)).and_then(Result::ok);
    proxy.ok_or_else(|| HttpError::Proxy {
        address: match address.rsplit_once('@') {
            Some((_credentials, rest)) => format!("****@{rest}"),
            None => address.to_string(),
        },
    })
}
