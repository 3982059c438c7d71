//! Two hundred caches, each damaged in one place: what is installed from them is right, or the
//! run says why it can't be and installs nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use bnbpip_testing::{
    Compression, HashInPage, HostedFile, IndexServer, Mangler, Run, TestEnvironment, WheelBuilder,
};

use crate::sources::served;
use crate::support::{environment, files_below};

const TRIALS: usize = 200;
const KINDS: [&str; 8] = [
    "cut short",
    "bits flipped",
    "emptied",
    "swapped with another",
    "another file's content",
    "a folder in its place",
    "gone",
    "closed",
];

/// Something of everything that the cache keeps: wheels with and without a digest on the page,
/// one that is built, dependencies, versions.
fn varied() -> IndexServer {
    let noise: Vec<u8> = (0..40_000u32)
        .map(|number| number.wrapping_mul(2_654_435_761).to_be_bytes()[0])
        .collect();
    let server = IndexServer::with([
        WheelBuilder::new("base", "1.0").build(),
        WheelBuilder::new("base", "2.0").build(),
        WheelBuilder::new("top", "1.0").requires("base<2").build(),
        WheelBuilder::new("tool", "1.0")
            .file("tool.py", "def main():\n    pass\n")
            .file("tool_data.bin", noise)
            .compression(Compression::Stored)
            .console_script("run-tool", "tool:main")
            .build(),
    ]);
    for name in ["plain", "other"] {
        let wheel = WheelBuilder::new(name, "1.0").requires("base").build();
        server.add(
            HostedFile::from(wheel)
                .hash(HashInPage::Missing)
                .without_metadata(),
        );
    }
    served(&server, "built", "1.0", "\"requires\": [\"base<2\"]");
    served(&server, "built2", "1.0", "");
    server
}

const PACKAGES: [&str; 6] = ["top", "tool", "plain", "other", "built", "built2"];

/// The files below a folder, relative to it, sorted.
fn files_in(root: &Path) -> Vec<PathBuf> {
    let files = files_below(root).into_iter();
    let relative = files.map(|file| file.strip_prefix(root).unwrap().to_path_buf());
    relative.collect()
}

/// A copy with the same times: they are part of what a cache knows about its files.
fn copy(from: &Path, to: &Path) {
    for file in files_in(from) {
        let (source, target) = (from.join(&file), to.join(&file));
        fs_err::create_dir_all(target.parent().unwrap()).unwrap();
        fs_err::copy(&source, &target).unwrap();
        let times = fs_err::metadata(&source).unwrap();
        let times = std::fs::FileTimes::new().set_modified(times.modified().unwrap());
        let file = fs_err::OpenOptions::new()
            .write(true)
            .open(&target)
            .unwrap();
        file.file().set_times(times).unwrap();
    }
}

/// What was installed, less what says when it was.
fn content(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    if !folder.exists() {
        return BTreeMap::new();
    }
    files_in(folder)
        .into_iter()
        .map(|path| (path.clone(), fs_err::read(folder.join(path)).unwrap()))
        .collect()
}

fn damage(kind: usize, path: &Path, other: &Path, numbers: &mut Mangler) {
    let mut bytes = fs_err::read(path).unwrap();
    match KINDS[kind] {
        "cut short" => {
            bytes.truncate(numbers.below(bytes.len()));
            fs_err::write(path, bytes).unwrap();
        }
        "bits flipped" => {
            for _ in 0..=numbers.below(3) {
                let at = numbers.below(bytes.len());
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << numbers.below(8);
                }
            }
            fs_err::write(path, bytes).unwrap();
        }
        "emptied" => fs_err::write(path, "").unwrap(),
        "swapped with another" => {
            // By renames: their times go with them.
            let third = path.with_extension("third");
            fs_err::rename(path, &third).unwrap();
            fs_err::rename(other, path).unwrap();
            fs_err::rename(third, other).unwrap();
        }
        "another file's content" => {
            fs_err::copy(other, path).unwrap();
        }
        "a folder in its place" => {
            fs_err::remove_file(path).unwrap();
            fs_err::create_dir(path).unwrap();
            fs_err::write(path.join("in the way"), "").unwrap();
        }
        "gone" => fs_err::remove_file(path).unwrap(),
        #[cfg(unix)]
        "closed" => {
            let closed = std::os::unix::fs::PermissionsExt::from_mode(0o000);
            fs_err::set_permissions(path, closed).unwrap();
        }
        _ => fs_err::write(path, "").unwrap(),
    }
}

fn install(environment: &TestEnvironment, cache: &Path, target: &Path, offline: bool) -> Run {
    let mut arguments = vec!["install", "--no-compile", "--retries", "0", "--target"];
    arguments.push(target.to_str().unwrap());
    arguments.extend(["--cache-dir", cache.to_str().unwrap()]);
    if offline {
        arguments.push("--offline");
    }
    arguments.extend(PACKAGES);
    #[cfg(unix)]
    if let Some(run) = crate::support::bound_by_permissions(environment, &arguments) {
        return run;
    }
    environment.run(arguments)
}

/// How one trial ended.
#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    right: usize,
    refused: usize,
}

fn trial(
    number: usize,
    environment: &TestEnvironment,
    sound: &Path,
    right: &BTreeMap<PathBuf, Vec<u8>>,
) -> (usize, Tally) {
    let mut numbers = Mangler::new(number as u64 + 7);
    let (kind, offline) = (number % KINDS.len(), number / KINDS.len() % 4 == 3);
    let place = environment.root().join(format!("trial-{number}"));
    let (cache, target) = (place.join("cache"), place.join("lib"));
    copy(sound, &cache);
    let files = files_in(&cache);
    let path = &files[numbers.below(files.len())];
    // Files of the same kind are the likeliest to be taken for each other.
    let alike: Vec<&PathBuf> = files
        .iter()
        .filter(|file| *file != path && file.extension() == path.extension())
        .collect();
    let other = alike.get(numbers.below(alike.len())).copied();
    let other = other.unwrap_or(&files[(number + 1) % files.len()]);
    let what = format!(
        "trial {number}: `{}` {} (the other is `{}`){}",
        path.display(),
        KINDS[kind],
        other.display(),
        if offline { " offline" } else { "" }
    );
    if other != path {
        damage(kind, &cache.join(path), &cache.join(other), &mut numbers);
    }
    let run = install(environment, &cache, &target, offline);
    let mut tally = Tally::default();
    if run.code == 0 {
        let now = content(&target);
        let changed: Vec<&PathBuf> = (now.keys().chain(right.keys()))
            .filter(|path| now.get(*path) != right.get(*path))
            .collect();
        assert!(changed.is_empty(), "{changed:?}\n{what}\n{}", run.stderr);
        tally.right += 1;
    } else {
        assert_eq!(run.code, 1, "{what}\n{}", run.stderr);
        assert!(run.stderr.contains("ERROR: "), "{what}\n{}", run.stderr);
        assert!(!run.stderr.contains("panicked"), "{what}\n{}", run.stderr);
        assert_eq!(content(&target).len(), 0, "{what}\n{}", run.stderr);
        // With the index there, only what can't be taken away stops a run.
        let stops = offline || KINDS[kind] == "closed" || KINDS[kind] == "a folder in its place";
        assert!(stops, "{what}\n{}", run.stderr);
        tally.refused += 1;
    }
    fs_err::remove_dir_all(place).unwrap();
    (kind, tally)
}

#[test]
fn two_hundred_damaged_caches_install_nothing_wrong() {
    let server = varied();
    let environment = environment(&server);
    let sound = environment.cache();
    let target = environment.work().join("lib");
    drop(install(&environment, &sound, &target, false).success());
    let right = content(&target);
    assert!(right.len() > 20);
    let files = files_in(&sound);
    assert!(files.len() > 30, "{files:?}");
    let (next, tallies) = (
        AtomicUsize::new(0),
        Mutex::new([Tally::default(); KINDS.len()]),
    );
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= TRIALS {
                        return;
                    }
                    let (kind, tally) = trial(number, &environment, &sound, &right);
                    let mut tallies = tallies.lock().unwrap();
                    tallies[kind].right += tally.right;
                    tallies[kind].refused += tally.refused;
                }
            });
        }
    });
    let tallies = tallies.into_inner().unwrap();
    let all: Vec<String> = (KINDS.iter().zip(tallies))
        .map(|(kind, tally)| format!("{kind}: {} right, {} refused", tally.right, tally.refused))
        .collect();
    let right: usize = tallies.iter().map(|tally| tally.right).sum();
    let refused: usize = tallies.iter().map(|tally| tally.refused).sum();
    assert_eq!(right + refused, TRIALS, "{all:?}");
    assert!(right > TRIALS * 3 / 4, "{all:?}");
    drop(std::io::Write::write_all(
        &mut std::io::stderr(),
        format!("{}\n", all.join("\n")).as_bytes(),
    ));
}

/// Two records that could be believed: they are whole, and say something else.
#[test]
fn changed_metadata_and_interpreters_are_not_believed() {
    let server = varied();
    let environment = environment(&server);
    let cache = environment.cache();
    let first = environment.work().join("first");
    drop(install(&environment, &cache, &first, false).success());
    let mut changed = [0, 0];
    for file in files_in(&cache) {
        let path = cache.join(&file);
        let bytes = fs_err::read(&path).unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (kind, swap) = if file.starts_with("built-v1") && file.ends_with("METADATA") {
            (0, ("base<2", "base<9"))
        } else if text.contains("\"sys_executable\"") {
            (1, ("site-packages", "site-pockages"))
        } else {
            continue;
        };
        let at: Vec<usize> = bytes
            .windows(swap.0.len())
            .enumerate()
            .filter(|(_, window)| *window == swap.0.as_bytes())
            .map(|(at, _)| at)
            .collect();
        let mut bytes = bytes;
        for at in &at {
            bytes[*at..*at + swap.0.len()].copy_from_slice(swap.1.as_bytes());
        }
        changed[kind] += at.len();
        fs_err::write(&path, bytes).unwrap();
    }
    assert!(changed.iter().all(|count| *count > 0), "{changed:?}");
    let run = environment.run(["install", "--no-compile", "built", "tool"]);
    drop(run.success());
    assert_eq!(
        environment.installed(),
        ["base-1.0", "built-1.0", "tool-1.0"]
    );
}
