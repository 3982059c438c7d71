//! The central directory: where it is, and the entries in it.

use super::ArchiveError;

/// The most entries of an archive.
const ENTRY_LIMIT: usize = 200_000;

const END: [u8; 4] = *b"PK\x05\x06";
const END_SIZE: usize = 22;
const ZIP64_LOCATOR: [u8; 4] = *b"PK\x06\x07";
const ZIP64_LOCATOR_SIZE: usize = 20;
const ZIP64_END: [u8; 4] = *b"PK\x06\x06";
const ZIP64_END_SIZE: usize = 56;
const HEADER: [u8; 4] = *b"PK\x01\x02";
const HEADER_SIZE: usize = 46;

/// Where the central directory lies in the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Directory {
    pub(crate) offset: u64,
    pub(crate) size: u64,
    pub(crate) entries: u64,
}

/// One entry of the central directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: String,
    /// The name as it stands in the archive; the local header must have the same bytes.
    pub(crate) raw_name: Vec<u8>,
    pub(crate) flags: u16,
    pub(crate) method: Method,
    pub(crate) crc32: u32,
    pub(crate) compressed: u64,
    pub(crate) size: u64,
    pub(crate) header_offset: u64,
    pub(crate) is_dir: bool,
    pub(crate) executable: bool,
}

/// How an entry is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Stored,
    Deflated,
}

/// Little-endian numbers at fixed places.
pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// Finds the central directory from the archive's last bytes. `tail` ends where the archive of
/// `total` bytes ends.
///
/// # Errors
/// When there is none within the tail, or it doesn't lie directly before its end record.
pub(crate) fn find_directory(tail: &[u8], total: u64) -> Result<Directory, ArchiveError> {
    let end = find_end(tail)?;
    let tail_start = total - tail.len() as u64;
    let malformed = || ArchiveError::Malformed("the end record is cut short");
    let read16 = |at: usize| u16_at(tail, end + at).ok_or_else(malformed);
    let read32 = |at: usize| u32_at(tail, end + at).ok_or_else(malformed);
    let (disk, start_disk) = (read16(4)?, read16(6)?);
    let (on_disk, entries) = (read16(8)?, read16(10)?);
    let (size, offset) = (read32(12)?, read32(16)?);
    let locator = end
        .checked_sub(ZIP64_LOCATOR_SIZE)
        .filter(|at| tail[*at..].starts_with(&ZIP64_LOCATOR));
    let end_offset = tail_start + end as u64;
    let (directory, must_end_at) = if let Some(locator) = locator {
        zip64_directory(tail, tail_start, locator)?
    } else {
        if disk != 0 || start_disk != 0 || on_disk != entries {
            return Err(ArchiveError::Malformed("it is one part of several"));
        }
        let directory = Directory {
            offset: u64::from(offset),
            size: u64::from(size),
            entries: u64::from(entries),
        };
        (directory, end_offset)
    };
    if directory.offset.checked_add(directory.size) != Some(must_end_at) {
        return Err(ArchiveError::Malformed(
            "the central directory doesn't lie directly before its end record",
        ));
    }
    if directory.entries > ENTRY_LIMIT as u64 {
        return Err(ArchiveError::TooManyEntries { limit: ENTRY_LIMIT });
    }
    Ok(directory)
}

/// The place of the end record: the last one whose comment ends where the archive ends.
fn find_end(tail: &[u8]) -> Result<usize, ArchiveError> {
    let last = tail
        .len()
        .checked_sub(END_SIZE)
        .ok_or(ArchiveError::NotAnArchive)?;
    let first = last.saturating_sub(usize::from(u16::MAX));
    let is_end = |at: &usize| {
        tail[*at..].starts_with(&END)
            && u16_at(tail, at + 20)
                .is_some_and(|comment| at + END_SIZE + usize::from(comment) == tail.len())
    };
    let mut found = (first..=last).rev().filter(is_end);
    let end = found.next().ok_or(ArchiveError::NotAnArchive)?;
    if found.next().is_some() {
        return Err(ArchiveError::Malformed("it has two end records"));
    }
    Ok(end)
}

fn zip64_directory(
    tail: &[u8],
    tail_start: u64,
    locator: usize,
) -> Result<(Directory, u64), ArchiveError> {
    let malformed = || ArchiveError::Malformed("the Zip64 end record is malformed");
    let offset = u64_at(tail, locator + 8).ok_or_else(malformed)?;
    let at = offset
        .checked_sub(tail_start)
        .and_then(|at| usize::try_from(at).ok())
        .filter(|at| at.checked_add(ZIP64_END_SIZE) == Some(locator))
        .ok_or_else(malformed)?;
    let record = &tail[at..locator];
    let size = u64_at(record, 4).ok_or_else(malformed)?;
    if !record.starts_with(&ZIP64_END) || size != (ZIP64_END_SIZE - 12) as u64 {
        return Err(malformed());
    }
    let read64 = |at: usize| u64_at(record, at).ok_or_else(malformed);
    if u32_at(record, 16) != Some(0) || u32_at(record, 20) != Some(0) || read64(24)? != read64(32)?
    {
        return Err(ArchiveError::Malformed("it is one part of several"));
    }
    let directory = Directory {
        entries: read64(32)?,
        size: read64(40)?,
        offset: read64(48)?,
    };
    Ok((directory, offset))
}

/// Reads the entries. `bytes` is the central directory, all of it and nothing else.
///
/// # Errors
/// When an entry is malformed or of a kind that wheels don't have.
pub(crate) fn read_directory(
    bytes: &[u8],
    directory: Directory,
) -> Result<Vec<Entry>, ArchiveError> {
    let count = usize::try_from(directory.entries).unwrap_or(usize::MAX);
    if count > bytes.len() / HEADER_SIZE {
        return Err(ArchiveError::Malformed(
            "the central directory is cut short",
        ));
    }
    let mut entries = Vec::with_capacity(count);
    let mut rest = bytes;
    for _ in 0..count {
        let (entry, after) = read_entry(rest)?;
        entries.push(entry);
        rest = after;
    }
    if rest.is_empty() {
        Ok(entries)
    } else {
        Err(ArchiveError::Malformed(
            "the central directory holds more than its entries",
        ))
    }
}

fn read_entry(bytes: &[u8]) -> Result<(Entry, &[u8]), ArchiveError> {
    let cut = || ArchiveError::Malformed("an entry of the central directory is cut short");
    let (header, rest) = bytes.split_at_checked(HEADER_SIZE).ok_or_else(cut)?;
    if !header.starts_with(&HEADER) {
        return Err(ArchiveError::Malformed(
            "an entry of the central directory has no signature",
        ));
    }
    let read16 = |at: usize| u16_at(header, at).ok_or_else(cut);
    let read32 = |at: usize| u32_at(header, at).ok_or_else(cut);
    let (name_length, extra_length) = (read16(28)?, read16(30)?);
    let (raw_name, rest) = rest.split_at_checked(name_length.into()).ok_or_else(cut)?;
    let (extra, rest) = rest.split_at_checked(extra_length.into()).ok_or_else(cut)?;
    let rest = rest.get(usize::from(read16(32)?)..).ok_or_else(cut)?;
    let flags = read16(8)?;
    let name = decode_name(raw_name, flags)?;
    let refuse = |reason| Err(ArchiveError::entry(&name, reason));
    // Bits 0, 6 and 13: encrypted. Bit 5: a patch.
    if flags & 0b0010_0000_0100_0001 != 0 {
        return refuse("it is encrypted");
    }
    if flags & 0b10_0000 != 0 {
        return refuse("it is a patch of another file");
    }
    let method = match read16(10)? {
        0 => Method::Stored,
        8 => Method::Deflated,
        _ => return refuse("its compression method is not supported"),
    };
    if read16(34)? != 0 {
        return refuse("it lies on another disk");
    }
    let sizes = Sizes {
        size: read32(24)?,
        compressed: read32(20)?,
        offset: read32(42)?,
    };
    let (size, compressed, header_offset) = sizes
        .with_zip64(extra)
        .map_err(|reason| ArchiveError::entry(&name, reason))?;
    check_unicode_path(extra, &name)?;
    let mode = read32(38)? >> 16;
    let is_dir = name.ends_with('/');
    match mode & 0o170_000 {
        0 | 0o100_000 => {}
        0o040_000 if is_dir => {}
        0o120_000 => return refuse("it is a symbolic link"),
        _ => return refuse("it is neither a file nor a folder"),
    }
    if is_dir && (size != 0) {
        return refuse("it is a folder with content");
    }
    if method == Method::Stored && size != compressed {
        return refuse("it is not compressed, but has two sizes");
    }
    let entry = Entry {
        raw_name: raw_name.to_vec(),
        flags,
        method,
        crc32: read32(16)?,
        compressed,
        size,
        header_offset,
        is_dir,
        executable: !is_dir && mode & 0o111 != 0,
        name,
    };
    Ok((entry, rest))
}

/// Bit 11 says UTF-8; without it the old code page 437 is meant, of which ASCII is the part that
/// every reader agrees on.
fn decode_name(raw: &[u8], flags: u16) -> Result<String, ArchiveError> {
    let name = match std::str::from_utf8(raw) {
        Ok(name) if flags & 0x800 != 0 || raw.is_ascii() => name,
        _ => {
            let lossy = String::from_utf8_lossy(raw);
            return Err(ArchiveError::entry(
                &lossy,
                "its name is not in a known encoding",
            ));
        }
    };
    Ok(name.to_string())
}

/// The fields of an entry that may say "look into the Zip64 extra field".
struct Sizes {
    size: u32,
    compressed: u32,
    offset: u32,
}

impl Sizes {
    fn with_zip64(&self, extra: &[u8]) -> Result<(u64, u64, u64), &'static str> {
        let mut zip64 = None;
        for field in extra_fields(extra) {
            let (id, body) = field?;
            if id == 1 && zip64.replace(body).is_some() {
                return Err("it has two Zip64 fields");
            }
        }
        let mut at = 0;
        let mut wide = |narrow: u32| {
            if narrow != u32::MAX {
                return Ok(u64::from(narrow));
            }
            let value = zip64.and_then(|body| u64_at(body, at));
            at += 8;
            value.ok_or("its Zip64 field is missing or cut short")
        };
        Ok((wide(self.size)?, wide(self.compressed)?, wide(self.offset)?))
    }
}

/// The extra fields: identifier and content.
pub(super) fn extra_fields(
    mut extra: &[u8],
) -> impl Iterator<Item = Result<(u16, &[u8]), &'static str>> {
    std::iter::from_fn(move || {
        // Some writers pad with fewer bytes than a field has.
        if extra.len() < 4 {
            return None;
        }
        let (id, length) = (u16_at(extra, 0)?, u16_at(extra, 2)?);
        let Some(body) = extra.get(4..4 + usize::from(length)) else {
            extra = &[];
            return Some(Err("its extra fields are malformed"));
        };
        extra = &extra[4 + usize::from(length)..];
        Some(Ok((id, body)))
    })
}

/// The Info-ZIP Unicode path field must not name another file.
pub(super) fn check_unicode_path(extra: &[u8], name: &str) -> Result<(), ArchiveError> {
    for (id, body) in extra_fields(extra).flatten() {
        if id == 0x7075 && body.get(5..) != Some(name.as_bytes()) {
            return Err(ArchiveError::entry(
                name,
                "an extra field gives it another name",
            ));
        }
    }
    Ok(())
}
