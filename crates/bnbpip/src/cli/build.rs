//! The options about building from source.

use bnbpip_build::ConfigSettings;
use clap::{ArgAction, Args};

use crate::failure::Failure;

/// How packages without a wheel are built.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Build Options")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch on the command line"
)]
pub(crate) struct BuildArgs {
    /// Build in the environment itself rather than in one made for the build: what the build
    /// needs (`setuptools`, often torch) has to be installed there already.
    #[arg(long)]
    pub no_build_isolation: bool,

    /// A setting for the build backends: KEY=VALUE. Can be used multiple times, and again with
    /// the same key to make a list.
    #[arg(short = 'C', long, value_name = "settings", alias = "config-setting", action = ArgAction::Append)]
    config_settings: Vec<String>,

    /// Keep versions of what builds need within this constraints file. Can be used multiple times.
    #[arg(long = "build-constraint", value_name = "file", action = ArgAction::Append)]
    pub build_constraint_files: Vec<String>,

    /// With --no-build-isolation: refuse to build if what the build needs isn't installed.
    #[arg(long)]
    pub check_build_dependencies: bool,

    /// Leave the folders of builds where they are.
    #[arg(long)]
    pub no_clean: bool,

    /// Projects are always built through `pyproject.toml`'s standard, as this pip option asks for.
    #[arg(long, hide = true)]
    pub use_pep517: bool,
}

impl BuildArgs {
    /// The settings for backends.
    ///
    /// # Errors
    /// When one isn't KEY=VALUE.
    pub(crate) fn config_settings(&self) -> Result<ConfigSettings, Failure> {
        let mut settings = ConfigSettings::default();
        for text in &self.config_settings {
            settings.add(text)?;
        }
        Ok(settings)
    }
}
