//! The commands. Each module runs one; what several need stands beside them: which environment is
//! worked on ([`target_environment`]) and what is installed there ([`distribution`]).

pub(crate) mod asking;
pub(crate) mod audit;
pub(crate) mod autocomplete;
pub(crate) mod bundle;
pub(crate) mod cache;
pub(crate) mod check;
pub(crate) mod completion;
pub(crate) mod config;
pub(crate) mod debug;
pub(crate) mod distribution;
pub(crate) mod doctor;
pub(crate) mod download;
pub(crate) mod freeze;
pub(crate) mod hash;
pub(crate) mod history;
pub(crate) mod index;
pub(crate) mod inspect;
pub(crate) mod install;
pub(crate) mod list;
pub(crate) mod lock;
mod locked_requirements;
pub(crate) mod manual;
pub(crate) mod profiles;
mod python_json;
pub(crate) mod resolve;
pub(crate) mod rule_set;
pub(crate) mod rules;
pub(crate) mod rules_scan;
mod saving;
pub(crate) mod search;
mod selection;
pub(crate) mod show;
pub(crate) mod sources;
pub(crate) mod sync;
pub(crate) mod target_environment;
pub(crate) mod transaction_notes;
pub(crate) mod tree;
pub(crate) mod undo;
pub(crate) mod uninstall;
pub(crate) mod venv;
pub(crate) mod version;
mod version_control;
pub(crate) mod wheel;
mod wheelhouse;

/// For a run as root on a Python that isn't in a virtual environment.
pub(crate) const ROOT_WARNING: &str = "Running bnbpip as the 'root' user can result in broken \
    permissions and conflicting behaviour with the system package manager. It is recommended to \
    use a virtual environment instead. Use the --root-user-action option if you know what you are \
    doing and want to suppress this warning.";
