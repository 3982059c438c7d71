//! `bnbpip wheel`.

use std::path::PathBuf;

use clap::{ArgAction, Args};

use super::resolve::ResolveArgs;
use super::values::ProgressBar;

/// Build wheels from requirements.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Wheel Options")]
pub(crate) struct WheelArgs {
    /// What to get wheels of: requirements, paths and addresses, as for install.
    #[arg(value_name = "requirement specifier", help_heading = None)]
    pub requirements: Vec<String>,

    /// Put the wheels into this folder; the present one unless told.
    #[arg(
        short,
        long,
        value_name = "dir",
        default_value = ".",
        hide_default_value = true
    )]
    pub wheel_dir: PathBuf,

    /// The project in this folder; its wheel is an ordinary one. Can be used multiple times.
    #[arg(short, long = "editable", value_name = "path", action = ArgAction::Append)]
    pub editables: Vec<String>,

    /// Accepted for pip's sake: a wheel that was built is always looked at.
    #[arg(long)]
    pub no_verify: bool,

    /// How downloads are shown.
    #[arg(long, value_name = "progress_bar", value_enum, default_value_t)]
    pub progress_bar: ProgressBar,

    /// What may be chosen, and from where.
    #[command(flatten)]
    pub resolve: ResolveArgs,
}
