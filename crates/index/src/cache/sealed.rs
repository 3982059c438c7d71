//! Small records with a header that tells their kind and a checksum that tells damage.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The bytes of `value` behind a header: kind, CRC-32 of what follows.
pub(crate) fn seal<T: Serialize>(kind: [u8; 4], value: &T) -> Result<Vec<u8>, postcard::Error> {
    let header = [kind, [0; 4]].concat();
    let mut bytes = postcard::to_extend(value, header)?;
    let checksum = crc32(&bytes[8..]);
    bytes[4..8].copy_from_slice(&checksum.to_le_bytes());
    Ok(bytes)
}

/// The value of a sealed record; `None` if it is of another kind or damaged.
pub(crate) fn open_sealed<T: DeserializeOwned>(kind: [u8; 4], bytes: &[u8]) -> Option<T> {
    let body = bytes.strip_prefix(&kind)?;
    let (checksum, body) = body.split_first_chunk::<4>()?;
    if u32::from_le_bytes(*checksum) != crc32(body) {
        return None;
    }
    postcard::from_bytes(body).ok()
}

/// The CRC-32 that ZIP files use.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    crc32fast::hash(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_and_other_kinds_are_noticed() {
        let sealed = seal(*b"abcd", &("text".to_string(), 7_u32)).unwrap();
        assert_eq!(
            open_sealed::<(String, u32)>(*b"abcd", &sealed),
            Some(("text".to_string(), 7))
        );
        assert_eq!(open_sealed::<(String, u32)>(*b"abce", &sealed), None);
        for at in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[at] ^= 1;
            assert_eq!(
                open_sealed::<(String, u32)>(*b"abcd", &damaged),
                None,
                "{at}"
            );
            assert_eq!(open_sealed::<(String, u32)>(*b"abcd", &sealed[..at]), None);
        }
    }
}
