//! The lock on an environment: one bnbpip at a time changes it. The system drops the lock with
//! the process, so that a crashed holder blocks nobody.

use std::io;
use std::path::{Path, PathBuf};

/// The file's name in the state folder.
const FILE_NAME: &str = "lock";

/// A held lock; released when dropped. Where nothing but the lock is in the state folder by then,
/// both go: who was given nothing to keep leaves nothing behind.
#[derive(Debug)]
pub(crate) struct EnvironmentLock {
    file: fs_err::File,
    state_dir: PathBuf,
}

impl EnvironmentLock {
    /// Takes the lock, making the state folder if need be and calling `waiting` once if another
    /// process holds it.
    pub(crate) fn acquire(state_dir: &Path, waiting: impl FnOnce()) -> io::Result<Self> {
        let mut waiting = Some(waiting);
        loop {
            match fs_err::create_dir_all(state_dir) {
                // It was there, and the last holder removed it before it could be looked at.
                Err(error)
                    if error.kind() == io::ErrorKind::AlreadyExists && !is_other(state_dir) =>
                {
                    continue;
                }
                outcome => outcome?,
            }
            let opened = fs_err::OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(state_dir.join(FILE_NAME));
            let file = match opened {
                // The last holder has just removed the folder.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                outcome => outcome?,
            };
            lock(&file, &mut waiting)?;
            // A holder that removed the file has left this process with a lock on nothing.
            if is_same_file(&file, &state_dir.join(FILE_NAME)) {
                let state_dir = state_dir.to_path_buf();
                return Ok(Self { file, state_dir });
            }
        }
    }

    /// Takes the lock if nobody holds it; the state folder must be there.
    pub(crate) fn try_acquire(state_dir: &Path) -> io::Result<Option<Self>> {
        let path = state_dir.join(FILE_NAME);
        let file = fs_err::OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Ok(None),
            Err(std::fs::TryLockError::Error(error))
                if error.kind() == io::ErrorKind::Unsupported => {}
            Err(std::fs::TryLockError::Error(error)) => return Err(error),
        }
        let state_dir = state_dir.to_path_buf();
        Ok(is_same_file(&file, &path).then_some(Self { file, state_dir }))
    }

    /// Whether the state folder holds the lock and nothing else.
    fn is_alone(&self) -> bool {
        fs_err::read_dir(&self.state_dir).is_ok_and(|mut entries| {
            entries.all(|entry| entry.is_ok_and(|entry| entry.file_name() == FILE_NAME))
        })
    }
}

impl Drop for EnvironmentLock {
    fn drop(&mut self) {
        // Elsewhere a file that others have open keeps its name, or its folder.
        if cfg!(unix) && is_same_file(&self.file, self.file.path()) && self.is_alone() {
            // Who waits for it finds it gone, and makes it anew.
            let removed = fs_err::remove_file(self.file.path())
                .and_then(|()| fs_err::remove_dir(&self.state_dir));
            drop(removed);
        }
    }
}

fn lock(file: &fs_err::File, waiting: &mut Option<impl FnOnce()>) -> io::Result<()> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(std::fs::TryLockError::WouldBlock) => {
            if let Some(waiting) = waiting.take() {
                waiting();
            }
            file.lock()
        }
        // Some network file systems know no locks; one user at a time is then up to the users.
        Err(std::fs::TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
            Ok(())
        }
        Err(std::fs::TryLockError::Error(error)) => Err(error),
    }
}

/// Whether something that is no folder stands at the path, or at one above it: to Windows what is
/// below a file is merely absent, as what is below a link that leads nowhere is to all.
fn is_other(state_dir: &Path) -> bool {
    for path in state_dir.ancestors() {
        match fs_err::symlink_metadata(path) {
            Ok(_) => return !fs_err::metadata(path).is_ok_and(|it| it.is_dir()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(_) => return true,
        }
    }
    false
}

/// Whether the open file is the one that the path names.
#[cfg(unix)]
fn is_same_file(file: &fs_err::File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let identity = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), fs_err::metadata(path)) {
        (Ok(open), Ok(named)) => identity(open) == identity(named),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_same_file(_file: &fs_err::File, path: &Path) -> bool {
    path.exists()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
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

    #[test]
    fn a_file_in_the_folders_place_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let state_dir = folder.path().join("state");
        fs_err::write(&state_dir, "").unwrap();
        let error = EnvironmentLock::acquire(&state_dir, || ()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        let below = state_dir.join("lib").join("state");
        assert!(EnvironmentLock::acquire(&below, || ()).is_err());
        #[cfg(unix)]
        {
            let link = folder.path().join("link");
            fs_err::os::unix::fs::symlink(folder.path().join("nowhere"), &link).unwrap();
            assert!(EnvironmentLock::acquire(&link.join("state"), || ()).is_err());
        }
    }

    #[test]
    fn who_keeps_nothing_leaves_nothing_and_still_excludes_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let state_dir = folder.path().join("state");
        let (holders, state_dir) = (&AtomicU32::new(0), &state_dir);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(move || {
                    for _ in 0..50 {
                        let held = EnvironmentLock::acquire(state_dir, || ()).unwrap();
                        assert_eq!(holders.fetch_add(1, Ordering::SeqCst), 0);
                        std::thread::yield_now();
                        holders.fetch_sub(1, Ordering::SeqCst);
                        drop(held);
                    }
                });
            }
        });
        assert_eq!(state_dir.exists(), cfg!(windows));
        let held = EnvironmentLock::acquire(state_dir, || ()).unwrap();
        fs_err::write(state_dir.join("receipt"), "").unwrap();
        drop(held);
        assert!(state_dir.join(FILE_NAME).exists());
    }
}
