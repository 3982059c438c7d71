//! Who owns a file: the rows of installed distributions' records, as far as they can meet what
//! a transaction writes or removes.

use std::path::{Path, PathBuf};

use bnbpip_packaging::record;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::installed::{DistributionKind, InstalledDistribution};
use crate::paths;
use crate::regular::read_regular_text;

/// Files of installed distributions, by path key.
#[derive(Debug, Default)]
pub(crate) struct Owners {
    by_path: FxHashMap<PathBuf, String>,
}

impl Owners {
    /// Reads the records of the distributions. Only rows whose first component is in `tops` count
    /// (`..` stands for everything beside the library).
    pub(crate) fn read(distributions: &[&InstalledDistribution], tops: &FxHashSet<String>) -> Self {
        let found: Vec<(PathBuf, String)> = distributions
            .par_iter()
            .filter(|distribution| distribution.kind == DistributionKind::DistInfo)
            .flat_map_iter(|distribution| rows(distribution, tops))
            .collect();
        Self {
            by_path: found.into_iter().collect(),
        }
    }

    pub(crate) fn owner(&self, path: &Path) -> Option<&str> {
        if self.by_path.is_empty() {
            return None;
        }
        self.by_path.get(&paths::key(path)).map(String::as_str)
    }
}

fn rows(distribution: &InstalledDistribution, tops: &FxHashSet<String>) -> Vec<(PathBuf, String)> {
    // One that can't be read owns nothing that could be told.
    let Ok(text) = read_regular_text(&distribution.dist_info.join("RECORD")) else {
        return Vec::new();
    };
    let library = paths::resolve(&distribution.location);
    let mut found = Vec::new();
    for line in text.lines() {
        let quoted;
        let path = if line.starts_with('"') {
            quoted = record::parse(line)
                .ok()
                .and_then(|rows| Some(rows.first()?.path.clone()));
            match &quoted {
                Some(path) => path.as_str(),
                None => continue,
            }
        } else {
            line.split(',').next().unwrap_or_default()
        };
        let top = path.split(['/', '\\']).next().unwrap_or_default();
        if path.is_empty() || !tops.contains(top) {
            continue;
        }
        let file = if Path::new(path).is_absolute() {
            PathBuf::from(path)
        } else {
            paths::normalize(&paths::join(&library, &path.replace('\\', "/")))
        };
        found.push((paths::key(&file), distribution.name.to_string()));
    }
    found
}

/// Folders which projects install into the library by mistake: nothing imports them from there,
/// so that one project's file in the place of another's breaks nothing.
const STRAY_FOLDERS: [&str; 12] = [
    "test",
    "tests",
    "testing",
    "doc",
    "docs",
    "example",
    "examples",
    "benchmark",
    "benchmarks",
    "samples",
    "notebooks",
    "scripts",
];

/// Files of a project's root that end up in the library by mistake, by the start of their names.
const STRAY_FILES: [&str; 8] = [
    "license",
    "licence",
    "readme",
    "changelog",
    "changes",
    "authors",
    "notice",
    "copying",
];

/// Whether two distributions may overwrite each other's file: the path is relative to a library
/// and `/`-separated.
pub(crate) fn is_stray(relative: &str) -> bool {
    let lower = relative.to_ascii_lowercase();
    match lower.split_once('/') {
        Some((top, _)) => STRAY_FOLDERS.contains(&top),
        None => STRAY_FILES.iter().any(|start| lower.starts_with(start)),
    }
}

/// Whether the text of an `__init__.py` only declares a namespace package, so that any
/// distribution's copy does.
pub(crate) fn declares_namespace(text: &str) -> bool {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .all(|line| {
            line.contains("extend_path")
                || line.contains("declare_namespace")
                || line.contains("import pkg_resources")
                || matches!(
                    line,
                    "try:" | "except ImportError:" | "except Exception:" | "pass"
                )
                || line.starts_with("from __future__ import")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_harmless_collisions() {
        assert!(is_stray("tests/test_x.py"));
        assert!(is_stray("LICENSE.txt"));
        assert!(!is_stray("cv2/__init__.py"));
        assert!(!is_stray("pkg/license.py"));
        assert!(declares_namespace(
            "# x\n__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n"
        ));
        assert!(declares_namespace("\n"));
        assert!(!declares_namespace("import os\n"));
    }
}
