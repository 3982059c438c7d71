//! What uninstalling a distribution removes: the files of its `RECORD` with their byte-code and
//! scripts, or what the older formats list; nothing outside of the environment, nothing that
//! the environment needs to work.

mod collect;

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use bnbpip_packaging::{PackageName, RecordError, Version};
use rustc_hash::{FxHashMap, FxHashSet};

use self::collect::Collector;
use crate::environment::{Environment, Roots};
use crate::installed::InstalledDistribution;

/// What an uninstall will do.
#[derive(Debug, Clone)]
pub struct RemovalPlan {
    /// The distribution.
    pub distribution: InstalledDistribution,
    /// The files that go, sorted.
    pub files: Vec<PathBuf>,
    /// Recorded files that stay, because they lie outside of the environment or it needs them.
    pub refused: Vec<PathBuf>,
    /// Lines that go from `easy-install.pth` files.
    pub path_lines: Vec<(PathBuf, String)>,
    /// Files that such lines should be in, and that aren't there.
    pub missing_path_files: Vec<PathBuf>,
    directories: FxHashMap<PathBuf, Directory>,
    info: PathBuf,
}

/// Why a distribution can't be uninstalled.
#[derive(Debug, thiserror::Error)]
pub enum RemovalError {
    /// There is no list of its files.
    #[error("Failed to uninstall `{name}` {version}: no `RECORD` file was found for it")]
    NoRecord {
        /// The distribution, as its metadata spells it.
        name: String,
        /// Its version.
        version: Version,
        /// Who installed it, if that is known.
        installer: Option<String>,
    },
    /// Distutils recorded the name alone.
    #[error(
        "Failed to uninstall `{name}`: it is a distutils installed project, and which files belong to it is unknown"
    )]
    Distutils {
        /// The distribution.
        name: PackageName,
        /// Its version.
        version: Version,
    },
    /// It is not in the environment that was asked for.
    #[error("Failed to uninstall `{name}`: `{location}` is outside of the environment")]
    OutsideEnvironment {
        /// The distribution.
        name: PackageName,
        /// Where it is.
        location: PathBuf,
    },
    /// It belongs to Python itself.
    #[error("Failed to uninstall `{name}`: `{location}` is the standard library")]
    StandardLibrary {
        /// The distribution.
        name: PackageName,
        /// Where it is.
        location: PathBuf,
    },
    /// Its `RECORD` is damaged.
    #[error("Failed to uninstall `{name}`")]
    Record {
        /// The distribution.
        name: PackageName,
        /// The cause.
        #[source]
        source: RecordError,
    },
    /// A file or folder could not be read.
    #[error("Failed to uninstall `{name}`")]
    Read {
        /// The distribution.
        name: PackageName,
        /// The cause.
        #[source]
        source: io::Error,
    },
}

impl RemovalError {
    /// What the user can do, in pip's words.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoRecord {
                name,
                version,
                installer,
            } => Some(match installer.as_deref() {
                Some(installer) if installer != "pip" && installer != "bnbpip" => format!(
                    "The package was installed by {installer}. You should check if it can \
                     uninstall the package."
                ),
                _ => format!(
                    "You might be able to recover from this via: pip install --ignore-installed \
                     --no-deps {name}=={version}"
                ),
            }),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, Default)]
struct Directory {
    removed: FxHashSet<OsString>,
    kept: usize,
    subdirectories: Vec<OsString>,
}

/// The fewest paths whose moving away removes a distribution.
#[derive(Debug, Default)]
pub(crate) struct Cover {
    /// Whole folders, then single files; those of the `.dist-info` folder first.
    pub(crate) paths: Vec<PathBuf>,
    /// Folders among `paths`.
    pub(crate) directories: FxHashSet<PathBuf>,
    /// Folders that may be empty afterwards, deepest first.
    pub(crate) parents: Vec<PathBuf>,
}

impl RemovalPlan {
    /// Computes what uninstalling would remove. Nothing is changed.
    ///
    /// # Errors
    ///
    /// When the distribution's files are unknown, or not this environment's to remove.
    pub fn new(
        environment: &Environment,
        distribution: &InstalledDistribution,
    ) -> Result<Self, RemovalError> {
        Self::with_roots(&Roots::resolve(environment), environment, distribution)
    }

    pub(crate) fn with_roots(
        roots: &Roots,
        environment: &Environment,
        distribution: &InstalledDistribution,
    ) -> Result<Self, RemovalError> {
        let mut collector = Collector::new(roots, environment, distribution)?;
        collector.collect()?;
        collector
            .finish()
            .map_err(|source| read_error(distribution, source))
    }

    /// Removes nothing but the `.dist-info` folder: for a distribution without a readable `RECORD`
    /// which another is installed over.
    pub(crate) fn record_alone(
        roots: &Roots,
        environment: &Environment,
        distribution: &InstalledDistribution,
    ) -> Result<Self, RemovalError> {
        let mut collector = Collector::new(roots, environment, distribution)?;
        let info = collector.info.clone();
        collector.want_tree(&info)?;
        collector
            .finish()
            .map_err(|source| read_error(distribution, source))
    }

    /// The listing that people confirm: files, and folders which go whole as `folder/*`.
    pub fn summary(&self, environment: &Environment) -> Vec<String> {
        let cover = self.cover(&Roots::resolve(environment), &|_| false);
        let mut lines: Vec<String> = cover
            .paths
            .iter()
            .map(|path| {
                if cover.directories.contains(path) {
                    path.join("*").display().to_string()
                } else {
                    path.display().to_string()
                }
            })
            .collect();
        lines.sort();
        lines
    }

    /// The fewest moves that remove the files, those that `keeps` says left where they are.
    pub(crate) fn cover(&self, roots: &Roots, keeps: &dyn Fn(&Path) -> bool) -> Cover {
        let mut order: Vec<&PathBuf> = self.directories.keys().collect();
        order.sort_by_key(|path| std::cmp::Reverse(path.components().count()));
        let mut whole: FxHashSet<&Path> = FxHashSet::default();
        for path in order {
            let directory = &self.directories[path];
            let all_removed = directory.kept == 0
                && (is_own_egg(path, &self.info) || !roots.is_boundary(path))
                && directory
                    .removed
                    .iter()
                    .all(|name| !keeps(&path.join(name)))
                && directory
                    .subdirectories
                    .iter()
                    .all(|name| whole.contains(path.join(name).as_path()));
            if all_removed {
                whole.insert(path);
            }
        }
        let mut cover = Cover::default();
        let mut parents: FxHashSet<PathBuf> = FxHashSet::default();
        for (path, directory) in &self.directories {
            if whole.contains(path.as_path()) {
                let parent_goes = path.parent().is_some_and(|parent| whole.contains(parent));
                if !parent_goes {
                    cover.paths.push(path.clone());
                    cover.directories.insert(path.clone());
                }
                continue;
            }
            if !roots.is_boundary(path) {
                parents.insert(path.clone());
            }
            for name in &directory.removed {
                let file = path.join(name);
                if !keeps(&file) {
                    cover.paths.push(file);
                }
            }
        }
        // The record goes first: what is being taken apart must not look installed.
        cover.paths.sort_by(|a, b| {
            let rank = |path: &Path| !path.starts_with(&self.info);
            (rank(a), a).cmp(&(rank(b), b))
        });
        cover.parents = parents.into_iter().collect();
        cover.parents.sort_by(|a, b| {
            b.components()
                .count()
                .cmp(&a.components().count())
                .then(a.cmp(b))
        });
        cover
    }
}

/// Whether a folder is the `.egg` of a distribution with this record: it stands on the path itself,
/// and goes whole all the same.
fn is_own_egg(folder: &Path, info: &Path) -> bool {
    folder
        .extension()
        .is_some_and(|extension| extension == "egg")
        && info.parent() == Some(folder)
}

fn read_error(distribution: &InstalledDistribution, source: io::Error) -> RemovalError {
    RemovalError::Read {
        name: distribution.name.clone(),
        source,
    }
}
