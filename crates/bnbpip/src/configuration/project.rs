//! The project's configuration: `bnbpip.toml`, or the table `[tool.bnbpip]` of `pyproject.toml`,
//! nearest upwards from the working directory.
//!
//! In one folder `bnbpip.toml` wins. A `pyproject.toml` without the table is passed by. A key that
//! isn't known is an error with its line: a misspelt setting must not be a silent one.

use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::audit::AuditOptions;
use super::project_indexes::{self, ProjectIndex, ProjectMirror};
use crate::bounded;
use crate::cli::values::{IndexStrategy, KeyringProvider};
use crate::failure::{Failure, exit_code};

/// What a project may set. A new setting is a field here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct ProjectOptions {
    /// The team's rules, lowest first: folders, files or addresses, as for `--overlay`.
    pub overlays: Vec<String>,
    /// Rules that may be broken, as for `--allow`.
    pub allow: Vec<String>,
    /// What torch is to run on, as for `--accelerator`.
    pub accelerator: Option<String>,
    /// Indexes by name.
    pub index: Vec<ProjectIndex>,
    /// Other places for what indexes have.
    pub mirror: Vec<ProjectMirror>,
    /// Pages, folders and files with distributions, as for `--find-links`; folders are relative to
    /// the file.
    pub find_links: Vec<String>,
    /// Who knows passwords, as for `--keyring-provider`.
    pub keyring_provider: Option<KeyringProvider>,
    /// How several indexes are combined, as for `--index-strategy`.
    pub index_strategy: Option<IndexStrategy>,
    /// The same for indexes of pip's settings, as for `--pip-index-strategy`.
    pub pip_index_strategy: Option<IndexStrategy>,
    /// Whether wheels that others than their projects built may be taken, as for `--community`.
    pub community: bool,
    /// What `bnbpip audit` looks into, and what it ignores.
    pub audit: AuditOptions,
}

/// A project's configuration and where it stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ProjectFile {
    /// The file; `None` if no project configures anything.
    pub path: Option<PathBuf>,
    /// What it says.
    pub options: ProjectOptions,
}

#[derive(Deserialize)]
struct PyProject {
    tool: Option<Tool>,
}

#[derive(Deserialize)]
struct Tool {
    bnbpip: Option<ProjectOptions>,
}

impl ProjectFile {
    /// The configuration that counts in a folder.
    ///
    /// # Errors
    /// When a file can't be read, or says something that isn't known.
    pub(crate) fn find(working_directory: &Path) -> Result<Self, Failure> {
        for folder in working_directory.ancestors() {
            let own = folder.join("bnbpip.toml");
            if own.is_file() {
                let text = bounded::read_toml(&own)?;
                let options: ProjectOptions = toml::from_str(&text)
                    .map_err(|error| at(&own, &text, error.span(), error.message()))?;
                check(&own, &text, &options)?;
                return Ok(Self {
                    path: Some(own),
                    options,
                });
            }
            let shared = folder.join("pyproject.toml");
            if shared.is_file()
                && let Some(options) = read_table(&shared)?
            {
                return Ok(Self {
                    path: Some(shared),
                    options,
                });
            }
        }
        Ok(Self::default())
    }

    /// The folder that relative paths in the file start from.
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.path.as_deref().and_then(Path::parent)
    }
}

/// The table of a `pyproject.toml`, if it has one.
fn read_table(path: &Path) -> Result<Option<ProjectOptions>, Failure> {
    let text = bounded::read_toml(path)?;
    match toml::from_str::<PyProject>(&text) {
        Ok(project) => {
            let options = project.tool.and_then(|tool| tool.bnbpip);
            if let Some(options) = &options {
                check(path, &text, options)?;
            }
            Ok(options)
        }
        // Another tool's file in another tool's trouble.
        Err(_) if !text.contains("bnbpip") => Ok(None),
        Err(error) => Err(at(path, &text, error.span(), error.message())),
    }
}

fn check(path: &Path, text: &str, options: &ProjectOptions) -> Result<(), Failure> {
    project_indexes::check(&options.index, &options.mirror)
        .map_err(|fault| at(path, text, Some(fault.span), &fault.message))
}

fn at(path: &Path, text: &str, span: Option<Range<usize>>, message: &str) -> Failure {
    let before = span.and_then(|span| text.get(..span.start));
    let line = before.map_or(1, |before| before.matches('\n').count() + 1);
    Failure::new(format!(
        "Failed to read `{}` at line {line}",
        path.display()
    ))
    .caused_by(message)
    .exit_with(exit_code::ENVIRONMENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(files: &[(&str, &str)], from: &str) -> Result<ProjectFile, Failure> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, text).unwrap();
        }
        fs_err::create_dir_all(folder.path().join(from)).unwrap();
        ProjectFile::find(&folder.path().join(from))
    }

    #[test]
    fn the_nearest_file_counts() {
        let outer = ("pyproject.toml", "[tool.bnbpip]\noverlays = ['outer']");
        let other = ("a/pyproject.toml", "[project]\nname = 'other'");
        let found = project(&[outer, other], "a/b").unwrap();
        assert_eq!(found.options.overlays, ["outer"]);
        let own = ("a/bnbpip.toml", "allow = ['BNB-0001']");
        let found = project(&[outer, other, own], "a/b").unwrap();
        assert_eq!(found.options.allow, ["BNB-0001"]);
        assert!(found.options.overlays.is_empty());
        assert!(found.folder().unwrap().ends_with("a"));
        assert_eq!(project(&[], "a").unwrap(), ProjectFile::default());
    }

    #[test]
    fn what_is_not_known_is_an_error_with_its_line() {
        let table = "[project]\nname = 'x'\n\n[tool.bnbpip]\noverlay = ['rules']\n";
        let failure = project(&[("pyproject.toml", table)], "").unwrap_err();
        assert!(failure.messages()[0].ends_with("pyproject.toml` at line 5"));
        assert!(failure.causes()[0].starts_with("unknown field `overlay`"));
        assert_eq!(failure.exit_code(), exit_code::ENVIRONMENT);
        for (lines, place, cause) in [
            ("name='a'\nurl='u'\nurls=1", "4", "unknown field `urls`"),
            (
                "name='a'\nurl='u'\n[[index]]\nname='a'\nurl='v'",
                "5",
                "two indexes",
            ),
            ("name='a b'\nurl='u'", "2", "`a b` can't be"),
            ("name='a'\nurl='u'\npackages=['x', '?']", "4", "`?` is no"),
            (
                "name='a'\nurl='u'\npackages=['X']\n[[index]]\nname='b'\nurl='v'\npackages=['x']",
                "8",
                "`x` comes from both `a` and `b`",
            ),
            (
                "name='a'\nurl='u'\ndefault=true\n[[index]]\nname='b'\nurl='v'\ndefault=true",
                "6",
                "both `a` and `b` are",
            ),
            (
                "name='a'\nurl='u'\n[[mirror]]\nindex='a'\nurls=[]",
                "6",
                "`a` has no mirror",
            ),
        ] {
            let text = format!("[[index]]\n{lines}\n");
            let failure = project(&[("bnbpip.toml", &text)], "").unwrap_err();
            let (message, found) = (&failure.messages()[0], &failure.causes()[0]);
            assert!(
                message.ends_with(&format!("at line {place}")),
                "{message} {lines}"
            );
            assert!(found.starts_with(cause), "{found}");
        }
        let broken = "[tool.other\n";
        assert!(project(&[("pyproject.toml", broken)], "").is_ok());
    }
}
