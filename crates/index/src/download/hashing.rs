//! Digests of what arrives.

use std::io::Read;
use std::path::Path;

use bnbpip_packaging::{HashAlgorithm, Hashes};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

use super::RequiredHashes;
use crate::error::IndexError;
use crate::page::encode_hex;

/// SHA-256, and whatever else is asked for, of one stream of bytes.
pub(super) struct Hasher {
    sha256: Sha256,
    others: Vec<Other>,
    bytes: u64,
}

enum Other {
    Md5(Md5),
    Sha1(Sha1),
    Sha224(Sha224),
    Sha384(Sha384),
    Sha512(Sha512),
}

/// The finished digests.
#[derive(Debug, Clone)]
pub(super) struct Digests {
    hex: Vec<(HashAlgorithm, String)>,
    bytes: u64,
}

impl Hasher {
    /// For everything that `known` and `required` need.
    pub(super) fn new(known: &Hashes, required: &RequiredHashes) -> Self {
        let mut wanted: Vec<HashAlgorithm> = known
            .iter()
            .map(|(algorithm, _)| algorithm)
            .chain(required.0.iter().map(|(algorithm, _)| *algorithm))
            .collect();
        wanted.sort_unstable();
        wanted.dedup();
        let others = wanted.into_iter().filter_map(|algorithm| match algorithm {
            HashAlgorithm::Md5 => Some(Other::Md5(Md5::new())),
            HashAlgorithm::Sha1 => Some(Other::Sha1(Sha1::new())),
            HashAlgorithm::Sha224 => Some(Other::Sha224(Sha224::new())),
            HashAlgorithm::Sha256 => None,
            HashAlgorithm::Sha384 => Some(Other::Sha384(Sha384::new())),
            HashAlgorithm::Sha512 => Some(Other::Sha512(Sha512::new())),
        });
        Self {
            others: others.collect(),
            sha256: Sha256::new(),
            bytes: 0,
        }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.sha256.update(bytes);
        for other in &mut self.others {
            match other {
                Other::Md5(hasher) => hasher.update(bytes),
                Other::Sha1(hasher) => hasher.update(bytes),
                Other::Sha224(hasher) => hasher.update(bytes),
                Other::Sha384(hasher) => hasher.update(bytes),
                Other::Sha512(hasher) => hasher.update(bytes),
            }
        }
    }

    pub(super) fn finish(self) -> Digests {
        let mut hex = vec![(HashAlgorithm::Sha256, encode_hex(&self.sha256.finalize()))];
        hex.extend(self.others.into_iter().map(|other| match other {
            Other::Md5(hasher) => (HashAlgorithm::Md5, encode_hex(&hasher.finalize())),
            Other::Sha1(hasher) => (HashAlgorithm::Sha1, encode_hex(&hasher.finalize())),
            Other::Sha224(hasher) => (HashAlgorithm::Sha224, encode_hex(&hasher.finalize())),
            Other::Sha384(hasher) => (HashAlgorithm::Sha384, encode_hex(&hasher.finalize())),
            Other::Sha512(hasher) => (HashAlgorithm::Sha512, encode_hex(&hasher.finalize())),
        }));
        Digests {
            hex,
            bytes: self.bytes,
        }
    }
}

impl Digests {
    pub(super) fn sha256(&self) -> &str {
        self.get(HashAlgorithm::Sha256)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    fn get(&self, algorithm: HashAlgorithm) -> &str {
        let found = self.hex.iter().find(|(known, _)| *known == algorithm);
        found.map_or("", |(_, hex)| hex)
    }
}

/// The digests of a file on disk.
pub(super) fn hash_file(
    path: &Path,
    known: &Hashes,
    required: &RequiredHashes,
) -> Result<Digests, IndexError> {
    let io = |source| IndexError::io("read", path, 0, source);
    let mut file = fs_err::File::open(path).map_err(io)?;
    let mut hasher = Hasher::new(known, required);
    let mut buffer = vec![0; 256 << 10];
    loop {
        let length = file.read(&mut buffer).map_err(io)?;
        let Some(bytes) = buffer.get(..length).filter(|bytes| !bytes.is_empty()) else {
            return Ok(hasher.finish());
        };
        hasher.update(bytes);
    }
}

/// Every known digest must be right, and one of the required ones.
pub(super) fn verify(
    digests: &Digests,
    known: &Hashes,
    required: &RequiredHashes,
    filename: &str,
    location: &str,
) -> Result<(), IndexError> {
    let mismatch = |algorithm, expected: String| IndexError::HashMismatch {
        filename: filename.to_string(),
        location: location.to_string(),
        algorithm,
        expected,
        got: digests.get(algorithm).to_string(),
    };
    for (algorithm, expected) in known.iter() {
        if digests.get(algorithm) != expected {
            return Err(mismatch(algorithm, expected.to_string()));
        }
    }
    let passes = |(algorithm, expected): &(HashAlgorithm, Box<str>)| {
        digests.get(*algorithm).eq_ignore_ascii_case(expected)
    };
    match required.0.first() {
        Some((algorithm, _)) if !required.0.iter().any(passes) => {
            let same_kind = required.0.iter().filter(|(kind, _)| kind == algorithm);
            let expected: Vec<&str> = same_kind.map(|(_, hex)| &**hex).collect();
            Err(mismatch(*algorithm, expected.join(" or ")))
        }
        _ => Ok(()),
    }
}

/// Checks the digests of something small.
pub(crate) fn check_bytes(
    bytes: &[u8],
    known: &Hashes,
    filename: &str,
    location: &str,
) -> Result<(), IndexError> {
    let required = RequiredHashes::default();
    let mut hasher = Hasher::new(known, &required);
    hasher.update(bytes);
    verify(&hasher.finish(), known, &required, filename, location)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(known: &str, required: &[(HashAlgorithm, &str)]) -> Result<(), IndexError> {
        let known = Hashes::parse_fragment(known);
        let required = RequiredHashes(
            required
                .iter()
                .map(|(a, hex)| (*a, Box::from(*hex)))
                .collect(),
        );
        let mut hasher = Hasher::new(&known, &required);
        hasher.update(b"abc");
        verify(&hasher.finish(), &known, &required, "f", "host")
    }

    const MD5: &str = "900150983cd24fb0d6963f7d28e17f72";
    const SHA256: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn every_known_digest_counts() {
        assert!(check(&format!("md5={MD5}&sha256={SHA256}"), &[]).is_ok());
        let wrong = format!("md5={}&sha256={SHA256}", MD5.replace('9', "8"));
        assert!(matches!(
            check(&wrong, &[]),
            Err(IndexError::HashMismatch {
                algorithm: HashAlgorithm::Md5,
                ..
            })
        ));
    }

    #[test]
    fn one_required_digest_is_enough() {
        let wrong = "0".repeat(64);
        let both = [
            (HashAlgorithm::Sha256, wrong.as_str()),
            (HashAlgorithm::Sha256, SHA256),
        ];
        assert!(check("", &both).is_ok());
        let error = check("", &both[..1]).unwrap_err();
        assert!(error.to_string().contains(&wrong) && error.to_string().contains(SHA256));
    }
}
