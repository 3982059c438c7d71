//! One file with the byte-code of a wheel's modules.
//!
//! The modules' code comes first, then the index in JSON, then a footer of fixed size: the index's
//! length, its SHA-256, and the format's name. The index has the SHA-256 of each module's code, so
//! that nothing is used unchecked and nothing is read that isn't wanted.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use fs_err as fs;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::filename::{self, Place};

const FORMAT: [u8; 8] = *b"BNBPYC1\n";
const FOOTER_BYTES: usize = 8 + 32 + FORMAT.len();
/// PEP 552: magic number, flags, the source's time, the source's size.
const HEADER_BYTES: usize = 16;
/// An index of more than this isn't ours.
const INDEX_LIMIT_BYTES: u64 = 64 << 20;

/// A module that was compiled.
#[derive(Debug)]
pub(super) struct Module<'a> {
    /// Its path in the wheel.
    pub(super) path: &'a str,
    /// The path that its byte-code names.
    pub(super) final_path: &'a Path,
    /// The file with its byte-code.
    pub(super) compiled: PathBuf,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    offset: u64,
    length: usize,
    sha256: [u8; 32],
    magic: [u8; 4],
    source_bytes: u32,
    path_at: usize,
    path_kind: u8,
}

/// Writes a pack. Modules that can't be kept (their byte-code is bound to a hash, or names its
/// path in another way) are left out.
pub(super) fn write(file: &std::fs::File, modules: &[Module<'_>]) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(256 << 10, file);
    let mut index = BTreeMap::new();
    let mut offset = 0;
    for module in modules {
        let compiled = fs::read(&module.compiled)?;
        let Some((entry, code)) = cut(&compiled, module.final_path, offset) else {
            continue;
        };
        out.write_all(&code)?;
        offset += code.len() as u64;
        index.insert(module.path, entry);
    }
    let index = serde_json::to_vec(&index)?;
    out.write_all(&index)?;
    out.write_all(&(index.len() as u64).to_le_bytes())?;
    out.write_all(&Sha256::digest(&index))?;
    out.write_all(&FORMAT)?;
    out.flush()
}

/// A module's code without its header and its path.
fn cut(compiled: &[u8], final_path: &Path, offset: u64) -> Option<(Entry, Vec<u8>)> {
    let (header, code) = compiled.split_at_checked(HEADER_BYTES)?;
    let word = |at: usize| -> Option<[u8; 4]> { header.get(at..at + 4)?.try_into().ok() };
    // Flags: only byte-code that is checked against the source's time.
    if word(4)? != [0; 4] {
        return None;
    }
    let Place { at, end, kind } = filename::find(code, final_path.to_str()?)?;
    let kept = [code.get(..at)?, code.get(end..)?].concat();
    let entry = Entry {
        offset,
        length: kept.len(),
        sha256: Sha256::digest(&kept).into(),
        magic: word(0)?,
        source_bytes: u32::from_le_bytes(word(12)?),
        path_at: at,
        path_kind: kind,
    };
    Some((entry, kept))
}

/// An open pack.
pub(super) struct Pack {
    path: PathBuf,
    index: BTreeMap<String, Entry>,
}

impl Pack {
    /// Opens a pack; `None` if there is none or its index is damaged.
    pub(super) fn open(path: &Path) -> Option<Self> {
        let index = match read_index(path) {
            Ok(index) => index,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                tracing::debug!(%error, "kept byte-code can't be used");
                return None;
            }
        };
        Some(Self {
            path: path.to_path_buf(),
            index,
        })
    }

    /// The byte-code of a module for the source at `source`, whose tracebacks are to name
    /// `final_path`: the content of its `.pyc` file. `None` if it isn't here, or is damaged.
    pub(super) fn module(&self, path: &str, source: &Path, final_path: &Path) -> Option<Vec<u8>> {
        let entry = self.index.get(path)?;
        let metadata = fs::metadata(source).ok()?;
        if metadata.len() != u64::from(entry.source_bytes) {
            return None;
        }
        let modified = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        // The low 32 bits of the seconds, as importlib writes them.
        let [low @ .., _, _, _, _] = modified.as_secs().to_le_bytes();
        let code = self.code(entry).ok()?;
        if Sha256::digest(&code)[..] != entry.sha256 {
            tracing::warn!(pack = %self.path.display(), module = path, "kept byte-code is damaged");
            return None;
        }
        let (head, tail) = code.split_at_checked(entry.path_at)?;
        let name = filename::encode(entry.path_kind, final_path.to_str()?)?;
        let size = entry.source_bytes.to_le_bytes();
        Some([&entry.magic[..], &[0; 4], &low, &size, head, &name, tail].concat())
    }

    fn code(&self, entry: &Entry) -> io::Result<Vec<u8>> {
        let mut file = fs::File::open(&self.path)?;
        file.seek(SeekFrom::Start(entry.offset))?;
        let mut code = Vec::new();
        // Not trusted to allocate: a damaged length reads to the end at most.
        file.take(entry.length as u64).read_to_end(&mut code)?;
        Ok(code)
    }
}

fn read_index(path: &Path) -> io::Result<BTreeMap<String, Entry>> {
    let damaged = || io::Error::from(io::ErrorKind::InvalidData);
    let mut file = fs::File::open(path)?;
    let length = file.metadata()?.len();
    let footer_at = length
        .checked_sub(FOOTER_BYTES as u64)
        .ok_or_else(damaged)?;
    file.seek(SeekFrom::Start(footer_at))?;
    let mut footer = [0; FOOTER_BYTES];
    file.read_exact(&mut footer)?;
    let (index_length, rest) = footer.split_first_chunk::<8>().ok_or_else(damaged)?;
    let (sha256, format) = rest.split_first_chunk::<32>().ok_or_else(damaged)?;
    let index_length = u64::from_le_bytes(*index_length);
    if format != FORMAT || index_length > INDEX_LIMIT_BYTES {
        return Err(damaged());
    }
    let index_at = footer_at.checked_sub(index_length).ok_or_else(damaged)?;
    file.seek(SeekFrom::Start(index_at))?;
    let mut index = Vec::new();
    file.take(index_length).read_to_end(&mut index)?;
    if Sha256::digest(&index)[..] != sha256[..] {
        return Err(damaged());
    }
    Ok(serde_json::from_slice(&index)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "/old/lib/pkg/m.py";

    /// Byte-code for a source of three bytes: a header, and code that names a path once.
    fn compiled(path: &str) -> Vec<u8> {
        let name = filename::encode(0xda, path).unwrap();
        let header = [&b"MAGC"[..], &[0; 4], &[7, 0, 0, 0], &[3, 0, 0, 0]].concat();
        [&header[..], b"code before ", &name, b" code behind"].concat()
    }

    fn kept(folder: &Path) -> PathBuf {
        let pyc = folder.join("m.pyc");
        fs::write(&pyc, compiled(BEFORE)).unwrap();
        let path = folder.join("kept.pack");
        let module = Module {
            path: "pkg/m.py",
            final_path: Path::new(BEFORE),
            compiled: pyc,
        };
        let file = fs::File::create(&path).unwrap();
        write(file.file(), &[module]).unwrap();
        path
    }

    #[test]
    fn what_is_kept_comes_out_for_another_place() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("m.py");
        fs::write(&source, "a=1").unwrap();
        let time = UNIX_EPOCH + std::time::Duration::from_secs(7);
        let file = fs::File::options().write(true).open(&source).unwrap();
        file.file().set_modified(time).unwrap();
        let pack = Pack::open(&kept(folder.path())).unwrap();
        for place in ["/new/m.py", "/nëw/m.py", &"/x".repeat(200)] {
            let module = pack.module("pkg/m.py", &source, Path::new(place));
            assert_eq!(module.unwrap(), compiled(place), "{place}");
        }
        assert!(
            pack.module("pkg/other.py", &source, Path::new("/n"))
                .is_none()
        );
        fs::write(&source, "a=12").unwrap();
        assert!(pack.module("pkg/m.py", &source, Path::new("/n")).is_none());
    }

    #[test]
    fn no_damaged_byte_is_used() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("m.py");
        fs::write(&source, "a=1").unwrap();
        let path = kept(folder.path());
        let sound = fs::read(&path).unwrap();
        let use_it = || {
            let pack = Pack::open(&path)?;
            pack.module("pkg/m.py", &source, Path::new("/n"))
        };
        assert!(use_it().is_some());
        for at in 0..sound.len() {
            let mut damaged = sound.clone();
            damaged[at] ^= 0x10;
            fs::write(&path, &damaged).unwrap();
            assert!(use_it().is_none(), "byte {at}");
            fs::write(&path, &sound[..at]).unwrap();
            assert!(use_it().is_none(), "cut at {at}");
        }
    }
}
