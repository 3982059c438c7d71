//! `bnbpip config`.

use clap::Args;

/// Show and change pip's configuration files, which bnbpip reads as well.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Config Options")]
pub(crate) struct ConfigArgs {
    /// What to do: `list`, `get NAME`, `set NAME VALUE`, `unset NAME`, `edit`, or `debug`, which
    /// says where each value comes from. A name is a command's (or `global`), a dot and an
    /// option: `global.index-url`.
    #[arg(value_name = "action", help_heading = None)]
    pub action: Vec<String>,

    /// The editor for `edit`, rather than what VISUAL or EDITOR name.
    #[arg(long, value_name = "editor")]
    pub editor: Option<String>,

    /// Use the machine's file only.
    #[arg(long)]
    pub global: bool,

    /// Use the user's file only.
    #[arg(long)]
    pub user: bool,

    /// Use the environment's own file only.
    #[arg(long)]
    pub site: bool,
}
