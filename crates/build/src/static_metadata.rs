//! Metadata that an sdist brings along: what it promises not to change when it is built (PEP 643),
//! and what setuptools wrote when it was made.

use std::path::Path;

use bnbpip_packaging::{CoreMetadata, with_requires_txt};

use crate::tree::{LIMIT_BYTES, read_limited};

/// The fields that resolving needs, none of which may be declared dynamic.
const NEEDED: [&str; 5] = [
    "name",
    "version",
    "requires-dist",
    "requires-python",
    "provides-extra",
];

/// The content of an unpacked sdist's `PKG-INFO`, if a wheel built from it will say the same: from
/// metadata version 2.2 on, for fields that aren't listed as `Dynamic`.
pub fn static_metadata(root: &Path) -> Option<Vec<u8>> {
    let bytes = packed_metadata(root)?;
    let metadata = CoreMetadata::parse(&bytes).ok()?;
    let version = metadata.headers.first("Metadata-Version")?;
    let (major, minor) = version.trim().split_once('.')?;
    let version: (u32, u32) = (major.parse().ok()?, minor.parse().ok()?);
    let is_dynamic = metadata
        .dynamic
        .iter()
        .any(|field| NEEDED.contains(&field.trim().to_ascii_lowercase().as_str()));
    (version >= (2, 2) && !is_dynamic).then_some(bytes)
}

/// The content of an unpacked sdist's `PKG-INFO`. Before metadata version 2.2 it may leave out what the
/// project requires.
pub fn packed_metadata(root: &Path) -> Option<Vec<u8>> {
    read_limited(&root.join("PKG-INFO"), LIMIT_BYTES).ok()
}

/// What an unpacked sdist's `.egg-info` folder says: the metadata of the machine that it was made
/// on, which a build on another may not repeat. `None` where there is no such folder or more than
/// one (it lies beside the packages, at the top or below `src`), or it can't be read.
pub fn written_metadata(root: &Path) -> Option<Vec<u8>> {
    let folders = [root.to_path_buf(), root.join("src")];
    let mut found = folders.iter().flat_map(|folder| {
        let entries = fs_err::read_dir(folder).into_iter().flatten().flatten();
        let paths = entries.map(|entry| entry.path());
        paths.filter(|path| path.extension().is_some_and(|it| it == "egg-info") && path.is_dir())
    });
    let (folder, None) = (found.next()?, found.next()) else {
        return None;
    };
    let pkg_info = read_limited(&folder.join("PKG-INFO"), LIMIT_BYTES).ok()?;
    // setuptools writes this list always, and the other one where something is required.
    folder.join("SOURCES.txt").is_file().then_some(())?;
    let requires = match read_limited(&folder.join("requires.txt"), LIMIT_BYTES) {
        Ok(bytes) => String::from_utf8(bytes).ok()?,
        Err(_) => String::new(),
    };
    let document = with_requires_txt(pkg_info, &requires);
    CoreMetadata::parse(&document).ok().map(|_| document)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_promised_metadata_counts() {
        let folder = tempfile::tempdir().unwrap();
        let found = |text: &str| {
            fs_err::write(folder.path().join("PKG-INFO"), text).unwrap();
            static_metadata(folder.path()).is_some()
        };
        assert!(found("Metadata-Version: 2.2\nName: a\nVersion: 1\n"));
        assert!(found(
            "Metadata-Version: 2.4\nName: a\nVersion: 1\nDynamic: License\n"
        ));
        assert!(!found(
            "Metadata-Version: 2.2\nName: a\nVersion: 1\nDynamic: Requires-Dist\n"
        ));
        assert!(!found("Metadata-Version: 2.1\nName: a\nVersion: 1\n"));
        assert!(!found("nothing"));
    }

    #[test]
    fn what_setuptools_wrote_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let info = folder.path().join("src/a.egg-info");
        let write = |name: &str, text: &str| {
            fs_err::create_dir_all(&info).unwrap();
            fs_err::write(info.join(name), text).unwrap();
        };
        assert!(written_metadata(folder.path()).is_none());
        write("PKG-INFO", "Metadata-Version: 2.1\nName: a\nVersion: 1\n");
        assert!(written_metadata(folder.path()).is_none());
        write("SOURCES.txt", "setup.py\n");
        write("requires.txt", "six\n");
        let document = written_metadata(folder.path()).unwrap();
        assert_eq!(
            CoreMetadata::parse(&document).unwrap().requires_dist.len(),
            1
        );
        write("requires.txt", "no requirement\n");
        assert!(written_metadata(folder.path()).is_none());
    }
}
