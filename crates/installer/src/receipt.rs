//! Receipts: what each transaction changed, the input of a later undo. A receipt appears with the
//! change that it describes and never without it.

use std::io;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use bnbpip_packaging::DirectUrl;
use serde::{Deserialize, Serialize};

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

pub(crate) fn now_unix_s() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs())
}
