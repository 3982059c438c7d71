//! The byte-code of a wheel that is being staged: out of the cache where it is there, compiled
//! where it isn't, and kept for the next time.

use std::io;
use std::path::PathBuf;

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use super::{ByteCodeCache, Module, Pack};
use crate::compile::{CompileJob, CompilePool, CompileTicket};
use crate::steps::Files;

/// A module of a staged wheel.
pub(crate) struct Source {
    /// Its path in the wheel; `None` for one that was written here, whose content is the
    /// environment's own.
    pub(crate) wheel_path: Option<String>,
    /// Where it is now.
    pub(crate) staged: PathBuf,
    /// Where it will be.
    pub(crate) final_path: PathBuf,
    /// Where its byte-code goes now.
    pub(crate) compiled: PathBuf,
    /// The path of its byte-code in `RECORD`.
    pub(crate) row: String,
}

/// Who makes byte-code in a transaction.
#[derive(Clone, Copy)]
pub(crate) struct ByteCompiler<'a> {
    pub(crate) pool: &'a CompilePool,
    pub(crate) cache: Option<&'a ByteCodeCache>,
}

/// The byte-code of one staged wheel.
pub(crate) struct StagedByteCode {
    wheel_sha256: Option<String>,
    /// All modules, those that are compiled first.
    sources: Vec<Source>,
    ticket: Option<CompileTicket>,
}

impl StagedByteCode {
    /// Writes what the cache has, and queues the rest.
    ///
    /// # Errors
    /// When byte-code that is there can't be written.
    pub(crate) fn begin(
        compiler: ByteCompiler<'_>,
        wheel_sha256: Option<&str>,
        sources: Vec<Source>,
        files: &Files,
    ) -> io::Result<Self> {
        let pack = compiler
            .cache
            .zip(wheel_sha256)
            .and_then(|(cache, sha256)| cache.open(sha256));
        let (restored, mut rest) = match pack {
            Some(pack) => restore(&pack, sources, files)?,
            None => (Vec::new(), sources),
        };
        let jobs: Vec<CompileJob> = rest
            .iter()
            .map(|source| CompileJob {
                source: source.staged.clone(),
                final_path: source.final_path.clone(),
            })
            .collect();
        let ticket = (!jobs.is_empty()).then(|| compiler.pool.submit(jobs));
        rest.extend(restored);
        Ok(Self {
            wheel_sha256: wheel_sha256.map(str::to_string),
            sources: rest,
            ticket,
        })
    }

    /// Waits for the compilers, and keeps what is new. Gives the rows of the byte-code that is
    /// there now.
    pub(crate) fn finish(mut self, cache: Option<&ByteCodeCache>) -> FxHashSet<String> {
        let compiled = self.ticket.take().map(|ticket| ticket.wait());
        let compiled = compiled.unwrap_or_default();
        let is_new = compiled.contains(&true);
        let mut at = 0;
        self.sources.retain(|_| {
            let is_there = compiled.get(at).copied().unwrap_or(true);
            at += 1;
            is_there
        });
        if let Some((cache, sha256)) = cache.zip(self.wheel_sha256.as_deref())
            && is_new
        {
            self.keep(cache, sha256);
        }
        self.sources.into_iter().map(|source| source.row).collect()
    }

    /// A cache that can't be written costs time, and is no reason to fail.
    fn keep(&self, cache: &ByteCodeCache, wheel_sha256: &str) {
        let modules: Vec<Module<'_>> = self
            .sources
            .iter()
            .filter_map(|source| {
                Some(Module {
                    path: source.wheel_path.as_deref()?,
                    final_path: &source.final_path,
                    compiled: source.compiled.clone(),
                })
            })
            .collect();
        if let Err(error) = cache.keep(wheel_sha256, &modules) {
            tracing::debug!(%error, "byte-code can't be kept");
        }
    }
}

/// Divides modules into those whose byte-code was in the pack and is written now, and the others.
fn restore(
    pack: &Pack,
    sources: Vec<Source>,
    files: &Files,
) -> io::Result<(Vec<Source>, Vec<Source>)> {
    let written: io::Result<Vec<bool>> = sources
        .par_iter()
        .with_min_len(16)
        .map(|source| {
            let path = source.wheel_path.as_deref();
            let code = path.and_then(|it| pack.module(it, &source.staged, &source.final_path));
            match code {
                Some(code) => write(source, &code, files),
                None => Ok(false),
            }
        })
        .collect();
    let mut written = written?.into_iter();
    Ok(sources
        .into_iter()
        .partition(|_| written.next().unwrap_or(false)))
}

/// Writes byte-code; `false` where the wheel brings a file of that name itself, which compiling
/// replaces.
fn write(source: &Source, code: &[u8], files: &Files) -> io::Result<bool> {
    let written = match files.write_new(&source.compiled, code) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let folder = source.compiled.parent().unwrap_or(&source.compiled);
            match files.create_dir(folder) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                other => other?,
            }
            files.write_new(&source.compiled, code)
        }
        other => other,
    };
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}
