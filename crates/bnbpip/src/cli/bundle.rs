//! `bnbpip bundle`.

use std::path::PathBuf;

use bnbpip_platform::TargetPython;
use clap::{ArgAction, Args};

use super::resolve::ResolveArgs;
use super::values::ProgressBar;

/// Fill a folder with all that a machine without network needs: wheels, their lock, the rules, and
/// an index.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Bundle Options")]
pub(crate) struct BundleArgs {
    /// What to bundle: requirements (`torch`, `numpy<2`), or a lock file (`pylock.toml`).
    #[arg(value_name = "requirement specifier", help_heading = None)]
    pub requirements: Vec<String>,

    /// Put everything into this folder: a new one, an empty one, or an older bundle.
    #[arg(short, long, value_name = "dir")]
    pub output: PathBuf,

    /// An environment that the bundle is for: `windows-3.11`, `linux-3.12`, `macos-arm64-3.11`. Can
    /// be used multiple times. This machine's unless said otherwise, and of a lock all that it has.
    #[arg(long = "environment", value_name = "environment", action = ArgAction::Append)]
    pub environments: Vec<String>,

    /// The platform of the one environment that the bundle is for: `windows`, `linux`, `macos`.
    #[arg(long, value_name = "platform", conflicts_with = "environments")]
    pub python_platform: Option<String>,

    /// The Python version of the one environment that the bundle is for.
    #[arg(long, value_name = "python_version", conflicts_with = "environments")]
    pub python_version: Option<TargetPython>,

    /// How downloads are shown.
    #[arg(long, value_name = "progress_bar", value_enum, default_value_t)]
    pub progress_bar: ProgressBar,

    /// What may be chosen, and from where.
    #[command(flatten, next_help_heading = "Bundle Options")]
    pub resolve: ResolveArgs,
}
