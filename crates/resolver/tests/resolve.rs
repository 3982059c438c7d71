//! Whole resolutions over an in-memory universe.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::sync::Arc;

use bnbpip_overlay::{KnownMachine, MachineFact, MachineFacts, Overlay, VirtualPackage};
use bnbpip_packaging::{
    MarkerEnvironment, MarkerEnvironmentBuilder, PackageName, Requirement, Version, VersionRange,
};
use bnbpip_resolver::reason::VersionReason;
use bnbpip_resolver::{
    DependencyError, Explanation, Fact, InstalledPackage, MetadataProvider, PackageMetadata,
    PrereleasePolicy, ProviderError, Requested, Resolution, ResolveError, SolveRequest, Source,
    Unusable, VersionList, Yanked, resolve,
};

#[derive(Default)]
struct Universe {
    packages: BTreeMap<PackageName, BTreeMap<Version, Release>>,
    machine: KnownMachine,
    /// How often the machine was asked.
    asked: Cell<usize>,
    /// How often metadata was read.
    read: Cell<usize>,
    /// How often versions were asked for ahead.
    announced: Cell<usize>,
}

#[derive(Default, Clone)]
struct Release {
    metadata: PackageMetadata,
    yanked: bool,
    unusable: bool,
    unreadable: bool,
}

struct List {
    versions: Vec<Version>,
    releases: Vec<Release>,
}

impl Universe {
    fn add(mut self, name: &str, version: &str, requires: &[&str]) -> Self {
        let metadata = PackageMetadata {
            requires_dist: requires
                .iter()
                .map(|r| Requirement::from_str(r).unwrap())
                .collect(),
            requires_python: None,
            provides_extra: vec!["x".parse().unwrap()],
            builds: Vec::new(),
        };
        let release = Release {
            metadata,
            ..Release::default()
        };
        let versions = self.packages.entry(name.parse().unwrap()).or_default();
        versions.insert(version.parse().unwrap(), release);
        self
    }

    fn change(mut self, name: &str, version: &str, edit: impl Fn(&mut Release)) -> Self {
        let versions = self
            .packages
            .get_mut(&name.parse::<PackageName>().unwrap())
            .unwrap();
        edit(
            versions
                .get_mut(&version.parse::<Version>().unwrap())
                .unwrap(),
        );
        self
    }
}

impl VersionList for List {
    type File = ();

    fn versions(&self) -> &[Version] {
        &self.versions
    }

    fn file(&self, index: usize) -> Result<(), Unusable> {
        if self.releases[index].unusable {
            Err(Unusable::OnlySource)
        } else {
            Ok(())
        }
    }

    fn yanked(&self, index: usize) -> Option<Yanked> {
        self.releases[index]
            .yanked
            .then_some(Yanked { reason: None })
    }
}

impl MetadataProvider for Universe {
    type File = ();

    fn versions(
        &self,
        name: &PackageName,
    ) -> Result<Option<Arc<dyn VersionList<File = ()>>>, ProviderError> {
        Ok(self.packages.get(name).map(|releases| {
            let list: Arc<dyn VersionList<File = ()>> = Arc::new(List {
                versions: releases.keys().cloned().collect(),
                releases: releases.values().cloned().collect(),
            });
            list
        }))
    }

    fn metadata(
        &self,
        name: &PackageName,
        version: &Version,
        (): &(),
    ) -> Result<Arc<PackageMetadata>, DependencyError> {
        self.read.set(self.read.get() + 1);
        let release = &self.packages[name][version];
        if release.unreadable {
            return Err(DependencyError::Invalid(format!("not of {version}")));
        }
        Ok(Arc::new(release.metadata.clone()))
    }

    fn prefetch(&self, _: &PackageName, _: &VersionRange) {}

    fn prefetch_batch(&self, _: &PackageName, _: &VersionRange, _: &Version, _: usize) {
        self.announced.set(self.announced.get() + 1);
    }

    fn machine(&self) -> &dyn MachineFacts {
        self
    }

    fn direct(&self, _: &PackageName, _: &str) -> Result<(Version, ()), ProviderError> {
        Ok((Version::new([9]), ()))
    }
}

impl MachineFacts for Universe {
    fn version(&self, package: VirtualPackage) -> Option<Version> {
        self.asked.set(self.asked.get() + 1);
        self.machine.version(package)
    }
}

fn markers(windows: bool) -> MarkerEnvironment {
    let (os_name, system, platform) = if windows {
        ("nt", "Windows", "win32")
    } else {
        ("posix", "Linux", "linux")
    };
    MarkerEnvironment::try_from(MarkerEnvironmentBuilder {
        implementation_name: "cpython",
        implementation_version: "3.11.4",
        os_name,
        platform_machine: "x86_64",
        platform_python_implementation: "CPython",
        platform_release: "",
        platform_system: system,
        platform_version: "",
        python_full_version: "3.11.4",
        python_version: "3.11",
        sys_platform: platform,
    })
    .unwrap()
}

fn request(requirements: &[&str]) -> SolveRequest {
    SolveRequest {
        requested: requirements
            .iter()
            .map(|r| Requested {
                requirement: r.parse().unwrap(),
                text: (*r).to_owned(),
                origin: None,
            })
            .collect(),
        constraints: Vec::new(),
        markers: markers(false),
        python_version: Version::new([3, 11, 4]),
        installed: rustc_hash::FxHashMap::default(),
        upgrade: rustc_hash::FxHashSet::default(),
        eager: false,
        no_dependencies: false,
        ignore_requires_python: false,
        prereleases_of: rustc_hash::FxHashMap::default(),
        url_constraints: rustc_hash::FxHashMap::default(),
        prereleases: PrereleasePolicy::IfNecessary,
        overlay: two_rules(),
        preferred: rustc_hash::FxHashMap::default(),
    }
}

/// The rules that these tests are about: other rules speak of packages that are not in the
/// universes here.
fn two_rules() -> Overlay {
    let overlay = Overlay::embedded().unwrap();
    let others: Vec<_> = overlay
        .rules()
        .map(|rule| rule.id.clone())
        .filter(|id| !["BNB-0001", "BNB-0029"].contains(&id.as_str()))
        .collect();
    overlay.without(&others)
}

fn solve(universe: &Universe, requirements: &[&str]) -> String {
    shown(resolve(universe, &mut request(requirements)))
}

fn shown(result: Result<Resolution<()>, ResolveError>) -> String {
    let packages: Vec<String> = match result {
        Ok(resolution) => resolution
            .packages
            .iter()
            .map(|p| format!("{}=={}", p.name, p.version))
            .collect(),
        Err(ResolveError::NoSolution(explanation)) => facts(&explanation),
        Err(error) => vec![error.to_string()],
    };
    packages.join(" ")
}

fn facts(explanation: &Explanation) -> Vec<String> {
    explanation
        .facts
        .iter()
        .map(|fact| match fact {
            Fact::Requested { requirement, .. } => format!("requested({requirement})"),
            Fact::Depends {
                project,
                dependency,
                ..
            } => {
                format!("depends({}->{})", project.name, dependency.name)
            }
            Fact::Machine(fact) => format!("machine({fact})"),
            Fact::Rule(rule) => format!("rule({})", rule.id),
            Fact::NotFound(name) => format!("not-found({name})"),
            Fact::NoVersions { name, .. } => format!("no-versions({name})"),
            Fact::Versions { name, .. } => format!("versions({name})"),
            Fact::Constraint { name, .. } => format!("constraint({name})"),
            Fact::Installed { name, .. } => format!("installed({name})"),
        })
        .collect()
}

#[test]
fn takes_the_newest_and_backtracks() {
    let universe = Universe::default()
        .add("a", "1", &["c<2"])
        .add("a", "2", &["c>=2"])
        .add("b", "1", &["c<2"])
        .add("c", "1", &[])
        .add("c", "2", &[]);
    assert_eq!(solve(&universe, &["a"]), "a==2 c==2");
    assert_eq!(solve(&universe, &["a", "b"]), "a==1 b==1 c==1");
}

#[test]
fn extras_bring_their_requirements() {
    let universe = Universe::default()
        .add("a", "1", &["b; extra == 'x'", "c"])
        .add("b", "1", &[])
        .add("c", "1", &["a[x]"]);
    assert_eq!(solve(&universe, &["a[x]"]), "a==1 b==1 c==1");
}

#[test]
fn prereleases_are_taken_as_pip_takes_them() {
    let universe = Universe::default()
        .add("a", "1", &[])
        .add("a", "2rc1", &[])
        .add("only", "1a1", &[])
        .add("needs", "1", &["a>1"]);
    assert_eq!(solve(&universe, &["a"]), "a==1");
    assert_eq!(solve(&universe, &["a>=2rc1"]), "a==2rc1");
    assert_eq!(solve(&universe, &["only"]), "only==1a1");
    assert_eq!(solve(&universe, &["needs"]), "a==2rc1 needs==1");
}

#[test]
fn yanked_versions_need_a_pin() {
    let universe = Universe::default()
        .add("a", "1", &[])
        .add("a", "2", &[])
        .add("b", "1", &["a==2"])
        .change("a", "2", |release| release.yanked = true);
    assert_eq!(solve(&universe, &["a"]), "a==1");
    assert_eq!(solve(&universe, &["a==2"]), "a==2");
    assert_eq!(solve(&universe, &["b"]), "a==2 b==1");
    assert_eq!(solve(&universe, &["a>=2"]), "requested(a>=2) versions(a)");
}

fn bitsandbytes() -> Universe {
    Universe::default()
        .add("bitsandbytes", "0.43.0", &[])
        .add("bitsandbytes", "0.45.5", &[])
        .add("triton", "3.1.0", &[])
        .add("triton", "3.2.0", &[])
        .add("triton-windows", "3.1.0.post17", &[])
        .add("triton-windows", "3.2.0.post19", &[])
}

#[test]
fn an_extra_is_looked_for_only_at_versions_that_its_project_can_have() {
    let mut universe = Universe::default()
        .add("other", "1", &[])
        .add("other", "2", &[]);
    for version in 1..=60 {
        let requires = format!("other<2,<{version}.5; extra == 'x'");
        universe = universe.add("lib", &format!("{version}"), &[&requires]);
    }
    let solution = resolve(&universe, &mut request(&["other", "lib[x]"])).unwrap();
    assert_eq!(shown(Ok(solution)), "lib==60 other==1");
    assert!(universe.read.get() < 30, "{}", universe.read.get());
}

#[test]
fn many_extras_of_one_version_are_one_try() {
    let mut universe = Universe::default();
    let extras: Vec<String> = (0..30).map(|number| format!("x{number}")).collect();
    for version in ["1", "2"] {
        universe = universe
            .add("lib", version, &[])
            .change("lib", version, |release| {
                let extras = extras.iter().map(|extra| extra.parse().unwrap());
                release.metadata.provides_extra = extras.collect();
            });
    }
    let wanted = format!("lib[{}]==1", extras.join(","));
    assert_eq!(solve(&universe, &[&wanted]), "lib==1");
    assert_eq!(universe.announced.get(), 0);
}

/// A project of 2,000 releases; the metadata of these can't be read.
fn unreadable(versions: RangeInclusive<usize>) -> Universe {
    let mut universe = Universe::default();
    for version in 1..=2_000 {
        let text = version.to_string();
        universe = universe.add("lib", &text, &[]).change("lib", &text, |it| {
            it.unreadable = versions.contains(&version);
        });
    }
    universe
}

#[test]
fn releases_with_unreadable_metadata_are_passed_over_up_to_a_number() {
    assert_eq!(solve(&unreadable(1_601..=2_000), &["lib"]), "lib==1600");

    let universe = unreadable(2..=2_000);
    let error = resolve(&universe, &mut request(&["lib"])).unwrap_err();
    let ResolveError::NoSolution(explanation) = error else {
        panic!("{error}");
    };
    assert_eq!(universe.read.get(), 500);
    let reasons = explanation.facts.iter().flat_map(|fact| match fact {
        Fact::Versions { reasons, .. } => reasons.as_slice(),
        _ => &[],
    });
    let not_tried = reasons.filter(|(_, reason)| *reason == VersionReason::NotTried);
    assert_eq!(not_tried.count(), 1_500);
}

#[test]
fn a_conflict_rule_takes_part() {
    let universe = bitsandbytes();
    assert_eq!(
        solve(&universe, &["bitsandbytes", "triton==3.2.0"]),
        "bitsandbytes==0.45.5 triton==3.2.0"
    );
    assert_eq!(
        solve(&universe, &["bitsandbytes==0.43.0", "triton"]),
        "bitsandbytes==0.43.0 triton==3.1.0"
    );
    assert_eq!(
        solve(&universe, &["bitsandbytes==0.43.0", "triton==3.2.0"]),
        "requested(bitsandbytes==0.43.0) requested(triton==3.2.0) rule(BNB-0001)"
    );
    assert_eq!(
        solve(&universe, &["bitsandbytes==0.43.0"]),
        "bitsandbytes==0.43.0"
    );
}

#[test]
fn a_stand_in_satisfies_on_its_platform_only() {
    let universe = bitsandbytes()
        .add("unsloth", "1", &["triton>=3.0.0"])
        .change("triton", "3.1.0", |release| release.unusable = true)
        .change("triton", "3.2.0", |release| release.unusable = true);
    let mut windows = request(&["unsloth"]);
    windows.markers = markers(true);
    assert_eq!(
        shown(resolve(&universe, &mut windows)),
        "triton-windows==3.2.0.post19 unsloth==1"
    );
    assert_eq!(
        solve(&universe, &["unsloth"]),
        "requested(unsloth) depends(unsloth->triton) versions(triton)"
    );
}

#[test]
fn what_is_installed_stays_consistent() {
    let universe = Universe::default()
        .add("a", "1", &["b<2"])
        .add("a", "2", &["b<3"])
        .add("b", "1", &[])
        .add("b", "2", &[])
        .add("b", "3", &[]);
    let installed = |names: &[(&str, &str)]| {
        let entries = names.iter().map(|(name, version)| {
            let (name, version): (PackageName, Version) =
                (name.parse().unwrap(), version.parse().unwrap());
            let metadata = Arc::new(universe.packages[&name][&version].metadata.clone());
            (name, InstalledPackage { version, metadata })
        });
        entries.collect()
    };
    let mut kept = request(&["b"]);
    kept.installed = installed(&[("a", "1"), ("b", "1")]);
    let resolution = resolve(&universe, &mut kept).unwrap();
    assert!(
        resolution
            .packages
            .iter()
            .all(|p| matches!(p.source, Source::Installed))
    );

    let mut moved = request(&["b==2"]);
    moved.installed = installed(&[("a", "1"), ("b", "1")]);
    assert_eq!(shown(resolve(&universe, &mut moved)), "a==2 b==2");

    let mut impossible = request(&["b==3"]);
    impossible.installed = installed(&[("a", "1"), ("b", "1")]);
    let resolution = resolve(&universe, &mut impossible).unwrap();
    assert!(resolution.left_installed_out);
    assert_eq!(shown(Ok(resolution)), "b==3");
}

/// Releases of torch, of which the newer ones need a newer driver, on a machine.
fn on_machine(facts: &[&str]) -> Universe {
    let facts = facts
        .iter()
        .map(|text| text.parse::<MachineFact>().unwrap());
    let universe = Universe::default()
        .add("torch", "2.9", &[])
        .add("torch", "2.10", &[])
        .add("vision", "1", &["torch"])
        .add("other", "1", &[]);
    Universe {
        machine: facts.collect(),
        ..universe
    }
}

/// A request under a rule about the machine.
fn ruled(requirements: &[&str], severity: &str) -> SolveRequest {
    let text = format!(
        "+++\nid='TEAM-0001'\ntitle='t'\nkind='conflict'\nseverity='{severity}'\ndate=2026-01-31\n\
         [a]\npackages=['torch']\nversions='>=2.10'\n\
         [b]\npackages=['__cuda_driver']\nversions='<580'\n+++\nText.\n"
    );
    let document = Overlay::parse_rule(&text, "x").unwrap();
    SolveRequest {
        overlay: Overlay::from_rules([document.rule]),
        ..request(requirements)
    }
}

const OLD: [&str; 1] = ["__cuda_driver==535.183.1"];

#[test]
fn a_rule_about_the_machine_takes_part() {
    let solve = |facts: &[&str], requirements: &[&str], severity: &str| {
        let universe = on_machine(facts);
        resolve(&universe, &mut ruled(requirements, severity))
    };
    let older = solve(&OLD, &["vision"], "avoid").unwrap();
    assert_eq!(older.effects[0].rule.id.as_str(), "TEAM-0001");
    assert_eq!(older.effects[0].package.as_ref(), "torch");
    assert_eq!(older.machine[0].to_string(), OLD[0]);
    assert_eq!(shown(Ok(older)), "torch==2.9 vision==1");
    for facts in [&["__cuda_driver==580.65"][..], &["__cuda_arch==6.1"], &[]] {
        let newest = solve(facts, &["vision"], "broken").unwrap();
        assert!(newest.effects.is_empty() && newest.machine.is_empty());
        assert_eq!(shown(Ok(newest)), "torch==2.10 vision==1");
    }
    let pinned = solve(&OLD, &["torch==2.10"], "avoid").unwrap();
    assert_eq!(pinned.relaxed[0].id.as_str(), "TEAM-0001");
    assert_eq!(pinned.machine[0].to_string(), OLD[0]);
    assert_eq!(shown(Ok(pinned)), "torch==2.10");
    assert_eq!(
        shown(solve(&OLD, &["torch==2.10"], "broken")),
        "requested(torch==2.10) machine(__cuda_driver==535.183.1) rule(TEAM-0001)"
    );
}

#[test]
fn the_machine_is_asked_only_where_it_matters() {
    for (requirement, is_asked) in [("other", false), ("torch<2.10", false), ("torch", true)] {
        let universe = on_machine(&OLD);
        resolve(&universe, &mut ruled(&[requirement], "avoid")).unwrap();
        assert_eq!(universe.asked.get() > 0, is_asked, "{requirement}");
    }
}

#[test]
fn what_is_installed_on_the_machine_is_not_moved_for_it() {
    let universe = on_machine(&OLD);
    let installed = InstalledPackage {
        version: "2.10".parse().unwrap(),
        metadata: Arc::default(),
    };
    let with_torch = |severity: &str| {
        let mut request = ruled(&["vision"], severity);
        let torch: PackageName = "torch".parse().unwrap();
        request.installed.insert(torch, installed.clone());
        request
    };
    let kept = resolve(&universe, &mut with_torch("avoid")).unwrap();
    assert!(kept.relaxed.is_empty());
    assert_eq!(shown(Ok(kept)), "torch==2.10 vision==1");
    let broken = resolve(&universe, &mut with_torch("broken"));
    assert_eq!(shown(broken), "torch==2.9 vision==1");
    let mut upgraded = with_torch("avoid");
    upgraded.upgrade.insert("torch".parse().unwrap());
    assert_eq!(
        shown(resolve(&universe, &mut upgraded)),
        "torch==2.9 vision==1"
    );
}
