//! Reading lock files.

use std::path::{Path, PathBuf};

use bnbpip_lock::{Lock, LockError, MAX_BYTES};
use url::Url;

use super::merging;
use crate::bounded;
use crate::commands::resolve::remote_file;
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::secrets::without_credentials;

/// Reads a lock file. What it has from a later version of the format is told.
///
/// # Errors
/// When it can't be read, or isn't one.
pub(crate) fn read(path: &Path, printer: &Printer) -> Result<Lock, Failure> {
    let shown = path.to_string_lossy();
    parsed(&content(path, &shown)?, &shown, printer)
}

/// A lock's content, and where it came from.
pub(crate) struct LockText {
    bytes: Vec<u8>,
    /// Its name, without credentials.
    shown: String,
    origin: LockOrigin,
}

enum LockOrigin {
    Address(Url),
    /// The folder that holds it.
    Folder(PathBuf),
}

impl LockText {
    /// Reads what is at a path or an address.
    ///
    /// # Errors
    /// When it can't be had.
    pub(crate) fn fetch(file: &str, settings: &Settings) -> Result<Self, Failure> {
        let directory = settings.environment.working_directory();
        let path = match file.parse::<Url>() {
            Ok(url) if ["http", "https"].contains(&url.scheme()) => {
                let shown = without_credentials(file).into_owned();
                let bytes = remote_file::read(&url, settings).map_err(|failure| {
                    failure.context(format!("Failed to read the lock `{shown}`"))
                })?;
                return Ok(Self {
                    bytes,
                    shown,
                    origin: LockOrigin::Address(url),
                });
            }
            Ok(url) if url.scheme() == "file" => url.to_file_path().unwrap_or_default(),
            _ => directory.join(file),
        };
        let shown = path.to_string_lossy().into_owned();
        Ok(Self {
            bytes: content(&path, &shown)?,
            shown,
            origin: LockOrigin::Folder(path.parent().unwrap_or(directory).to_path_buf()),
        })
    }

    /// The lock, and the folder that its paths start from.
    ///
    /// # Errors
    /// When it isn't a lock that can be used from where it is.
    pub(crate) fn parse(self, printer: &Printer) -> Result<(Lock, PathBuf), Failure> {
        let lock = parsed(&self.bytes, &self.shown, printer)?;
        match self.origin {
            LockOrigin::Address(url) => Ok((lock.at(&url)?, PathBuf::new())),
            LockOrigin::Folder(folder) => Ok((lock, folder)),
        }
    }
}

fn content(path: &Path, shown: &str) -> Result<Vec<u8>, Failure> {
    let context = || format!("Failed to read the lock `{shown}`");
    let metadata = fs_err::metadata(path);
    let metadata = metadata.map_err(|error| Failure::from(error).context(context()))?;
    if metadata.is_dir() {
        return Err(Failure::new(format!("{}: it is a folder", context())));
    }
    bounded::read(path, MAX_BYTES).map_err(|error| match error.kind() {
        std::io::ErrorKind::FileTooLarge => {
            Failure::new(format!("{}: {}", context(), LockError::TooLarge))
        }
        _ => Failure::from(error).context(context()),
    })
}

fn parsed(bytes: &[u8], shown: &str, printer: &Printer) -> Result<Lock, Failure> {
    let lock = Lock::from_bytes(bytes).map_err(|error| {
        let is_unfinished = matches!(error, LockError::ConflictMarkers { .. });
        let failure = Failure::new(format!("Failed to read the lock `{shown}`: {error}"));
        if is_unfinished {
            failure.hint(merging::RESOLVE)
        } else {
            failure
        }
    })?;
    if !lock.unknown_keys.is_empty() {
        printer.warning(&format!(
            "`{shown}` is of a later version of the format than bnbpip knows: no attention is paid \
             to `{}`",
            lock.unknown_keys.join("`, `")
        ));
    }
    Ok(lock)
}
