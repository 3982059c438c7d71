//! Requirements files behind an address.

use bnbpip_index::{IndexClient, IndexLocations};
use url::Url;

use super::network;
use crate::configuration::settings::Settings;
use crate::failure::Failure;

/// Gets a file with the run's network settings.
///
/// # Errors
/// When it can't be had.
pub(crate) fn read(url: &Url, settings: &Settings) -> Result<Vec<u8>, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let options = network::client_options(settings, &[]);
    let client = IndexClient::new(
        IndexLocations::default(),
        network::cache(settings)?,
        &options,
    );
    runtime
        .block_on(client.read_url(url))
        .map_err(|error| network::explained(&error))
}
