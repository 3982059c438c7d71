//! Where temporary files go when the place that the environment names isn't there: as Python does,
//! and with it pip, the system's own place is taken.

use std::path::Path;

/// Sets another place for temporary files for the whole process, if that is needed.
pub(crate) fn settle() {
    let named = tempfile::env::temp_dir();
    if cfg!(windows) || named.is_dir() {
        return;
    }
    let other = ["/tmp", "/var/tmp", "/usr/tmp", "."]
        .map(Path::new)
        .into_iter()
        .find(|place| place.is_dir());
    if let Some(other) = other {
        // It fails if it was done before, and nobody does.
        let _done_before = tempfile::env::override_temp_dir(other);
    }
}
