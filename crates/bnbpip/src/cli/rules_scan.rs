//! `bnbpip rules scan`.

use bnbpip_scan::System;
use clap::{ArgAction, Args};

use super::index::IndexArgs;

/// Find imports of a package that other packages can't satisfy, from their wheels alone.
#[derive(Debug, Clone, Args)]
pub(crate) struct RulesScanArgs {
    /// The package whose import is followed: a name for all its releases, or a requirement such
    /// as `bitsandbytes==0.43.0`.
    #[arg(value_name = "package")]
    pub package: Option<String>,

    /// The packages that it is to import: names for all their releases, or requirements.
    #[arg(long, value_name = "package", num_args = 1.., action = ArgAction::Append)]
    pub against: Vec<String>,

    /// Follow the import of this module rather than that of the package's top-level modules. Can
    /// be used multiple times.
    #[arg(long = "module", value_name = "module", action = ArgAction::Append)]
    pub modules: Vec<String>,

    /// Report imports under conditions that can't be decided, too.
    #[arg(long)]
    pub conditional: bool,

    /// The system on which the import is imagined: linux, windows or macos.
    #[arg(long, value_name = "platform", default_value = "linux", value_parser = system)]
    pub python_platform: System,

    /// The Python version with which the import is imagined.
    #[arg(long, value_name = "python_version", default_value = "3.11", value_parser = python)]
    pub python_version: (u8, u8),

    /// Print what was found as JSON.
    #[arg(long)]
    pub json: bool,

    /// The package index to ask, PyPI unless said otherwise.
    #[arg(short = 'i', long, value_name = "url")]
    pub index_url: Option<String>,

    /// A further index, for packages that the first one lacks. Can be used multiple times.
    #[arg(long, value_name = "url", action = ArgAction::Append)]
    pub extra_index_url: Vec<String>,
}

impl RulesScanArgs {
    /// Where the packages come from.
    pub(crate) fn index(&self) -> IndexArgs {
        IndexArgs::of_indexes(self.index_url.clone(), self.extra_index_url.clone())
    }
}

fn system(text: &str) -> Result<System, String> {
    match text {
        "linux" => Ok(System::Linux),
        "windows" => Ok(System::Windows),
        "macos" => Ok(System::Macos),
        _ => Err("it is `linux`, `windows` or `macos`".into()),
    }
}

fn python(text: &str) -> Result<(u8, u8), String> {
    let parts = text.split_once('.');
    parts
        .and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)))
        .ok_or_else(|| "it is a version such as `3.11`".into())
}
