//! Unpacked wheels into environments: schemes, scripts, `RECORD` and the [`Transaction`].
//!
//! An [`Environment`] says where a target's files go. [`InstalledEnvironment::scan`] lists what
//! is installed there. A [`Transaction`] prepares wheels ([`Transaction::install`]) and removals
//! ([`Transaction::remove`]) and makes all changes at once ([`Transaction::commit`]), leaving a
//! [`Receipt`]. This crate knows neither the network nor the solver, and asks the target's
//! interpreter for nothing but byte-code.

mod area;
mod byte_code;
mod compile;
mod environment;
mod error;
mod exchange;
mod history;
mod in_use;
mod installed;
mod journal;
mod launcher;
mod layout;
mod leftovers;
mod link;
mod lock;
mod options;
mod owners;
mod paths;
mod planner;
mod python_json;
mod receipt;
mod regular;
mod removal;
mod script;
mod stage;
mod steps;
mod swap;
mod transaction;
mod undo;
mod wheel;

pub use environment::{Environment, InterpreterFacts, Scheme, default_state_dir};
pub use error::TransactionError;
pub use history::{History, receipts};
pub use in_use::{FileHolders, Holder, SystemHolders};
pub use installed::{
    DistributionKind, InstalledDistribution, InstalledEnvironment, InstalledError,
};
pub use launcher::{LauncherError, launcher};
pub use leftovers::{Leftover, leftovers, remove_leftovers};
pub use link::LinkMode;
pub use options::{ClobberPolicy, InstallOptions, Outcome, Progress, TargetMode};
pub use paths::normalize;
pub use receipt::{Receipt, ReceiptEntry, ReceiptError};
pub use regular::{read_regular, read_regular_text};
pub use removal::{RemovalError, RemovalPlan};
pub use stage::INSTALLER;
pub use steps::{Step, StepHook};
pub use swap::Recovery;
pub use transaction::{Transaction, has_pending, recover, recover_abandoned};
pub use undo::{Reversal, reversals};
pub use wheel::{UnpackedWheel, WheelError, WheelFile, WheelInstall};
