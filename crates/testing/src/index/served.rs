//! What the index holds, how it behaves, and what it was asked.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use crate::BuiltWheel;

/// A file of the index.
#[derive(Debug, Clone)]
pub struct HostedFile {
    /// The project, by any spelling.
    pub project: String,
    /// The file's name.
    pub filename: String,
    /// The file.
    pub bytes: Bytes,
    /// Its metadata, served beside it (PEP 658).
    pub metadata: Option<Bytes>,
    /// `Requires-Python` on the page.
    pub requires_python: Option<String>,
    /// Whether it is yanked; a reason may be empty.
    pub yanked: Option<String>,
    /// When it was uploaded, as RFC 3339.
    pub upload_time: Option<String>,
    /// What the page says about its hash.
    pub hash: HashInPage,
    /// The link on the page, if it isn't the index's own.
    pub url: Option<String>,
    /// Who attests to it (PEP 740).
    pub publisher: Option<serde_json::Value>,
}

/// What a page says about a file's hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HashInPage {
    /// Its SHA-256.
    #[default]
    Right,
    /// Another SHA-256.
    Wrong,
    /// Nothing.
    Missing,
}

impl From<BuiltWheel> for HostedFile {
    fn from(wheel: BuiltWheel) -> Self {
        Self {
            project: wheel.name,
            filename: wheel.filename,
            bytes: wheel.bytes.into(),
            metadata: Some(wheel.metadata.into()),
            requires_python: wheel.requires_python,
            yanked: None,
            upload_time: None,
            hash: HashInPage::Right,
            url: None,
            publisher: None,
        }
    }
}

impl From<&BuiltWheel> for HostedFile {
    fn from(wheel: &BuiltWheel) -> Self {
        wheel.clone().into()
    }
}

impl HostedFile {
    /// A file that isn't a wheel, such as an sdist.
    pub fn other(project: &str, filename: &str, bytes: impl Into<Bytes>) -> Self {
        Self {
            project: project.to_string(),
            filename: filename.to_string(),
            bytes: bytes.into(),
            metadata: None,
            requires_python: None,
            yanked: None,
            upload_time: None,
            hash: HashInPage::Right,
            url: None,
            publisher: None,
        }
    }

    /// Yanks it.
    #[must_use]
    pub fn yanked(mut self, reason: &str) -> Self {
        self.yanked = Some(reason.to_string());
        self
    }

    /// Sets when it was uploaded (RFC 3339).
    #[must_use]
    pub fn uploaded(mut self, time: &str) -> Self {
        self.upload_time = Some(time.to_string());
        self
    }

    /// Sets what the page says about its hash.
    #[must_use]
    pub fn hash(mut self, hash: HashInPage) -> Self {
        self.hash = hash;
        self
    }

    /// Has somebody attest to it.
    #[must_use]
    pub fn attested(mut self, publisher: serde_json::Value) -> Self {
        self.publisher = Some(publisher);
        self
    }

    /// Serves no metadata beside it, although the index does so for others.
    #[must_use]
    pub fn without_metadata(mut self) -> Self {
        self.metadata = None;
        self
    }

    /// Links to it there instead of here.
    #[must_use]
    pub fn linked_as(mut self, url: &str) -> Self {
        self.url = Some(url.to_string());
        self
    }

    pub(super) fn normalized_project(&self) -> String {
        normalize(&self.project)
    }

    pub(super) fn sha256(&self) -> Option<String> {
        match self.hash {
            HashInPage::Right => Some(crate::sha256_hex(&self.bytes)),
            HashInPage::Wrong => Some(crate::sha256_hex(b"another file")),
            HashInPage::Missing => None,
        }
    }
}

/// A project's name as PEP 503 normalizes it.
pub(super) fn normalize(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let parts: Vec<&str> = lower
        .split(['-', '_', '.'])
        .filter(|part| !part.is_empty())
        .collect();
    parts.join("-")
}

/// In which form the Simple API comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PageFormat {
    /// What the client prefers by its `Accept` header.
    #[default]
    Negotiated,
    /// JSON (PEP 691), whatever was asked for.
    Json,
    /// HTML (PEP 503), whatever was asked for.
    Html,
}

/// What the index makes of a `Range` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ranges {
    /// Serves the range.
    #[default]
    Served,
    /// Serves ranges, but answers 416 to a suffix range (`bytes=-1000`).
    NoSuffix,
    /// Doesn't know it: answers 200 with the whole file.
    Ignored,
}

/// How the index behaves.
#[expect(clippy::struct_excessive_bools, reason = "independent switches")]
#[derive(Debug, Clone)]
pub struct Options {
    /// The form of pages.
    pub format: PageFormat,
    /// The form of some projects' pages, by normalized name.
    pub formats: BTreeMap<String, PageFormat>,
    /// Whether metadata is offered beside wheels (PEP 658), where a file has it.
    pub metadata_files: bool,
    /// What a `Range` header does.
    pub ranges: Ranges,
    /// Whether JSON pages have `size`.
    pub sizes: bool,
    /// Whether links are relative to the page.
    pub relative_links: bool,
    /// The address in a `<base>` of HTML pages.
    pub html_base: Option<String>,
    /// The `Cache-Control` of pages and metadata.
    pub cache_control: Option<String>,
    /// Whether answers have an `ETag`, and `If-None-Match` is heeded.
    pub etags: bool,
    /// User and password that every request must show.
    pub credentials: Option<(String, String)>,
    /// Whether pages are shown to all, and only files want credentials.
    pub open_pages: bool,
    /// Whether a project's page without its final slash is redirected to the one with it.
    pub redirect_to_slash: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            format: PageFormat::default(),
            formats: BTreeMap::new(),
            metadata_files: true,
            ranges: Ranges::default(),
            sizes: true,
            relative_links: false,
            html_base: None,
            cache_control: None,
            etags: true,
            credentials: None,
            open_pages: false,
            redirect_to_slash: true,
        }
    }
}

/// A request that the index got.
#[derive(Debug, Clone)]
pub struct RecordedRequest {
    /// `GET` or `HEAD`.
    pub method: String,
    /// The path, decoded.
    pub path: String,
    /// The `Range` header.
    pub range: Option<String>,
    /// The `If-None-Match` header.
    pub if_none_match: Option<String>,
    /// `Cache-Control`.
    pub cache_control: Option<String>,
    /// The `Accept` header.
    pub accept: Option<String>,
    /// The `Authorization` header.
    pub authorization: Option<String>,
    /// The `User-Agent` header.
    pub user_agent: Option<String>,
    /// The status that was answered; 0 if the connection was cut instead.
    pub status: u16,
    pub(super) served: Arc<AtomicU64>,
}

impl RecordedRequest {
    /// How many bytes of the body were handed to the connection so far.
    pub fn bytes_served(&self) -> u64 {
        self.served.load(Ordering::Relaxed)
    }
}
