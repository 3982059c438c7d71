//! `bnbpip doctor`.

use clap::{ArgAction, Args};

use super::rules::OverlayArgs;

/// Find out what is wrong with an environment, and mend it.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Doctor Options")]
pub(crate) struct DoctorArgs {
    /// Give the findings as JSON.
    #[arg(long, conflicts_with = "fix")]
    pub json: bool,

    /// Mend what was found: show what will change, change it, and look again.
    #[arg(long)]
    pub fix: bool,

    /// Start the environment's Python and try five things in it: import bitsandbytes, its
    /// `MatMul8bitLt`, torch on the GPU, an 8-bit layer, import unsloth.
    #[arg(long)]
    pub run: bool,

    /// How long each thing that --run tries may take.
    #[arg(long, value_name = "seconds", default_value_t = 120, requires = "run")]
    pub run_timeout: u64,

    /// Accept what this overlay rule (`BNB-0001`) forbids. Can be used multiple times.
    #[arg(long, value_name = "id", action = ArgAction::Append)]
    pub allow: Vec<String>,

    /// Which rules hold.
    #[command(flatten)]
    pub overlay: OverlayArgs,
}
