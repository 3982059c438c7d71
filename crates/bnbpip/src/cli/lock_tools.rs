//! `bnbpip lock diff` and `bnbpip lock export`.

use std::path::PathBuf;

use clap::{ArgAction, Args, Subcommand, ValueEnum};

/// What to do with locks that exist.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum LockAction {
    /// Show what differs between two lock files.
    Diff(LockDiffArgs),
    /// Write a lock file's packages in another format.
    Export(LockExportArgs),
}

/// Show what differs between two lock files: packages with their versions, indexes, publishers and
/// files, environments and rules.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Diff Options")]
pub(crate) struct LockDiffArgs {
    /// The old lock file. `/dev/null` (or `NUL` on Windows) is one that has nothing.
    #[arg(value_name = "old", help_heading = None)]
    pub old: PathBuf,

    /// The new lock file. Without one, all that the first one has is shown, a package a line.
    #[arg(value_name = "new", help_heading = None)]
    pub new: Option<PathBuf>,

    /// Give the difference as JSON.
    #[arg(long)]
    pub json: bool,
}

/// Write a lock file's packages in another format.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Export Options")]
pub(crate) struct LockExportArgs {
    /// The lock file (PEP 751).
    #[arg(value_name = "lock file", default_value = "pylock.toml", help_heading = None)]
    pub file: PathBuf,

    /// The format.
    #[arg(long, value_enum)]
    pub format: ExportFormat,

    /// The file to write; standard output unless one is named.
    #[arg(short, long, value_name = "file")]
    pub output: Option<PathBuf>,

    /// Only what this environment installs: `windows`, `linux-3.12`.
    #[arg(long, value_name = "environment")]
    pub environment: Option<String>,

    /// With this extra of the lock. Can be used multiple times.
    #[arg(long, value_name = "name", action = ArgAction::Append)]
    pub extra: Vec<String>,

    /// With this dependency group of the lock rather than its default ones. Can be used multiple
    /// times.
    #[arg(long, value_name = "name", action = ArgAction::Append)]
    pub group: Vec<String>,
}

/// What a lock can be written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// A requirements file with exact versions, markers and hashes.
    #[value(name = "requirements.txt", alias = "requirements")]
    Requirements,
    /// A bill of materials in `CycloneDX` 1.6 (JSON).
    Cyclonedx,
    /// A bill of materials in SPDX 2.3 (JSON).
    Spdx,
}
