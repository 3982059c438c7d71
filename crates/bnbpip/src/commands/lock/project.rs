//! What a lock is made of: the base, which is always installed, and parts on request (a project's
//! extras and dependency groups).

use std::collections::BTreeMap;
use std::path::Path;

use bnbpip_lock::{AskedBy, LockMarker, LockedPackage};
use bnbpip_packaging::PackageName;

use crate::cli::LockArgs;
use crate::commands::profiles;
use crate::commands::resolve::requirements;
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::request::{ProjectRequirements, Request, RequestedRequirement};

use super::environments::LockTarget;

const PYPROJECT: &str = "pyproject.toml";

/// An extra or a dependency group.
#[derive(Debug)]
pub(super) struct Part {
    /// Its marker in the lock.
    marker: String,
    /// Whose requirements these are.
    pub(super) asked_by: AskedBy,
    pub(super) requirements: Vec<RequestedRequirement>,
}

/// Everything that is to be locked.
#[derive(Debug)]
pub(super) struct Inputs {
    /// What is always installed.
    pub(super) base: Request,
    /// What is installed on request, extras first.
    pub(super) parts: Vec<Part>,
    pub(super) extras: Vec<String>,
    pub(super) groups: Vec<String>,
    pub(super) requires_python: Option<bnbpip_packaging::VersionSpecifiers>,
}

impl Inputs {
    /// Reads the command line, the files that it names, and the project: one that is named
    /// (`pyproject.toml`), or the working directory's if nothing else is asked for.
    ///
    /// # Errors
    /// When something can't be read or understood, or nothing was asked for.
    pub(super) fn read(
        arguments: &LockArgs,
        settings: &Settings,
        printer: &Printer,
    ) -> Result<Self, Failure> {
        let options = &arguments.resolve;
        let is_project = |text: &&String| {
            Path::new(text.as_str())
                .file_name()
                .is_some_and(|name| name == PYPROJECT)
        };
        let (projects, others): (Vec<_>, Vec<_>) = arguments
            .requirements
            .iter()
            .cloned()
            .partition(|it| is_project(&it));
        let editables = &arguments.editables;
        let has_others = !others.is_empty()
            || !editables.is_empty()
            || !options.requirement_files.is_empty()
            || !options.groups.is_empty()
            || !options.scripts.is_empty();
        let directory = settings.environment.working_directory();
        let shown = match &projects[..] {
            [] if !has_others && options.profiles.is_empty() => {
                let is_there = directory.join(PYPROJECT).is_file();
                is_there.then(|| PYPROJECT.to_owned())
            }
            [] => None,
            [one] => Some(one.clone()),
            [..] => {
                return Err(Failure::new(
                    "Failed to lock more than one project at a time",
                ));
            }
        };
        let read = |others: &[String]| {
            let named = (others, editables.as_slice());
            let request =
                requirements::read_with_editables("lock", named, options, settings, printer)?;
            requirements::refuse_locks(&request)?;
            Ok::<_, Failure>(request)
        };
        let Some(shown) = shown else {
            let base = read(&others)?;
            return Ok(Self::new(base, ProjectRequirements::default()));
        };
        let project = ProjectRequirements::read(&directory.join(&shown), &shown)?;
        if has_others {
            let base = read(&others)?;
            return Ok(Self::new(base, project));
        }
        let files = &options.constraint_files;
        let base = requirements::read_constraints(files, settings, printer)?;
        let mut inputs = Self::new(base, project);
        profiles::apply(&options.profiles, &mut inputs.base, settings, printer)?;
        Ok(inputs)
    }

    fn new(mut base: Request, project: ProjectRequirements) -> Self {
        base.requirements.extend(project.dependencies);
        let names = |map: &BTreeMap<String, _>| map.keys().cloned().collect();
        let (extras, groups) = (names(&project.extras), names(&project.groups));
        let of_extras = project.extras.into_iter().map(|(name, requirements)| Part {
            marker: format!("'{name}' in extras"),
            asked_by: AskedBy::Extra(name),
            requirements,
        });
        let of_groups = project.groups.into_iter().map(|(name, requirements)| Part {
            marker: format!("'{name}' in dependency_groups"),
            asked_by: AskedBy::Group(name),
            requirements,
        });
        Self {
            base,
            parts: of_extras.chain(of_groups).collect(),
            extras,
            groups,
            requires_python: project.requires_python,
        }
    }

    /// # Errors
    /// When the project isn't for the environment's Python.
    pub(super) fn check(&self, target: &LockTarget) -> Result<(), Failure> {
        let python = target.target.python_full_version.clone();
        match &self.requires_python {
            Some(wanted) if !wanted.contains(&python) => Err(Failure::new(format!(
                "Failed to lock for {}: the project is for Python {wanted}, and this is {python}",
                target.name
            ))
            .hint("name other environments: `--environment linux-3.12`")),
            _ => Ok(()),
        }
    }

    /// Every requirement with who asks for it.
    pub(super) fn asked(&self) -> impl Iterator<Item = (&AskedBy, &RequestedRequirement)> {
        let base = self.base.requirements.iter();
        let parts = self.parts.iter().flat_map(|part| {
            let requirements = part.requirements.iter();
            requirements.map(|given| (&part.asked_by, given))
        });
        base.map(|given| (&AskedBy::Base, given)).chain(parts)
    }

    /// The base and all parts: what must go together.
    pub(super) fn all(&self) -> Request {
        let mut request = self.base.clone();
        for part in &self.parts {
            request.requirements.extend(part.requirements.clone());
        }
        request
    }

    /// The base and one part.
    pub(super) fn with(&self, part: &Part) -> Request {
        let mut request = self.base.clone();
        request.requirements.extend(part.requirements.clone());
        request
    }
}

/// Gives packages that the base doesn't install the marker of the parts that do. `parts` are the
/// names that each part installs together with the base.
///
/// # Errors
/// When a marker can't be parsed, which a name that isn't one can cause.
pub(super) fn mark(
    packages: &mut [LockedPackage],
    base: &[PackageName],
    parts: &[(&Part, Vec<PackageName>)],
) -> Result<(), Failure> {
    for package in packages {
        if base.contains(&package.name) {
            continue;
        }
        let holders = parts
            .iter()
            .filter(|(_, names)| names.contains(&package.name));
        let markers: Vec<&str> = holders.map(|(part, _)| part.marker.as_str()).collect();
        package.marker = Some(markers.join(" or ").parse::<LockMarker>()?);
    }
    Ok(())
}
