//! What is known about a file beside its metadata: its size, and who attests to it (PEP 740).

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::IndexClient;
use crate::cache::{Bucket, CacheKey, open_sealed, read_if_present, seal, write_atomic};
use crate::download::RequiredHashes;
use crate::error::{IndexError, SharedResult};
use crate::index_url::without_credentials;
use crate::metadata::Ranged;
use crate::page::PackageFile;
use crate::progress::NoProgress;

const KIND: [u8; 4] = *b"PUBL";

/// Who attests to a file: an identity that a publishing service vouched for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Publisher {
    /// The service: `GitHub`, `GitLab`, …
    pub kind: String,
    /// What identifies the publisher there, such as `repository` and `workflow`.
    pub claims: BTreeMap<String, String>,
}

/// The cached form.
#[derive(Serialize, Deserialize)]
struct Record {
    filename: String,
    publishers: Vec<Publisher>,
}

/// A provenance object, as far as it is of interest.
#[derive(Deserialize)]
struct Provenance {
    attestation_bundles: Vec<Bundle>,
}

#[derive(Deserialize)]
struct Bundle {
    publisher: BTreeMap<String, serde_json::Value>,
}

/// The file name in a record of this module.
pub(crate) fn cached_filename(path: &Path, bytes: &[u8]) -> Option<String> {
    open_sealed::<Record>(KIND, path, bytes).map(|record| record.filename)
}

impl IndexClient {
    /// A file's size: what the page says, else what the server says, else that of the download.
    ///
    /// # Errors
    /// When the server can't be asked.
    pub async fn size_bytes(&self, file: &PackageFile) -> SharedResult<u64> {
        if let Some(size) = file.size_bytes {
            return Ok(size);
        }
        if let Some(path) = file.local_path() {
            let io = |source| IndexError::io("read", &path, 0, source);
            return Ok(fs_err::metadata(&path).map_err(io)?.len());
        }
        let first_byte = self.inner.metadata.range(&file.url, "0-0").await;
        match first_byte.map_err(IndexError::from)? {
            Ranged::Bytes(_, Some(total)) => Ok(total),
            Ranged::Bytes(_, None) | Ranged::Unsupported(_) => {
                let any = RequiredHashes::default();
                let downloaded = self.download(file, &any, &NoProgress).await?;
                let io = |source| IndexError::io("read", &downloaded.path, 0, source);
                Ok(fs_err::metadata(&downloaded.path).map_err(io)?.len())
            }
        }
    }

    /// A file as its index has it, where a mirror's page told of it; the file itself where that
    /// makes no difference. `None` if the index has another of that name, or none.
    ///
    /// # Errors
    /// When the index can't be asked.
    pub async fn on_index(&self, file: &PackageFile) -> SharedResult<Option<PackageFile>> {
        self.inner.pages.on_index(file).await
    }

    /// The publishers that attest to a file, by the index's account; none where it gives none. The
    /// signatures aren't checked.
    ///
    /// # Errors
    /// When the index can't be asked, or what it says can't be understood.
    pub async fn publishers(&self, file: &PackageFile) -> SharedResult<Vec<Publisher>> {
        let Some(address) = &file.provenance else {
            return Ok(Vec::new());
        };
        let sha256 = file.hashes.sha256().unwrap_or_default();
        let key = CacheKey::digest(&[&without_credentials(&file.url), sha256, "publishers"]);
        let path = self.inner.cache.entry(Bucket::Metadata, &key, "publishers");
        if let Ok(Some(bytes)) = read_if_present(&path)
            && let Some(record) = open_sealed::<Record>(KIND, &path, &bytes)
        {
            return Ok(record.publishers);
        }
        let bad = |source: Box<dyn std::error::Error + Send + Sync>| IndexError::BadProvenance {
            filename: file.filename_text.to_string(),
            source,
        };
        let url = address.parse().map_err(|error| bad(Box::new(error)))?;
        let bytes = self.read_url(&url).await?;
        let provenance: Provenance =
            serde_json::from_slice(&bytes).map_err(|error| bad(Box::new(error)))?;
        let publishers: Vec<Publisher> = provenance
            .attestation_bundles
            .into_iter()
            .filter_map(|bundle| publisher(bundle.publisher))
            .collect();
        let record = Record {
            filename: file.filename_text.to_string(),
            publishers,
        };
        if let Ok(bytes) = seal(KIND, &path, &record)
            && let Err(error) = write_atomic(&path, &[&bytes])
        {
            tracing::debug!(%error, "a file's publishers can't be cached");
        }
        Ok(record.publishers)
    }
}

/// What is said about a publisher in texts; one without a kind is none.
fn publisher(claims: BTreeMap<String, serde_json::Value>) -> Option<Publisher> {
    let texts = claims.into_iter().filter_map(|(key, value)| match value {
        serde_json::Value::String(text) => Some((key, text)),
        _ => None,
    });
    let mut claims: BTreeMap<String, String> = texts.collect();
    let kind = claims.remove("kind")?;
    Some(Publisher { kind, claims })
}
