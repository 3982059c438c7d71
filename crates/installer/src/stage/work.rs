//! The files of one wheel on their way to the staging folder: which goes where, which may not,
//! and the row of each in `RECORD`.

mod scripts;

use std::io;
use std::path::{Path, PathBuf};

use bnbpip_packaging::{RecordEntry, record};
use rayon::prelude::*;
use rustc_hash::FxHashSet;
use sha2::{Digest as _, Sha256};

use self::scripts::make_script_executable;
use super::{INSTALLER, StagedTree, Stager};
use crate::byte_code::{ByteCompiler, Source, StagedByteCode};
use crate::error::TransactionError;
use crate::layout::{Destination, PlacedFile, WheelLayout};
use crate::link;
use crate::paths;
use crate::python_json;
use crate::script;
use crate::wheel::{WheelError, WheelInstall};

/// A file that is linked unchanged.
pub(super) struct LinkedFile<'a> {
    placed: PlacedFile<'a>,
    tree: usize,
    executable: bool,
    needs_own_inode: bool,
}

pub(super) struct Work<'a> {
    stager: &'a Stager<'a>,
    install: &'a WheelInstall,
    layout: &'a WheelLayout<'a>,
    trees: Vec<StagedTree>,
    rows: Vec<RecordEntry>,
    /// Targets of files outside of the library, by key.
    taken: FxHashSet<PathBuf>,
    /// Files that were written here rather than linked, by tree.
    written: Vec<(usize, String)>,
}

impl<'a> Work<'a> {
    pub(super) fn new(
        stager: &'a Stager<'a>,
        install: &'a WheelInstall,
        layout: &'a WheelLayout<'a>,
    ) -> Self {
        Self {
            stager,
            install,
            layout,
            trees: Vec::new(),
            rows: Vec::with_capacity(layout.files.len() + 8),
            taken: FxHashSet::default(),
            written: Vec::new(),
        }
    }

    /// The trees, the library's first, and the rows of all files.
    pub(super) fn into_parts(self) -> (Vec<StagedTree>, Vec<RecordEntry>) {
        (self.trees, self.rows)
    }

    fn wheel_name(&self) -> String {
        self.install.wheel.filename.as_str().to_string()
    }

    fn staging_error(&self, source: io::Error) -> TransactionError {
        TransactionError::Stage {
            wheel: self.wheel_name(),
            source,
        }
    }

    /// The target of a destination, with links resolved and as the scheme spells it.
    fn target(&self, destination: Destination) -> (PathBuf, PathBuf) {
        let (roots, scheme) = (self.stager.roots, &self.stager.environment.scheme);
        let pure = (roots.purelib.clone(), scheme.purelib.clone());
        let plat = (roots.platlib.clone(), scheme.platlib.clone());
        match destination {
            Destination::Library if self.layout.root_is_purelib => pure,
            Destination::Library | Destination::Platlib => plat,
            Destination::Purelib => pure,
            Destination::Scripts => (roots.scripts.clone(), scheme.scripts.clone()),
            Destination::Data => (roots.data.clone(), scheme.data.clone()),
            Destination::Headers => (
                roots.headers.join(&self.layout.display_name),
                scheme.headers.join(&self.layout.display_name),
            ),
        }
    }

    /// The tree of a destination, made when it is first asked for.
    pub(super) fn tree_of(
        &mut self,
        destination: Destination,
        folder_for: &mut dyn FnMut(&Path) -> io::Result<PathBuf>,
    ) -> io::Result<usize> {
        let (target, shown) = self.target(destination);
        if let Some(at) = self.trees.iter().position(|tree| tree.target == target) {
            return Ok(at);
        }
        let record_prefix = match self.trees.first() {
            Some(library) => format!("{}/", paths::relative(&target, &library.target)),
            None => String::new(),
        };
        let staged = folder_for(&target)?.join(self.trees.len().to_string());
        self.stager.files.create_dir(&staged)?;
        self.trees.push(StagedTree {
            staged,
            target,
            shown,
            record_prefix,
            directories: FxHashSet::default(),
        });
        Ok(self.trees.len() - 1)
    }

    fn make_directories(&mut self, tree: usize, relative: &str) -> io::Result<()> {
        let Some((parent, _)) = relative.rsplit_once('/') else {
            return Ok(());
        };
        if self.trees[tree].directories.contains(parent) {
            return Ok(());
        }
        self.make_directories(tree, parent)?;
        let path = paths::join(&self.trees[tree].staged, parent);
        self.stager.files.create_dir(&path)?;
        self.trees[tree].directories.insert(parent.to_string());
        Ok(())
    }

    /// Refuses targets that are taken or protected.
    fn check_target(
        &mut self,
        tree: usize,
        relative: &str,
        destination: Destination,
    ) -> Result<(), TransactionError> {
        let in_library = destination == Destination::Library;
        // The archive can't hold a path twice, so only the others can meet a library file.
        let may_be_ours = relative.starts_with('.');
        if in_library && self.taken.is_empty() && relative.contains('/') && !may_be_ours {
            return Ok(());
        }
        let target = paths::join(&self.trees[tree].target, relative);
        if self.stager.roots.is_protected(&target) {
            return Err(WheelError::Protected {
                wheel: self.wheel_name(),
                path: target.display().to_string(),
            }
            .into());
        }
        let key = paths::key(&target);
        let is_free = if in_library {
            !self.taken.contains(&key)
        } else {
            self.taken.insert(key)
        };
        if is_free {
            return Ok(());
        }
        Err(WheelError::Duplicate {
            wheel: self.wheel_name(),
            path: target.display().to_string(),
        }
        .into())
    }

    /// Divides the files into those that are linked as they are and scripts, which are written
    /// at once; makes every folder.
    pub(super) fn plan_files(
        &mut self,
        folder_for: &mut dyn FnMut(&Path) -> io::Result<PathBuf>,
    ) -> Result<Vec<LinkedFile<'a>>, TransactionError> {
        let layout = self.layout;
        let mut linked = Vec::with_capacity(layout.files.len());
        let (outside, inside): (Vec<PlacedFile<'a>>, Vec<PlacedFile<'a>>) = layout
            .files
            .iter()
            .copied()
            .partition(|file| file.destination != Destination::Library);
        for placed in outside.into_iter().chain(inside) {
            let is_script = placed.destination == Destination::Scripts;
            if is_script && script::is_entry_point_wrapper(placed.relative, &layout.entry_points) {
                continue;
            }
            let tree = self
                .tree_of(placed.destination, folder_for)
                .map_err(|source| self.staging_error(source))?;
            self.check_target(tree, placed.relative, placed.destination)?;
            self.make_directories(tree, placed.relative)
                .map_err(|source| self.staging_error(source))?;
            let mut file = LinkedFile {
                placed,
                tree,
                executable: placed.source.executable,
                needs_own_inode: false,
            };
            if is_script && self.script(&mut file)? {
                continue;
            }
            linked.push(file);
        }
        self.check_modes(&mut linked);
        Ok(linked)
    }

    /// Writes a new file and its row.
    fn write(
        &mut self,
        tree: usize,
        relative: &str,
        content: &[u8],
        executable: bool,
    ) -> io::Result<()> {
        let path = paths::join(&self.trees[tree].staged, relative);
        self.stager.files.write_new(&path, content)?;
        if executable {
            make_script_executable(&path)?;
        }
        self.written.push((tree, relative.to_string()));
        self.rows.push(RecordEntry {
            path: format!("{}{relative}", self.trees[tree].record_prefix),
            hash: Some(record::sha256_field(&Sha256::digest(content))),
            size: Some(content.len() as u64),
        });
        Ok(())
    }

    /// A hard link has the store's mode. Where that isn't the mode of a new file here (the umask
    /// differs), the files are copied; a store writes all its files alike, so one tells for all.
    fn check_modes(&self, linked: &mut [LinkedFile<'a>]) {
        if !self.stager.linker.shares_inodes() {
            return;
        }
        for executable in [false, true] {
            let Some(sample) = linked
                .iter()
                .find(|file| file.executable == executable && !file.needs_own_inode)
            else {
                continue;
            };
            let path = paths::join(&self.install.wheel.root, &sample.placed.source.path);
            // One that can't be asked fails when it is linked, with a better error.
            let fits = link::mode_fits(&path, self.stager.default_mode, executable).unwrap_or(true);
            if !fits {
                for file in &mut *linked {
                    file.needs_own_inode |= file.executable == executable;
                }
            }
        }
    }

    pub(super) fn link(&mut self, files: &[LinkedFile<'a>]) -> Result<(), TransactionError> {
        let (root, trees, linker) = (&self.install.wheel.root, &self.trees, self.stager.linker);
        let rows: io::Result<Vec<RecordEntry>> = files
            .par_iter()
            .with_min_len(32)
            .map(|file| {
                let from = paths::join(root, &file.placed.source.path);
                let tree = &trees[file.tree];
                let to = paths::join(&tree.staged, file.placed.relative);
                if file.needs_own_inode {
                    linker.copy(&from, &to, file.executable)?;
                } else {
                    linker.link(&from, &to, file.executable)?;
                }
                Ok(RecordEntry {
                    path: format!("{}{}", tree.record_prefix, file.placed.relative),
                    hash: Some(record::sha256_field(&file.placed.source.sha256)),
                    size: Some(file.placed.source.size),
                })
            })
            .collect();
        let rows = rows.map_err(|source| self.staging_error(source))?;
        self.rows.extend(rows);
        Ok(())
    }

    pub(super) fn write_dist_info(&mut self) -> io::Result<()> {
        let dist_info = self.layout.dist_info;
        let own = format!("{dist_info}/INSTALLER");
        self.write(0, &own, format!("{INSTALLER}\n").as_bytes(), false)?;
        if self.install.requested {
            self.write(0, &format!("{dist_info}/REQUESTED"), b"", false)?;
        }
        if let Some(direct_url) = &self.install.direct_url {
            let text = python_json::dump(&serde_json::to_value(direct_url)?);
            let own = format!("{dist_info}/direct_url.json");
            self.write(0, &own, text.as_bytes(), false)?;
        }
        Ok(())
    }

    /// Has every module byte-compiled; `None` if there is no module.
    pub(super) fn compile(
        &self,
        compiler: ByteCompiler<'_>,
        linked: &[LinkedFile<'a>],
    ) -> io::Result<Option<StagedByteCode>> {
        let Some(tag) = self.stager.environment.interpreter.cache_tag.as_deref() else {
            return Ok(None);
        };
        let linked = linked.iter().map(|file| {
            let wheel_path = Some(file.placed.source.path.clone());
            (file.tree, file.placed.relative, wheel_path)
        });
        let written = self
            .written
            .iter()
            .map(|(tree, path)| (*tree, path.as_str(), None));
        let mut sources = Vec::new();
        for (tree, relative, wheel_path) in linked.chain(written) {
            let Some(module) = relative.strip_suffix(".py") else {
                continue;
            };
            let tree = &self.trees[tree];
            let (folder, stem) = module.rsplit_once('/').unwrap_or(("", module));
            let separator = if folder.is_empty() { "" } else { "/" };
            let byte_code = format!("{folder}{separator}__pycache__/{stem}.{tag}.pyc");
            sources.push(Source {
                wheel_path,
                staged: paths::join(&tree.staged, relative),
                final_path: paths::join(&tree.shown, relative),
                compiled: paths::join(&tree.staged, &byte_code),
                row: format!("{}{byte_code}", tree.record_prefix),
            });
        }
        if sources.is_empty() {
            return Ok(None);
        }
        let sha256 = self.install.sha256.as_deref();
        StagedByteCode::begin(compiler, sha256, sources, self.stager.files).map(Some)
    }
}
