//! Hand-made unpacked wheels and environments.
#![expect(clippy::unwrap_used, reason = "tests")]
#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "each test binary uses a part of it"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bnbpip_installer::{
    Environment, History, InstallOptions, InstalledDistribution, InstalledEnvironment,
    InterpreterFacts, Outcome, Scheme, Transaction, TransactionError, UnpackedWheel, WheelFile,
    WheelInstall, receipts,
};
use bnbpip_packaging::{RecordEntry, record};
use sha2::{Digest as _, Sha256};

/// A wheel to be, as a folder.
#[derive(Clone)]
pub(crate) struct TestWheel {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) files: Vec<(String, Vec<u8>, bool)>,
    pub(crate) root_is_purelib: bool,
    pub(crate) record: Option<String>,
}

impl TestWheel {
    pub(crate) fn new(name: &str, version: &str) -> Self {
        let dist_info = format!("{name}-{version}.dist-info");
        let metadata = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\n");
        let mut wheel = Self {
            name: name.to_string(),
            version: version.to_string(),
            files: Vec::new(),
            root_is_purelib: true,
            record: None,
        };
        wheel = wheel.file(&format!("{dist_info}/METADATA"), &metadata);
        wheel
    }

    pub(crate) fn dist_info(&self) -> String {
        format!("{}-{}.dist-info", self.name, self.version)
    }

    pub(crate) fn file(mut self, path: &str, text: &str) -> Self {
        self.files
            .push((path.to_string(), text.as_bytes().to_vec(), false));
        self
    }

    pub(crate) fn executable(mut self, path: &str, text: &str) -> Self {
        self.files
            .push((path.to_string(), text.as_bytes().to_vec(), true));
        self
    }

    pub(crate) fn info_file(self, name: &str, text: &str) -> Self {
        let path = format!("{}/{name}", self.dist_info());
        self.file(&path, text)
    }

    pub(crate) fn without(mut self, path: &str) -> Self {
        self.files.retain(|(found, ..)| found != path);
        self
    }

    pub(crate) fn script(self, name: &str) -> Self {
        self.info_file(
            "entry_points.txt",
            &format!("[console_scripts]\n{name} = os:getcwd\n"),
        )
    }

    /// Writes the folder.
    pub(crate) fn unpack(&self, store: &Path) -> UnpackedWheel {
        let filename = format!("{}-{}-py3-none-any.whl", self.name, self.version);
        let root = store.join(&filename);
        if root.exists() {
            fs_err::remove_dir_all(&root).unwrap();
        }
        let mut all = self.files.clone();
        let wheel_file = format!(
            "Wheel-Version: 1.0\nRoot-Is-Purelib: {}\nTag: py3-none-any\n",
            self.root_is_purelib
        );
        let info = self.dist_info();
        if !all.iter().any(|(path, ..)| path.ends_with("/WHEEL")) {
            all.push((format!("{info}/WHEEL"), wheel_file.into_bytes(), false));
        }
        let mut rows: Vec<RecordEntry> = all
            .iter()
            .map(|(path, content, _)| RecordEntry {
                path: path.clone(),
                hash: Some(record::sha256_field(&Sha256::digest(content))),
                size: Some(content.len() as u64),
            })
            .collect();
        rows.push(RecordEntry {
            path: format!("{info}/RECORD"),
            hash: None,
            size: None,
        });
        let text = self.record.clone().unwrap_or_else(|| record::write(&rows));
        all.push((format!("{info}/RECORD"), text.into_bytes(), false));
        let files = all
            .iter()
            .map(|(path, content, executable)| {
                let target = root.join(path);
                fs_err::create_dir_all(target.parent().unwrap()).unwrap();
                fs_err::write(&target, content).unwrap();
                if *executable {
                    set_executable(&target);
                }
                WheelFile {
                    path: path.clone(),
                    size: content.len() as u64,
                    sha256: Sha256::digest(content).into(),
                    executable: *executable,
                }
            })
            .collect();
        UnpackedWheel {
            root,
            filename: filename.parse().unwrap(),
            files,
        }
    }
}

#[cfg(unix)]
fn set_executable(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs_err::metadata(path).unwrap().permissions().mode();
    fs_err::set_permissions(path, std::fs::Permissions::from_mode(mode | 0o111)).unwrap();
}

#[cfg(not(unix))]
fn set_executable(_path: &Path) {}

/// An environment in a temporary folder, with a store beside it.
pub(crate) struct Bench {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) environment: Environment,
}

impl Bench {
    pub(crate) fn new() -> Self {
        // In memory, where there is such a folder: these tests force a lot to the disk.
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        let folder = folder.unwrap();
        let prefix = folder.path().join("venv");
        let library = prefix.join("lib/python3.11/site-packages");
        fs_err::create_dir_all(&library).unwrap();
        fs_err::create_dir_all(prefix.join("bin")).unwrap();
        fs_err::write(prefix.join("pyvenv.cfg"), "home = /usr/bin\n").unwrap();
        fs_err::write(prefix.join("bin/python"), "interpreter").unwrap();
        let environment = environment(&prefix, &library, Path::new("/fake/bin/python"));
        Self {
            folder,
            environment,
        }
    }

    pub(crate) fn prefix(&self) -> PathBuf {
        self.folder.path().join("venv")
    }

    pub(crate) fn library(&self) -> PathBuf {
        self.environment.scheme.purelib.clone()
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    pub(crate) fn install_request(&self, wheel: &TestWheel) -> WheelInstall {
        WheelInstall {
            wheel: wheel.unpack(&self.store()),
            sha256: Some("ab".repeat(32)),
            requested: true,
            direct_url: None,
            replaces: self.installed(&wheel.name).into_iter().collect(),
        }
    }

    pub(crate) fn installed(&self, name: &str) -> Option<InstalledDistribution> {
        InstalledEnvironment::scan(&self.environment.library_dirs)
            .unwrap()
            .get(&name.parse().unwrap())
            .cloned()
    }

    pub(crate) fn try_change(
        &self,
        options: InstallOptions,
        install: &[TestWheel],
        remove: &[&str],
    ) -> Result<Outcome, TransactionError> {
        let requests: Vec<WheelInstall> = install
            .iter()
            .map(|wheel| self.install_request(wheel))
            .collect();
        let removed: Vec<InstalledDistribution> = remove
            .iter()
            .map(|name| self.installed(name).unwrap())
            .collect();
        let transaction = Transaction::begin(&self.environment, options, &())?;
        for distribution in &removed {
            transaction.remove(distribution)?;
        }
        for request in requests {
            transaction.install(request)?;
        }
        transaction.commit()
    }

    pub(crate) fn install(&self, wheels: &[TestWheel]) -> Outcome {
        self.try_change(InstallOptions::default(), wheels, &[])
            .unwrap()
    }

    pub(crate) fn uninstall(&self, names: &[&str]) -> Outcome {
        self.try_change(InstallOptions::default(), &[], names)
            .unwrap()
    }

    /// Everything below the prefix: contents of files, and folders. The lock doesn't count, and
    /// of a receipt only that it is there.
    pub(crate) fn snapshot(&self) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        walk(&self.prefix(), &self.prefix(), &mut found);
        for receipt in receipts(&self.environment).unwrap() {
            found.insert(format!("receipt {}", receipt.number), String::new());
        }
        found
    }
}

pub(crate) fn environment(prefix: &Path, library: &Path, executable: &Path) -> Environment {
    Environment {
        scheme: Scheme {
            purelib: library.to_path_buf(),
            platlib: library.to_path_buf(),
            scripts: prefix.join("bin"),
            data: prefix.to_path_buf(),
            headers: prefix.join("include/site/python3.11"),
        },
        interpreter: InterpreterFacts {
            sys_executable: executable.to_path_buf(),
            gui_executable: None,
            version: (3, 11),
            full_version: "3.11.7".to_string(),
            is_windows: false,
            cache_tag: Some("cpython-311".to_string()),
            path_limit: None,
        },
        prefix: Some(prefix.to_path_buf()),
        stdlib: Vec::new(),
        library_dirs: vec![library.to_path_buf()],
        state_dir: prefix.join(".bnbpip"),
        history: Some(History::of(
            prefix,
            None,
            Some(&prefix.with_file_name("history")),
        )),
    }
}

fn walk(root: &Path, folder: &Path, found: &mut BTreeMap<String, String>) {
    for entry in fs_err::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(root).unwrap().display().to_string();
        let name = if cfg!(windows) {
            name.replace('\\', "/")
        } else {
            name
        };
        if path.is_dir() && !path.is_symlink() {
            found.insert(format!("{name}/"), String::new());
            walk(root, &path, found);
        } else {
            let content = fs_err::read(&path).unwrap_or_default();
            found.insert(name, String::from_utf8_lossy(&content).into_owned());
        }
    }
}
