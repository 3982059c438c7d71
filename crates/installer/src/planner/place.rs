//! Bringing what was prepared to its place: what stands there decides how, and whether it may.

use std::io;
use std::path::Path;

use super::{Found, Placed, Planner, children, in_the_way, is_same_file, plan_error};
use crate::error::TransactionError;
use crate::journal::Operation;
use crate::options::ClobberPolicy;
use crate::owners;
use crate::paths;
use crate::swap::{exists, is_directory};

/// The longest `__init__.py` that is looked into for a namespace's declaration.
const DECLARATION_LIMIT_BYTES: u64 = 64 << 10;

impl Planner<'_> {
    pub(super) fn make_directory(&mut self, path: &Path) -> Result<(), TransactionError> {
        match self.find(path) {
            Some(found) if is_directory(found.path()) => return Ok(()),
            Some(_) => return Err(in_the_way(path)),
            None if matches!(self.placed.get(&paths::key(path)), Some(Placed::Made)) => {
                return Ok(());
            }
            None => {}
        }
        if let Some(parent) = path.parent() {
            self.make_directory(parent)?;
        }
        self.operations.push(Operation::MakeDirectory {
            path: path.to_path_buf(),
        });
        self.placed.insert(paths::key(path), Placed::Made);
        Ok(())
    }

    /// What stands at a path after the moves planned so far.
    fn find(&self, path: &Path) -> Option<Found> {
        let mut above = Some(path);
        while let Some(ancestor) = above {
            let key = paths::key(ancestor);
            match self.placed.get(&key) {
                Some(Placed::From(source, wheel)) => {
                    let now = match path.strip_prefix(ancestor) {
                        Ok(rest) if !rest.as_os_str().is_empty() => source.join(rest),
                        _ => source.clone(),
                    };
                    return exists(&now).then_some(Found::Placed(now, *wheel));
                }
                Some(Placed::Made) => return None,
                None if self.gone.contains(&key) => return None,
                None => above = ancestor.parent(),
            }
        }
        exists(path).then(|| Found::OnDisk(path.to_path_buf()))
    }

    pub(super) fn place(
        &mut self,
        staged: &Path,
        target: &Path,
        wheel: usize,
    ) -> Result<(), TransactionError> {
        let key = paths::key(target);
        if matches!(self.placed.get(&key), Some(Placed::Made)) {
            return self.place_children(staged, target, wheel);
        }
        if let Some(old_number) = self.exchanged.remove(&key) {
            self.operations.push(Operation::Exchange {
                staged: staged.to_path_buf(),
                target: target.to_path_buf(),
                old_number,
            });
            let now = Placed::From(staged.to_path_buf(), wheel);
            self.placed.insert(key, now);
            return Ok(());
        }
        let Some(found) = self.find(target) else {
            self.push_place(staged, target, wheel);
            return Ok(());
        };
        if let Found::OnDisk(path) = &found {
            if let Some(removal) = self.removed_by.get(&paths::key(path)).copied() {
                self.remove(removal, None)?;
                return self.place(staged, target, wheel);
            }
            if fs_err::symlink_metadata(path).is_ok_and(|found| found.is_symlink())
                && is_directory(staged)
            {
                return self.place_behind_link(staged, path, wheel);
            }
        }
        match (is_directory(staged), is_directory(found.path())) {
            (true, true) => self.place_children(staged, target, wheel),
            (false, true) => Err(in_the_way(target)),
            (_, false) => self.place_over_file(staged, target, &found, wheel),
        }
    }

    fn place_children(
        &mut self,
        staged: &Path,
        target: &Path,
        wheel: usize,
    ) -> Result<(), TransactionError> {
        for name in children(staged).map_err(plan_error)? {
            self.place(&staged.join(&name), &target.join(&name), wheel)?;
        }
        Ok(())
    }

    /// A link to a folder (`lib64`) is followed, as long as it stays in the environment.
    fn place_behind_link(
        &mut self,
        staged: &Path,
        link: &Path,
        wheel: usize,
    ) -> Result<(), TransactionError> {
        let target = paths::resolve(link);
        let inside = match &self.roots.prefix {
            Some(prefix) => target.starts_with(prefix),
            None => target.starts_with(&self.roots.data) || target.starts_with(&self.roots.purelib),
        };
        if inside && is_directory(&target) {
            self.place(staged, &target, wheel)
        } else {
            Err(in_the_way(link))
        }
    }

    /// A file stands where a file or folder is to go.
    fn place_over_file(
        &mut self,
        staged: &Path,
        target: &Path,
        found: &Found,
        wheel: usize,
    ) -> Result<(), TransactionError> {
        let name = self.wheels[wheel].name.to_string();
        let shown = target.display();
        let owner = match found {
            Found::Placed(_, other) => Some(self.wheels[*other].name.to_string()),
            Found::OnDisk(path) => self.owners.owner(path).map(str::to_string),
        };
        if is_byte_code(target) {
            // It goes with its source, about which this is decided as well: the one that another
            // new wheel placed stays, an old one goes.
            return match found {
                Found::OnDisk(_) => self.replace(staged, target, wheel),
                Found::Placed(..) => Ok(()),
            };
        }
        if is_same_file(staged, found.path()).map_err(plan_error)? {
            return Ok(());
        }
        let Some(owner) = owner else {
            self.warnings.push(format!(
                "`{name}` replaces `{shown}`, which belongs to no package"
            ));
            return self.replace(staged, target, wheel);
        };
        let harmless = self
            .is_harmless(staged, target, found)
            .map_err(plan_error)?;
        if !harmless && self.clobber == ClobberPolicy::Refuse {
            return Err(TransactionError::Clobber {
                path: target.to_path_buf(),
                wheel: name,
                owner,
            });
        }
        if let Found::Placed(..) = found {
            self.warnings.push(format!(
                "`{name}` and `{owner}` both hold `{shown}`; that of `{owner}` is installed"
            ));
            return Ok(());
        }
        self.warnings.push(format!(
            "`{name}` replaces `{shown}`, which belongs to `{owner}` too"
        ));
        self.replace(staged, target, wheel)
    }

    fn replace(
        &mut self,
        staged: &Path,
        target: &Path,
        wheel: usize,
    ) -> Result<(), TransactionError> {
        self.stash(target)?;
        self.push_place(staged, target, wheel);
        Ok(())
    }

    fn is_harmless(&self, staged: &Path, target: &Path, found: &Found) -> io::Result<bool> {
        let library = [&self.roots.purelib, &self.roots.platlib]
            .into_iter()
            .find_map(|library| target.strip_prefix(library).ok());
        let Some(relative) = library else {
            return Ok(false);
        };
        let relative = relative.to_string_lossy().replace('\\', "/");
        if owners::is_stray(&relative) {
            return Ok(true);
        }
        if target.file_name().is_none_or(|name| name != "__init__.py") || is_directory(staged) {
            return Ok(false);
        }
        for path in [staged, found.path()] {
            // What only declares is short.
            if fs_err::metadata(path)?.len() > DECLARATION_LIMIT_BYTES {
                return Ok(false);
            }
            let text = fs_err::read(path)?;
            if !owners::declares_namespace(&String::from_utf8_lossy(&text)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(super) fn push_place(&mut self, staged: &Path, target: &Path, wheel: usize) {
        self.operations.push(Operation::Place {
            staged: staged.to_path_buf(),
            target: target.to_path_buf(),
        });
        self.placed.insert(
            paths::key(target),
            Placed::From(staged.to_path_buf(), wheel),
        );
    }
}

fn is_byte_code(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "pyc")
}
