//! Building a source: the environment that it needs, its backend's calls, and what is told of them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bnbpip_build::{Build, BuildError, SourceTree, WheelKind, output_tail};
use bnbpip_index::PackageFile;

use super::environment::{self, BuildPlace};
use super::metadata::spelled_name;
use super::obtain::{Obtained, Origin};
use super::{Entry, OUTPUT_LINES, Sources, hints, lock};
use crate::failure::Failure;
use crate::interrupt;
use crate::request::UNNAMED;

impl Sources {
    /// Makes the environment of a build, with what the backend needs in it.
    pub(super) fn prepare(
        &self,
        entry: &mut Entry,
        file: &PackageFile,
    ) -> Result<Result<(), BuildError>, Failure> {
        if entry.build.is_some() {
            return Ok(Ok(()));
        }
        let Some(obtained) = &entry.obtained else {
            return Ok(Ok(()));
        };
        let label = Self::label(file, &obtained.origin);
        if self.0.parents.contains(&label) {
            return Err(Failure::new(format!(
                "Failed to build `{label}`: {url} is already being built: {name} from {url}",
                url = file.shown_url(),
                name = unnormalized(file),
            ))
            .hint(format!(
                "`--only-binary {}` looks for a wheel of it",
                file.name()
            )));
        }
        let tree = SourceTree::open(obtained.files.root()?)?;
        self.announce(&label, &tree);
        let place = BuildPlace::new(self, &label, tree.system.written.clone())?;
        let kind = obtained.origin.kind;
        let settings = self.0.config_settings.of(file);
        let is_isolated = !self.0.options.build.no_build_isolation;
        let step = "  Installing build dependencies";
        if is_isolated {
            self.narrate(&format!("{step}: started"));
        }
        let build = Build::prepare(&label, tree, kind, settings, Box::new(place));
        if is_isolated {
            let word = outcome_word(build.is_ok());
            self.narrate(&format!("{step}: finished with status '{word}'"));
        }
        Ok(build.map(|build| entry.build = Some(build)))
    }

    /// Says that code of a package is about to be run, and what that needs.
    fn announce(&self, label: &str, tree: &SourceTree) {
        let needs: Vec<String> = tree
            .system
            .requires
            .iter()
            .map(ToString::to_string)
            .collect();
        let needs = match (needs.is_empty(), self.0.options.build.no_build_isolation) {
            (true, _) => "needs nothing else".to_string(),
            (false, false) => format!("needs {}", needs.join(", ")),
            (false, true) => format!("has to find {} in the environment", needs.join(", ")),
        };
        let backend = &tree.system.backend;
        self.0
            .printer
            .status(&format!("Building {label} from source: {backend} {needs}"));
    }

    pub(super) fn build(
        &self,
        entry: &mut Entry,
        file: &PackageFile,
    ) -> Result<Arc<PackageFile>, Failure> {
        let (Some(build), Some(obtained)) = (&entry.build, &entry.obtained) else {
            return Err(Failure::new(format!(
                "Failed to build `{}`",
                file.shown_url()
            )));
        };
        let folder = tempfile::Builder::new()
            .prefix("wheel-")
            .tempdir_in(self.0.work.path())?
            .keep();
        let name = match spelled_name(entry) {
            Some(name) => name,
            None => unspelled(file, obtained.files.root()?),
        };
        // pip calls what an index has as it was asked for: in small letters, as a rule.
        let name = match obtained.origin.shown {
            Some(_) => name,
            None => name.to_lowercase(),
        };
        let step = self.begin_wheel(&name, obtained);
        let wheel = build.wheel(&folder).map_err(|error| {
            self.narrate(&format!(
                "{step}: finished with status 'error'\nFailed to build {name}"
            ));
            Self::explained(&error, file).and(format!("Failed building wheel for {name}"))
        })?;
        interrupt::check()?;
        self.finish_wheel(&step, &name, &wheel)?;
        let wheel: PathBuf = obtained.keep_wheel(&wheel)?;
        let kept = wheel.parent().unwrap_or(&folder);
        self.narrate(&format!("  Stored in directory: {}", kept.display()));
        let wheel = Arc::new(PackageFile::from_path(&wheel)?);
        lock(&self.0.built).push(name);
        // The environment of the build isn't needed any more.
        entry.build = None;
        entry.wheel = Some(Arc::clone(&wheel));
        Ok(wheel)
    }

    /// Says in pip's words that a wheel is being built.
    fn begin_wheel(&self, name: &str, obtained: &Obtained) -> String {
        let kind = match obtained.origin.kind {
            WheelKind::Editable => "editable",
            WheelKind::Ordinary => "wheel",
        };
        let step = format!("  Building {kind} for {name} (pyproject.toml)");
        let collected = "Building wheels for collected packages";
        self.narrate(&format!("{collected}: {name}\n{step}: started"));
        step
    }

    /// Says in pip's words which wheel was built.
    fn finish_wheel(&self, step: &str, name: &str, wheel: &Path) -> Result<(), Failure> {
        let size = fs_err::metadata(wheel)?.len();
        let sha256 = crate::commands::hash::digest_of::<sha2::Sha256>(wheel)?;
        let wheel = wheel.file_name().unwrap_or_default().to_string_lossy();
        self.narrate(&format!(
            "{step}: finished with status 'done'\n  Created wheel for {name}: filename={wheel} \
             size={size} sha256={sha256}"
        ));
        Ok(())
    }

    /// Tells a step, unless what is built is only needed for another build.
    pub(super) fn narrate(&self, text: &str) {
        if self.0.parents.is_empty() {
            self.0.printer.narrate(text);
        }
    }

    /// A source as the user knows it.
    fn label(file: &PackageFile, origin: &Origin) -> String {
        match (&origin.shown, &file.filename) {
            (Some(shown), _) => shown.clone(),
            (None, filename) => format!("{} {}", filename.name(), filename.version()),
        }
    }

    /// A failed build: the backend's own words below the message, and what can be done.
    pub(super) fn explained(error: &BuildError, file: &PackageFile) -> Failure {
        if interrupt::requested() {
            return Failure::cancelled();
        }
        if let BuildError::Environment { project, source } = error
            && let Some(failure) = source.downcast_ref::<environment::PlaceError>()
        {
            let failure = failure.0.clone().context(format!(
                "Failed to install what the build of `{project}` needs"
            ));
            let name = known_name(file);
            let step = format!("installing build dependencies for {name}");
            return failure.and(failed_step(&name, &step));
        }
        let mut failure = Failure::from(Shown(error));
        // What pip calls it, and scripts look for.
        if let BuildError::Unavailable { backend, .. } = error {
            failure = failure.and(format!(
                "backend-unavailable: Cannot import build backend '{backend}'."
            ));
        }
        if error.is_about_metadata() {
            failure = failure.and(
                "metadata-generation-failed: Encountered error while generating package metadata.",
            );
        }
        if let BuildError::Backend { hook, .. } = error
            && let Some(kind) = hook.strip_prefix("get_requires_for_build_")
        {
            let step = format!("getting requirements to build {kind}");
            failure = failure.and(failed_step(&known_name(file), &step));
        }
        let output = error.output().unwrap_or_default();
        if !output.trim().is_empty() {
            let lines: Vec<String> = output_tail(output, OUTPUT_LINES)
                .lines()
                .map(|line| format!("    {line}"))
                .collect();
            failure = failure.detail(lines.join("\n"));
        }
        hints::hints(file.name(), output)
            .into_iter()
            .fold(failure, Failure::hint)
    }
}

/// What pip says of a project that gives no wheel, for those who look for it.
fn failed_step(name: &str, step: &str) -> String {
    format!("Failed to build '{name}' when {step}")
}

/// A project's name as it was asked for, which may be by its address alone.
fn known_name(file: &PackageFile) -> String {
    let name = file.name().as_ref();
    if name == UNNAMED {
        file.shown_url()
    } else {
        name.to_owned()
    }
}

/// A project's name where its metadata hasn't said it yet: its folder's, if nobody gave one.
fn unspelled(file: &PackageFile, root: &Path) -> String {
    let folder = root.file_name().map(|name| name.to_string_lossy());
    match folder {
        Some(folder) if file.name().as_ref() == UNNAMED => folder.into_owned(),
        _ => file.name().to_string(),
    }
}

/// A project's name as its file's name has it, before the version.
fn unnormalized(file: &PackageFile) -> String {
    match file.filename_text.rsplit_once('-') {
        Some((name, _)) if name.parse().as_ref() == Ok(file.name()) => name.to_owned(),
        _ => file.name().to_string(),
    }
}

pub(super) fn outcome_word(succeeded: bool) -> &'static str {
    if succeeded { "done" } else { "error" }
}

/// An error by reference.
#[derive(Debug)]
struct Shown<'a>(&'a BuildError);

impl std::fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Shown<'_> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}
