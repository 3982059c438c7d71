//! Where the interpreter lies in an environment's folder: virtual environments, conda's, the
//! embeddable Python of portable applications, and MSYS2's.

use std::path::{Path, PathBuf};

/// The family of operating system that an environment's layout follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LayoutOs {
    /// `bin/python`
    Posix,
    /// `Scripts\python.exe`
    Windows,
}

impl LayoutOs {
    /// The family of the system that this program runs on.
    pub fn current() -> Self {
        if cfg!(windows) {
            Self::Windows
        } else {
            Self::Posix
        }
    }
}

const POSIX: &[&[&str]] = &[
    &["bin", "python"],
    &["bin", "python3"],
    &["bin", "pypy3"],
    &["bin", "pypy"],
];

const WINDOWS: &[&[&str]] = &[
    &["Scripts", "python.exe"],
    &["python.exe"], // conda, and a plain or embeddable installation
    &["python_embeded", "python.exe"], // ComfyUI's portable folder; the spelling is its own
    &["python_embedded", "python.exe"],
    &["bin", "python.exe"], // MSYS2 and mingw
    &["Scripts", "pypy3.exe"],
    &["pypy3.exe"],
];

/// The places where an environment's interpreter may lie, best first. Nothing is looked up.
pub fn environment_python_candidates(
    root: &Path,
    os: LayoutOs,
) -> impl Iterator<Item = PathBuf> + use<'_> {
    let table = match os {
        LayoutOs::Posix => POSIX,
        LayoutOs::Windows => WINDOWS,
    };
    (table.iter()).map(move |parts| root.iter().chain(parts.iter().map(AsRef::as_ref)).collect())
}

/// The interpreter of the environment at `root`, if there is one.
pub(crate) fn environment_python(root: &Path, os: LayoutOs) -> Option<PathBuf> {
    environment_python_candidates(root, os).find(|candidate| candidate.is_file())
}

/// Whether a folder is a virtual environment: it has a `pyvenv.cfg` (PEP 405).
pub fn is_virtual_environment(root: &Path) -> bool {
    root.join("pyvenv.cfg").is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touch(path: &Path) {
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, "").unwrap();
    }

    #[test]
    fn windows_layouts_are_found_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        assert_eq!(environment_python(root, LayoutOs::Windows), None);
        for parts in [
            "python_embeded/python.exe",
            "python.exe",
            "Scripts/python.exe",
        ] {
            let python = root.join(parts);
            touch(&python);
            assert_eq!(environment_python(root, LayoutOs::Windows), Some(python));
        }
    }

    #[test]
    fn posix_environments_keep_python_in_bin() {
        let folder = tempfile::tempdir().unwrap();
        touch(&folder.path().join("Scripts/python.exe"));
        assert_eq!(environment_python(folder.path(), LayoutOs::Posix), None);
        touch(&folder.path().join("bin/python3"));
        assert_eq!(
            environment_python(folder.path(), LayoutOs::Posix),
            Some(folder.path().join("bin/python3"))
        );
    }
}
