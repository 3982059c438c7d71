//! A wheel as the store has unpacked it, and why one can't be installed.

use std::io;
use std::path::PathBuf;

use bnbpip_packaging::{
    DirectUrl, EntryPointsError, RecordError, WheelFilename, WheelMetadataError,
};

use crate::installed::InstalledDistribution;

/// A wheel's files in a folder.
#[derive(Debug, Clone)]
pub struct UnpackedWheel {
    /// The folder that holds the archive's root.
    pub root: PathBuf,
    /// The wheel's file name.
    pub filename: WheelFilename,
    /// Every file of the archive; directory entries are left out.
    pub files: Vec<WheelFile>,
}

/// One file of a wheel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WheelFile {
    /// The path in the archive, `/`-separated.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// The SHA-256 of its content.
    pub sha256: [u8; 32],
    /// Whether the archive marks it executable.
    pub executable: bool,
}

/// A wheel to install, and what will be recorded of it.
#[derive(Debug, Clone)]
pub struct WheelInstall {
    /// The files.
    pub wheel: UnpackedWheel,
    /// The SHA-256 of the archive in hexadecimal, for the receipt.
    pub sha256: Option<String>,
    /// Whether the user named the package (`REQUESTED`).
    pub requested: bool,
    /// Where it came from, if not from an index (`direct_url.json`).
    pub direct_url: Option<DirectUrl>,
    /// The installed distributions that it takes the place of.
    pub replaces: Vec<InstalledDistribution>,
}

/// Why a wheel can't be installed as it is.
#[derive(Debug, thiserror::Error)]
pub enum WheelError {
    /// A file of it could not be read.
    #[error("Failed to read `{path}` of wheel `{wheel}`")]
    Read {
        /// The wheel.
        wheel: String,
        /// The path in it.
        path: String,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// It has no `.dist-info` folder, or several.
    #[error("Failed to install wheel `{wheel}`: it has {} .dist-info directories", how_many(*.count))]
    DistInfoCount {
        /// The wheel.
        wheel: String,
        /// How many there are.
        count: usize,
    },
    /// The `.dist-info` folder is another project's.
    #[error("Failed to install wheel `{wheel}`: '{dist_info}' does not start with '{name}'")]
    DistInfoName {
        /// The wheel.
        wheel: String,
        /// The folder.
        dist_info: String,
        /// The project's name.
        name: String,
    },
    /// `METADATA`, `WHEEL` or `RECORD` is missing.
    #[error("Failed to install wheel `{wheel}`: `{path}` is missing")]
    Missing {
        /// The wheel.
        wheel: String,
        /// The path in it.
        path: String,
    },
    /// `METADATA` and the file name disagree.
    #[error(
        "Failed to install wheel `{wheel}`: its metadata says {field} `{found}`, its file name `{expected}`"
    )]
    Mismatch {
        /// The wheel.
        wheel: String,
        /// `name` or `version`.
        field: &'static str,
        /// What `METADATA` says.
        found: String,
        /// What the file name says.
        expected: String,
    },
    /// The `WHEEL` file can't be used.
    #[error("Failed to install wheel `{wheel}`")]
    WheelFile {
        /// The wheel.
        wheel: String,
        /// The cause.
        #[source]
        source: WheelMetadataError,
    },
    /// The wheel format is too new.
    #[error(
        "Failed to install wheel `{wheel}`: its format {major}.{minor} is newer than 1.0, which bnbpip knows"
    )]
    WheelVersion {
        /// The wheel.
        wheel: String,
        /// The major version.
        major: u32,
        /// The minor version.
        minor: u32,
    },
    /// The `RECORD` can't be used.
    #[error("Failed to install wheel `{wheel}`")]
    Record {
        /// The wheel.
        wheel: String,
        /// The cause.
        #[source]
        source: RecordError,
    },
    /// `RECORD` and the files disagree, and that was not to be tolerated.
    #[error("Failed to install wheel `{wheel}`: {problem}")]
    RecordMismatch {
        /// The wheel.
        wheel: String,
        /// What disagrees.
        problem: String,
    },
    /// `entry_points.txt` can't be used.
    #[error("Failed to install wheel `{wheel}`")]
    EntryPoints {
        /// The wheel.
        wheel: String,
        /// The cause.
        #[source]
        source: EntryPointsError,
    },
    /// A path would leave its folder or can't exist on the target.
    #[error("Failed to install wheel `{wheel}`: `{path}` is not a safe path: {reason}")]
    UnsafePath {
        /// The wheel.
        wheel: String,
        /// The path in it.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A path under `.data` that names no folder of the install scheme.
    #[error(
        "Failed to install wheel `{wheel}`: `{path}` is not in `purelib`, `platlib`, `scripts`, `data` or `headers`"
    )]
    UnknownScheme {
        /// The wheel.
        wheel: String,
        /// The path in it.
        path: String,
    },
    /// Two files go to one place.
    #[error("Failed to install wheel `{wheel}`: it holds `{path}` twice")]
    Duplicate {
        /// The wheel.
        wheel: String,
        /// The path.
        path: String,
    },
    /// A script that is too large to have its first line changed.
    #[error("Failed to install wheel `{wheel}`: its script `{path}` is larger than 32 MiB")]
    LargeScript {
        /// The wheel.
        wheel: String,
        /// The path in it.
        path: String,
    },
    /// A file that would replace the interpreter or an activation script.
    #[error(
        "Failed to install wheel `{wheel}`: it would replace `{path}`, which the environment itself needs"
    )]
    Protected {
        /// The wheel.
        wheel: String,
        /// The path in the environment.
        path: String,
    },
}

fn how_many(count: usize) -> &'static str {
    if count == 0 { "no" } else { "multiple" }
}
