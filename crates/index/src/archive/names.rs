//! Which names may be unpacked: those that mean the same file, below the target, on every
//! platform.

use std::borrow::Cow;

use bnbpip_packaging::file_name::is_windows_device;
use rustc_hash::FxHashMap;

use super::central::Entry;
use super::{ArchiveError, shown};

/// The most parts of a name: what walks through folders counts on it.
const DEPTH_LIMIT: usize = 128;

/// Checks every name by itself and against the others.
///
/// # Errors
/// At the first name that is refused.
pub(crate) fn check_names(entries: &[Entry]) -> Result<(), ArchiveError> {
    for entry in entries {
        check_name(entry.name.strip_suffix('/').unwrap_or(&entry.name))
            .map_err(|reason| ArchiveError::entry(&entry.name, reason))?;
    }
    check_clashes(entries)
}

fn check_name(name: &str) -> Result<(), &'static str> {
    if name.is_empty() {
        return Err("its name is empty");
    }
    if name.starts_with('/') {
        return Err("its name is an absolute path");
    }
    for byte in name.bytes() {
        match byte {
            0..=31 | 127 => return Err("its name holds a control character"),
            b'\\' => return Err("its name holds a backslash, a separator on Windows"),
            b':' => return Err("its name holds a colon, a drive or a stream on Windows"),
            b'<' | b'>' | b'"' | b'|' | b'?' | b'*' if cfg!(windows) => {
                return Err("its name holds a character that Windows doesn't allow");
            }
            _ => {}
        }
    }
    if !name.is_ascii() && name.chars().any(char::is_control) {
        return Err("its name holds a control character");
    }
    if name.split('/').nth(DEPTH_LIMIT).is_some() {
        return Err("its name has more than 128 parts");
    }
    name.split('/').try_for_each(check_component)
}

fn check_component(component: &str) -> Result<(), &'static str> {
    match component {
        "" => return Err("its name holds an empty part"),
        "." | ".." => return Err("its name leads out of its folder"),
        _ => {}
    }
    if component.ends_with(['.', ' ']) {
        return Err("a part of its name ends in a dot or a space, which Windows drops");
    }
    if component.len() > 255 {
        return Err("a part of its name is longer than 255 bytes");
    }
    if is_windows_device(component) {
        return Err("a part of its name is a device on Windows");
    }
    Ok(())
}

/// No two entries may be one file where case doesn't count, and no file another's folder.
fn check_clashes(entries: &[Entry]) -> Result<(), ArchiveError> {
    let mut files: FxHashMap<Cow<'_, str>, &str> = FxHashMap::default();
    files.reserve(entries.len());
    for entry in entries.iter().filter(|entry| !entry.is_dir) {
        if let Some(first) = files.insert(folded(&entry.name), &entry.name) {
            let reason = if first == entry.name {
                "the name is there twice"
            } else {
                "the names differ only in case"
            };
            return Err(clash(first, &entry.name, reason));
        }
    }
    let mut last_parent = "";
    for entry in entries {
        let name = entry.name.strip_suffix('/').unwrap_or(&entry.name);
        let parent = if entry.is_dir {
            name
        } else {
            name.rsplit_once('/').map_or("", |(parent, _)| parent)
        };
        // Files of one folder mostly follow each other.
        if parent == last_parent {
            continue;
        }
        last_parent = parent;
        let ends = parent.match_indices('/').map(|(at, _)| at);
        for end in ends.chain([parent.len()]).filter(|end| *end > 0) {
            if let Some(file) = files.get(&folded(&parent[..end])) {
                return Err(clash(
                    file,
                    &entry.name,
                    "one is a file, and a folder of the other",
                ));
            }
        }
    }
    Ok(())
}

fn clash(first: &str, second: &str, reason: &'static str) -> ArchiveError {
    ArchiveError::Clash {
        first: shown(first),
        second: shown(second),
        reason,
    }
}

fn folded(name: &str) -> Cow<'_, str> {
    if name
        .bytes()
        .any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii())
    {
        Cow::Owned(name.to_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_dangerous_somewhere() {
        for name in [
            "",
            "/etc/passwd",
            "../x",
            "a/../b",
            "a/./b",
            "a//b",
            "C:/x",
            "C:x",
            "\\\\host\\share",
            "a\\b",
            "//host/share",
            "x.py:stream",
            "CON",
            "con.py",
            "aux/nul.txt",
            "a/LPT1.x",
            "COM¹",
            "x.",
            "a /b",
            "a./b",
            "a\nb",
            "a\u{1b}[31m",
            "a\u{7f}",
            "a\u{85}",
            "NUL .txt",
            "CONIN$",
            &"d/".repeat(DEPTH_LIMIT),
        ] {
            assert!(check_name(name).is_err(), "{name:?}");
        }
        for name in [
            "a",
            "a/b.py",
            ".hidden",
            "a..b",
            "café/é.py",
            "com.py",
            "COM10",
            "console.py",
            "a b",
        ] {
            assert_eq!(check_name(name), Ok(()), "{name:?}");
        }
    }
}
