//! What the user asked for, parsed once: requirements from the command line and from files,
//! constraints, and the options that files carry.

mod decode;
mod file;
mod file_options;
mod format_control;
mod hash_option;
mod line;
mod location;
mod logical_lines;
mod named_lock;
pub(crate) mod path_or_url;
mod pyproject;
mod release_control;
mod requirement;
mod script;
mod syntax;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};

use bnbpip_overlay::AcceleratorFacts;
use bnbpip_packaging::{PackageName, Requirement, VersionSpecifiers};
use rustc_hash::FxHashMap;

pub(crate) use file::{RequirementsReader, read_url_nothing};
pub(crate) use file_options::{FileOptions, Route};
pub(crate) use format_control::{FormatControl, SourceArchives};
pub(crate) use hash_option::{MISMATCH, RequirementHash};
use logical_lines::logical_lines;
pub(crate) use named_lock::{AskedOfLock, NamedLock, is_lock_name};
pub(crate) use pyproject::{ProjectRequirements, group_requirements, normalized};
pub(crate) use release_control::ReleaseControl;
pub(crate) use requirement::{parse_editable, parse_requirement};
pub(crate) use script::Script;

/// Where a requirement stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RequirementOrigin {
    /// On the command line.
    CommandLine,
    /// In a requirements file.
    File {
        /// The file's path or URL as it was given or, for a nested file, found.
        path: String,
        /// The line, from 1; the first one if it is continued.
        line: usize,
    },
    /// In a constraints file: it limits versions and asks for nothing.
    Constraint {
        /// The file's path or URL.
        path: String,
        /// The line, from 1.
        line: usize,
    },
    /// In this `pyproject.toml`.
    Project(String),
    /// In a profile of this name.
    Profile(String),
    /// In this lock file.
    Lock(String),
}

impl RequirementOrigin {
    /// Whether it is a constraint only.
    pub(crate) fn is_constraint(&self) -> bool {
        matches!(self, Self::Constraint { .. })
    }
}

impl fmt::Display for RequirementOrigin {
    /// As pip says it: `-r requirements.txt (line 3)`; empty for the command line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CommandLine => Ok(()),
            Self::File { path, line } => write!(f, "-r {path} (line {line})"),
            Self::Constraint { path, line } => write!(f, "-c {path} (line {line})"),
            Self::Project(path) | Self::Lock(path) => f.write_str(path),
            Self::Profile(name) => write!(f, "--profile {name}"),
        }
    }
}

/// One requirement or constraint that the user gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestedRequirement {
    /// The requirement. A path or URL has become a direct reference by name.
    pub requirement: Requirement,
    /// Where it stands.
    pub source: RequirementOrigin,
    /// The hashes that one of its files must have; empty if none were given.
    pub hashes: Vec<RequirementHash>,
    /// The text as it was given, without options.
    pub raw: String,
    /// Whether the project is to be installed in place.
    pub editable: bool,
    /// What its own line tells the backend that builds it: `KEY=VALUE`.
    pub config_settings: Vec<String>,
    /// Whether the command line's settings for backends are meant for it: not for what stands in
    /// files, which say their own.
    pub takes_settings: bool,
}

/// The name of a requirement that is an address alone, until its source has been looked at.
pub(crate) const UNNAMED: &str = "unnamed-source";

/// Everything that was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Request {
    /// What to install, in the order given: the command line first, then the files.
    pub requirements: Vec<RequestedRequirement>,
    /// Sources whose names aren't known yet, to be installed too.
    pub unnamed: Vec<RequestedRequirement>,
    /// What limits versions.
    pub constraints: Vec<RequestedRequirement>,
    /// Lock files to install from: what they come to depends on the target.
    pub locks: Vec<NamedLock>,
    /// The options in files.
    pub options: FileOptions,
    /// What the user should be told about the files.
    pub warnings: Vec<String>,
    /// The Python versions that scripts are for.
    pub scripts: Vec<ScriptPython>,
    /// torch is to be built for this machine, whichever release it comes to.
    pub automatic: Option<AutomaticAccelerator>,
}

/// What `--accelerator auto` is decided by, once the release of torch is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AutomaticAccelerator {
    /// The machine; `None` if nobody asked for a choice: then it is asked once torch is reached.
    pub machine: Option<AcceleratorFacts>,
    /// What the families' indexes lie below.
    pub index_base: String,
}

/// What a script (PEP 723) says about its Python.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ScriptPython {
    /// The script as it was named.
    pub script: String,
    /// The versions that it is for.
    pub requires_python: VersionSpecifiers,
    /// The same as it is written.
    pub text: String,
}

impl Request {
    /// Whether any requirement or constraint carries a hash, which makes hashes required for all.
    pub(crate) fn has_hashes(&self) -> bool {
        self.requirements
            .iter()
            .chain(&self.constraints)
            .any(|given| !given.hashes.is_empty())
    }

    /// The requirements by the package that they name, each package's in their order.
    pub(crate) fn by_name(&self) -> FxHashMap<&PackageName, Vec<&RequestedRequirement>> {
        let mut by_name: FxHashMap<_, Vec<_>> = FxHashMap::default();
        for given in &self.requirements {
            let name = &given.requirement.name;
            by_name.entry(name).or_default().push(given);
        }
        by_name
    }
}

/// What parsing needs to know of the outside.
#[derive(Clone, Copy)]
pub(crate) struct Surroundings<'a> {
    /// The folder that relative paths start from.
    pub working_directory: &'a Path,
    /// Looks up an environment variable for `${NAME}`; `None` if it is unset or empty.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
}

impl fmt::Debug for Surroundings<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surroundings")
            .field("working_directory", &self.working_directory)
            .finish_non_exhaustive()
    }
}

impl Surroundings<'_> {
    /// A path made absolute.
    fn absolute(&self, path: &str) -> PathBuf {
        self.working_directory.join(path)
    }
}
