//! Putting files into a folder that the user named: `download` and `wheel`.

use std::path::{Path, PathBuf};

use bnbpip_index::RequiredHashes;
use bnbpip_packaging::PackageName;

use super::resolve::hash_mode;
use crate::configuration::settings::Settings;

/// The digests of which a package's file must have one.
pub(super) fn required_for(all: &hash_mode::RequiredHashes, name: &PackageName) -> RequiredHashes {
    let digests = all.get(name).into_iter().flatten();
    RequiredHashes(
        digests
            .map(|(algorithm, hex)| (*algorithm, hex.as_str().into()))
            .collect(),
    )
}

/// Copies a file into a folder, which is made first. Whoever looks sees all of it or nothing.
///
/// # Errors
/// When it can't be read or written.
pub(super) fn save(from: &Path, folder: &Path, name: &str) -> std::io::Result<PathBuf> {
    fs_err::create_dir_all(folder)?;
    let place = folder.join(name);
    if is_same_file(from, &place) {
        return Ok(place);
    }
    let unfinished = tempfile::Builder::new()
        .prefix(".bnbpip-")
        .tempfile_in(folder)?
        .into_temp_path();
    fs_err::copy(from, &unfinished)?;
    fs_err::rename(&unfinished, &place)?;
    Ok(place)
}

/// The name, if it is one that leads nowhere out of a folder.
pub(super) fn plain_name(name: &str) -> Option<&str> {
    let is_plain = !matches!(name, "" | "." | "..") && !name.contains(['/', '\\', ':', '\0']);
    is_plain.then_some(name)
}

/// Whether both are one file: a folder of wheels may be its own `--find-links`.
fn is_same_file(a: &Path, b: &Path) -> bool {
    match (fs_err::canonicalize(a), fs_err::canonicalize(b)) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}

/// A path as pip shows it: from `.` on where it lies below the working directory.
pub(super) fn shown(path: &Path, settings: &Settings) -> String {
    match path.strip_prefix(settings.environment.working_directory()) {
        Ok(relative) => Path::new(".").join(relative).display().to_string(),
        Err(_) => path.display().to_string(),
    }
}
