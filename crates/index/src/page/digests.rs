//! The digests of a link, as its record keeps them.

use std::str::FromStr;

use bnbpip_packaging::HashAlgorithm;

use super::record::{ALGORITHMS, HashPair, HashRecord, decode_sha256};

/// Digests with known algorithms. One that is malformed is an error: a file must not lose its
/// check because of it.
fn all_hashes(hashes: &[HashPair<'_>]) -> Result<Vec<HashRecord>, &'static str> {
    let mut records = Vec::new();
    for (name, hex) in hashes {
        let Ok(algorithm) = HashAlgorithm::from_str(name) else {
            continue;
        };
        let is_hex = hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        if hex.len() != algorithm.hex_length() || !is_hex {
            return Err("a digest is malformed");
        }
        records.extend(number(algorithm).map(|algorithm| HashRecord {
            algorithm,
            hex: hex.to_ascii_lowercase(),
        }));
    }
    Ok(records)
}

/// What stands for an algorithm in a record.
fn number(algorithm: HashAlgorithm) -> Option<u8> {
    let mut numbers = (0..).zip(ALGORITHMS);
    numbers.find_map(|(number, known)| (known == algorithm).then_some(number))
}

/// The SHA-256, if there is one, and the others.
pub(super) type FileHashes = (Option<[u8; 32]>, Vec<HashRecord>);

/// The digests of a file.
pub(super) fn read_hashes(hashes: &[HashPair<'_>]) -> Result<FileHashes, &'static str> {
    if let [(name, hex)] = hashes
        && name == "sha256"
    {
        let digest = decode_sha256(hex).ok_or("a digest is malformed")?;
        return Ok((Some(digest), Vec::new()));
    }
    let mut records = all_hashes(hashes)?;
    let is_sha256 =
        |record: &HashRecord| ALGORITHMS[usize::from(record.algorithm)] == HashAlgorithm::Sha256;
    let sha256 = records
        .iter()
        .find(|record| is_sha256(record))
        .and_then(|record| decode_sha256(&record.hex));
    records.retain(|record| !is_sha256(record));
    Ok((sha256, records))
}

/// The digests of a metadata file. Malformed ones stay: the file itself can be had all the same,
/// and who asks for its metadata is told.
pub(super) fn read_metadata_hashes(hashes: &[HashPair<'_>]) -> FileHashes {
    read_hashes(hashes).unwrap_or_else(|_| {
        let records = hashes.iter().filter_map(|(name, hex)| {
            Some(HashRecord {
                algorithm: number(HashAlgorithm::from_str(name).ok()?)?,
                // Longer than any digest is long enough to be none.
                hex: hex.chars().take(200).collect(),
            })
        });
        (None, records.collect())
    })
}
