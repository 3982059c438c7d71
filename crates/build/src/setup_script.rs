//! The `setup.py` of a project that is described in no other place.

use crate::tree::{SourceTree, read_limited};

/// The largest `setup.py` that is read.
const SCRIPT_LIMIT_BYTES: u64 = 1 << 20;

/// The largest `setup.cfg` that is read.
const CONFIGURATION_LIMIT_BYTES: u64 = 1 << 20;

/// setuptools' backends.
const BACKENDS: [&str; 2] = ["setuptools.build_meta", "setuptools.build_meta:__legacy__"];

/// The options of `setup.cfg` that have a say in what a project requires.
const REQUIRING: [&str; 3] = ["install_requires", "extras_require", "python_requires"];

impl SourceTree {
    /// The content of `setup.py`, if it alone decides what the project requires: setuptools builds it,
    /// and neither `pyproject.toml` (PEP 621) nor `setup.cfg` says anything of that.
    pub fn deciding_setup_script(&self) -> Option<Vec<u8>> {
        let is_setuptools = BACKENDS.contains(&self.system.backend.as_str());
        if !is_setuptools || !self.system.backend_path.is_empty() || self.has_project_table {
            return None;
        }
        let configuration = self.root.join("setup.cfg");
        if configuration.exists() {
            let text = read_limited(&configuration, CONFIGURATION_LIMIT_BYTES).ok()?;
            let text = String::from_utf8_lossy(&text).replace('-', "_");
            if REQUIRING.iter().any(|option| text.contains(option)) {
                return None;
            }
        }
        read_limited(&self.root.join("setup.py"), SCRIPT_LIMIT_BYTES).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decides(files: &[(&str, &str)]) -> bool {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs_err::write(folder.path().join(name), text).unwrap();
        }
        let tree = SourceTree::open(folder.path()).unwrap();
        tree.deciding_setup_script().is_some()
    }

    #[test]
    fn a_script_decides_where_nothing_else_does() {
        let script = ("setup.py", "setup()");
        assert!(decides(&[script]));
        assert!(decides(&[
            script,
            ("setup.cfg", "[egg_info]\ntag_build =\n")
        ]));
        let system = "[build-system]\nrequires = ['setuptools']\nbuild-backend = ";
        let setuptools = format!("{system}'setuptools.build_meta'\n[tool.black]\n");
        assert!(decides(&[script, ("pyproject.toml", &setuptools)]));
        for other in [
            "[project]\nname = 'a'\n",
            &format!("{system}'hatchling.build'\n"),
            "[build-system]\nrequires = []\nbuild-backend = 'setuptools.build_meta'\nbackend-path = ['.']\n",
        ] {
            assert!(!decides(&[script, ("pyproject.toml", other)]), "{other}");
        }
        for other in [
            "[options]\ninstall_requires =\n  six\n",
            "[options]\ninstall-requires = six\n",
            "[options.extras_require]\na = b\n",
        ] {
            assert!(!decides(&[script, ("setup.cfg", other)]), "{other}");
        }
        assert!(!decides(&[("pyproject.toml", "[tool.x]\n")]));
    }
}
