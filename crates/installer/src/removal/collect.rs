//! Finding what belongs to an installed distribution: by its `RECORD`, or by what the older
//! formats left.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use bnbpip_packaging::{EntryPoints, record};
use rustc_hash::{FxHashMap, FxHashSet};

use super::{Directory, RemovalError, RemovalPlan, is_own_egg, read_error};
use crate::environment::{Environment, Roots};
use crate::installed::{DistributionKind, InstalledDistribution};
use crate::regular::read_regular_text;
use crate::{paths, script};

/// What is wanted of one folder, before it is known what is there.
#[derive(Default)]
struct Wanted {
    names: FxHashSet<OsString>,
    /// Modules whose byte-code goes, whatever interpreter wrote it.
    byte_code_of: FxHashSet<String>,
}

pub(super) struct Collector<'a> {
    roots: &'a Roots,
    environment: &'a Environment,
    distribution: &'a InstalledDistribution,
    pub(super) info: PathBuf,
    wanted: FxHashMap<PathBuf, Wanted>,
    resolved: FxHashMap<PathBuf, PathBuf>,
    refused: Vec<PathBuf>,
    path_lines: Vec<(PathBuf, String)>,
    missing_path_files: Vec<PathBuf>,
}

impl<'a> Collector<'a> {
    pub(super) fn new(
        roots: &'a Roots,
        environment: &'a Environment,
        distribution: &'a InstalledDistribution,
    ) -> Result<Self, RemovalError> {
        let location = paths::resolve(&distribution.location);
        if roots.stdlib.contains(&location) {
            return Err(RemovalError::StandardLibrary {
                name: distribution.name.clone(),
                location,
            });
        }
        let inside = roots
            .prefix
            .as_ref()
            .is_none_or(|prefix| location.starts_with(prefix));
        if !inside && distribution.kind != DistributionKind::EggLink {
            return Err(RemovalError::OutsideEnvironment {
                name: distribution.name.clone(),
                location,
            });
        }
        Ok(Self {
            roots,
            environment,
            distribution,
            info: paths::resolve(&distribution.dist_info),
            wanted: FxHashMap::default(),
            resolved: FxHashMap::default(),
            refused: Vec::new(),
            path_lines: Vec::new(),
            missing_path_files: Vec::new(),
        })
    }

    fn read_error(&self, source: io::Error) -> RemovalError {
        read_error(self.distribution, source)
    }

    pub(super) fn collect(&mut self) -> Result<(), RemovalError> {
        match self.distribution.kind {
            DistributionKind::DistInfo => self.collect_record(),
            DistributionKind::EggInfo => self.collect_egg_info(),
            DistributionKind::EggLink => {
                self.collect_egg_link();
                Ok(())
            }
        }?;
        self.collect_scripts();
        Ok(())
    }

    fn collect_record(&mut self) -> Result<(), RemovalError> {
        let text = match read_regular_text(&self.distribution.dist_info.join("RECORD")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(RemovalError::NoRecord {
                    name: self.distribution.spelled_name(),
                    version: self.distribution.version.clone(),
                    installer: self.distribution.installer(),
                });
            }
            outcome => outcome.map_err(|source| self.read_error(source))?,
        };
        let rows = record::parse(&text).map_err(|source| RemovalError::Record {
            name: self.distribution.name.clone(),
            source,
        })?;
        for row in rows {
            self.want_recorded(&row.path);
        }
        let info = self.info.clone();
        self.want_tree(&info)
    }

    fn want_recorded(&mut self, path: &str) {
        let location = &self.distribution.location;
        let path = if Path::new(path).is_absolute() {
            PathBuf::from(path)
        } else {
            paths::join(location, &path.replace('\\', "/"))
        };
        self.want(&paths::normalize(&path));
    }

    /// Wants a file, if it is the environment's to remove, and the byte-code of a module.
    fn want(&mut self, path: &Path) {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return;
        };
        // Links in the way to the file are followed, the file itself is not.
        let folder = if let Some(folder) = self.resolved.get(parent) {
            folder.clone()
        } else {
            let folder = paths::resolve(parent);
            self.resolved.insert(parent.to_path_buf(), folder.clone());
            folder
        };
        let file = folder.join(name);
        if !self.is_ours(&folder) || self.roots.is_protected(&file) {
            self.refused.push(file);
            return;
        }
        if let Some(module) = name.to_str().and_then(|name| name.strip_suffix(".py")) {
            let wanted = self.wanted.entry(folder.clone()).or_default();
            wanted.names.insert(OsString::from(format!("{module}.pyc")));
            wanted.names.insert(OsString::from(format!("{module}.pyo")));
            self.wanted
                .entry(folder.join("__pycache__"))
                .or_default()
                .byte_code_of
                .insert(module.to_string());
        }
        let wanted = self.wanted.entry(folder).or_default();
        wanted.names.insert(name.to_os_string());
    }

    fn is_ours(&self, folder: &Path) -> bool {
        if let Some(prefix) = &self.roots.prefix {
            return folder.starts_with(prefix);
        }
        let roots = self.roots;
        [
            &roots.purelib,
            &roots.platlib,
            &roots.scripts,
            &roots.data,
            &roots.headers,
        ]
        .into_iter()
        .chain(&roots.library_dirs)
        .any(|root| folder.starts_with(root))
    }

    /// Wants every file of a folder.
    pub(super) fn want_tree(&mut self, folder: &Path) -> Result<(), RemovalError> {
        let entries = match fs_err::read_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            outcome => outcome.map_err(|source| self.read_error(source))?,
        };
        for entry in entries {
            let entry = entry.map_err(|source| self.read_error(source))?;
            let kind = entry
                .file_type()
                .map_err(|source| self.read_error(source))?;
            if kind.is_dir() {
                self.want_tree(&entry.path())?;
            } else {
                self.want(&entry.path());
            }
        }
        Ok(())
    }

    fn collect_egg_info(&mut self) -> Result<(), RemovalError> {
        let info = self.info.clone();
        if !info.is_dir() {
            return Err(RemovalError::Distutils {
                name: self.distribution.name.clone(),
                version: self.distribution.version.clone(),
            });
        }
        let egg = self.distribution.location.clone();
        if egg.extension() == Some(OsStr::new("egg")) {
            self.want_tree(&paths::resolve(&egg))?;
            if let (Some(folder), Some(name)) = (egg.parent(), egg.file_name()) {
                let line = format!("./{}", name.to_string_lossy());
                self.want_path_line(&folder.join("easy-install.pth"), &line);
            }
            return Ok(());
        }
        if let Ok(text) = read_regular_text(&info.join("installed-files.txt")) {
            for line in text.lines().filter(|line| !line.trim().is_empty()) {
                self.want(&paths::normalize(&paths::join(&info, line.trim())));
            }
        } else if let Ok(text) = read_regular_text(&info.join("top_level.txt")) {
            let namespaces =
                read_regular_text(&info.join("namespace_packages.txt")).unwrap_or_default();
            for name in text.lines().map(str::trim) {
                let is_plain = !name.is_empty() && !name.contains(['/', '\\', ':']) && name != "..";
                if is_plain && !namespaces.lines().any(|namespace| namespace.trim() == name) {
                    let package = paths::resolve(&egg.join(name));
                    if package.is_dir() {
                        self.want_tree(&package)?;
                    }
                    self.want(&egg.join(format!("{name}.py")));
                }
            }
        } else {
            return Err(RemovalError::NoRecord {
                name: self.distribution.spelled_name(),
                version: self.distribution.version.clone(),
                installer: None,
            });
        }
        self.want_tree(&info)
    }

    fn collect_egg_link(&mut self) {
        let link_file = self.distribution.dist_info.clone();
        self.want(&link_file);
        if let Some(project) = &self.distribution.linked_project {
            let line = project.to_string_lossy().into_owned();
            self.want_path_line(&self.distribution.location.join("easy-install.pth"), &line);
        }
    }

    fn want_path_line(&mut self, file: &Path, line: &str) {
        let file = paths::resolve(file);
        if !file.exists() {
            self.missing_path_files.push(file);
            return;
        }
        let listed = read_regular_text(&file)
            .is_ok_and(|text| text.lines().any(|found| found.trim_end() == line));
        if listed {
            self.path_lines.push((file, line.to_string()));
        }
    }

    /// The scripts of entry points go even when no record lists them: those of the folder that
    /// belongs to the library. Beside another library, such as the user's, only records tell.
    fn collect_scripts(&mut self) {
        let location = paths::resolve(&self.distribution.location);
        let roots = [&self.roots.purelib, &self.roots.platlib];
        if !roots.into_iter().any(|root| location.starts_with(root)) {
            return;
        }
        let info = self
            .distribution
            .metadata_path()
            .parent()
            .map(Path::to_path_buf)
            .unwrap_or_default();
        let scripts = self.roots.scripts.clone();
        // Distutils' own scripts: an egg has a copy of each.
        if let Ok(entries) = fs_err::read_dir(info.join("scripts")) {
            for entry in entries.flatten() {
                self.want(&scripts.join(entry.file_name()));
            }
        }
        let Ok(text) = read_regular_text(&info.join("entry_points.txt")) else {
            return;
        };
        let Ok(points) = EntryPoints::parse(&text) else {
            return;
        };
        let is_windows = self.environment.interpreter.is_windows;
        for point in points.console.iter().chain(&points.gui) {
            for name in script::installed_names(&point.name, is_windows) {
                self.want(&scripts.join(name));
            }
        }
    }

    /// Meets the wishes with what is there.
    pub(super) fn finish(mut self) -> io::Result<RemovalPlan> {
        let mut directories: FxHashMap<PathBuf, Directory> = FxHashMap::default();
        let folders: Vec<PathBuf> = self.wanted.keys().cloned().collect();
        for folder in folders {
            let mut above = Some(folder.as_path());
            while let Some(path) = above {
                let is_boundary = self.roots.is_boundary(path) && !is_own_egg(path, &self.info);
                if path != folder && (self.wanted.contains_key(path) || is_boundary) {
                    break;
                }
                if directories.contains_key(path) {
                    break;
                }
                let wanted = self.wanted.remove(path).unwrap_or_default();
                match list(path, &wanted)? {
                    Some(directory) => directories.insert(path.to_path_buf(), directory),
                    None => break,
                };
                above = path.parent();
            }
        }
        let mut files: Vec<PathBuf> = directories
            .iter()
            .flat_map(|(path, directory)| directory.removed.iter().map(|name| path.join(name)))
            .collect();
        files.sort();
        self.refused.sort();
        self.refused.dedup();
        self.refused
            .retain(|path| fs_err::symlink_metadata(path).is_ok());
        Ok(RemovalPlan {
            distribution: self.distribution.clone(),
            files,
            refused: self.refused,
            path_lines: self.path_lines,
            missing_path_files: self.missing_path_files,
            directories,
            info: self.info,
        })
    }
}

/// Lists a folder, dividing its entries; `None` if there is no such folder.
fn list(path: &Path, wanted: &Wanted) -> io::Result<Option<Directory>> {
    let entries = match fs_err::read_dir(path) {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(None);
        }
        outcome => outcome?,
    };
    let folded: FxHashSet<PathBuf> = wanted
        .names
        .iter()
        .map(|name| paths::key(Path::new(name)))
        .collect();
    let mut directory = Directory::default();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        if entry.file_type()?.is_dir() {
            directory.subdirectories.push(name);
        } else if folded.contains(&paths::key(Path::new(&name)))
            || is_byte_code_of(&name, &wanted.byte_code_of)
        {
            directory.removed.insert(name);
        } else {
            directory.kept += 1;
        }
    }
    Ok(Some(directory))
}

/// Whether a file of `__pycache__` (`module.tag.pyc`, `module.tag.opt-1.pyc`) is of these modules.
fn is_byte_code_of(name: &OsStr, modules: &FxHashSet<String>) -> bool {
    name.to_str()
        .and_then(|name| name.strip_suffix(".pyc"))
        .is_some_and(|stem| {
            stem.match_indices('.')
                .any(|(at, _)| modules.contains(&stem[..at]))
        })
}
