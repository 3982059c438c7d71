//! Small records with a header that tells their kind and a checksum that tells damage.

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The bytes of `value` behind a header: kind, CRC-32 of the name of the file that it is for and
/// of what follows. So a record that lies under another's name is none.
pub(crate) fn seal<T: Serialize>(
    kind: [u8; 4],
    path: &Path,
    value: &T,
) -> Result<Vec<u8>, postcard::Error> {
    let header = [kind, [0; 4]].concat();
    let mut bytes = postcard::to_extend(value, header)?;
    let checksum = named_crc32(path, &bytes[8..]);
    bytes[4..8].copy_from_slice(&checksum.to_le_bytes());
    Ok(bytes)
}

/// The value of a sealed record that was read at `path`; `None` if it is of another kind, for
/// another file, or damaged.
pub(crate) fn open_sealed<T: DeserializeOwned>(
    kind: [u8; 4],
    path: &Path,
    bytes: &[u8],
) -> Option<T> {
    let body = bytes.strip_prefix(&kind)?;
    let (checksum, body) = body.split_first_chunk::<4>()?;
    if u32::from_le_bytes(*checksum) != named_crc32(path, body) {
        return None;
    }
    postcard::from_bytes(body).ok()
}

/// The CRC-32, as ZIP files use it, of a file's name and of what it holds.
pub(super) fn named_crc32(path: &Path, bytes: &[u8]) -> u32 {
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(path.file_name().unwrap_or_default().as_encoded_bytes());
    checksum.update(bytes);
    checksum.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_and_other_kinds_are_noticed() {
        let path = Path::new("a/b.meta");
        let sealed = seal(*b"abcd", path, &("text".to_string(), 7_u32)).unwrap();
        assert_eq!(
            open_sealed::<(String, u32)>(*b"abcd", path, &sealed),
            Some(("text".to_string(), 7))
        );
        assert_eq!(open_sealed::<(String, u32)>(*b"abce", path, &sealed), None);
        let other = Path::new("a/c.meta");
        assert_eq!(open_sealed::<(String, u32)>(*b"abcd", other, &sealed), None);
        for at in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[at] ^= 1;
            assert_eq!(
                open_sealed::<(String, u32)>(*b"abcd", path, &damaged),
                None,
                "{at}"
            );
            assert_eq!(
                open_sealed::<(String, u32)>(*b"abcd", path, &sealed[..at]),
                None
            );
        }
    }
}
