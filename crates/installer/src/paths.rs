//! Paths as the installer compares them: absolute, without links or dots; relative ones in the
//! form of `RECORD`.

use std::ffi::OsString;
use std::io;
use std::path::{Component, Path, PathBuf};

/// The key under which two spellings of one path meet: case is folded where the usual file
/// systems of the platform fold it.
pub(crate) fn key(path: &Path) -> PathBuf {
    if cfg!(any(windows, target_os = "macos")) {
        match path.to_str() {
            Some(text) => PathBuf::from(text.to_lowercase()),
            None => path.to_path_buf(),
        }
    } else {
        path.to_path_buf()
    }
}

/// Resolves the links of the part of the path that exists and appends the rest.
pub(crate) fn resolve(path: &Path) -> PathBuf {
    let path = normalize(path);
    let mut rest: Vec<OsString> = Vec::new();
    let mut existing = path.as_path();
    loop {
        if let Ok(mut found) = fs_err::canonicalize(existing) {
            found.extend(rest.iter().rev());
            return found;
        }
        let (Some(parent), Some(name)) = (existing.parent(), existing.file_name()) else {
            return path;
        };
        rest.push(name.to_os_string());
        existing = parent;
    }
}

/// Whether an error says that a path leads nowhere: there is no such file, or one of its parents
/// is a file.
pub(crate) fn is_absence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// The length that Windows counts.
pub(crate) fn utf16_length(path: &Path) -> usize {
    path.to_string_lossy().encode_utf16().count()
}

/// Removes `.` and `..` by name alone, so that one file has one path.
pub fn normalize(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    normal
}

/// Appends a `/`-separated relative path, component by component: extended-length Windows
/// paths know no `/`.
pub(crate) fn join(base: &Path, relative: &str) -> PathBuf {
    if cfg!(windows) {
        let mut joined = base.to_path_buf();
        joined.extend(relative.split('/'));
        joined
    } else {
        base.join(relative)
    }
}

/// The path of `target` as a `RECORD` in `base` writes it: relative and `/`-separated, or
/// absolute when the two share no root.
pub(crate) fn relative(target: &Path, base: &Path) -> String {
    let target_parts: Vec<Component<'_>> = target.components().collect();
    let base_parts: Vec<Component<'_>> = base.components().collect();
    let shared = target_parts
        .iter()
        .zip(&base_parts)
        .take_while(|(a, b)| a == b)
        .count();
    if shared == 0 {
        return target.to_string_lossy().replace('\\', "/");
    }
    let ups = std::iter::repeat_n("..".to_string(), base_parts.len() - shared);
    let downs = target_parts[shared..]
        .iter()
        .map(|part| part.as_os_str().to_string_lossy().into_owned());
    ups.chain(downs).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_scripts_relative_to_the_library() {
        let library = Path::new("/env/lib/python3.11/site-packages");
        assert_eq!(relative(Path::new("/env/bin/x"), library), "../../../bin/x");
        assert_eq!(relative(&library.join("a").join("b.py"), library), "a/b.py");
    }

    #[test]
    fn resolves_links_of_what_exists() {
        let folder = tempfile::tempdir().unwrap();
        let real = fs_err::canonicalize(folder.path()).unwrap();
        assert_eq!(
            resolve(&folder.path().join("no").join("..").join("yes")),
            real.join("yes")
        );
        assert_eq!(normalize(Path::new("/a/./b/../c")), Path::new("/a/c"));
    }
}
