//! Bringing a stored file into the environment's file system: as a copy-on-write clone, a hard
//! link, or a copy, whichever the file system can.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use crate::steps::Files;

/// How files come from the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LinkMode {
    /// The best that works: clone, else hard link, else copy.
    #[default]
    Auto,
    /// Copy-on-write clones, or copies where there are none.
    Clone,
    /// Hard links, or copies where there are none.
    Hardlink,
    /// Copies.
    Copy,
}

const CLONE: u8 = 0;
const HARDLINK: u8 = 1;
const COPY: u8 = 2;

/// Links files, and remembers what the file system refused.
pub(crate) struct Linker {
    files: Files,
    best: AtomicU8,
    fallback: u8,
    crossed: AtomicBool,
}

impl Linker {
    pub(crate) fn new(files: Files, mode: LinkMode) -> Self {
        let (best, fallback) = match mode {
            LinkMode::Auto => (CLONE, HARDLINK),
            LinkMode::Clone => (CLONE, COPY),
            LinkMode::Hardlink => (HARDLINK, COPY),
            LinkMode::Copy => (COPY, COPY),
        };
        Self {
            files,
            best: AtomicU8::new(best),
            fallback,
            crossed: AtomicBool::new(false),
        }
    }

    /// Whether files were copied for lying on another volume than the store.
    pub(crate) fn has_crossed(&self) -> bool {
        self.crossed.load(Ordering::Relaxed)
    }

    /// Whether links share the store's inode, and with it the mode.
    pub(crate) fn shares_inodes(&self) -> bool {
        self.best.load(Ordering::Relaxed) == HARDLINK
            || self.best.load(Ordering::Relaxed) == CLONE && self.fallback == HARDLINK
    }

    /// Links a file to a path that must be free.
    pub(crate) fn link(&self, from: &Path, to: &Path, executable: bool) -> io::Result<()> {
        loop {
            let mode = self.best.load(Ordering::Relaxed);
            let outcome = match mode {
                CLONE => self.files.reflink(from, to),
                HARDLINK => self.files.hard_link(from, to),
                _ => return self.copy(from, to, executable),
            };
            match outcome {
                Ok(()) if mode == CLONE => return set_executable(to, executable),
                Ok(()) => return Ok(()),
                Err(error) if is_exhausted(&error) => return self.copy(from, to, executable),
                Err(error) if is_fatal(&error) => return Err(error),
                Err(error) => {
                    let next = if mode == CLONE { self.fallback } else { COPY };
                    if next == COPY && error.kind() == io::ErrorKind::CrossesDevices {
                        self.crossed.store(true, Ordering::Relaxed);
                    }
                    // Another thread may have stepped down already; stepping twice would skip.
                    let _ = self.best.compare_exchange(
                        mode,
                        next,
                        Ordering::Relaxed,
                        Ordering::Relaxed,
                    );
                }
            }
        }
    }

    /// Copies a file whatever the mode: for one that needs its own inode.
    pub(crate) fn copy(&self, from: &Path, to: &Path, executable: bool) -> io::Result<()> {
        self.files.copy(from, to)?;
        set_executable(to, executable)
    }
}

/// Whether this one file can't be linked again, though others can: it has as many links as an
/// inode can count.
fn is_exhausted(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::TooManyLinks
}

/// Whether a copy would fail in the same way.
fn is_fatal(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound
            | io::ErrorKind::AlreadyExists
            | io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::Interrupted
    )
}

/// Adds the executable bits to a new file: every one that the read bits of its default mode
/// stand beside.
#[cfg(unix)]
pub(crate) fn set_executable(path: &Path, executable: bool) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    if !executable {
        return Ok(());
    }
    let mut permissions = fs_err::metadata(path)?.permissions();
    permissions.set_mode(permissions.mode() | 0o111);
    fs_err::set_permissions(path, permissions)
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "its Unix twin can fail")]
pub(crate) fn set_executable(_path: &Path, _executable: bool) -> io::Result<()> {
    Ok(())
}

/// Whether a stored file's mode is what a new file's would be here, the write bits aside (a
/// store may take those away). `default_mode` is that of a file just made, so the umask is in it.
#[cfg(unix)]
pub(crate) fn mode_fits(stored: &Path, default_mode: u32, executable: bool) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs_err::metadata(stored)?.permissions().mode() & 0o777;
    let wanted = if executable {
        default_mode | 0o111
    } else {
        default_mode
    };
    Ok(mode & !0o222 == wanted & 0o777 & !0o222)
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "its Unix twin can fail")]
pub(crate) fn mode_fits(_stored: &Path, _default_mode: u32, _executable: bool) -> io::Result<bool> {
    Ok(true)
}

/// The permission bits of a file.
#[cfg(unix)]
pub(crate) fn mode_of(path: &Path) -> io::Result<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(fs_err::metadata(path)?.permissions().mode() & 0o777)
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "its Unix twin can fail")]
pub(crate) fn mode_of(_path: &Path) -> io::Result<u32> {
    Ok(0o644)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn falls_back_until_something_works() {
        let folder = tempfile::tempdir().unwrap();
        let from = folder.path().join("from");
        fs_err::write(&from, "x").unwrap();
        for (number, mode) in [
            LinkMode::Auto,
            LinkMode::Clone,
            LinkMode::Hardlink,
            LinkMode::Copy,
        ]
        .into_iter()
        .enumerate()
        {
            let linker = Linker::new(Files::default(), mode);
            let to = folder.path().join(format!("to{number}"));
            linker.link(&from, &to, false).unwrap();
            assert_eq!(fs_err::read_to_string(&to).unwrap(), "x");
            assert_eq!(
                linker.link(&from, &to, false).unwrap_err().kind(),
                io::ErrorKind::AlreadyExists
            );
        }
    }

    /// A disk on which no link leads from one volume to the other.
    struct TwoVolumes;

    impl crate::StepHook for TwoVolumes {
        fn before(&self, step: crate::Step<'_>) -> io::Result<()> {
            match step {
                crate::Step::Link(_, to) if to.ends_with("linked") => {
                    Err(io::ErrorKind::CrossesDevices.into())
                }
                _ => Ok(()),
            }
        }
    }

    #[test]
    fn copies_across_volumes_are_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let from = folder.path().join("from");
        fs_err::write(&from, "x").unwrap();
        for (mode, crossed) in [(LinkMode::Auto, true), (LinkMode::Copy, false)] {
            let files = Files::new(Some(std::sync::Arc::new(TwoVolumes)), None);
            let linker = Linker::new(files, mode);
            // The copy is refused in the same way: the error is that of the last thing tried.
            linker
                .link(&from, &folder.path().join("linked"), false)
                .unwrap_err();
            assert_eq!(linker.has_crossed(), crossed, "{mode:?}");
        }
        let linker = Linker::new(Files::default(), LinkMode::Auto);
        linker
            .link(&from, &folder.path().join("near"), false)
            .unwrap();
        assert!(!linker.has_crossed());
    }

    #[cfg(unix)]
    #[test]
    fn copies_get_executable_bits() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs_err::write(&from, "x").unwrap();
        let default = mode_of(&from).unwrap();
        Linker::new(Files::default(), LinkMode::Copy)
            .link(&from, &to, true)
            .unwrap();
        assert_eq!(mode_of(&to).unwrap(), default | 0o111);
        assert!(mode_fits(&to, default, true).unwrap());
        assert!(!mode_fits(&to, default, false).unwrap());
    }
}
