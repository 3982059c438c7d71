//! Turning staged wheels and removals into a list of moves: whole folders where they can be,
//! each package's record out first and in last, and no file of another package overwritten.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use rustc_hash::{FxHashMap, FxHashSet};

use crate::area::Areas;
use crate::environment::Roots;
use crate::error::TransactionError;
use crate::exchange;
use crate::journal::{Journal, Operation};
use crate::options::{ClobberPolicy, TargetMode};
use crate::owners::Owners;
use crate::paths;
use crate::removal::Cover;
use crate::stage::{StagedTree, StagedWheel};
use crate::steps::Files;
use crate::swap::exists;

mod place;

/// How much of two files is compared at once.
const COMPARED_BYTES: u64 = 256 << 10;

/// A removal and the files that it moves away.
pub(crate) struct PlannedRemoval {
    pub(crate) cover: Cover,
    pub(crate) emitted: bool,
}

/// What stands at a path once the moves so far are made.
enum Found {
    /// On disk since before the transaction.
    OnDisk(PathBuf),
    /// Placed by this wheel of the transaction; now still at this path.
    Placed(PathBuf, usize),
}

#[derive(Clone)]
enum Placed {
    /// A folder that a move makes.
    Made,
    /// A file or folder that a move brings from here, of this wheel.
    From(PathBuf, usize),
}

pub(crate) struct Planner<'a> {
    pub(crate) roots: &'a Roots,
    pub(crate) files: &'a Files,
    pub(crate) journal: &'a mut Journal,
    pub(crate) areas: &'a mut Areas,
    pub(crate) owners: &'a Owners,
    pub(crate) clobber: ClobberPolicy,
    pub(crate) target_mode: Option<TargetMode>,
    pub(crate) wheels: &'a [StagedWheel],
    pub(crate) removals: Vec<PlannedRemoval>,
    pub(crate) operations: Vec<Operation>,
    pub(crate) warnings: Vec<String>,
    gone: FxHashSet<PathBuf>,
    placed: FxHashMap<PathBuf, Placed>,
    removed_by: FxHashMap<PathBuf, usize>,
    folder: &'a Path,
    /// Folders that change places with the new version's when that is placed; by key.
    exchanged: FxHashMap<PathBuf, u64>,
    can_exchange: Option<bool>,
    skipped_items: FxHashSet<PathBuf>,
}

/// The parts of a planner that come from outside.
pub(crate) struct PlannerInput<'a> {
    pub(crate) roots: &'a Roots,
    pub(crate) files: &'a Files,
    pub(crate) journal: &'a mut Journal,
    pub(crate) areas: &'a mut Areas,
    pub(crate) owners: &'a Owners,
    pub(crate) clobber: ClobberPolicy,
    pub(crate) target_mode: Option<TargetMode>,
    pub(crate) wheels: &'a [StagedWheel],
    pub(crate) removals: Vec<Cover>,
    /// The transaction's own folder.
    pub(crate) folder: &'a Path,
}

impl<'a> Planner<'a> {
    pub(crate) fn new(input: PlannerInput<'a>) -> Self {
        let mut removed_by = FxHashMap::default();
        for (at, cover) in input.removals.iter().enumerate() {
            for path in &cover.paths {
                removed_by.insert(paths::key(path), at);
            }
        }
        Self {
            roots: input.roots,
            files: input.files,
            journal: input.journal,
            areas: input.areas,
            owners: input.owners,
            clobber: input.clobber,
            target_mode: input.target_mode,
            wheels: input.wheels,
            removals: input
                .removals
                .into_iter()
                .map(|cover| PlannedRemoval {
                    cover,
                    emitted: false,
                })
                .collect(),
            operations: Vec::new(),
            warnings: Vec::new(),
            gone: FxHashSet::default(),
            placed: FxHashMap::default(),
            removed_by,
            folder: input.folder,
            exchanged: FxHashMap::default(),
            can_exchange: None,
            skipped_items: FxHashSet::default(),
        }
    }

    /// Moves a removed distribution's files aside, once; folders that the wheel which is placed
    /// next brings anew wait for that.
    pub(crate) fn remove(
        &mut self,
        at: usize,
        replaced_by: Option<usize>,
    ) -> Result<(), TransactionError> {
        if std::mem::replace(&mut self.removals[at].emitted, true) {
            return Ok(());
        }
        let cover = std::mem::take(&mut self.removals[at].cover.paths);
        for path in cover {
            match replaced_by.and_then(|wheel| self.exchangeable(at, &path, wheel)) {
                Some(old_number) => {
                    let key = paths::key(&path);
                    if self.gone.insert(key.clone()) {
                        self.exchanged.insert(key, old_number);
                    }
                }
                None => self.stash(&path)?,
            }
        }
        Ok(())
    }

    /// The number of an old folder that can change places with the new version's in one step:
    /// the program that imports from it never finds it missing.
    fn exchangeable(&mut self, at: usize, path: &Path, wheel: usize) -> Option<u64> {
        let wheel = &self.wheels[wheel];
        let library = &wheel.trees[0];
        let name = path.file_name()?;
        if self.target_mode.is_some()
            || path.parent() != Some(&library.target)
            || *name == *wheel.dist_info
            || !self.removals[at].cover.directories.contains(path)
        {
            return None;
        }
        let (new, old) = (
            exchange::identity(&library.staged.join(name))?,
            exchange::identity(path)?,
        );
        let own = exchange::identity(self.folder)?;
        let (files, folder) = (self.files, self.folder);
        let is_possible = new.0 == old.0
            && new.0 == own.0
            && *self
                .can_exchange
                .get_or_insert_with(|| exchange::is_possible(files, folder));
        is_possible.then_some(old.1)
    }

    /// Removes folders that the removals leave empty.
    pub(crate) fn remove_empty_parents(&mut self) {
        let mut parents: Vec<PathBuf> = self
            .removals
            .iter_mut()
            .flat_map(|removal| std::mem::take(&mut removal.cover.parents))
            .collect();
        parents.sort_by(|a, b| {
            let depth = |path: &Path| path.components().count();
            depth(b).cmp(&depth(a)).then(a.cmp(b))
        });
        parents.dedup();
        self.operations.extend(
            parents
                .into_iter()
                .filter(|path| !self.gone.contains(&paths::key(path)))
                .map(|path| Operation::RemoveEmptyDirectory { path }),
        );
    }

    /// Brings a wheel's files to their places, its record last.
    pub(crate) fn place_wheel(&mut self, at: usize) -> Result<(), TransactionError> {
        let wheel = &self.wheels[at];
        for (number, tree) in wheel.trees.iter().enumerate() {
            if number > 0 && self.skips_target_item(&tree.target) {
                continue;
            }
            self.make_directory(&tree.target)?;
            for name in children(&tree.staged).map_err(plan_error)? {
                if number > 0 || *name != *wheel.dist_info {
                    self.place_top(tree, &name, at)?;
                }
            }
        }
        let library = &wheel.trees[0];
        self.place_top(library, std::ffi::OsStr::new(&wheel.dist_info), at)
    }

    /// Replaces a file by one that was prepared.
    pub(crate) fn replace_file(
        &mut self,
        staged: PathBuf,
        target: PathBuf,
    ) -> Result<(), TransactionError> {
        self.stash(&target)?;
        self.operations.push(Operation::Place { staged, target });
        Ok(())
    }

    fn place_top(
        &mut self,
        tree: &StagedTree,
        name: &std::ffi::OsStr,
        wheel: usize,
    ) -> Result<(), TransactionError> {
        let target = tree.target.join(name);
        if self.skips_target_item(&target) {
            return Ok(());
        }
        self.place(&tree.staged.join(name), &target, wheel)
    }

    /// With `--target`, whether the item of the target folder that holds the path was there
    /// before and stays as it is.
    fn skips_target_item(&mut self, path: &Path) -> bool {
        let Some(mode) = self.target_mode else {
            return false;
        };
        let Some(item) = path
            .strip_prefix(&self.roots.purelib)
            .ok()
            .and_then(|relative| relative.components().next())
            .map(|first| self.roots.purelib.join(first))
        else {
            return false;
        };
        let key = paths::key(&item);
        if self.skipped_items.contains(&key) {
            return true;
        }
        if self.placed.contains_key(&key) || self.gone.contains(&key) || !exists(&item) {
            return false;
        }
        let is_link = fs_err::symlink_metadata(&item).is_ok_and(|found| found.is_symlink());
        let warning = match mode {
            TargetMode { upgrade: false } => format!(
                "Target directory {} already exists. Specify --upgrade to force replacement.",
                item.display()
            ),
            TargetMode { upgrade: true } if is_link => format!(
                "Target directory {} already exists and is a link. It is not replaced: remove it if replacement is desired.",
                item.display()
            ),
            TargetMode { upgrade: true } => return false,
        };
        self.warnings.push(warning);
        self.skipped_items.insert(key);
        true
    }

    fn stash(&mut self, target: &Path) -> Result<(), TransactionError> {
        if !self.gone.insert(paths::key(target)) {
            return Ok(());
        }
        let stash = self
            .areas
            .stash_for(target, self.files, self.journal)
            .map_err(plan_error)?;
        self.operations.push(Operation::Stash {
            target: target.to_path_buf(),
            stash,
        });
        Ok(())
    }
}

impl Found {
    fn path(&self) -> &Path {
        match self {
            Self::OnDisk(path) | Self::Placed(path, _) => path,
        }
    }
}

fn plan_error(source: io::Error) -> TransactionError {
    TransactionError::Plan { source }
}

fn in_the_way(path: &Path) -> TransactionError {
    TransactionError::InTheWay {
        path: path.to_path_buf(),
    }
}

/// The names in a folder, sorted.
fn children(folder: &Path) -> io::Result<Vec<std::ffi::OsString>> {
    let mut names = Vec::new();
    for entry in fs_err::read_dir(folder)? {
        names.push(entry?.file_name());
    }
    names.sort();
    Ok(names)
}

/// Whether two files hold the same bytes.
pub(crate) fn is_same_file(a: &Path, b: &Path) -> io::Result<bool> {
    let (left, right) = (fs_err::symlink_metadata(a)?, fs_err::symlink_metadata(b)?);
    if !left.is_file() || !right.is_file() || left.len() != right.len() {
        return Ok(false);
    }
    let (mut left, mut right) = (fs_err::File::open(a)?, fs_err::File::open(b)?);
    let (mut left_piece, mut right_piece) = (Vec::new(), Vec::new());
    loop {
        for (file, piece) in [(&mut left, &mut left_piece), (&mut right, &mut right_piece)] {
            piece.clear();
            file.take(COMPARED_BYTES).read_to_end(piece)?;
        }
        if left_piece != right_piece {
            return Ok(false);
        }
        if left_piece.is_empty() {
            return Ok(true);
        }
    }
}
