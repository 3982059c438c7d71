//! What is wrong with an environment that exists: findings as data, the one command that mends
//! them, and both as text and as JSON.
//!
//! Pure: facts come in as plain values, text and JSON go out. Nothing here looks at a file.

mod accelerator;
mod checks;
mod command;
mod finding;
mod machine;
mod privacy;
mod render;
mod rules;
mod stack;
mod tables;

pub use accelerator::{ExaminedTorch, mixed_builds, torch_build};
pub use checks::{Cause, Check, Outcome, last_exception};
pub use command::{Shell, command_line, quoted};
pub use finding::{Finding, Mend, Severity};
pub use machine::{
    EmbeddedPython, OpenMpCopy, RuntimeLibrary, embedded, long_paths, openmp, vc_runtime,
};
pub use privacy::Privacy;
pub use render::{Diagnosis, Fact};
pub use rules::rule_finding;
pub use stack::{Torch, TorchBuild, cuda_library, not_on_windows, python_too_new};
