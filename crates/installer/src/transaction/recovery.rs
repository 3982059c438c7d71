//! What commands do about transactions that were interrupted, when they don't open one themselves.

use std::io;
use std::path::Path;

use crate::error::TransactionError;
use crate::lock::EnvironmentLock;
use crate::options::Progress;
use crate::paths;
use crate::steps::Files;
use crate::swap::{self, Recovery};

/// Whether an interrupted transaction, or one of another process, is pending: for reporting,
/// without a lock.
///
/// # Errors
///
/// When the state folder is there but can't be listed.
pub fn has_pending(state_dir: &Path) -> io::Result<bool> {
    Ok(!swap::pending_folders(state_dir)?.is_empty())
}

/// Deals with interrupted transactions, if there are any: for commands that only read.
///
/// # Errors
///
/// When the lock can't be taken or a change can neither be finished nor taken back.
pub fn recover(
    state_dir: &Path,
    progress: &dyn Progress,
) -> Result<Vec<Recovery>, TransactionError> {
    let state_dir = paths::resolve(state_dir);
    let recovering = |source| TransactionError::Recover {
        state_dir: state_dir.clone(),
        source,
    };
    if !has_pending(&state_dir).map_err(recovering)? {
        return Ok(Vec::new());
    }
    let _lock =
        EnvironmentLock::acquire(&state_dir, || progress.waiting_for_lock()).map_err(|source| {
            TransactionError::Lock {
                state_dir: state_dir.clone(),
                source,
            }
        })?;
    let recovered = swap::recover(&Files::default(), &state_dir).map_err(recovering)?;
    for recovery in &recovered {
        progress.recovered(*recovery);
    }
    Ok(recovered)
}

/// As [`recover`], for commands that only read: they don't wait for a process that is at work,
/// and read what is there meanwhile.
///
/// # Errors
///
/// When a change can neither be finished nor taken back.
pub fn recover_abandoned(
    state_dir: &Path,
    progress: &dyn Progress,
) -> Result<(), TransactionError> {
    let state_dir = paths::resolve(state_dir);
    let recovering = |source| TransactionError::Recover {
        state_dir: state_dir.clone(),
        source,
    };
    if !has_pending(&state_dir).map_err(recovering)? {
        return Ok(());
    }
    if let Some(_lock) = EnvironmentLock::try_acquire(&state_dir).map_err(recovering)? {
        for recovery in swap::recover(&Files::default(), &state_dir).map_err(recovering)? {
            progress.recovered(recovery);
        }
    }
    Ok(())
}
