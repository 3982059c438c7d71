//! Carrying out a journalled plan, taking it back, and what a later run does about one that was
//! interrupted. Taking back can itself be interrupted and repeated any number of times.

use std::io;
use std::path::{Path, PathBuf};

use crate::exchange;
use crate::in_use;
use crate::journal::{self, Journal, Operation};
use crate::paths;
use crate::steps::{self, Files, is_transient, may_split};

/// The prefix of a transaction's folder in the state folder.
pub(crate) const FOLDER_PREFIX: &str = "tx-";

/// What became of an interrupted transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovery {
    /// It had changed nothing yet; what it had prepared is gone.
    Discarded,
    /// It had changed something; the environment is as before it.
    RolledBack,
    /// It had changed everything; the environment is as it wanted.
    Completed,
    /// It was over; only its remains were removed.
    CleanedUp,
}

/// Carries out the plan. At an error, what was done is taken back.
pub(crate) fn execute(
    files: &Files,
    journal: &mut Journal,
    plan: &[Operation],
) -> Result<(), SwapError> {
    for (at, operation) in plan.iter().enumerate() {
        if let Err(source) = apply(files, journal, at, operation) {
            return match roll_back(files, journal, &plan[..=at]) {
                Ok(()) => Err(SwapError::RolledBack(source)),
                Err(second) => Err(SwapError::Stuck { source, second }),
            };
        }
    }
    Ok(())
}

/// Why a plan was not carried out.
#[derive(Debug)]
pub(crate) enum SwapError {
    /// The environment is as it was.
    RolledBack(io::Error),
    /// Taking it back failed too; the journal stays for the next run.
    Stuck {
        source: io::Error,
        second: io::Error,
    },
}

fn apply(files: &Files, journal: &mut Journal, at: usize, operation: &Operation) -> io::Result<()> {
    match operation {
        Operation::MakeDirectory { path } => files.create_dir(path),
        Operation::Stash { target, stash } => move_whole(files, journal, at, target, stash),
        Operation::Place { staged, target } => move_whole(files, journal, at, staged, target),
        Operation::Exchange { staged, target, .. } => files.exchange(staged, target),
        Operation::RemoveEmptyDirectory { path } => match files.remove_dir(path) {
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::NotFound
                ) =>
            {
                Ok(())
            }
            outcome => outcome,
        },
    }
}

/// Moves by one rename; a folder that can't be is moved file by file, which the journal notes first.
fn move_whole(
    files: &Files,
    journal: &mut Journal,
    at: usize,
    from: &Path,
    to: &Path,
) -> io::Result<()> {
    match files.rename(from, to) {
        Err(error) if may_split(&error) && is_directory(from) => {
            journal.split(at)?;
            move_merging(files, from, to)
        }
        Err(error) if is_transient(&error) => Err(in_use::explained(error, from, &*files.holders)),
        outcome => outcome,
    }
}

/// Moves what is left of a folder into another, which may hold a part of it already.
fn move_merging(files: &Files, from: &Path, to: &Path) -> io::Result<()> {
    if !is_directory(from) {
        return files.rename_file(from, to);
    }
    if !is_directory(to) {
        files.create_dir(to)?;
    }
    for entry in fs_err::read_dir(from)? {
        let entry = entry?;
        move_merging(files, &entry.path(), &to.join(entry.file_name()))?;
    }
    files.remove_dir(from)
}

/// Takes operations back, last first. Those that were never begun are recognised and left.
fn roll_back(files: &Files, journal: &mut Journal, plan: &[Operation]) -> io::Result<()> {
    for (at, operation) in plan.iter().enumerate().rev() {
        match operation {
            Operation::MakeDirectory { path } => match files.remove_dir(path) {
                Err(error)
                    if !matches!(
                        error.kind(),
                        io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::NotFound
                    ) =>
                {
                    return Err(error);
                }
                _ => {}
            },
            Operation::RemoveEmptyDirectory { path } => {
                if !is_directory(path) {
                    files.create_dir_all(path)?;
                }
            }
            Operation::Stash { target, stash } => put_back(files, target, stash)?,
            Operation::Exchange {
                staged,
                target,
                old_number,
            } => {
                let is_done = exchange::identity(staged).is_some_and(|it| it.1 == *old_number);
                if is_done && exists(target) {
                    files.exchange(staged, target)?;
                } else if is_done {
                    put_back(files, target, staged)?;
                }
            }
            Operation::Place { staged, target } => {
                withdraw(files, journal, at, staged, target)?;
            }
        }
    }
    journal.rolled_back()
}

/// Takes back a stash. While its target is still there, the move had been split, or something
/// else (an interpreter writing byte-code) has made the folder anew.
fn put_back(files: &Files, target: &Path, stash: &Path) -> io::Result<()> {
    if !exists(stash) {
        return Ok(());
    }
    if is_directory(target) && is_directory(stash) {
        return move_merging(files, stash, target);
    }
    if let Some(parent) = target.parent()
        && !is_directory(parent)
    {
        files.create_dir_all(parent)?;
    }
    match files.rename(stash, target) {
        Err(error) if may_split(&error) && is_directory(stash) => {
            move_merging(files, stash, target)
        }
        outcome => outcome,
    }
}

/// Takes back a placement. With both sides there it was either not begun (what stands at the
/// target is the old state) or split; the journal knows.
fn withdraw(
    files: &Files,
    journal: &mut Journal,
    at: usize,
    staged: &Path,
    target: &Path,
) -> io::Result<()> {
    if journal.undone.contains(&at) || !exists(target) {
        return Ok(());
    }
    let was_split = journal.split.contains(&at);
    if exists(staged) && !was_split {
        return Ok(());
    }
    if !was_split {
        match files.rename(target, staged) {
            Err(error) if may_split(&error) && is_directory(target) => journal.split(at)?,
            outcome => return outcome,
        }
    }
    move_merging(files, target, staged)?;
    journal.undone(at)
}

/// Deals with every interrupted transaction of an environment. The environment's lock must be held.
pub(crate) fn recover(files: &Files, state_dir: &Path) -> io::Result<Vec<Recovery>> {
    let mut recoveries = Vec::new();
    for folder in pending_folders(state_dir)? {
        recoveries.push(recover_one(files, &folder)?);
    }
    Ok(recoveries)
}

fn recover_one(files: &Files, folder: &Path) -> io::Result<Recovery> {
    let Some((mut journal, state)) = Journal::reopen(folder, files)? else {
        clean_up(files, folder, &[]);
        return Ok(Recovery::Discarded);
    };
    let recovery = match &state.plan {
        _ if state.committed || state.rolled_back => Recovery::CleanedUp,
        None => Recovery::Discarded,
        Some(plan) if plan.last().is_none_or(is_done) => {
            journal.committed()?;
            Recovery::Completed
        }
        Some(plan) => {
            roll_back(files, &mut journal, plan)?;
            Recovery::RolledBack
        }
    };
    drop(journal);
    clean_up(files, folder, &state.areas);
    Ok(recovery)
}

/// Whether an operation has been carried out; asked of the last one, which places the receipt.
fn is_done(operation: &Operation) -> bool {
    match operation {
        Operation::Place { staged, target } => !exists(staged) && exists(target),
        Operation::MakeDirectory { .. }
        | Operation::Stash { .. }
        | Operation::Exchange { .. }
        | Operation::RemoveEmptyDirectory { .. } => false,
    }
}

/// The folders of transactions that have not been cleaned up, oldest name first.
pub(crate) fn pending_folders(state_dir: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match steps::read_dir(state_dir) {
        // Below a file there is no transaction either.
        Err(error) if paths::is_absence(&error) => return Ok(Vec::new()),
        outcome => outcome?,
    };
    let mut folders = Vec::new();
    for entry in entries {
        let entry = entry?;
        let is_transaction = entry
            .file_name()
            .to_str()
            .is_some_and(|name| name.starts_with(FOLDER_PREFIX));
        if is_transaction && entry.file_type()?.is_dir() {
            folders.push(entry.path());
        }
    }
    folders.sort();
    Ok(folders)
}

/// Removes what a transaction leaves; what can't be removed (a file in use) is left to the next
/// run. The journal goes last: it knows the other folders.
pub(crate) fn clean_up(files: &Files, folder: &Path, areas: &[PathBuf]) {
    let outcome = (|| {
        for area in areas {
            files.remove_tree(area)?;
        }
        for entry in fs_err::read_dir(folder)? {
            let entry = entry?;
            if entry.file_name() != journal::FILE_NAME {
                files.remove_tree(&entry.path())?;
            }
        }
        files.remove_tree(folder)
    })();
    // Nothing depends on it: the transaction is over either way.
    drop::<io::Result<()>>(outcome);
}

pub(crate) fn exists(path: &Path) -> bool {
    fs_err::symlink_metadata(path).is_ok()
}

pub(crate) fn is_directory(path: &Path) -> bool {
    fs_err::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir())
}
