//! A wheel's files: all their paths, and the Python files that were read so far.

use std::sync::Arc;

use bnbpip_packaging::{PackageName, Version};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::module::Module;
use crate::parse::parse;

/// The largest Python file that is looked into; a larger one counts as unknown.
const FILE_LIMIT_BYTES: usize = 4 << 20;

/// The files of one wheel. Paths are relative to `site-packages`, with `/`.
#[derive(Debug)]
pub struct WheelFiles {
    name: PackageName,
    version: Version,
    /// Module path to the path in the archive (`x-1.data/purelib/` is left out).
    files: FxHashMap<Box<str>, Box<str>>,
    folders: FxHashSet<Box<str>>,
    /// Paths of compiled modules without their endings.
    compiled: FxHashSet<Box<str>>,
    modules: FxHashMap<Box<str>, Option<Arc<Module>>>,
}

/// Where a dotted module name leads in a wheel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// A Python file.
    Python(Box<str>),
    /// A compiled module.
    Compiled,
    /// A folder without `__init__.py`.
    Namespace,
}

impl WheelFiles {
    /// A wheel with these paths, as they stand in its archive.
    pub fn new<'path>(
        name: PackageName,
        version: Version,
        paths: impl IntoIterator<Item = &'path str>,
    ) -> Self {
        let mut wheel = Self {
            name,
            version,
            files: FxHashMap::default(),
            folders: FxHashSet::default(),
            compiled: FxHashSet::default(),
            modules: FxHashMap::default(),
        };
        for path in paths {
            let Some(place) = installed_path(path) else {
                continue;
            };
            let mut folder = place;
            while let Some((parent, _)) = folder.rsplit_once('/') {
                if !wheel.folders.insert(parent.into()) {
                    break;
                }
                folder = parent;
            }
            if is_compiled(place) {
                let name = place.rfind('/').map_or(0, |at| at + 1);
                let stem = place[name..].find('.').map_or(place.len(), |at| name + at);
                wheel.compiled.insert(place[..stem].into());
            }
            wheel.files.insert(place.into(), path.into());
        }
        wheel
    }

    /// The distribution.
    pub fn name(&self) -> &PackageName {
        &self.name
    }

    /// Its version.
    pub fn version(&self) -> &Version {
        &self.version
    }

    /// Hands in the content of a file. What isn't Python counts as unknown.
    pub fn provide(&mut self, path: &str, content: &[u8]) {
        let parsed = (content.len() <= FILE_LIMIT_BYTES)
            .then(|| parse(content))
            .flatten();
        if let Some(place) = installed_path(path) {
            self.modules.insert(place.into(), parsed.map(Arc::new));
        }
    }

    /// The top-level modules that can be imported, sorted.
    pub fn top_level(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .files
            .keys()
            .filter_map(|path| match path.split_once('/') {
                Some((folder, _)) => {
                    let init = format!("{folder}/__init__.py");
                    self.files.contains_key(&*init).then(|| folder.to_owned())
                }
                None => path.strip_suffix(".py").map(str::to_owned),
            })
            .filter(|name| is_identifier(name))
            .collect();
        names.sort();
        names.dedup();
        names
    }

    /// Whether the wheel has anything of this top-level module.
    pub(crate) fn owns(&self, top: &str) -> bool {
        self.find(top).is_some()
    }

    /// Where a module is.
    pub(crate) fn find(&self, dotted: &str) -> Option<Found> {
        let path = dotted.replace('.', "/");
        let package = format!("{path}/__init__.py");
        if self.files.contains_key(&*package) {
            return Some(Found::Python(package.into()));
        }
        let module = format!("{path}.py");
        if self.files.contains_key(&*module) {
            return Some(Found::Python(module.into()));
        }
        if self.compiled.contains(&*path) {
            return Some(Found::Compiled);
        }
        self.folders.contains(&*path).then_some(Found::Namespace)
    }

    /// A module that was handed in: outer `None` if it wasn't yet, inner if it isn't Python.
    #[expect(clippy::option_option, reason = "two different lacks")]
    pub(crate) fn module(&self, path: &str) -> Option<Option<Arc<Module>>> {
        self.modules.get(path).cloned()
    }

    /// The path in the archive.
    pub(crate) fn archive_path(&self, path: &str) -> String {
        self.files.get(path).map_or(path, |path| path).to_owned()
    }
}

/// Where a file lies after installation; `None` if outside `site-packages`.
fn installed_path(path: &str) -> Option<&str> {
    let Some((_, rest)) = path
        .split_once('/')
        .filter(|(first, _)| first.rsplit_once('.').is_some_and(|(_, end)| end == "data"))
    else {
        return Some(path);
    };
    rest.strip_prefix("purelib/")
        .or_else(|| rest.strip_prefix("platlib/"))
}

/// Python compares endings with their case on every system that packages are built for.
fn is_compiled(path: &str) -> bool {
    let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
    ending == "so" || ending == "pyd"
}

fn is_identifier(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && name.chars().all(|c| c.is_alphanumeric() || c == '_')
}
