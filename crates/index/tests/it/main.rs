//! The index client against a server that fails in every way it is told to.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets a surprise has to stop"
)]

mod admin;
mod downloads;
mod metadata;
mod pages;
mod refused;
mod remote_wheel;
mod server;
mod stored;
mod wheel;

use std::sync::Arc;
use std::time::Duration;

use bnbpip_index::{
    Cache, ClientOptions, IndexClient, IndexError, IndexLocations, PackageFile, Project,
    SharedResult,
};
use bnbpip_packaging::PackageName;

/// Options for tests: quick to give up.
fn options() -> ClientOptions {
    ClientOptions {
        timeout: Duration::from_secs(5),
        retries: 2,
        ..ClientOptions::default()
    }
}

fn name(text: &str) -> PackageName {
    text.parse().unwrap()
}

/// A client of one index with a cache of its own.
fn client(index: &str) -> IndexClient {
    let locations = IndexLocations::single(index.parse().unwrap());
    IndexClient::new(locations, Cache::temporary().unwrap(), &options())
}

/// A new client, as the next run of the program has it.
fn next_run(index: &str, cache: &Cache) -> IndexClient {
    let locations = IndexLocations::single(index.parse().unwrap());
    IndexClient::new(locations, cache.clone(), &options())
}

async fn project(client: &IndexClient, text: &str) -> Arc<Project> {
    client.project(&name(text)).await.unwrap().unwrap()
}

/// The only file of the only version.
async fn only_file(client: &IndexClient, text: &str) -> Arc<PackageFile> {
    let project = project(client, text).await;
    let [version] = project.versions() else {
        panic!("{:?}", project.versions());
    };
    let file = project.files(version).next().unwrap();
    Arc::clone(file)
}

fn error<T>(result: SharedResult<T>) -> Arc<IndexError> {
    match result {
        Ok(_) => panic!("must fail"),
        Err(error) => error,
    }
}

/// An error with its causes, as a person reads it.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
