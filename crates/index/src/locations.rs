//! Where packages come from: indexes in order, find-links, and routes of single packages.

use std::collections::{BTreeMap, BTreeSet};

use bnbpip_packaging::PackageName;

use crate::index_url::IndexUrl;

/// How several indexes that offer the same project are combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IndexStrategy {
    /// The first index that has the project is the only one used for it: a later index fills
    /// gaps and can't shadow a project of an earlier one.
    #[default]
    FirstIndex,
    /// All indexes are looked into, and what an earlier one has is tried before what a later one
    /// has. Open to dependency confusion where an earlier one has nothing that fits.
    UnsafeFirstMatch,
    /// The files of all indexes are one pool, as pip has it. Open to dependency confusion.
    UnsafeBestMatch,
}

/// One package index.
#[derive(Debug, Clone)]
pub struct IndexEntry {
    /// A name that routes can use.
    pub name: Option<String>,
    /// Its address.
    pub url: IndexUrl,
    /// Asked only for packages that are routed to it.
    pub explicit: bool,
    /// What it is there for, where that is known: it is the first to be asked for these, and the
    /// last for all others.
    pub owns: Option<BTreeSet<PackageName>>,
    /// The statuses that mean "no such project here". Others are errors, so that a failing index
    /// isn't mistaken for one that lacks the project.
    pub missing_statuses: Vec<u16>,
}

impl IndexEntry {
    /// An unnamed index, asked for every package.
    pub fn new(url: IndexUrl) -> Self {
        Self {
            name: None,
            url,
            explicit: false,
            owns: None,
            missing_statuses: vec![404, 410],
        }
    }

    /// A named index that is asked only for packages routed to it.
    pub fn routed(name: impl Into<String>, url: IndexUrl) -> Self {
        Self {
            name: Some(name.into()),
            explicit: true,
            ..Self::new(url)
        }
    }
}

/// Another place for what an index has.
#[derive(Debug, Clone)]
pub struct Mirror {
    /// The index, or what several indexes lie below.
    pub index: IndexUrl,
    /// Where the same lies.
    pub url: IndexUrl,
}

/// Every place that packages may come from.
#[derive(Debug, Clone, Default)]
pub struct IndexLocations {
    /// The indexes, in the order in which they are asked.
    pub indexes: Vec<IndexEntry>,
    /// Folders, HTML files or URLs of flat pages; always looked into, before any index.
    pub find_links: Vec<IndexUrl>,
    /// Ask no index at all, only `find_links`.
    pub no_index: bool,
    /// How indexes are combined.
    pub strategy: IndexStrategy,
    /// Packages that come from one named index only.
    pub routes: BTreeMap<PackageName, String>,
    /// The mirrors of indexes; several of one index are asked in this order, and before it.
    pub mirrors: Vec<Mirror>,
}

impl IndexLocations {
    /// One index and nothing else.
    pub fn single(url: IndexUrl) -> Self {
        Self {
            indexes: vec![IndexEntry::new(url)],
            ..Self::default()
        }
    }

    /// The indexes to ask for a package, in order; `Err` holds the name of an index that a route
    /// wants and nobody defined.
    pub(crate) fn indexes_for(&self, name: &PackageName) -> Result<Vec<&IndexEntry>, &str> {
        if self.no_index {
            return Ok(Vec::new());
        }
        if let Some(route) = self.routes.get(name) {
            return self
                .indexes
                .iter()
                .find(|entry| entry.name.as_deref() == Some(route))
                .map(|entry| vec![entry])
                .ok_or(route);
        }
        let asked = self.indexes.iter().filter(|entry| !entry.explicit);
        let mut asked: Vec<&IndexEntry> = asked.collect();
        asked.sort_by_key(|entry| match &entry.owns {
            Some(owned) if owned.contains(name) => 0,
            None => 1,
            Some(_) => 2,
        });
        Ok(asked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_win_and_explicit_indexes_stay_out() {
        let name = |text: &str| PackageName::new(text.to_string()).unwrap();
        let mut locations =
            IndexLocations::single("https://primary.example/simple".parse().unwrap());
        locations.indexes.push(IndexEntry::routed(
            "cuda",
            "https://cuda.example/whl".parse().unwrap(),
        ));
        locations.routes.insert(name("torch"), "cuda".to_string());
        locations.routes.insert(name("lost"), "gone".to_string());
        let urls = |package: &str| -> Vec<String> {
            locations
                .indexes_for(&name(package))
                .unwrap()
                .iter()
                .map(|entry| entry.url.to_string())
                .collect()
        };
        assert_eq!(urls("torch"), ["https://cuda.example/whl"]);
        assert_eq!(urls("numpy"), ["https://primary.example/simple"]);
        assert_eq!(locations.indexes_for(&name("lost")).unwrap_err(), "gone");
    }

    #[test]
    fn an_index_comes_first_for_what_it_owns_and_last_for_the_rest() {
        let name = |text: &str| PackageName::new(text.to_string()).unwrap();
        let mut locations = IndexLocations::single("https://first.example/a".parse().unwrap());
        let mut family = IndexEntry::new("https://family.example/b".parse().unwrap());
        family.owns = Some(BTreeSet::from([name("torch")]));
        locations.indexes.push(family);
        let other = IndexEntry::new("https://other.example/c".parse().unwrap());
        locations.indexes.push(other);
        let order = |package: &str| -> String {
            let asked = locations.indexes_for(&name(package)).unwrap();
            let ends = asked.iter().map(|entry| entry.url.as_str());
            ends.filter_map(|url| url.chars().last()).collect()
        };
        assert_eq!(order("torch"), "bac");
        assert_eq!(order("requests"), "acb");
    }
}
