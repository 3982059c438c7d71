//! A transaction that is cut off at any step, again and again, ends as the old or the new
//! environment with nothing left over.
//!
//! `BNBPIP_CRASH_THINNING=12` has fewer recoveries cut off, for where that takes long.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bnbpip_installer::{
    History, InstallOptions, Outcome, Step, StepHook, Transaction, TransactionError,
};
use common::{Bench, TestWheel};

/// What the disk does at a step.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    /// From this step on nothing happens any more: the process is dead.
    Crash(usize),
    /// This one step fails.
    Once(usize),
    None,
}

struct Disk {
    fault: Fault,
    /// Folders can't be renamed, as those of a lower layer of an overlay.
    splits_folders: bool,
    steps: AtomicUsize,
}

impl Disk {
    fn new(fault: Fault, splits_folders: bool) -> Arc<Self> {
        Arc::new(Self {
            fault,
            splits_folders,
            steps: AtomicUsize::new(0),
        })
    }
}

impl StepHook for Disk {
    fn before(&self, step: Step<'_>) -> io::Result<()> {
        let at = self.steps.fetch_add(1, Ordering::SeqCst);
        let fails = match self.fault {
            Fault::Crash(first) => at >= first,
            Fault::Once(only) => at == only,
            Fault::None => false,
        };
        if fails {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        match step {
            Step::Rename(from, _) if self.splits_folders && from.is_dir() => {
                Err(io::ErrorKind::CrossesDevices.into())
            }
            _ => Ok(()),
        }
    }
}

fn options(disk: &Arc<Disk>) -> InstallOptions {
    InstallOptions {
        step_hook: Some(Arc::clone(disk) as Arc<dyn StepHook>),
        ..InstallOptions::default()
    }
}

type Snapshot = BTreeMap<String, String>;

/// An environment with everything that makes a swap hard.
fn old_environment() -> Bench {
    let bench = Bench::new();
    bench.install(&[
        TestWheel::new("alpha", "1.0")
            .file("alpha/__init__.py", "1")
            .file("alpha/only_old.py", "")
            .file("alpha/deep/er/x.py", "")
            .file("shape/inner.txt", "a folder that becomes a file")
            .file("flat", "a file that becomes a folder")
            .file("alpha-1.0.data/data/share/alpha/x", "1")
            .script("alpha-cmd"),
        TestWheel::new("one", "1.0").file("space/one/__init__.py", "1"),
        TestWheel::new("two", "1.0")
            .file("space/two/__init__.py", "1")
            .file("space/shared.txt", "same"),
        TestWheel::new("gone", "1.0")
            .file("gone/__init__.py", "1")
            .file("moves.py", "from gone")
            .file("space/gone/x.py", "")
            .script("gone-cmd"),
    ]);
    // Nobody's file, which must stay, and byte-code of an import.
    fs_err::write(bench.library().join("alpha/notes.txt"), "mine").unwrap();
    let cache = bench.library().join("alpha/__pycache__");
    fs_err::create_dir(&cache).unwrap();
    fs_err::write(cache.join("__init__.cpython-311.pyc"), "old byte-code").unwrap();
    bench
}

fn change(bench: &Bench, disk: &Arc<Disk>) -> bool {
    try_change(bench, disk).is_ok()
}

fn try_change(bench: &Bench, disk: &Arc<Disk>) -> Result<Outcome, TransactionError> {
    bench.try_change(
        options(disk),
        &[
            TestWheel::new("alpha", "2.0")
                .file("alpha/__init__.py", "2")
                .file("alpha/only_new.py", "")
                .file("shape", "now a file")
                .file("flat/x.txt", "now a folder")
                .file("moves.py", "from alpha")
                .file("alpha-2.0.data/data/share/alpha/x", "2")
                .file("alpha-2.0.data/data/share/doc/y", "2")
                .script("alpha-cmd"),
            TestWheel::new("one", "2.0")
                .file("space/one/__init__.py", "2")
                .file("space/shared.txt", "same"),
            TestWheel::new("three", "1.0").file("space/three/x.py", ""),
        ],
        &["gone"],
    )
}

fn old_and_new(splits: bool) -> (Snapshot, Snapshot, usize) {
    let bench = old_environment();
    let old = bench.snapshot();
    let disk = Disk::new(Fault::None, splits);
    assert!(change(&bench, &disk));
    (old, bench.snapshot(), disk.steps.load(Ordering::SeqCst))
}

fn assert_whole(bench: &Bench, old: &Snapshot, new: &Snapshot, context: &str) -> bool {
    let found = bench.snapshot();
    if found == *new {
        return true;
    }
    // Making the state folder's receipts folder is not undone by halves.
    let differences: Vec<String> = old
        .keys()
        .chain(found.keys())
        .filter(|path| old.get(*path) != found.get(*path))
        .map(|path| format!("{path}: {:?} -> {:?}", old.get(path), found.get(path)))
        .collect();
    assert!(differences.is_empty(), "{context}: {differences:#?}");
    false
}

#[test]
fn the_new_state_is_right() {
    let (old, new, _) = old_and_new(false);
    let library = "lib/python3.11/site-packages";
    let text = |path: &str| new.get(&format!("{library}/{path}")).map(String::as_str);
    assert_eq!(text("alpha/__init__.py"), Some("2"));
    assert_eq!(text("alpha/only_old.py"), None);
    assert_eq!(text("alpha/deep/"), None);
    assert_eq!(text("alpha/notes.txt"), Some("mine"));
    assert_eq!(
        text("alpha/__pycache__/"),
        None,
        "byte-code of the old version"
    );
    assert_eq!(text("shape"), Some("now a file"));
    assert_eq!(text("flat/x.txt"), Some("now a folder"));
    assert_eq!(text("moves.py"), Some("from alpha"));
    assert_eq!(text("space/two/__init__.py"), Some("1"));
    assert_eq!(text("space/shared.txt"), Some("same"));
    assert_eq!(text("space/gone/"), None);
    assert_eq!(text("gone/"), None);
    assert_eq!(text("alpha-1.0.dist-info/"), None);
    assert_eq!(text("gone-1.0.dist-info/"), None);
    assert!(!new.contains_key("bin/gone-cmd") && new.contains_key("bin/alpha-cmd"));
    assert_eq!(new["share/alpha/x"], "2");
    assert!(!new.keys().any(|path| path.contains("tx-")));
    assert!(old.contains_key("bin/gone-cmd"));
}

#[test]
fn folders_that_cannot_be_renamed_give_the_same_state() {
    let (_, whole, _) = old_and_new(false);
    let (_, split, _) = old_and_new(true);
    assert_eq!(whole, split);
}

fn crash_everywhere(splits: bool) {
    let (old, new, steps) = old_and_new(splits);
    let (mut kept, mut changed) = (0, 0);
    for at in 0..steps {
        let bench = old_environment();
        change(&bench, &Disk::new(Fault::Crash(at), splits));
        let next = Disk::new(Fault::None, splits);
        drop(Transaction::begin(&bench.environment, options(&next), &()).unwrap());
        if assert_whole(
            &bench,
            &old,
            &new,
            &format!("crash before step {at} of {steps}"),
        ) {
            changed += 1;
        } else {
            kept += 1;
        }
    }
    assert!(kept > 50 && changed > 5, "{kept} old, {changed} new");
}

#[test]
fn a_crash_at_any_step_leaves_old_or_new() {
    crash_everywhere(false);
}

#[test]
fn a_crash_at_any_step_leaves_old_or_new_when_folders_are_split() {
    crash_everywhere(true);
}

/// Every how many steps a recovery is cut off.
fn thinning() -> usize {
    let text = std::env::var("BNBPIP_CRASH_THINNING");
    text.map_or(1, |text| text.parse().unwrap())
}

/// The recovery is interrupted too, at each of its steps, and then repeated.
fn crash_recovery(splits: bool, stride: usize) {
    let (old, new, steps) = old_and_new(splits);
    for at in (steps / 3..steps).step_by(stride * thinning()) {
        for second in (0..).step_by(thinning()) {
            let bench = old_environment();
            change(&bench, &Disk::new(Fault::Crash(at), splits));
            let recovery = Disk::new(Fault::Crash(second), splits);
            let recovered = Transaction::begin(&bench.environment, options(&recovery), &()).is_ok();
            let last = Disk::new(Fault::None, splits);
            drop(Transaction::begin(&bench.environment, options(&last), &()).unwrap());
            assert_whole(&bench, &old, &new, &format!("crash {at}, then {second}"));
            if recovered {
                break;
            }
        }
    }
}

#[test]
fn a_recovery_can_crash_too() {
    crash_recovery(false, 11);
}

#[test]
fn a_recovery_of_split_folders_can_crash_too() {
    crash_recovery(true, 31);
}

#[test]
fn a_failing_step_rolls_back_and_the_next_change_succeeds() {
    let (old, new, steps) = old_and_new(false);
    let mut full = false;
    for at in 0..steps {
        let bench = old_environment();
        let outcome = try_change(&bench, &Disk::new(Fault::Once(at), false));
        let succeeded = outcome.is_ok();
        if let Err(error) = outcome {
            full |= assert_names_the_room(&error, &bench);
        }
        // A failure while cleaning up leaves remains for the next run.
        bnbpip_installer::recover(&bench.environment.state_dir, &()).unwrap();
        let is_new = assert_whole(&bench, &old, &new, &format!("failure at {at}"));
        assert_eq!(succeeded, is_new, "failure at {at}");
        if !is_new {
            assert!(change(&bench, &Disk::new(Fault::None, false)));
            assert_eq!(bench.snapshot(), new, "again after failure at {at}");
        }
    }
    assert!(full);
}

/// A full disk is told with the volume and the bytes; `false` where nothing is staged yet.
fn assert_names_the_room(error: &TransactionError, bench: &Bench) -> bool {
    let TransactionError::DiskFull { folder, .. } = error else {
        assert!(matches!(error, TransactionError::Lock { .. }), "{error:?}");
        return false;
    };
    assert_eq!(*folder, bench.library());
    let text = error.to_string();
    assert!(
        text.contains("no space left on its volume") && text.contains(" bytes there"),
        "{text}"
    );
    assert!(
        error
            .hint()
            .is_some_and(|hint| hint.starts_with("Make room on the volume of `"))
    );
    true
}

#[test]
fn what_was_interrupted_is_settled_before_it_is_read() {
    let (old, new, steps) = old_and_new(false);
    // In the middle of the swap, as its many renames are the last but the cleaning.
    let mut taken_back = 0;
    for at in (steps / 3..steps).step_by(9) {
        let bench = old_environment();
        change(&bench, &Disk::new(Fault::Crash(at), false));
        let state_dir = &bench.environment.state_dir;
        // Whoever is at work is not waited for, and its work is left alone.
        let busy = Transaction::begin(&bench.environment, InstallOptions::default(), &()).unwrap();
        let before = bench.snapshot();
        bnbpip_installer::recover_abandoned(state_dir, &()).unwrap();
        assert_eq!(bench.snapshot(), before);
        drop(busy);

        let bench = old_environment();
        change(&bench, &Disk::new(Fault::Crash(at), false));
        bnbpip_installer::recover_abandoned(&bench.environment.state_dir, &()).unwrap();
        let is_new = assert_whole(&bench, &old, &new, &format!("dead at {at}"));
        taken_back += usize::from(!is_new);
    }
    assert!(taken_back > 0);
}

struct BusyDisk(AtomicUsize);

impl StepHook for BusyDisk {
    fn before(&self, step: Step<'_>) -> io::Result<()> {
        let is_rename = matches!(step, Step::Rename(..));
        if is_rename && self.0.fetch_add(1, Ordering::SeqCst) % 3 != 2 {
            return Err(io::ErrorKind::ResourceBusy.into());
        }
        Ok(())
    }
}

#[test]
fn renames_are_retried_while_something_holds_a_file() {
    let (_, new, _) = old_and_new(false);
    let bench = old_environment();
    let busy = InstallOptions {
        step_hook: Some(Arc::new(BusyDisk(AtomicUsize::new(0)))),
        ..InstallOptions::default()
    };
    bench.try_change(busy, &[], &["gone"]).unwrap();
    assert!(bench.installed("gone").is_none());
    assert!(!new.is_empty());
}

/// Scripts, data and receipts lie on another file system, where there is one to be had.
fn across_volumes() -> (Bench, tempfile::TempDir) {
    let mut bench = Bench::new();
    let other = tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")))
        .unwrap();
    let prefix = bench.environment.prefix.take().unwrap();
    let history = other.path().join("history");
    bench.environment.history = Some(History::of(&prefix, None, Some(&history)));
    bench.environment.scheme.scripts = other.path().join("bin");
    bench.environment.scheme.data = other.path().join("data");
    bench.install(&[TestWheel::new("far", "1.0")
        .file("far.py", "1")
        .file("far-1.0.data/data/share/x", "1")
        .script("far-cmd")]);
    (bench, other)
}

fn other_files(folder: &std::path::Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs_err::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with("history") {
            let left = left_in_history(&path);
            assert!(left.is_empty(), "{left:?}");
        } else if path.is_dir() {
            found.push(format!("{}/", path.file_name().unwrap().display()));
            found.extend(other_files(&path));
        } else {
            let text = fs_err::read_to_string(&path).unwrap();
            found.push(format!("{} {text}", path.file_name().unwrap().display()));
        }
    }
    found.sort();
    found
}

/// What is beside the receipts, which the snapshot has.
fn left_in_history(history: &std::path::Path) -> Vec<std::path::PathBuf> {
    let names = |folder: &std::path::Path| -> Vec<std::path::PathBuf> {
        let entries = fs_err::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    };
    let files = names(history).into_iter().flat_map(|folder| names(&folder));
    files
        .filter(|file| file.extension().is_none_or(|it| it != "json"))
        .filter(|file| !file.ends_with("environment"))
        .collect()
}

#[test]
fn a_crash_across_file_systems_leaves_old_or_new() {
    let upgrade = |bench: &Bench, disk: &Arc<Disk>| {
        let wheel = TestWheel::new("far", "2.0")
            .file("far.py", "2")
            .file("far-2.0.data/data/share/x", "2")
            .script("far-cmd-2");
        bench.try_change(options(disk), &[wheel], &[]).is_ok()
    };
    let (bench, other) = across_volumes();
    let state = |bench: &Bench, other: &tempfile::TempDir| {
        let name = other.path().file_name().unwrap().to_string_lossy();
        let mut snapshot = bench.snapshot();
        for text in snapshot.values_mut() {
            *text = text.replace(&*name, "OTHER");
        }
        (snapshot, other_files(other.path()))
    };
    let old = state(&bench, &other);
    let disk = Disk::new(Fault::None, false);
    assert!(upgrade(&bench, &disk));
    let new = state(&bench, &other);
    assert!(new.1.iter().any(|file| file.starts_with("far-cmd-2 ")));
    assert!(
        !new.1
            .iter()
            .any(|file| file.starts_with("far-cmd ") || file.contains("bnbpip-"))
    );
    let mut changed = 0;
    for at in 0..disk.steps.load(Ordering::SeqCst) {
        let (bench, other) = across_volumes();
        upgrade(&bench, &Disk::new(Fault::Crash(at), false));
        bnbpip_installer::recover(&bench.environment.state_dir, &()).unwrap();
        let found = state(&bench, &other);
        assert!(found == old || found == new, "step {at}: {found:#?}");
        changed += usize::from(found == new);
    }
    assert!(changed > 0);
}
