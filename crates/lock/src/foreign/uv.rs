//! `uv.lock`: version 1, of any revision.

use serde::Deserialize;

use super::{ForeignLock, ForeignLockError, Pin};

const KIND: ForeignLock = ForeignLock::Uv;

#[derive(Deserialize)]
struct Header {
    version: u64,
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
    let mut pins = Vec::new();
    let check = |Header { version }| match version {
        1 => Ok(()),
        _ => Err(KIND.version(&version, "1")),
    };
    KIND.read(text, check, |package: Package| {
        if let Some(version) = &package.version
            && package.source.contains_key("registry")
        {
            pins.push(KIND.pin(&package.name, version, &package.resolution_markers)?);
        }
        Ok(())
    })?;
    Ok(pins)
}
