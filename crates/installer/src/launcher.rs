//! Windows launchers: a small executable, the shebang that it reads, and an archive with the
//! script, in one file. Python runs the archive; the stub finds the interpreter by the shebang.

use std::io::{Cursor, Write as _};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// The stub of console scripts. `crates/launcher` is its source, and its `build` makes it.
const CONSOLE: &[u8] = include_bytes!("../launchers/console-x86_64.exe");
/// The stub of GUI scripts: it opens no console window.
const GUI: &[u8] = include_bytes!("../launchers/gui-x86_64.exe");

/// A launcher's archive could not be written.
#[derive(Debug, thiserror::Error)]
#[error("Failed to create script `{name}`")]
pub struct LauncherError {
    /// The script.
    pub name: String,
    /// The cause.
    #[source]
    pub source: zip::result::ZipError,
}

/// The bytes of `name.exe`. They depend on nothing but the arguments.
///
/// One stub serves every Windows: 64-bit Windows on ARM runs it, and 32-bit Pythons are started by
/// it as well.
///
/// # Errors
///
/// When the archive can't be written.
pub fn launcher(
    is_gui: bool,
    name: &str,
    shebang: &[u8],
    body: &str,
) -> Result<Vec<u8>, LauncherError> {
    let archive = archive(body).map_err(|source| LauncherError {
        name: name.to_string(),
        source,
    })?;
    let stub = if is_gui { GUI } else { CONSOLE };
    Ok([stub, shebang, &archive].concat())
}

fn archive(body: &str) -> zip::result::ZipResult<Vec<u8>> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default());
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file("__main__.py", options)?;
    writer.write_all(body.as_bytes())?;
    Ok(writer.finish()?.into_inner())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn appends_the_shebang_and_an_archive_that_readers_find() {
        let line = b"#!C:\\python.exe\r\n";
        let bytes = launcher(true, "x", line, "print(1)\n").unwrap();
        assert!(bytes.starts_with(&[GUI, line, b"PK"].concat()));
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes.clone())).unwrap();
        let mut text = String::new();
        archive
            .by_name("__main__.py")
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, "print(1)\n");
        let again = launcher(true, "x", line, "print(1)\n");
        assert_eq!(again.unwrap(), bytes);
    }

    #[test]
    fn the_stubs_are_small_programs_for_their_kind_of_script() {
        for (stub, subsystem) in [(CONSOLE, 3), (GUI, 2)] {
            assert!(stub.starts_with(b"MZ") && stub.len() <= 20_000);
            let header =
                usize::try_from(u32::from_le_bytes(stub[60..64].try_into().unwrap())).unwrap();
            assert_eq!(&stub[header..header + 4], b"PE\0\0");
            assert_eq!(stub[header + 24 + 68], subsystem);
        }
    }
}
