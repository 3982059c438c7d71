//! Random environments and random changes of them, against a model: an undisturbed change gives
//! what the model says, and one that is cut off before any of its steps gives, after the next
//! start, the old or the new environment and nothing else.
//!
//! `BNBPIP_CRASH_SEEDS=500 cargo test -p bnbpip-installer --test crash_model` makes it a longer
//! hunt.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bnbpip_installer::{InstallOptions, Step, StepHook, Transaction};
use common::{Bench, TestWheel};

const LIBRARY: &str = "lib/python3.11/site-packages";
const PACKAGES: [&str; 5] = ["ant", "bee", "cat", "dog", "eel"];
const MOVING: usize = 3;

/// Repeatable choices.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let mixed = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(mixed).unwrap() % limit
    }

    fn yes(&mut self) -> bool {
        self.below(2) == 0
    }
}

/// One version of one package: library files, data files, scripts.
#[derive(Clone, Default)]
struct Release {
    version: &'static str,
    library: BTreeMap<String, String>,
    data: BTreeMap<String, String>,
    scripts: BTreeSet<String>,
}

impl Release {
    fn random(name: &str, version: &'static str, chance: &mut Chance) -> Self {
        let mut release = Self {
            version,
            ..Self::default()
        };
        let mut add = |chance: &mut Chance, path: String, same: bool| {
            if chance.yes() {
                let text = if same { "same" } else { version };
                release.library.insert(path, text.to_string());
            }
        };
        add(chance, format!("{name}/__init__.py"), false);
        add(chance, format!("{name}/only_{version}.py"), false);
        add(chance, format!("{name}/deep/er/x.py"), false);
        add(chance, format!("{name}.py"), true);
        add(chance, format!("{name}.pth"), false);
        add(chance, format!("space/{name}.py"), false);
        add(chance, format!("space/{name}/x.py"), false);
        // Several own it, with the same content.
        add(chance, "space/shared.txt".to_string(), true);
        // A file in one version, a folder in another.
        let shape = if chance.yes() { "" } else { "/inner/x.txt" };
        add(chance, format!("shape_{name}{shape}"), false);
        if chance.yes() {
            let text = version.to_string();
            release.data.insert(format!("share/{name}/x"), text.clone());
            release.data.insert(format!("share/all/{name}"), text);
        }
        for script in [name.to_string(), format!("{name}-{version}")] {
            if chance.yes() {
                release.scripts.insert(script);
            }
        }
        release
    }

    fn wheel(&self, name: &str) -> TestWheel {
        let mut wheel = TestWheel::new(name, self.version);
        for (path, text) in &self.library {
            wheel = wheel.file(path, text);
        }
        for (path, text) in &self.data {
            let path = format!("{name}-{}.data/data/{path}", self.version);
            wheel = wheel.file(&path, text);
        }
        let points: Vec<String> = self
            .scripts
            .iter()
            .map(|script| format!("{script} = os:getcwd\n"))
            .collect();
        wheel.info_file(
            "entry_points.txt",
            &format!("[console_scripts]\n{}", points.concat()),
        )
    }
}

type Releases = BTreeMap<&'static str, Release>;

/// An environment, and a change of it.
struct Case {
    old: Releases,
    new: Releases,
    /// What is installed, also over the same version.
    installs: BTreeSet<&'static str>,
    removes: Vec<&'static str>,
    /// Files that no package owns, in the library.
    foreign: BTreeSet<String>,
}

impl Case {
    fn random(seed: u64) -> Self {
        let mut chance = Chance(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let mut case = Self {
            old: Releases::new(),
            new: Releases::new(),
            installs: BTreeSet::new(),
            removes: Vec::new(),
            foreign: BTreeSet::new(),
        };
        for name in PACKAGES {
            let is_there = chance.below(4) > 0;
            if is_there {
                let release = Release::random(name, "1", &mut chance);
                case.old.insert(name, release);
            }
            match chance.below(5) {
                0 if is_there => case.removes.push(name),
                1 => {
                    if is_there {
                        case.new.insert(name, case.old[name].clone());
                    }
                }
                2 if is_there => {
                    // The same version again, perhaps of other content.
                    let again = Release::random(name, "1", &mut chance);
                    case.new.insert(name, again);
                    case.installs.insert(name);
                }
                _ => {
                    let release = Release::random(name, "2", &mut chance);
                    case.new.insert(name, release);
                    case.installs.insert(name);
                }
            }
            if is_there && chance.below(3) == 0 {
                case.foreign.insert(format!("{name}/notes.txt"));
            }
        }
        for number in 0..MOVING {
            case.move_file(number, &mut chance);
        }
        case
    }

    /// A file that one package may own before and another afterwards.
    fn move_file(&mut self, number: usize, chance: &mut Chance) {
        let path = format!("moving_{number}/x.py");
        let before = PACKAGES[chance.below(PACKAGES.len())];
        let after = PACKAGES[chance.below(PACKAGES.len())];
        let stays = !self.installs.contains(before) && !self.removes.contains(&before);
        if let Some(release) = self.old.get_mut(before) {
            release.library.insert(path.clone(), before.to_string());
            if stays {
                self.new.insert(before, self.old[before].clone());
                return;
            }
        }
        if self.installs.contains(after) {
            let release = self.new.get_mut(after).unwrap();
            release.library.insert(path, after.to_string());
        }
    }

    fn environment(&self) -> Bench {
        let bench = Bench::new();
        let wheels: Vec<TestWheel> = self.old.iter().map(|(name, it)| it.wheel(name)).collect();
        bench.install(&wheels);
        for path in &self.foreign {
            let path = bench.library().join(path);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, "mine").unwrap();
        }
        bench
    }

    fn change(&self, bench: &Bench, disk: &Arc<Disk>) -> bool {
        let options = InstallOptions {
            step_hook: Some(Arc::clone(disk) as Arc<dyn StepHook>),
            ..InstallOptions::default()
        };
        let wheels: Vec<TestWheel> = self
            .installs
            .iter()
            .map(|name| self.new[name].wheel(name))
            .collect();
        bench.try_change(options, &wheels, &self.removes).is_ok()
    }

    /// The files that must be there, those of dist-info folders aside.
    fn model(&self, releases: &Releases) -> BTreeMap<String, String> {
        let mut files: BTreeMap<String, String> = BTreeMap::new();
        for release in releases.values() {
            for (path, text) in &release.library {
                files.insert(format!("{LIBRARY}/{path}"), text.clone());
            }
            files.extend(release.data.clone());
            for script in &release.scripts {
                files.insert(format!("bin/{script}"), String::new());
            }
        }
        for path in &self.foreign {
            files.insert(format!("{LIBRARY}/{path}"), "mine".to_string());
        }
        files
    }
}

fn modelled(snapshot: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let own = |path: &str| {
        path.ends_with('/')
            || path.starts_with("receipt ")
            || path.contains(".dist-info/")
            || ["pyvenv.cfg", "bin/python"].contains(&path)
    };
    let content = |path: &str, text: &str| {
        if path.starts_with("bin/") {
            String::new()
        } else {
            text.to_string()
        }
    };
    let files = snapshot.iter().filter(|(path, _)| !own(path));
    files
        .map(|(path, text)| (path.clone(), content(path, text)))
        .collect()
}

fn assert_no_empty_folders(snapshot: &BTreeMap<String, String>, seed: u64) {
    let of_packages = |path: &&String| path.ends_with('/');
    for folder in snapshot.keys().filter(of_packages) {
        let is_base = ["bin/", "lib/", "share/"].contains(&folder.as_str())
            || folder.starts_with("lib/python3.11/") && folder.matches('/').count() < 4;
        let inside = |path: &String| path != folder && path.starts_with(folder.as_str());
        assert!(
            is_base || snapshot.keys().any(inside),
            "seed {seed}: {folder} is empty"
        );
    }
}

/// Dead from one step on; `usize::MAX` lives. Folders may be impossible to exchange or to move.
struct Disk {
    dies_at: usize,
    kind: Kind,
    steps: AtomicUsize,
    exchanges: AtomicUsize,
    /// The number of the first step that changes what others see.
    swap_from: AtomicUsize,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Good,
    NoExchange,
    SplitsFolders,
}

impl Disk {
    fn new(dies_at: usize, kind: Kind) -> Arc<Self> {
        Arc::new(Self {
            dies_at,
            kind,
            steps: AtomicUsize::new(0),
            exchanges: AtomicUsize::new(0),
            swap_from: AtomicUsize::new(usize::MAX),
        })
    }
}

impl StepHook for Disk {
    fn before(&self, step: Step<'_>) -> io::Result<()> {
        let at = self.steps.fetch_add(1, Ordering::SeqCst);
        if at >= self.dies_at {
            return Err(io::ErrorKind::StorageFull.into());
        }
        match step {
            Step::Exchange(..) if self.kind != Kind::Good => {
                return Err(io::ErrorKind::CrossesDevices.into());
            }
            Step::Exchange(..) => {
                self.exchanges.fetch_add(1, Ordering::SeqCst);
            }
            Step::Rename(from, _) if self.kind == Kind::SplitsFolders && from.is_dir() => {
                return Err(io::ErrorKind::CrossesDevices.into());
            }
            _ => {}
        }
        if matches!(step, Step::Sync(_)) {
            self.swap_from.fetch_min(at, Ordering::SeqCst);
        }
        Ok(())
    }
}

/// Tries one case on one kind of disk; gives how many folders changed places.
fn try_case(seed: u64, kind: Kind) -> usize {
    let case = Case::random(seed);
    if case.installs.is_empty() && case.removes.is_empty() {
        return 0;
    }
    let bench = case.environment();
    let old = bench.snapshot();
    assert_eq!(modelled(&old), case.model(&case.old), "seed {seed}: before");
    let disk = Disk::new(usize::MAX, kind);
    assert!(case.change(&bench, &disk), "seed {seed}");
    let new = bench.snapshot();
    assert_eq!(modelled(&new), case.model(&case.new), "seed {seed}: after");
    assert_no_empty_folders(&new, seed);
    let steps = disk.steps.load(Ordering::SeqCst);
    let swap_from = disk.swap_from.load(Ordering::SeqCst);
    // Preparing is many like steps; of the swap and what follows each counts.
    for at in (0..swap_from).step_by(23).chain(swap_from..steps) {
        let bench = case.environment();
        case.change(&bench, &Disk::new(at, kind));
        let options = InstallOptions::default();
        drop(Transaction::begin(&bench.environment, options, &()).unwrap());
        let found = bench.snapshot();
        assert!(
            found == old || found == new,
            "seed {seed}, dead before step {at} of {steps}:\n{found:#?}\nold {old:#?}\nnew {new:#?}"
        );
    }
    disk.exchanges.load(Ordering::SeqCst)
}

fn seeds(usual: u64) -> std::ops::Range<u64> {
    let wanted = std::env::var("BNBPIP_CRASH_SEEDS").ok();
    1..1 + wanted.map_or(usual, |count| count.parse().unwrap())
}

#[test]
fn any_change_that_is_cut_off_anywhere_is_old_or_new() {
    let exchanged: usize = seeds(3).map(|seed| try_case(seed, Kind::Good)).sum();
    if cfg!(target_os = "linux") {
        assert!(exchanged > 2, "{exchanged} folders changed places");
    }
}

#[test]
fn the_same_where_folders_cannot_change_places() {
    for seed in seeds(1) {
        try_case(100 + seed, Kind::NoExchange);
    }
}

#[test]
fn the_same_where_folders_cannot_be_moved() {
    for seed in seeds(1) {
        try_case(200 + seed, Kind::SplitsFolders);
    }
}
