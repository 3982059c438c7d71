//! `--hash=sha256:...` of a requirement.

use std::fmt;

/// A hash that a requirement's file may have.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct RequirementHash {
    /// The algorithm's name: one of `sha256`, `sha384`, `sha512`.
    pub algorithm: &'static str,
    /// The digest in lowercase hexadecimal.
    pub digest: String,
}

/// What pip says where a file isn't the one that was meant, and scripts look for.
pub(crate) const MISMATCH: &str =
    "THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.";

/// The algorithms that are strong enough, with the length of their digests in hexadecimal.
const ALGORITHMS: [(&str, usize); 3] = [("sha256", 64), ("sha384", 96), ("sha512", 128)];

impl RequirementHash {
    /// Whether no file at all can have the hash that `text` asks for, though it is written as one.
    pub(super) fn fits_no_file(text: &str) -> bool {
        let algorithm = text.split_once(':').map(|(algorithm, _)| algorithm);
        let is_known = ALGORITHMS.iter().any(|(name, _)| Some(*name) == algorithm);
        is_known && Self::parse(text).is_err()
    }

    /// Reads `algorithm:digest`.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let Some((algorithm, digest)) = text.split_once(':') else {
            return Err(
                "Arguments to --hash must be a hash name followed by a value, like --hash=sha256:abcde..."
                    .to_owned(),
            );
        };
        let Some((algorithm, length)) = ALGORITHMS.into_iter().find(|(name, _)| *name == algorithm)
        else {
            return Err(
                "Allowed hash algorithms for --hash are sha256, sha384, sha512.".to_owned(),
            );
        };
        let digest = digest.trim().to_ascii_lowercase();
        if digest.len() != length || !digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(format!(
                "the value of --hash={algorithm}:... must be {length} hexadecimal digits"
            ));
        }
        Ok(Self { algorithm, digest })
    }
}

impl fmt::Display for RequirementHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm, self.digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_strong_and_whole_hashes() {
        let digest = "A".repeat(64);
        let hash = RequirementHash::parse(&format!("sha256:{digest}")).unwrap();
        assert_eq!(hash.digest, "a".repeat(64));
        for bad in [
            "sha256",
            "md5:d41d8cd98f00b204e9800998ecf8427e",
            "sha256:abc",
            "sha256:",
        ] {
            assert!(RequirementHash::parse(bad).is_err(), "{bad}");
            assert_eq!(
                RequirementHash::fits_no_file(bad),
                bad.starts_with("sha256:"),
                "{bad}"
            );
        }
        assert!(!RequirementHash::fits_no_file(&format!("sha256:{digest}")));
        assert!(RequirementHash::parse(&format!("sha256:{}", "g".repeat(64))).is_err());
    }
}
