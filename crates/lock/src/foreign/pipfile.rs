//! `Pipfile.lock`: version 6 of its specification.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

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

/// Everything beside the head is a category of packages: `default`, `develop`, one's own.
struct Categories(Vec<BTreeMap<String, Package>>);

impl<'de> Deserialize<'de> for Categories {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Categories;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("categories of packages")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Categories, A::Error> {
        let mut categories = Vec::new();
        while let Some(name) = members.next_key::<String>()? {
            if name == "_meta" {
                members.next_value::<IgnoredAny>()?;
            } else {
                let packages = members.next_value();
                let named = |it| A::Error::custom(format!("`{}`: {it}", name.escape_debug()));
                categories.push(packages.map_err(named)?);
            }
        }
        Ok(Categories(categories))
    }
}

pub(super) fn pins(text: &str) -> Result<Vec<Pin>, ForeignLockError> {
    let header: Header = serde_json::from_str(text).map_err(|it| KIND.malformed(&it))?;
    if header.meta.pipfile_spec != 6 {
        return Err(KIND.version(&header.meta.pipfile_spec, "6"));
    }
    let Categories(categories) = serde_json::from_str(text).map_err(|it| KIND.malformed(&it))?;
    let mut pins = Vec::new();
    for packages in categories {
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
