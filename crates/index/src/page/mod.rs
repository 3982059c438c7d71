//! What an index says about one project, in a form that is cheap to load.
//!
//! A page is parsed once (JSON or HTML) into an `rkyv` record, which is also what the cache
//! holds. Loading validates the record and copies nothing; versions are parsed when they are
//! first asked for, and files when their version is.

mod address;
mod builder;
mod digests;
mod file;
mod html;
mod json;
mod project;
mod project_page;
mod record;
mod requires_python;
mod root;

pub use file::{DistributionFilename, FileError, PackageFile};
pub use project::Project;
pub use project_page::{ProjectPage, SkippedFile};
pub use requires_python::RequiresPython;

pub(crate) use builder::{PageBuilder, PageScope};
pub(crate) use file::last_segment;
pub(crate) use html::read_html;
pub(crate) use json::read_json;
pub(crate) use record::{Link, PageRecord, encode_hex};
pub(crate) use root::{Root, parse_root_html, parse_root_json};

/// Why a page can't be used.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The text is not the JSON that PEP 691 describes.
    #[error("Failed to read the JSON of the page")]
    Json(#[source] serde_json::Error),
    /// A major version of the interface that isn't known.
    #[error("Failed to read the page: its interface version `{0}` is not supported")]
    Version(String),
    /// Neither JSON nor HTML.
    #[error("Failed to read the page: the content type `{0}` is neither JSON nor HTML")]
    ContentType(String),
    /// More files than a page may have.
    #[error("Failed to read the page: it has more than {0} files")]
    TooManyFiles(usize),
    /// The parsed page can't be written as a record.
    #[error("Failed to write the page's record")]
    Record(#[source] rkyv::rancor::Error),
    /// The record is damaged.
    #[error("Failed to read the page's record")]
    Damaged(#[source] rkyv::rancor::Error),
}

/// Refuses a major interface version other than 1 (PEP 629).
fn check_api_version(version: &str) -> Result<(), PageError> {
    if version.split('.').next() == Some("1") {
        Ok(())
    } else {
        Err(PageError::Version(version.chars().take(40).collect()))
    }
}
