//! The steps of a build: what the backend needs to start, what it needs besides, metadata, wheel.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use bnbpip_packaging::Requirement;
use serde_json::{Value, json};

use crate::backend::{self, BuildEnvironment, Called, EnvironmentError, Outcome};
use crate::config_settings::ConfigSettings;
use crate::tree::{REQUIREMENTS_LIMIT, SourceTree};

/// What the wheel is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WheelKind {
    /// To be installed as it is.
    Ordinary,
    /// To make the source tree importable in place (PEP 660).
    Editable,
}

impl WheelKind {
    fn hook(self, step: Step) -> &'static str {
        match (self, step) {
            (Self::Ordinary, Step::Requires) => "get_requires_for_build_wheel",
            (Self::Ordinary, Step::Metadata) => "prepare_metadata_for_build_wheel",
            (Self::Ordinary, Step::Wheel) => "build_wheel",
            (Self::Editable, Step::Requires) => "get_requires_for_build_editable",
            (Self::Editable, Step::Metadata) => "prepare_metadata_for_build_editable",
            (Self::Editable, Step::Wheel) => "build_editable",
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Requires,
    Metadata,
    Wheel,
}

/// Why there is no wheel.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// What the build needs can't be put into place.
    #[error("Failed to prepare the build of `{project}`")]
    Environment {
        /// The project, as the user knows it.
        project: String,
        /// The caller's own error.
        source: EnvironmentError,
    },
    /// The backend ended with an error; its own words are in `output`.
    #[error("Failed to build `{project}`: `{hook}` of `{backend}` ended with {status}")]
    Backend {
        /// The project.
        project: String,
        /// The backend.
        backend: String,
        /// The hook that failed.
        hook: &'static str,
        /// How its process ended.
        status: ExitStatus,
        /// All that it printed.
        output: String,
    },
    /// The backend can't be imported.
    #[error("Failed to build `{project}`: its backend `{backend}` can't be imported ({reason})")]
    Unavailable {
        /// The project.
        project: String,
        /// The backend.
        backend: String,
        /// The hook that was to be called.
        hook: &'static str,
        /// Python's reason.
        reason: String,
        /// All that was printed.
        output: String,
    },
    /// The backend has no such hook.
    #[error(
        "Failed to build `{project}`: its backend `{backend}` is missing the '{hook}' hook{}",
        // In pip's words, for those who look for them.
        if *hook == "build_editable" { ", so it cannot be installed in editable mode" } else { "" }
    )]
    Missing {
        /// The project.
        project: String,
        /// The backend.
        backend: String,
        /// The hook.
        hook: &'static str,
    },
    /// The backend's answer isn't what the standard wants.
    #[error("Failed to build `{project}`: `{hook}` of `{backend}` gave {reason}")]
    Answer {
        /// The project.
        project: String,
        /// The backend.
        backend: String,
        /// The hook.
        hook: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A file can't be read or written, or Python can't be started.
    #[error("Failed to run the build of `{project}`")]
    Io {
        /// The project.
        project: String,
        /// The operating system's reason.
        source: io::Error,
    },
}

impl BuildError {
    /// Whether it was to tell its metadata when it failed.
    pub fn is_about_metadata(&self) -> bool {
        match self {
            Self::Backend { hook, .. } | Self::Unavailable { hook, .. } => {
                hook.starts_with("prepare_metadata")
            }
            _ => false,
        }
    }

    /// All that the backend printed before it failed.
    pub fn output(&self) -> Option<&str> {
        match self {
            Self::Backend { output, .. } | Self::Unavailable { output, .. } => Some(output),
            _ => None,
        }
    }
}

/// A project in an environment that can build it.
pub struct Build {
    project: String,
    tree: SourceTree,
    kind: WheelKind,
    settings: ConfigSettings,
    environment: Box<dyn BuildEnvironment>,
    scratch: tempfile::TempDir,
    /// The metadata that was prepared, which the wheel has to keep to.
    prepared: Option<PathBuf>,
}

impl std::fmt::Debug for Build {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Build")
            .field("project", &self.project)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl Build {
    /// Puts into place what the build needs: `[build-system] requires` first, then what the
    /// backend asks for.
    ///
    /// # Errors
    /// When that can't be had, or the backend fails.
    pub fn prepare(
        project: &str,
        tree: SourceTree,
        kind: WheelKind,
        settings: ConfigSettings,
        environment: Box<dyn BuildEnvironment>,
    ) -> Result<Self, BuildError> {
        let scratch = tempfile::Builder::new().prefix("bnbpip-build-").tempdir();
        let build = Self {
            scratch: scratch.map_err(|source| BuildError::Io {
                project: project.to_string(),
                source,
            })?,
            project: project.to_string(),
            tree,
            kind,
            settings,
            environment,
            prepared: None,
        };
        if !build.environment.takes_requirements() {
            return Ok(build);
        }
        build.install(&build.tree.system.requires)?;
        let confirmed = build.environment.confirm(&build.tree.system.implied);
        confirmed.map_err(|source| build.not_there(source))?;
        let asked = build.call(Step::Requires, json!([build.settings]))?;
        let more = match asked {
            Some(value) => build.requirements(&value)?,
            None => Vec::new(),
        };
        if !more.is_empty() {
            build.install(&more)?;
        }
        Ok(build)
    }

    fn install(&self, requirements: &[Requirement]) -> Result<(), BuildError> {
        self.environment
            .install(requirements)
            .map_err(|source| self.not_there(source))
    }

    fn not_there(&self, source: EnvironmentError) -> BuildError {
        BuildError::Environment {
            project: self.project.clone(),
            source,
        }
    }

    fn requirements(&self, value: &Value) -> Result<Vec<Requirement>, BuildError> {
        let wrong = |reason: String| self.wrong_answer(Step::Requires, reason);
        let texts = value
            .as_array()
            .ok_or_else(|| wrong("no list of requirements".to_string()))?;
        if texts.len() > REQUIREMENTS_LIMIT {
            return Err(wrong(format!(
                "{} requirements, and at most {REQUIREMENTS_LIMIT} are taken",
                texts.len()
            )));
        }
        texts
            .iter()
            .map(|text| {
                let text = text.as_str().unwrap_or_default();
                bnbpip_packaging::metadata::parse_requirement(text)
                    .map_err(|error| wrong(format!("'{text}' for a requirement: {error}")))
            })
            .collect()
    }

    /// The wheel's `METADATA` without building it; `None` if the backend can't say.
    ///
    /// # Errors
    /// When the backend fails.
    pub fn metadata(&mut self) -> Result<Option<Vec<u8>>, BuildError> {
        let folder = self.scratch.path().join("metadata");
        fs_err::create_dir_all(&folder).map_err(|source| self.io(source))?;
        let arguments = json!([folder, self.settings]);
        let Some(value) = self.call(Step::Metadata, arguments)? else {
            return Ok(None);
        };
        let dist_info = folder.join(self.file_name(Step::Metadata, &value)?);
        let bytes = fs_err::read(dist_info.join("METADATA")).map_err(|source| self.io(source))?;
        self.prepared = Some(dist_info);
        Ok(Some(bytes))
    }

    /// Builds the wheel into `folder` and returns its path.
    ///
    /// # Errors
    /// When the backend fails.
    pub fn wheel(&self, folder: &Path) -> Result<PathBuf, BuildError> {
        fs_err::create_dir_all(folder).map_err(|source| self.io(source))?;
        let arguments = json!([folder, self.settings, self.prepared]);
        let Some(value) = self.call(Step::Wheel, arguments)? else {
            return Err(BuildError::Missing {
                project: self.project.clone(),
                backend: self.tree.system.backend.clone(),
                hook: self.kind.hook(Step::Wheel),
            });
        };
        let path = folder.join(self.file_name(Step::Wheel, &value)?);
        if !path.is_file() {
            return Err(self.wrong_answer(
                Step::Wheel,
                format!("`{}`, which is not there", path.display()),
            ));
        }
        Ok(path)
    }

    /// The name of a file or folder that a hook made: one part, so that it stays where it should.
    fn file_name(&self, step: Step, value: &Value) -> Result<String, BuildError> {
        let name = value.as_str().unwrap_or_default();
        if name.is_empty() || name == ".." || name == "." || name.contains(['/', '\\']) {
            return Err(self.wrong_answer(step, format!("{value} for a file name")));
        }
        Ok(name.to_string())
    }

    /// Calls a hook. `None`: the backend doesn't have it.
    fn call(&self, step: Step, arguments: Value) -> Result<Option<Value>, BuildError> {
        let hook = self.kind.hook(step);
        let (system, root) = (&self.tree.system, &self.tree.root);
        let python = self.environment.python();
        let called = backend::call(python, root, system, hook, arguments, self.scratch.path());
        let Called { outcome, output } = called.map_err(|source| self.io(source))?;
        let (project, backend) = (self.project.clone(), system.backend.clone());
        if matches!(outcome, Outcome::Value(_) | Outcome::Missing) {
            self.environment.printed(hook, &output);
        }
        match outcome {
            Outcome::Value(value) => Ok(Some(value)),
            Outcome::Missing => Ok(None),
            Outcome::Unavailable(reason) => Err(BuildError::Unavailable {
                project,
                backend,
                hook,
                reason,
                output,
            }),
            Outcome::Failed(status) => Err(BuildError::Backend {
                project,
                backend,
                hook,
                status,
                output,
            }),
        }
    }

    fn io(&self, source: io::Error) -> BuildError {
        BuildError::Io {
            project: self.project.clone(),
            source,
        }
    }

    fn wrong_answer(&self, step: Step, reason: String) -> BuildError {
        BuildError::Answer {
            project: self.project.clone(),
            backend: self.tree.system.backend.clone(),
            hook: self.kind.hook(step),
            reason,
        }
    }
}
