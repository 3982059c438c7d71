//! Metadata that an sdist promises not to change when it is built (PEP 643).

use std::path::Path;

use bnbpip_packaging::CoreMetadata;

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
    let bytes = read_limited(&root.join("PKG-INFO"), LIMIT_BYTES).ok()?;
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
}
