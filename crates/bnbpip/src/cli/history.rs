//! `bnbpip history` and `bnbpip undo`.

use std::num::NonZeroUsize;

use clap::Args;

/// Show what bnbpip has changed in an environment.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "History Options")]
pub(crate) struct HistoryArgs {
    /// Give the receipts as JSON.
    #[arg(long)]
    pub json: bool,
}

/// Take back the last changes of an environment: what they installed goes, what they removed or
/// replaced comes back from the cache. It is a change itself, which the next `undo` takes back.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Undo Options")]
pub(crate) struct UndoArgs {
    /// How many changes to take back.
    #[arg(value_name = "count", default_value = "1")]
    pub count: NonZeroUsize,

    /// Show what would change, and change nothing.
    #[arg(long)]
    pub dry_run: bool,

    /// Change a Python that the system's package manager looks after.
    #[arg(long)]
    pub break_system_packages: bool,
}
