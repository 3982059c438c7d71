//! The bytes of a requirements file as text: byte order marks, then a `coding:` comment in the
//! first two lines (PEP 263), then UTF-8. PowerShell's `>` writes UTF-16 with a mark.

use crate::failure::Failure;

/// Decodes a file. The second value is a warning, when the encoding had to be guessed.
///
/// # Errors
/// When the bytes are not what the mark or the comment says, or the encoding isn't known.
pub(super) fn decode(bytes: &[u8], name: &str) -> Result<(String, Option<String>), Failure> {
    let damaged = |encoding: &str| {
        Failure::new(format!(
            "Failed to read `{name}`: it is not valid {encoding}"
        ))
        .hint("save the file as UTF-8")
    };
    // UTF-32's little-endian mark begins with UTF-16's.
    if let Some(rest) = bytes.strip_prefix(b"\xef\xbb\xbf") {
        return utf8(rest)
            .map(|text| (text, None))
            .ok_or_else(|| damaged("UTF-8"));
    }
    if let Some(rest) = bytes.strip_prefix(b"\xff\xfe\0\0") {
        return utf32(rest, u32::from_le_bytes)
            .map(|t| (t, None))
            .ok_or_else(|| damaged("UTF-32"));
    }
    if let Some(rest) = bytes.strip_prefix(b"\0\0\xfe\xff") {
        return utf32(rest, u32::from_be_bytes)
            .map(|t| (t, None))
            .ok_or_else(|| damaged("UTF-32"));
    }
    if let Some(rest) = bytes.strip_prefix(b"\xff\xfe") {
        return utf16(rest, u16::from_le_bytes)
            .map(|t| (t, None))
            .ok_or_else(|| damaged("UTF-16"));
    }
    if let Some(rest) = bytes.strip_prefix(b"\xfe\xff") {
        return utf16(rest, u16::from_be_bytes)
            .map(|t| (t, None))
            .ok_or_else(|| damaged("UTF-16"));
    }
    if let Some(declared) = declared_encoding(bytes) {
        let normal = declared.to_ascii_lowercase().replace('_', "-");
        return match normal.as_str() {
            "utf-8" | "utf8" | "utf-8-sig" => utf8(bytes)
                .map(|text| (text, None))
                .ok_or_else(|| damaged("UTF-8")),
            "ascii" | "us-ascii" if bytes.is_ascii() => Ok((latin1(bytes), None)),
            "ascii" | "us-ascii" => Err(damaged("ASCII")),
            "latin-1" | "latin1" | "iso-8859-1" | "iso8859-1" | "l1" => Ok((latin1(bytes), None)),
            _ => Err(Failure::new(format!(
                "Failed to read `{name}`: the encoding `{declared}` is not supported"
            ))
            .hint("save the file as UTF-8")),
        };
    }
    Ok(match utf8(bytes) {
        Some(text) => (text, None),
        None => (
            latin1(bytes),
            Some(format!(
                "unable to decode data from {name} with default encoding utf-8, falling back to \
                 latin-1. If this is intentional you should specify the encoding with a PEP-263 \
                 style comment, e.g. '# -*- coding: latin-1 -*-'"
            )),
        ),
    })
}

fn utf8(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).ok().map(str::to_owned)
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

fn utf16(bytes: &[u8], read: fn([u8; 2]) -> u16) -> Option<String> {
    let (units, rest) = bytes.as_chunks::<2>();
    let units = units.iter().copied().map(read);
    rest.is_empty()
        .then(|| char::decode_utf16(units).collect::<Result<_, _>>().ok())?
}

fn utf32(bytes: &[u8], read: fn([u8; 4]) -> u32) -> Option<String> {
    let (units, rest) = bytes.as_chunks::<4>();
    let units = units.iter().copied().map(read);
    rest.is_empty()
        .then(|| units.map(char::from_u32).collect::<Option<_>>())?
}

/// The encoding in a comment such as `# -*- coding: latin-1 -*-` in the first two lines.
fn declared_encoding(bytes: &[u8]) -> Option<String> {
    bytes
        .split(|byte| *byte == b'\n')
        .take(2)
        .filter(|line| line.first() == Some(&b'#'))
        .find_map(|line| {
            let line = String::from_utf8_lossy(line);
            let (_, rest) = line.split_once("coding")?;
            let rest = rest.strip_prefix([':', '='])?.trim_start();
            let end = rest
                .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')))
                .unwrap_or(rest.len());
            (end > 0).then(|| rest[..end].to_owned())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_and_comments() {
        let text = |bytes: &[u8]| decode(bytes, "r.txt").unwrap().0;
        assert_eq!(text(b"\xef\xbb\xbfsix"), "six");
        assert_eq!(text(b"\xff\xfes\0i\0x\0"), "six");
        assert_eq!(text(b"\xfe\xff\0s\0i\0x"), "six");
        assert_eq!(text(b"\xff\xfe\0\0s\0\0\0"), "s");
        assert_eq!(
            text(b"# -*- coding: latin-1 -*-\n# \xe9"),
            "# -*- coding: latin-1 -*-\n# é"
        );
    }

    #[test]
    fn what_is_no_text_is_an_error_or_a_warning() {
        assert!(decode(b"\xff\xfes", "r.txt").is_err());
        assert!(decode(b"\xff\xfe\0\xd8", "r.txt").is_err());
        assert!(decode(b"# coding: klingon\n", "r.txt").is_err());
        let (text, warning) = decode(b"six # \xe9", "r.txt").unwrap();
        assert_eq!(text, "six # é");
        assert!(warning.unwrap().contains("r.txt"));
    }
}
