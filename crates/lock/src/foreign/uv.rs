//! `uv.lock`: version 1, of any revision.

use serde::Deserialize;

use super::{ForeignLock, ForeignLockError, Pin};

const KIND: ForeignLock = ForeignLock::Uv;

#[derive(Deserialize)]
struct Header {
    version: u64,
}

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    package: Vec<Package>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Package {
    name: String,
    version: Option<String>,
    source: toml::Table,
    #[serde(default)]
    resolution_markers: Vec<String>,
}

pub(super) fn pins(text: &str) -> Result<Vec<Pin>, ForeignLockError> {
    let wrong = |error: toml::de::Error| KIND.malformed(&error.message());
    let Header { version } = toml::from_str(text).map_err(wrong)?;
    if version != 1 {
        return Err(KIND.version(&version, "1"));
    }
    let lock: Lock = toml::from_str(text).map_err(wrong)?;
    let mut pins = Vec::new();
    for package in &lock.package {
        if let Some(version) = &package.version
            && package.source.contains_key("registry")
        {
            pins.push(KIND.pin(&package.name, version, &package.resolution_markers)?);
        }
    }
    Ok(pins)
}
