//! `bnbpip index`.

use clap::Args;

use super::index::IndexArgs;
use super::resolve::TargetArgs;

/// Show what package indexes have.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Index Options")]
pub(crate) struct IndexCommandArgs {
    /// `versions`, and a package's name.
    #[arg(value_name = "versions <package>", help_heading = None)]
    pub words: Vec<String>,

    /// Output one line of JSON.
    #[arg(long)]
    pub json: bool,

    /// Count releases that don't support the Python version by their own account.
    #[arg(long)]
    pub ignore_requires_python: bool,

    /// Which target the packages are for.
    #[command(flatten, next_help_heading = "Index Options")]
    pub target_python: TargetArgs,

    /// Where packages come from.
    #[command(flatten)]
    pub index: IndexArgs,
}
