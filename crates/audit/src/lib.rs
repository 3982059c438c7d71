//! Known vulnerabilities: advisories in the [OSV format](https://ossf.github.io/osv-schema/), and
//! which of them are about a version of a package.
//!
//! Pure: the binary reads the database and knows today's date.

mod advisory;
mod database;
mod finding;
mod ignore;
mod range;

pub use advisory::{Advisory, AdvisoryError};
pub use database::Database;
pub use finding::Finding;
pub use ignore::{Ignore, Verdict};
