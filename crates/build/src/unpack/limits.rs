//! How much there may be in an archive, found out before anything of it is written or read whole.

use std::io::Read;

use super::Refusal;

/// Limits on an archive.
#[derive(Debug, Clone, Copy)]
pub struct UnpackLimits {
    /// The most that all files together may hold.
    pub total_bytes: u64,
    /// The most entries.
    pub entries: usize,
    /// Unpacked to more than this, an archive must not hold more than 200 times its own size.
    pub dense_bytes: u64,
}

impl Default for UnpackLimits {
    fn default() -> Self {
        Self {
            total_bytes: 8 << 30,
            entries: 500_000,
            dense_bytes: 512 << 20,
        }
    }
}

/// The most parts of a name.
pub(super) const DEPTH_LIMIT: usize = 128;

/// Unpacked bytes per packed byte; sources stay below 20.
const DENSITY_LIMIT: u64 = 200;

/// The longest name, or other header, of an entry of a tar archive: they are read whole.
const HEADER_LIMIT_BYTES: u64 = 1 << 20;

/// Looks at the headers of a tar archive. Entries are only skipped, and those behind a size that
/// is too large are not even reached.
pub(super) fn check_tar(
    mut archive: tar::Archive<impl Read>,
    packed_bytes: u64,
    limits: UnpackLimits,
) -> Result<(), Refusal> {
    let mut total_bytes: u64 = 0;
    for entry in archive.entries()?.raw(true) {
        let entry = entry?;
        let header = entry.header();
        let kind = header.entry_type();
        let size = match header.as_gnu().filter(|_| kind.is_gnu_sparse()) {
            Some(sparse) => sparse.real_size()?,
            None => header.entry_size()?,
        };
        let is_read_whole = kind.is_gnu_longname()
            || kind.is_gnu_longlink()
            || kind.is_pax_local_extensions()
            || kind.is_pax_global_extensions();
        if is_read_whole && size > HEADER_LIMIT_BYTES {
            return Err(Refusal::TooLarge("1 MiB in a header".to_owned()));
        }
        total_bytes = total_bytes.saturating_add(size);
        check_density(packed_bytes, total_bytes, limits)?;
    }
    Ok(())
}

/// Holds the limits on what an archive unpacks to.
pub(super) fn check_density(
    packed_bytes: u64,
    total_bytes: u64,
    limits: UnpackLimits,
) -> Result<(), Refusal> {
    if total_bytes > limits.total_bytes {
        let limit = format!("{} bytes", limits.total_bytes);
        return Err(Refusal::TooLarge(limit));
    }
    if total_bytes > limits.dense_bytes && total_bytes / DENSITY_LIMIT > packed_bytes {
        let limit = format!("{DENSITY_LIMIT} times its own size");
        return Err(Refusal::TooLarge(limit));
    }
    Ok(())
}
