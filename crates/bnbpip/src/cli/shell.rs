//! `bnbpip completion` and `bnbpip debug`: for shells, and for bug reports.

use clap::Args;

use super::resolve::TargetArgs;

/// Print the code that completes bnbpip's commands and options in a shell.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Completion Options")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch on the command line"
)]
pub(crate) struct CompletionArgs {
    /// For bash.
    #[arg(short, long)]
    pub bash: bool,

    /// For zsh.
    #[arg(short, long)]
    pub zsh: bool,

    /// For fish.
    #[arg(short, long)]
    pub fish: bool,

    /// For PowerShell.
    #[arg(short, long)]
    pub powershell: bool,
}

/// Show what bnbpip knows of the machine and the environment.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Debug Options")]
pub(crate) struct DebugArgs {
    /// Which target the tags are for.
    #[command(flatten, next_help_heading = "Debug Options")]
    pub target_python: TargetArgs,
}

/// Search an index for packages.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Search Options")]
pub(crate) struct SearchArgs {
    /// What to look for.
    #[arg(value_name = "query", help_heading = None)]
    pub query: Vec<String>,

    /// The address to search at.
    #[arg(short, long, value_name = "url")]
    pub index: Option<String>,
}
