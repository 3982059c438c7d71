//! From single findings to version ranges: which releases of one package break with which of
//! another.

use std::collections::{BTreeMap, BTreeSet};

use bnbpip_packaging::Version;

use crate::findings::Missing;

/// A range between releases that exist: from the first inside to before the first outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionRun {
    /// The first release inside.
    pub from: Version,
    /// The last release inside.
    pub last: Version,
    /// The first release after it that is outside; `None` if the run goes on to the newest.
    pub before: Option<Version>,
}

impl std::fmt::Display for VersionRun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.before {
            Some(before) => write!(f, ">={},<{before}", self.from),
            None => write!(f, ">={}", self.from),
        }
    }
}

/// What breaks in a range of releases with a range of another package's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Break {
    /// What is missing.
    pub missing: Missing,
    /// The scanned package's releases.
    pub package: Vec<VersionRun>,
    /// The other package's releases.
    pub other: Vec<VersionRun>,
}

/// The runs of `inside` among `all`, which is ascending.
pub fn runs(all: &[Version], inside: &BTreeSet<Version>) -> Vec<VersionRun> {
    let mut runs: Vec<VersionRun> = Vec::new();
    let mut open = false;
    for version in all {
        if !inside.contains(version) {
            if open && let Some(run) = runs.last_mut() {
                run.before = Some(version.clone());
            }
            open = false;
            continue;
        }
        match runs.last_mut() {
            Some(run) if open => run.last = version.clone(),
            _ => runs.push(VersionRun {
                from: version.clone(),
                last: version.clone(),
                before: None,
            }),
        }
        open = true;
    }
    runs
}

/// Groups single breaks into ranges: for each missing thing, the releases of the scanned package
/// that break with the same releases of the other.
pub fn discover(
    package: &[Version],
    other: &[Version],
    found: &BTreeMap<Missing, BTreeMap<Version, BTreeSet<Version>>>,
) -> Vec<Break> {
    let mut breaks = Vec::new();
    for (missing, by_version) in found {
        let mut groups: BTreeMap<&BTreeSet<Version>, BTreeSet<Version>> = BTreeMap::new();
        for (version, others) in by_version {
            groups.entry(others).or_default().insert(version.clone());
        }
        let mut of_this: Vec<Break> = groups
            .into_iter()
            .map(|(others, versions)| Break {
                missing: missing.clone(),
                package: runs(package, &versions),
                other: runs(other, others),
            })
            .collect();
        of_this.sort_by(|left, right| {
            let first = |one: &Break| one.package.first().map(|run| run.from.clone());
            first(left).cmp(&first(right))
        });
        breaks.extend(of_this);
    }
    breaks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(texts: &[&str]) -> Vec<Version> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn runs_end_at_the_first_release_outside() {
        let all = versions(&["1", "2", "2.1", "3", "4", "5"]);
        let inside = versions(&["2", "2.1", "5"]).into_iter().collect();
        let texts: Vec<String> = runs(&all, &inside)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(texts, [">=2,<3", ">=5"]);
    }

    #[test]
    fn releases_that_break_with_the_same_are_one_group() {
        let package = versions(&["1", "2", "3", "4"]);
        let other = versions(&["7", "8", "9"]);
        let late: BTreeSet<Version> = versions(&["8", "9"]).into_iter().collect();
        let last: BTreeSet<Version> = versions(&["9"]).into_iter().collect();
        let by_version = [("1", &late), ("2", &late), ("3", &last)]
            .map(|(version, others)| (version.parse().unwrap(), others.clone()));
        let missing = Missing::Module("x.y".into());
        let found = [(missing, by_version.into())].into();
        let breaks = discover(&package, &other, &found);
        let texts: Vec<String> = breaks
            .iter()
            .map(|one| format!("{} x {}", one.package[0], one.other[0]))
            .collect();
        assert_eq!(texts, [">=1,<3 x >=8", ">=3,<4 x >=9"]);
    }
}
