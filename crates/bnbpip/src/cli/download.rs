//! `bnbpip download`.

use std::path::PathBuf;

use clap::Args;

use super::resolve::{ResolveArgs, TargetArgs};
use super::values::ProgressBar;

/// Download packages, with what they need, into a folder.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Download Options")]
pub(crate) struct DownloadArgs {
    /// What to download: requirements, addresses and repositories, as for install.
    #[arg(value_name = "requirement specifier", help_heading = None)]
    pub requirements: Vec<String>,

    /// Put the files into this folder; the present one unless told.
    #[arg(
        short,
        long,
        value_name = "dir",
        aliases = ["destination-dir", "destination-directory"],
        default_value = ".",
        hide_default_value = true
    )]
    pub dest: PathBuf,

    /// How downloads are shown.
    #[arg(long, value_name = "progress_bar", value_enum, default_value_t)]
    pub progress_bar: ProgressBar,

    /// Which target the packages are for.
    #[command(flatten, next_help_heading = "Download Options")]
    pub target_python: TargetArgs,

    /// What may be chosen, and from where.
    #[command(flatten, next_help_heading = "Download Options")]
    pub resolve: ResolveArgs,
}
