//! `direct_url.json`: where a distribution that didn't come from an index came from
//! ([PEP 610](https://packaging.python.org/en/latest/specifications/direct-url-data-structure/)).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The content of `direct_url.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectUrl {
    /// The URL, without credentials.
    pub url: String,
    /// What kind of source it is.
    #[serde(flatten)]
    pub source: DirectUrlSource,
    /// The project's folder within the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subdirectory: Option<String>,
}

/// The kinds of source, each under the key that names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum DirectUrlSource {
    /// An archive: a wheel or an sdist.
    #[serde(rename = "archive_info")]
    Archive(ArchiveInfo),
    /// A local directory.
    #[serde(rename = "dir_info")]
    Directory(DirInfo),
    /// A version control checkout.
    #[serde(rename = "vcs_info")]
    Vcs(VcsInfo),
}

/// What is known of an archive.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveInfo {
    /// `algorithm=hex`, the older form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// Algorithm to hexadecimal digest.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hashes: BTreeMap<String, String>,
}

impl ArchiveInfo {
    /// The record for a file of this SHA-256 (hexadecimal), in both forms, as pip writes it.
    pub fn from_sha256(hex: &str) -> Self {
        Self {
            hash: Some(format!("sha256={hex}")),
            hashes: BTreeMap::from([("sha256".to_string(), hex.to_string())]),
        }
    }
}

/// What is known of a local directory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirInfo {
    /// Whether it was installed in place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub editable: Option<bool>,
}

/// What is known of a checkout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VcsInfo {
    /// `git`, `hg`, …
    pub vcs: String,
    /// The exact commit.
    pub commit_id: String,
    /// The branch, tag or commit that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_revision: Option<String>,
}

impl DirectUrl {
    /// Whether it is a directory that was installed in place.
    pub fn is_editable(&self) -> bool {
        matches!(&self.source, DirectUrlSource::Directory(info) if info.editable == Some(true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_the_standards_shape() {
        let text = r#"{"url":"file:///x","dir_info":{"editable":true}}"#;
        let parsed: DirectUrl = serde_json::from_str(text).unwrap();
        assert!(parsed.is_editable());
        assert_eq!(serde_json::to_string(&parsed).unwrap(), text);
    }
}
