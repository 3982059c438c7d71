//! Making a virtual environment (PEP 405) without running Python.
//!
//! On POSIX systems the environment's interpreter is a symbolic link to the base installation's;
//! on Windows it is the launcher that the base installation carries for this purpose.

mod activation;
mod windows;

use std::io;
use std::path::{Path, PathBuf};

use crate::layout::{LayoutOs, is_virtual_environment};
use crate::{Interpreter, Scheme};

/// What to do with a folder that exists already. An empty one is always used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ExistingDirectory {
    /// Leave it alone and say so.
    #[default]
    Refuse,
    /// Remove everything in it first.
    Clear,
    /// Use it if it is a virtual environment, else refuse: what is installed stays.
    Reuse,
}

/// How to make an environment.
#[derive(Debug, Clone, Default)]
pub struct VenvOptions {
    /// The name that activation shows; the folder's name unless told.
    pub prompt: Option<String>,
    /// Whether packages of the base installation are visible.
    pub system_site_packages: bool,
    /// What to do with a folder that exists.
    pub existing: ExistingDirectory,
    /// Copy the interpreter on POSIX systems, too, instead of linking to it.
    pub copies: bool,
    /// How many characters the path of a program may have, where the system has a limit.
    pub path_limit: Option<usize>,
}

/// Why no environment could be made.
#[derive(Debug, thiserror::Error)]
pub enum VenvError {
    /// Something is in the way.
    #[error("Failed to create a virtual environment at `{}`: the folder is not empty", .path.display())]
    NotEmpty {
        /// the folder
        path: PathBuf,
        /// whether it is a virtual environment already
        is_venv: bool,
    },
    /// A file is in the way.
    #[error("Failed to create a virtual environment at `{}`: it is a file", .path.display())]
    IsFile {
        /// the file
        path: PathBuf,
    },
    /// The base interpreter lies in the folder that was to be cleared.
    #[error("Failed to clear `{}`: it holds the interpreter `{}`", .path.display(), .interpreter.display())]
    HoldsBase {
        /// the folder
        path: PathBuf,
        /// the interpreter
        interpreter: PathBuf,
    },
    /// A path separator in the folder's name would break `PATH` on activation.
    #[error("Failed to create a virtual environment at `{}`: its path contains `{separator}`", .path.display())]
    SeparatorInPath {
        /// the folder
        path: PathBuf,
        /// the separator
        separator: char,
    },
    /// The interpreter's path would be too long for it to start.
    #[error("Failed to create a virtual environment: `{}` has {length} characters, and Windows is set to allow {limit}", .path.display())]
    PathTooLong {
        /// the interpreter
        path: PathBuf,
        /// its length
        length: usize,
        /// what is allowed
        limit: usize,
    },
    /// The base installation carries no launcher (an embeddable Python).
    #[error("Failed to find the launcher for virtual environments in `{}`", .base.display())]
    NoLauncher {
        /// the base installation
        base: PathBuf,
    },
    /// The file system refused.
    #[error("Failed to create a virtual environment at `{}`", .path.display())]
    Io {
        /// the folder
        path: PathBuf,
        /// the operating system's reason, with the path
        source: io::Error,
    },
}

/// Everything that is known about the new environment before it exists.
struct Plan<'a> {
    root: PathBuf,
    base: &'a Interpreter,
    base_executable: PathBuf,
    scheme: Scheme,
    options: &'a VenvOptions,
    os: LayoutOs,
}

/// Makes a virtual environment at `root` and returns the path of its interpreter. If `base` is
/// itself a virtual environment, the new one stands on that one's base.
///
/// # Errors
/// If something is in the way, the base can't be used, or the file system refuses.
pub fn create_venv(
    base: &Interpreter,
    root: &Path,
    options: &VenvOptions,
) -> Result<PathBuf, VenvError> {
    let io = |source| VenvError::Io {
        path: root.to_path_buf(),
        source,
    };
    let root = std::path::absolute(root).map_err(io)?;
    let separator = if cfg!(windows) { ';' } else { ':' };
    if root.to_string_lossy().contains(separator) {
        return Err(VenvError::SeparatorInPath {
            path: root,
            separator,
        });
    }
    let plan = Plan {
        scheme: base.schemes.prefix_template.under(&root),
        base_executable: base.base_executable.clone(),
        base,
        options,
        os: LayoutOs::current(),
        root,
    };
    plan.check_length()?;
    plan.prepare_folder()?;
    plan.write()
}

impl Plan<'_> {
    fn io(&self, source: io::Error) -> VenvError {
        VenvError::Io {
            path: self.root.clone(),
            source,
        }
    }

    fn check_length(&self) -> Result<(), VenvError> {
        let path = self.scheme.scripts.join("python.exe");
        // Windows counts in UTF-16.
        let length = path.to_string_lossy().encode_utf16().count();
        match self.options.path_limit {
            Some(limit) if length > limit => Err(VenvError::PathTooLong {
                path,
                length,
                limit,
            }),
            _ => Ok(()),
        }
    }

    fn prepare_folder(&self) -> Result<(), VenvError> {
        let path = self.root.clone();
        if path.is_file() {
            return Err(VenvError::IsFile { path });
        }
        let entries = match fs_err::read_dir(&path) {
            Ok(entries) => entries
                .collect::<Result<Vec<_>, _>>()
                .map_err(|e| self.io(e))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(self.io(error)),
        };
        if entries.is_empty() {
            return fs_err::create_dir_all(&path).map_err(|error| self.io(error));
        }
        let is_venv = is_virtual_environment(&path);
        match self.options.existing {
            ExistingDirectory::Reuse if is_venv => Ok(()),
            ExistingDirectory::Clear => self.clear(&entries),
            _ => Err(VenvError::NotEmpty { path, is_venv }),
        }
    }

    fn clear(&self, entries: &[fs_err::DirEntry]) -> Result<(), VenvError> {
        let resolve = |path: &Path| fs_err::canonicalize(path).unwrap_or_else(|_| path.into());
        if resolve(&self.base_executable).starts_with(resolve(&self.root)) {
            return Err(VenvError::HoldsBase {
                path: self.root.clone(),
                interpreter: self.base_executable.clone(),
            });
        }
        for entry in entries {
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let removed = if is_folder {
                fs_err::remove_dir_all(entry.path())
            } else {
                fs_err::remove_file(entry.path())
            };
            removed.map_err(|error| self.io(error))?;
        }
        Ok(())
    }

    fn write(&self) -> Result<PathBuf, VenvError> {
        let folders = || -> io::Result<()> {
            fs_err::create_dir_all(&self.scheme.purelib)?;
            fs_err::create_dir_all(&self.scheme.scripts)?;
            fs_err::create_dir_all(&self.scheme.include)?;
            self.link_lib64()?;
            fs_err::create_dir_all(&self.scheme.platlib)?;
            fs_err::write(self.root.join(".gitignore"), "*\n")
        };
        folders().map_err(|error| self.io(error))?;
        let python = match self.os {
            LayoutOs::Posix => self.link_interpreter().map_err(|error| self.io(error))?,
            LayoutOs::Windows => self.copy_launchers()?,
        };
        self.write_activation().map_err(|error| self.io(error))?;
        // Last: without it, the folder isn't a virtual environment yet.
        fs_err::write(self.root.join("pyvenv.cfg"), self.configuration())
            .map_err(|error| self.io(error))?;
        Ok(python)
    }

    fn link_lib64(&self) -> io::Result<()> {
        let wanted = self.os == LayoutOs::Posix
            && self.base.pointer_width_bits == 64
            && self.base.markers.sys_platform() != "darwin";
        let link = self.root.join("lib64");
        if wanted && fs_err::symlink_metadata(&link).is_err() {
            symlink(Path::new("lib"), &link)?;
        }
        Ok(())
    }

    fn link_interpreter(&self) -> io::Result<PathBuf> {
        let bin = &self.scheme.scripts;
        let python = bin.join("python");
        let (major, minor) = self.base.version_info;
        let threads = if self.base.free_threaded { "t" } else { "" };
        let mut names = vec![
            "python3".to_string(),
            format!("python{major}.{minor}{threads}"),
        ];
        if self.base.implementation() == "PyPy" {
            names.extend(["pypy".to_string(), "pypy3".to_string()]);
        }
        remove_if_there(&python)?;
        if self.options.copies {
            fs_err::copy(&self.base_executable, &python)?;
        } else {
            symlink(&self.base_executable, &python)?;
        }
        for name in names {
            let link = bin.join(name);
            remove_if_there(&link)?;
            symlink(Path::new("python"), &link)?;
        }
        Ok(python)
    }

    fn configuration(&self) -> String {
        let home = self
            .base_executable
            .parent()
            .unwrap_or(&self.base_executable);
        let resolved = fs_err::canonicalize(&self.base_executable);
        let resolved = resolved.unwrap_or_else(|_| self.base_executable.clone());
        let mut text = String::new();
        let mut line = |key: &str, value: &str| {
            text.extend([key, " = ", value, "\n"]);
        };
        line("home", &home.to_string_lossy());
        line("implementation", self.base.implementation());
        let release = self.base.version().release();
        let version: Vec<String> = release.iter().map(ToString::to_string).collect();
        line("version", &version.join("."));
        let system = self.options.system_site_packages;
        line(
            "include-system-site-packages",
            if system { "true" } else { "false" },
        );
        if let Some(prompt) = &self.options.prompt {
            line("prompt", &single_line(prompt));
        }
        line(
            "executable",
            &windows::plain_path(&resolved).to_string_lossy(),
        );
        let flag = if system {
            " --system-site-packages"
        } else {
            ""
        };
        let command = format!(
            "{} -m venv --without-pip{flag} {}",
            self.base_executable.display(),
            self.root.display()
        );
        line("command", &command);
        text
    }

    /// The name that activation shows.
    fn prompt(&self) -> String {
        let name = || {
            self.root
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
        };
        let prompt = self.options.prompt.clone().or_else(name);
        single_line(&prompt.unwrap_or_else(|| "venv".to_string()))
    }
}

/// A prompt must not break out of its line in `pyvenv.cfg` or a script.
fn single_line(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs_err::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(unix)]
fn symlink(original: &Path, link: &Path) -> io::Result<()> {
    fs_err::os::unix::fs::symlink(original, link)
}

#[cfg(not(unix))]
fn symlink(original: &Path, link: &Path) -> io::Result<()> {
    let source = link
        .parent()
        .map_or_else(|| original.into(), |folder| folder.join(original));
    fs_err::copy(source, link).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_stay_on_their_line() {
        assert_eq!(single_line("my\nhome = /evil\r"), "myhome = /evil");
    }
}
