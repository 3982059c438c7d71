//! `Pipfile.lock`: version 6 of its specification.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{ForeignLock, ForeignLockError, Pin};

const KIND: ForeignLock = ForeignLock::Pipfile;

#[derive(Deserialize)]
struct Header {
    #[serde(rename = "_meta")]
    meta: Meta,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Meta {
    pipfile_spec: u64,
}

#[derive(Deserialize)]
struct Package {
    version: Option<String>,
    markers: Option<String>,
}

pub(super) fn pins(text: &str) -> Result<Vec<Pin>, ForeignLockError> {
    let header: Header = serde_json::from_str(text).map_err(|it| KIND.malformed(&it))?;
    if header.meta.pipfile_spec != 6 {
        return Err(KIND.version(&header.meta.pipfile_spec, "6"));
    }
    // Everything beside the head is a category of packages: `default`, `develop`, one's own.
    let mut categories: BTreeMap<String, serde_json::Value> =
        serde_json::from_str(text).map_err(|it| KIND.malformed(&it))?;
    categories.remove("_meta");
    let mut pins = Vec::new();
    for (category, packages) in categories {
        let packages: BTreeMap<String, Package> = serde_json::from_value(packages)
            .map_err(|it| KIND.malformed(&format!("`{}`: {it}", category.escape_debug())))?;
        for (name, package) in packages {
            let Some(version) = package.version else {
                continue;
            };
            let pinned = version.strip_prefix("==").ok_or_else(|| {
                let version = version.escape_debug();
                KIND.malformed(&format!("`{}`: `{version}` is no pin", name.escape_debug()))
            })?;
            let markers: Vec<String> = package.markers.into_iter().collect();
            pins.push(KIND.pin(&name, pinned, &markers)?);
        }
    }
    Ok(pins)
}
