//! `bnbpip hash`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Compute the hashes of files, as requirements files name them.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Hash Options")]
pub(crate) struct HashArgs {
    /// The files.
    #[arg(value_name = "file", help_heading = None)]
    pub files: Vec<PathBuf>,

    /// The hash algorithm.
    #[arg(short, long, value_name = "algorithm", value_enum, default_value_t)]
    pub algorithm: FileHashAlgorithm,
}

/// `--algorithm`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum FileHashAlgorithm {
    /// SHA-256
    #[default]
    Sha256,
    /// SHA-384
    Sha384,
    /// SHA-512
    Sha512,
}
