//! The journal of a transaction: one JSON document a line, saying what is to be done before
//! the first of it is done. With it an interrupted transaction is finished or taken back.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};

use crate::steps::Files;

/// The file's name in the transaction's folder.
pub(crate) const FILE_NAME: &str = "journal";

/// The format that is written and read.
const VERSION: u32 = 2;

/// A path that survives JSON even when it isn't Unicode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum StoredPath {
    Text(String),
    Units(Vec<u16>),
}

impl From<&Path> for StoredPath {
    fn from(path: &Path) -> Self {
        match path.to_str() {
            Some(text) => Self::Text(text.to_string()),
            None => Self::Units(units_of(path)),
        }
    }
}

impl From<StoredPath> for PathBuf {
    fn from(path: StoredPath) -> Self {
        match path {
            StoredPath::Text(text) => text.into(),
            StoredPath::Units(units) => from_units(&units).into(),
        }
    }
}

#[cfg(windows)]
fn units_of(path: &Path) -> Vec<u16> {
    use std::os::windows::ffi::OsStrExt as _;
    path.as_os_str().encode_wide().collect()
}

#[cfg(windows)]
fn from_units(units: &[u16]) -> OsString {
    use std::os::windows::ffi::OsStringExt as _;
    OsString::from_wide(units)
}

#[cfg(unix)]
fn units_of(path: &Path) -> Vec<u16> {
    use std::os::unix::ffi::OsStrExt as _;
    path.as_os_str()
        .as_bytes()
        .iter()
        .map(|b| u16::from(*b))
        .collect()
}

#[cfg(unix)]
fn from_units(units: &[u16]) -> OsString {
    use std::os::unix::ffi::OsStringExt as _;
    // Only bytes were stored.
    let bytes = units.iter().map(|unit| u8::try_from(*unit).unwrap_or(b'?'));
    OsString::from_vec(bytes.collect())
}

mod stored_path {
    use std::path::{Path, PathBuf};

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::StoredPath;

    pub(super) fn serialize<S: Serializer>(path: &Path, to: S) -> Result<S::Ok, S::Error> {
        StoredPath::from(path).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<PathBuf, D::Error> {
        StoredPath::deserialize(from).map(PathBuf::from)
    }
}

/// One visible change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Operation {
    /// Make a folder that is not there.
    MakeDirectory {
        #[serde(with = "stored_path")]
        path: PathBuf,
    },
    /// Move what is there aside.
    Stash {
        #[serde(with = "stored_path")]
        target: PathBuf,
        #[serde(with = "stored_path")]
        stash: PathBuf,
    },
    /// Move what was prepared to its place, which is free.
    Place {
        #[serde(with = "stored_path")]
        staged: PathBuf,
        #[serde(with = "stored_path")]
        target: PathBuf,
    },
    /// Let the prepared folder and the one in its place change places. The folder with this
    /// number is the old one: where it is tells whether that has happened.
    Exchange {
        #[serde(with = "stored_path")]
        staged: PathBuf,
        #[serde(with = "stored_path")]
        target: PathBuf,
        old_number: u64,
    },
    /// Remove a folder, if nothing is left in it.
    RemoveEmptyDirectory {
        #[serde(with = "stored_path")]
        path: PathBuf,
    },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    /// The first line.
    Begin { version: u32 },
    /// A folder with staged or stashed files outside of the transaction's own.
    Area {
        #[serde(with = "stored_path")]
        path: PathBuf,
    },
    /// Everything that will be done, in order. From here on the environment may change.
    Plan(Vec<Operation>),
    /// The operation of this index is from now on done file by file.
    Split(usize),
    /// The split operation of this index has been taken back.
    Undone(usize),
    /// Everything is done.
    Committed,
    /// Everything is taken back.
    RolledBack,
}

/// What a journal says.
#[derive(Debug, Default)]
pub(crate) struct JournalState {
    pub(crate) areas: Vec<PathBuf>,
    pub(crate) plan: Option<Vec<Operation>>,
    pub(crate) split: FxHashSet<usize>,
    pub(crate) undone: FxHashSet<usize>,
    pub(crate) committed: bool,
    pub(crate) rolled_back: bool,
}

/// A journal that is being written.
pub(crate) struct Journal {
    /// Open until the transaction is over.
    file: Option<fs_err::File>,
    files: Files,
    pub(crate) split: FxHashSet<usize>,
    pub(crate) undone: FxHashSet<usize>,
}

impl Journal {
    /// Begins a journal in a transaction's folder.
    pub(crate) fn create(folder: &Path, files: &Files) -> io::Result<Self> {
        let path = folder.join(FILE_NAME);
        files.write_new(&path, b"")?;
        let file = fs_err::OpenOptions::new().append(true).open(&path)?;
        let mut journal = Self {
            file: Some(file),
            files: files.clone(),
            split: FxHashSet::default(),
            undone: FxHashSet::default(),
        };
        journal.append(&Line::Begin { version: VERSION })?;
        Ok(journal)
    }

    /// Reads the journal of an interrupted transaction and opens it for going on. `None` when
    /// there is none: then nothing was begun.
    pub(crate) fn reopen(folder: &Path, files: &Files) -> io::Result<Option<(Self, JournalState)>> {
        let Some((state, valid_bytes)) = read(folder)? else {
            return Ok(None);
        };
        let path = folder.join(FILE_NAME);
        let file = fs_err::OpenOptions::new()
            .read(true)
            .append(true)
            .open(&path)?;
        // A line that was cut off must not run into the next one.
        if file.metadata()?.len() != valid_bytes {
            let writable = fs_err::OpenOptions::new().write(true).open(&path)?;
            writable.set_len(valid_bytes)?;
        }
        let journal = Self {
            file: Some(file),
            files: files.clone(),
            split: state.split.clone(),
            undone: state.undone.clone(),
        };
        Ok(Some((journal, state)))
    }

    pub(crate) fn area(&mut self, path: &Path) -> io::Result<()> {
        self.append(&Line::Area {
            path: path.to_path_buf(),
        })
    }

    /// Writes the plan down so that it survives a power failure.
    pub(crate) fn plan(&mut self, plan: &[Operation], folder: &Path) -> io::Result<()> {
        self.append_synced(&Line::Plan(plan.to_vec()))?;
        self.files.sync_dir(folder)
    }

    pub(crate) fn split(&mut self, at: usize) -> io::Result<()> {
        self.split.insert(at);
        self.append_synced(&Line::Split(at))
    }

    pub(crate) fn undone(&mut self, at: usize) -> io::Result<()> {
        self.undone.insert(at);
        self.append_synced(&Line::Undone(at))
    }

    pub(crate) fn committed(&mut self) -> io::Result<()> {
        self.append_synced(&Line::Committed)
    }

    pub(crate) fn rolled_back(&mut self) -> io::Result<()> {
        self.append_synced(&Line::RolledBack)
    }

    fn append_synced(&mut self, line: &Line) -> io::Result<()> {
        self.append(line)?;
        match &self.file {
            Some(file) => self.files.sync(file),
            None => Err(Self::closed()),
        }
    }

    fn append(&mut self, line: &Line) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        match &mut self.file {
            Some(file) => self.files.append(file, &text),
            None => Err(Self::closed()),
        }
    }

    /// Ends the writing: Windows doesn't remove a folder while a file in it is open.
    pub(crate) fn close(&mut self) {
        self.file = None;
    }

    fn closed() -> io::Error {
        io::Error::other("the journal is closed")
    }
}

/// Reads a journal: its meaning, and how many bytes of it are whole lines. `None` when there is
/// no journal or not even its first line.
pub(crate) fn read(folder: &Path) -> io::Result<Option<(JournalState, u64)>> {
    let bytes = match fs_err::read(folder.join(FILE_NAME)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        outcome => outcome?,
    };
    let mut state = JournalState::default();
    let mut valid = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if line.last() != Some(&b'\n') {
            break;
        }
        let Ok(parsed) = serde_json::from_slice::<Line>(line) else {
            break;
        };
        if valid == 0 && !matches!(parsed, Line::Begin { version } if version <= VERSION) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the journal is of a newer bnbpip",
            ));
        }
        valid += line.len() as u64;
        match parsed {
            Line::Begin { .. } => {}
            Line::Area { path } => state.areas.push(path),
            Line::Plan(plan) => state.plan = Some(plan),
            Line::Split(at) => {
                state.split.insert(at);
            }
            Line::Undone(at) => {
                state.undone.insert(at);
            }
            Line::Committed => state.committed = true,
            Line::RolledBack => state.rolled_back = true,
        }
    }
    Ok((valid > 0).then_some((state, valid)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<Operation> {
        vec![
            Operation::Stash {
                target: "/a".into(),
                stash: "/s".into(),
            },
            Operation::Place {
                staged: "/n".into(),
                target: "/a".into(),
            },
        ]
    }

    #[test]
    fn every_cut_of_a_journal_reads_as_an_earlier_state() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::create(folder.path(), &Files::default()).unwrap();
        journal.area(Path::new("/area")).unwrap();
        journal.plan(&sample(), folder.path()).unwrap();
        journal.split(1).unwrap();
        journal.committed().unwrap();
        drop(journal);
        let path = folder.path().join(FILE_NAME);
        let whole = fs_err::read(&path).unwrap();
        let mut stages = 0;
        for cut in 0..=whole.len() {
            fs_err::write(&path, &whole[..cut]).unwrap();
            let Some((mut journal, state)) =
                Journal::reopen(folder.path(), &Files::default()).unwrap()
            else {
                continue;
            };
            let reached = usize::from(state.plan.is_some())
                + usize::from(!state.split.is_empty())
                + usize::from(state.committed);
            assert!(reached >= stages, "a longer journal says no less");
            stages = reached;
            if let Some(plan) = state.plan {
                assert_eq!(plan, sample());
            }
            // What is written after a cut is readable.
            journal.rolled_back().unwrap();
            assert!(read(folder.path()).unwrap().unwrap().0.rolled_back);
        }
        assert_eq!(stages, 3);
    }

    #[test]
    fn refuses_a_newer_journal() {
        let folder = tempfile::tempdir().unwrap();
        fs_err::write(
            folder.path().join(FILE_NAME),
            "{\"begin\":{\"version\":3}}\n",
        )
        .unwrap();
        assert!(read(folder.path()).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn keeps_paths_that_are_not_unicode() {
        use std::os::unix::ffi::OsStringExt as _;
        let path = PathBuf::from(OsString::from_vec(vec![b'/', 0xff, b'a']));
        let operation = Operation::MakeDirectory { path };
        let text = serde_json::to_string(&operation).unwrap();
        assert_eq!(serde_json::from_str::<Operation>(&text).unwrap(), operation);
    }
}
