//! Wheels from source: sdists, source trees and git repositories, built by the project's own
//! backend (PEP 517, PEP 660) in an environment that the caller makes.
//!
//! [`unpack_sdist`] writes an archive's files out safely, [`git::checkout`] gets a repository's,
//! [`SourceTree`] says what a folder declares, [`Build`] runs the backend. This crate resolves and
//! installs nothing: what a backend needs is put into place by the caller's [`BuildEnvironment`].

mod backend;
mod build;
mod config_settings;
pub mod git;
mod output;
mod pack;
mod setup_files;
mod static_metadata;
mod tree;
mod unpack;

pub use backend::{BuildEnvironment, BuildPython, EnvironmentError};
pub use build::{Build, BuildError, WheelKind};
pub use config_settings::{ConfigSettings, ConfigSettingsError};
pub use output::output_tail;
pub use pack::pack_tree;
pub use setup_files::SetupFiles;
pub use static_metadata::{packed_metadata, static_metadata, written_metadata};
pub use tree::{BuildSystem, SourceTree, TreeError};
pub use unpack::{UnpackError, UnpackLimits, unpack_sdist};
