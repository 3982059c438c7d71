//! `bnbpip lock` and `bnbpip sync`.

use std::path::PathBuf;

use clap::{ArgAction, Args};

use super::build::BuildArgs;
use super::index::IndexArgs;
use super::install::CompileArgs;
use super::lock_tools::LockAction;
use super::resolve::ResolveArgs;
use super::values::ProgressBar;

/// Write down exact versions and files for several environments.
#[derive(Debug, Clone, Args)]
#[command(
    next_help_heading = "Lock Options",
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true
)]
#[expect(clippy::struct_excessive_bools, reason = "a flag is a yes or a no")]
pub(crate) struct LockArgs {
    /// What to do with locks that exist.
    #[command(subcommand)]
    pub action: Option<LockAction>,

    /// What to lock: requirements (`torch`, `numpy<2`), and `pyproject.toml` for a project's
    /// dependencies, extras and dependency groups. The working directory's project if nothing is
    /// named.
    #[arg(value_name = "requirement specifier", help_heading = None)]
    pub requirements: Vec<String>,

    /// Lock the project in this folder, to be installed in place. Can be used multiple times.
    #[arg(short, long = "editable", value_name = "path", action = ArgAction::Append)]
    pub editables: Vec<String>,

    /// The lock file (PEP 751) to write; `-` is standard output. The versions that it has already
    /// are kept where they can be.
    #[arg(short, long, value_name = "file", default_value = "pylock.toml")]
    pub output: PathBuf,

    /// An environment that the lock is for: `windows`, `linux-3.12`, `macos-arm64-3.11`, or a
    /// marker that holds in several (`python_version >= '3.11'`). Can be used multiple times.
    /// Windows, Linux and this machine's system unless said otherwise.
    #[arg(long = "environment", value_name = "environment", action = ArgAction::Append)]
    pub environments: Vec<String>,

    /// Write nothing, and fail if the lock file is for other requirements, constraints,
    /// environments or rules than are asked for. Needs no network.
    #[arg(long)]
    pub check: bool,

    /// With --check: resolve as well, and fail if other packages would be locked.
    #[arg(long, requires = "check")]
    pub online: bool,

    /// Take the newest versions, whatever the lock file has.
    #[arg(short = 'U', long)]
    pub upgrade: bool,

    /// Take the newest version of this package, or the one that is named (`NAME==VERSION`). Can be
    /// used multiple times.
    #[arg(short = 'P', long, value_name = "package", action = ArgAction::Append)]
    pub upgrade_package: Vec<String>,

    /// Try the versions of this file first: another lock file, a pinned requirements file,
    /// `uv.lock`, `poetry.lock` or `Pipfile.lock`. Can be used multiple times.
    #[arg(long, value_name = "file", action = ArgAction::Append)]
    pub preferences: Vec<PathBuf>,

    /// Solve a lock file with conflict markers again, with the versions of both sides first. What
    /// both sides were asked for is asked for, unless something is named.
    #[arg(long, conflicts_with = "check")]
    pub resolve_conflicts: bool,

    /// Merge the lock files OURS and THEIRS, which come from BASE, into OURS: git's merge driver.
    #[arg(long, num_args = 3, value_names = ["base", "ours", "theirs"], conflicts_with_all = ["check", "resolve_conflicts"])]
    pub merge: Vec<PathBuf>,

    /// What may be chosen, and from where.
    #[command(flatten, next_help_heading = "Lock Options")]
    pub resolve: ResolveArgs,
}

/// Make an environment what a lock file says.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Sync Options")]
pub(crate) struct SyncArgs {
    /// The lock file (PEP 751), or its address.
    #[arg(value_name = "file", default_value = "pylock.toml", help_heading = None)]
    pub file: String,

    /// Keep packages that the lock doesn't have.
    #[arg(long)]
    pub inexact: bool,

    /// Install this extra of the lock too. Can be used multiple times.
    #[arg(long, value_name = "name", action = ArgAction::Append)]
    pub extra: Vec<String>,

    /// Install this dependency group of the lock rather than its default ones. Can be used
    /// multiple times.
    #[arg(long, value_name = "name", action = ArgAction::Append)]
    pub group: Vec<String>,

    /// Take torch for this accelerator, of those that the lock has: `cpu`, `cu126`, or `auto` for
    /// what this machine's GPU and driver run best.
    #[arg(long, value_name = "accelerator", alias = "torch-backend")]
    pub accelerator: Option<String>,

    /// Look for the lock's files in this folder first: by their digests, whatever the lock says
    /// about where they are. `bnbpip bundle` fills one.
    #[arg(long, value_name = "dir")]
    pub wheelhouse: Option<PathBuf>,

    /// Show what would change, change nothing.
    #[arg(long)]
    pub dry_run: bool,

    /// Change a Python that the system's package manager looks after.
    #[arg(long)]
    pub break_system_packages: bool,

    /// How downloads are shown.
    #[arg(long, value_name = "progress_bar", value_enum, default_value_t)]
    pub progress_bar: ProgressBar,

    /// Whether modules are compiled to byte-code.
    #[command(flatten)]
    pub compile: CompileArgs,

    /// How what the lock has as a source alone is built.
    #[command(flatten)]
    pub build: BuildArgs,

    /// Where what builds need comes from.
    #[command(flatten)]
    pub index: IndexArgs,
}
