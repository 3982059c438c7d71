//! The environments that a lock is for.

use std::collections::BTreeMap;

use bnbpip_lock::{Environment, LockMarker};
use bnbpip_packaging::{Arch, VersionSpecifiers, requirement};
use bnbpip_platform::{OperatingSystem, Target, TargetPython, TargetRequest};

use crate::commands::target_environment;
use crate::configuration::settings::Settings;
use crate::failure::Failure;

/// An environment to solve for.
pub(crate) struct LockTarget {
    /// Its short name: `windows-3.12`.
    pub(crate) name: String,
    /// What packages are chosen for.
    pub(crate) target: Target,
    /// What tells it from others.
    pub(crate) environment: Environment,
    /// Holds in it, and in no other that may be named.
    pub(crate) marker: LockMarker,
}

/// The systems that a marker may mean, the usual ones of each first.
const SYSTEMS: [&str; 6] = [
    "linux",
    "windows",
    "macos",
    "linux-aarch64",
    "windows-aarch64",
    "macos-x86_64",
];

/// The minor versions of Python 3 that a marker may mean.
const MINORS: std::ops::RangeInclusive<u8> = 8..=14;

/// The named environments, each once and in the order of their markers; by default Windows, Linux
/// and this machine's system. They are described and not asked from this machine, so that every
/// machine writes the same lock. `requires_python` limits what a marker may mean.
///
/// # Errors
/// When a name can't be understood, or says no Python and none is there to ask.
pub(crate) fn targets(
    names: &[String],
    requires_python: Option<&VersionSpecifiers>,
    settings: &Settings,
) -> Result<Vec<LockTarget>, Failure> {
    let mut own = None;
    let mut here = || match &own {
        Some(here) => Ok::<Here, Failure>(Here::clone(here)),
        None => Ok(own.insert(Here::find(settings)?).clone()),
    };
    let mut targets = BTreeMap::new();
    let names = if names.is_empty() {
        here()?.systems
    } else {
        names.to_vec()
    };
    for name in names {
        let unreadable =
            |failure: Failure| failure.context(format!("Failed to read environment `{name}`"));
        if is_marker(&name) {
            for target in meant(&name, requires_python, &mut here).map_err(unreadable)? {
                targets.insert(target.marker.to_string(), target);
            }
            continue;
        }
        let (system, python) = split(&name);
        let python = match python {
            Some(python) => python.to_owned(),
            None => here()?.python,
        };
        let target = LockTarget::new(&name, system, &python).map_err(unreadable)?;
        targets.insert(target.marker.to_string(), target);
    }
    Ok(targets.into_values().collect())
}

/// What this machine says about environments that aren't described in full.
#[derive(Clone)]
struct Here {
    python: String,
    systems: Vec<String>,
}

impl Here {
    fn find(settings: &Settings) -> Result<Self, Failure> {
        let interpreter = target_environment::find_to_read(settings)?;
        let (major, minor) = interpreter.version_info;
        let target = Target::from_interpreter(&interpreter);
        let mut systems = vec!["linux".to_owned(), "windows".to_owned()];
        let arm = target.arch == Some(Arch::Aarch64);
        let own = match target.operating_system {
            OperatingSystem::MacOs if arm => Some("macos"),
            OperatingSystem::MacOs => Some("macos-x86_64"),
            OperatingSystem::Linux if arm => Some("linux-aarch64"),
            OperatingSystem::Windows if arm => Some("windows-aarch64"),
            _ => None,
        };
        systems.extend(own.map(str::to_owned));
        Ok(Self {
            python: format!("{major}.{minor}"),
            systems,
        })
    }
}

impl LockTarget {
    fn new(name: &str, system: &str, python: &str) -> Result<Self, Failure> {
        let target = target(system, python)?;
        let (major, minor) = target.python_version;
        let markers = &target.markers;
        let environment = Environment {
            values: vec![
                ("sys_platform", markers.sys_platform().to_owned()),
                ("platform_machine", markers.platform_machine().to_owned()),
                ("python_version", format!("{major}.{minor}")),
            ],
        };
        Ok(Self {
            name: name.to_owned(),
            marker: environment.marker().parse()?,
            environment,
            target,
        })
    }
}

/// Names have no spaces and no comparisons.
fn is_marker(name: &str) -> bool {
    name.contains(['=', '<', '>', ' ', '\''])
}

/// The environments that a marker holds in. What it doesn't speak of is as usual: Windows and
/// Linux on the usual processors, and this machine's Python.
fn meant(
    text: &str,
    requires_python: Option<&VersionSpecifiers>,
    here: &mut impl FnMut() -> Result<Here, Failure>,
) -> Result<Vec<LockTarget>, Failure> {
    let marker =
        requirement::parse_marker(text).map_err(|error| Failure::new(error.to_string()))?;
    let speaks_of = |names: &[&str]| names.iter().any(|name| text.contains(name));
    let names_system = speaks_of(&["sys_platform", "platform_system", "os_name"]);
    let names_machine = speaks_of(&["platform_machine"]);
    let systems: Vec<String> = match (names_system, names_machine) {
        (_, true) => SYSTEMS.map(str::to_owned).into(),
        (true, false) => SYSTEMS[..3].iter().map(|name| (*name).to_owned()).collect(),
        (false, false) => here()?.systems,
    };
    let pythons: Vec<String> = if speaks_of(&["python_version", "python_full_version"]) {
        MINORS.map(|minor| format!("3.{minor}")).collect()
    } else {
        vec![here()?.python]
    };
    let mut targets = Vec::new();
    for system in &systems {
        for python in &pythons {
            let found = LockTarget::new(&format!("{system}-{python}"), system, python)?;
            let version = &found.target.python_full_version;
            let is_wanted = requires_python.is_none_or(|wanted| wanted.contains(version));
            if is_wanted && marker.evaluate(&found.target.markers, &[]) {
                targets.push(found);
            }
        }
    }
    if targets.is_empty() {
        return Err(Failure::new(
            "no environment that can be locked for is one that it holds in",
        ));
    }
    Ok(targets)
}

/// A name's system and its Python.
fn split(name: &str) -> (&str, Option<&str>) {
    match name.rsplit_once('-') {
        Some((system, python)) if python.starts_with(|c: char| c.is_ascii_digit()) => {
            (system, Some(python))
        }
        _ => (name, None),
    }
}

fn target(system: &str, python: &str) -> Result<Target, Failure> {
    let platform = match system {
        "linux-x86_64" => "linux",
        "linux-aarch64" | "linux-arm64" => "aarch64-unknown-linux-gnu",
        "macos-arm64" | "macos-aarch64" => "macos",
        "macos-x86_64" => "x86_64-apple-darwin",
        "windows-x86_64" | "windows-amd64" => "windows",
        "windows-aarch64" | "windows-arm64" => "aarch64-pc-windows-msvc",
        other => other,
    };
    let python: TargetPython = python.parse()?;
    let request = TargetRequest {
        python_platform: Some(platform.parse()?),
        python_version: Some(python),
        platforms: Vec::new(),
        implementation: None,
        abis: Vec::new(),
    };
    Ok(request.target(None)?)
}
