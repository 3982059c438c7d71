//! What the caller decides about the network and the cache. Nothing here is read from the
//! environment: that is the edge's business.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::keyring::{Asker, Keyring};

/// Settings of the network side.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own on the command line"
)]
pub struct ClientOptions {
    /// A PEM file, or a folder of PEM files, that replaces the system's and the bundled roots.
    pub cert: Option<PathBuf>,
    /// A PEM file with a client certificate chain and its private key.
    pub client_cert: Option<PathBuf>,
    /// A proxy for every request (`http://`, `https://` or `socks5://`).
    pub proxy: Option<String>,
    /// Hosts that are asked directly although there is a proxy, separated by commas.
    pub no_proxy: Option<String>,
    /// Without `proxy`: take the proxies of the operating system and its environment.
    pub system_proxy: bool,
    /// `host` or `host:port` whose certificates are not checked.
    pub trusted_hosts: Vec<String>,
    /// The longest wait for a connection, and for the next bytes of an answer.
    pub timeout: Duration,
    /// How often a request that failed for a passing reason is sent again.
    pub retries: u32,
    /// A `.netrc` file with credentials by host.
    pub netrc: Option<PathBuf>,
    /// Where a keyring may be; the first that is there is asked where a server wants a password.
    pub keyrings: Vec<Keyring>,
    /// Who is asked for what nothing else knows.
    pub asker: Option<Arc<dyn Asker>>,
    /// The `User-Agent` header.
    pub user_agent: String,
    /// Use only what is cached, however old.
    pub offline: bool,
    /// Revalidate cached pages even while they are fresh.
    pub refresh: bool,
    /// The most requests under way at once.
    pub concurrent_requests: usize,
    /// The most files downloaded at once.
    pub concurrent_downloads: usize,
    /// The largest page that is accepted, unpacked.
    pub page_limit_bytes: u64,
    /// Keep the downloaded `.whl` file beside its unpacked form.
    pub keep_archives: bool,
    /// How a stored wheel is checked before it is used again.
    pub verification: Verification,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            cert: None,
            client_cert: None,
            proxy: None,
            no_proxy: None,
            system_proxy: false,
            trusted_hosts: Vec::new(),
            timeout: Duration::from_secs(30),
            retries: 4,
            netrc: None,
            keyrings: Vec::new(),
            asker: None,
            user_agent: concat!("bnbpip/", env!("CARGO_PKG_VERSION")).to_string(),
            offline: false,
            refresh: false,
            concurrent_requests: 50,
            concurrent_downloads: 12,
            page_limit_bytes: 64 << 20,
            keep_archives: false,
            verification: Verification::Stamps,
        }
    }
}

/// How thoroughly a stored wheel is checked before it is used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Verification {
    /// Size and time of last change of every file; one that differs is read and compared.
    #[default]
    Stamps,
    /// The content of every file.
    Contents,
}
