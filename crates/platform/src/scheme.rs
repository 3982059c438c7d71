//! Install schemes: the folders that the parts of a wheel go to, as `sysconfig` names them.

use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::Interpreter;

/// The folders of one installation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scheme {
    /// Pure Python modules.
    pub purelib: PathBuf,
    /// Modules with compiled code.
    pub platlib: PathBuf,
    /// Executables.
    pub scripts: PathBuf,
    /// The root of other data files.
    pub data: PathBuf,
    /// The folder that holds one folder of C headers for each project; see [`Scheme::headers`].
    pub include: PathBuf,
}

/// A scheme relative to a base folder that is chosen later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemeTemplate {
    /// Pure Python modules.
    pub purelib: PathBuf,
    /// Modules with compiled code.
    pub platlib: PathBuf,
    /// Executables.
    pub scripts: PathBuf,
    /// The root of other data files.
    pub data: PathBuf,
    /// C headers.
    pub include: PathBuf,
}

/// All schemes of an interpreter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemeSet {
    /// Where packages go without further options.
    pub prefix: Scheme,
    /// Where packages go for one user; `None` if the interpreter has no such scheme.
    pub user: Option<Scheme>,
    /// The layout under another prefix (`--prefix`), also that of a new virtual environment.
    pub prefix_template: SchemeTemplate,
    /// The layout under one flat folder; `None` if the interpreter has no such scheme.
    pub home_template: Option<SchemeTemplate>,
}

/// Where the user wants packages to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement<'a> {
    /// Into the environment itself.
    Environment,
    /// `--user`
    User,
    /// `--prefix`: an absolute folder.
    Prefix(&'a Path),
    /// `--target`: an absolute folder that holds modules directly and scripts in its `bin`.
    Target(&'a Path),
}

/// Why an interpreter has no scheme for a placement.
#[derive(Debug, thiserror::Error)]
pub enum SchemeError {
    /// The interpreter offers no user scheme.
    #[error("Failed to find a user scheme for `{}`", .executable.display())]
    NoUserScheme {
        /// the interpreter
        executable: PathBuf,
    },
    /// User packages wouldn't be importable from this virtual environment.
    #[error(
        "Can not perform a '--user' install. User site-packages are not visible in this virtualenv."
    )]
    HiddenUserScheme {
        /// the environment
        prefix: PathBuf,
    },
}

impl Interpreter {
    /// The folders for a placement.
    ///
    /// # Errors
    /// If packages can't be installed for the user with this interpreter.
    pub fn scheme(&self, placement: Placement<'_>) -> Result<Scheme, SchemeError> {
        match placement {
            Placement::Environment => Ok(self.schemes.prefix.clone()),
            Placement::User => self.user_scheme(),
            Placement::Prefix(base) => Ok(self.schemes.prefix_template.under(base)),
            Placement::Target(base) => Ok(self.target_scheme(base)),
        }
    }

    fn user_scheme(&self) -> Result<Scheme, SchemeError> {
        if self.is_venv && !self.system_site_packages {
            return Err(SchemeError::HiddenUserScheme {
                prefix: self.prefix.clone(),
            });
        }
        (self.schemes.user.clone()).ok_or_else(|| SchemeError::NoUserScheme {
            executable: self.sys_executable.clone(),
        })
    }

    /// The flat layout: the library folders of the `home` scheme are moved up into its base.
    fn target_scheme(&self, base: &Path) -> Scheme {
        let template =
            (self.schemes.home_template.as_ref()).unwrap_or(&self.schemes.prefix_template);
        Scheme {
            purelib: base.to_path_buf(),
            platlib: base.to_path_buf(),
            ..template.under(base)
        }
    }
}

impl SchemeTemplate {
    /// The scheme under this base.
    pub fn under(&self, base: &Path) -> Scheme {
        let join = |relative: &Path| {
            let parts = relative
                .components()
                .filter(|part| *part != Component::CurDir);
            base.components().chain(parts).collect()
        };
        Scheme {
            purelib: join(&self.purelib),
            platlib: join(&self.platlib),
            scripts: join(&self.scripts),
            data: join(&self.data),
            include: join(&self.include),
        }
    }
}

impl Scheme {
    /// Where the headers of a project go. `project` is its name as the wheel gives it.
    pub fn headers(&self, project: &str) -> PathBuf {
        self.include.join(project)
    }

    /// The same scheme with every path moved under `root` (`--root`); drive letters are dropped.
    #[must_use]
    pub fn rooted(&self, root: &Path) -> Self {
        let move_under = |path: &Path| {
            let parts = path
                .components()
                .filter(|part| !matches!(part, Component::Prefix(_) | Component::RootDir));
            root.components().chain(parts).collect()
        };
        Self {
            purelib: move_under(&self.purelib),
            platlib: move_under(&self.platlib),
            scripts: move_under(&self.scripts),
            data: move_under(&self.data),
            include: move_under(&self.include),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template() -> SchemeTemplate {
        SchemeTemplate {
            purelib: "lib/python3.11/site-packages".into(),
            platlib: "lib64/python3.11/site-packages".into(),
            scripts: "bin".into(),
            data: ".".into(),
            include: "include/python3.11".into(),
        }
    }

    #[test]
    fn a_template_is_placed_under_its_base() {
        let scheme = template().under(Path::new("/opt/app"));
        assert_eq!(scheme.data, Path::new("/opt/app"));
        assert_eq!(
            scheme.platlib,
            Path::new("/opt/app/lib64/python3.11/site-packages")
        );
        assert_eq!(
            scheme.headers("greenlet"),
            Path::new("/opt/app/include/python3.11/greenlet")
        );
    }

    #[test]
    fn a_root_comes_before_the_whole_path() {
        let scheme = template()
            .under(Path::new("/usr"))
            .rooted(Path::new("/image"));
        assert_eq!(scheme.scripts, Path::new("/image/usr/bin"));
        assert_eq!(scheme.data, Path::new("/image/usr"));
    }
}
