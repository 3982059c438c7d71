//! The environments that a lock is for.

use std::collections::BTreeMap;

use bnbpip_lock::LockMarker;
use bnbpip_platform::{OperatingSystem, Target, TargetPython, TargetRequest};

use crate::commands::target_environment;
use crate::configuration::settings::Settings;
use crate::failure::Failure;

/// One environment to solve for.
pub(super) struct LockTarget {
    /// Its short name: `windows-3.12`.
    pub(super) name: String,
    /// What packages are chosen for.
    pub(super) target: Target,
    /// Holds in it, and in no other that may be named.
    pub(super) marker: LockMarker,
}

/// The named environments, each once and in the order of their markers; by default Windows, Linux
/// and this machine's system. They are described and not asked from this machine, so that every
/// machine writes the same lock.
///
/// # Errors
/// When a name can't be understood, or says no Python and none is there to ask.
pub(super) fn targets(names: &[String], settings: &Settings) -> Result<Vec<LockTarget>, Failure> {
    let mut names = names.to_vec();
    let mut python = None;
    if names.is_empty() || names.iter().any(|name| split(name).1.is_none()) {
        let interpreter = target_environment::find_to_read(settings)?;
        let (major, minor) = interpreter.version_info;
        python = Some(format!("{major}.{minor}"));
        if names.is_empty() {
            names = vec!["linux".into(), "windows".into()];
            let own = Target::from_interpreter(&interpreter);
            if own.operating_system == OperatingSystem::MacOs {
                names.push("macos".into());
            }
        }
    }
    let mut targets = BTreeMap::new();
    for name in &names {
        let (system, own) = split(name);
        let version = own.map(str::to_owned).or_else(|| python.clone());
        let target = target(system, version.as_deref().unwrap_or_default())
            .map_err(|failure| failure.context(format!("Failed to read environment `{name}`")))?;
        let markers = &target.markers;
        let text = format!(
            "sys_platform == '{}' and platform_machine == '{}' and python_version == '{}.{}'",
            markers.sys_platform(),
            markers.platform_machine(),
            target.python_version.0,
            target.python_version.1
        );
        let marker: LockMarker = text.parse()?;
        let name = name.clone();
        targets.insert(
            text,
            LockTarget {
                name,
                target,
                marker,
            },
        );
    }
    Ok(targets.into_values().collect())
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
        "linux-aarch64" => "aarch64-unknown-linux-gnu",
        "macos-arm64" => "macos",
        "macos-x86_64" => "x86_64-apple-darwin",
        "windows-x86_64" | "windows-amd64" => "windows",
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
