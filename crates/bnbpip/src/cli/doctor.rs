//! `bnbpip doctor`.

use clap::{ArgAction, Args};

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

    /// Accept what this overlay rule (`BNB-0001`) forbids. Can be used multiple times.
    #[arg(long, value_name = "id", action = ArgAction::Append)]
    pub allow: Vec<String>,
}
