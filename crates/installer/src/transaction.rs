//! The only way to change an environment. Everything is prepared where nobody sees it, written
//! down in a journal, and then swapped in by a run of renames; an interruption at any instant
//! leaves what the next transaction turns into the old or the new state.
//!
//! Killed processes are covered completely. After a power failure the journal is on the disk
//! before the first rename is, but the content of files that were copied, not linked, is as
//! safe as the file system makes it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use crate::area::Areas;
use crate::byte_code::{ByteCodeCache, ByteCompiler};
use crate::compile::CompilePool;
use crate::environment::{Environment, Roots};
use crate::error::TransactionError;
use crate::history;
use crate::in_use;
use crate::installed::{InstalledDistribution, InstalledEnvironment};
use crate::journal::{Journal, Operation};
use crate::link::{self, Linker};
use crate::lock::EnvironmentLock;
use crate::options::{InstallOptions, Outcome, Progress};
use crate::paths;
use crate::receipt::{self, Receipt, ReceiptEntry};
use crate::removal::RemovalPlan;
use crate::script::Shebang;
use crate::stage::{StagedWheel, Stager};
use crate::steps::Files;
use crate::swap::{self, Recovery, SwapError};
use crate::wheel::WheelInstall;

mod plan;
mod recovery;

pub use recovery::{has_pending, recover, recover_abandoned};

/// An open transaction: it holds the environment's lock. Dropped without [`Self::commit`], it
/// leaves the environment as it was.
pub struct Transaction<'a> {
    environment: &'a Environment,
    options: InstallOptions,
    progress: &'a dyn Progress,
    roots: Roots,
    files: Files,
    folder: PathBuf,
    recovered: Vec<Recovery>,
    linker: Linker,
    shebang: Shebang,
    default_mode: u32,
    pool: Option<CompilePool>,
    byte_code: Option<ByteCodeCache>,
    disk: Mutex<Disk>,
    staged: Mutex<Vec<StagedWheel>>,
    removals: Mutex<Vec<RemovalPlan>>,
    next_wheel: AtomicUsize,
    needed_bytes: AtomicU64,
    // Dropped last.
    _lock: EnvironmentLock,
}

struct Disk {
    journal: Journal,
    areas: Areas,
    is_over: bool,
}

impl<'a> Transaction<'a> {
    /// Takes the environment's lock, deals with interrupted transactions, and opens a new one.
    ///
    /// # Errors
    ///
    /// When the environment can't be written, or an interrupted change can't be dealt with.
    pub fn begin(
        environment: &'a Environment,
        options: InstallOptions,
        progress: &'a dyn Progress,
    ) -> Result<Self, TransactionError> {
        let files = Files::new(options.step_hook.clone(), options.holders.clone());
        let state_dir = paths::resolve(&environment.state_dir);
        let locking = |source| TransactionError::Lock {
            state_dir: state_dir.clone(),
            source,
        };
        let lock = EnvironmentLock::acquire(&state_dir, || progress.waiting_for_lock())
            .map_err(locking)?;
        let recovered =
            swap::recover(&files, &state_dir).map_err(|source| TransactionError::Recover {
                state_dir: state_dir.clone(),
                source,
            })?;
        for recovery in &recovered {
            progress.recovered(*recovery);
        }
        let id = new_id();
        let folder = state_dir.join(format!("{}{id}", swap::FOLDER_PREFIX));
        files.create_dir(&folder).map_err(locking)?;
        let opened = Journal::create(&folder, &files).and_then(|journal| {
            let default_mode = link::mode_of(&folder.join(crate::journal::FILE_NAME))?;
            Ok((journal, default_mode))
        });
        let (journal, default_mode) = opened.map_err(|source| {
            swap::clean_up(&files, &folder, &[]);
            locking(source)
        })?;
        Ok(Self {
            roots: Roots::resolve(environment),
            linker: Linker::new(files.clone(), options.link_mode),
            shebang: Shebang::of(&environment.interpreter),
            pool: compile_pool(environment, &options),
            byte_code: options
                .byte_code_cache
                .as_deref()
                .and_then(|folder| ByteCodeCache::new(folder, &environment.interpreter)),
            disk: Mutex::new(Disk {
                journal,
                areas: Areas::new(&id, &folder),
                is_over: false,
            }),
            staged: Mutex::default(),
            removals: Mutex::default(),
            next_wheel: AtomicUsize::new(0),
            needed_bytes: AtomicU64::new(0),
            environment,
            options,
            progress,
            files,
            folder,
            recovered,
            default_mode,
            _lock: lock,
        })
    }

    /// What [`Self::begin`] found and dealt with.
    pub fn recovered(&self) -> &[Recovery] {
        &self.recovered
    }

    /// Plans to uninstall a distribution; gives what that will remove.
    ///
    /// # Errors
    ///
    /// When its files are unknown or not the environment's to remove.
    pub fn remove(
        &self,
        distribution: &InstalledDistribution,
    ) -> Result<RemovalPlan, TransactionError> {
        let plan = RemovalPlan::with_roots(&self.roots, self.environment, distribution)?;
        lock(&self.removals).push(plan.clone());
        Ok(plan)
    }

    /// Prepares a wheel. Several threads may do so at once, while other wheels still arrive.
    ///
    /// # Errors
    ///
    /// When the wheel breaks the specification, or its files can't be prepared.
    pub fn install(&self, install: WheelInstall) -> Result<(), TransactionError> {
        let number = self.next_wheel.fetch_add(1, Ordering::Relaxed);
        let stager = Stager {
            environment: self.environment,
            roots: &self.roots,
            files: &self.files,
            linker: &self.linker,
            shebang: &self.shebang,
            compiler: self.pool.as_ref().map(|pool| ByteCompiler {
                pool,
                cache: self.byte_code.as_ref(),
            }),
            default_mode: self.default_mode,
            strict_record: self.options.strict_record,
        };
        let mut folder_for = |root: &Path| {
            let mut disk = lock(&self.disk);
            let Disk { journal, areas, .. } = &mut *disk;
            let folder = areas
                .folder_for(root, &self.files, journal)?
                .join(format!("new-{number}"));
            if !folder.is_dir() {
                self.files.create_dir(&folder)?;
            }
            Ok(folder)
        };
        let bytes = install.wheel.files.iter().map(|file| file.size).sum();
        self.needed_bytes.fetch_add(bytes, Ordering::Relaxed);
        let wheel = stager
            .stage(install, &mut folder_for)
            .map_err(|error| self.with_room(error))?;
        self.progress.wheel_staged(&wheel.name, &wheel.version);
        lock(&self.staged).push(wheel);
        Ok(())
    }

    /// Makes all planned changes, or none.
    ///
    /// # Errors
    ///
    /// When a check or a change fails; except for [`TransactionError::Stuck`], the environment is then as it was.
    pub fn commit(self) -> Result<Outcome, TransactionError> {
        self.make_changes().map_err(|error| self.with_room(error))
    }

    /// The error, with the room that is needed if there was too little of it.
    fn with_room(&self, error: TransactionError) -> TransactionError {
        if matches!(error, TransactionError::Stuck { .. }) || !error.is_disk_full() {
            return error;
        }
        TransactionError::DiskFull {
            folder: self.environment.scheme.purelib.clone(),
            needed_bytes: self.needed_bytes.load(Ordering::Relaxed),
            source: Box::new(error),
        }
    }

    fn make_changes(&self) -> Result<Outcome, TransactionError> {
        let mut wheels = std::mem::take(&mut *lock(&self.staged));
        wheels.sort_by(|a, b| a.name.cmp(&b.name));
        wheels.par_iter_mut().try_for_each(|wheel| {
            wheel
                .finish(&self.files, self.byte_code.as_ref())
                .map_err(|source| TransactionError::Stage {
                    wheel: wheel.wheel.clone(),
                    source,
                })
        })?;
        let installed = InstalledEnvironment::scan(&self.environment.library_dirs)
            .map_err(|source| TransactionError::Plan { source })?;
        let removals = self.removals_for(&wheels, &installed)?;
        self.check_lengths(&wheels)?;
        self.check_use(&removals)?;
        let history = history::prepare(self.environment)
            .map_err(|source| TransactionError::Plan { source })?;
        let receipt = self.receipt(&wheels, &removals, history.as_ref().map_or(1, |it| it.1));
        let history = history.as_ref().map(|it| it.0.as_path());
        let (plan, mut warnings) = self.plan(&wheels, &removals, &installed, &receipt, history)?;
        warnings.extend(
            wheels
                .iter_mut()
                .flat_map(|w| std::mem::take(&mut w.warnings)),
        );
        if let Some(failure) = self.pool.as_ref().and_then(CompilePool::failure) {
            warnings.push(format!("Some files were not byte-compiled: {failure}"));
        }
        self.swap(&plan)?;
        Ok(Outcome {
            receipt,
            warnings,
            copied_across_volumes: self.linker.has_crossed(),
        })
    }

    /// Refuses paths that programs couldn't open.
    fn check_lengths(&self, wheels: &[StagedWheel]) -> Result<(), TransactionError> {
        let Some(limit) = self.environment.interpreter.path_limit else {
            return Ok(());
        };
        for wheel in wheels {
            if let Some(path) = wheel.longest_path()
                && paths::utf16_length(&path) > limit
            {
                return Err(TransactionError::PathTooLong {
                    wheel: wheel.wheel.clone(),
                    length: paths::utf16_length(&path),
                    path,
                    limit,
                });
            }
        }
        Ok(())
    }

    /// Refuses to take libraries away from programs that run.
    fn check_use(&self, removals: &[(RemovalPlan, Option<usize>)]) -> Result<(), TransactionError> {
        let files = removals.iter().flat_map(|(plan, _)| &plan.files);
        match in_use::first_in_use(files, &*self.files.holders) {
            None => Ok(()),
            Some((path, holders)) => Err(TransactionError::InUse {
                path,
                holders: in_use::list(&holders),
            }),
        }
    }

    fn receipt(
        &self,
        wheels: &[StagedWheel],
        removals: &[(RemovalPlan, Option<usize>)],
        number: u32,
    ) -> Receipt {
        let mut removed: Vec<ReceiptEntry> = removals
            .iter()
            .map(|(plan, _)| removed_entry(&plan.distribution))
            .collect();
        removed.sort_by(|a, b| a.name.cmp(&b.name));
        Receipt {
            version: 1,
            number,
            time_unix_s: receipt::now_unix_s(),
            command: self.options.command.clone(),
            removed,
            installed: wheels.iter().map(installed_entry).collect(),
        }
    }

    fn swap(&self, plan: &[Operation]) -> Result<(), TransactionError> {
        let mut disk = lock(&self.disk);
        let Disk {
            journal,
            areas,
            is_over,
        } = &mut *disk;
        journal
            .plan(plan, &self.folder)
            .map_err(|source| TransactionError::Plan { source })?;
        self.progress.committing();
        // From here on only the journal knows what to do.
        *is_over = true;
        let outcome = swap::execute(&self.files, journal, plan);
        let others = areas.others(&self.folder);
        match outcome {
            Ok(()) => {
                // Without the mark the next run sees for itself that everything is done, and
                // cleans up; it must only not be cleaned up here.
                if journal.committed().is_ok() {
                    journal.close();
                    swap::clean_up(&self.files, &self.folder, &others);
                }
                Ok(())
            }
            Err(SwapError::RolledBack(source)) => {
                journal.close();
                swap::clean_up(&self.files, &self.folder, &others);
                Err(TransactionError::RolledBack { source })
            }
            Err(SwapError::Stuck { source, second }) => Err(TransactionError::Stuck {
                source,
                second: second.to_string(),
            }),
        }
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        // The compilers write into the folder that is about to go.
        drop(self.pool.take());
        let mut disk = lock(&self.disk);
        if !disk.is_over {
            disk.journal.close();
            swap::clean_up(&self.files, &self.folder, &disk.areas.others(&self.folder));
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn compile_pool(environment: &Environment, options: &InstallOptions) -> Option<CompilePool> {
    if !options.compile || environment.interpreter.cache_tag.is_none() {
        return None;
    }
    let workers = match options.compile_workers {
        0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        given => given,
    };
    Some(CompilePool::new(&environment.interpreter, workers))
}

/// Sorts by time, and differs between processes.
fn new_id() -> String {
    let time = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_nanos());
    format!("{time:x}-{:x}", std::process::id())
}

fn removed_entry(distribution: &InstalledDistribution) -> ReceiptEntry {
    ReceiptEntry {
        name: distribution.name.to_string(),
        version: distribution.version.to_string(),
        wheel: None,
        sha256: None,
        requested: distribution.requested(),
        direct_url: distribution.direct_url().ok().flatten(),
        installer: distribution.installer(),
    }
}

fn installed_entry(wheel: &StagedWheel) -> ReceiptEntry {
    ReceiptEntry {
        name: wheel.name.to_string(),
        version: wheel.version.to_string(),
        wheel: Some(wheel.wheel.clone()),
        sha256: wheel.sha256.clone(),
        requested: wheel.requested,
        direct_url: wheel.direct_url.clone(),
        installer: Some(crate::stage::INSTALLER.to_string()),
    }
}
