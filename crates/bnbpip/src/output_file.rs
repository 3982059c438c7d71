//! Writing files that the user names: one of them may be a device, as `NUL`.

use std::io::{self, Write as _};
use std::path::Path;

/// Writes a file, which is made if there is none; what it had is gone.
///
/// # Errors
/// When it can't be opened or written.
pub(crate) fn write(path: &Path, text: &str) -> io::Result<()> {
    // Opened to be cut off, a device is refused on Windows: it has no length.
    let mut file = fs_err::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)?;
    if file.metadata().is_ok_and(|metadata| metadata.len() > 0) {
        file.set_len(0)?;
    }
    file.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::files::NULL_DEVICE;

    #[test]
    fn a_file_has_what_was_written_last() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        for text in ["long", "no", ""] {
            write(&path, text).unwrap();
            assert_eq!(fs_err::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn the_null_device_takes_anything() {
        let folder = tempfile::tempdir().unwrap();
        write(Path::new(NULL_DEVICE), "text").unwrap();
        write(&folder.path().join(NULL_DEVICE), "text").unwrap();
    }
}
