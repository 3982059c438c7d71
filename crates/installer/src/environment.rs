//! What the installer has to know of a target: its install scheme, its interpreter, and where
//! bnbpip keeps its own files in it. Plain data: the caller probes, this crate doesn't.

use std::path::{Path, PathBuf};

use crate::history::History;
use crate::paths;

/// The folders that a wheel's files go to (`sysconfig.get_paths()` of the target).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheme {
    /// Pure Python libraries.
    pub purelib: PathBuf,
    /// Libraries with compiled code; often the same folder.
    pub platlib: PathBuf,
    /// Executables.
    pub scripts: PathBuf,
    /// The base of data files, usually the environment's prefix.
    pub data: PathBuf,
    /// The base of C headers; a distribution's go to a folder of its name in it.
    pub headers: PathBuf,
}

/// What scripts and byte-code depend on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterpreterFacts {
    /// `sys.executable`, symbolic links not resolved: it stands in shebang lines.
    pub sys_executable: PathBuf,
    /// `pythonw.exe`, for GUI scripts on Windows; `None` where there is none.
    pub gui_executable: Option<PathBuf>,
    /// Major and minor version.
    pub version: (u8, u8),
    /// The whole version, such as `3.11.7`.
    pub full_version: String,
    /// Whether the target runs Windows.
    pub is_windows: bool,
    /// `sys.implementation.cache_tag`; `None` when the interpreter writes no byte-code.
    pub cache_tag: Option<String>,
    /// The longest path of a file that it can open, in UTF-16 units; none where there is no such
    /// limit.
    pub path_limit: Option<usize>,
}

/// A place to install to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Where files go.
    pub scheme: Scheme,
    /// The interpreter that will run them.
    pub interpreter: InterpreterFacts,
    /// The prefix of a virtual environment: nothing outside of it is ever removed. `None` for
    /// an interpreter that isn't in one.
    pub prefix: Option<PathBuf>,
    /// The folders of the standard library (`stdlib`, `platstdlib`); never removed from.
    pub stdlib: Vec<PathBuf>,
    /// The folders that hold installed distributions, in the order of `sys.path`.
    pub library_dirs: Vec<PathBuf>,
    /// Where the lock and the journal live while it is changed; see [`default_state_dir`].
    pub state_dir: PathBuf,
    /// Where it is kept what changed; `None` for what nobody takes back.
    pub history: Option<History>,
}

/// The folder for bnbpip's own files in an environment while it changes it: `<prefix>/.bnbpip` in
/// a virtual environment, which keeps it out of `sys.path`, else `<library>/.bnbpip`.
pub fn default_state_dir(virtual_environment_prefix: Option<&Path>, purelib: &Path) -> PathBuf {
    virtual_environment_prefix
        .unwrap_or(purelib)
        .join(".bnbpip")
}

/// The environment's folders with symbolic links resolved, so that one file has one path.
#[derive(Debug, Clone)]
pub(crate) struct Roots {
    pub(crate) purelib: PathBuf,
    pub(crate) platlib: PathBuf,
    pub(crate) scripts: PathBuf,
    pub(crate) data: PathBuf,
    pub(crate) headers: PathBuf,
    pub(crate) prefix: Option<PathBuf>,
    pub(crate) stdlib: Vec<PathBuf>,
    pub(crate) library_dirs: Vec<PathBuf>,
    state: PathBuf,
}

impl Roots {
    pub(crate) fn resolve(environment: &Environment) -> Self {
        let scheme = &environment.scheme;
        Self {
            purelib: paths::resolve(&scheme.purelib),
            platlib: paths::resolve(&scheme.platlib),
            scripts: paths::resolve(&scheme.scripts),
            data: paths::resolve(&scheme.data),
            headers: paths::resolve(&scheme.headers),
            prefix: environment.prefix.as_deref().map(paths::resolve),
            stdlib: environment
                .stdlib
                .iter()
                .map(|p| paths::resolve(p))
                .collect(),
            library_dirs: environment
                .library_dirs
                .iter()
                .map(|p| paths::resolve(p))
                .collect(),
            state: paths::resolve(&environment.state_dir),
        }
    }

    /// Whether a folder belongs to the environment rather than to a distribution: it is a root
    /// or holds one, and is never moved or removed.
    pub(crate) fn is_boundary(&self, directory: &Path) -> bool {
        [
            &self.purelib,
            &self.platlib,
            &self.scripts,
            &self.data,
            &self.headers,
        ]
        .into_iter()
        .chain(self.prefix.as_ref())
        .chain(&self.library_dirs)
        .chain(&self.stdlib)
        .any(|root| root.starts_with(directory))
    }

    /// Whether a wheel must not write this path, nor an uninstall remove it: the interpreter,
    /// the activation scripts, `pyvenv.cfg`, Python's own library, bnbpip's own files, and what
    /// stands for the environment's folders.
    pub(crate) fn is_protected(&self, path: &Path) -> bool {
        if is_below(path, &self.state) || self.is_of_python(path) {
            return true;
        }
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            return false;
        };
        let name = name.to_ascii_lowercase();
        let parent = path.parent();
        if parent == Some(&self.scripts) {
            return is_interpreter_name(&name) || is_activation_name(&name);
        }
        let is_at_top = parent == self.prefix.as_deref() || parent == Some(self.data.as_path());
        // A file, or a link, in a folder's place.
        is_at_top
            && [
                "pyvenv.cfg",
                "lib",
                "lib64",
                "bin",
                "scripts",
                "include",
                "share",
            ]
            .contains(&name.as_str())
    }

    /// Whether the path lies in the standard library's folder, or where that of an environment
    /// would be, and in no folder for packages.
    fn is_of_python(&self, path: &Path) -> bool {
        let libraries = [&self.purelib, &self.platlib];
        let holds_packages = |library: &Path| {
            let name = library.file_name();
            name.is_some_and(|name| name == "site-packages" || name == "dist-packages")
        };
        let is_of_packages = libraries
            .into_iter()
            .chain(self.library_dirs.iter().filter(|it| holds_packages(it)))
            .any(|library| is_below(path, library));
        if is_of_packages {
            return false;
        }
        let mut beside_packages = libraries
            .into_iter()
            .filter(|library| holds_packages(library))
            .filter_map(|library| library.parent());
        // On Windows the scripts and headers of `--user` lie there, too.
        let mut placed = [&self.scripts, &self.headers].into_iter();
        self.stdlib.iter().any(|folder| is_below(path, folder))
            || beside_packages.any(|folder| is_below(path, folder))
                && !placed.any(|folder| is_below(path, folder))
    }
}

fn is_below(path: &Path, folder: &Path) -> bool {
    // Without copies where case counts: every file of a removal is asked about.
    path.starts_with(folder)
        || cfg!(any(windows, target_os = "macos"))
            && paths::key(path).starts_with(paths::key(folder))
}

fn is_interpreter_name(name: &str) -> bool {
    let stem = name.strip_suffix(".exe").unwrap_or(name);
    ["pythonw", "python", "pypyw", "pypy"].iter().any(|base| {
        stem.strip_prefix(base).is_some_and(|version| {
            let version = version.strip_suffix('t').unwrap_or(version);
            version
                .chars()
                .all(|digit| digit.is_ascii_digit() || digit == '.')
        })
    })
}

fn is_activation_name(name: &str) -> bool {
    ["activate", "deactivate"]
        .iter()
        .any(|base| name.strip_prefix(base).is_some_and(is_script_suffix))
}

fn is_script_suffix(suffix: &str) -> bool {
    matches!(
        suffix,
        "" | ".bat" | ".ps1" | ".csh" | ".fish" | ".nu" | ".xsh" | "_this.py" | ".exe" | ".cmd"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_files_that_make_an_environment_work() {
        for name in [
            "python",
            "python3",
            "python3.11",
            "python3.13t",
            "pythonw.exe",
        ] {
            assert!(is_interpreter_name(name), "{name}");
        }
        for name in ["python-config", "pythonic", "ipython", "python3-config"] {
            assert!(!is_interpreter_name(name), "{name}");
        }
        assert!(is_activation_name("activate.fish"));
        assert!(!is_activation_name("activate-global-python-argcomplete"));
    }
    #[test]
    fn scripts_may_lie_beside_the_users_packages() {
        let base = tempfile::tempdir().unwrap();
        let base = paths::resolve(base.path());
        let users = base.join("Python311");
        let packages = users.join("site-packages");
        let roots = Roots {
            state: packages.join(".bnbpip"),
            purelib: packages.clone(),
            platlib: packages,
            scripts: users.join("Scripts"),
            headers: users.join("Include"),
            data: base,
            prefix: None,
            stdlib: Vec::new(),
            library_dirs: Vec::new(),
        };
        for (path, is_protected) in [
            ("Scripts/run.exe", false),
            ("Scripts/python.exe", true),
            ("Include/one/one.h", false),
            ("site-packages/one.py", false),
            ("os.py", true),
        ] {
            assert_eq!(
                roots.is_protected(&users.join(path)),
                is_protected,
                "{path}"
            );
        }
    }
}
