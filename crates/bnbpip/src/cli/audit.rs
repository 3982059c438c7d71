//! `bnbpip audit`.

use std::path::PathBuf;

use clap::{ArgAction, Args};

/// Look for known vulnerabilities in what is installed or locked.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Audit Options")]
pub(crate) struct AuditArgs {
    /// The lock file (PEP 751) to look at rather than the environment.
    #[arg(value_name = "lock file", help_heading = None)]
    pub lock: Option<PathBuf>,

    /// The advisories, as OSV exports them: a folder of JSON files, a ZIP archive of them, or the
    /// address of one. A project can name it as `audit.db`.
    #[arg(long, value_name = "folder, file or URL")]
    pub db: Option<String>,

    /// Ignore the vulnerability with this identifier. Can be used multiple times.
    #[arg(long, value_name = "id", action = ArgAction::Append)]
    pub ignore_vuln: Vec<String>,

    /// Give the packages and their vulnerabilities as JSON.
    #[arg(long)]
    pub json: bool,
}
