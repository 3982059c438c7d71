//! Every operation that changes the disk, in one place, so that a test can stop the world
//! before any of them ([`StepHook`]).

use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rayon::prelude::*;

use crate::in_use::{self, FileHolders, SystemHolders};

/// A change to the disk which is about to be made.
#[derive(Debug, Clone, Copy)]
pub enum Step<'a> {
    /// A folder is created.
    CreateDirectory(&'a Path),
    /// A file is linked or copied.
    Link(&'a Path, &'a Path),
    /// A file is written.
    Write(&'a Path),
    /// A file or folder is renamed.
    Rename(&'a Path, &'a Path),
    /// Two folders change places.
    Exchange(&'a Path, &'a Path),
    /// A file is removed.
    RemoveFile(&'a Path),
    /// An empty folder is removed.
    RemoveDirectory(&'a Path),
    /// A file's or folder's content is forced to the disk.
    Sync(&'a Path),
}

/// Fault injection: asked before every step. An error takes the step's place.
pub trait StepHook: Send + Sync {
    /// Lets the step pass, or fails it.
    ///
    /// # Errors
    ///
    /// The error that the step is to fail with.
    fn before(&self, step: Step<'_>) -> io::Result<()>;
}

/// The disk, with the hook that may fail its operations, and who knows what holds a file.
#[derive(Clone)]
pub(crate) struct Files {
    hook: Option<Arc<dyn StepHook>>,
    pub(crate) holders: Arc<dyn FileHolders>,
}

impl Default for Files {
    fn default() -> Self {
        Self::new(None, None)
    }
}

/// Delays between attempts of what something else holds up, in milliseconds: virus scanners and
/// indexers keep fresh files open for moments.
const DELAYS_MS: [u64; 8] = [5, 10, 20, 40, 80, 160, 320, 640];

impl Files {
    pub(crate) fn new(
        hook: Option<Arc<dyn StepHook>>,
        holders: Option<Arc<dyn FileHolders>>,
    ) -> Self {
        Self {
            hook,
            holders: holders.unwrap_or_else(|| Arc::new(SystemHolders)),
        }
    }

    fn before(&self, step: Step<'_>) -> io::Result<()> {
        match &self.hook {
            Some(hook) => hook.before(step),
            None => Ok(()),
        }
    }

    pub(crate) fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.before(Step::CreateDirectory(path))?;
        fs_err::create_dir(path)
    }

    /// Creates a folder and its parents; one that is there is fine.
    pub(crate) fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.before(Step::CreateDirectory(path))?;
        fs_err::create_dir_all(path)
    }

    /// Writes a file that must not be there yet.
    pub(crate) fn write_new(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        self.before(Step::Write(path))?;
        let mut file = fs_err::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(path)?;
        file.write_all(content)
    }

    pub(crate) fn append(&self, file: &mut fs_err::File, content: &[u8]) -> io::Result<()> {
        self.before(Step::Write(file.path()))?;
        file.write_all(content)
    }

    pub(crate) fn sync(&self, file: &fs_err::File) -> io::Result<()> {
        self.before(Step::Sync(file.path()))?;
        file.sync_data()
    }

    /// Forces a folder's entries to the disk, where the platform can.
    pub(crate) fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.before(Step::Sync(path))?;
        if cfg!(unix) {
            fs_err::File::open(path)?.sync_all()
        } else {
            Ok(())
        }
    }

    pub(crate) fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.before(Step::Link(from, to))?;
        fs_err::hard_link(from, to)
    }

    pub(crate) fn reflink(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.before(Step::Link(from, to))?;
        reflink_copy::reflink(from, to)
    }

    /// Copies content alone: mode and times are those of a new file.
    pub(crate) fn copy(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.before(Step::Link(from, to))?;
        let mut source = fs_err::File::open(from)?;
        let mut target = fs_err::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(to)?;
        io::copy(source.file_mut(), target.file_mut()).map(|_| ())
    }

    /// Renames a file for good or not at all: the error says which program held it.
    pub(crate) fn rename_file(&self, from: &Path, to: &Path) -> io::Result<()> {
        match self.rename(from, to) {
            Err(error) if is_transient(&error) => {
                Err(in_use::explained(error, from, &*self.holders))
            }
            outcome => outcome,
        }
    }

    /// Renames, with patience for sharing violations.
    pub(crate) fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        patiently(|| {
            self.before(Step::Rename(from, to))?;
            rename_once(from, to)
        })
    }

    /// Lets two folders change places, where the system can.
    pub(crate) fn exchange(&self, one: &Path, other: &Path) -> io::Result<()> {
        self.before(Step::Exchange(one, other))?;
        exchange(one, other)
    }

    pub(crate) fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.before(Step::RemoveFile(path))?;
        remove_read_only(path, |path| fs_err::remove_file(path))
    }

    pub(crate) fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.before(Step::RemoveDirectory(path))?;
        remove_read_only(path, |path| fs_err::remove_dir(path))
    }

    /// Removes a file or a whole tree; links are removed, not followed. One that isn't there is fine.
    pub(crate) fn remove_tree(&self, path: &Path) -> io::Result<()> {
        let metadata = match fs_err::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            outcome => outcome?,
        };
        if !metadata.is_dir() {
            return self.remove_file(path);
        }
        let mut folders = Vec::new();
        for entry in fs_err::read_dir(path)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else {
                self.remove_file(&entry.path())?;
            }
        }
        folders
            .par_iter()
            .try_for_each(|folder| self.remove_tree(folder))?;
        self.remove_dir(path)
    }
}

/// Removes, on Windows also what is marked read-only: the mark would keep a file or folder there.
fn remove_read_only(path: &Path, remove: impl Fn(&Path) -> io::Result<()>) -> io::Result<()> {
    match remove(path) {
        #[cfg(windows)]
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let mut permissions = fs_err::symlink_metadata(path)?.permissions();
            #[expect(
                clippy::permissions_set_readonly_false,
                reason = "on Windows it clears one attribute and opens nothing to others"
            )]
            permissions.set_readonly(false);
            fs_err::set_permissions(path, permissions)?;
            remove(path)
        }
        outcome => outcome,
    }
}

/// Tries again what something else holds up for a moment.
fn patiently<T>(attempt: impl Fn() -> io::Result<T>) -> io::Result<T> {
    let mut delays = DELAYS_MS.iter();
    loop {
        match (attempt(), delays.next()) {
            (Err(error), Some(delay)) if is_transient(&error) => {
                std::thread::sleep(Duration::from_millis(*delay));
            }
            (outcome, _) => return outcome,
        }
    }
}

/// Lists a folder, with patience: Windows opens none that another process is about to remove.
pub(crate) fn read_dir(path: &Path) -> io::Result<std::fs::ReadDir> {
    patiently(|| {
        #[expect(clippy::disallowed_methods, reason = "the path is added below")]
        std::fs::read_dir(path).map_err(|error| {
            let path = path.display();
            io::Error::new(
                kind(&error),
                format!("failed to read directory `{path}`: {error}"),
            )
        })
    })
}

/// One rename.
fn rename_once(from: &Path, to: &Path) -> io::Result<()> {
    #[expect(clippy::disallowed_methods, reason = "the paths are added below")]
    std::fs::rename(from, to).map_err(|error| rename_failed(&error, from, to))
}

fn rename_failed(error: &io::Error, from: &Path, to: &Path) -> io::Error {
    let (from, to) = (from.display(), to.display());
    io::Error::new(
        kind(error),
        format!("failed to rename `{from}` to `{to}`: {error}"),
    )
}

/// The error's kind. A sharing or lock violation of Windows has none of its own, and `fs_err` would
/// hide its number.
fn kind(error: &io::Error) -> io::ErrorKind {
    match error.raw_os_error() {
        Some(32 | 33) if cfg!(windows) => io::ErrorKind::ResourceBusy,
        _ => error.kind(),
    }
}

#[cfg(target_os = "linux")]
fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).map_err(|error| {
        let error = io::Error::from(error);
        rename_failed(&error, one, other)
    })
}

#[cfg(not(target_os = "linux"))]
fn exchange(_one: &Path, _other: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Whether a moment's wait may cure the error: something holds the file, which Windows may also
/// call a denied access.
pub(crate) fn is_transient(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::ResourceBusy
        || cfg!(windows) && error.kind() == io::ErrorKind::PermissionDenied
}

/// Whether a folder that can't be renamed whole may still be moved file by file: it crosses
/// layers of an overlay file system, or a file in it is open on Windows.
pub(crate) fn may_split(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::CrossesDevices || is_transient(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn violations_are_told_from_other_errors() {
        let failed = |number| {
            let error = io::Error::from_raw_os_error(number);
            rename_failed(&error, Path::new("a"), Path::new("b"))
        };
        // Other systems know these numbers for other things.
        for number in [5, 32, 33] {
            assert_eq!(is_transient(&failed(number)), cfg!(windows), "{number}");
        }
        // What isn't there has one number everywhere.
        let absent = failed(2);
        assert_eq!(absent.kind(), io::ErrorKind::NotFound);
        assert!(
            absent
                .to_string()
                .starts_with("failed to rename `a` to `b`: ")
        );
    }

    #[cfg(windows)]
    #[test]
    fn a_rename_waits_for_whoever_has_the_file_open() {
        use std::os::windows::fs::OpenOptionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs_err::write(&from, "x").unwrap();
        let open = || {
            let mut options = std::fs::OpenOptions::new();
            options.read(true).share_mode(0).open(&from).unwrap()
        };
        let held = open();
        let scanner = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(100));
            drop(held);
        });
        Files::default().rename(&from, &to).unwrap();
        scanner.join().unwrap();
        fs_err::rename(&to, &from).unwrap();

        let held = open();
        let error = Files::default().rename_file(&from, &to).unwrap_err();
        assert!(is_transient(&error) && may_split(&error), "{error}");
        drop(held);
    }

    #[cfg(windows)]
    #[test]
    fn a_listing_waits_for_whoever_is_removing_the_folder() {
        use std::os::windows::fs::OpenOptionsExt as _;
        // Without it Windows opens no folder.
        const BACKUP_SEMANTICS: u32 = 0x0200_0000;
        let folder = tempfile::tempdir().unwrap();
        fs_err::write(folder.path().join("file"), "x").unwrap();
        let mut options = std::fs::OpenOptions::new();
        options.read(true).share_mode(0);
        options.custom_flags(BACKUP_SEMANTICS);
        let held = options.open(folder.path()).unwrap();
        assert!(fs_err::read_dir(folder.path()).is_err());
        let remover = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(100));
            drop(held);
        });
        assert_eq!(read_dir(folder.path()).unwrap().count(), 1);
        remover.join().unwrap();
    }

    #[cfg(windows)]
    #[test]
    fn what_is_read_only_can_be_removed() {
        let folder = tempfile::tempdir().unwrap();
        let tree = folder.path().join("tree");
        fs_err::create_dir_all(tree.join("inner")).unwrap();
        fs_err::write(tree.join("inner").join("file"), "x").unwrap();
        for path in [tree.join("inner").join("file"), tree.join("inner")] {
            let mut permissions = fs_err::metadata(&path).unwrap().permissions();
            permissions.set_readonly(true);
            fs_err::set_permissions(&path, permissions).unwrap();
        }
        Files::default().remove_tree(&tree).unwrap();
        assert!(!tree.exists());
    }
}
