//! The lock on an environment: one bnbpip at a time changes it. The system drops the lock with
//! the process, so that a crashed holder blocks nobody.
//!
//! Its file goes with the last holder where nothing else was kept. It is removed while it is
//! locked, so that whoever waits for it has the lock on a file without a name, sees that, and begins
//! again. Windows, too, lets a file be removed that others have open: either its name goes at once,
//! or nobody can open it from then on and it goes when the last of them has closed it.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The file's name in the state folder.
const FILE_NAME: &str = "lock";

/// A held lock; released when dropped. Where nothing but the lock is in the state folder by then,
/// both go: who was given nothing to keep leaves nothing behind.
#[derive(Debug)]
pub(crate) struct EnvironmentLock {
    /// Before the folder: it is closed by the time that the folder is looked at.
    file: fs_err::File,
    state_dir: StateDir,
}

/// The state folder; goes when it is empty.
#[derive(Debug)]
struct StateDir(PathBuf);

impl Drop for StateDir {
    fn drop(&mut self) {
        // Only an empty one can be removed. Who was about to put a lock into it makes it anew.
        let removed = fs_err::remove_dir(&self.0);
        drop(removed);
    }
}

impl EnvironmentLock {
    fn new(file: fs_err::File, state_dir: &Path) -> Self {
        let state_dir = StateDir(state_dir.to_path_buf());
        Self { file, state_dir }
    }

    /// Takes the lock, making the state folder if need be and calling `waiting` once if another
    /// process holds it.
    pub(crate) fn acquire(state_dir: &Path, waiting: impl FnOnce()) -> io::Result<Self> {
        let mut waiting = Some(waiting);
        loop {
            match patiently(|| fs_err::create_dir_all(state_dir)) {
                // It was there, and the last holder removed it before it could be looked at.
                Err(error)
                    if error.kind() == io::ErrorKind::AlreadyExists && !is_other(state_dir) =>
                {
                    continue;
                }
                outcome => outcome?,
            }
            let opened = open(&state_dir.join(FILE_NAME));
            let file = match opened {
                // The last holder has just removed the folder.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                outcome => outcome?,
            };
            lock(&file, &mut waiting)?;
            // A holder that removed the file has left this process with a lock on nothing.
            if is_same_file(&file, &state_dir.join(FILE_NAME)) {
                return Ok(Self::new(file, state_dir));
            }
        }
    }

    /// Takes the lock if nobody holds it, and the state folder is there.
    pub(crate) fn try_acquire(state_dir: &Path) -> io::Result<Option<Self>> {
        let path = state_dir.join(FILE_NAME);
        let file = match open(&path) {
            // Whoever was at work has just gone, and kept nothing.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            outcome => outcome?,
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Ok(None),
            Err(std::fs::TryLockError::Error(error))
                if error.kind() == io::ErrorKind::Unsupported => {}
            Err(std::fs::TryLockError::Error(error)) => return Err(error),
        }
        Ok(is_same_file(&file, &path).then(|| Self::new(file, state_dir)))
    }

    /// Whether the state folder holds the lock and nothing else.
    fn is_alone(&self) -> bool {
        fs_err::read_dir(&self.state_dir.0).is_ok_and(|mut entries| {
            entries.all(|entry| entry.is_ok_and(|entry| entry.file_name() == FILE_NAME))
        })
    }
}

impl Drop for EnvironmentLock {
    fn drop(&mut self) {
        if self.is_alone() && is_same_file(&self.file, self.file.path()) {
            // Who waits for it finds it gone, and makes it anew.
            let removed = fs_err::remove_file(self.file.path());
            drop(removed);
        }
    }
}

/// Opens the lock's file, or makes it.
fn open(path: &Path) -> io::Result<fs_err::File> {
    patiently(|| {
        fs_err::OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
    })
}

/// How long Windows may deny access to what was removed and that somebody still has open.
const REMOVAL_PATIENCE: Duration = Duration::from_secs(2);

/// Tries again where Windows denies access: it tells a file or folder that is about to go no
/// better from one that is another user's.
fn patiently<T>(attempt: impl Fn() -> io::Result<T>) -> io::Result<T> {
    let begun = Instant::now();
    loop {
        match attempt() {
            Err(error)
                if cfg!(windows)
                    && error.kind() == io::ErrorKind::PermissionDenied
                    && begun.elapsed() < REMOVAL_PATIENCE =>
            {
                std::thread::sleep(Duration::from_millis(5));
            }
            outcome => return outcome,
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
fn is_same_file(file: &fs_err::File, path: &Path) -> bool {
    use same_file::Handle;
    let open = file
        .try_clone()
        .and_then(|file| Handle::from_file(file.into_file()));
    match (open, Handle::from_path(path)) {
        (Ok(open), Ok(named)) => open == named,
        // It was removed, and is gone or about to go.
        (_, Err(error)) => !matches!(
            error.kind(),
            io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied
        ),
        // The file system can't tell.
        (Err(_), Ok(_)) => true,
    }
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
        assert!(!state_dir.exists());
        let held = EnvironmentLock::acquire(state_dir, || ()).unwrap();
        fs_err::write(state_dir.join("receipt"), "").unwrap();
        drop(held);
        assert!(state_dir.join(FILE_NAME).exists());
    }
}
