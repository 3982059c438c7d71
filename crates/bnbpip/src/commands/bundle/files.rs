//! The wheels of a bundle: fetched, verified, and copied into its folder.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bnbpip_index::{IndexClient, IndexLocations, PackageFile, RequiredHashes};
use bnbpip_lock::Lock;
use bnbpip_packaging::HashAlgorithm;
use rustc_hash::FxHashMap;
use sha2::Sha256;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use super::{network, path_of};
use crate::cli::BundleArgs;
use crate::commands::hash::digest_of;
use crate::commands::install::{DownloadProgress, announce};
use crate::commands::resolve::runtime;
use crate::commands::saving;
use crate::commands::sync::locked_file;
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;

/// Brings files into the folder of a bundle.
pub(super) struct Files<'a> {
    pub(super) arguments: &'a BundleArgs,
    pub(super) settings: &'a Settings,
    pub(super) printer: &'static Printer,
    pub(super) wheels: PathBuf,
    /// The digests of what was brought, by name.
    pub(super) brought: RefCell<FxHashMap<String, String>>,
}

/// A file to be fetched.
struct Wanted {
    file: PackageFile,
    required: RequiredHashes,
    /// The size that a lock says.
    size_bytes: Option<u64>,
}

/// A file in the bundle.
struct KeptFile {
    /// From the lock's folder.
    path: String,
    sha256: String,
    size_bytes: u64,
}

/// The files in the bundle by the addresses that they came from.
type KeptFiles = FxHashMap<String, KeptFile>;

impl Files<'_> {
    /// Brings the files of a lock, whose paths start in `folder`; gives the lock with their places.
    ///
    /// # Errors
    /// When one can't be had, or isn't the lock's.
    pub(super) fn of_lock(&self, mut lock: Lock, folder: &Path) -> Result<Lock, Failure> {
        let options = network::client_options(self.settings, &[]);
        let cache = network::cache(self.settings)?;
        let client = IndexClient::new(IndexLocations::default(), cache, &options);
        let runtime = runtime()?;
        let mut wanted = Vec::new();
        for wheel in lock.packages.iter().flat_map(|package| &package.wheels) {
            let strongest = wheel.hashes.strongest();
            let strongest = strongest.map(|(algorithm, hex)| (algorithm, hex.into()));
            wanted.push(Wanted {
                file: locked_file(wheel, folder)?,
                required: RequiredHashes(strongest.into_iter().collect()),
                size_bytes: wheel.size_bytes,
            });
        }
        let kept = self.bring(&client, &runtime, wanted)?;
        for wheel in lock.packages.iter_mut().flat_map(|it| &mut it.wheels) {
            let url = locked_file(wheel, folder)?.url;
            if let Some(file) = kept.get(url.as_str()) {
                wheel.path = Some(file.path.clone());
                wheel.url = wheel.url.take().filter(|url| !url.starts_with("file:"));
                wheel.size_bytes = Some(file.size_bytes);
                wheel.hashes.insert(HashAlgorithm::Sha256, &file.sha256)?;
            }
        }
        Ok(lock)
    }

    /// Fetches several at once; each is copied into the folder when it has arrived.
    fn bring(
        &self,
        client: &IndexClient,
        runtime: &Runtime,
        wanted: Vec<Wanted>,
    ) -> Result<KeptFiles, Failure> {
        let total_bytes = wanted.iter().filter_map(|it| it.file.size_bytes).sum();
        let choice = self.arguments.progress_bar;
        let progress = Arc::new(DownloadProgress::new(self.printer, choice, total_bytes));
        let brought = runtime.block_on(async {
            let mut tasks = JoinSet::new();
            for wanted in wanted {
                announce(&wanted.file, client, self.printer);
                let (client, progress) = (client.clone(), Arc::clone(&progress));
                tasks.spawn(async move {
                    let Wanted { file, required, .. } = &wanted;
                    let downloaded = client.download(file, required, &*progress).await;
                    downloaded.map(|downloaded| (downloaded, wanted))
                });
            }
            let mut kept: KeptFiles = FxHashMap::default();
            while let Some(arrival) = tasks.join_next().await {
                let (downloaded, wanted) =
                    arrival?.map_err(|error| network::explained(&Arc::new(error)))?;
                check_size(&wanted, downloaded.size_bytes)?;
                let name = wanted.file.filename_text.to_string();
                self.keep(&downloaded.path, &name, &downloaded.sha256)?;
                let file = KeptFile {
                    path: path_of(&name),
                    sha256: downloaded.sha256.to_string(),
                    size_bytes: downloaded.size_bytes,
                };
                kept.insert(wanted.file.url.to_string(), file);
            }
            Ok(kept)
        });
        progress.clear();
        brought
    }

    /// Copies a file into the folder, unless it is there already.
    fn keep(&self, from: &Path, name: &str, sha256: &str) -> Result<(), Failure> {
        let other = self
            .brought
            .borrow_mut()
            .insert(name.to_owned(), sha256.to_owned());
        if other.is_some_and(|other| other != sha256) {
            return Err(Failure::new(format!(
                "Failed to bundle `{name}`: two different files have that name"
            ))
            .hint("make a bundle for each environment"));
        }
        let place = self.wheels.join(name);
        if !(place.is_file() && digest_of::<Sha256>(&place)? == sha256) {
            saving::save(from, &self.wheels, name)?;
        }
        Ok(())
    }
}

fn check_size(wanted: &Wanted, found: u64) -> Result<(), Failure> {
    match wanted.size_bytes {
        Some(expected) if expected != found => Err(Failure::new(format!(
            "Failed to use `{}`: it has {found} bytes, and the lock says {expected}",
            wanted.file.filename_text
        ))),
        _ => Ok(()),
    }
}
