//! Preparing one wheel completely where nobody sees it: files linked, scripts generated,
//! byte-code requested, and at the end its `RECORD`.

use std::io;
use std::path::{Path, PathBuf};

use bnbpip_packaging::{DirectUrl, PackageName, RecordEntry, Version, record};
use rustc_hash::FxHashSet;

use crate::byte_code::{ByteCodeCache, ByteCompiler, StagedByteCode};
use crate::environment::{Environment, Roots};
use crate::error::TransactionError;
use crate::installed::InstalledDistribution;
use crate::layout::{Destination, WheelLayout};
use crate::link::Linker;
use crate::paths;
use crate::script::Shebang;
use crate::steps::Files;
use crate::wheel::{WheelError, WheelInstall};

use work::Work;

mod work;

/// The name in `INSTALLER` files.
pub const INSTALLER: &str = "bnbpip";

/// The part of a wheel that goes to one root.
#[derive(Debug)]
pub(crate) struct StagedTree {
    /// Where its files are.
    pub(crate) staged: PathBuf,
    /// Where they go, links resolved.
    pub(crate) target: PathBuf,
    /// Where they go, as the scheme spells it.
    shown: PathBuf,
    /// The target, relative to the library, with a `/` behind; empty for the library itself.
    record_prefix: String,
    directories: FxHashSet<String>,
}

/// A wheel that is ready but for its `RECORD`.
pub(crate) struct StagedWheel {
    pub(crate) name: PackageName,
    pub(crate) version: Version,
    pub(crate) wheel: String,
    pub(crate) sha256: Option<String>,
    pub(crate) requested: bool,
    pub(crate) direct_url: Option<DirectUrl>,
    pub(crate) replaces: Vec<InstalledDistribution>,
    pub(crate) dist_info: String,
    /// The library first.
    pub(crate) trees: Vec<StagedTree>,
    pub(crate) rows: Vec<RecordEntry>,
    pub(crate) warnings: Vec<String>,
    byte_code: Option<StagedByteCode>,
}

/// What staging needs of the transaction.
pub(crate) struct Stager<'a> {
    pub(crate) environment: &'a Environment,
    pub(crate) roots: &'a Roots,
    pub(crate) files: &'a Files,
    pub(crate) linker: &'a Linker,
    pub(crate) shebang: &'a Shebang,
    pub(crate) compiler: Option<ByteCompiler<'a>>,
    pub(crate) default_mode: u32,
    pub(crate) strict_record: bool,
}

impl Stager<'_> {
    /// Prepares a wheel; `folder_for` gives a free folder on a root's file system.
    pub(crate) fn stage(
        &self,
        install: WheelInstall,
        folder_for: &mut dyn FnMut(&Path) -> io::Result<PathBuf>,
    ) -> Result<StagedWheel, TransactionError> {
        let is_windows = self.environment.interpreter.is_windows;
        let layout = WheelLayout::read(&install.wheel, is_windows)?;
        if let Some(problem) = layout.record_problems.first()
            && self.strict_record
        {
            return Err(WheelError::RecordMismatch {
                wheel: install.wheel.filename.as_str().to_string(),
                problem: problem.clone(),
            }
            .into());
        }
        let staging = |source| TransactionError::Stage {
            wheel: install.wheel.filename.as_str().to_string(),
            source,
        };
        let mut work = Work::new(self, &install, &layout);
        work.tree_of(Destination::Library, folder_for)
            .map_err(staging)?;
        let linked = work.plan_files(folder_for)?;
        work.link(&linked)?;
        work.write_scripts(folder_for)?;
        work.write_dist_info().map_err(staging)?;
        let byte_code = match self.compiler {
            Some(compiler) => work.compile(compiler, &linked).map_err(staging)?,
            None => None,
        };
        let (trees, rows) = work.into_parts();
        let mut warnings = layout.warnings;
        if !layout.is_record_empty {
            let problems = layout.record_problems.iter();
            let wheel = install.wheel.filename.as_str();
            warnings.extend(problems.map(|problem| format!("Wheel `{wheel}`: {problem}")));
        }
        Ok(StagedWheel {
            name: layout.name,
            version: layout.version,
            dist_info: layout.dist_info.to_string(),
            wheel: install.wheel.filename.as_str().to_string(),
            sha256: install.sha256,
            requested: install.requested,
            direct_url: install.direct_url,
            replaces: install.replaces,
            trees,
            rows,
            warnings,
            byte_code,
        })
    }
}

impl StagedWheel {
    /// Waits for its byte-code and writes its `RECORD`.
    pub(crate) fn finish(
        &mut self,
        files: &Files,
        cache: Option<&ByteCodeCache>,
    ) -> io::Result<()> {
        if let Some(byte_code) = self.byte_code.take() {
            let compiled = byte_code.finish(cache);
            self.rows.retain(|row| !compiled.contains(&row.path));
            self.rows
                .extend(compiled.into_iter().map(|path| RecordEntry {
                    path,
                    hash: None,
                    size: None,
                }));
        }
        let path = format!("{}/RECORD", self.dist_info);
        let target = paths::join(&self.trees[0].staged, &path);
        self.rows.push(RecordEntry {
            path,
            hash: None,
            size: None,
        });
        files.write_new(&target, record::write(&self.rows).as_bytes())
    }

    /// The longest of the paths that its files will have. Byte-code doesn't count: Python does
    /// without what it can't open.
    pub(crate) fn longest_path(&self) -> Option<PathBuf> {
        let rows = self.rows.iter().map(|row| row.path.as_str());
        let sources = rows.filter(|path| !path.contains("__pycache__/"));
        let longest = sources.max_by_key(|path| path.encode_utf16().count())?;
        Some(paths::normalize(&paths::join(
            &self.trees[0].shown,
            longest,
        )))
    }
}
