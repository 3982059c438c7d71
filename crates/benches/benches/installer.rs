//! Wheels into an environment by a transaction: linked, scripts and `RECORD` written, swapped in.
#![expect(clippy::unwrap_used, reason = "measurements for developers")]

use std::path::Path;

use bnbpip_installer::{
    Environment, InstallOptions, InstalledEnvironment, InterpreterFacts, Scheme, Transaction,
    UnpackedWheel, WheelFile, WheelInstall,
};
use bnbpip_packaging::{RecordEntry, record};
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use tempfile::TempDir;

fn main() {
    divan::main();
}

/// A wheel in the store, as the index's crate leaves it.
fn unpacked(store: &Path, name: &str, modules: usize) -> UnpackedWheel {
    let info = format!("{name}-1.0.dist-info");
    let mut content: Vec<(String, String)> = (0..modules)
        .map(|module| (format!("{name}/m{module}.py"), format!("V = {module}\n")))
        .collect();
    let metadata = format!("Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n\n");
    content.push((format!("{info}/METADATA"), metadata));
    let wheel = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n";
    content.push((format!("{info}/WHEEL"), wheel.to_owned()));
    let rows: Vec<RecordEntry> = content
        .iter()
        .map(|(path, _)| RecordEntry {
            path: path.clone(),
            hash: None,
            size: None,
        })
        .collect();
    content.push((format!("{info}/RECORD"), record::write(&rows)));
    let filename = format!("{name}-1.0-py3-none-any.whl");
    let root = store.join(&filename);
    let files = content.into_iter().map(|(path, text)| {
        let target = root.join(&path);
        fs_err::create_dir_all(target.parent().unwrap()).unwrap();
        fs_err::write(&target, &text).unwrap();
        WheelFile {
            path,
            size: text.len() as u64,
            sha256: [0; 32],
            executable: false,
        }
    });
    UnpackedWheel {
        files: files.collect(),
        filename: filename.parse().unwrap(),
        root,
    }
}

fn environment(prefix: &Path) -> Environment {
    let library = prefix.join("lib/python3.11/site-packages");
    fs_err::create_dir_all(&library).unwrap();
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
            full_version: "3.11.7".to_owned(),
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

fn install(environment: &Environment, wheels: &[UnpackedWheel]) {
    let transaction = Transaction::begin(environment, InstallOptions::default(), &()).unwrap();
    for wheel in wheels {
        let install = WheelInstall {
            wheel: wheel.clone(),
            sha256: None,
            requested: true,
            direct_url: None,
            replaces: Vec::new(),
        };
        transaction.install(install).unwrap();
    }
    transaction.commit().unwrap();
}

/// Files of a wheel; a large one has tens of thousands.
#[divan::bench(args = [10, 1_000, 10_000], sample_count = 10)]
fn install_a_wheel(bencher: Bencher<'_, '_>, modules: usize) {
    let store = TempDir::new().unwrap();
    let wheels = [unpacked(store.path(), "demo", modules)];
    bencher
        .counter(ItemsCount::new(modules))
        .with_inputs(|| TempDir::new_in(store.path()).unwrap())
        .bench_values(|folder| {
            install(&environment(folder.path()), &wheels);
            folder
        });
}

/// What every command begins with.
#[divan::bench(args = [10, 100, 1_000], sample_count = 10)]
fn scan_an_environment(bencher: Bencher<'_, '_>, distributions: usize) {
    let folder = TempDir::new().unwrap();
    let environment = environment(folder.path());
    let store = folder.path().join("store");
    let wheels: Vec<UnpackedWheel> = (0..distributions)
        .map(|number| unpacked(&store, &format!("demo{number}"), 1))
        .collect();
    install(&environment, &wheels);
    let scan = || InstalledEnvironment::scan(black_box(&environment.library_dirs)).unwrap();
    assert_eq!(scan().distributions.len(), distributions);
    bencher.counter(ItemsCount::new(distributions)).bench(scan);
}
