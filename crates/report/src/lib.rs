//! Everything that a person reads: explanations of failures, plans, findings, ranges and sizes; and pip's
//! JSON report, which programs read.
//!
//! Pure: it returns text, and the binary prints it.

pub mod accelerator;
pub mod audit;
mod counts;
pub mod dependency_graph;
pub mod doctor;
pub mod explain;
pub mod install_report;
pub mod lock_diff;
pub mod plan;
pub mod profiles;
pub mod ranges;
pub mod rules;
pub mod sizes;

pub use counts::counted;
pub use explain::{NoSolution, TargetWords, no_solution};
pub use plan::{Action, PlanLine, PlanView};
