//! Answers of interpreters, kept on disk, so that the usual run starts no Python.
//!
//! An answer is used again if the executable, `pyvenv.cfg` and every start-up file that could
//! change it (`.pth`, `sitecustomize`, `usercustomize`, `EXTERNALLY-MANAGED`, `_manylinux`) are as
//! they were. A folder's own time of change tells whether such a file came or went; only if it
//! differs is the folder listed again. The cache is a convenience: a record that can't be read or
//! written is no error.

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Interpreter;

/// Changes with the script, so that a new release asks again.
const SCRIPT_REVISION: u64 = fnv1a(include_bytes!("probe.py"));

const fn fnv1a(bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut index = 0;
    while index < bytes.len() {
        hash = (hash ^ bytes[index] as u64).wrapping_mul(0x0100_0000_01b3);
        index += 1;
    }
    hash
}

/// When a file was last changed, and its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    modified_ns: u64,
    size_bytes: u64,
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let metadata = fs_err::metadata(path).ok()?;
        let modified = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        Some(Self {
            modified_ns: u64::try_from(modified.as_nanos()).ok()?,
            size_bytes: if metadata.is_dir() { 0 } else { metadata.len() },
        })
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct WatchedFile {
    path: PathBuf,
    stamp: Option<Stamp>,
}

impl WatchedFile {
    fn new(path: PathBuf) -> Self {
        let stamp = Stamp::of(&path);
        Self { path, stamp }
    }

    fn is_unchanged(&self) -> bool {
        Stamp::of(&self.path) == self.stamp
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct WatchedFolder {
    folder: WatchedFile,
    start_up_files: Vec<WatchedFile>,
    /// Those that change nothing as long as they are as they are.
    #[serde(default)]
    inert_files: Vec<WatchedFile>,
}

impl WatchedFolder {
    fn new(path: PathBuf) -> Self {
        // The folder's stamp is taken first: a change in between is then seen next time.
        let folder = WatchedFile::new(path);
        let found = start_up_files(&folder.path).into_iter();
        let (inert_files, start_up_files) = found.partition(|file| is_inert(&file.path));
        Self {
            folder,
            start_up_files,
            inert_files,
        }
    }

    fn is_unchanged(&self) -> bool {
        let mut files = self.start_up_files.iter().chain(&self.inert_files);
        files.all(WatchedFile::is_unchanged)
    }
}

/// The SHA-256 of `distutils-precedence.pth` as setuptools has had it since 60: it adds a finder for
/// `distutils`, and nothing else. Most large sets of packages bring it.
const DISTUTILS_PRECEDENCE: [u8; 32] = [
    0x26, 0x38, 0xce, 0x9e, 0x25, 0x00, 0xe5, 0x72, 0xa5, 0xe0, 0xde, 0x7f, 0xae, 0xd6, 0x66, 0x1e,
    0xb5, 0x69, 0xd1, 0xb6, 0x96, 0xfc, 0xba, 0x07, 0xb0, 0xdd, 0x22, 0x3d, 0xa5, 0xf5, 0xd2, 0x24,
];

/// Whether a start-up file is known to change nothing of what an interpreter says.
fn is_inert(path: &Path) -> bool {
    path.ends_with("distutils-precedence.pth")
        && fs_err::read(path).is_ok_and(|text| *Sha256::digest(text) == DISTUTILS_PRECEDENCE)
}

/// The files in a folder of `sys.path` that can change what an interpreter says, sorted.
fn start_up_files(folder: &Path) -> Vec<WatchedFile> {
    let Ok(entries) = fs_err::read_dir(folder) else {
        return Vec::new();
    };
    let mut names: Vec<OsString> = (entries.flatten())
        .map(|entry| entry.file_name())
        .filter(|name| is_start_up_file(name))
        .collect();
    names.sort();
    (names.iter())
        .map(|name| WatchedFile::new(folder.join(name)))
        .collect()
}

fn is_start_up_file(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else {
        return false;
    };
    let is_pth = Path::new(name)
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("pth"));
    is_pth
        || [
            "sitecustomize",
            "usercustomize",
            "_manylinux",
            "EXTERNALLY-MANAGED",
        ]
        .iter()
        .any(|start| name.starts_with(start))
}

/// How a record stands to what is on disk now.
enum State {
    Valid,
    /// Valid, but folders changed in ways that don't matter.
    Renewed,
    Stale,
}

#[derive(Debug, Serialize, Deserialize)]
struct Record {
    script_revision: u64,
    given: PathBuf,
    canonical: PathBuf,
    files: Vec<WatchedFile>,
    folders: Vec<WatchedFolder>,
    interpreter: Interpreter,
}

impl Record {
    fn new(given: &Path, interpreter: &Interpreter) -> Option<Self> {
        let canonical = fs_err::canonicalize(given).ok()?;
        let mut folders: Vec<PathBuf> = interpreter.sys_path.clone();
        folders.push(interpreter.stdlib.clone());
        folders.extend(interpreter.user_site.clone());
        folders.sort();
        folders.dedup();
        // Python looks for `pyvenv.cfg` beside itself and one folder up. Where there is none its
        // prefix is another, and one may come.
        let folders_of_given = given.ancestors().skip(1).take(2);
        let mut files = vec![given.to_path_buf(), interpreter.prefix.join("pyvenv.cfg")];
        files.extend(folders_of_given.map(|folder| folder.join("pyvenv.cfg")));
        Some(Self {
            script_revision: SCRIPT_REVISION,
            given: given.to_path_buf(),
            canonical,
            files: files.into_iter().map(WatchedFile::new).collect(),
            folders: folders.into_iter().map(WatchedFolder::new).collect(),
            interpreter: interpreter.clone(),
        })
    }

    fn check(&mut self, given: &Path) -> State {
        let same_executable = self.script_revision == SCRIPT_REVISION
            && self.given == given
            && self.files.iter().all(WatchedFile::is_unchanged)
            && fs_err::canonicalize(given).is_ok_and(|path| path == self.canonical);
        if !same_executable {
            return State::Stale;
        }
        let mut state = State::Valid;
        for watched in &mut self.folders {
            if watched.folder.is_unchanged() {
                if !watched.is_unchanged() {
                    return State::Stale;
                }
                continue;
            }
            let now = WatchedFolder::new(watched.folder.path.clone());
            let appeared_or_went = now.folder.stamp.is_some() != watched.folder.stamp.is_some();
            if appeared_or_went || now.start_up_files != watched.start_up_files {
                return State::Stale;
            }
            *watched = now;
            state = State::Renewed;
        }
        state
    }
}

/// The place of one interpreter's answer in the cache.
pub(super) struct Entry {
    folder: PathBuf,
    file: PathBuf,
    given: PathBuf,
}

impl Entry {
    pub(super) fn new(folder: &Path, given: &Path, environment: &[(OsString, OsString)]) -> Self {
        let mut hasher = Sha256::new();
        let mut feed = |text: &OsStr| {
            hasher.update(text.len().to_le_bytes());
            hasher.update(text.as_encoded_bytes());
        };
        feed(given.as_os_str());
        for (name, value) in environment {
            feed(name);
            feed(value);
        }
        let digest = hasher.finalize();
        let mut name = String::with_capacity(37);
        for byte in &digest[..16] {
            name.push(char::from(b"0123456789abcdef"[usize::from(byte >> 4)]));
            name.push(char::from(b"0123456789abcdef"[usize::from(byte & 15)]));
        }
        name.push_str(".record");
        Self {
            folder: folder.to_path_buf(),
            file: folder.join(name),
            given: given.to_path_buf(),
        }
    }

    pub(super) fn load(&self) -> Option<Interpreter> {
        let bytes = fs_err::read(&self.file).ok()?;
        let (digest, bytes) = bytes.split_first_chunk()?;
        if *digest != self.digest(bytes) {
            return None;
        }
        let mut record: Record = serde_json::from_slice(bytes).ok()?;
        match record.check(&self.given) {
            State::Stale => return None,
            State::Renewed => self.write(&record),
            State::Valid => {}
        }
        Some(record.interpreter)
    }

    /// Stands before a record: a damaged one, or another's, is none.
    fn digest(&self, record: &[u8]) -> [u8; 32] {
        let mut hasher = Sha256::new();
        hasher.update(self.file.file_name().unwrap_or_default().as_encoded_bytes());
        hasher.update(record);
        hasher.finalize().into()
    }

    pub(super) fn store(&self, interpreter: &Interpreter) {
        // A script (pyenv's shim, say) decides by itself which interpreter it starts.
        if starts_like_a_script(&self.given) {
            return;
        }
        if let Some(record) = Record::new(&self.given, interpreter) {
            self.write(&record);
        }
    }

    fn write(&self, record: &Record) {
        let attempt = || -> std::io::Result<()> {
            fs_err::create_dir_all(&self.folder)?;
            let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
            let bytes = serde_json::to_vec(record)?;
            file.write_all(&self.digest(&bytes))?;
            file.write_all(&bytes)?;
            file.persist(&self.file)?;
            Ok(())
        };
        // Without the record the next run asks again; nothing else is lost.
        drop(attempt());
    }
}

fn starts_like_a_script(path: &Path) -> bool {
    use std::io::Read as _;
    let mut start = [0; 2];
    let read = fs_err::File::open(path).and_then(|mut file| file.read_exact(&mut start));
    read.is_err() || &start == b"#!"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_that_python_reads_at_start_are_watched() {
        for name in [
            "a.pth",
            "A.PTH",
            "sitecustomize.py",
            "usercustomize",
            "EXTERNALLY-MANAGED",
        ] {
            assert!(is_start_up_file(OsStr::new(name)), "{name}");
        }
        for name in ["numpy", "pth", "a.pth.txt", "site.py"] {
            assert!(!is_start_up_file(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn the_hook_of_setuptools_may_come_and_go_but_not_change() {
        let root = tempfile::tempdir().unwrap();
        let hook = root.path().join("distutils-precedence.pth");
        // In its own words, so that a mistake in the digest shows.
        let variable = "SETUPTOOLS_USE_DISTUTILS";
        let text = format!(
            "import os; var = '{variable}'; enabled = os.environ.get(var, 'local') == 'local'; \
             enabled and __import__('_distutils_hack').add_shim(); \n"
        );
        let without = WatchedFolder::new(root.path().to_path_buf());
        fs_err::write(&hook, &text).unwrap();
        let with = WatchedFolder::new(root.path().to_path_buf());
        assert_eq!(without.start_up_files, with.start_up_files);
        assert!(with.is_unchanged());
        fs_err::write(&hook, text + "/elsewhere\n").unwrap();
        assert!(!with.is_unchanged());
        let changed = WatchedFolder::new(root.path().to_path_buf());
        assert_ne!(changed.start_up_files, with.start_up_files);
    }

    #[test]
    fn entries_differ_by_path_and_environment() {
        let folder = Path::new("/cache");
        let python = Path::new("/usr/bin/python3");
        let variable = |name: &str, value: &str| vec![(name.into(), value.into())];
        let plain = Entry::new(folder, python, &[]);
        let with_path = Entry::new(folder, python, &variable("PYTHONPATH", "/a"));
        let shifted = Entry::new(folder, python, &variable("PYTHONPATH/", "a"));
        assert_ne!(plain.file, with_path.file);
        assert_ne!(with_path.file, shifted.file);
        assert_eq!(plain.file, Entry::new(folder, python, &[]).file);
    }
}
