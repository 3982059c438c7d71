//! Where a build runs: an environment of its own, filled by the same resolver and installer that
//! fill the user's, or (`--no-build-isolation`) the user's.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bnbpip_build::{BuildEnvironment, BuildPython, EnvironmentError, output_tail};
use bnbpip_installer::{InstallOptions, InstalledEnvironment};
use bnbpip_packaging::{Requirement, VersionOrUrl, range};
use bnbpip_platform::{Interpreter, Origin, Target, VenvOptions};
use rustc_hash::FxHashMap;

use super::{Shared, Sources};
use crate::cli::values::ProgressBar;
use crate::commands::install::{Application, DownloadProgress, Plan};
use crate::commands::resolve::machine::Machine;
use crate::commands::resolve::{
    CommandWords, Connections, InstalledPolicy, LockedFiles, Resolving, hash_mode, installed,
    requirements,
};
use crate::commands::rule_set;
use crate::commands::{target_environment, venv};
use crate::failure::Failure;
use crate::request::{Request, RequestedRequirement, RequirementOrigin};

/// What a backend asks for, in pip's words.
const BACKENDS: &str = "the backend dependencies";

/// A failure on its way through the build's own error.
#[derive(Debug)]
pub(super) struct PlaceError(pub(super) Failure);

impl std::fmt::Display for PlaceError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.messages().join("\n"))
    }
}

impl std::error::Error for PlaceError {}

/// The environment of one build.
pub(super) struct BuildPlace {
    sources: Sources,
    interpreter: Interpreter,
    python: BuildPython,
    /// What is built, for messages.
    label: String,
    /// What the project itself requires for its build, as it is written there.
    written: Vec<String>,
    /// The environment's folder, removed with it; `None` without isolation.
    folder: Option<tempfile::TempDir>,
    /// Whether what the project itself requires is there: what comes after it, the backend wants.
    is_filled: AtomicBool,
}

impl BuildPlace {
    /// Makes the environment for building `label`, which requires what is `written`.
    pub(super) fn new(
        sources: &Sources,
        label: &str,
        written: Vec<String>,
    ) -> Result<Self, Failure> {
        let nested = sources.nested(label)?;
        let shared = &sources.0;
        if shared.options.build.no_build_isolation {
            let interpreter = shared.interpreter.clone();
            return Ok(Self {
                python: python(shared, &interpreter, false),
                sources: nested,
                interpreter,
                label: label.to_owned(),
                written,
                folder: None,
                is_filled: AtomicBool::new(false),
            });
        }
        let mut folder = tempfile::Builder::new().prefix("bnbpip-env-").tempdir()?;
        folder.disable_cleanup(shared.options.build.no_clean);
        let root = folder.path().join("env");
        venv::create(&shared.interpreter, &root, &VenvOptions::default())?;
        let prober = target_environment::prober(&shared.settings);
        let environment = bnbpip_platform::open_environment(&root, Origin::Requested, &prober)
            .map_err(target_environment::explained)?;
        let interpreter = environment.interpreter;
        Ok(Self {
            python: python(shared, &interpreter, true),
            sources: nested,
            interpreter,
            label: label.to_owned(),
            written,
            folder: Some(folder),
            is_filled: AtomicBool::new(false),
        })
    }

    fn fill(&self, wanted: &[Requirement]) -> Result<(), Failure> {
        let shared = &self.sources.0;
        let target = Target::from_interpreter(&self.interpreter);
        let layers = &shared.options.overlay.overlay;
        let overlay = rule_set::overlay(layers, &shared.options.allow, &shared.settings)?;
        let rules = Arc::new(overlay.active(&target.markers));
        let request = self.request(wanted);
        let constraints = requirements::constraints(&request, &target.markers);
        let folders = target_environment::library_dirs(&self.interpreter);
        let present = InstalledEnvironment::scan(&folders)?;
        let mut options = shared.options.clone();
        options.no_deps = false;
        options.require_hashes = false;
        options.no_require_hashes = true;
        let resolving = Resolving {
            options: &options,
            policy: InstalledPolicy::default(),
            command: CommandWords {
                name: "install",
                options: String::new(),
            },
            settings: &shared.settings,
            printer: shared.printer,
            request: &request,
            target: &target,
            overlay,
            rules,
            constraints,
            sources: Some(self.sources.clone()),
            machine: Machine::of(&target, &shared.settings, shared.printer),
            preferred: bnbpip_resolver::PreferredVersions::default(),
            connections: Connections::default(),
            locked: LockedFiles::default(),
        };
        let resolved = resolving.run(installed::for_solver(&present))?;
        let mut plan = Plan::new(&resolved.resolution, &present, false);
        plan.build(&self.sources, &resolved)?;
        if plan.changes.is_empty() {
            return Ok(());
        }
        let scheme = self
            .interpreter
            .scheme(bnbpip_platform::Placement::Environment)?;
        let application = Application {
            client: &resolved.client,
            progress: Arc::new(DownloadProgress::new(
                shared.printer,
                ProgressBar::Off,
                plan.file_bytes(),
            )),
            required: hash_mode::RequiredHashes::default(),
            sizes: FxHashMap::default(),
            runtime: &resolved.runtime,
            environment: &target_environment::for_installer(&self.interpreter, &scheme),
            options: InstallOptions {
                compile: false,
                command: "build".to_string(),
                ..InstallOptions::default()
            },
            printer: shared.printer,
            removed: &[],
        };
        application.run(&plan)?;
        Ok(())
    }

    /// Refuses to build where the environment has other versions than `asking` wants, or (with
    /// `lacks`) lacks something of it.
    fn check(&self, wanted: &[Requirement], asking: &str, lacks: bool) -> Result<(), Failure> {
        let folders = target_environment::library_dirs(&self.interpreter);
        let present = InstalledEnvironment::scan(&folders)?;
        let markers = Target::from_interpreter(&self.interpreter).markers;
        let (mut missing, mut conflicting) = (Vec::new(), Vec::new());
        for requirement in wanted.iter().filter(|it| it.marker.evaluate(&markers, &[])) {
            let Some(found) = present.get(&requirement.name) else {
                missing.push(format!("'{}'", self.as_written(requirement)));
                continue;
            };
            if let Some(VersionOrUrl::VersionSpecifier(specifiers)) = &requirement.version_or_url
                && !range::from_specifiers(specifiers).contains(&found.version)
            {
                let (name, version) = (&found.name, &found.version);
                conflicting.push(format!(
                    "{name}=={version} is incompatible with {}",
                    self.as_written(requirement)
                ));
            }
        }
        let what = format!("Some build dependencies for {}", self.address());
        conflicting.sort_unstable();
        missing.sort_unstable();
        if !conflicting.is_empty() {
            return Err(Failure::new(format!(
                "{what} conflict with {asking}: {}.",
                conflicting.join(", ")
            )));
        }
        if lacks && !missing.is_empty() {
            return Err(Failure::new(format!(
                "{what} are missing: {}.",
                missing.join(", ")
            )));
        }
        Ok(())
    }

    /// A requirement as the project has it, if it is the project's.
    fn as_written(&self, requirement: &Requirement) -> String {
        let same = |text: &&String| text.parse().is_ok_and(|it: Requirement| it == *requirement);
        let written = self.written.iter().find(same);
        written.map_or_else(|| requirement.to_string(), |text| text.trim().to_owned())
    }

    /// What is built, as an address where it is a folder.
    fn address(&self) -> String {
        match url::Url::from_file_path(&self.label) {
            Ok(url) => url.to_string(),
            Err(()) => self.label.clone(),
        }
    }

    fn request(&self, wanted: &[Requirement]) -> Request {
        let shared = &self.sources.0;
        let given = |requirement: &Requirement| RequestedRequirement {
            requirement: requirement.clone(),
            source: RequirementOrigin::CommandLine,
            hashes: Vec::new(),
            raw: requirement.to_string(),
            editable: false,
            config_settings: Vec::new(),
            takes_settings: false,
        };
        let mut options = shared.files.clone();
        options.require_hashes = None;
        Request {
            requirements: wanted.iter().map(given).collect(),
            constraints: shared.build_constraints.constraints.clone(),
            options,
            ..Request::default()
        }
    }
}

impl BuildEnvironment for BuildPlace {
    fn python(&self) -> &BuildPython {
        &self.python
    }

    fn install(&self, requirements: &[Requirement]) -> Result<(), EnvironmentError> {
        if requirements.is_empty() {
            return Ok(());
        }
        if self.folder.is_none() {
            return self
                .check(requirements, BACKENDS, true)
                .map_err(|failure| Box::new(PlaceError(failure)) as EnvironmentError);
        }
        let checked = if self.is_filled.swap(true, Ordering::Relaxed) {
            self.check(requirements, BACKENDS, false)
        } else {
            Ok(())
        };
        checked
            .and_then(|()| self.fill(requirements))
            .map_err(|failure| Box::new(PlaceError(failure)) as EnvironmentError)
    }

    fn confirm(&self, requirements: &[Requirement]) -> Result<(), EnvironmentError> {
        self.check(requirements, "PEP 517/518 supported requirements", false)
            .map_err(|failure| Box::new(PlaceError(failure)) as EnvironmentError)
    }

    fn takes_requirements(&self) -> bool {
        // Without isolation what is missing shows when the backend runs, as with pip.
        self.folder.is_some() || self.sources.0.options.build.check_build_dependencies
    }

    fn printed(&self, hook: &str, output: &str) {
        let printer = &self.sources.0.printer;
        let output = output_tail(output, usize::MAX);
        if !output.is_empty() {
            let lines = output.lines().map(|line| format!("\n    {line}"));
            printer.verbose(&format!("  {hook}:{}", lines.collect::<String>()));
        }
    }
}

fn python(shared: &Shared, interpreter: &Interpreter, isolated: bool) -> BuildPython {
    let scripts = interpreter
        .scheme(bnbpip_platform::Placement::Environment)
        .ok()
        .map(|scheme| scheme.scripts);
    BuildPython {
        executable: interpreter.sys_executable.clone(),
        search_path: search_path(scripts.as_deref(), shared.settings.shell.path.as_ref()),
        isolated,
    }
}

/// `PATH` with the environment's scripts in front.
fn search_path(scripts: Option<&Path>, path: Option<&OsString>) -> Option<OsString> {
    let rest = path.iter().flat_map(std::env::split_paths);
    let folders: Vec<PathBuf> = scripts
        .map(Path::to_path_buf)
        .into_iter()
        .chain(rest)
        .collect();
    std::env::join_paths(folders).ok()
}
