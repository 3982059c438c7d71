//! `poetry.lock`: versions 1 and 2 of its format.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{ForeignLock, ForeignLockError, Pin};

const KIND: ForeignLock = ForeignLock::Poetry;

#[derive(Deserialize)]
struct Header {
    metadata: Metadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Metadata {
    lock_version: String,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    source: Option<Source>,
    markers: Option<Markers>,
}

#[derive(Deserialize)]
struct Source {
    #[serde(rename = "type")]
    kind: String,
}

/// One marker, or one for each dependency group.
#[derive(Deserialize)]
#[serde(untagged)]
enum Markers {
    One(String),
    OfGroups(BTreeMap<String, String>),
}

pub(super) fn pins(text: &str) -> Result<Vec<Pin>, ForeignLockError> {
    let mut pins = Vec::new();
    let check = |Header { metadata }| {
        let version = metadata.lock_version;
        if ["1", "2"].contains(&version.split('.').next().unwrap_or_default()) {
            Ok(())
        } else {
            Err(KIND.version(&version, "1.x and 2.x"))
        }
    };
    KIND.read(text, check, |package: Package| {
        // An index that isn't the default one is a source of type `legacy`.
        let of_index = package.source.as_ref().is_none_or(|it| it.kind == "legacy");
        if of_index {
            let markers = match &package.markers {
                None => Vec::new(),
                Some(Markers::One(marker)) => vec![marker.clone()],
                Some(Markers::OfGroups(markers)) => markers.values().cloned().collect(),
            };
            pins.push(KIND.pin(&package.name, &package.version, &markers)?);
        }
        Ok(())
    })?;
    Ok(pins)
}
