//! Reading files that the user names: no more of one than any real one has, for it may be a device
//! that never ends.

use std::io::{self, Read as _};
use std::path::Path;

/// The most that is read of a requirements file or one of pip's settings.
pub(crate) const TEXT_BYTES: u64 = 16 << 20;

/// The most that is read of a file of TOML: a parsed value takes hundreds of bytes.
pub(crate) const TOML_BYTES: u64 = 2 << 20;

/// The content of a file.
///
/// # Errors
/// When it can't be read, or has more than `limit_bytes`.
pub(crate) fn read(path: &Path, limit_bytes: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs_err::File::open(path)?
        .take(limit_bytes.saturating_add(1))
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit_bytes {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("`{}` has more than {limit_bytes} bytes", path.display()),
        ));
    }
    Ok(bytes)
}

/// The content of a file of UTF-8 text that is or holds TOML, of up to [`TOML_BYTES`].
///
/// # Errors
/// When it can't be read, is larger, or isn't UTF-8.
pub(crate) fn read_toml(path: &Path) -> io::Result<String> {
    String::from_utf8(read(path, TOML_BYTES)?).map_err(|_| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!("`{}` is not valid UTF-8", path.display()),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        fs_err::write(&path, "12345").unwrap();
        assert_eq!(read(&path, 5).unwrap(), b"12345");
        let error = read(&path, 4).unwrap_err();
        assert!(error.to_string().contains("more than 4 bytes"), "{error}");
        fs_err::write(&path, b"\xff").unwrap();
        assert!(read_toml(&path).is_err());
        #[cfg(unix)]
        assert!(read(Path::new("/dev/zero"), 1 << 20).is_err());
    }
}
