//! Receipts: what each transaction changed, kept as `<state>/receipts/NNNN.json`, the input of
//! a later undo. A receipt appears with the change that it describes and never without it.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use bnbpip_packaging::DirectUrl;
use serde::{Deserialize, Serialize};

use crate::paths;

/// The folder of the receipts within the state folder.
pub(crate) const FOLDER: &str = "receipts";

/// One transaction's changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The format: 1.
    pub version: u32,
    /// Its number in the environment, from 1.
    pub number: u32,
    /// When it was committed, in seconds since 1970.
    pub time_unix_s: u64,
    /// What the caller did, in its own words (`install unsloth`).
    pub command: String,
    /// Distributions that are gone, those that were replaced too.
    pub removed: Vec<ReceiptEntry>,
    /// Distributions that are new.
    pub installed: Vec<ReceiptEntry>,
}

/// One distribution in a receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptEntry {
    /// The normalised name.
    pub name: String,
    /// The version.
    pub version: String,
    /// The wheel's file name, for what bnbpip installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wheel: Option<String>,
    /// The wheel's SHA-256 in hexadecimal, for what bnbpip installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Whether the user had asked for it.
    pub requested: bool,
    /// Where it came from, if not from an index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direct_url: Option<DirectUrl>,
    /// Who installed it, by its `INSTALLER` file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installer: Option<String>,
}

/// Why receipts could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptError {
    /// The folder or a file could not be read.
    #[error("Failed to read receipts")]
    Read(#[from] io::Error),
    /// A file is not a receipt.
    #[error("Failed to read receipt `{path}`")]
    Parse {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: serde_json::Error,
    },
}

/// The receipts of an environment, oldest first.
///
/// # Errors
///
/// When the folder can't be read or a file is no receipt.
pub fn receipts(state_dir: &Path) -> Result<Vec<Receipt>, ReceiptError> {
    let mut receipts = Vec::new();
    for number in numbers(state_dir)? {
        let path = path(state_dir, number);
        let text = fs_err::read(&path)?;
        receipts.push(
            serde_json::from_slice(&text).map_err(|source| ReceiptError::Parse { path, source })?,
        );
    }
    Ok(receipts)
}

/// The number that the next receipt takes.
pub(crate) fn next_number(state_dir: &Path) -> io::Result<u32> {
    Ok(numbers(state_dir)?
        .last()
        .map_or(1, |last| last.saturating_add(1)))
}

pub(crate) fn path(state_dir: &Path, number: u32) -> PathBuf {
    state_dir.join(FOLDER).join(format!("{number:04}.json"))
}

pub(crate) fn now_unix_s() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs())
}

fn numbers(state_dir: &Path) -> io::Result<Vec<u32>> {
    let folder = match fs_err::read_dir(state_dir.join(FOLDER)) {
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
