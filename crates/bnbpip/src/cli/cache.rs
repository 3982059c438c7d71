//! `bnbpip cache`.

use clap::{Args, Subcommand};

use super::values::CacheListFormat;

/// Inspect and manage the cache of pages, metadata and unpacked wheels.
#[derive(Debug, Clone, Args)]
pub(crate) struct CacheArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: Option<CacheAction>,
}

/// What to do with the cache.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum CacheAction {
    /// Show the cache's folder.
    Dir,
    /// Show what the cache holds and how much.
    Info,
    /// List the wheels in the cache.
    List(CacheListArgs),
    /// Remove the wheels of packages from the cache.
    Remove(CacheRemoveArgs),
    /// Remove everything from the cache.
    Purge,
}

/// `cache list`.
#[derive(Debug, Clone, Args)]
pub(crate) struct CacheListArgs {
    /// Only these: a package's name, `name-version`, with `*` and `?` as wildcards.
    #[arg(value_name = "pattern")]
    pub pattern: Option<String>,

    /// The form of the list.
    #[arg(long, value_name = "list_format", value_enum, default_value_t)]
    pub format: CacheListFormat,
}

/// `cache remove`.
#[derive(Debug, Clone, Args)]
pub(crate) struct CacheRemoveArgs {
    /// What to remove: a package's name, `name-version`, with `*` and `?` as wildcards.
    #[arg(value_name = "pattern")]
    pub pattern: Option<String>,
}
