//! The commands that look at an environment or remove from it: `list`, `freeze`, `show`, `check`,
//! `uninstall`; and `venv`, which makes one.

use std::path::PathBuf;

use clap::{ArgAction, Args};

use super::index::IndexArgs;
use super::rules::OverlayArgs;
use super::values::{ListFormat, RootUserAction};

/// Which of the installed packages are looked at.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct SelectionArgs {
    /// In a virtual environment that sees the system's packages: leave those out.
    #[arg(short, long)]
    pub local: bool,

    /// Only packages in the user's own folder.
    #[arg(long)]
    pub user: bool,

    /// Look into this folder instead of the environment. Can be used multiple times.
    #[arg(long, value_name = "path", action = ArgAction::Append)]
    pub path: Vec<PathBuf>,

    /// Leave out editable installs.
    #[arg(long)]
    pub exclude_editable: bool,

    /// Leave out this package. Can be used multiple times.
    #[arg(long, value_name = "package", action = ArgAction::Append)]
    pub exclude: Vec<String>,
}

/// List installed packages.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "List Options")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch on the command line"
)]
pub(crate) struct ListArgs {
    /// Only packages of which there is a newer release, and which one that is.
    #[arg(short, long)]
    pub outdated: bool,

    /// Only packages whose newest release is installed.
    #[arg(short, long)]
    pub uptodate: bool,

    /// Which packages.
    #[command(flatten)]
    pub selection: SelectionArgs,

    /// Only editable installs.
    #[arg(short, long)]
    pub editable: bool,

    /// Editable installs as well (the default).
    #[arg(long, overrides_with = "exclude_editable")]
    pub include_editable: bool,

    /// Only packages that no other installed package requires.
    #[arg(long)]
    pub not_required: bool,

    /// The form of the list.
    #[arg(long, value_name = "list_format", value_enum, default_value_t)]
    pub format: ListFormat,

    /// Where newer releases are looked for.
    #[command(flatten)]
    pub index: IndexArgs,
}

/// Show everything about the installed packages as JSON.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Inspect Options")]
pub(crate) struct InspectArgs {
    /// In a virtual environment that sees the system's packages: leave those out.
    #[arg(long)]
    pub local: bool,

    /// Only packages in the user's own folder.
    #[arg(long)]
    pub user: bool,

    /// Look into this folder instead of the environment. Can be used multiple times.
    #[arg(long, value_name = "path", action = ArgAction::Append)]
    pub path: Vec<PathBuf>,
}

/// Output installed packages in requirements format.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Freeze Options")]
pub(crate) struct FreezeArgs {
    /// Keep the order and the comments of this requirements file. Can be used multiple times.
    #[arg(short, long, value_name = "file", action = ArgAction::Append)]
    pub requirement: Vec<PathBuf>,

    /// Which packages.
    #[command(flatten)]
    pub selection: SelectionArgs,

    /// Don't leave out pip, and on old Pythons setuptools, wheel and distribute.
    #[arg(long)]
    pub all: bool,
}

/// Show information about installed packages.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Show Options")]
pub(crate) struct ShowArgs {
    /// The packages to show.
    #[arg(value_name = "package")]
    pub packages: Vec<String>,

    /// List each package's files as well.
    #[arg(short, long)]
    pub files: bool,
}

/// Verify that installed packages have what they require and don't break a rule.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Check Options")]
pub(crate) struct CheckArgs {
    /// Accept what this overlay rule (`BNB-0001`) forbids. Can be used multiple times.
    #[arg(long, value_name = "id", action = ArgAction::Append)]
    pub allow: Vec<String>,

    /// Rules of one's own.
    #[command(flatten)]
    pub overlay: OverlayArgs,
}

/// Uninstall packages.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Uninstall Options")]
pub(crate) struct UninstallArgs {
    /// The packages to uninstall.
    #[arg(value_name = "package")]
    pub packages: Vec<String>,

    /// Uninstall what this requirements file names. Can be used multiple times.
    #[arg(short = 'r', long = "requirement", value_name = "file", action = ArgAction::Append)]
    pub requirement_files: Vec<String>,

    /// Don't ask before uninstalling.
    #[arg(short, long)]
    pub yes: bool,

    /// Whether to warn when run as root outside a virtual environment.
    #[arg(long, value_name = "action", value_enum, default_value_t)]
    pub root_user_action: RootUserAction,

    /// Change a Python that the system's package manager looks after.
    #[arg(long)]
    pub break_system_packages: bool,
}

/// Make a virtual environment.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Venv Options")]
pub(crate) struct VenvArgs {
    /// The folder to make it in.
    #[arg(value_name = "dir", default_value = ".venv")]
    pub directory: PathBuf,

    /// Put pip into it (with setuptools and wheel on Python before 3.12), as `python -m venv`
    /// does. bnbpip doesn't need them.
    #[arg(long)]
    pub seed: bool,

    /// Empty the folder first, if there is an environment in it.
    #[arg(long)]
    pub clear: bool,

    /// Let it see the packages of the Python that it is made from.
    #[arg(long)]
    pub system_site_packages: bool,

    /// The name that an activated shell shows.
    #[arg(long, value_name = "name")]
    pub prompt: Option<String>,
}
