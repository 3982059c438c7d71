//! Unpacks sdists safely (PEP 706): nothing leaves the folder, no device files, no links to the
//! outside, no permissions beyond the ordinary, and limits on how much there can be.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use bnbpip_packaging::SdistExtension;

mod decompress;
mod limits;
mod names;

use decompress::{open_bzip2, open_gzip, open_lzma, open_plain};
use limits::DEPTH_LIMIT;
pub use limits::UnpackLimits;
#[cfg(unix)]
use names::plain;
use names::{joined, relative};

/// Why an archive isn't unpacked.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// It can't be read, or its files can't be written.
    #[error("Failed to unpack `{archive}`")]
    Io {
        /// The archive's file name.
        archive: String,
        /// The reason.
        source: io::Error,
    },
    /// An entry is dangerous.
    #[error("Failed to unpack `{archive}`: `{entry}` {reason}")]
    Unsafe {
        /// The archive's file name.
        archive: String,
        /// The entry's name, control characters escaped.
        entry: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// There is too much of it.
    #[error("Failed to unpack `{archive}`: it holds more than {limit}")]
    TooLarge {
        /// The archive's file name.
        archive: String,
        /// The limit that it breaks.
        limit: String,
    },
}

/// An entry that is refused, before the archive's name is added.
enum Refusal {
    Io(io::Error),
    Unsafe(&'static str),
    TooLarge(String),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Unpacks an archive into `folder`, which must be empty, and returns the project's folder: the one
/// at the archive's top if there is just one, else `folder` itself.
///
/// # Errors
/// When the archive can't be read or is refused; some of its files may then be there.
pub fn unpack_sdist(
    archive: &Path,
    filename: &str,
    extension: SdistExtension,
    folder: &Path,
    limits: UnpackLimits,
) -> Result<PathBuf, UnpackError> {
    let io = |source: io::Error| UnpackError::Io {
        archive: filename.to_string(),
        source,
    };
    fs_err::create_dir_all(folder).map_err(io)?;
    let mut unpacking = Unpacking {
        archive: filename,
        packed_bytes: fs_err::metadata(archive).map_err(io)?.len(),
        folder,
        limits,
        written_bytes: 0,
        entries: 0,
        links: BTreeMap::new(),
    };
    match extension {
        SdistExtension::Zip => unpacking.zip(archive)?,
        SdistExtension::TarGz | SdistExtension::Tgz => unpacking.tar(archive, open_gzip)?,
        SdistExtension::Tar => unpacking.tar(archive, open_plain)?,
        SdistExtension::TarBz2 => unpacking.tar(archive, open_bzip2)?,
        SdistExtension::TarXz => unpacking.tar(archive, open_lzma)?,
    }
    unpacking.copy_links().map_err(io)?;
    top_folder(folder).map_err(io)
}

fn top_folder(folder: &Path) -> io::Result<PathBuf> {
    let entries: Vec<_> = fs_err::read_dir(folder)?.collect::<io::Result<_>>()?;
    match entries.as_slice() {
        [only] if only.file_type()?.is_dir() => Ok(only.path()),
        _ => Ok(folder.to_path_buf()),
    }
}

struct Unpacking<'a> {
    archive: &'a str,
    packed_bytes: u64,
    folder: &'a Path,
    limits: UnpackLimits,
    written_bytes: u64,
    entries: usize,
    /// Symbolic links that are written as copies once everything is there.
    links: BTreeMap<PathBuf, PathBuf>,
}

impl Unpacking<'_> {
    fn tar<R: Read>(
        &mut self,
        path: &Path,
        open: impl Fn(&Path) -> io::Result<R>,
    ) -> Result<(), UnpackError> {
        let broken = |source: io::Error| UnpackError::Io {
            archive: self.archive.to_string(),
            source,
        };
        let too_large = |refusal| explained(self.archive, "", refusal);
        let headers = tar::Archive::new(open(path).map_err(broken)?);
        limits::check_tar(headers, self.packed_bytes, self.limits).map_err(too_large)?;
        let mut archive = tar::Archive::new(open(path).map_err(broken)?);
        for entry in archive.entries().map_err(broken)? {
            let mut entry = entry.map_err(broken)?;
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            self.tar_entry(&mut entry, &name)
                .map_err(|refusal| explained(self.archive, &name, refusal))?;
        }
        Ok(())
    }

    fn tar_entry(
        &mut self,
        entry: &mut tar::Entry<'_, impl Read>,
        name: &str,
    ) -> Result<(), Refusal> {
        use tar::EntryType;
        self.count()?;
        let kind = entry.header().entry_type();
        if matches!(kind, EntryType::XGlobalHeader | EntryType::XHeader) {
            return Ok(());
        }
        let Some(place) = self.place(name)? else {
            return Ok(());
        };
        match kind {
            EntryType::Directory => Ok(fs_err::create_dir_all(place)?),
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                let executable = entry.header().mode().is_ok_and(|mode| mode & 0o111 != 0);
                self.file(&place, entry, executable)
            }
            EntryType::Symlink | EntryType::Link => {
                let Some(target) = entry.link_name_bytes() else {
                    return Err(Refusal::Unsafe("is a link to nowhere"));
                };
                let target = String::from_utf8_lossy(&target).into_owned();
                if kind == EntryType::Symlink {
                    self.symbolic_link(&place, &target)
                } else {
                    self.hard_link(&place, &target)
                }
            }
            _ => Err(Refusal::Unsafe("is a device or a pipe")),
        }
    }

    fn zip(&mut self, path: &Path) -> Result<(), UnpackError> {
        let archive = self.archive;
        let broken = |source: io::Error| UnpackError::Io {
            archive: archive.to_string(),
            source,
        };
        let file = fs_err::File::open(path).map_err(broken)?;
        let mut zip = zip::ZipArchive::new(io::BufReader::new(file))
            .map_err(|error| broken(io::Error::other(error)))?;
        let total_bytes = zip.decompressed_size().unwrap_or(u128::MAX);
        let total_bytes = u64::try_from(total_bytes).unwrap_or(u64::MAX);
        limits::check_density(self.packed_bytes, total_bytes, self.limits)
            .map_err(|refusal| explained(archive, "", refusal))?;
        for index in 0..zip.len() {
            let mut entry = zip
                .by_index(index)
                .map_err(|error| broken(io::Error::other(error)))?;
            let name = entry
                .name()
                .map_err(|error| broken(io::Error::other(error)))?
                .into_owned();
            let is_folder = entry.is_dir();
            let is_link = entry
                .unix_mode()
                .is_some_and(|mode| mode & 0o170_000 == 0o120_000);
            let executable = entry.unix_mode().is_some_and(|mode| mode & 0o111 != 0);
            let unpacked = self.count().and_then(|()| match self.place(&name)? {
                None => Ok(()),
                Some(_) if is_link => Err(Refusal::Unsafe("is a link in a ZIP archive")),
                Some(place) if is_folder => Ok(fs_err::create_dir_all(place)?),
                Some(place) => self.file(&place, &mut entry, executable),
            });
            unpacked.map_err(|refusal| explained(archive, &name, refusal))?;
        }
        Ok(())
    }

    fn count(&mut self) -> Result<(), Refusal> {
        self.entries += 1;
        if self.entries > self.limits.entries {
            return Err(Refusal::TooLarge(format!(
                "{} entries",
                self.limits.entries
            )));
        }
        Ok(())
    }

    /// Where an entry goes; `None` for the folder itself. Its parents are real folders.
    fn place(&self, name: &str) -> Result<Option<PathBuf>, Refusal> {
        let Some(relative) = relative(name)? else {
            return Ok(None);
        };
        if relative.components().count() > DEPTH_LIMIT {
            return Err(Refusal::Unsafe("has a name of more than 128 parts"));
        }
        let mut parent = self.folder.to_path_buf();
        let mut parts = relative.components().peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                break;
            }
            parent.push(part);
            let is_link = fs_err::symlink_metadata(&parent)
                .is_ok_and(|metadata| metadata.file_type().is_symlink());
            if is_link || self.links.contains_key(&parent) {
                return Err(Refusal::Unsafe("lies behind a link"));
            }
        }
        fs_err::create_dir_all(&parent)?;
        Ok(Some(self.folder.join(relative)))
    }

    fn file(
        &mut self,
        place: &Path,
        content: &mut impl Read,
        executable: bool,
    ) -> Result<(), Refusal> {
        remove_file(place)?;
        let left = self.limits.total_bytes.saturating_sub(self.written_bytes);
        let mut file = fs_err::File::create(place)?;
        let written = io::copy(&mut content.take(left.saturating_add(1)), &mut file)?;
        if written > left {
            return Err(Refusal::TooLarge(format!(
                "{} bytes",
                self.limits.total_bytes
            )));
        }
        self.written_bytes += written;
        if executable {
            make_executable(place)?;
        }
        Ok(())
    }

    fn symbolic_link(&mut self, place: &Path, target: &str) -> Result<(), Refusal> {
        let inside = place.strip_prefix(self.folder).unwrap_or(place);
        let parent = inside.parent().unwrap_or(Path::new(""));
        if target.starts_with('/') || Path::new(target).is_absolute() {
            return Err(Refusal::Unsafe("is a link to an absolute path"));
        }
        let Some(resolved) = joined(parent, Path::new(target)) else {
            return Err(Refusal::Unsafe("is a link to the outside"));
        };
        remove_file(place)?;
        #[cfg(unix)]
        {
            let _ = resolved;
            fs_err::os::unix::fs::symlink(plain(Path::new(target)), place)?;
        }
        // Making links needs a privilege on Windows.
        #[cfg(not(unix))]
        self.links
            .insert(place.to_path_buf(), self.folder.join(resolved));
        Ok(())
    }

    fn hard_link(&mut self, place: &Path, target: &str) -> Result<(), Refusal> {
        let Some(source) = self.place(target)? else {
            return Err(Refusal::Unsafe("is a link to a folder"));
        };
        if source == place {
            return Ok(());
        }
        let Some(metadata) = fs_err::symlink_metadata(&source)
            .ok()
            .filter(|metadata| metadata.file_type().is_file())
        else {
            return Err(Refusal::Unsafe("is a link to something that is no file"));
        };
        // The headers say nothing of how much a link repeats.
        self.written_bytes += metadata.len();
        limits::check_density(self.packed_bytes, self.written_bytes, self.limits)?;
        remove_file(place)?;
        fs_err::copy(&source, place)?;
        Ok(())
    }

    fn copy_links(&self) -> io::Result<()> {
        for (place, target) in &self.links {
            if target.is_file() {
                fs_err::copy(target, place)?;
            }
        }
        Ok(())
    }
}

fn remove_file(place: &Path) -> io::Result<()> {
    match fs_err::remove_file(place) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(unix)]
fn make_executable(place: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs_err::metadata(place)?.permissions().mode();
    // Whoever may read it may run it: the process's own mask has its say.
    let mode = mode | (mode & 0o444) >> 2;
    fs_err::set_permissions(place, std::fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn make_executable(_: &Path) -> io::Result<()> {
    Ok(())
}

fn explained(archive: &str, entry: &str, refusal: Refusal) -> UnpackError {
    let archive = archive.to_string();
    match refusal {
        Refusal::Io(source) => UnpackError::Io { archive, source },
        Refusal::Unsafe(reason) => UnpackError::Unsafe {
            archive,
            entry: entry
                .chars()
                .flat_map(|character| {
                    let escaped = character.is_control();
                    let escape = escaped.then(|| character.escape_default());
                    escape
                        .into_iter()
                        .flatten()
                        .chain((!escaped).then_some(character))
                })
                .collect(),
            reason,
        },
        Refusal::TooLarge(limit) => UnpackError::TooLarge { archive, limit },
    }
}

#[cfg(test)]
mod tests;
