//! Hashes of files, as indexes, requirement files and locks give them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The algorithms that packaging metadata uses, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HashAlgorithm {
    /// Broken; told apart from no hash only for old indexes.
    Md5,
    /// Broken.
    Sha1,
    /// SHA-224
    Sha224,
    /// SHA-256, what everybody uses
    Sha256,
    /// SHA-384
    Sha384,
    /// SHA-512
    Sha512,
}

/// Why a hash could not be read.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// The algorithm is not one that this tool checks.
    #[error("Failed to read hash `{0}`: unknown algorithm")]
    UnknownAlgorithm(String),
    /// The text is not `algorithm=hex` of the algorithm's length.
    #[error("Failed to read hash `{0}`: it is not `algorithm=` and a hexadecimal digest")]
    Malformed(String),
}

impl HashAlgorithm {
    /// The name in fragments and lock files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha224 => "sha224",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// The length of a digest in hexadecimal characters.
    pub fn hex_length(self) -> usize {
        match self {
            Self::Md5 => 32,
            Self::Sha1 => 40,
            Self::Sha224 => 56,
            Self::Sha256 => 64,
            Self::Sha384 => 96,
            Self::Sha512 => 128,
        }
    }

    /// Whether a file that matches is the file that was meant. MD5 and SHA-1 only show accidents.
    pub fn is_strong(self) -> bool {
        self >= Self::Sha224
    }
}

impl FromStr for HashAlgorithm {
    type Err = HashError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        [
            Self::Md5,
            Self::Sha1,
            Self::Sha224,
            Self::Sha256,
            Self::Sha384,
            Self::Sha512,
        ]
        .into_iter()
        .find(|algorithm| algorithm.as_str().eq_ignore_ascii_case(name))
        .ok_or_else(|| HashError::UnknownAlgorithm(name.to_string()))
    }
}

impl fmt::Display for HashAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The known hashes of one file, at most one an algorithm, in lower-case hexadecimal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Hashes(Vec<(HashAlgorithm, Box<str>)>);

impl Hashes {
    /// No known hash.
    pub fn new() -> Self {
        Self::default()
    }

    /// One SHA-256 digest in hexadecimal; empty if it isn't one.
    pub fn from_sha256(hex: &str) -> Self {
        let mut hashes = Self::new();
        let _invalid_is_left_out = hashes.insert(HashAlgorithm::Sha256, hex);
        hashes
    }

    /// Adds or replaces a digest.
    ///
    /// # Errors
    ///
    /// When `hex` is not hexadecimal of the algorithm's length.
    pub fn insert(&mut self, algorithm: HashAlgorithm, hex: &str) -> Result<(), HashError> {
        if hex.len() != algorithm.hex_length() || !hex.bytes().all(|byte| byte.is_ascii_hexdigit())
        {
            return Err(HashError::Malformed(format!("{algorithm}={hex}")));
        }
        self.insert_as_given(algorithm, hex);
        Ok(())
    }

    /// Adds or replaces a digest that may be malformed: then it is no file's, and every file fails
    /// the comparison with it.
    pub fn insert_as_given(&mut self, algorithm: HashAlgorithm, hex: &str) {
        let hex = hex.to_ascii_lowercase().into_boxed_str();
        match self.0.binary_search_by_key(&algorithm, |(known, _)| *known) {
            Ok(at) => self.0[at].1 = hex,
            Err(at) => self.0.insert(at, (algorithm, hex)),
        }
    }

    /// Reads `sha256=<hex>` as it stands in URL fragments; several may be joined by `&`, and parts
    /// that name no hash (`egg=…`) are passed over.
    pub fn parse_fragment(fragment: &str) -> Self {
        let mut hashes = Self::new();
        for (name, hex) in fragment.split('&').filter_map(|part| part.split_once('=')) {
            if let Ok(algorithm) = HashAlgorithm::from_str(name) {
                let _invalid_is_left_out = hashes.insert(algorithm, hex);
            }
        }
        hashes
    }

    /// The first hash in a URL's fragment that can be no file's: its algorithm and its digits.
    pub fn malformed(fragment: &str) -> Option<(&str, &str)> {
        let mut parts = fragment.split('&').filter_map(|part| part.split_once('='));
        parts.find(|(name, hex)| {
            let algorithm = HashAlgorithm::from_str(name);
            algorithm.is_ok_and(|algorithm| Self::new().insert(algorithm, hex).is_err())
        })
    }

    /// Reads `sha256:<hex>` or `sha256=<hex>` strictly.
    ///
    /// # Errors
    ///
    /// When the algorithm is unknown or the digest malformed.
    pub fn parse_one(text: &str) -> Result<(HashAlgorithm, Box<str>), HashError> {
        let (name, hex) = text
            .split_once([':', '='])
            .ok_or_else(|| HashError::Malformed(text.to_string()))?;
        let mut hashes = Self::new();
        hashes.insert(name.parse()?, hex)?;
        hashes
            .0
            .pop()
            .ok_or_else(|| HashError::Malformed(text.to_string()))
    }

    /// The digest of one algorithm in lower-case hexadecimal.
    pub fn get(&self, algorithm: HashAlgorithm) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| *known == algorithm)
            .map(|(_, hex)| &**hex)
    }

    /// The SHA-256 digest in lower-case hexadecimal.
    pub fn sha256(&self) -> Option<&str> {
        self.get(HashAlgorithm::Sha256)
    }

    /// The strongest known hash.
    pub fn strongest(&self) -> Option<(HashAlgorithm, &str)> {
        self.0.last().map(|(algorithm, hex)| (*algorithm, &**hex))
    }

    /// Whether no hash is known.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All hashes, weakest algorithm first.
    pub fn iter(&self) -> impl Iterator<Item = (HashAlgorithm, &str)> {
        self.0.iter().map(|(algorithm, hex)| (*algorithm, &**hex))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_fragments_and_refuses_malformed_digests() {
        let hex = "A".repeat(64);
        let hashes = Hashes::parse_fragment(&format!("egg=x&sha256={hex}&md5=12"));
        assert_eq!(hashes.sha256(), Some("a".repeat(64).as_str()));
        assert_eq!(hashes.get(HashAlgorithm::Md5), None);
        assert!(Hashes::parse_one("sha256:xyz").is_err());
        assert!(Hashes::parse_one("crc=00").is_err());
    }
}
