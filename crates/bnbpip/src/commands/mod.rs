//! The commands. Each module runs one; what several need stands beside them: which environment is
//! worked on ([`target_environment`]) and what is installed there ([`distribution`]).

//CACHE pub(crate) mod cache;
pub(crate) mod check;
pub(crate) mod distribution;
pub(crate) mod freeze;
pub(crate) mod install;
pub(crate) mod list;
mod python_json;
mod selection;
pub(crate) mod show;
pub(crate) mod target_environment;
pub(crate) mod transaction_notes;
pub(crate) mod uninstall;
pub(crate) mod venv;
mod version_control;
