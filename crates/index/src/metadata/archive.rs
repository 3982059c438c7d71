//! `METADATA` inside a wheel: on disk, or from the wheel's last bytes.

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use bnbpip_packaging::WheelFilename;

use super::lite::{METADATA_LIMIT_BYTES, MetadataLiteError};
use crate::archive::{
    ArchiveError, Directory, Entry, Inflater, data_range, find_directory, read_directory,
};
use crate::error::IndexError;

/// What is read along before the central directory.
const BEFORE_DIRECTORY_BYTES: u64 = 64 << 10;

/// The bytes of a wheel that are at hand: those from `start` to its end.
#[derive(Debug)]
pub(crate) struct Tail {
    pub(crate) bytes: Vec<u8>,
    pub(crate) start: u64,
}

/// What the tail of a wheel yields.
#[derive(Debug)]
pub(super) enum FromTail {
    /// The content of `METADATA`.
    Metadata(Vec<u8>),
    /// More bytes are needed: from here to the end of the archive.
    WidenTo(u64),
    /// Only these bytes are needed, first and last.
    Member(Box<Entry>, u64, u64),
}

impl Tail {
    /// The offset after the last byte.
    pub(crate) fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    /// Looks for the metadata.
    pub(super) fn metadata(&self, wheel: &WheelFilename) -> Result<FromTail, MetadataLiteError> {
        let directory = match find_directory(&self.bytes, self.end()) {
            Ok(directory) => directory,
            Err(error) => {
                // The end record lies in the last 64 KiB and a little.
                let needed = self.end().saturating_sub(66 << 10);
                return if needed < self.start {
                    Ok(FromTail::WidenTo(needed))
                } else {
                    Err(error.into())
                };
            }
        };
        let Some(at) = directory.offset.checked_sub(self.start) else {
            // The metadata mostly lies right before the directory.
            return Ok(FromTail::WidenTo(
                directory.offset.saturating_sub(BEFORE_DIRECTORY_BYTES),
            ));
        };
        let entry = find_metadata(self.slice(at, directory), directory, wheel)?;
        if let Some(at) = entry.header_offset.checked_sub(self.start) {
            let from = usize::try_from(at).unwrap_or(usize::MAX);
            let bytes = self.bytes.get(from..).unwrap_or_default();
            return Ok(FromTail::Metadata(unpack_member(bytes, &entry)?));
        }
        let first = entry.header_offset;
        let end = member_end(&entry).min(directory.offset);
        Ok(FromTail::Member(
            Box::new(entry),
            first,
            end.saturating_sub(1),
        ))
    }

    fn slice(&self, at: u64, directory: Directory) -> &[u8] {
        let begin = usize::try_from(at).unwrap_or(usize::MAX);
        let length = usize::try_from(directory.size).unwrap_or(usize::MAX);
        self.bytes
            .get(begin..begin.saturating_add(length))
            .unwrap_or_default()
    }
}

/// A bound on where a member ends: its local extra field may be longer than the central one.
pub(crate) fn member_end(entry: &Entry) -> u64 {
    let header = 30 + entry.raw_name.len() as u64 + 1024;
    entry
        .header_offset
        .saturating_add(header)
        .saturating_add(entry.compressed)
}

/// The one `METADATA` of the wheel's own `.dist-info` folder.
fn find_metadata(
    directory_bytes: &[u8],
    directory: Directory,
    wheel: &WheelFilename,
) -> Result<Entry, MetadataLiteError> {
    let entries = read_directory(directory_bytes, directory)?;
    let mut found: Vec<Entry> = entries
        .into_iter()
        .filter(|entry| {
            entry
                .name
                .strip_suffix(".dist-info/METADATA")
                .is_some_and(|folder| !folder.contains('/'))
        })
        .collect();
    // Old tools left dashes in the folder's name.
    let is_own = |entry: &Entry| {
        let folder = entry.name.split('/').next().unwrap_or_default();
        let mut cuts = folder.match_indices('-');
        cuts.any(|(at, _)| {
            let name = folder[..at].parse();
            name.is_ok_and(|name: bnbpip_packaging::PackageName| name == wheel.name)
        })
    };
    match &found[..] {
        [only] if !is_own(only) => {
            let folder = only.name.split('/').next().unwrap_or_default();
            return Err(MetadataLiteError::OtherProject {
                folder: crate::archive::shown(folder),
                name: wheel.name.to_string(),
            });
        }
        [_] => {}
        // A wheel may carry the leftovers of another distribution; its own is named for it.
        _ => found.retain(is_own),
    }
    match found.pop() {
        Some(entry) if found.is_empty() && entry.size <= METADATA_LIMIT_BYTES => Ok(entry),
        Some(_) if found.is_empty() => Err(MetadataLiteError::TooLarge(METADATA_LIMIT_BYTES)),
        Some(_) => Err(MetadataLiteError::Count(found.len() + 1)),
        None => Err(MetadataLiteError::Count(0)),
    }
}

/// Unpacks a member, given the bytes from its local header on.
pub(crate) fn unpack_member(bytes: &[u8], entry: &Entry) -> Result<Vec<u8>, MetadataLiteError> {
    let (begin, end) = data_range(bytes, entry)?;
    let data = bytes
        .get(begin..end)
        .ok_or_else(|| ArchiveError::entry(&entry.name, "it is cut short"))?;
    let mut content = Vec::with_capacity(usize::try_from(entry.size).unwrap_or(0));
    Inflater::new()
        .unpack(data, entry, &mut |piece| {
            content.extend_from_slice(piece);
            Ok(())
        })
        .map_err(|error| match error {
            crate::archive::InflateError::Archive(error) => error,
            crate::archive::InflateError::Io(_) => {
                ArchiveError::Malformed("the content can't be unpacked")
            }
        })?;
    Ok(content)
}

/// The whole `METADATA` of a wheel on disk.
///
/// # Errors
/// When the file can't be read or is no wheel.
pub(super) fn document_of_local_wheel(
    path: &Path,
    wheel: &WheelFilename,
) -> Result<Vec<u8>, IndexError> {
    let io = |source| IndexError::io("read", path, 0, source);
    let bad = |source| IndexError::BadMetadata {
        filename: wheel.to_string(),
        location: path.display().to_string(),
        source,
    };
    let mut file = fs_err::File::open(path).map_err(io)?;
    let total = file.metadata().map_err(io)?.len();
    let mut start = total.saturating_sub(128 << 10);
    loop {
        let tail = Tail {
            bytes: read_range(&mut file, start, total).map_err(io)?,
            start,
        };
        return match tail.metadata(wheel).map_err(bad)? {
            FromTail::Metadata(content) => Ok(content),
            FromTail::WidenTo(wider) if wider < start => {
                start = wider;
                continue;
            }
            FromTail::WidenTo(_) => Err(bad(ArchiveError::NotAnArchive.into())),
            FromTail::Member(entry, first, last) => {
                let bytes = read_range(&mut file, first, last + 1).map_err(io)?;
                unpack_member(&bytes, &entry).map_err(bad)
            }
        };
    }
}

fn read_range(file: &mut fs_err::File, from: u64, to: u64) -> std::io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(from))?;
    let length = to.saturating_sub(from);
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    file.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}
