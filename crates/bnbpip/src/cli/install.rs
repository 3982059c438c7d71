//! `bnbpip install`.

use std::path::PathBuf;

use clap::{ArgAction, Args};

use super::resolve::{ResolveArgs, TargetArgs};
use super::values::{LinkMode, ProgressBar, RootUserAction, UpgradeStrategy};

/// Install packages.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Install Options")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch on the command line"
)]
pub(crate) struct InstallArgs {
    /// What to install: a requirement (`torch`, `numpy<2`), the path or URL of a wheel or
    /// of a project's source, a repository (`git+https://...`).
    #[arg(value_name = "requirement specifier", help_heading = None)]
    pub requirements: Vec<String>,

    /// Install the project in this folder in place, so that changes of its files count at once.
    /// Can be used multiple times.
    #[arg(short, long = "editable", value_name = "path", action = ArgAction::Append)]
    pub editables: Vec<String>,

    /// Show what would be installed, change nothing.
    #[arg(long)]
    pub dry_run: bool,

    /// Write a report of what was (or, with --dry-run, would be) installed to this file as JSON;
    /// `-` is standard output.
    #[arg(long, value_name = "file")]
    pub report: Option<PathBuf>,

    /// Make a virtual environment in this folder if there is none (with the Python that --python
    /// names), and install into it.
    #[arg(long, value_name = "dir", conflicts_with_all = ["target", "user", "prefix"])]
    pub venv: Option<PathBuf>,

    /// Install into this folder. What is there already stays unless --upgrade is given.
    #[arg(short, long, value_name = "dir")]
    pub target: Option<PathBuf>,

    /// Install into the user's own folder (`~/.local`, `%APPDATA%\Python`).
    #[arg(long, overrides_with = "no_user")]
    pub user: bool,

    /// Install into the environment itself, although `PIP_USER` is set.
    #[arg(long, hide = true, overrides_with = "user")]
    pub no_user: bool,

    /// Install as if this folder were the root of the file system.
    #[arg(long, value_name = "dir")]
    pub root: Option<PathBuf>,

    /// Install into `lib`, `bin` and the other folders below this one.
    #[arg(long, value_name = "dir")]
    pub prefix: Option<PathBuf>,

    /// Upgrade the named packages to the newest version.
    #[arg(short = 'U', long)]
    pub upgrade: bool,

    /// What --upgrade does with dependencies: only if something needs a newer one, or always.
    #[arg(long, value_name = "upgrade_strategy", value_enum, default_value_t)]
    pub upgrade_strategy: UpgradeStrategy,

    /// Install all packages again, although they are there.
    #[arg(long)]
    pub force_reinstall: bool,

    /// Pay no attention to what is installed: resolve and install as into an empty environment.
    #[arg(short = 'I', long)]
    pub ignore_installed: bool,

    /// Change a Python that the system's package manager looks after.
    #[arg(long)]
    pub break_system_packages: bool,

    /// With a lock file in place of a requirements file: look for its files in this folder first,
    /// by their digests.
    #[arg(long, value_name = "dir")]
    pub wheelhouse: Option<PathBuf>,

    /// Whether modules are compiled to byte-code.
    #[command(flatten)]
    pub compile: CompileArgs,

    /// Don't warn about scripts in a folder that isn't on PATH.
    #[arg(long)]
    pub no_warn_script_location: bool,

    /// Don't warn about packages whose requirements the result doesn't meet.
    #[arg(long)]
    pub no_warn_conflicts: bool,

    /// How files get from the cache into the environment.
    #[arg(long, value_name = "mode", value_enum, default_value_t)]
    pub link_mode: LinkMode,

    /// How downloads are shown.
    #[arg(long, value_name = "progress_bar", value_enum, default_value_t)]
    pub progress_bar: ProgressBar,

    /// Whether to warn when run as root outside a virtual environment.
    #[arg(long, value_name = "action", value_enum, default_value_t)]
    pub root_user_action: RootUserAction,

    /// Which target the packages are for.
    #[command(flatten, next_help_heading = "Install Options")]
    pub target_python: TargetArgs,

    /// What may be chosen, and from where.
    #[command(flatten, next_help_heading = "Install Options")]
    pub resolve: ResolveArgs,
}

/// Whether modules are compiled to byte-code.
#[derive(Debug, Clone, Args)]
pub(crate) struct CompileArgs {
    /// Compile modules to byte-code (the default).
    #[arg(long, overrides_with = "no_compile")]
    compile: bool,

    /// Don't compile modules to byte-code.
    #[arg(long, overrides_with = "compile")]
    no_compile: bool,
}

impl CompileArgs {
    /// Whether they are.
    pub(crate) fn wanted(&self) -> bool {
        !self.no_compile
    }
}
