//! `bnbpip rules`.

use std::path::PathBuf;

use clap::{ArgAction, Args, Subcommand};

use super::index::IndexArgs;
use super::rules_scan::RulesScanArgs;
use super::values::RulesFormat;

/// Show, check and verify the rules about packages that don't work together.
#[derive(Debug, Clone, Args)]
pub(crate) struct RulesArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: Option<RulesAction>,
}

/// What to do with the rules.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum RulesAction {
    /// List the rules.
    List(RulesListArgs),
    /// Show a rule in full: what it does, why it is believed, and what to do; or a profile.
    Show(RulesShowArgs),
    /// Say which rules a set of packages breaks, without resolving.
    Check(RulesCheckArgs),
    /// Check rule files: all that is wrong with them, with file and line.
    Lint(RulesLintArgs),
    /// Prove the rules' evidence again from the published wheels.
    Verify(Box<RulesVerifyArgs>),
    /// Say what changes between two sets of rules.
    Diff(RulesDiffArgs),
    /// Find imports of a package that other packages can't satisfy.
    Scan(Box<RulesScanArgs>),
    /// Say which set of rules is in force, or put a newer published set in force.
    Update(RulesUpdateArgs),
    /// Write a template for a rule about a package.
    New(RulesNewArgs),
    /// Write all rules in a form that other tools read.
    Export(RulesExportArgs),
}

/// Rules beside the ones that bnbpip carries.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct OverlayArgs {
    /// Add these rules to the ones that bnbpip carries: a folder of rule files, a rule file, or a set
    /// written by `rules export --format json`; a URL needs `#sha256=...`. Can be used multiple times.
    #[arg(long, value_name = "dir|file|url", action = ArgAction::Append)]
    pub overlay: Vec<String>,
}

/// `rules list`.
#[derive(Debug, Clone, Args)]
pub(crate) struct RulesListArgs {
    /// Only rules about this package.
    #[arg(long, value_name = "package")]
    pub package: Option<String>,

    /// List the profiles, which `--profile` takes, rather than the rules.
    #[arg(long)]
    pub profiles: bool,

    /// Write JSON.
    #[arg(long)]
    pub json: bool,

    /// Which rules.
    #[command(flatten)]
    pub overlay: OverlayArgs,
}

/// `rules show`.
#[derive(Debug, Clone, Args)]
pub(crate) struct RulesShowArgs {
    /// The rule, such as `BNB-0001`, or the profile.
    #[arg(value_name = "id")]
    pub id: String,

    /// Which rules.
    #[command(flatten)]
    pub overlay: OverlayArgs,
}

/// `rules check`.
#[derive(Debug, Clone, Args)]
pub(crate) struct RulesCheckArgs {
    /// The packages: `name==version`, a wheel's file name, or a lock such as `pylock.toml`. And what
    /// the machine has, if another one is meant than this: `__cuda_driver==535.183.01`,
    /// `__cuda_arch==8.9`.
    #[arg(value_name = "name==version")]
    pub packages: Vec<String>,

    /// Packages pinned in this requirements file or lock. Can be used multiple times.
    #[arg(short = 'r', long = "requirement", value_name = "file", action = ArgAction::Append)]
    pub requirement_files: Vec<String>,

    /// Check for this environment, such as `windows-3.11` or `linux-aarch64-3.12`, rather than for
    /// the one that would be installed into.
    #[arg(long, value_name = "environment")]
    pub environment: Option<String>,

    /// Write JSON.
    #[arg(long)]
    pub json: bool,

    /// Leave this rule out. Can be used multiple times.
    #[arg(long, value_name = "id", action = ArgAction::Append)]
    pub allow: Vec<String>,

    /// Which rules.
    #[command(flatten)]
    pub overlay: OverlayArgs,
}

/// `rules lint`.
#[derive(Debug, Clone, Args)]
pub(crate) struct RulesLintArgs {
    /// The folder with the rule files, or one rule file; the rules that bnbpip carries if left out.
    #[arg(value_name = "dir")]
    pub folder: Option<PathBuf>,
}

/// `rules verify`.
#[derive(Debug, Clone, Args)]
pub(crate) struct RulesVerifyArgs {
    /// The rules; all of them if none is named.
    #[arg(value_name = "id")]
    pub ids: Vec<String>,

    /// Which rules.
    #[command(flatten)]
    pub overlay: OverlayArgs,

    /// Where the wheels are.
    #[command(flatten)]
    pub index: IndexArgs,
}

/// `rules diff`.
#[derive(Debug, Clone, Args)]
pub(crate) struct RulesDiffArgs {
    /// The older set: a folder, a rule file, an exported set, or `embedded`.
    #[arg(value_name = "old")]
    pub old: String,

    /// The newer set.
    #[arg(value_name = "new")]
    pub new: String,
}

/// `rules update`.
#[derive(Debug, Clone, Args)]
pub(crate) struct RulesUpdateArgs {
    /// The set, as `rules export --format json` writes it: a file or a URL; `embedded` goes back to the
    /// rules that bnbpip carries. Without it, the set in force is shown.
    #[arg(value_name = "file|url")]
    pub source: Option<String>,

    /// The SHA-256 that the set must have, unless a URL has it as `#sha256=...`.
    #[arg(long, value_name = "hex")]
    pub sha256: Option<String>,

    /// Say what would change, and change nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// `rules new`.
#[derive(Debug, Clone, Args)]
pub(crate) struct RulesNewArgs {
    /// The package that the rule is filed under.
    #[arg(value_name = "package")]
    pub package: String,

    /// The rule's identifier.
    #[arg(long, value_name = "id", default_value = "TEAM-0001")]
    pub id: String,
}

/// `rules export`.
#[derive(Debug, Clone, Args)]
pub(crate) struct RulesExportArgs {
    /// The form: everything as JSON; what a constraints file of pip or uv can say; or OSV entries.
    #[arg(long, value_name = "format", value_enum, default_value_t)]
    pub format: RulesFormat,

    /// Which rules.
    #[command(flatten)]
    pub overlay: OverlayArgs,
}
