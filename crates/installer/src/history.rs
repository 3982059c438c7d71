//! Where receipts are kept: a folder for each environment among the user's own files, so that an
//! environment holds nothing but what was installed. Where the user has none that can be written
//! they are kept in the environment's state folder, and stay there.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sha2::{Digest as _, Sha256};

use crate::environment::Environment;
use crate::paths;
use crate::receipt::{Receipt, ReceiptError};

/// The folder of the receipts within the state folder.
const IN_STATE: &str = "receipts";

/// The file that says whose receipts a folder has.
const OWNER: &str = "environment";

/// How long receipts are kept whose environment isn't there.
const KEPT_WITHOUT_ENVIRONMENT: Duration = Duration::from_hours(90 * 24);

/// Where the receipts of one environment are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// The environment: its prefix, or where it has none of its own its library.
    environment: PathBuf,
    /// The folder among the user's own files; `None` without a home.
    folder: Option<PathBuf>,
    /// When the environment was made, where that is known. What is older is that of another one,
    /// which was at the same path before.
    since: Option<SystemTime>,
}

impl History {
    /// The history of what is installed in `environment`, within `parent`, which has those of all of
    /// a user's environments; without it the environment has its own. `marker` is a file that is
    /// made with the environment, such as `pyvenv.cfg`.
    pub fn of(environment: &Path, marker: Option<&Path>, parent: Option<&Path>) -> Self {
        let environment = paths::resolve(environment);
        let digest = Sha256::digest(paths::key(&environment).as_os_str().as_encoded_bytes());
        let key = digest.first_chunk().map_or(0, |it| u64::from_be_bytes(*it));
        Self {
            folder: parent.map(|parent| parent.join(format!("{key:016x}"))),
            since: marker.and_then(made),
            environment,
        }
    }

    /// The user's folder for it, made if need be; `None` where there can be none.
    fn open(&self) -> Option<&Path> {
        let folder = self.folder.as_deref()?;
        self.create(folder).is_ok().then_some(folder)
    }

    /// Makes the folder, with what tells whose it is. That is written each time, which tells
    /// whether it can be: after a `sudo` the folder may be another user's.
    fn create(&self, folder: &Path) -> io::Result<()> {
        if !folder.is_dir() {
            fs_err::create_dir_all(folder)?;
            if let Some(parent) = folder.parent() {
                // Nobody asks for them; what is left is tried again the next time.
                drop::<io::Result<()>>(remove_abandoned(parent));
            }
        }
        let environment = self.environment.as_os_str().as_encoded_bytes();
        fs_err::write(folder.join(OWNER), environment)
    }

    fn is_its_own(&self, receipt: &Receipt) -> bool {
        let since = self
            .since
            .and_then(|since| since.duration_since(UNIX_EPOCH).ok());
        since.is_none_or(|since| receipt.time_unix_s >= since.as_secs())
    }
}

/// When a file was made: an edit gives it a later time of change, a copy a later birth.
fn made(path: &Path) -> Option<SystemTime> {
    let metadata = fs_err::metadata(path).ok()?;
    let times = [metadata.created(), metadata.modified()];
    times.into_iter().flatten().min()
}

/// Removes the receipts of environments that are gone and weren't changed for long. Whether one is
/// gone for good can't be told: its drive may be elsewhere.
fn remove_abandoned(parent: &Path) -> io::Result<()> {
    for entry in fs_err::read_dir(parent)? {
        let folder = entry?.path();
        let file = folder.join(OWNER);
        let Ok(owner) = fs_err::read_to_string(&file) else {
            continue;
        };
        let unchanged = fs_err::metadata(&file)?.modified()?.elapsed();
        if unchanged.is_ok_and(|it| it > KEPT_WITHOUT_ENVIRONMENT) && !Path::new(&owner).exists() {
            fs_err::remove_dir_all(&folder)?;
        }
    }
    Ok(())
}

/// The receipts of an environment, oldest first.
///
/// # Errors
///
/// When the folder can't be read or a file is no receipt.
pub fn receipts(environment: &Environment) -> Result<Vec<Receipt>, ReceiptError> {
    let Some(history) = &environment.history else {
        return Ok(Vec::new());
    };
    let Some(folder) = in_state(environment).or_else(|| history.folder.clone()) else {
        return Ok(Vec::new());
    };
    let mut receipts = Vec::new();
    for number in numbers(&folder)? {
        receipts.push(read(&path(&folder, number))?);
    }
    receipts.retain(|receipt| history.is_its_own(receipt));
    Ok(receipts)
}

/// The folder that an environment's next receipt goes to, made if need be, and the number that it
/// takes. `None` where no history is kept.
pub(crate) fn prepare(environment: &Environment) -> io::Result<Option<(PathBuf, u32)>> {
    let Some(history) = &environment.history else {
        return Ok(None);
    };
    let folder = in_state(environment).or_else(|| history.open().map(Path::to_path_buf));
    let folder = if let Some(folder) = folder {
        folder
    } else {
        let folder = environment.state_dir.join(IN_STATE);
        fs_err::create_dir_all(&folder)?;
        folder
    };
    let mut numbers = numbers(&folder)?;
    // Another environment's are older than all of this one's.
    let is_anothers = |number: &&u32| {
        read(&path(&folder, **number)).is_ok_and(|receipt| !history.is_its_own(&receipt))
    };
    let others = numbers.iter().take_while(is_anothers).count();
    for number in numbers.drain(..others) {
        fs_err::remove_file(path(&folder, number))?;
    }
    let next = numbers.last().map_or(1, |last| last.saturating_add(1));
    // As the transaction has its own paths: its files go there by a rename where that can be.
    Ok(Some((paths::resolve(&folder), next)))
}

pub(crate) fn path(folder: &Path, number: u32) -> PathBuf {
    folder.join(format!("{number:04}.json"))
}

/// The folder in the environment, if it is there that its receipts are kept.
fn in_state(environment: &Environment) -> Option<PathBuf> {
    let folder = environment.state_dir.join(IN_STATE);
    folder.is_dir().then_some(folder)
}

fn read(path: &Path) -> Result<Receipt, ReceiptError> {
    let text = fs_err::read(path)?;
    serde_json::from_slice(&text).map_err(|source| ReceiptError::Parse {
        path: path.to_path_buf(),
        source,
    })
}

fn numbers(folder: &Path) -> io::Result<Vec<u32>> {
    let folder = match fs_err::read_dir(folder) {
        Err(error) if paths::is_absence(&error) => return Ok(Vec::new()),
        outcome => outcome?,
    };
    let mut numbers = Vec::new();
    for entry in folder {
        let name = entry?.file_name();
        let number: Option<u32> = name
            .to_str()
            .and_then(|name| name.strip_suffix(".json"))
            .and_then(|stem| stem.parse().ok());
        numbers.extend(number);
    }
    numbers.sort_unstable();
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_of_environments_that_are_gone_goes_in_time() {
        let root = tempfile::tempdir().unwrap();
        let parent = root.path().join("history");
        let folder_of = |name: &str| {
            let environment = root.path().join(name);
            fs_err::create_dir_all(&environment).unwrap();
            let history = History::of(&environment, None, Some(&parent));
            history.open().unwrap().to_path_buf()
        };
        let (there, gone, lately) = (folder_of("there"), folder_of("gone"), folder_of("lately"));
        for name in ["gone", "lately"] {
            fs_err::remove_dir_all(root.path().join(name)).unwrap();
        }
        let long_ago = SystemTime::now() - KEPT_WITHOUT_ENVIRONMENT - Duration::from_mins(1);
        for folder in [&there, &gone] {
            let mut options = fs_err::OpenOptions::new();
            let file = options.write(true).open(folder.join(OWNER)).unwrap();
            file.file().set_modified(long_ago).unwrap();
        }
        let new = folder_of("new");
        assert!(!gone.exists());
        for folder in [there, lately, new] {
            assert!(folder.join(OWNER).exists(), "{}", folder.display());
        }
    }
}
