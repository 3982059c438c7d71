//! Byte-code that an earlier installation of the same wheel left: compiling is the most of what a
//! warm installation costs, and its result depends on the source, the interpreter and one path alone.
//!
//! Kept is one pack for each wheel and interpreter, `<2 digits>/<SHA-256>-<interpreter>.pack`, in a
//! folder that the caller owns. What comes out of it is byte for byte what compiling in the new place
//! would give: the path that tracebacks name and the source's time are put in anew. A pack that is
//! damaged, or of another wheel, is as good as none.

mod filename;
mod pack;
mod staging;

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use fs_err as fs;

use crate::environment::InterpreterFacts;

use pack::{Module, Pack};
pub(crate) use staging::{ByteCompiler, Source, StagedByteCode};

/// Unfinished packs older than this are leftovers of a killed process.
const LEFTOVER_AGE: Duration = Duration::from_hours(24);

/// The packs for one interpreter.
#[derive(Debug, Clone)]
pub(crate) struct ByteCodeCache {
    folder: PathBuf,
    interpreter: String,
}

impl ByteCodeCache {
    /// `None` for an interpreter that writes no byte-code, and where `SOURCE_DATE_EPOCH` is set: the
    /// compilers then embed the source's digest in place of its time, which no pack has.
    pub(crate) fn new(folder: &Path, interpreter: &InterpreterFacts) -> Option<Self> {
        let has_digests = std::env::var_os("SOURCE_DATE_EPOCH").is_some_and(|it| !it.is_empty());
        let tag = interpreter.cache_tag.as_deref().filter(|_| !has_digests)?;
        let identity = format!("{tag}-{}", interpreter.full_version);
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || ".-+".contains(letter);
        Some(Self {
            folder: folder.to_path_buf(),
            interpreter: identity.replace(|letter| !is_plain(letter), "_"),
        })
    }

    fn path(&self, wheel_sha256: &str) -> Option<PathBuf> {
        let is_digest =
            wheel_sha256.len() == 64 && wheel_sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
        let shard = wheel_sha256.get(..2).filter(|_| is_digest)?;
        let name = format!("{wheel_sha256}-{}.pack", self.interpreter);
        Some(self.folder.join(shard).join(name))
    }

    /// What is kept of a wheel, if it is sound.
    fn open(&self, wheel_sha256: &str) -> Option<Pack> {
        Pack::open(&self.path(wheel_sha256)?)
    }

    /// Keeps the byte-code of a wheel's modules.
    ///
    /// # Errors
    /// When the pack can't be written. Nothing is lost by it but time.
    fn keep(&self, wheel_sha256: &str, modules: &[Module<'_>]) -> io::Result<()> {
        let Some(path) = self.path(wheel_sha256) else {
            return Ok(());
        };
        let shard = path.parent().unwrap_or(&self.folder);
        fs::create_dir_all(shard)?;
        sweep(shard);
        let partial = tempfile::Builder::new()
            .prefix(".tmp-")
            .tempfile_in(shard)?;
        pack::write(partial.as_file(), modules)?;
        match partial.persist(&path) {
            Ok(_) => Ok(()),
            // On Windows another process can have the old pack open; it is as good.
            Err(error) if cfg!(windows) && path.exists() => {
                drop(error);
                Ok(())
            }
            Err(error) => Err(error.error),
        }
    }
}

/// Removes what killed processes left behind.
fn sweep(shard: &Path) {
    for entry in fs::read_dir(shard).into_iter().flatten().flatten() {
        let is_leftover = entry.file_name().to_string_lossy().starts_with(".tmp-");
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        let is_old = |modified| {
            SystemTime::now()
                .duration_since(modified)
                .is_ok_and(|age| age > LEFTOVER_AGE)
        };
        if is_leftover && modified.is_ok_and(is_old) {
            let _next_time = fs::remove_file(entry.path());
        }
    }
}
