//! The `setup.py` and `setup.cfg` of a project that is described in no other place.

use std::io::ErrorKind;

use crate::tree::{SourceTree, read_limited};

/// The largest `setup.py` or `setup.cfg` that is read.
const LIMIT_BYTES: u64 = 1 << 20;

/// setuptools' backends.
const BACKENDS: [&str; 2] = ["setuptools.build_meta", "setuptools.build_meta:__legacy__"];

/// What describes a project that setuptools builds and `pyproject.toml` says nothing of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetupFiles {
    /// `setup.py`; one that does nothing but call `setup()` may be left out.
    pub script: Option<Vec<u8>>,
    /// `setup.cfg`.
    pub configuration: Option<String>,
}

impl SourceTree {
    /// The files that decide what the project requires, if setuptools builds it and `pyproject.toml`
    /// doesn't describe it (PEP 621). `None` also where one can't be read.
    pub fn setup_files(&self) -> Option<SetupFiles> {
        let is_setuptools = BACKENDS.contains(&self.system.backend.as_str());
        if !is_setuptools || !self.system.backend_path.is_empty() || self.has_project_table {
            return None;
        }
        let read = |name: &str| match read_limited(&self.root.join(name), LIMIT_BYTES) {
            Ok(content) => Some(Some(content)),
            Err(error) if error.kind() == ErrorKind::NotFound => Some(None),
            Err(_) => None,
        };
        let configuration = read("setup.cfg")?.map(String::from_utf8).transpose();
        Some(SetupFiles {
            script: read("setup.py")?,
            configuration: configuration.ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Option<SetupFiles> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs_err::write(folder.path().join(name), text).unwrap();
        }
        let tree = SourceTree::open(folder.path()).unwrap();
        tree.setup_files()
    }

    #[test]
    fn they_decide_where_nothing_else_does() {
        let script = ("setup.py", "setup()");
        let configuration = ("setup.cfg", "[options]\n");
        let system = "[build-system]\nrequires = ['setuptools']\nbuild-backend = ";
        let setuptools = format!("{system}'setuptools.build_meta'\n[tool.black]\n");
        let pyproject = ("pyproject.toml", setuptools.as_str());
        for (files, has_script, has_configuration) in [
            (&[script][..], true, false),
            (&[script, configuration], true, true),
            (&[script, pyproject], true, false),
            (&[configuration, pyproject], false, true),
        ] {
            let found = found(files).unwrap();
            assert_eq!(found.script.is_some(), has_script, "{files:?}");
            assert_eq!(
                found.configuration.is_some(),
                has_configuration,
                "{files:?}"
            );
        }
        for other in [
            "[project]\nname = 'a'\n",
            &format!("{system}'hatchling.build'\n"),
            "[build-system]\nrequires = []\nbuild-backend = 'setuptools.build_meta'\nbackend-path = ['.']\n",
        ] {
            assert_eq!(found(&[script, ("pyproject.toml", other)]), None, "{other}");
        }
    }
}
