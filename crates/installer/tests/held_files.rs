//! What other programs hold: libraries that are loaded, files that a scanner has open, paths that
//! nobody could open. The environment is then as it was, and who is to blame is said.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use bnbpip_installer::{
    FileHolders, Holder, InstallOptions, Outcome, Step, StepHook, TransactionError,
};
use common::{Bench, TestWheel};

/// A program that holds whatever ends in this name.
struct Program(&'static str);

impl FileHolders for Program {
    fn holders(&self, files: &[&Path]) -> Vec<Holder> {
        let name = "python.exe".to_owned();
        let held = files.iter().any(|file| file.ends_with(self.0));
        let holder = held.then_some(Holder {
            name,
            process: 4711,
        });
        holder.into_iter().collect()
    }
}

fn old_environment() -> Bench {
    let bench = Bench::new();
    bench.install(&[
        TestWheel::new("torch", "1.0")
            .file("torch/__init__.py", "1")
            .file("torch/_C.pyd", "1")
            .file("torch/lib/c10.dll", "1"),
        TestWheel::new("pure", "1.0")
            .file("pure/__init__.py", "1")
            .script("pure-cmd"),
    ]);
    // Nobody's file: the folder is then changed file by file.
    fs_err::write(bench.library().join("torch/notes.txt"), "mine").unwrap();
    bench
}

fn change(bench: &Bench, options: InstallOptions) -> Result<Outcome, TransactionError> {
    Change::Replace.make(bench, options)
}

/// What commands do to an environment.
#[derive(Debug, Clone, Copy)]
enum Change {
    /// `install` of something new.
    Install,
    /// `install --upgrade`, `sync`, `undo`: one is replaced and one removed.
    Replace,
    /// `uninstall`, `undo`.
    Uninstall,
}

impl Change {
    fn make(self, bench: &Bench, options: InstallOptions) -> Result<Outcome, TransactionError> {
        let new = |name| {
            TestWheel::new(name, "2.0")
                .file(&format!("{name}/__init__.py"), "2")
                .file(&format!("{name}/_C.pyd"), "2")
                .file(&format!("{name}/lib/c10.dll"), "2")
        };
        match self {
            Self::Install => {
                let script = new("extra").script("extra-cmd");
                bench.try_change(options, &[script], &[])
            }
            Self::Replace => bench.try_change(options, &[new("torch")], &["pure"]),
            Self::Uninstall => bench.try_change(options, &[], &["torch", "pure"]),
        }
    }
}

fn held_by(file: &'static str) -> InstallOptions {
    InstallOptions {
        holders: Some(Arc::new(Program(file))),
        ..InstallOptions::default()
    }
}

#[test]
fn a_loaded_library_is_not_taken_away() {
    let bench = old_environment();
    let old = bench.snapshot();
    let error = change(&bench, held_by("torch/lib/c10.dll")).unwrap_err();
    let path = bench.library().join("torch/lib/c10.dll");
    let expected = format!(
        "Failed to change `{}`: it is in use by python.exe (process 4711)",
        fs_err::canonicalize(path).unwrap().display()
    );
    assert_eq!(error.to_string(), expected);
    assert_eq!(
        error.hint().unwrap(),
        "Close it and run the same command again"
    );
    assert_eq!(bench.snapshot(), old);
    // Python's own files are read once and closed.
    change(&bench, held_by("torch/__init__.py")).unwrap();
}

#[test]
fn paths_that_could_not_be_opened_are_refused() {
    let mut bench = old_environment();
    let old = bench.snapshot();
    let longest = bench.library().join("torch-2.0.dist-info/REQUESTED");
    let longest: PathBuf = longest.components().collect();
    let length = longest.to_str().unwrap().len();
    bench.environment.interpreter.path_limit = Some(length - 1);
    let error = change(&bench, InstallOptions::default()).unwrap_err();
    let expected = format!(
        "Failed to install `torch-2.0-py3-none-any.whl`: `{}` has {length} characters, and Windows \
         is set to allow {}",
        longest.display(),
        length - 1
    );
    assert_eq!(error.to_string(), expected);
    assert!(
        error
            .hint()
            .unwrap()
            .contains("/v LongPathsEnabled /t REG_DWORD /d 1")
    );
    assert_eq!(bench.snapshot(), old);
    bench.environment.interpreter.path_limit = Some(length);
    change(&bench, InstallOptions::default()).unwrap();
}

/// Notes all renames, and has the one file in question held for some attempts.
struct Scanner {
    renamed: Mutex<Vec<PathBuf>>,
    held: Option<PathBuf>,
    attempts: Mutex<usize>,
}

impl Scanner {
    fn new(held: Option<PathBuf>, attempts: usize) -> Arc<Self> {
        Arc::new(Self {
            renamed: Mutex::default(),
            held,
            attempts: Mutex::new(attempts),
        })
    }

    fn options(self: &Arc<Self>) -> InstallOptions {
        InstallOptions {
            step_hook: Some(Arc::clone(self) as Arc<dyn StepHook>),
            holders: Some(Arc::new(Program("pure-cmd"))),
            ..InstallOptions::default()
        }
    }
}

/// The part of a path that is the same in every run.
fn inside(path: &Path) -> PathBuf {
    let parts = path.components().rev();
    let own = |part: &std::path::Component<'_>| {
        let name = part.as_os_str().to_string_lossy();
        !name.starts_with("tx-") && name != "venv" && !name.contains("-new-")
    };
    let mut parts: Vec<_> = parts.take_while(own).collect();
    parts.reverse();
    parts.iter().collect()
}

impl StepHook for Scanner {
    fn before(&self, step: Step<'_>) -> io::Result<()> {
        let Step::Rename(from, _) = step else {
            return Ok(());
        };
        let from = inside(from);
        if self
            .held
            .as_ref()
            .is_some_and(|held| from.starts_with(held))
        {
            let mut left = self.attempts.lock().unwrap();
            if *left > 0 {
                *left -= 1;
                return Err(io::ErrorKind::ResourceBusy.into());
            }
        }
        self.renamed.lock().unwrap().push(from);
        Ok(())
    }
}

/// What is renamed by a change, without the holders in the way.
fn renames(kind: Change) -> (BTreeMap<String, String>, Vec<PathBuf>) {
    let bench = old_environment();
    let scanner = Scanner::new(None, 0);
    kind.make(&bench, scanner.options()).unwrap();
    let mut renamed = scanner.renamed.lock().unwrap().clone();
    renamed.sort();
    renamed.dedup();
    (bench.snapshot(), renamed)
}

#[test]
fn each_rename_is_tried_again_while_a_scanner_holds_the_file() {
    for (kind, at_least) in [
        (Change::Install, 3),
        (Change::Replace, 9),
        (Change::Uninstall, 5),
    ] {
        let (new, renamed) = renames(kind);
        assert!(renamed.len() >= at_least, "{kind:?}: {renamed:?}");
        for path in renamed {
            let bench = old_environment();
            let scanner = Scanner::new(Some(path.clone()), 3);
            kind.make(&bench, scanner.options()).unwrap();
            assert_eq!(bench.snapshot(), new, "{kind:?}: {}", path.display());
        }
    }
}

/// The errors of a change, where each of its renames in turn stays held.
fn failures(kind: Change) -> Vec<String> {
    let (new, renamed) = renames(kind);
    std::thread::scope(|scope| {
        let run = |path: PathBuf| {
            let bench = old_environment();
            let old = bench.snapshot();
            // As long as one rename is tried; taking it all back is not held up.
            let scanner = Scanner::new(Some(path.clone()), 9);
            let error = kind.make(&bench, scanner.options()).err()?;
            assert_eq!(bench.snapshot(), old, "{kind:?}: {}", path.display());
            kind.make(&bench, InstallOptions::default()).unwrap();
            assert_eq!(bench.snapshot(), new, "{kind:?}: {}", path.display());
            Some(std::error::Error::source(&error)?.to_string())
        };
        let threads: Vec<_> = renamed
            .into_iter()
            .map(|path| scope.spawn(move || run(path)))
            .collect();
        threads
            .into_iter()
            .filter_map(|thread| thread.join().unwrap())
            .collect()
    })
}

#[test]
fn a_file_that_stays_held_gives_the_old_environment_back() {
    // Whole folders are moved file by file instead; files alone fail.
    for (kind, at_least, with_script) in [
        (Change::Install, 2, 0),
        (Change::Replace, 5, 1),
        (Change::Uninstall, 3, 1),
    ] {
        let failures = failures(kind);
        assert!(failures.len() >= at_least, "{kind:?}: {failures:?}");
        let named = failures
            .iter()
            .filter(|text| text.ends_with("pure-cmd` is in use by python.exe (process 4711)"));
        assert_eq!(named.count(), with_script, "{kind:?}: {failures:?}");
    }
}
