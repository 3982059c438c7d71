//! ZIP archives (APPNOTE 6.3), read strictly: what two readers could understand in two ways is
//! refused. Works on a whole archive and on its tail alone.
//!
//! A general reader keeps one entry per name and trusts the central directory; both hide what
//! must be refused in a wheel, so the directory is read here.

mod central;
mod inflate;
mod local;
mod names;

#[cfg(test)]
pub(crate) use central::Method;
pub(crate) use central::{Directory, Entry, find_directory, read_directory};
pub(crate) use inflate::{InflateError, Inflater};
pub(crate) use local::{check_layout, data_range};
pub(crate) use names::check_names;

/// Why an archive is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// No end of a central directory: not a ZIP file, or cut short.
    #[error("Failed to read the archive: it has no central directory; it may be cut short")]
    NotAnArchive,
    /// A structure that contradicts itself or the specification.
    #[error("Failed to read the archive: {0}")]
    Malformed(&'static str),
    /// An entry that is refused.
    #[error("Failed to accept `{name}` in the archive: {reason}")]
    Entry {
        /// The entry's name, with control characters escaped.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Two names for one file.
    #[error("Failed to accept `{first}` and `{second}` in the archive: {reason}")]
    Clash {
        /// The one.
        first: String,
        /// The other.
        second: String,
        /// In which way they clash.
        reason: &'static str,
    },
    /// Unpacked it would be far larger than packed.
    #[error(
        "Failed to accept the archive: its {packed_bytes} bytes would unpack to {unpacked_bytes}"
    )]
    TooDense {
        /// The archive's size.
        packed_bytes: u64,
        /// The sum of its entries' sizes.
        unpacked_bytes: u64,
    },
    /// Too many entries.
    #[error("Failed to accept the archive: it has more than {limit} entries")]
    TooManyEntries {
        /// The limit.
        limit: usize,
    },
}

impl ArchiveError {
    pub(crate) fn entry(name: &str, reason: &'static str) -> Self {
        Self::Entry {
            name: shown(name),
            reason,
        }
    }
}

/// A name as it can be shown: control characters are escaped.
pub(crate) fn shown(name: &str) -> String {
    let mut shown = String::with_capacity(name.len());
    for character in name.chars() {
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}
