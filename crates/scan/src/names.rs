//! Which names a module of another wheel has.

use crate::module::Module;
use crate::parse::absolute;
use crate::wheel::{Found, WheelFiles};

/// Whether a name can be taken out of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HasName {
    Yes,
    No,
    Unknown,
    /// It makes names when they are asked for, and nowhere speaks of this one.
    Unlikely,
    /// This file has to be read first.
    Wants(Box<str>),
}

/// Names that every module has.
const OWN: [&str; 10] = [
    "__name__",
    "__doc__",
    "__file__",
    "__path__",
    "__spec__",
    "__loader__",
    "__package__",
    "__dict__",
    "__builtins__",
    "__cached__",
];

/// Whether `module`, which lies at `path` in `wheel`, has `name`: as a submodule, by a statement
/// of its own, or through `from … import *`.
pub(crate) fn has_name(wheel: &WheelFiles, module: &str, path: &str, name: &str) -> HasName {
    has_name_within(wheel, module, path, name, &mut Vec::new())
}

fn has_name_within(
    wheel: &WheelFiles,
    module: &str,
    path: &str,
    name: &str,
    visited: &mut Vec<String>,
) -> HasName {
    if OWN.contains(&name) || wheel.find(&format!("{module}.{name}")).is_some() {
        return HasName::Yes;
    }
    let parsed = match wheel.module(path) {
        None => return HasName::Wants(path.into()),
        Some(None) => return HasName::Unknown,
        Some(Some(parsed)) => parsed,
    };
    if parsed.names.defined.contains(name) {
        return HasName::Yes;
    }
    if parsed.names.open {
        return HasName::Unknown;
    }
    visited.push(module.to_owned());
    match from_stars(wheel, &parsed, module, path, name, visited) {
        HasName::No if parsed.names.lazy && parsed.names.offered.contains(name) => HasName::Unknown,
        HasName::No if parsed.names.lazy => HasName::Unlikely,
        answer => answer,
    }
}

fn from_stars(
    wheel: &WheelFiles,
    parsed: &Module,
    module: &str,
    path: &str,
    name: &str,
    visited: &mut Vec<String>,
) -> HasName {
    let is_package = path.ends_with("/__init__.py");
    let mut answer = HasName::No;
    for (level, from) in &parsed.names.stars {
        let Some(source) = absolute(module, is_package, *level, from.as_deref()) else {
            return HasName::Unknown;
        };
        if visited.contains(&source) {
            continue;
        }
        match wheel.find(&source) {
            Some(Found::Python(path)) => {
                match has_name_within(wheel, &source, &path, name, visited) {
                    HasName::Unknown => answer = HasName::Unknown,
                    HasName::Unlikely if answer == HasName::No => answer = HasName::Unlikely,
                    HasName::No | HasName::Unlikely => {}
                    other => return other,
                }
            }
            Some(Found::Namespace) => {}
            _ => answer = HasName::Unknown,
        }
    }
    answer
}
