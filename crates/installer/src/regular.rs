//! Reading what an environment holds: a pipe or a device in a file's place would never end.

use std::io;
use std::path::Path;

/// The content of a regular file.
///
/// # Errors
/// When it can't be read, or is a device, a pipe or a socket.
pub fn read_regular(path: &Path) -> io::Result<Vec<u8>> {
    let kind = fs_err::metadata(path)?.file_type();
    // Reading a folder fails by itself, with the system's own words.
    if !kind.is_file() && !kind.is_dir() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("`{}` is no regular file", path.display()),
        ));
    }
    fs_err::read(path)
}

/// The text of a regular file.
///
/// # Errors
/// When it can't be read, isn't UTF-8, or is a device, a pipe or a socket.
pub fn read_regular_text(path: &Path) -> io::Result<String> {
    String::from_utf8(read_regular(path)?)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_never_ends_is_not_read() {
        for path in ["/dev/zero", "/dev/null"] {
            let error = read_regular(Path::new(path)).unwrap_err();
            assert!(error.to_string().ends_with("is no regular file"), "{error}");
        }
        assert!(read_regular(Path::new("/")).is_err());
    }
}
