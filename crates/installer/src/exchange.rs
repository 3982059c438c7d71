//! Two folders changing places in one step: where the system can, and where it can be told
//! afterwards whether it has happened.

use std::io;
use std::path::Path;

use crate::steps::Files;

/// Whether folders on the volume of `folder`, which belongs to the transaction, can change
/// places: tried with two of them.
pub(crate) fn is_possible(files: &Files, folder: &Path) -> bool {
    let (one, other) = (folder.join("probe-1"), folder.join("probe-2"));
    let tried: io::Result<()> = (|| {
        files.create_dir(&one)?;
        files.create_dir(&other)?;
        files.exchange(&one, &other)
    })();
    tried.is_ok() && keeps_numbers(folder)
}

/// Whether the volume is of a kind whose numbers for folders outlast a restart. Those that stack
/// volumes on each other, and network file systems, may give new ones.
#[cfg(target_os = "linux")]
fn keeps_numbers(folder: &Path) -> bool {
    // ext2 to ext4, XFS, Btrfs, F2FS, bcachefs, tmpfs (`linux/magic.h`).
    const KINDS: [i64; 6] = [
        0xEF53,
        0x5846_5342,
        0x9123_683E,
        0xF2F5_2010,
        0xCA45_1A4E,
        0x0102_1994,
    ];
    #[expect(
        clippy::useless_conversion,
        reason = "the field's type depends on the architecture"
    )]
    rustix::fs::statfs(folder).is_ok_and(|found| KINDS.contains(&i64::from(found.f_type)))
}

#[cfg(not(target_os = "linux"))]
fn keeps_numbers(_folder: &Path) -> bool {
    false
}

/// The volume of a folder and its number there; `None` for what is no folder, a link to one too.
#[cfg(unix)]
pub(crate) fn identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    let found = fs_err::symlink_metadata(path).ok()?;
    found.is_dir().then(|| (found.dev(), found.ino()))
}

#[cfg(not(unix))]
pub(crate) fn identity(_path: &Path) -> Option<(u64, u64)> {
    None
}
