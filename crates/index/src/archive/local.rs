//! Local headers: each must say what the central directory says, and none may overlap another.

use super::ArchiveError;
use super::central::{Entry, check_unicode_path, extra_fields, u16_at, u32_at, u64_at};

const HEADER: [u8; 4] = *b"PK\x03\x04";
const HEADER_SIZE: usize = 30;
const DESCRIPTOR: [u8; 4] = *b"PK\x07\x08";

/// The bit for "sizes follow the data".
const HAS_DESCRIPTOR: u16 = 0x8;

/// The bits on which both headers must agree: encryption, descriptor, patch, UTF-8.
const COMPARED_FLAGS: u16 = 0x0869;

/// How many local headers are looked at before their memory is given back.
const FORGET_AFTER_ENTRIES: usize = 512;

/// Where an entry's data begins, given the bytes from its local header on; and the length of
/// header and data together.
///
/// # Errors
/// When the local header contradicts the central directory.
pub(crate) fn data_range(bytes: &[u8], entry: &Entry) -> Result<(usize, usize), ArchiveError> {
    let refuse = |reason| ArchiveError::entry(&entry.name, reason);
    let cut = || refuse("its local header is cut short");
    if !bytes.starts_with(&HEADER) {
        return Err(refuse("it has no local header"));
    }
    let read16 = |at: usize| u16_at(bytes, at).ok_or_else(cut);
    let read32 = |at: usize| u32_at(bytes, at).ok_or_else(cut);
    let name_end = HEADER_SIZE + usize::from(read16(26)?);
    let data_start = name_end + usize::from(read16(28)?);
    let name = bytes.get(HEADER_SIZE..name_end).ok_or_else(cut)?;
    let extra = bytes.get(name_end..data_start).ok_or_else(cut)?;
    if name != entry.raw_name {
        return Err(refuse("its local header has another name"));
    }
    check_unicode_path(extra, &entry.name)?;
    let flags = read16(6)?;
    let method = read16(8)?;
    let expected_method = match entry.method {
        super::central::Method::Stored => 0,
        super::central::Method::Deflated => 8,
    };
    if method != expected_method || (flags ^ entry.flags) & COMPARED_FLAGS != 0 {
        return Err(refuse("its local header has another method or other flags"));
    }
    let (crc, compressed, size) =
        local_sizes(read32(14)?, read32(18)?, read32(22)?, extra).map_err(refuse)?;
    let same = (crc, compressed, size) == (entry.crc32, entry.compressed, entry.size);
    let left_open = flags & HAS_DESCRIPTOR != 0 && (crc, compressed, size) == (0, 0, 0);
    if !same && !left_open {
        return Err(refuse("its local header has another size or checksum"));
    }
    let length = usize::try_from(entry.compressed)
        .ok()
        .and_then(|compressed| data_start.checked_add(compressed))
        .ok_or_else(cut)?;
    Ok((data_start, length))
}

fn local_sizes(
    crc: u32,
    compressed: u32,
    size: u32,
    extra: &[u8],
) -> Result<(u32, u64, u64), &'static str> {
    let mut zip64 = None;
    for field in extra_fields(extra) {
        let (id, body) = field?;
        if id == 1 {
            zip64 = Some(body);
        }
    }
    let mut at = 0;
    let mut wide = |narrow: u32| {
        if narrow != u32::MAX {
            return Ok(u64::from(narrow));
        }
        let value = zip64.and_then(|body| u64_at(body, at));
        at += 8;
        value.ok_or("its local Zip64 field is missing or cut short")
    };
    let size = wide(size)?;
    Ok((crc, wide(compressed)?, size))
}

/// Checks every local header and data descriptor of a whole archive, and that entries lie one
/// after the other with no hidden entry between them. The answer is where each entry's data
/// begins, in the order of `entries`; `forget` is called now and then.
///
/// # Errors
/// When any of it doesn't hold.
pub(crate) fn check_layout(
    archive: &[u8],
    entries: &[Entry],
    directory_offset: u64,
    forget: &dyn Fn(),
) -> Result<Vec<usize>, ArchiveError> {
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_unstable_by_key(|at| entries[*at].header_offset);
    let mut starts = vec![0; entries.len()];
    let mut free_from = 0;
    for (rank, &at) in order.iter().enumerate() {
        if rank % FORGET_AFTER_ENTRIES == FORGET_AFTER_ENTRIES - 1 {
            forget();
        }
        let entry = &entries[at];
        let next = order
            .get(rank + 1)
            .map_or(directory_offset, |next| entries[*next].header_offset);
        let refuse = |reason| ArchiveError::entry(&entry.name, reason);
        let place = |offset: u64| {
            usize::try_from(offset)
                .ok()
                .filter(|at| *at <= archive.len())
        };
        let (Some(begin), Some(end)) = (place(entry.header_offset), place(next)) else {
            return Err(refuse("it lies beyond the end of the archive"));
        };
        if begin < free_from || end < begin || end as u64 > directory_offset {
            return Err(refuse("it overlaps another entry"));
        }
        check_gap(&archive[free_from..begin])?;
        let bytes = &archive[begin..end];
        let (data_start, length) = data_range(bytes, entry)?;
        if length > bytes.len() {
            return Err(refuse("it overlaps another entry"));
        }
        starts[at] = begin + data_start;
        free_from = begin + length + descriptor_length(&bytes[length..], entry)?;
    }
    let end = usize::try_from(directory_offset).unwrap_or(usize::MAX);
    check_gap(archive.get(free_from..end).unwrap_or_default())?;
    Ok(starts)
}

/// Padding may lie between entries, but nothing that another reader would take for an entry.
fn check_gap(gap: &[u8]) -> Result<(), ArchiveError> {
    if gap.windows(4).any(|bytes| bytes == HEADER) {
        return Err(ArchiveError::Malformed(
            "it holds an entry that the central directory doesn't name",
        ));
    }
    Ok(())
}

/// The length of the data descriptor, which must repeat the central directory's values.
fn descriptor_length(after: &[u8], entry: &Entry) -> Result<usize, ArchiveError> {
    if entry.flags & HAS_DESCRIPTOR == 0 {
        return Ok(0);
    }
    for (signature, wide) in [(true, false), (true, true), (false, false), (false, true)] {
        let mut expected = Vec::with_capacity(24);
        if signature {
            expected.extend_from_slice(&DESCRIPTOR);
        }
        expected.extend_from_slice(&entry.crc32.to_le_bytes());
        for value in [entry.compressed, entry.size] {
            let bytes = value.to_le_bytes();
            expected.extend_from_slice(if wide { &bytes } else { &bytes[..4] });
        }
        if after.starts_with(&expected) {
            return Ok(expected.len());
        }
    }
    // Folders are written without one by some tools although the bit is set.
    if entry.size == 0 && entry.compressed == 0 {
        return Ok(0);
    }
    Err(ArchiveError::entry(
        &entry.name,
        "what follows its data has another size or checksum",
    ))
}
