//! The options of every command that resolves: what it may choose from, and for which target.

use std::path::PathBuf;

use bnbpip_platform::{TargetPython, TargetRequest};
use clap::{ArgAction, Args};

use super::build::BuildArgs;
use super::index::IndexArgs;
use super::rules::OverlayArgs;
use super::values::GroupOfFile;
use crate::failure::Failure;

/// What may be chosen, and from where.
#[derive(Debug, Clone, Default, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch on the command line"
)]
pub(crate) struct ResolveArgs {
    /// Install what this requirements file names. Can be used multiple times.
    #[arg(short = 'r', long = "requirement", value_name = "file", action = ArgAction::Append)]
    pub requirement_files: Vec<String>,

    /// Keep versions within this constraints file. Can be used multiple times.
    #[arg(short = 'c', long = "constraint", value_name = "file", action = ArgAction::Append)]
    pub constraint_files: Vec<String>,

    /// Install what this script says that it needs (PEP 723).
    #[arg(long = "requirements-from-script", value_name = "file", action = ArgAction::Append)]
    pub scripts: Vec<String>,

    /// Install a dependency group (PEP 735) of the `pyproject.toml` here, or of the file named
    /// before a colon. Can be used multiple times.
    #[arg(long = "group", value_name = "[path:]group", action = ArgAction::Append)]
    pub groups: Vec<GroupOfFile>,

    /// Install what the named packages need, but not these packages themselves.
    #[arg(long, alias = "only-dependencies")]
    pub only_deps: bool,

    /// Check repositories that are installed in place out into this folder; `src` in the virtual
    /// environment unless told.
    #[arg(long, value_name = "dir", aliases = ["source", "source-dir", "source-directory"])]
    pub src: Option<PathBuf>,

    /// Don't install dependencies.
    #[arg(long, alias = "no-dependencies")]
    pub no_deps: bool,

    /// Take releases that don't support this Python version by their own account.
    #[arg(long)]
    pub ignore_requires_python: bool,

    /// Require a hash for every package, dependencies too. On by itself as soon as a
    /// requirements file has one --hash.
    #[arg(long, overrides_with = "no_require_hashes")]
    pub require_hashes: bool,

    /// Don't require hashes for every package because some have one.
    #[arg(long, overrides_with = "require_hashes")]
    pub no_require_hashes: bool,

    /// Allow what this overlay rule (`BNB-0001`) would forbid. Can be used multiple times.
    #[arg(long, value_name = "id", action = ArgAction::Append)]
    pub allow: Vec<String>,

    /// Keep to the versions of this reviewed combination: a name of `rules list --profiles`, or a
    /// file. Without anything else to install, install it. Can be used multiple times.
    #[arg(long = "profile", value_name = "name", action = ArgAction::Append)]
    pub profiles: Vec<String>,

    /// How packages without a wheel are built.
    #[command(flatten)]
    pub build: BuildArgs,

    /// Take torch, torchvision and torchaudio for this accelerator, from PyTorch's index for it:
    /// `cpu`, `cu126`, `rocm6.4`, `xpu`, or `auto` for what this machine's GPU and driver run best.
    /// `lock` takes several, and makes each an extra of the lock.
    #[arg(long = "accelerator", value_name = "accelerator", alias = "torch-backend", action = ArgAction::Append)]
    pub accelerators: Vec<String>,

    /// Where the accelerators' indexes are, if not at PyTorch: a mirror's address or folder, with
    /// one index below it for each (`cu126`).
    #[arg(long, value_name = "url")]
    pub accelerator_index_url: Option<String>,

    /// Where an index has no wheel for Windows, take one that somebody else built, out of those that
    /// bnbpip knows by their digests, or from the community indexes that it knows.
    #[arg(long, overrides_with = "no_community")]
    pub community: bool,

    /// Take no wheels that others built, whatever the project's configuration says.
    #[arg(long, overrides_with = "community")]
    pub no_community: bool,

    /// A catalog of such wheels in place of the one that bnbpip carries.
    #[arg(long, value_name = "file")]
    pub community_catalog: Option<PathBuf>,

    /// Rules of one's own.
    #[command(flatten)]
    pub overlay: OverlayArgs,

    /// Where packages come from.
    #[command(flatten)]
    pub index: IndexArgs,
}

/// Which target the packages are for, where it isn't the environment's own.
#[derive(Debug, Clone, Args)]
pub(crate) struct TargetArgs {
    /// Choose wheels for this platform tag rather than this machine. Can be used multiple times.
    #[arg(long, value_name = "platform", action = ArgAction::Append)]
    pub platform: Vec<String>,

    /// Choose wheels for this Python version: 3, 3.11, 3.11.4 or 311.
    #[arg(long, value_name = "python_version")]
    pub python_version: Option<TargetPython>,

    /// Choose wheels for this Python implementation: cp, pp, or py for any.
    #[arg(long, value_name = "implementation")]
    pub implementation: Option<String>,

    /// Choose wheels for this ABI tag. Can be used multiple times.
    #[arg(long, value_name = "abi", action = ArgAction::Append)]
    pub abi: Vec<String>,

    /// Resolve for another platform: `windows`, `linux`, `macos`, or a platform tag. Markers
    /// are read as they are there, too.
    #[arg(long, value_name = "platform")]
    pub python_platform: Option<String>,
}

impl TargetArgs {
    /// The target that the options describe.
    ///
    /// # Errors
    /// When a platform isn't known.
    pub(crate) fn request(&self) -> Result<TargetRequest, Failure> {
        Ok(TargetRequest {
            python_platform: self
                .python_platform
                .as_deref()
                .map(str::parse)
                .transpose()?,
            python_version: self.python_version.clone(),
            platforms: self
                .platform
                .iter()
                .map(|platform| platform.parse())
                .collect::<Result<_, std::convert::Infallible>>()?,
            implementation: self.implementation.clone(),
            abis: self.abi.clone(),
        })
    }
}

impl ResolveArgs {
    /// The accelerator that was named last.
    pub(crate) fn accelerator(&self) -> Option<&str> {
        self.accelerators.last().map(String::as_str)
    }
}
