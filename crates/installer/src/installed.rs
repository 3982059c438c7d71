//! What is installed: the distributions in an environment's library folders, in the order of
//! `sys.path`, as `importlib.metadata` sees them
//! ([recording installed packages](https://packaging.python.org/en/latest/specifications/recording-installed-packages/)).

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use bnbpip_packaging::{
    CoreMetadata, DirectUrl, Headers, MetadataError, PackageName, Version, with_requires_txt,
};
use rustc_hash::FxHashSet;

use crate::regular::{read_regular, read_regular_text};

/// How a distribution was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DistributionKind {
    /// A `.dist-info` folder: every current installer's.
    DistInfo,
    /// A `.egg-info` folder or file, or a `.egg` folder: old setuptools and distutils.
    EggInfo,
    /// A `.egg-link` file: an old setuptools development install.
    EggLink,
}

/// An installed distribution. Name and version come from the folder's name; everything else is
/// read when asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstalledDistribution {
    /// The normalised name.
    pub name: PackageName,
    /// The version; where what is recorded isn't one by PEP 440, the lowest that there is.
    pub version: Version,
    /// What is recorded as the version, if that isn't one by PEP 440.
    pub legacy_version: Option<String>,
    /// The name as the folder spells it; the metadata's own spelling is in [`Self::metadata`].
    pub display_name: String,
    /// The library folder.
    pub location: PathBuf,
    /// The `.dist-info` or `.egg-info` folder or file, or the `.egg-link` file.
    pub dist_info: PathBuf,
    /// How it is recorded.
    pub kind: DistributionKind,
    /// The project folder of a `.egg-link`.
    pub linked_project: Option<PathBuf>,
}

/// What stands for a version that isn't one: whatever is asked for is newer.
const LOWEST_VERSION: &str = "0.dev0";

/// Why metadata of an installed distribution could not be read.
#[derive(Debug, thiserror::Error)]
pub enum InstalledError {
    /// The file could not be read.
    #[error("Failed to read metadata of `{name}`")]
    Read {
        /// The distribution.
        name: PackageName,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The metadata is invalid.
    #[error("Failed to read metadata of `{name}` in `{path}`")]
    Metadata {
        /// The distribution.
        name: PackageName,
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: MetadataError,
    },
    /// The `direct_url.json` is invalid.
    #[error("Failed to read `direct_url.json` of `{name}`")]
    DirectUrl {
        /// The distribution.
        name: PackageName,
        /// The cause.
        #[source]
        source: serde_json::Error,
    },
}

impl InstalledDistribution {
    /// Where its core metadata stands.
    pub fn metadata_path(&self) -> PathBuf {
        match self.kind {
            DistributionKind::DistInfo => self.dist_info.join("METADATA"),
            DistributionKind::EggInfo if self.dist_info.is_dir() => self.dist_info.join("PKG-INFO"),
            DistributionKind::EggInfo => self.dist_info.clone(),
            DistributionKind::EggLink => self
                .linked_project
                .as_deref()
                .and_then(egg_info_of_project)
                .unwrap_or_else(|| self.dist_info.clone())
                .join("PKG-INFO"),
        }
    }

    /// Its core metadata as it stands there; that of an `.egg-info` folder with the requirements
    /// from the file beside it.
    ///
    /// # Errors
    ///
    /// When the file can't be read.
    pub fn metadata_document(&self) -> io::Result<Vec<u8>> {
        let path = self.metadata_path();
        let document = read_regular(&path)?;
        if path.file_name() != Some(OsStr::new("PKG-INFO")) {
            return Ok(document);
        }
        // Most have none: they require nothing, or their metadata says it.
        Ok(
            match read_regular_text(&path.with_file_name("requires.txt")) {
                Ok(requires) => with_requires_txt(document, &requires),
                Err(_) => document,
            },
        )
    }

    /// Reads its core metadata.
    ///
    /// # Errors
    ///
    /// When the file can't be read or is not valid metadata.
    pub fn metadata(&self) -> Result<CoreMetadata, InstalledError> {
        let path = self.metadata_path();
        let bytes = self
            .metadata_document()
            .map_err(|source| self.read_error(source))?;
        CoreMetadata::parse(&bytes).map_err(|source| InstalledError::Metadata {
            name: self.name.clone(),
            path,
            source,
        })
    }

    /// The name as its metadata spells it; without metadata, the normalised one.
    pub fn spelled_name(&self) -> String {
        match self.metadata() {
            Ok(metadata) => metadata.display_name,
            Err(_) => self.name.to_string(),
        }
    }

    /// The text of its `INSTALLER` file.
    pub fn installer(&self) -> Option<String> {
        let text = read_regular_text(&self.dist_info.join("INSTALLER")).ok()?;
        text.lines()
            .map(str::trim)
            .find(|line| !line.is_empty())
            .map(str::to_string)
    }

    /// Whether the user asked for it (`REQUESTED`).
    pub fn requested(&self) -> bool {
        fs_err::metadata(self.dist_info.join("REQUESTED")).is_ok()
    }

    /// Where it came from, if it says so.
    ///
    /// # Errors
    ///
    /// When `direct_url.json` is there but can't be read.
    pub fn direct_url(&self) -> Result<Option<DirectUrl>, InstalledError> {
        if self.kind != DistributionKind::DistInfo {
            return Ok(None);
        }
        match read_regular(&self.dist_info.join("direct_url.json")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(self.read_error(source)),
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|source| {
                InstalledError::DirectUrl {
                    name: self.name.clone(),
                    source,
                }
            }),
        }
    }

    /// The project folder of an editable install, as a URL in `direct_url.json` or a link says.
    pub fn is_editable(&self) -> bool {
        self.kind == DistributionKind::EggLink
            || self
                .direct_url()
                .is_ok_and(|url| url.is_some_and(|url| url.is_editable()))
    }

    fn read_error(&self, source: io::Error) -> InstalledError {
        InstalledError::Read {
            name: self.name.clone(),
            source,
        }
    }
}

/// The installed distributions of an environment.
#[derive(Debug, Clone, Default)]
pub struct InstalledEnvironment {
    /// The distributions that count: the first of each name.
    pub distributions: Vec<InstalledDistribution>,
    /// Those of the same name later in the path, or beside the first in one folder.
    pub shadowed: Vec<InstalledDistribution>,
    /// Entries that look like distributions but are not usable: `~`-prefixed remains of an
    /// interrupted uninstall, unreadable names.
    pub invalid: Vec<PathBuf>,
}

impl InstalledEnvironment {
    /// Scans library folders in the order of `sys.path`. Folders that don't exist are passed over.
    ///
    /// # Errors
    ///
    /// When a folder is there but can't be listed.
    pub fn scan(library_dirs: &[PathBuf]) -> io::Result<Self> {
        let mut environment = Self::default();
        let mut names: FxHashSet<PackageName> = FxHashSet::default();
        let mut folders: FxHashSet<&Path> = FxHashSet::default();
        for folder in library_dirs {
            if !folders.insert(folder) {
                continue;
            }
            let mut found = Vec::new();
            scan_folder(folder, &mut found, &mut environment.invalid)?;
            // The order of a folder's entries is the file system's; ours must not depend on it. What
            // a link leads to is on the path behind the folder.
            found.sort_by(|a, b| {
                let is_link = |it: &InstalledDistribution| it.kind == DistributionKind::EggLink;
                (is_link(a), &a.dist_info).cmp(&(is_link(b), &b.dist_info))
            });
            for distribution in found {
                if names.insert(distribution.name.clone()) {
                    environment.distributions.push(distribution);
                } else {
                    environment.shadowed.push(distribution);
                }
            }
        }
        environment
            .distributions
            .sort_by(|a, b| a.name.cmp(&b.name));
        environment.invalid.sort();
        Ok(environment)
    }

    /// The distribution of this name.
    pub fn get(&self, name: &PackageName) -> Option<&InstalledDistribution> {
        self.distributions
            .binary_search_by(|distribution| distribution.name.cmp(name))
            .ok()
            .map(|at| &self.distributions[at])
    }
}

fn scan_folder(
    folder: &Path,
    found: &mut Vec<InstalledDistribution>,
    invalid: &mut Vec<PathBuf>,
) -> io::Result<()> {
    if has_extension(folder, "egg") {
        let info = folder.join("EGG-INFO");
        found.extend(from_pkg_info(folder, &info.join("PKG-INFO"), info.clone()));
        return Ok(());
    }
    // The plain iterator: the wrapped one allocates the folder's path for every entry.
    let entries = match fs_err::read_dir(folder) {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(());
        }
        outcome => outcome?,
    };
    for entry in entries {
        let file_name = entry?.file_name();
        let Some(name) = file_name.to_str() else {
            continue;
        };
        let Some((stem, extension)) = name.rsplit_once('.') else {
            continue;
        };
        let distribution = match extension {
            "dist-info" => from_dist_info(folder, name, stem),
            "egg-info" => from_egg_info(folder, name, stem),
            "egg-link" => from_egg_link(folder, name),
            _ => continue,
        };
        match distribution {
            Some(distribution) => found.push(distribution),
            None => invalid.push(folder.join(name)),
        }
    }
    Ok(())
}

fn from_dist_info(folder: &Path, name: &str, stem: &str) -> Option<InstalledDistribution> {
    if stem.starts_with('~') {
        return None;
    }
    let named = stem.rsplit_once('-').and_then(|(project, version)| {
        Some((project.parse().ok()?, version.parse().ok()?, project))
    });
    let dist_info = folder.join(name);
    let Some((package, version, project)) = named else {
        return from_pkg_info(folder, &dist_info.join("METADATA"), dist_info.clone()).map(
            |found| InstalledDistribution {
                kind: DistributionKind::DistInfo,
                ..found
            },
        );
    };
    Some(InstalledDistribution {
        name: package,
        version,
        legacy_version: None,
        display_name: project.to_string(),
        location: folder.to_path_buf(),
        dist_info,
        kind: DistributionKind::DistInfo,
        linked_project: None,
    })
}

/// `name-version-pyX.Y.egg-info`, or a name alone with the version in `PKG-INFO`.
fn from_egg_info(folder: &Path, name: &str, stem: &str) -> Option<InstalledDistribution> {
    if stem.starts_with('~') {
        return None;
    }
    let path = folder.join(name);
    let mut parts = stem.split('-');
    let project = parts.next()?;
    let version = parts.next().and_then(|version| version.parse().ok());
    match (project.parse(), version) {
        (Ok(package), Some(version)) => Some(InstalledDistribution {
            name: package,
            version,
            legacy_version: None,
            display_name: project.to_string(),
            location: folder.to_path_buf(),
            dist_info: path,
            kind: DistributionKind::EggInfo,
            linked_project: None,
        }),
        _ if path.is_dir() => from_pkg_info(folder, &path.join("PKG-INFO"), path.clone()),
        _ => from_pkg_info(folder, &path, path.clone()),
    }
}

fn from_egg_link(folder: &Path, name: &str) -> Option<InstalledDistribution> {
    let link = folder.join(name);
    let text = read_regular_text(&link).ok()?;
    let project = PathBuf::from(text.lines().next()?.trim());
    let info = egg_info_of_project(&project)?;
    let found = from_pkg_info(folder, &info.join("PKG-INFO"), link)?;
    Some(InstalledDistribution {
        kind: DistributionKind::EggLink,
        linked_project: Some(project),
        ..found
    })
}

fn egg_info_of_project(project: &Path) -> Option<PathBuf> {
    let mut candidates: Vec<PathBuf> = fs_err::read_dir(project)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| has_extension(path, "egg-info"))
        .collect();
    candidates.sort();
    candidates.into_iter().next()
}

fn from_pkg_info(folder: &Path, file: &Path, info: PathBuf) -> Option<InstalledDistribution> {
    let text = read_regular(file).ok()?;
    let headers = Headers::parse(&String::from_utf8_lossy(&text));
    let display_name = headers.first("Name")?.to_string();
    let recorded = headers.first("Version").filter(|text| !text.is_empty())?;
    let (version, legacy_version) = match recorded.parse() {
        Ok(version) => (version, None),
        Err(_) => (LOWEST_VERSION.parse().ok()?, Some(recorded.to_string())),
    };
    Some(InstalledDistribution {
        name: display_name.parse().ok()?,
        version,
        legacy_version,
        display_name,
        location: folder.to_path_buf(),
        dist_info: info,
        kind: DistributionKind::EggInfo,
        linked_project: None,
    })
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found == extension)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, text: &str) {
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    }

    #[test]
    fn finds_every_kind_and_the_first_wins() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (folder.path().join("a"), folder.path().join("b"));
        write(
            &first.join("Foo_Bar-1.0.dist-info/METADATA"),
            "Name: foo.bar\nVersion: 1.0\n\n",
        );
        write(
            &first.join("old-0.5-py3.9.egg-info/PKG-INFO"),
            "Name: old\nVersion: 0.5\n\n",
        );
        write(&first.join("flat.egg-info"), "Name: Flat\nVersion: 2\n\n");
        write(&first.join("~oo-1.0.dist-info/METADATA"), "");
        write(&first.join("broken.dist-info/METADATA"), "no headers");
        let project = folder.path().join("project");
        write(
            &project.join("dev.egg-info/PKG-INFO"),
            "Name: dev\nVersion: 3\n\n",
        );
        write(
            &first.join("dev.egg-link"),
            &format!("{}\n.", project.display()),
        );
        write(
            &second.join("foo_bar-2.0.dist-info/METADATA"),
            "Name: foo-bar\nVersion: 2.0\n\n",
        );
        let missing = folder.path().join("missing");
        let found =
            InstalledEnvironment::scan(&[first.clone(), missing, second, first.clone()]).unwrap();
        let names: Vec<String> = found
            .distributions
            .iter()
            .map(|d| format!("{} {} {:?}", d.name, d.version, d.kind))
            .collect();
        assert_eq!(
            names,
            [
                "dev 3 EggLink",
                "flat 2 EggInfo",
                "foo-bar 1.0 DistInfo",
                "old 0.5 EggInfo"
            ]
        );
        assert_eq!(found.shadowed.len(), 1);
        assert_eq!(
            found.invalid,
            [
                first.join("broken.dist-info"),
                first.join("~oo-1.0.dist-info")
            ]
        );
        let dev = found.get(&"dev".parse().unwrap()).unwrap();
        assert!(dev.is_editable());
        assert_eq!(dev.metadata().unwrap().version.to_string(), "3");
        let foo = found.get(&"foo-bar".parse().unwrap()).unwrap();
        assert_eq!(foo.metadata().unwrap().display_name, "foo.bar");
        assert_eq!((foo.installer(), foo.requested()), (None, false));
    }

    #[test]
    fn what_is_in_a_folder_comes_before_what_it_links_to() {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("library");
        let project = folder.path().join("project");
        let said = "Name: Dev\nVersion: 1\n\n";
        write(&project.join("Dev.egg-info/PKG-INFO"), said);
        let link = format!("{}\n.", project.display());
        write(&library.join("Dev.egg-link"), &link);
        write(&library.join("dev-1.dist-info/METADATA"), said);
        let found = InstalledEnvironment::scan(&[library]).unwrap();
        assert_eq!(found.distributions[0].kind, DistributionKind::DistInfo);
        assert_eq!(found.shadowed[0].kind, DistributionKind::EggLink);
    }
}
