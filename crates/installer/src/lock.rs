//! The lock on an environment: one bnbpip at a time changes it. The system drops the lock with
//! the process, so that a crashed holder blocks nobody.

use std::io;
use std::path::Path;

/// A held lock; released when dropped.
#[derive(Debug)]
pub(crate) struct EnvironmentLock {
    _file: fs_err::File,
}

impl EnvironmentLock {
    /// Takes the lock, calling `waiting` once if another process holds it.
    pub(crate) fn acquire(state_dir: &Path, waiting: impl FnOnce()) -> io::Result<Self> {
        let file = fs_err::OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(state_dir.join("lock"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => {
                waiting();
                file.lock()?;
            }
            // Some network file systems know no locks; one user at a time is then up to the users.
            Err(std::fs::TryLockError::Error(error))
                if error.kind() == io::ErrorKind::Unsupported => {}
            Err(std::fs::TryLockError::Error(error)) => return Err(error),
        }
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_second_holder_waits_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let first = EnvironmentLock::acquire(folder.path(), || panic!("free")).unwrap();
        let (sender, receiver) = mpsc::channel();
        let path = folder.path().to_path_buf();
        let second = std::thread::spawn(move || {
            EnvironmentLock::acquire(&path, || sender.send(()).unwrap()).unwrap();
        });
        receiver.recv().unwrap();
        drop(first);
        second.join().unwrap();
    }
}
