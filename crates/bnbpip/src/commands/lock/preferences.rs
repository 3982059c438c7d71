//! Versions that are tried first: those of other tools' locks, of pinned requirements files, and
//! of both sides of a lock with conflict markers.

use std::path::Path;

use bnbpip_lock::{ForeignLock, Lock, Pin, conflict_sides};
use bnbpip_packaging::{MarkerEnvironment, Operator, VersionOrUrl};
use bnbpip_resolver::PreferredVersions;

use super::upgrades::Upgrades;
use crate::cli::LockArgs;
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::request::{RequirementsReader, Surroundings, read_url_nothing};

/// What is tried first, in order.
#[derive(Debug, Default)]
pub(super) struct Preferences(Vec<Pin>);

impl Preferences {
    /// Reads the files that were named.
    ///
    /// # Errors
    /// When one can't be read, or is of a kind or version that isn't known.
    pub(super) fn read(
        arguments: &LockArgs,
        settings: &Settings,
        printer: &Printer,
    ) -> Result<Self, Failure> {
        let mut pins = Vec::new();
        for file in &arguments.preferences {
            let found = of_file(file, settings, printer).map_err(|failure| {
                let shown = file.display();
                failure.context(format!("Failed to read preferences from `{shown}`"))
            })?;
            pins.extend(found);
        }
        Ok(Self(pins))
    }

    /// Adds what both sides of a lock have, newer versions first.
    pub(super) fn add_sides(&mut self, sides: &[Lock; 2]) {
        let mut pins: Vec<Pin> = sides.iter().flat_map(Lock::pins).collect();
        pins.sort_by(|a, b| b.version.cmp(&a.version));
        self.0.extend(pins);
    }

    /// Adds the versions for an environment, but those of packages that are to be upgraded.
    pub(super) fn add_to(
        &self,
        preferred: &mut PreferredVersions,
        environment: &MarkerEnvironment,
        upgrades: &Upgrades,
    ) {
        for pin in &self.0 {
            if pin.holds_in(environment) && !upgrades.has(&pin.name) {
                let versions = preferred.entry(pin.name.clone()).or_default();
                if !versions.contains(&pin.version) {
                    versions.push(pin.version.clone());
                }
            }
        }
    }
}

fn of_file(file: &Path, settings: &Settings, printer: &Printer) -> Result<Vec<Pin>, Failure> {
    let path = settings.environment.working_directory().join(file);
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    if let Some(kind) = ForeignLock::of_file_name(&name) {
        return Ok(kind.pins(&fs_err::read_to_string(&path)?)?);
    }
    let is_toml = Path::new(&*name).extension().is_some_and(|it| it == "toml");
    if is_toml && name.starts_with("pylock.") {
        return Ok(super::read(&path, printer)?.pins());
    }
    if is_toml || name.ends_with(".lock") || name.ends_with(".json") {
        return Err(Failure::new("it is none of the files that are known").hint(
            "`pylock.toml`, `uv.lock`, `poetry.lock`, `Pipfile.lock` and requirements files are",
        ));
    }
    of_requirements(&path.to_string_lossy(), settings)
}

/// The pins of a requirements file, which must have nothing else.
fn of_requirements(file: &str, settings: &Settings) -> Result<Vec<Pin>, Failure> {
    let surroundings = Surroundings {
        working_directory: settings.environment.working_directory(),
        variable: &|name| settings.environment.get(name).map(str::to_owned),
    };
    let mut reader = RequirementsReader::new(surroundings, &read_url_nothing);
    reader.read(file, false)?;
    let mut pins = Vec::new();
    for given in reader.into_request().requirements {
        let requirement = given.requirement;
        let specifiers = match &requirement.version_or_url {
            // An address has one version, whatever an index has.
            Some(VersionOrUrl::Url(_)) => continue,
            Some(VersionOrUrl::VersionSpecifier(specifiers)) => &specifiers[..],
            None => &[],
        };
        match specifiers {
            [one] if matches!(one.operator(), Operator::Equal | Operator::ExactEqual) => {
                pins.push(Pin {
                    name: requirement.name,
                    version: one.version().clone(),
                    marker: Some(requirement.marker),
                });
            }
            _ => {
                let raw = given.raw;
                return Err(
                    Failure::new(format!("`{raw}` is no pin ({})", given.source))
                        .hint("preferences are exact versions: `numpy==2.0.0`"),
                );
            }
        }
    }
    Ok(pins)
}

/// Both sides of the lock with conflict markers, and the arguments with what they were asked for
/// in place of what isn't named.
///
/// # Errors
/// When there are no markers, or a side isn't a lock.
pub(super) fn sides(
    arguments: &LockArgs,
    settings: &Settings,
) -> Result<([Lock; 2], LockArgs), Failure> {
    let directory = settings.environment.working_directory();
    let shown = arguments.output.display();
    let context = || format!("Failed to resolve the conflicts of `{shown}`");
    let text = fs_err::read_to_string(directory.join(&arguments.output))?;
    let Some((ours, theirs)) = conflict_sides(&text) else {
        return Err(Failure::new(format!(
            "{}: it has no conflict markers",
            context()
        )));
    };
    let side = |name: &str, text: &str| {
        text.parse::<Lock>().map_err(|error| {
            Failure::from(error).context(format!("{}: {name} isn't a lock", context()))
        })
    };
    let sides = [side("ours", &ours)?, side("theirs", &theirs)?];
    let mut arguments = arguments.clone();
    let options = &arguments.resolve;
    let is_asked = !arguments.requirements.is_empty()
        || !options.requirement_files.is_empty()
        || !options.profiles.is_empty()
        || directory.join("pyproject.toml").is_file();
    if !is_asked {
        let requirements = sides.iter().flat_map(|it| &it.packages);
        let requirements = requirements.flat_map(|package| &package.requirements);
        let mut texts: Vec<String> = requirements.map(|it| it.text.clone()).collect();
        texts.sort_unstable();
        texts.dedup();
        if sides.iter().any(|side| !side.inputs.constraints.is_empty()) {
            let failure = Failure::new(format!("{}: it was made with constraints", context()));
            return Err(failure.hint("name what was asked for again, with its constraints"));
        }
        arguments.requirements = texts;
    }
    if arguments.environments.is_empty() {
        let names = sides.iter().flat_map(Lock::environment_names);
        arguments.environments = names.collect();
    }
    Ok((sides, arguments))
}
