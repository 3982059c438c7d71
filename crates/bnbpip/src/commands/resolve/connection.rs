//! The network's threads and the index's clients of a run.

use std::sync::{Arc, Mutex, PoisonError};

use bnbpip_index::IndexClient;

use super::network;
use crate::cli::resolve::ResolveArgs;
use crate::commands::sources::Access;
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::request::FileOptions;

/// The network's threads and an index's client. Clones share both.
#[derive(Clone)]
pub(crate) struct Connection {
    pub(crate) runtime: Arc<tokio::runtime::Runtime>,
    pub(crate) client: IndexClient,
}

impl Connection {
    /// A connection to the places that the options and the files name.
    ///
    /// # Errors
    /// When an address can't be understood, or the cache can't be opened.
    pub(crate) fn new(
        options: &ResolveArgs,
        files: &FileOptions,
        settings: &Settings,
    ) -> Result<Self, Failure> {
        Self::on(Arc::new(runtime()?), options, files, settings)
    }

    fn on(
        runtime: Arc<tokio::runtime::Runtime>,
        options: &ResolveArgs,
        files: &FileOptions,
        settings: &Settings,
    ) -> Result<Self, Failure> {
        let mut client_options = network::client_options(settings, &files.trusted_hosts);
        client_options.refresh = options.index.refreshes();
        let locations = network::locations(&options.index, files, settings)?;
        let client = IndexClient::new(locations, network::cache(settings)?, &client_options);
        Ok(Self { runtime, client })
    }

    /// How sources are reached through it.
    pub(crate) fn access(&self) -> Access<'_> {
        Access {
            client: &self.client,
            runtime: self.runtime.handle(),
        }
    }
}

/// The connections of a run that resolves several times: pages and metadata that one resolution
/// has read are there for the next. Options and settings are the run's own; the places that
/// requests name tell its connections apart. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Connections(Arc<Mutex<Vec<(FileOptions, Connection)>>>);

impl Connections {
    /// The connection to the places that the options and the files name.
    ///
    /// # Errors
    /// When an address can't be understood, or the cache can't be opened.
    pub(super) fn to(
        &self,
        options: &ResolveArgs,
        files: &FileOptions,
        settings: &Settings,
    ) -> Result<Connection, Failure> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, connection)) = known.iter().find(|(places, _)| places == files) {
            return Ok(connection.clone());
        }
        let connection = match known.first() {
            Some((_, first)) => {
                Connection::on(Arc::clone(&first.runtime), options, files, settings)?
            }
            None => Connection::new(options, files, settings)?,
        };
        known.push((files.clone(), connection.clone()));
        Ok(connection)
    }
}

/// The network's threads, and few for blocking work: looking through the store is bound by the
/// processor and the disk, and every thread takes memory.
pub(crate) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores.min(4))
        .max_blocking_threads(cores.clamp(4, 16))
        .enable_all()
        .build()
}
