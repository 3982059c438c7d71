//! The one path inside a module's byte-code: `co_filename`, which `marshal` writes once and then
//! refers to. It is cut out of what is kept, and another one is put in its place.
//!
//! The string types are those of CPython's `Python/marshal.c`, the same since 3.4.

/// Set on a type byte when later objects refer back to this one.
const FLAG_REF: u8 = 0x80;

/// How a string is written, by its type byte without the flag.
#[derive(Clone, Copy)]
struct StringType {
    short_ascii: u8,
    ascii: u8,
    unicode: u8,
}

/// Interned strings have types of their own; the distinction stays as it was.
const PLAIN: StringType = StringType {
    short_ascii: b'z',
    ascii: b'a',
    unicode: b'u',
};
const INTERNED: StringType = StringType {
    short_ascii: b'Z',
    ascii: b'A',
    unicode: b't',
};

/// Where the path stands in a module's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// The place of the type byte.
    pub(super) at: usize,
    /// The place behind the string.
    pub(super) end: usize,
    /// The type byte, with its flag.
    pub(super) kind: u8,
}

/// Finds the path in marshalled code: `None` unless it stands there exactly once, as a string.
pub(super) fn find(code: &[u8], path: &str) -> Option<Place> {
    let needle = path.as_bytes();
    let first = needle.first()?;
    let mut found = code
        .windows(needle.len())
        .enumerate()
        // The first byte is looked at alone: a call for each byte would be the most of the time.
        .filter(|(_, window)| window.first() == Some(first) && *window == needle);
    let (start, _) = found.next()?;
    if found.next().is_some() {
        return None;
    }
    [2, 5].into_iter().find_map(|head| {
        let at = start.checked_sub(head)?;
        let kind = *code.get(at)?;
        let expected = encode(kind, path)?;
        (code.get(at..start + needle.len())? == expected).then_some(Place {
            at,
            end: start + needle.len(),
            kind,
        })
    })
}

/// A path as `marshal` writes it, in the manner (interned, referred to) of the type byte `kind`;
/// `None` if that is no string's.
pub(super) fn encode(kind: u8, path: &str) -> Option<Vec<u8>> {
    let flag = kind & FLAG_REF;
    let types = match kind & !FLAG_REF {
        b'z' | b'a' | b'u' => PLAIN,
        b'Z' | b'A' | b't' => INTERNED,
        _ => return None,
    };
    let mut encoded = Vec::with_capacity(path.len() + 5);
    match (u8::try_from(path.len()), path.is_ascii()) {
        (Ok(length), true) => encoded.extend([types.short_ascii | flag, length]),
        (Err(_), true) => {
            encoded.push(types.ascii | flag);
            encoded.extend(u32::try_from(path.len()).ok()?.to_le_bytes());
        }
        (_, false) => {
            encoded.push(types.unicode | flag);
            encoded.extend(u32::try_from(path.len()).ok()?.to_le_bytes());
        }
    }
    encoded.extend(path.as_bytes());
    Some(encoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_found_where_it_is_a_string() {
        let code = [&b"abc\xda\x07/a/b.pydef"[..]].concat();
        let place = find(&code, "/a/b.py").unwrap();
        assert_eq!((place.at, place.end, place.kind), (3, 12, 0xda));
        // Not a string, a wrong length, twice, not at all.
        assert_eq!(find(b"xx/a/b.py", "/a/b.py"), None);
        assert_eq!(find(b"\xda\x08/a/b.py", "/a/b.py"), None);
        assert_eq!(find(b"\xda\x07/a/b.py\xda\x07/a/b.py", "/a/b.py"), None);
        assert_eq!(find(b"", "/a/b.py"), None);
        assert_eq!(find(b"/a/b.py", "/a/b.py"), None);
    }

    #[test]
    fn the_length_and_the_letters_decide_the_type() {
        assert_eq!(encode(0xda, "/x").unwrap(), b"\xda\x02/x");
        let long = "x".repeat(300);
        assert_eq!(encode(b'z', &long).unwrap()[..5], *b"a\x2c\x01\0\0");
        assert_eq!(encode(0xfa, "/é").unwrap(), b"\xf5\x03\0\0\0/\xc3\xa9");
        assert_eq!(encode(b'Z', "/é").unwrap(), b"t\x03\0\0\0/\xc3\xa9");
        assert_eq!(encode(b'i', "/x"), None);
    }
}
