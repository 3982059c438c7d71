//! Where a setting's value comes from, and the only module that reads environment variables.
//!
//! Lowest to highest: built-in default, pip's configuration files ([`files`]), `PIP_<OPTION>`,
//! `BNBPIP_<OPTION>`, the command line. Files and variables are turned into arguments in front of the user's own ([`arguments`]), so that every
//! option is parsed, checked and combined in one way: a later value replaces an earlier one, and
//! options that can be given several times add up, as with pip.

pub(crate) mod arguments;
pub(crate) mod audit;
pub(crate) mod files;
pub(crate) mod ini;
pub(crate) mod project;
pub(crate) mod project_indexes;
pub(crate) mod settings;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;

/// The index that is asked when nothing else is said.
pub(crate) const DEFAULT_INDEX_URL: &str = "https://pypi.org/simple";

/// The environment variables that this process was started with, and its working directory. To
/// Windows a variable's name is the same in capitals, and `PATH` is mostly called `Path` there.
#[derive(Debug, Clone, Default)]
pub(crate) struct ProcessEnvironment {
    /// By name, on Windows in capitals.
    variables: FxHashMap<OsString, OsString>,
    folds_case: bool,
    working_directory: PathBuf,
}

impl ProcessEnvironment {
    /// Takes them from the process.
    pub(crate) fn capture() -> Self {
        // A deleted working directory leaves relative paths as they are: using one will fail
        // with a message of its own.
        let working_directory = std::env::current_dir().unwrap_or_default();
        Self::collect(std::env::vars_os(), cfg!(windows), working_directory)
    }

    fn collect(
        variables: impl Iterator<Item = (OsString, OsString)>,
        folds_case: bool,
        working_directory: PathBuf,
    ) -> Self {
        let variables = variables.map(|(name, value)| {
            let name = if folds_case {
                name.to_ascii_uppercase()
            } else {
                name
            };
            (name, value)
        });
        Self {
            variables: variables.collect(),
            folds_case,
            working_directory,
        }
    }

    /// The command line, program name first.
    pub(crate) fn command_line() -> Vec<OsString> {
        std::env::args_os().collect()
    }

    /// The name that the program was called by, `bnbpip` where it can't be one of a command.
    pub(crate) fn called() -> String {
        let first = std::env::args_os().next().map(PathBuf::from);
        let name = first.and_then(|path| Some(path.file_name()?.to_str()?.to_owned()));
        let is_plain =
            |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
        let name = name.filter(|name| name.chars().all(is_plain));
        name.map_or_else(
            || "bnbpip".to_owned(),
            |name| name.strip_suffix(".exe").unwrap_or(&name).to_owned(),
        )
    }

    /// The folder of the program's own file.
    pub(crate) fn program_folder() -> Option<PathBuf> {
        Some(std::env::current_exe().ok()?.parent()?.to_owned())
    }

    /// A made-up environment.
    #[cfg(test)]
    pub(crate) fn of(variables: &[(&str, &str)]) -> Self {
        Self::made_up(variables, false)
    }

    #[cfg(test)]
    fn made_up(variables: &[(&str, &str)], folds_case: bool) -> Self {
        let variables = variables.iter();
        let variables = variables.map(|(name, value)| (name.into(), value.into()));
        Self::collect(variables, folds_case, PathBuf::from("/work"))
    }

    /// A variable's value; an empty one counts as not set, as pip has it.
    pub(crate) fn get_os(&self, name: &str) -> Option<&OsString> {
        let value = if self.folds_case {
            self.variables
                .get(&OsString::from(name.to_ascii_uppercase()))
        } else {
            self.variables.get(OsStr::new(name))
        };
        value.filter(|value| !value.is_empty())
    }

    /// A variable's value, if it is text and not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.get_os(name).and_then(|value| value.to_str())
    }

    /// All variables whose names and values are text.
    pub(crate) fn text_variables(&self) -> impl Iterator<Item = (&str, &str)> {
        let variables = self.variables.iter();
        variables.filter_map(|(name, value)| Some((name.to_str()?, value.to_str()?)))
    }

    /// A variable's value as a path.
    pub(crate) fn get_path(&self, name: &str) -> Option<PathBuf> {
        self.get_os(name).map(PathBuf::from)
    }

    /// The directory that relative paths start from.
    pub(crate) fn working_directory(&self) -> &Path {
        &self.working_directory
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_knows_variables_in_any_case() {
        let given = [
            ("Path", "C:\\Python"),
            ("SystemRoot", "C:\\Windows"),
            ("pip_Index_Url", "https://example.org"),
        ];
        let windows = ProcessEnvironment::made_up(&given, true);
        for (name, value) in [
            ("PATH", "C:\\Python"),
            ("SYSTEMROOT", "C:\\Windows"),
            ("Path", "C:\\Python"),
        ] {
            assert_eq!(windows.get(name), Some(value), "{name}");
        }
        let named = |environment: &ProcessEnvironment| {
            environment
                .text_variables()
                .any(|(name, _)| name == "PIP_INDEX_URL")
        };
        assert!(named(&windows));
        let posix = ProcessEnvironment::made_up(&given, false);
        assert_eq!(posix.get("Path"), Some("C:\\Python"));
        assert_eq!(posix.get("PATH"), None);
        assert!(!named(&posix));
    }
}
