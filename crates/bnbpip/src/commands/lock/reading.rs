//! Reading lock files.

use std::path::{Path, PathBuf};

use bnbpip_lock::{Lock, LockError, MAX_BYTES};
use url::Url;

use super::merging;
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
    let context = || format!("Failed to read the lock `{shown}`");
    let metadata = fs_err::metadata(path);
    let metadata = metadata.map_err(|error| Failure::from(error).context(context()))?;
    if metadata.is_dir() {
        return Err(Failure::new(format!("{}: it is a folder", context())));
    }
    if metadata.len() > MAX_BYTES {
        return Err(Failure::new(format!(
            "{}: {}",
            context(),
            LockError::TooLarge
        )));
    }
    parsed(&fs_err::read(path)?, &shown, printer)
}

/// Reads the lock at a path or an address, and says which folder its paths start from.
///
/// # Errors
/// When it can't be had, or isn't a lock that can be used from there.
pub(crate) fn open(
    file: &str,
    settings: &Settings,
    printer: &Printer,
) -> Result<(Lock, PathBuf), Failure> {
    let directory = settings.environment.working_directory();
    let path = match file.parse::<Url>() {
        Ok(url) if ["http", "https"].contains(&url.scheme()) => {
            let shown = without_credentials(file);
            let bytes = remote_file::read(&url, settings)
                .map_err(|failure| failure.context(format!("Failed to read the lock `{shown}`")))?;
            return Ok((parsed(&bytes, &shown, printer)?.at(&url)?, PathBuf::new()));
        }
        Ok(url) if url.scheme() == "file" => url.to_file_path().unwrap_or_default(),
        _ => directory.join(file),
    };
    let lock = read(&path, printer)?;
    let folder = path.parent().unwrap_or(directory);
    Ok((lock, folder.to_path_buf()))
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
