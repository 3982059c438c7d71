//! Wheels that are refused before a byte of them is where it could do harm.

use bnbpip_index::{ArchiveError, Cache, IndexError, NoProgress, PackageFile, RequiredHashes};

use crate::wheel::archive;
use crate::{chain, error, next_run};

/// What an archive is refused with.
async fn refusal(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a-1-py3-none-any.whl");
    fs_err::write(&path, bytes).unwrap();
    let cache = Cache::temporary().unwrap();
    let client = next_run("https://index.invalid/simple", &cache);
    let file = PackageFile::from_path(&path).unwrap();
    let required = RequiredHashes::default();
    let error = error(client.fetch(&file, &required, &NoProgress).await);
    assert!(
        matches!(&*error, IndexError::BadWheel { .. }),
        "{}",
        chain(&*error)
    );
    let store = cache.root().join("store-v1");
    for entry in fs_err::read_dir(store).unwrap() {
        let name = entry.unwrap().file_name();
        assert!(
            !name.to_string_lossy().starts_with(".tmp-"),
            "nothing is left"
        );
    }
    assert!(!client.is_stored(&file));
    chain(&*error)
}

/// The places of a four-byte signature.
fn places(bytes: &[u8], signature: &[u8]) -> Vec<usize> {
    let windows = bytes.windows(4).enumerate();
    windows
        .filter(|(_, window)| *window == signature)
        .map(|(at, _)| at)
        .collect()
}

/// The first entry of the central directory.
fn central(bytes: &[u8]) -> usize {
    places(bytes, b"PK\x01\x02")[0]
}

fn plain() -> Vec<u8> {
    archive(&[("aa.py", b"content content content"), ("bb.py", b"other")])
}

/// Renames an entry, in both headers.
fn renamed(from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = archive(&[("aa.py", b"1"), (from, b"2")]);
    let found: Vec<usize> = (0..bytes.len() - from.len())
        .filter(|at| bytes[*at..].starts_with(from.as_bytes()))
        .collect();
    for at in found {
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    }
    bytes
}

#[tokio::test]
async fn names_that_lead_elsewhere() {
    for (from, to) in [
        ("xx/evil.py", "../evil.py"),
        ("xetc/passwd", "/etc/passwd"),
        ("xx/win.py", "C:/win.py"),
        ("xx/back.py", "xx\\back.py"),
        ("xx/stream", "xx:stream"),
        ("xxx.py", "NUL.py"),
        ("xx/dot_", "xx/dot."),
        ("xx/esc_", "xx/esc\u{1b}"),
    ] {
        let text = refusal(&renamed(from, to)).await;
        assert!(
            text.contains("its name") || text.contains("another size"),
            "{to:?}: {text}"
        );
        assert!(!text.contains('\u{1b}'), "{text:?}");
    }
}

#[tokio::test]
async fn names_that_clash() {
    assert!(refusal(&renamed("bb.py", "aa.py")).await.contains("twice"));
    assert!(refusal(&renamed("bb.py", "AA.py")).await.contains("case"));
    let nested = archive(&[("aa", b"1"), ("aa/b", b"2")]);
    assert!(refusal(&nested).await.contains("folder of the other"));
}

#[tokio::test]
async fn entries_that_are_not_files() {
    let mut link = plain();
    let at = central(&link);
    link[at + 38..at + 42].copy_from_slice(&(0o120_777_u32 << 16).to_le_bytes());
    assert!(refusal(&link).await.contains("symbolic link"));
    let mut encrypted = plain();
    let at = central(&encrypted);
    encrypted[at + 8] |= 1;
    encrypted[6] |= 1;
    assert!(refusal(&encrypted).await.contains("encrypted"));
    let mut method = plain();
    let at = central(&method);
    method[at + 10] = 12;
    method[8] = 12;
    assert!(refusal(&method).await.contains("method"));
}

#[tokio::test]
async fn headers_that_contradict_each_other() {
    for (offset, what) in [
        (14, "crc"),
        (18, "compressed size"),
        (22, "size"),
        (30, "name"),
        (8, "method"),
    ] {
        let mut bytes = plain();
        bytes[offset] ^= 2;
        let text = refusal(&bytes).await;
        assert!(text.contains("local header"), "{what}: {text}");
    }
    let mut size = plain();
    let at = central(&size);
    size[at + 24] += 1;
    size[22] += 1;
    assert!(refusal(&size).await.contains("another size"));
    let mut crc = plain();
    let at = central(&crc);
    crc[at + 16] ^= 1;
    crc[14] ^= 1;
    assert!(refusal(&crc).await.contains("CRC-32"));
}

/// The central directory knows nothing of it, and readers from the front follow it.
#[tokio::test]
async fn another_name_in_a_local_header_alone() {
    let mut bytes = plain();
    let name = places(&bytes, b"PK\x03\x04")[1] + 30;
    let mut field = vec![0x75, 0x70, 15, 0, 1, 0, 0, 0, 0];
    field.extend_from_slice(b"../evil.py");
    bytes[name - 2] = u8::try_from(field.len()).unwrap();
    let at = name + "bb.py".len();
    let added = u32::try_from(field.len()).unwrap();
    bytes.splice(at..at, field);
    let end = places(&bytes, b"PK\x05\x06")[0] + 16;
    let offset = u32::from_le_bytes(bytes[end..end + 4].try_into().unwrap()) + added;
    bytes[end..end + 4].copy_from_slice(&offset.to_le_bytes());
    assert!(refusal(&bytes).await.contains("gives it another name"));
}

#[tokio::test]
async fn archives_that_read_in_two_ways() {
    let whole = plain();
    for cut in [0, 10, whole.len() / 2, whole.len() - 1] {
        refusal(&whole[..cut]).await;
    }
    let mut appended = whole.clone();
    appended.push(0);
    assert!(refusal(&appended).await.contains("no central directory"));
    let mut prefixed = b"#!/bin/sh\n".to_vec();
    prefixed.extend_from_slice(&whole);
    refusal(&prefixed).await;
    // Both entries of the directory point at one local header.
    let mut overlapping = whole.clone();
    let entries = places(&overlapping, b"PK\x01\x02");
    overlapping[entries[1] + 42..entries[1] + 46].copy_from_slice(&0_u32.to_le_bytes());
    refusal(&overlapping).await;
    // The directory forgets an entry that a streaming reader would find.
    let mut hidden = whole.clone();
    let entries = places(&hidden, b"PK\x01\x02");
    let end = places(&hidden, b"PK\x05\x06")[0];
    let removed = u32::try_from(end - entries[1]).unwrap();
    hidden.drain(entries[1]..end);
    let end = places(&hidden, b"PK\x05\x06")[0];
    let size = u32::from_le_bytes(hidden[end + 12..end + 16].try_into().unwrap()) - removed;
    hidden[end + 12..end + 16].copy_from_slice(&size.to_le_bytes());
    hidden[end + 8] = 1;
    hidden[end + 10] = 1;
    assert!(refusal(&hidden).await.contains("doesn't name"));
}

#[tokio::test]
async fn bombs() {
    // Two gigabytes that the headers announce in a few hundred bytes.
    let mut bomb = plain();
    let at = central(&bomb);
    let size = 0x7fff_ffff_u32.to_le_bytes();
    bomb[at + 24..at + 28].copy_from_slice(&size);
    bomb[22..26].copy_from_slice(&size);
    let text = refusal(&bomb).await;
    assert!(text.contains("would unpack to"), "{text}");
    let too_dense = ArchiveError::TooDense {
        packed_bytes: 1,
        unpacked_bytes: 2,
    };
    assert!(too_dense.to_string().contains("1 bytes would unpack to 2"));
}

#[tokio::test]
async fn no_flipped_bit_panics() {
    let whole = archive(&[
        ("aa.py", b"some content, some content"),
        ("a-1.dist-info/METADATA", b"x"),
    ]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a-1-py3-none-any.whl");
    let client = next_run("https://index.invalid/simple", &Cache::temporary().unwrap());
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 1 << (at % 8);
        fs_err::write(&path, &damaged).unwrap();
        let mut file = PackageFile::from_path(&path).unwrap();
        // Another address each time, so that nothing is remembered.
        file.url.set_query(Some(&at.to_string()));
        let required = RequiredHashes::default();
        let result = client.fetch(&file, &required, &NoProgress).await;
        if let Err(error) = result {
            assert!(
                !matches!(&*error, IndexError::Cancelled { .. }),
                "byte {at}: {error}"
            );
        }
    }
}
