//! Finds imports that can't work: what `import PACKAGE` reaches, run in the abstract over a
//! wheel's Python files, against the modules and names that other wheels have.
//!
//! [`setup_requirements`] reads what a `setup.py` and a `setup.cfg` say that their project requires.
//!
//! Nothing is executed and nothing is fetched here: [`WheelFiles`] holds paths and those files
//! that were handed in, and a [`Scan`] says which further files it wants. Conditions that can be
//! decided (`find_spec`, `TYPE_CHECKING`, versions, the platform) are; what stands under others
//! is reported as conditional. What can't be known, such as the names of a compiled module, is
//! never reported.

mod evaluate;
mod findings;
mod imports;
mod installed;
mod interpreter;
mod module;
mod names;
mod parse;
mod ranges;
mod setup_script;
mod wheel;

pub use findings::{Facts, Finding, Missing, Scan, System, scan};
pub use installed::Replay;
pub use ranges::{Break, VersionRun, discover, runs};
pub use setup_script::{SetupOptions, setup_requirements};
pub use wheel::WheelFiles;
