//! A wheel's scripts: those whose first line names the interpreter, and those of its entry points.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::{LinkedFile, Work};
use crate::error::TransactionError;
use crate::launcher::launcher;
use crate::layout::Destination;
use crate::paths;
use crate::script;
use crate::wheel::WheelError;

/// The largest script: it is read whole, for its first line changes.
const SCRIPT_LIMIT_BYTES: u64 = 32 << 20;

impl<'a> Work<'a> {
    /// Writes a script whose first line changes; says whether it did.
    pub(super) fn script(&mut self, file: &mut LinkedFile<'a>) -> Result<bool, TransactionError> {
        let source = paths::join(&self.install.wheel.root, &file.placed.source.path);
        let start = start_of(&source).map_err(|source| self.staging_error(source))?;
        if !start.starts_with(b"#!") {
            return Ok(false);
        }
        if !file.executable {
            // The archive was made where there are no executable bits.
            file.executable = true;
            file.needs_own_inode = true;
        }
        // What is for another interpreter is linked as it is, however large.
        if start != script::PYTHON_SCRIPT {
            return Ok(false);
        }
        if file.placed.source.size > SCRIPT_LIMIT_BYTES {
            return Err(WheelError::LargeScript {
                wheel: self.wheel_name(),
                path: file.placed.source.path.clone(),
            }
            .into());
        }
        let content = fs_err::read(&source).map_err(|source| self.staging_error(source))?;
        let Some(rewritten) = self.stager.shebang.rewrite(&content) else {
            return Ok(false);
        };
        self.write(file.tree, file.placed.relative, &rewritten, true)
            .map_err(|source| self.staging_error(source))?;
        Ok(true)
    }

    /// Generates the scripts of the entry points.
    pub(in crate::stage) fn write_scripts(
        &mut self,
        folder_for: &mut dyn FnMut(&Path) -> io::Result<PathBuf>,
    ) -> Result<(), TransactionError> {
        let interpreter = &self.stager.environment.interpreter;
        let scripts = script::generated_scripts(&self.layout.entry_points, interpreter.version);
        if scripts.is_empty() {
            return Ok(());
        }
        let tree = self
            .tree_of(Destination::Scripts, folder_for)
            .map_err(|source| self.staging_error(source))?;
        for generated in scripts {
            let shebang = self.stager.shebang.line(generated.is_gui);
            let (file_name, content) = if interpreter.is_windows {
                let stub = launcher(generated.is_gui, &generated.name, shebang, &generated.body)?;
                (format!("{}.exe", generated.name), stub)
            } else {
                let content = [shebang, generated.body.as_bytes()].concat();
                (generated.name, content)
            };
            self.check_target(tree, &file_name, Destination::Scripts)?;
            self.write(tree, &file_name, &content, true)
                .map_err(|source| self.staging_error(source))?;
        }
        Ok(())
    }
}

/// As many bytes from a file's start as tell what kind of script it is.
fn start_of(path: &Path) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    let length = script::PYTHON_SCRIPT.len() as u64;
    fs_err::File::open(path)?
        .take(length)
        .read_to_end(&mut start)?;
    Ok(start)
}

#[cfg(unix)]
pub(super) fn make_script_executable(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mut permissions = fs_err::metadata(path)?.permissions();
    permissions.set_mode((permissions.mode() | 0o555) & 0o7777);
    fs_err::set_permissions(path, permissions)
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "its Unix twin can fail")]
pub(super) fn make_script_executable(_path: &Path) -> io::Result<()> {
    Ok(())
}
