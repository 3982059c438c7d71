//! Why a transaction changed nothing.

use std::io;
use std::path::PathBuf;

use crate::launcher::LauncherError;
use crate::removal::RemovalError;
use crate::wheel::WheelError;

/// Why an environment was not changed.
#[derive(Debug, thiserror::Error)]
pub enum TransactionError {
    /// bnbpip's own folder in the environment can't be made or the lock not be taken.
    #[error("Failed to lock the environment in `{state_dir}`")]
    Lock {
        /// The folder.
        state_dir: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// An interrupted transaction could not be dealt with.
    #[error("Failed to recover the interrupted change in `{state_dir}`")]
    Recover {
        /// The folder.
        state_dir: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// What an interrupted uninstall left behind can't be removed.
    #[error("Failed to remove `{path}`")]
    Leftover {
        /// The folder or file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A wheel is not installable.
    #[error(transparent)]
    Wheel(#[from] WheelError),
    /// A Windows script could not be made.
    #[error(transparent)]
    Launcher(#[from] LauncherError),
    /// A distribution is not removable.
    #[error(transparent)]
    Removal(#[from] RemovalError),
    /// A wheel's files could not be prepared.
    #[error("Failed to prepare wheel `{wheel}`")]
    Stage {
        /// The wheel.
        wheel: String,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The changes could not be worked out.
    #[error("Failed to prepare the changes")]
    Plan {
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A volume has no room left; the environment is as it was.
    #[error(
        "Failed to write below `{folder}`: no space left on its volume, and the change needs {needed_bytes} bytes there"
    )]
    DiskFull {
        /// A folder on the volume.
        folder: PathBuf,
        /// The bytes of all files of the wheels so far.
        needed_bytes: u64,
        /// What failed for it.
        #[source]
        source: Box<TransactionError>,
    },
    /// A file of another package is in the way.
    #[error("Failed to install `{wheel}`: it would overwrite `{path}`, which belongs to `{owner}`")]
    Clobber {
        /// The file.
        path: PathBuf,
        /// The package that would be installed.
        wheel: String,
        /// The package that owns the file.
        owner: String,
    },
    /// A program uses a library or a program that would be replaced or removed.
    #[error("Failed to change `{path}`: it is in use by {holders}")]
    InUse {
        /// The file.
        path: PathBuf,
        /// The programs, in words.
        holders: String,
    },
    /// A path would be longer than programs can open.
    #[error(
        "Failed to install `{wheel}`: `{path}` has {length} characters, and Windows is set to allow {limit}"
    )]
    PathTooLong {
        /// The wheel.
        wheel: String,
        /// The path.
        path: PathBuf,
        /// Its length, in UTF-16 units.
        length: usize,
        /// What is allowed.
        limit: usize,
    },
    /// A folder stands where a file is to go, or the reverse.
    #[error("Failed to install to `{path}`: something that no package owns is in the way")]
    InTheWay {
        /// The path.
        path: PathBuf,
    },
    /// A change failed; all of them were taken back.
    #[error("Failed to change the environment; it is as it was")]
    RolledBack {
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A change failed, and so did taking the others back.
    #[error(
        "Failed to change the environment and to take the change back ({second}); the next bnbpip command tries again"
    )]
    Stuck {
        /// The cause of the first failure.
        #[source]
        source: io::Error,
        /// The cause of the second, as text.
        second: String,
    },
}

impl TransactionError {
    /// Whether it comes from a volume, or a user's share of it, that is full.
    pub(crate) fn is_disk_full(&self) -> bool {
        self.comes_from(&[io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded])
    }

    /// Whether one of the causes is of such a kind.
    fn comes_from(&self, kinds: &[io::ErrorKind]) -> bool {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(self);
        while let Some(error) = cause {
            let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
            if kind.is_some_and(|kind| kinds.contains(&kind)) {
                return true;
            }
            cause = error.source();
        }
        false
    }

    /// What the user can do, in a sentence.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Removal(error) => error.hint(),
            Self::Clobber { owner, .. } => {
                Some(format!("Uninstall `{owner}` first if you don't need both"))
            }
            Self::Leftover { .. } => {
                Some("Close the programs that use this environment and try again".to_string())
            }
            Self::DiskFull { folder, .. } => Some(format!(
                "Make room on the volume of `{}`, then run the same command again",
                folder.display()
            )),
            Self::InUse { .. } => Some("Close it and run the same command again".to_string()),
            Self::PathTooLong { .. } => Some(
                "Turn long paths on, as administrator: `reg add \
                 HKLM\\SYSTEM\\CurrentControlSet\\Control\\FileSystem /v LongPathsEnabled \
                 /t REG_DWORD /d 1 /f`; or make the environment in a shorter path"
                    .to_string(),
            ),
            Self::InTheWay { path } => Some(format!("Move `{}` away", path.display())),
            _ if self.comes_from(&[io::ErrorKind::PermissionDenied]) => Some(
                "You may not write there: use an environment of your own, as `bnbpip venv` makes \
                 it, or ask whoever may write there"
                    .to_string(),
            ),
            _ if self.comes_from(&[io::ErrorKind::CrossesDevices]) => Some(
                "A folder of the environment lies on another volume, or is mounted on its own, \
                 perhaps for reading alone: a change is made by renames within one volume, so use \
                 an environment that lies on one, as `bnbpip venv` makes it"
                    .to_string(),
            ),
            _ if self.comes_from(&[io::ErrorKind::ReadOnlyFilesystem]) => Some(
                "The file system is mounted for reading alone: use an environment elsewhere, as \
                 `bnbpip venv` makes it"
                    .to_string(),
            ),
            _ => None,
        }
    }
}
