//! Solving over universes in memory.
#![expect(clippy::unwrap_used, reason = "measurements for developers")]

use std::sync::Arc;

use bnbpip_overlay::{MachineFacts, Overlay, VirtualPackage};
use bnbpip_packaging::{PackageName, Version, VersionRange};
use bnbpip_resolver::{
    DependencyError, MetadataProvider, PackageMetadata, PrereleasePolicy, ProviderError, Requested,
    SolveRequest, Unusable, VersionList, Yanked, resolve,
};
use divan::{Bencher, black_box};
use rustc_hash::FxHashMap;

fn main() {
    divan::main();
}

/// Packages with versions `1.0`, `2.0`, …, and what each version requires.
#[derive(Default)]
struct Universe(FxHashMap<PackageName, Arc<Releases>>);

struct Releases {
    versions: Vec<Version>,
    metadata: Vec<Arc<PackageMetadata>>,
}

impl Universe {
    fn package(&mut self, name: &str, count: usize, requires: impl Fn(usize) -> Vec<String>) {
        let versions = (1..=count as u64).map(|number| Version::new([number, 0]));
        let metadata = (1..=count).map(|number| {
            let requires = requires(number);
            let requires_dist = requires.iter().map(|it| it.parse().unwrap());
            Arc::new(PackageMetadata {
                requires_dist: requires_dist.collect(),
                ..PackageMetadata::default()
            })
        });
        let releases = Releases {
            versions: versions.collect(),
            metadata: metadata.collect(),
        };
        self.0.insert(name.parse().unwrap(), Arc::new(releases));
    }
}

impl VersionList for Releases {
    type File = ();

    fn versions(&self) -> &[Version] {
        &self.versions
    }

    fn file(&self, _: usize) -> Result<(), Unusable> {
        Ok(())
    }

    fn yanked(&self, _: usize) -> Option<Yanked> {
        None
    }
}

impl MetadataProvider for Universe {
    type File = ();

    fn versions(
        &self,
        name: &PackageName,
    ) -> Result<Option<Arc<dyn VersionList<File = ()>>>, ProviderError> {
        let found = self.0.get(name).cloned();
        Ok(found.map(|releases| releases as Arc<dyn VersionList<File = ()>>))
    }

    fn metadata(
        &self,
        name: &PackageName,
        version: &Version,
        (): &(),
    ) -> Result<Arc<PackageMetadata>, DependencyError> {
        let releases = &self.0[name];
        let place = releases.versions.binary_search(version).unwrap();
        Ok(Arc::clone(&releases.metadata[place]))
    }

    fn prefetch(&self, _: &PackageName, _: &VersionRange) {}

    fn prefetch_batch(&self, _: &PackageName, _: &VersionRange, _: &Version, _: usize) {}

    fn machine(&self) -> &dyn MachineFacts {
        self
    }

    fn direct(&self, _: &PackageName, _: &str) -> Result<(Version, ()), ProviderError> {
        Ok((Version::new([1]), ()))
    }
}

impl MachineFacts for Universe {
    fn version(&self, _: VirtualPackage) -> Option<Version> {
        None
    }
}

fn request(requirement: &str) -> SolveRequest {
    SolveRequest {
        requested: vec![Requested {
            requirement: requirement.parse().unwrap(),
            text: requirement.to_owned(),
            origin: None,
        }],
        constraints: Vec::new(),
        markers: bnbpip_benches::linux().unwrap(),
        python_version: Version::new([3, 11, 4]),
        installed: FxHashMap::default(),
        upgrade: rustc_hash::FxHashSet::default(),
        eager: false,
        no_dependencies: false,
        ignore_requires_python: false,
        prereleases_of: FxHashMap::default(),
        url_constraints: FxHashMap::default(),
        prereleases: PrereleasePolicy::IfNecessary,
        overlay: Overlay::embedded().unwrap(),
        preferred: FxHashMap::default(),
    }
}

fn bench(bencher: Bencher<'_, '_>, universe: &Universe, requirement: &str, packages: usize) {
    let solve = || resolve(universe, &mut request(requirement)).unwrap();
    assert_eq!(solve().packages.len(), packages);
    bencher
        .with_inputs(|| request(requirement))
        .bench_values(|mut request| resolve(black_box(universe), &mut request).unwrap());
}

/// Layers of packages, each requiring three of the next: the newest of each is the answer.
#[divan::bench(args = [10, 100, 1_000])]
fn newest_of_everything(bencher: Bencher<'_, '_>, packages: usize) {
    let mut universe = Universe::default();
    for number in 0..packages {
        universe.package(&format!("p{number}"), 40, |_| {
            let next = [number + 1, number * 2 + 1, number * 2 + 2];
            let next = next.into_iter().filter(|next| *next < packages);
            next.map(|next| format!("p{next}>=2,<100")).collect()
        });
    }
    bench(bencher, &universe, "p0", packages);
}

/// A client of which only the oldest versions go with what a plug-in still accepts.
#[divan::bench(args = [50, 200, 800])]
fn far_back(bencher: Bencher<'_, '_>, versions: usize) {
    let mut universe = Universe::default();
    universe.package("app", 1, |_| vec!["client".to_owned(), "plugin".to_owned()]);
    universe.package("client", versions, |number| {
        vec![format!("core=={number}.0")]
    });
    universe.package("plugin", versions, |number| {
        vec![format!("core<{}", 2 + number / versions)]
    });
    universe.package("core", versions, |_| Vec::new());
    bench(bencher, &universe, "app", 4);
}
