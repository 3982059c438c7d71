//! Unpacking on all cores, from a memory map.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use fs_err as fs;
use memmap2::Mmap;
use rayon::prelude::*;
use sha2::{Digest as _, Sha256};

use super::manifest::{ManifestFile, modified_ns};
use crate::archive::{
    ArchiveError, Entry, InflateError, Inflater, check_layout, check_names, find_directory,
    read_directory,
};

/// Above this unpacked size a wheel must not be denser than [`DENSITY_LIMIT`].
const DENSITY_ABOVE_BYTES: u64 = 1 << 30;

/// Unpacked bytes per packed byte. Real wheels stay below 20; deflate can reach 1032.
const DENSITY_LIMIT: u64 = 200;

/// The largest of a wheel's own records: they are read whole.
const RECORD_LIMIT_BYTES: u64 = 32 << 20;

/// How much is unpacked before the pages of the archive that were read are given back.
const FORGET_AFTER_BYTES: u64 = 16 << 20;

/// The work of one task: entries are grouped up to this size, or this number.
const GROUP_BYTES: u64 = 1 << 20;
const GROUP_ENTRIES: usize = 128;

/// From this size on a file is hashed and written by a thread of its own, while the next piece is
/// inflated: torch's largest library is a gigabyte and a half, and nothing else can share its work.
const OWN_WRITER_BYTES: u64 = 32 << 20;

/// How many pieces may wait for such a thread.
const PIECES_AHEAD: usize = 4;

/// Why a wheel can't be unpacked.
#[derive(Debug)]
pub(super) enum UnpackError {
    Archive(ArchiveError),
    Io {
        path: PathBuf,
        needed_bytes: u64,
        source: io::Error,
    },
}

impl From<ArchiveError> for UnpackError {
    fn from(error: ArchiveError) -> Self {
        Self::Archive(error)
    }
}

/// Checks the whole archive, then unpacks it below `target`, which must be empty.
pub(super) fn unpack(archive: &Path, target: &Path) -> Result<Vec<ManifestFile>, UnpackError> {
    let io = |source| UnpackError::Io {
        path: archive.to_path_buf(),
        needed_bytes: 0,
        source,
    };
    let map = map_file(archive).map_err(io)?;
    let bytes: &[u8] = map.as_deref().unwrap_or_default();
    let forget = || forget_pages(map.as_ref());
    let (entries, starts) = check(bytes, &forget)?;
    let needed_bytes: u64 = entries.iter().map(|entry| entry.size).sum();
    let in_target = |source| UnpackError::Io {
        path: target.to_path_buf(),
        needed_bytes,
        source,
    };
    make_folders(&entries, target).map_err(in_target)?;
    let work: Vec<(&Entry, usize)> = entries
        .iter()
        .zip(starts)
        .filter(|(entry, _)| !entry.is_dir)
        .collect();
    let mut groups: Vec<_> = group(&work).into_iter().enumerate().collect();
    // The largest first: one that begins last is waited for alone.
    groups.sort_by_key(|(_, group)| Reverse(unpacked_bytes(group)));
    let mut files = groups
        .into_par_iter()
        .with_max_len(1)
        .map(|(at, group)| {
            Ok((
                at,
                unpack_group(bytes, group, target, needed_bytes, &forget)?,
            ))
        })
        .collect::<Result<Vec<_>, UnpackError>>()?;
    files.sort_by_key(|(at, _)| *at);
    Ok(files.into_iter().flat_map(|(_, files)| files).collect())
}

fn unpacked_bytes(group: &[(&Entry, usize)]) -> u64 {
    group.iter().map(|(entry, _)| entry.size).sum()
}

#[expect(
    unsafe_code,
    reason = "a memory map is how all cores read one archive without copies"
)]
fn map_file(path: &Path) -> io::Result<Option<Mmap>> {
    let file = fs::File::open(path)?;
    if file.metadata()?.len() == 0 {
        return Ok(None);
    }
    // SAFETY: the file lies in the cache, where finished files are replaced and never changed, or
    // is the user's own wheel, which is read once; if someone truncates it meanwhile the process
    // is stopped by the system, as with any memory map.
    unsafe { Mmap::map(file.file()) }.map(Some)
}

/// Gives back the memory of the pages that were read, which count as the process's: a wheel of
/// gigabytes would fill it. They can be read again.
#[cfg(unix)]
#[expect(
    unsafe_code,
    reason = "the advice changes nothing but what is in memory"
)]
fn forget_pages(map: Option<&Mmap>) {
    if let Some(map) = map {
        // SAFETY: the map is shared and of a file that nobody writes, so that pages that are
        // dropped come back with the same content.
        let advised = unsafe { map.unchecked_advise(memmap2::UncheckedAdvice::DontNeed) };
        // Without it the system drops them when it is short of memory.
        drop(advised);
    }
}

/// Windows drops them by itself.
#[cfg(not(unix))]
fn forget_pages(_map: Option<&Mmap>) {}

/// All checks that need no content; `forget` is called now and then.
pub(crate) fn check(
    bytes: &[u8],
    forget: &dyn Fn(),
) -> Result<(Vec<Entry>, Vec<usize>), ArchiveError> {
    let directory = find_directory(bytes, bytes.len() as u64)?;
    let malformed = || ArchiveError::Malformed("the central directory lies beyond the end");
    let begin = usize::try_from(directory.offset).map_err(|_| malformed())?;
    let size = usize::try_from(directory.size).map_err(|_| malformed())?;
    let end = begin.checked_add(size).ok_or_else(malformed)?;
    let entries = read_directory(bytes.get(begin..end).ok_or_else(malformed)?, directory)?;
    let unpacked_bytes = entries
        .iter()
        .try_fold(0_u64, |sum, entry| sum.checked_add(entry.size))
        .ok_or(ArchiveError::Malformed("its sizes are impossible"))?;
    let packed_bytes = bytes.len() as u64;
    if unpacked_bytes > DENSITY_ABOVE_BYTES && unpacked_bytes / DENSITY_LIMIT > packed_bytes {
        return Err(ArchiveError::TooDense {
            packed_bytes,
            unpacked_bytes,
        });
    }
    check_names(&entries)?;
    check_record_sizes(&entries)?;
    let starts = check_layout(bytes, &entries, directory.offset, forget)?;
    forget();
    Ok((entries, starts))
}

/// No record of the wheel about itself may be too large to be read whole.
fn check_record_sizes(entries: &[Entry]) -> Result<(), ArchiveError> {
    for entry in entries.iter().filter(|it| it.size > RECORD_LIMIT_BYTES) {
        let (folder, name) = entry.name.split_once('/').unwrap_or_default();
        let is_read_whole = ["METADATA", "WHEEL", "RECORD", "entry_points.txt"].contains(&name);
        if folder.ends_with(".dist-info") && is_read_whole {
            return Err(ArchiveError::entry(&entry.name, "it is larger than 32 MiB"));
        }
    }
    Ok(())
}

fn make_folders(entries: &[Entry], target: &Path) -> io::Result<()> {
    let mut folders: BTreeSet<&str> = BTreeSet::new();
    let mut last = "";
    for entry in entries {
        let folder = if entry.is_dir {
            entry.name.trim_end_matches('/')
        } else {
            entry.name.rsplit_once('/').map_or("", |(folder, _)| folder)
        };
        if folder == last {
            continue;
        }
        last = folder;
        let ends = folder.match_indices('/').map(|(at, _)| at);
        for end in ends.chain([folder.len()]) {
            folders.insert(&folder[..end]);
        }
    }
    // Sorted, so that a folder comes before what is in it. Two that differ in case alone are one
    // on some systems.
    for folder in folders.into_iter().filter(|folder| !folder.is_empty()) {
        match fs::create_dir(target.join(folder)) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Splits the entries into tasks: one task per file would cost more than small files do.
fn group<'work, 'entry>(
    work: &'work [(&'entry Entry, usize)],
) -> Vec<&'work [(&'entry Entry, usize)]> {
    let mut groups = Vec::new();
    let (mut begin, mut bytes) = (0, 0);
    for (at, (entry, _)) in work.iter().enumerate() {
        bytes += entry.size;
        if bytes >= GROUP_BYTES || at + 1 - begin >= GROUP_ENTRIES {
            groups.push(&work[begin..=at]);
            (begin, bytes) = (at + 1, 0);
        }
    }
    if begin < work.len() {
        groups.push(&work[begin..]);
    }
    groups
}

fn unpack_group(
    bytes: &[u8],
    group: &[(&Entry, usize)],
    target: &Path,
    needed_bytes: u64,
    forget: &(dyn Fn() + Sync),
) -> Result<Vec<ManifestFile>, UnpackError> {
    let mut inflater = Inflater::new();
    let mut since_forgetting = 0;
    group
        .iter()
        .map(|(entry, start)| {
            let path = target.join(&entry.name);
            let mut unpacked = |length: usize| {
                since_forgetting += length as u64;
                if since_forgetting > FORGET_AFTER_BYTES {
                    since_forgetting = 0;
                    forget();
                }
            };
            let outcome = unpack_entry(&mut inflater, bytes, entry, *start, &path, &mut unpacked);
            outcome.map_err(|error| match error {
                InflateError::Archive(error) => UnpackError::Archive(error),
                InflateError::Io(source) => UnpackError::Io {
                    path,
                    needed_bytes,
                    source,
                },
            })
        })
        .collect()
}

fn unpack_entry(
    inflater: &mut Inflater,
    bytes: &[u8],
    entry: &Entry,
    start: usize,
    path: &Path,
    unpacked: &mut dyn FnMut(usize),
) -> Result<ManifestFile, InflateError> {
    let length = usize::try_from(entry.compressed).unwrap_or(usize::MAX);
    let data = bytes
        .get(start..start.saturating_add(length))
        .ok_or_else(|| ArchiveError::entry(&entry.name, "it is cut short"))?;
    let mut sink = Sink {
        file: create(path, entry.executable)?,
        digest: Sha256::new(),
    };
    if entry.size < OWN_WRITER_BYTES {
        inflater.unpack(data, entry, &mut |piece| {
            unpacked(piece.len());
            sink.take(piece)
        })?;
    } else {
        unpack_with_writer(inflater, data, entry, &mut sink, unpacked)?;
    }
    Ok(ManifestFile {
        path: entry.name.as_str().into(),
        size: entry.size,
        modified_ns: modified_ns(&sink.file.metadata()?),
        crc32: entry.crc32,
        executable: entry.executable,
        sha256: sink.digest.finalize().into(),
    })
}

/// A file that is written, and its digest.
struct Sink {
    file: fs::File,
    digest: Sha256,
}

impl Sink {
    fn take(&mut self, piece: &[u8]) -> io::Result<()> {
        self.digest.update(piece);
        self.file.write_all(piece)
    }
}

/// Inflates here, and hashes and writes on another thread.
fn unpack_with_writer(
    inflater: &mut Inflater,
    data: &[u8],
    entry: &Entry,
    sink: &mut Sink,
    unpacked: &mut dyn FnMut(usize),
) -> Result<(), InflateError> {
    let (send, pieces) = mpsc::sync_channel::<Vec<u8>>(PIECES_AHEAD);
    let (give_back, used) = mpsc::channel();
    std::thread::scope(|scope| {
        let write = move || {
            for piece in pieces {
                sink.take(&piece)?;
                // Whoever inflates may be done with it.
                let _ = give_back.send(piece);
            }
            Ok(())
        };
        let writer = std::thread::Builder::new().spawn_scoped(scope, write)?;
        let outcome = inflater.unpack(data, entry, &mut |piece| {
            unpacked(piece.len());
            let mut buffer: Vec<u8> = used.try_recv().unwrap_or_default();
            buffer.clear();
            buffer.extend_from_slice(piece);
            // The writer goes before its time only with an error, which is told in its place.
            send.send(buffer).map_err(io::Error::other)
        });
        drop(send);
        let written: io::Result<()> = writer.join().unwrap_or_else(|panic| resume_unwind(panic));
        written?;
        outcome
    })
}

#[cfg(unix)]
fn create(path: &Path, executable: bool) -> io::Result<fs::File> {
    use fs_err::os::unix::fs::OpenOptionsExt;
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(if executable { 0o755 } else { 0o644 })
        .open(path)
}

#[cfg(not(unix))]
fn create(path: &Path, _executable: bool) -> io::Result<fs::File> {
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::archive::Method;

    #[test]
    fn a_writer_that_fails_says_why() {
        let data = vec![7; 4 << 20];
        let entry = Entry {
            name: "a/large.so".into(),
            raw_name: Vec::new(),
            flags: 0,
            method: Method::Stored,
            crc32: crc32fast::hash(&data),
            compressed: data.len() as u64,
            size: data.len() as u64,
            header_offset: 0,
            is_dir: false,
            executable: false,
        };
        let unpack_into = |path: &str| {
            let mut sink = Sink {
                file: fs::OpenOptions::new().write(true).open(path).unwrap(),
                digest: Sha256::new(),
            };
            unpack_with_writer(&mut Inflater::new(), &data, &entry, &mut sink, &mut |_| ())
        };
        unpack_into("/dev/null").unwrap();
        let error = unpack_into("/dev/full").unwrap_err();
        assert!(
            matches!(&error, InflateError::Io(io) if io.kind() == io::ErrorKind::StorageFull),
            "{error:?}"
        );
    }
}
