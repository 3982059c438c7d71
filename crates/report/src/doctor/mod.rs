//! What is wrong with an environment that exists: findings as data, the one command that mends
//! them, and both as text and as JSON.
//!
//! Pure: facts come in as plain values, text and JSON go out. Nothing here looks at a file.

mod command;
mod finding;
mod privacy;
mod render;
mod rules;

pub use command::{Shell, command_line, quoted};
pub use finding::{Finding, Mend, Severity};
pub use privacy::Privacy;
pub use render::{Diagnosis, Fact};
pub use rules::rule_finding;
