//! Answers of servers in the cache: a payload, ready to be used where it is read to, and the
//! policy that tells how long.

use std::io::{self, Read};
use std::path::Path;

use crc32fast::Hasher as Crc;
use rkyv::util::AlignedVec;

use super::policy::StoredPolicy;
use super::sealed::named_crc32;
use super::write_atomic;

const KIND: [u8; 8] = *b"BNBHTTP3";

/// Kind, length of the payload, length of the policy, CRC-32 of both and of the file's
/// name (an answer under another's name is none), and padding: 32 bytes, so
/// that the payload is aligned.
const HEADER_SIZE: usize = 32;

/// Reads an answer; `None` if there is none or it is damaged.
pub(crate) fn read_stored(path: &Path) -> Option<(AlignedVec, StoredPolicy)> {
    let mut file = fs_err::File::open(path).ok()?;
    let mut header = [0; HEADER_SIZE];
    file.read_exact(&mut header).ok()?;
    let rest = header.strip_prefix(&KIND)?;
    let (payload_length, rest) = rest.split_first_chunk::<8>()?;
    let (policy_length, rest) = rest.split_first_chunk::<8>()?;
    let (checksum, _) = rest.split_first_chunk::<4>()?;
    let payload_length = usize::try_from(u64::from_le_bytes(*payload_length)).ok()?;
    let policy_length = usize::try_from(u64::from_le_bytes(*policy_length)).ok()?;
    let total = file.metadata().ok()?.len();
    let announced = payload_length
        .checked_add(policy_length)?
        .checked_add(HEADER_SIZE)?;
    if announced as u64 != total {
        return None;
    }
    let (payload, payload_checksum) = read_payload(&mut file, payload_length)?;
    let mut policy = vec![0; policy_length];
    file.read_exact(&mut policy).ok()?;
    if u32::from_le_bytes(*checksum) != payload_checksum ^ named_crc32(path, &policy) {
        return None;
    }
    Some((payload, postcard::from_bytes(&policy).ok()?))
}

/// Reads the payload in pieces that stay in the processor's cache, so that the checksum costs no
/// second pass through memory.
fn read_payload(file: &mut fs_err::File, length: usize) -> Option<(AlignedVec, u32)> {
    let mut checksum = Crc::new();
    let mut payload = AlignedVec::with_capacity(length);
    let mut piece = vec![0; length.min(64 << 10)];
    while payload.len() < length {
        let want = piece.len().min(length - payload.len());
        let piece = piece.get_mut(..want)?;
        file.read_exact(piece).ok()?;
        checksum.update(piece);
        payload.extend_from_slice(piece);
    }
    Some((payload, checksum.finalize()))
}

/// Writes an answer.
pub(crate) fn write_stored(path: &Path, payload: &[u8], policy: &StoredPolicy) -> io::Result<()> {
    let policy = postcard::to_stdvec(policy).map_err(io::Error::other)?;
    let checksum = crc32fast::hash(payload) ^ named_crc32(path, &policy);
    let mut header = Vec::with_capacity(HEADER_SIZE);
    header.extend_from_slice(&KIND);
    header.extend_from_slice(&(payload.len() as u64).to_le_bytes());
    header.extend_from_slice(&(policy.len() as u64).to_le_bytes());
    header.extend_from_slice(&checksum.to_le_bytes());
    header.resize(HEADER_SIZE, 0);
    write_atomic(path, &[&header, payload, &policy])
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, StatusCode, header};

    use super::*;

    #[test]
    fn answers_survive_and_damage_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b");
        let answer = HeaderMap::from_iter([
            (header::ETAG, "\"x\"".parse().unwrap()),
            (header::VARY, "Accept".parse().unwrap()),
        ]);
        let request = HeaderMap::from_iter([(header::ACCEPT, "text/html".parse().unwrap())]);
        let policy =
            StoredPolicy::new("https://h.example/", &request, StatusCode::OK, &answer).unwrap();
        write_stored(&path, b"payload", &policy).unwrap();
        let (payload, policy) = read_stored(&path).unwrap();
        assert_eq!(&*payload, b"payload");
        assert!(policy.age().as_secs() < 60);
        let bytes = fs_err::read(&path).unwrap();
        fs_err::write(path.with_file_name("c"), &bytes).unwrap();
        assert!(read_stored(&path.with_file_name("c")).is_none());
        for at in (0..28).chain(HEADER_SIZE..bytes.len()) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            fs_err::write(&path, &damaged).unwrap();
            assert!(read_stored(&path).is_none(), "{at}");
            fs_err::write(&path, &bytes[..at]).unwrap();
            assert!(read_stored(&path).is_none(), "{at}");
        }
    }
}
