//! What follows the executable in an installed script: a `#!` line and a ZIP archive, the layout that
//! pip's and conda's launchers share.

use alloc::vec::Vec;

/// How many bytes at the file's end can hold the archive's end record: its own 22 and a comment's 65535.
pub const TAIL_BYTES: u64 = 22 + 65_535;

/// The longest `#!` line that is looked for, in bytes: the longest path that Windows has, in UTF-8.
pub const LINE_LIMIT: u64 = 3 * 32_767 + 4;

const END_OF_ARCHIVE: &[u8; 4] = b"PK\x05\x06";

/// Where the archive starts in the file, read from the file's last bytes (at most [`TAIL_BYTES`]).
///
/// `None` when there is no archive, or its end record contradicts the file's length.
#[must_use]
pub fn archive_start(tail: &[u8], file_bytes: u64) -> Option<u64> {
    let last = tail.len().checked_sub(22)?;
    let end = (0..=last).rev().find(|at| {
        let comment = u16_at(tail, at + 20).unwrap_or(u16::MAX);
        tail[*at..].starts_with(END_OF_ARCHIVE) && at + 22 + usize::from(comment) == tail.len()
    })?;
    let directory_bytes = u64::from(u32_at(tail, end + 12)?);
    let directory_offset = u64::from(u32_at(tail, end + 16)?);
    let end_in_file = file_bytes - (tail.len() - end) as u64;
    end_in_file
        .checked_sub(directory_bytes)?
        .checked_sub(directory_offset)
}

/// The interpreter that the `#!` line names: the text between it and the archive, `before` being the
/// bytes right before the archive. Options behind a quoted interpreter are left out.
#[must_use]
pub fn interpreter(before: &[u8]) -> Option<&[u8]> {
    let text = trim(before);
    // The executable's own bytes come before it; the line can't hold another `#!`.
    let start = (0..text.len().saturating_sub(1))
        .rev()
        .find(|at| text[*at..].starts_with(b"#!"))?;
    let line = trim(&text[start + 2..]);
    if line.iter().any(|byte| *byte < b' ') {
        return None;
    }
    let path = match line.strip_prefix(b"\"") {
        Some(rest) => &rest[..rest.iter().position(|byte| *byte == b'"')?],
        None => line,
    };
    (!path.is_empty()).then_some(path)
}

/// The interpreter's path for the launcher in a folder (with its last `\`): an absolute path as it is,
/// another one below that folder, so that an environment which moves as a whole goes on working.
#[must_use]
pub fn resolve(interpreter: &[u16], folder: &[u16]) -> Vec<u16> {
    let mut path = Vec::with_capacity(folder.len() + interpreter.len() + 1);
    if !is_absolute(interpreter) {
        path.extend_from_slice(folder);
    }
    path.extend(interpreter.iter().map(|unit| {
        if *unit == u16::from(b'/') {
            u16::from(b'\\')
        } else {
            *unit
        }
    }));
    path
}

fn is_absolute(path: &[u16]) -> bool {
    let at = |index: usize| path.get(index).copied().unwrap_or(0);
    let is_separator = |unit: u16| unit == u16::from(b'\\') || unit == u16::from(b'/');
    at(1) == u16::from(b':') || is_separator(at(0))
}

fn trim(bytes: &[u8]) -> &[u8] {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let start = bytes.iter().position(|byte| !blank(byte));
    let end = bytes.iter().rposition(|byte| !blank(byte));
    match (start, end) {
        (Some(start), Some(end)) => &bytes[start..=end],
        _ => &[],
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let field = bytes.get(at..at + 2)?;
    Some(u16::from_le_bytes([field[0], field[1]]))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let field = bytes.get(at..at + 4)?;
    Some(u32::from_le_bytes([field[0], field[1], field[2], field[3]]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An archive whose end record is all that counts here.
    fn archive(content: usize, directory: u32) -> Vec<u8> {
        let mut bytes = vec![b'x'; content + directory as usize];
        bytes.extend_from_slice(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
        bytes.extend_from_slice(&directory.to_le_bytes());
        bytes.extend_from_slice(&u32::try_from(content).unwrap().to_le_bytes());
        bytes.extend_from_slice(&[0, 0]);
        bytes
    }

    #[test]
    fn finds_the_archive() {
        let file = [b"MZ stub#!python.exe\n".to_vec(), archive(50, 40)].concat();
        let length = file.len() as u64;
        assert_eq!(archive_start(&file, length), Some(20));
        // Only the tail is looked at.
        assert_eq!(archive_start(&file[10..], length), Some(20));
        assert_eq!(archive_start(&file[..file.len() - 1], length - 1), None);
        assert_eq!(archive_start(b"MZ", 2), None);
        assert_eq!(archive_start(&[], 0), None);
        // An end record that points before the file's start.
        let lying = &archive(50, 40)[60..];
        assert_eq!(archive_start(lying, lying.len() as u64), None);
    }

    #[test]
    fn reads_the_line() {
        let read = |text: &str| {
            interpreter(text.as_bytes()).map(|b| String::from_utf8_lossy(b).into_owned())
        };
        assert_eq!(
            read("MZ\0\0#!C:\\a\\python.exe\r\n").unwrap(),
            "C:\\a\\python.exe"
        );
        assert_eq!(
            read("#!\"C:\\a b\\python.exe\" -E\n").unwrap(),
            "C:\\a b\\python.exe"
        );
        assert_eq!(read("MZ#!x\n#! python.exe \n").unwrap(), "python.exe");
        assert_eq!(
            read("#!C:\\ü\\python.exe\r\n").unwrap(),
            "C:\\ü\\python.exe"
        );
        for wrong in [
            "",
            "#!",
            "#!\r\n",
            "MZ",
            "#!\"open\n",
            "#!a\0b\n",
            "#!\"\"\n",
        ] {
            assert!(read(wrong).is_none(), "{wrong:?}");
        }
    }

    #[test]
    fn puts_relative_interpreters_beside_the_launcher() {
        let wide = |text: &str| text.encode_utf16().collect::<Vec<_>>();
        let folder = wide(r"C:\env\Scripts\");
        let resolved = |text: &str| String::from_utf16(&resolve(&wide(text), &folder)).unwrap();
        assert_eq!(resolved("python.exe"), r"C:\env\Scripts\python.exe");
        assert_eq!(resolved("../python.exe"), r"C:\env\Scripts\..\python.exe");
        assert_eq!(resolved("D:/p/python.exe"), r"D:\p\python.exe");
        assert_eq!(resolved(r"\\server\p\python.exe"), r"\\server\p\python.exe");
    }
}
