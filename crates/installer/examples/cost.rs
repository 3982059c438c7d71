//! What staging, journal and checks cost: the same wheels by a [`Transaction`], and by the least
//! that could be done instead (files linked straight into the library, a `RECORD` copied).
//!
//! `cargo run --release -p bnbpip-installer --example cost -- [FOLDER]`; the folder, of which the
//! file system is measured, is a temporary one by default.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement for developers"
)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bnbpip_installer::{
    Environment, InstallOptions, InterpreterFacts, Scheme, Transaction, UnpackedWheel, WheelFile,
    WheelInstall,
};
use rayon::prelude::*;
use sha2::{Digest as _, Sha256};

const WHEELS: usize = 30;
const MODULES: usize = 60;
const ROUNDS: usize = 15;

fn main() {
    let folder = match std::env::args().nth(1) {
        Some(folder) => tempfile::tempdir_in(folder).unwrap(),
        None => tempfile::tempdir().unwrap(),
    };
    let wheels: Vec<UnpackedWheel> = (0..WHEELS)
        .map(|number| unpacked(&folder.path().join("store"), number))
        .collect();
    let (mut whole, mut least) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let environment = environment(&folder.path().join(format!("whole-{round}")));
        whole.push(timed(|| by_transaction(&environment, &wheels)));
        let environment = environment_of(&folder.path().join(format!("least-{round}")));
        least.push(timed(|| by_links(&environment, &wheels)));
    }
    whole.sort();
    least.sort();
    let (whole, least) = (whole[ROUNDS / 2], least[ROUNDS / 2]);
    println!("{WHEELS} wheels of {MODULES} modules, median of {ROUNDS}:");
    println!("transaction  {whole:8.2?}");
    println!("links alone  {least:8.2?}");
    println!("difference   {:8.2?}", whole.saturating_sub(least));
}

fn timed(work: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    work();
    begun.elapsed()
}

/// A wheel in the store, as the index's crate leaves it.
fn unpacked(store: &Path, number: usize) -> UnpackedWheel {
    let info = format!("part{number}-1.0.dist-info");
    let mut content: Vec<(String, String)> = (0..MODULES)
        .map(|module| {
            let text = format!("V = {module}\n").repeat(1 + module * 20);
            (format!("part{number}/m{module}.py"), text)
        })
        .collect();
    let metadata = format!("Metadata-Version: 2.1\nName: part{number}\nVersion: 1.0\n\n");
    content.push((format!("{info}/METADATA"), metadata));
    let wheel = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n";
    content.push((format!("{info}/WHEEL"), wheel.to_string()));
    let rows: Vec<bnbpip_packaging::RecordEntry> = content
        .iter()
        .map(|(path, text)| bnbpip_packaging::RecordEntry {
            path: path.clone(),
            hash: Some(bnbpip_packaging::record::sha256_field(&Sha256::digest(
                text,
            ))),
            size: Some(text.len() as u64),
        })
        .collect();
    let record = bnbpip_packaging::record::write(&rows);
    content.push((format!("{info}/RECORD"), record));
    let filename = format!("part{number}-1.0-py3-none-any.whl");
    let root = store.join(&filename);
    let files = content
        .into_iter()
        .map(|(path, text)| {
            let target = root.join(&path);
            fs_err::create_dir_all(target.parent().unwrap()).unwrap();
            fs_err::write(&target, &text).unwrap();
            WheelFile {
                path,
                size: text.len() as u64,
                sha256: Sha256::digest(&text).into(),
                executable: false,
            }
        })
        .collect();
    UnpackedWheel {
        root,
        filename: filename.parse().unwrap(),
        files,
    }
}

fn environment(prefix: &Path) -> Environment {
    let library = environment_of(prefix);
    Environment {
        scheme: Scheme {
            purelib: library.clone(),
            platlib: library.clone(),
            scripts: prefix.join("bin"),
            data: prefix.to_path_buf(),
            headers: prefix.join("include/site/python3.11"),
        },
        interpreter: InterpreterFacts {
            sys_executable: prefix.join("bin/python"),
            gui_executable: None,
            version: (3, 11),
            full_version: "3.11.7".to_string(),
            is_windows: false,
            cache_tag: None,
            path_limit: None,
        },
        prefix: Some(prefix.to_path_buf()),
        stdlib: Vec::new(),
        library_dirs: vec![library],
        state_dir: prefix.join(".bnbpip"),
        history: None,
    }
}

fn environment_of(prefix: &Path) -> PathBuf {
    let library = prefix.join("lib/python3.11/site-packages");
    fs_err::create_dir_all(&library).unwrap();
    library
}

fn by_transaction(environment: &Environment, wheels: &[UnpackedWheel]) {
    let transaction = Transaction::begin(environment, InstallOptions::default(), &()).unwrap();
    wheels.par_iter().for_each(|wheel| {
        let install = WheelInstall {
            wheel: wheel.clone(),
            sha256: None,
            requested: true,
            direct_url: None,
            replaces: Vec::new(),
        };
        transaction.install(install).unwrap();
    });
    transaction.commit().unwrap();
}

fn by_links(library: &Path, wheels: &[UnpackedWheel]) {
    wheels.par_iter().for_each(|wheel| {
        for file in &wheel.files {
            let target = library.join(&file.path);
            if fs_err::hard_link(wheel.root.join(&file.path), &target).is_err() {
                fs_err::create_dir_all(target.parent().unwrap()).unwrap();
                fs_err::hard_link(wheel.root.join(&file.path), &target).unwrap();
            }
        }
        let info = library.join(wheel.files.last().unwrap().path.replace("RECORD", ""));
        fs_err::write(info.join("INSTALLER"), "bnbpip\n").unwrap();
        // A link to the store can't be written to: the RECORD is one of its own.
        let record = fs_err::read_to_string(info.join("RECORD")).unwrap();
        fs_err::remove_file(info.join("RECORD")).unwrap();
        fs_err::write(info.join("RECORD"), record).unwrap();
    });
}
