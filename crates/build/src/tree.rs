//! What a source tree declares: its build system (PEP 518, PEP 517), and its name and version where
//! `pyproject.toml` says them (PEP 621).

use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

use bnbpip_packaging::{PackageName, Requirement, Version};
use serde::Deserialize;

/// What runs in the place of a missing `build-backend`: setuptools, as `setup.py` was always run.
const LEGACY_BACKEND: &str = "setuptools.build_meta:__legacy__";
/// The oldest setuptools with that backend.
const LEGACY_REQUIREMENT: &str = "setuptools>=40.8.0";

/// How a project is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildSystem {
    /// What the backend needs to start.
    pub requires: Vec<Requirement>,
    /// The same as it is written.
    pub written: Vec<String>,
    /// What a backend needs that the project doesn't name: it has to be among the former.
    pub implied: Vec<Requirement>,
    /// The backend: `module`, or `module:object`.
    pub backend: String,
    /// Folders of the project in which the backend itself lies, relative to it.
    pub backend_path: Vec<PathBuf>,
}

/// A folder with a Python project.
#[derive(Debug, Clone)]
pub struct SourceTree {
    /// The folder.
    pub root: PathBuf,
    /// How it is built.
    pub system: BuildSystem,
    /// The project's name, if `pyproject.toml` says it.
    pub name: Option<PackageName>,
    /// Its version, if `pyproject.toml` says it.
    pub version: Option<Version>,
    /// Whether `pyproject.toml` describes the project (PEP 621).
    pub has_project_table: bool,
}

/// Why a folder can't be built.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// There is no project in it.
    #[error(
        "Directory '{}' is not installable. Neither 'setup.py' nor 'pyproject.toml' found.",
        .0.display()
    )]
    NoProject(PathBuf),
    /// `pyproject.toml` can't be read.
    #[error("Failed to read `{}`", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        #[source]
        source: std::io::Error,
    },
    /// `pyproject.toml` isn't TOML, or of other types than it should be.
    #[error("Failed to parse `{}`", .path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The place and the reason.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// `[build-system]` breaks a rule of its standard.
    #[error("Failed to use the [build-system] table of `{}`: {reason} (PEP 518)", .path.display())]
    BuildSystem {
        /// The file.
        path: PathBuf,
        /// The rule.
        reason: String,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Document {
    build_system: Option<BuildSystemTable>,
    project: Option<toml::Table>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct BuildSystemTable {
    requires: Option<toml::Value>,
    build_backend: Option<String>,
    #[serde(default)]
    backend_path: Vec<PathBuf>,
}

/// How many requirements a build may have: a page is fetched for each.
pub(crate) const REQUIREMENTS_LIMIT: usize = 5_000;

/// The largest `PKG-INFO` or answer of a backend: they are read whole, and strangers write them.
pub(crate) const LIMIT_BYTES: u64 = 16 << 20;

/// The largest `pyproject.toml`: a parsed value takes hundreds of bytes.
const TOML_LIMIT_BYTES: u64 = 2 << 20;

/// The content of a file that a project describes itself with.
///
/// # Errors
/// When it can't be read, or is too large.
pub(crate) fn read_limited(path: &Path, limit_bytes: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs_err::File::open(path)?
        .take(limit_bytes.saturating_add(1))
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit_bytes {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it has more than {limit_bytes} bytes"),
        ));
    }
    Ok(bytes)
}

fn into_text(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

impl SourceTree {
    /// Reads what a folder declares.
    ///
    /// # Errors
    /// When there is no project in it, or its `pyproject.toml` is wrong.
    pub fn open(root: &Path) -> Result<Self, TreeError> {
        let path = root.join("pyproject.toml");
        let text = match read_limited(&path, TOML_LIMIT_BYTES).and_then(into_text) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return if root.join("setup.py").is_file() {
                    Ok(Self::legacy(root))
                } else {
                    Err(TreeError::NoProject(root.to_path_buf()))
                };
            }
            Err(source) => return Err(TreeError::Read { path, source }),
        };
        let document: Document = toml::from_str(&text).map_err(|source| TreeError::Syntax {
            path: path.clone(),
            source: Box::new(source),
        })?;
        let text_of = |key: &str| {
            let value = document.project.as_ref()?.get(key)?;
            value.as_str()
        };
        Ok(Self {
            name: text_of("name").and_then(|name| PackageName::from_str(name).ok()),
            version: text_of("version").and_then(|version| Version::from_str(version).ok()),
            system: match document.build_system {
                Some(table) => table
                    .check(root)
                    .map_err(|reason| TreeError::BuildSystem { path, reason })?,
                None => legacy_system(),
            },
            has_project_table: document.project.is_some(),
            root: root.to_path_buf(),
        })
    }

    fn legacy(root: &Path) -> Self {
        Self {
            root: root.to_path_buf(),
            system: legacy_system(),
            name: None,
            version: None,
            has_project_table: false,
        }
    }
}

fn legacy_system() -> BuildSystem {
    let requires: Vec<_> = Requirement::from_str(LEGACY_REQUIREMENT)
        .into_iter()
        .collect();
    BuildSystem {
        implied: requires.clone(),
        requires,
        written: vec![LEGACY_REQUIREMENT.to_string()],
        backend: LEGACY_BACKEND.to_string(),
        backend_path: Vec::new(),
    }
}

impl BuildSystemTable {
    fn check(self, root: &Path) -> Result<BuildSystem, String> {
        let Some(requires) = self.requires else {
            return Err("the mandatory `requires` key is missing".to_string());
        };
        let requires = Vec::<String>::deserialize(requires)
            .map_err(|_| "`build-system.requires` is not a list of strings".to_string())?;
        if requires.len() > REQUIREMENTS_LIMIT {
            return Err(format!(
                "`build-system.requires` has more than {REQUIREMENTS_LIMIT} entries"
            ));
        }
        let written = requires;
        let requires: Vec<Requirement> = written
            .iter()
            .map(|text| {
                bnbpip_packaging::metadata::parse_requirement(text)
                    .map_err(|error| format!("`requires` holds '{text}', which is wrong: {error}"))
            })
            .collect::<Result<_, _>>()?;
        for path in &self.backend_path {
            let inside = path
                .components()
                .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
            if !inside || !root.join(path).is_dir() {
                return Err(format!(
                    "`backend-path` names `{}`, which is no folder of the project",
                    path.display()
                ));
            }
        }
        if self.build_backend.is_none() && !self.backend_path.is_empty() {
            return Err("`backend-path` needs a `build-backend`".to_string());
        }
        Ok(match self.build_backend {
            Some(backend) => BuildSystem {
                requires,
                written,
                implied: Vec::new(),
                backend,
                backend_path: self.backend_path,
            },
            None => BuildSystem {
                requires,
                written,
                ..legacy_system()
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(pyproject: &str) -> Result<SourceTree, TreeError> {
        let folder = tempfile::tempdir().unwrap();
        fs_err::create_dir(folder.path().join("inner")).unwrap();
        fs_err::write(folder.path().join("pyproject.toml"), pyproject).unwrap();
        SourceTree::open(folder.path())
    }

    #[test]
    fn reads_no_file_that_is_larger_than_any() {
        let large = format!("#{}", "x".repeat(17 << 20));
        assert!(matches!(tree(&large), Err(TreeError::Read { .. })));
    }

    #[test]
    fn reads_the_build_system_and_the_name() {
        let tree = tree(
            "[build-system]\nrequires = ['hatchling>=1.2']\nbuild-backend = 'hatchling.build'\n\
             [project]\nname = 'Some.Name'\ndynamic = ['version']\n",
        )
        .unwrap();
        assert_eq!(tree.system.backend, "hatchling.build");
        assert_eq!(tree.system.requires[0].to_string(), "hatchling>=1.2");
        assert_eq!(tree.name.unwrap().as_ref(), "some-name");
        assert_eq!(tree.version, None);
    }

    #[test]
    fn setuptools_stands_in() {
        let system = tree("[tool.x]\n").unwrap().system;
        assert_eq!(system, legacy_system());
        let system = tree("[build-system]\nrequires = ['setuptools', 'wheel']\n")
            .unwrap()
            .system;
        assert_eq!(system.backend, LEGACY_BACKEND);
        assert_eq!(system.requires.len(), 2);
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(
            SourceTree::open(folder.path()),
            Err(TreeError::NoProject(_))
        ));
        fs_err::write(folder.path().join("setup.py"), "").unwrap();
        assert_eq!(
            SourceTree::open(folder.path()).unwrap().system,
            legacy_system()
        );
    }

    #[test]
    fn refuses_what_the_standard_forbids() {
        for (text, part) in [
            (
                "[build-system]\nbuild-backend = 'x'\n",
                "the mandatory `requires` key is missing",
            ),
            (
                "[build-system]\nrequires = [1]\n",
                "`build-system.requires` is not a list of strings",
            ),
            ("[build-system]\nrequires = ['a b']\n", "which is wrong"),
            (
                "[build-system]\nrequires = []\nbuild-backend = 'x'\nbackend-path = ['../out']\n",
                "no folder of the project",
            ),
            (
                "[build-system]\nrequires = []\nbackend-path = ['inner']\n",
                "needs a `build-backend`",
            ),
        ] {
            let error = tree(text).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
        assert!(matches!(tree("a ="), Err(TreeError::Syntax { .. })));
    }
}
