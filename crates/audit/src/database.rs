//! Advisories, by the package that they are about.

use std::collections::{BTreeMap, BTreeSet};

use bnbpip_packaging::{PackageName, Version};

use crate::advisory::{Advisory, Affected};
use crate::finding::{Finding, Match, merged};
use crate::range::comparable;

/// A set of advisories.
#[derive(Debug, Clone, Default)]
pub struct Database {
    advisories: Vec<Advisory>,
    by_package: BTreeMap<PackageName, BTreeSet<usize>>,
}

impl FromIterator<Advisory> for Database {
    fn from_iter<T: IntoIterator<Item = Advisory>>(advisories: T) -> Self {
        let mut database = Self {
            advisories: advisories.into_iter().collect(),
            by_package: BTreeMap::new(),
        };
        for (place, advisory) in database.advisories.iter().enumerate() {
            for affected in &advisory.affected {
                let places = database.by_package.entry(affected.name.clone());
                places.or_default().insert(place);
            }
        }
        database
    }
}

impl Database {
    /// How many advisories there are.
    pub fn len(&self) -> usize {
        self.advisories.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.advisories.is_empty()
    }

    /// What is known about a version of a package, each vulnerability once, whatever number of
    /// databases has it.
    pub fn findings(&self, name: &PackageName, version: &Version) -> Vec<Finding> {
        let places = self.by_package.get(name).into_iter().flatten();
        let matches = places.filter_map(|place| {
            let advisory = &self.advisories[*place];
            let own = advisory.affected.iter().filter(|it| it.name == *name);
            let own: Vec<&Affected> = own.collect();
            if !own.iter().any(|affected| affected.contains(version)) {
                return None;
            }
            let fixed = own.iter().filter(|it| it.contains(version));
            let fixed = fixed.flat_map(|it| it.ranges.iter());
            let fixed = fixed.filter_map(|range| range.fixed_after(version));
            Some(Match {
                advisory,
                fixed: fixed.min().cloned(),
            })
        });
        merged(matches.collect())
    }

    /// The advisories about a package of which nothing can be said, because their ranges aren't
    /// made of versions.
    pub fn unreadable(&self, name: &PackageName) -> Vec<&str> {
        let places = self.by_package.get(name).into_iter().flatten();
        let advisories = places.map(|place| &self.advisories[*place]);
        let unreadable = advisories.filter(|advisory| {
            let mut own = advisory.affected.iter();
            own.any(|it| it.name == *name && it.unreadable)
        });
        unreadable.map(|advisory| advisory.id.as_str()).collect()
    }
}

impl Affected {
    fn contains(&self, version: &Version) -> bool {
        let listed = |known: &Version| comparable(version, known) == *known;
        self.versions.iter().any(listed) || self.ranges.iter().any(|it| it.contains(version))
    }
}
