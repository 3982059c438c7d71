//! PEP 440 version specifiers as sets of versions.
//!
//! The conversion of `pep440_rs` itself treats local versions as unequal to their public version
//! (`==2.6.0` would not hold `2.6.0+cu124`), so it is done here, specifier by specifier, after
//! PEP 440 as Python's `packaging` implements it. `===` compares strings, which no range can: it
//! becomes the single version, and callers that need the letter of PEP 440 filter the text too.

use pep440_rs::{Operator, Version, VersionSpecifier, VersionSpecifiers};

/// A set of versions as a union of intervals.
pub type VersionRange = version_ranges::Ranges<Version>;

/// The versions that satisfy every specifier, pre-releases included: whether a pre-release is
/// wanted is a policy of the resolver, not a property of the set.
pub fn from_specifiers(specifiers: &VersionSpecifiers) -> VersionRange {
    let mut parts = specifiers.iter().map(from_specifier);
    let Some(first) = parts.next() else {
        return VersionRange::full();
    };
    parts.fold(first, |range, part| range.intersection(&part))
}

/// The versions that satisfy one specifier.
pub fn from_specifier(specifier: &VersionSpecifier) -> VersionRange {
    let version = specifier.version().clone();
    match specifier.operator() {
        Operator::Equal => equal(version),
        Operator::NotEqual => equal(version).complement(),
        Operator::ExactEqual => VersionRange::singleton(version),
        Operator::EqualStar => prefix(&version),
        Operator::NotEqualStar => prefix(&version).complement(),
        Operator::TildeEqual => compatible(version),
        Operator::GreaterThanEqual => VersionRange::higher_than(version),
        Operator::LessThanEqual => VersionRange::strictly_lower_than(next(&version)),
        Operator::GreaterThan => greater(version),
        Operator::LessThan => less(version),
    }
}

/// The range of versions equal to `version` when local labels are ignored, as `==` means it.
pub fn equal(version: Version) -> VersionRange {
    if version.local().is_empty() {
        let end = next(&version);
        VersionRange::between(version, end)
    } else {
        VersionRange::singleton(version)
    }
}

/// The smallest public version above `version` and all of its local versions.
fn next(version: &Version) -> Version {
    let version = version.clone().without_local();
    if let Some(dev) = version.dev() {
        version.with_dev(Some(dev.saturating_add(1)))
    } else if let Some(post) = version.post() {
        version
            .with_post(Some(post.saturating_add(1)))
            .with_dev(Some(0))
    } else {
        version.with_post(Some(0)).with_dev(Some(0))
    }
}

/// `1.2` → every version of the release series 1.2, from its first development release on.
fn prefix(version: &Version) -> VersionRange {
    let start = Version::new(version.release())
        .with_epoch(version.epoch())
        .with_min(Some(0));
    match following_series(version.epoch(), version.release()) {
        Some(end) => VersionRange::between(start, end),
        None => VersionRange::higher_than(start),
    }
}

/// The lower end of the series after `release`, or `None` when the number space ends there.
fn following_series(epoch: u64, release: &[u64]) -> Option<Version> {
    let (last, head) = release.split_last()?;
    let mut bumped = head.to_vec();
    bumped.push(last.checked_add(1)?);
    Some(Version::new(bumped).with_epoch(epoch).with_min(Some(0)))
}

/// `~=1.4.2` → `>=1.4.2` within the series `1.4`.
fn compatible(version: Version) -> VersionRange {
    let release = version.release();
    let series = &release[..release.len().saturating_sub(1).max(1)];
    let end = following_series(version.epoch(), series);
    match end {
        Some(end) => VersionRange::between(version, end),
        None => VersionRange::higher_than(version),
    }
}

/// `>V` leaves out the post-releases and local versions of V, unless V is a post-release itself.
fn greater(version: Version) -> VersionRange {
    let version = version.without_local();
    if version.post().is_some() {
        return VersionRange::higher_than(next(&version));
    }
    let base = base_version(&version);
    let end_of_base = base.clone().with_max(Some(0));
    if version.any_prerelease() {
        let first_post = base.with_post(Some(0)).with_dev(Some(0));
        let posts = VersionRange::between(first_post, end_of_base);
        return VersionRange::higher_than(next(&version)).difference(&posts);
    }
    VersionRange::strictly_higher_than(end_of_base)
}

/// `<V` leaves out the pre-releases of V, unless V is a pre-release itself.
fn less(version: Version) -> VersionRange {
    if version.any_prerelease() {
        return VersionRange::strictly_lower_than(version);
    }
    let base = base_version(&version);
    let below = VersionRange::strictly_lower_than(base.clone().with_min(Some(0)));
    if version.post().is_some() {
        let end = version.without_local().with_dev(Some(0));
        return below.union(&VersionRange::between(base, end));
    }
    below
}

/// Epoch and release alone.
fn base_version(version: &Version) -> Version {
    version.only_release().with_epoch(version.epoch())
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use super::*;

    fn holds(specifiers: &str, version: &str) -> bool {
        let specifiers = VersionSpecifiers::from_str(specifiers).unwrap();
        from_specifiers(&specifiers).contains(&Version::from_str(version).unwrap())
    }

    #[test]
    fn local_versions_equal_their_public_version() {
        for (specifiers, version, expected) in [
            ("==2.6.0", "2.6.0+cu124", true),
            ("<=2.6.0", "2.6.0+cu124", true),
            ("!=2.6.0", "2.6.0+cu124", false),
            (">2.6.0", "2.6.0+cu124", false),
            ("==2.6.0+cu124", "2.6.0", false),
            ("==2.6.0+cu124", "2.6.0+cu124", true),
            ("==2.6.0", "2.6.0.post1", false),
            ("==2.6.0rc1", "2.6.0rc1+cu124", true),
            ("==2.6.0.post1", "2.6.0.post1+cu124", true),
        ] {
            assert_eq!(
                holds(specifiers, version),
                expected,
                "{version} in {specifiers}"
            );
        }
    }

    #[test]
    fn pre_and_post_releases_at_the_bounds() {
        for (specifiers, version, expected) in [
            ("<3.0rc2", "3.0rc1", true),
            ("<3.0", "3.0rc1", false),
            ("<3.0.post1", "3.0", true),
            ("<3.0.post1", "3.0rc1", false),
            (">1.7", "1.7.post1", false),
            (">1.7.post1", "1.7.post2", true),
            (">1.7rc1", "1.7", true),
            ("~=1.4.2", "1.5.0.dev1", false),
            ("~=1.4.2", "1.4.10", true),
            ("==1.4.*", "1.4.dev1", true),
            ("==1.4.*", "1.5.dev1", false),
            ("!=1.4.*", "1.4.post2", false),
            ("~=2!1.4", "2!1.9", true),
            ("===1.0", "1.0", true),
        ] {
            assert_eq!(
                holds(specifiers, version),
                expected,
                "{version} in {specifiers}"
            );
        }
    }
}
