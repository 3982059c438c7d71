//! Whether what a lock says is installed already: not the version alone counts, but the very file.

use bnbpip_installer::{
    Environment, InstalledDistribution, InstalledEnvironment, read_regular_text,
};
use bnbpip_packaging::{DirectUrl, DirectUrlSource, Version, WheelMetadata};
use rustc_hash::FxHashMap;

use super::planning::{Origin, SourceOrigin, Wanted};

/// The digests of the wheels that bnbpip installed last, by package and version.
#[derive(Debug, Default)]
pub(super) struct Records(FxHashMap<(String, String), String>);

impl Records {
    /// Receipts that can't be read tell nothing.
    pub(super) fn read(environment: &Environment) -> Self {
        let receipts = bnbpip_installer::receipts(environment).unwrap_or_default();
        let entries = receipts.into_iter().flat_map(|receipt| receipt.installed);
        let records = entries
            .filter_map(|entry| Some(((entry.name, entry.version), entry.sha256?)))
            .collect();
        Self(records)
    }

    fn sha256(&self, distribution: &InstalledDistribution) -> Option<&str> {
        let version = distribution.version.to_string();
        let key = (distribution.name.to_string(), version);
        self.0.get(&key).map(String::as_str)
    }
}

/// Whether a package is installed from where the lock has it.
pub(super) fn is_there(
    wanted: &Wanted,
    installed: &InstalledEnvironment,
    records: &Records,
) -> bool {
    let Some(present) = installed.get(&wanted.name) else {
        return false;
    };
    // Community wheels are often told apart by their file names alone: the version in them lacks
    // the local part.
    let is_it = |version: &Version| {
        *version == present.version
            || (wanted.is_community && version.clone().without_local() == present.version)
    };
    if !wanted.version.as_ref().is_none_or(is_it) {
        return false;
    }
    // What can't be read is put right.
    let Ok(recorded) = present.direct_url() else {
        return false;
    };
    match (&wanted.origin, recorded) {
        (
            Origin::Wheel {
                file,
                direct: false,
            },
            None,
        ) => is_this_wheel(present, records, file.hashes.sha256(), &file.filename_text),
        (Origin::Wheel { file, direct: true }, Some(recorded)) => {
            has_digest(&recorded, file.hashes.sha256())
        }
        (Origin::Source(source), None) => source.is_sdist,
        (Origin::Source(source), Some(recorded)) => {
            !source.is_sdist && is_this_source(source, &recorded)
        }
        (Origin::Wheel { direct: false, .. }, Some(_))
        | (Origin::Wheel { direct: true, .. }, None) => false,
    }
}

/// Whether it was this wheel: by bnbpip's own records, else by the tags that the wheel had.
fn is_this_wheel(
    present: &InstalledDistribution,
    records: &Records,
    sha256: Option<&str>,
    filename: &str,
) -> bool {
    let is_own = present.installer().as_deref() == Some("bnbpip");
    if is_own && let (Some(recorded), Some(sha256)) = (records.sha256(present), sha256) {
        return recorded == sha256;
    }
    let Ok(text) = read_regular_text(&present.dist_info.join("WHEEL")) else {
        return true;
    };
    let Ok(metadata) = WheelMetadata::parse(&text) else {
        return true;
    };
    has_tags(&metadata.tags, filename)
}

/// Whether a wheel's file name has the tags that its metadata lists. Without any list it may.
fn has_tags(listed: &[String], filename: &str) -> bool {
    let stem = filename.trim_end_matches(".whl");
    let mut parts = stem.rsplitn(4, '-');
    let (Some(platforms), Some(abis), Some(pythons)) = (parts.next(), parts.next(), parts.next())
    else {
        return true;
    };
    let mut own: Vec<String> = Vec::new();
    for python in pythons.split('.') {
        for abi in abis.split('.') {
            own.extend(
                platforms
                    .split('.')
                    .map(|platform| format!("{python}-{abi}-{platform}")),
            );
        }
    }
    listed.is_empty() || listed.iter().any(|tag| own.contains(tag))
}

fn has_digest(recorded: &DirectUrl, sha256: Option<&str>) -> bool {
    let DirectUrlSource::Archive(info) = &recorded.source else {
        return false;
    };
    let in_older_form = info
        .hash
        .as_deref()
        .and_then(|hash| hash.strip_prefix("sha256="));
    let recorded = info
        .hashes
        .get("sha256")
        .map(String::as_str)
        .or(in_older_form);
    recorded.is_some() && recorded == sha256
}

fn is_this_source(source: &SourceOrigin, recorded: &DirectUrl) -> bool {
    match &recorded.source {
        DirectUrlSource::Archive(_) => has_digest(recorded, source.hashes.sha256()),
        DirectUrlSource::Vcs(info) => {
            let locked = source.vcs.as_ref();
            locked.is_some_and(|vcs| {
                vcs.commit_id == info.commit_id && vcs.subdirectory == recorded.subdirectory
            })
        }
        // A folder that is copied may have changed; one in place is always what it is.
        DirectUrlSource::Directory(info) => {
            let same =
                source.url.as_str().trim_end_matches('/') == recorded.url.trim_end_matches('/');
            source.editable && info.editable == Some(true) && same
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_tell_builds_of_one_version_apart() {
        let listed = ["cp312-cp312-manylinux_2_17_x86_64".to_owned()];
        let name = "a-1-cp312-cp312-manylinux2014_x86_64.manylinux_2_17_x86_64.whl";
        assert!(has_tags(&listed, name));
        assert!(!has_tags(&listed, "a-1-py3-none-any.whl"));
        assert!(has_tags(&[], "a-1-py3-none-any.whl"));
    }
}
