//! Scanning pairs of releases, and fetching the files that the scanner asks for.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use bnbpip_packaging::Version;
use bnbpip_scan::{Break, Facts, Finding, Missing, Replay, Scan, WheelFiles, discover, scan};
use futures::{StreamExt, TryStreamExt};

use super::releases::{Release, Releases};
use crate::commands::resolve::network;
use crate::failure::Failure;

/// Wheels that are read at once.
const CONCURRENT_WHEELS: usize = 8;

/// How releases are scanned.
pub(super) struct Search {
    pub(super) facts: Facts,
    /// The modules to import; the package's top-level modules if there are none.
    pub(super) modules: Vec<String>,
    pub(super) runtime: tokio::runtime::Handle,
}

/// What two packages' releases come to.
pub(super) struct Pairs {
    pub(super) package: String,
    pub(super) package_releases: Vec<Version>,
    pub(super) other: String,
    pub(super) other_releases: Vec<Version>,
    pub(super) without_wheel: Vec<String>,
    pub(super) breaks: Vec<Found>,
}

/// A break with one example.
pub(super) struct Found {
    pub(super) is: Break,
    pub(super) example: Finding,
    pub(super) example_version: Version,
    pub(super) example_other: Version,
}

impl Search {
    /// Reads what importing the package alone reaches, so that pairs have less to wait for.
    pub(super) fn prepare(&self, mut package: Releases) -> Result<Releases, Failure> {
        let mut open: Vec<usize> = (0..package.read.len()).collect();
        while !open.is_empty() {
            let mut wanted: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
            for &at in &open {
                let files = &package.read[at].files;
                let found = scan(&[files], &self.entries(&package.read[at]), self.facts);
                let paths: BTreeSet<String> =
                    found.wanted.into_iter().map(|(_, path)| path).collect();
                if !paths.is_empty() {
                    wanted.insert(at, paths);
                }
            }
            self.read(&mut package, &wanted)?;
            open = wanted.into_keys().collect();
        }
        Ok(package)
    }

    /// Scans each release of the one with each of the other.
    pub(super) fn pairs(
        &self,
        package: &mut Releases,
        mut other: Releases,
        conditional: bool,
    ) -> Result<Pairs, Failure> {
        let mut scans = Scans::default();
        let count = (package.read.len(), other.read.len());
        let all = (0..count.0).flat_map(|one| (0..count.1).map(move |two| (one, two)));
        let mut open: Vec<(usize, usize)> = all.collect();
        while !open.is_empty() {
            let (mut of_package, mut of_other) = (BTreeMap::new(), BTreeMap::new());
            let mut again = Vec::new();
            for (one, two) in open {
                let release = &package.read[one];
                let wheels = [&release.files, &other.read[two].files];
                let entries = || self.entries(release);
                let wants = scans.of_pair((one, two), &wheels, entries, self.facts);
                if !wants.is_empty() {
                    again.push((one, two));
                }
                for (wheel, path) in wants {
                    let (wanted, at) = match wheel {
                        0 => (&mut of_package, one),
                        _ => (&mut of_other, two),
                    };
                    let paths: &mut BTreeSet<String> = wanted.entry(at).or_default();
                    paths.insert(path);
                }
            }
            self.read(package, &of_package)?;
            self.read(&mut other, &of_other)?;
            open = again;
        }
        Ok(pairs(package, &other, &scans, conditional))
    }

    fn entries(&self, release: &Release) -> Vec<String> {
        if self.modules.is_empty() {
            let top_level = release.files.top_level().into_iter();
            // Some wheels carry their tests at the top; nobody imports those.
            let outside =
                |name: &String| !matches!(&**name, "tests" | "test" | "docs" | "examples");
            top_level.filter(outside).collect()
        } else {
            self.modules.clone()
        }
    }

    fn read(
        &self,
        releases: &mut Releases,
        wanted: &BTreeMap<usize, BTreeSet<String>>,
    ) -> Result<(), Failure> {
        type Contents = Vec<Option<Vec<u8>>>;
        let read: Vec<(usize, Contents)> = {
            let remotes = &releases.read;
            let asked = wanted.iter().map(|(at, paths)| async move {
                let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
                let contents = remotes[*at].remote.read_many(&paths).await;
                contents.map(|contents| (*at, contents))
            });
            let stream = futures::stream::iter(asked).buffered(CONCURRENT_WHEELS);
            self.runtime
                .block_on(stream.try_collect())
                .map_err(|error| network::explained(&error))?
        };
        for (at, contents) in read {
            for (path, content) in wanted[&at].iter().zip(contents) {
                let content = content.unwrap_or_default();
                releases.read[at].files.provide(path, &content);
            }
        }
        Ok(())
    }
}

/// The scans of pairs. Releases that answer all of a scan's questions alike share it.
#[derive(Default)]
struct Scans {
    of_pairs: BTreeMap<(usize, usize), Rc<Scan>>,
    /// The complete scans of each of the package's releases.
    distinct: BTreeMap<usize, Vec<Rc<Scan>>>,
}

impl Scans {
    /// Scans a pair, unless a scan that was made serves. Gives the files that have to be read
    /// first, in which case it's to be called again.
    fn of_pair(
        &mut self,
        pair: (usize, usize),
        wheels: &[&WheelFiles],
        entries: impl FnOnce() -> Vec<String>,
        facts: Facts,
    ) -> BTreeSet<(usize, String)> {
        let distinct = self.distinct.entry(pair.0).or_default();
        let mut nearly = None;
        for known in distinct.iter().rev() {
            match known.replay(wheels) {
                Replay::Same => {
                    self.of_pairs.insert(pair, Rc::clone(known));
                    return BTreeSet::new();
                }
                Replay::Wants(wanted) => nearly = Some(wanted),
                Replay::Different => {}
            }
        }
        if let Some(wanted) = nearly {
            return wanted;
        }
        let found = scan(wheels, &entries(), facts);
        if !found.wanted.is_empty() {
            return found.wanted;
        }
        let found = Rc::new(found);
        distinct.push(Rc::clone(&found));
        self.of_pairs.insert(pair, found);
        BTreeSet::new()
    }
}

/// Ranges from the scans of pairs.
fn pairs(package: &Releases, other: &Releases, scans: &Scans, conditional: bool) -> Pairs {
    let mut found: BTreeMap<Missing, BTreeMap<Version, BTreeSet<Version>>> = BTreeMap::new();
    let mut examples: BTreeMap<(Missing, Version), (Finding, Version)> = BTreeMap::new();
    for (&(one, two), scan) in &scans.of_pairs {
        let version = package.read[one].files.version();
        let against = other.read[two].files.version();
        for finding in &scan.findings {
            if finding.package != other.name || (finding.conditional && !conditional) {
                continue;
            }
            let by_version = found.entry(finding.missing.clone()).or_default();
            let others = by_version.entry(version.clone()).or_default();
            others.insert(against.clone());
            let key = (finding.missing.clone(), version.clone());
            let example = (finding.clone(), against.clone());
            examples.entry(key).or_insert(example);
        }
    }
    let breaks = discover(&package.all, &other.all, &found);
    let breaks = breaks.into_iter().filter_map(|is| {
        let version = is.package.last()?.last.clone();
        let (example, against) = examples
            .get(&(is.missing.clone(), version.clone()))?
            .clone();
        Some(Found {
            is,
            example,
            example_version: version,
            example_other: against,
        })
    });
    let versions = |releases: &Releases| -> Vec<Version> {
        let each = releases.read.iter();
        each.map(|release| release.files.version().clone())
            .collect()
    };
    let without_wheel = [package, other].into_iter().flat_map(|releases| {
        let each = releases.without_wheel.iter();
        each.map(|version| format!("{}=={version}", releases.name))
    });
    Pairs {
        package: package.name.to_string(),
        package_releases: versions(package),
        other: other.name.to_string(),
        other_releases: versions(other),
        without_wheel: without_wheel.collect(),
        breaks: breaks.collect(),
    }
}
