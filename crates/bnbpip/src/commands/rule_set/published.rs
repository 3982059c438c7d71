//! A published set of rules that was taken in place of the one that bnbpip carries.
//!
//! It is one file in the user's data folder, written whole by `rules update` and checked against
//! its own hash whenever it is read. A program that carries newer rules passes it by.

use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use bnbpip_overlay::{Overlay, RuleDate};
use serde::{Deserialize, Serialize};

use super::{RuleFile, bundle, parse, sha256_hex};
use crate::configuration::settings::Settings;
use crate::failure::{Failure, exit_code};

/// The file's name in the data folder.
const FILE: &str = "rules.json";

/// A taken set, and where it came from.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PublishedSet {
    /// The file or URL, without credentials.
    pub source: String,
    /// The SHA-256 of `set`, in lowercase hexadecimal.
    pub sha256: String,
    /// What `rules export --format json` wrote.
    pub set: String,
}

impl PublishedSet {
    /// The rule files of the set.
    ///
    /// # Errors
    /// When it isn't an exported set.
    pub(crate) fn files(&self) -> Result<Vec<RuleFile>, Failure> {
        bundle(&self.source, self.set.as_bytes())
    }

    /// The day of its newest rule.
    ///
    /// # Errors
    /// When it has a rule that can't be read.
    pub(crate) fn version(&self) -> Result<Option<RuleDate>, Failure> {
        Ok(Overlay::empty()
            .with_layer(parse(&self.files()?)?)
            .version())
    }
}

/// The taken set, if it is in force: there is one, the run isn't isolated, and the program doesn't
/// carry newer rules.
///
/// # Errors
/// When the file can't be read or isn't what was written.
pub(crate) fn in_force(settings: &Settings) -> Result<Option<PublishedSet>, Failure> {
    let Some(path) = file(settings) else {
        return Ok(None);
    };
    let text = match fs_err::read_to_string(&path) {
        Ok(text) => text,
        // A home folder that is none holds no rules either.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    let set: PublishedSet = serde_json::from_str(&text).map_err(|_| damaged(&path))?;
    if sha256_hex(set.set.as_bytes()) != set.sha256 {
        return Err(damaged(&path));
    }
    let carried = Overlay::embedded()?.version();
    Ok((set.version()? >= carried).then_some(set))
}

/// Puts a set in force, for every later run of this user.
///
/// # Errors
/// When there is no data folder, or it can't be written.
pub(crate) fn take(set: &PublishedSet, settings: &Settings) -> Result<(), Failure> {
    let Some(path) = file(settings) else {
        return Err(Failure::new(
            "Failed to keep the rules: this run has no data folder",
        ));
    };
    let folder = path.parent().unwrap_or(Path::new(""));
    fs_err::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new()
        .prefix(".rules-")
        .tempfile_in(folder)?;
    file.write_all(&serde_json::to_vec(set)?)?;
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|error| error.error)?;
    Ok(())
}

/// Goes back to the rules that the program carries; whether that changed anything.
///
/// # Errors
/// When the file can't be removed.
pub(crate) fn give_up(settings: &Settings) -> Result<bool, Failure> {
    let Some(path) = file(settings) else {
        return Ok(false);
    };
    match fs_err::remove_file(&path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn file(settings: &Settings) -> Option<PathBuf> {
    Some(settings.data_dir.as_ref()?.join(FILE))
}

fn damaged(path: &Path) -> Failure {
    Failure::new(format!(
        "Failed to read the rules in `{}`: the file isn't what was written",
        path.display()
    ))
    .hint("`bnbpip rules update embedded` goes back to the rules that bnbpip carries")
    .exit_with(exit_code::ENVIRONMENT)
}
