//! `bnbpip tree` and `bnbpip why`.

use std::path::PathBuf;

use clap::{ArgAction, Args};

/// Show who requires whom, as a tree.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Tree Options")]
pub(crate) struct TreeArgs {
    /// The lock file (PEP 751) to show rather than the environment.
    #[arg(value_name = "lock file", help_heading = None)]
    pub lock: Option<PathBuf>,

    /// Show below each package what requires it, rather than what it requires.
    #[arg(long)]
    pub invert: bool,

    /// Show this many levels below the first.
    #[arg(long, value_name = "count")]
    pub depth: Option<usize>,

    /// Start from this package. Can be used multiple times.
    #[arg(long, value_name = "name", action = ArgAction::Append)]
    pub package: Vec<String>,
}

/// Show why packages are installed or locked.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Why Options")]
pub(crate) struct WhyArgs {
    /// The packages.
    #[arg(value_name = "package", required = true, help_heading = None)]
    pub packages: Vec<String>,

    /// Look into this lock file (PEP 751) rather than the environment.
    #[arg(long, value_name = "file")]
    pub lock: Option<PathBuf>,
}
