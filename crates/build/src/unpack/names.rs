//! What the names in an archive mean: paths below its folder.

use std::path::{Component, Path, PathBuf};

use super::Refusal;

/// An entry's path below the folder, by its parts. A leading `/` is dropped, as PEP 706 says.
pub(super) fn relative(name: &str) -> Result<Option<PathBuf>, Refusal> {
    let name = name.trim_start_matches('/');
    let mut path = PathBuf::new();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => return Err(Refusal::Unsafe("leads out of the archive")),
            _ if part.contains('\0') => return Err(Refusal::Unsafe("holds a null character")),
            _ if cfg!(windows) && part.contains(['\\', ':']) => {
                return Err(Refusal::Unsafe(
                    "holds a character that Windows doesn't allow",
                ));
            }
            part => path.push(part),
        }
    }
    Ok((!path.as_os_str().is_empty()).then_some(path))
}

/// `parent/target` with `..` taken out by name; `None` if that leads out.
pub(super) fn joined(parent: &Path, target: &Path) -> Option<PathBuf> {
    let mut path = parent.to_path_buf();
    for part in target.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                if !path.pop() {
                    return None;
                }
            }
            Component::Normal(part) => path.push(part),
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(path)
}

/// The target of a link without `folder/..`: were the folder a link itself, `..` would be the folder
/// above that one's target, which may lie outside.
#[cfg(unix)]
pub(super) fn plain(target: &Path) -> PathBuf {
    let mut path = PathBuf::new();
    for part in target.components() {
        if part == Component::ParentDir
            && matches!(path.components().next_back(), Some(Component::Normal(_)))
        {
            path.pop();
        } else if part != Component::CurDir {
            path.push(part);
        }
    }
    if path.as_os_str().is_empty() {
        path.push(Component::CurDir);
    }
    path
}
