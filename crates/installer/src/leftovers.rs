//! What interrupted uninstalls of pip leave behind: folders and files whose first letter is a
//! `~`. Python doesn't see them as distributions, they only take room and cause warnings.

use std::io;
use std::path::{Path, PathBuf};

use crate::TransactionError;
use crate::lock::EnvironmentLock;
use crate::options::Progress;
use crate::paths;

/// Something that an interrupted uninstall left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// The folder or file.
    pub path: PathBuf,
    /// What it takes on disk.
    pub size_bytes: u64,
}

/// The remains in these library folders, by path. Folders that don't exist are passed over.
///
/// # Errors
///
/// When a folder is there but can't be listed.
pub fn leftovers(library_dirs: &[PathBuf]) -> io::Result<Vec<Leftover>> {
    let mut found = Vec::new();
    for folder in library_dirs {
        if !folder.is_dir() {
            continue;
        }
        for entry in fs_err::read_dir(folder)? {
            let entry = entry?;
            if !is_leftover(&entry.file_name().to_string_lossy()) {
                continue;
            }
            let path = entry.path();
            let size_bytes = size_of(&path);
            found.push(Leftover { path, size_bytes });
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found.dedup();
    Ok(found)
}

/// `~orch`, `~~rch`: pip replaces the first letters. A lone `~` is somebody's own.
fn is_leftover(name: &str) -> bool {
    name.strip_prefix('~')
        .is_some_and(|rest| rest.contains(|c: char| c.is_ascii_alphanumeric()))
}

/// Links count as themselves: what they point to isn't removed either.
fn size_of(path: &Path) -> u64 {
    let Ok(found) = fs_err::symlink_metadata(path) else {
        return 0;
    };
    if !found.is_dir() {
        return found.len();
    }
    let entries = fs_err::read_dir(path).into_iter().flatten().flatten();
    entries.map(|entry| size_of(&entry.path())).sum()
}

/// Removes remains, under the environment's lock. They belong to no distribution, so nothing has
/// to be taken back if it is interrupted: what is left is still a leftover.
///
/// # Errors
///
/// When the lock can't be taken or a file is in use.
pub fn remove_leftovers(
    state_dir: &Path,
    leftovers: &[Leftover],
    progress: &dyn Progress,
) -> Result<(), TransactionError> {
    let state_dir = paths::resolve(state_dir);
    let locking = |source| TransactionError::Lock {
        state_dir: state_dir.clone(),
        source,
    };
    fs_err::create_dir_all(&state_dir).map_err(locking)?;
    let _lock =
        EnvironmentLock::acquire(&state_dir, || progress.waiting_for_lock()).map_err(locking)?;
    for leftover in leftovers {
        let path = &leftover.path;
        let is_folder = fs_err::symlink_metadata(path).is_ok_and(|found| found.is_dir());
        let removed = if is_folder {
            fs_err::remove_dir_all(path)
        } else {
            fs_err::remove_file(path)
        };
        match removed {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            outcome => outcome.map_err(|source| TransactionError::Leftover {
                path: path.clone(),
                source,
            })?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pip_left_is_found_with_its_size_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("library");
        fs_err::create_dir_all(library.join("~orch/lib")).unwrap();
        fs_err::write(library.join("~orch/lib/big.so"), [0; 100]).unwrap();
        fs_err::write(library.join("~ix.py"), [0; 7]).unwrap();
        for own in ["~", "torch~", "torch"] {
            fs_err::write(library.join(own), "").unwrap();
        }
        let folders = [library.clone(), folder.path().join("none"), library.clone()];
        let found = leftovers(&folders).unwrap();
        let sizes: Vec<u64> = found.iter().map(|leftover| leftover.size_bytes).collect();
        assert_eq!(sizes, [7, 100]);
        remove_leftovers(&folder.path().join("state"), &found, &()).unwrap();
        assert_eq!(leftovers(&folders).unwrap(), []);
        assert!(library.join("~").exists());
    }
}
