//! Fetching and preparing: wheels are staged in the transaction while others still arrive.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};

use bnbpip_index::{IndexClient, PackageFile, RequiredHashes, StoredWheel};
use bnbpip_installer::{
    InstallOptions, Outcome, Transaction, UnpackedWheel, WheelFile, WheelInstall,
};
use bnbpip_packaging::PackageName;
use rustc_hash::FxHashMap;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use super::download_progress::DownloadProgress;
use super::outcome;
use super::plan::{Change, Plan};
use crate::commands::resolve::hash_mode;
use crate::commands::transaction_notes::{TransactionNotes, with_hint};
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::interrupt;
use crate::printer::Printer;

/// How many files are under way at once. Fewer of them are downloaded (the client's own limit);
/// the others wait for their turn, or for their unpacked form to be checked.
const FETCHES_AT_ONCE: usize = 256;

/// Everything that applying a plan takes.
pub(crate) struct Application<'a> {
    pub(crate) client: &'a IndexClient,
    pub(crate) progress: Arc<DownloadProgress>,
    pub(crate) required: hash_mode::RequiredHashes,
    pub(crate) runtime: &'a Runtime,
    pub(crate) environment: &'a bnbpip_installer::Environment,
    pub(crate) options: InstallOptions,
    pub(crate) printer: &'static Printer,
    /// The sizes that files must have, by package: those of a lock. An index's page may be wrong
    /// about them.
    pub(crate) sizes: FxHashMap<PackageName, u64>,
    /// What goes and is not replaced.
    pub(crate) removed: &'a [bnbpip_installer::InstalledDistribution],
}

/// Tells what was odd about a transaction.
pub(crate) fn tell_outcome(outcome: &Outcome, settings: &Settings, printer: &Printer) {
    for warning in &outcome.warnings {
        printer.warning(warning);
    }
    if outcome.copied_across_volumes && settings.has_usual_cache() {
        printer.hint(
            "the cache is on another volume than the environment, so that files were copied and \
             take their room twice; `BNBPIP_CACHE_DIR` may name a folder on the environment's \
             volume",
        );
    }
}

/// A file that arrived, by the place of its change in the plan.
type Arrival = Result<(usize, Arc<StoredWheel>), Failure>;

impl Application<'_> {
    /// Fetches, stages and commits a plan: all of it, or nothing.
    ///
    /// # Errors
    /// When a file can't be had or used, or the environment can't be changed.
    pub(crate) fn run(self, plan: &Plan) -> Result<Outcome, Failure> {
        let _guard = interrupt::Guard::new();
        let notes = TransactionNotes(self.printer);
        let transaction = Transaction::begin(self.environment, self.options.clone(), &notes)
            .map_err(with_hint)?;
        self.stage_all(plan, &transaction)?;
        for distribution in self.removed {
            transaction.remove(distribution).map_err(with_hint)?;
        }
        interrupt::check()?;
        transaction.commit().map_err(with_hint)
    }

    fn stage_all(&self, plan: &Plan, transaction: &Transaction<'_>) -> Result<(), Failure> {
        let (sender, receiver) = channel();
        let downloads = self.fetch_all(plan, &sender);
        // The threads end when the last download's own sender is gone.
        drop(sender);
        let workers = std::thread::available_parallelism().map_or(2, usize::from);
        let receiver = Mutex::new(receiver);
        let staged: Result<(), Failure> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..workers)
                .map(|_| scope.spawn(|| stage_arrivals(&receiver, plan, transaction)))
                .collect();
            let results = threads.into_iter().map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|_| Err(Failure::new("Failed to stage a wheel")))
            });
            results.collect()
        });
        // Downloads that are still under way are of no use once something failed.
        drop(downloads);
        self.progress.clear();
        staged
    }

    /// The digests of which a change's file must have one.
    fn required_for(&self, change: &Change) -> RequiredHashes {
        // A source was checked before it was built; nobody knows the digest of what came out.
        if change.built.is_some() {
            return RequiredHashes::default();
        }
        let digests = self
            .required
            .get(&change.package.name)
            .into_iter()
            .flatten();
        RequiredHashes(
            digests
                .map(|(algorithm, hex)| (*algorithm, hex.as_str().into()))
                .collect(),
        )
    }

    /// Starts the downloads, the largest first: it decides when the last one ends.
    fn fetch_all(&self, plan: &Plan, sender: &Sender<Arrival>) -> JoinSet<()> {
        let mut order: Vec<(usize, &Change)> = plan.changes.iter().enumerate().collect();
        order.sort_by_key(|(_, change)| std::cmp::Reverse(change.file.size_bytes));
        let fetches: Vec<Fetch> = order
            .into_iter()
            .map(|(index, change)| {
                let of_lock = self.sizes.get(&change.package.name);
                Fetch {
                    index,
                    file: Arc::clone(change.built.as_ref().unwrap_or(&change.file)),
                    required: self.required_for(change),
                    expected_bytes: of_lock.copied().filter(|_| change.built.is_none()),
                }
            })
            .collect();
        let (client, progress) = (self.client.clone(), Arc::clone(&self.progress));
        let sender = sender.clone();
        let all = async move {
            let mut running = JoinSet::new();
            for fetch in fetches {
                if running.len() == FETCHES_AT_ONCE {
                    running.join_next().await;
                }
                running.spawn(fetch.run(client.clone(), Arc::clone(&progress), sender.clone()));
            }
            running.join_all().await;
        };
        let mut tasks = JoinSet::new();
        tasks.spawn_on(all, self.runtime.handle());
        tasks
    }
}

/// One file to be fetched.
struct Fetch {
    index: usize,
    file: Arc<PackageFile>,
    required: RequiredHashes,
    expected_bytes: Option<u64>,
}

impl Fetch {
    async fn run(
        self,
        client: IndexClient,
        progress: Arc<DownloadProgress>,
        sender: Sender<Arrival>,
    ) {
        let fetched = client.fetch(&self.file, &self.required, &*progress).await;
        let arrival = match fetched {
            Ok(wheel) => check_size(self.expected_bytes, &wheel).map(|()| (self.index, wheel)),
            Err(error) => Err(super::network::explained(&error)),
        };
        // Nobody listens any more when another wheel failed.
        let _ = sender.send(arrival);
    }
}

/// Refuses a wheel that hasn't the size that it must have.
fn check_size(expected_bytes: Option<u64>, wheel: &StoredWheel) -> Result<(), Failure> {
    match expected_bytes {
        Some(expected) if expected != wheel.archive_bytes => Err(Failure::new(format!(
            "Failed to use `{}`: it has {} bytes, and the lock says {expected}",
            wheel.filename, wheel.archive_bytes
        ))
        .hint("make the lock anew: somebody changed it by hand, or another tool wrote it wrong")),
        _ => Ok(()),
    }
}

fn stage_arrivals(
    receiver: &Mutex<Receiver<Arrival>>,
    plan: &Plan,
    transaction: &Transaction<'_>,
) -> Result<(), Failure> {
    loop {
        interrupt::check()?;
        let next = receiver
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .recv();
        let Ok(arrival) = next else { return Ok(()) };
        let (index, wheel) = arrival?;
        let install = wheel_install(&plan.changes[index], &wheel)?;
        transaction.install(install).map_err(with_hint)?;
    }
}

fn wheel_install(change: &Change, wheel: &StoredWheel) -> Result<WheelInstall, Failure> {
    Ok(WheelInstall {
        wheel: unpacked(wheel)?,
        sha256: Some(wheel.sha256.to_string()),
        requested: change.package.requested,
        direct_url: outcome::direct_url(change, Some(&wheel.sha256)),
        replaces: change.replaces.iter().cloned().collect(),
    })
}

/// A stored wheel as the installer sees it.
///
/// # Errors
/// When its file name is none of a wheel.
pub(crate) fn unpacked(wheel: &StoredWheel) -> Result<UnpackedWheel, Failure> {
    Ok(UnpackedWheel {
        root: wheel.root.clone(),
        filename: wheel.filename.parse()?,
        files: wheel
            .files
            .iter()
            .map(|file| WheelFile {
                path: file.path.to_string(),
                size: file.size_bytes,
                sha256: file.sha256,
                executable: file.executable,
            })
            .collect(),
    })
}
