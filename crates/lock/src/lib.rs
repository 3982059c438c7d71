//! `pylock.toml` (PEP 751): reading strictly, writing the same bytes for the same content, merging
//! the solutions of several environments into one file, and selecting what one target installs.
//!
//! Pure: text comes in and goes out; the binary reads and writes the file.

mod conflict;
mod diff;
mod export;
mod foreign;
mod marker;
mod merge;
mod model;
mod pieces;
mod places;
mod read;
mod remote;
mod select;
mod three_way;
mod write;

pub use conflict::conflict_sides;
pub use diff::{FilesDiff, LockDiff, PackageDiff, SettingDiff, Side};
pub use export::{ExportedPackage, cyclonedx, requirements, spdx};
pub use foreign::{ForeignLock, ForeignLockError, Pin};
pub use marker::{LockMarker, MarkerError};
pub use merge::{Environment, Environments, Solution, merge};
pub use model::{
    AskedBy, AttestationIdentity, Community, Inputs, Lock, LockedFile, LockedPackage,
    LockedRequirement, LockedSource, LockedVcs, Overlay,
};
pub use read::{LockError, MAX_BYTES};
pub use remote::RemoteError;
pub use select::{SelectError, Selected, SelectedFrom, Selecting};
pub use three_way::{MergedText, merge_texts};
