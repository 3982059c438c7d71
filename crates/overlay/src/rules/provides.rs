//! A distribution that stands in for another, and how their versions correspond.

use std::ops::Bound;

use bnbpip_packaging::{PackageName, Version, VersionRange};

use super::VersionSet;

/// `package`, at any of `versions`, satisfies requirements on `provided` at the same release.
///
/// `triton-windows 3.1.0.post17` provides `triton 3.1.0`: the post and local parts are the stand-in's own.
#[derive(Debug, Clone)]
pub struct Provides {
    /// The distribution that is installed.
    pub package: PackageName,
    /// The versions of it that stand in.
    pub versions: VersionSet,
    /// The distribution that is asked for.
    pub provided: PackageName,
}

impl Provides {
    /// The version of the provided distribution that a version of the package stands for, if it stands for one.
    pub fn provided_version(&self, version: &Version) -> Option<Version> {
        self.versions
            .contains(version)
            .then(|| provided_version(version))
    }

    /// The versions of the package that satisfy a range of the provided distribution.
    pub fn package_range(&self, provided: &VersionRange) -> VersionRange {
        let mut range = VersionRange::empty();
        for (lower, upper) in provided.iter() {
            range = range.union(&VersionRange::from_range_bounds((
                lower_bound(lower),
                upper_bound(upper),
            )));
        }
        range.intersection(&self.versions.range)
    }
}

fn provided_version(version: &Version) -> Version {
    let stripped = version
        .only_release()
        .with_epoch(version.epoch())
        .with_pre(version.pre());
    // A development release of a post release is later than the release, not earlier.
    if version.post().is_some() {
        stripped
    } else {
        stripped.with_dev(version.dev())
    }
}

/// Above every post and local version of a release, and not above anything else.
fn end_of(release: Version) -> Version {
    match release.dev() {
        Some(dev) => release.with_dev(Some(dev.saturating_add(1))),
        None => release.with_max(Some(0)),
    }
}

// Stripping never moves a version up, so the preimage of an interval is an interval. Only a bound
// that lies among the post and local versions of a release has to move, to behind the last of them.
fn lower_bound(bound: Bound<&Version>) -> Bound<Version> {
    let (version, release) = match bound {
        Bound::Unbounded => return Bound::Unbounded,
        Bound::Included(version) | Bound::Excluded(version) => (version, provided_version(version)),
    };
    let included = matches!(bound, Bound::Included(_));
    if *version > release || (*version == release && !included) {
        Bound::Included(end_of(release))
    } else if included {
        Bound::Included(version.clone())
    } else {
        Bound::Excluded(version.clone())
    }
}

fn upper_bound(bound: Bound<&Version>) -> Bound<Version> {
    let (version, release) = match bound {
        Bound::Unbounded => return Bound::Unbounded,
        Bound::Included(version) | Bound::Excluded(version) => (version, provided_version(version)),
    };
    let included = matches!(bound, Bound::Included(_));
    if *version > release || (*version == release && included) {
        Bound::Excluded(end_of(release))
    } else if included {
        Bound::Included(version.clone())
    } else {
        Bound::Excluded(version.clone())
    }
}
