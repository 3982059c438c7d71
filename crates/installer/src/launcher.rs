//! Windows launchers: a small executable, the shebang that it reads, and an archive with the
//! script, in one file. Python runs the archive; the stub finds the interpreter by the shebang.

use std::io::{Cursor, Write as _};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// The executable stubs for a target's architecture.
#[derive(Debug, Clone, Copy)]
pub struct Launchers {
    /// For console scripts.
    pub console: &'static [u8],
    /// For GUI scripts: opens no console window.
    pub gui: &'static [u8],
}

/// Why a launcher could not be made.
#[derive(Debug, thiserror::Error)]
pub enum LauncherError {
    /// There is no stub for the target's architecture.
    #[error("Failed to create script `{name}`: there is no launcher for this kind of Windows")]
    NoStub {
        /// The script.
        name: String,
    },
    /// The archive could not be written.
    #[error("Failed to create script `{name}`")]
    Archive {
        /// The script.
        name: String,
        /// The cause.
        #[source]
        source: zip::result::ZipError,
    },
}

/// The bytes of `name.exe`. They depend on nothing but the arguments.
///
/// # Errors
///
/// When there is no stub, or the archive can't be written.
pub fn launcher(
    launchers: Option<Launchers>,
    is_gui: bool,
    name: &str,
    shebang: &[u8],
    body: &str,
) -> Result<Vec<u8>, LauncherError> {
    let launchers = launchers.ok_or_else(|| LauncherError::NoStub {
        name: name.to_string(),
    })?;
    let archive = archive(body).map_err(|source| LauncherError::Archive {
        name: name.to_string(),
        source,
    })?;
    let stub = if is_gui {
        launchers.gui
    } else {
        launchers.console
    };
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

    const LAUNCHERS: Launchers = Launchers {
        console: b"MZ console",
        gui: b"MZ gui",
    };

    #[test]
    fn appends_the_shebang_and_an_archive_that_readers_find() {
        let bytes = launcher(
            Some(LAUNCHERS),
            true,
            "x",
            b"#!C:\\python.exe\r\n",
            "print(1)\n",
        )
        .unwrap();
        assert!(bytes.starts_with(b"MZ gui#!C:\\python.exe\r\nPK"));
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes.clone())).unwrap();
        let mut text = String::new();
        archive
            .by_name("__main__.py")
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, "print(1)\n");
        let again = launcher(
            Some(LAUNCHERS),
            true,
            "x",
            b"#!C:\\python.exe\r\n",
            "print(1)\n",
        );
        assert_eq!(again.unwrap(), bytes);
    }

    #[test]
    fn says_so_when_there_is_no_stub() {
        let error = launcher(None, false, "x", b"", "").unwrap_err();
        assert_eq!(
            error.to_string(),
            "Failed to create script `x`: there is no launcher for this kind of Windows"
        );
    }
}
