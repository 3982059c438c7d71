//! One advisory, as far as it is about packages of the Python Package Index.

use std::str::FromStr as _;

use bnbpip_packaging::{PackageName, Version};
use serde::{Deserialize, Deserializer};

use crate::range::{Event, Range};

/// A text that is no advisory.
#[derive(Debug, thiserror::Error)]
#[error("Failed to read advisory `{file}`")]
pub struct AdvisoryError {
    file: String,
    source: serde_json::Error,
}

/// An advisory that is in force.
#[derive(Debug, Clone)]
pub struct Advisory {
    /// Its identifier: `PYSEC-2024-1`, `GHSA-…`.
    pub id: String,
    /// What other databases call the same vulnerability.
    pub aliases: Vec<String>,
    /// What it is about, in a line; empty if nobody said.
    pub summary: String,
    /// The whole text.
    pub details: String,
    /// How bad its database thinks it is: `HIGH`.
    pub severity: Option<String>,
    /// The packages that it is about.
    pub affected: Vec<Affected>,
}

/// A package and its versions that are vulnerable.
#[derive(Debug, Clone)]
pub struct Affected {
    /// The package.
    pub name: PackageName,
    pub(crate) ranges: Vec<Range>,
    pub(crate) versions: Vec<Version>,
    /// Something in it is not a version, so that nothing can be said about it.
    pub(crate) unreadable: bool,
}

#[derive(Deserialize)]
struct Raw {
    id: String,
    #[serde(default, deserialize_with = "or_nothing")]
    aliases: Vec<String>,
    #[serde(default, deserialize_with = "or_nothing")]
    summary: String,
    #[serde(default, deserialize_with = "or_nothing")]
    details: String,
    withdrawn: Option<String>,
    #[serde(default, deserialize_with = "or_nothing")]
    affected: Vec<RawAffected>,
    #[serde(default, deserialize_with = "or_nothing")]
    database_specific: RawSpecific,
}

#[derive(Default, Deserialize)]
struct RawSpecific {
    severity: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct RawAffected {
    package: Option<RawPackage>,
    #[serde(default, deserialize_with = "or_nothing")]
    ranges: Vec<RawRange>,
    #[serde(default, deserialize_with = "or_nothing")]
    versions: Vec<String>,
}

#[derive(Deserialize)]
struct RawPackage {
    ecosystem: String,
    name: String,
}

#[derive(Deserialize)]
struct RawRange {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, deserialize_with = "or_nothing")]
    events: Vec<RawEvent>,
}

#[derive(Deserialize)]
struct RawEvent {
    introduced: Option<String>,
    fixed: Option<String>,
    last_affected: Option<String>,
    limit: Option<String>,
}

/// What is there, or nothing: `null` says as much as a key that is left out.
fn or_nothing<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl Advisory {
    /// Reads an advisory. `None` if it was withdrawn, or is about no package of the index.
    ///
    /// # Errors
    /// When the text isn't an advisory; `file` names it.
    pub fn parse(text: &[u8], file: &str) -> Result<Option<Self>, AdvisoryError> {
        let raw: Raw = serde_json::from_slice(text).map_err(|source| AdvisoryError {
            file: file.to_owned(),
            source,
        })?;
        if raw.withdrawn.is_some() {
            return Ok(None);
        }
        let affected: Vec<Affected> = raw.affected.into_iter().filter_map(affected).collect();
        if affected.is_empty() {
            return Ok(None);
        }
        let severity = raw.database_specific.severity;
        Ok(Some(Self {
            id: raw.id,
            aliases: raw.aliases,
            summary: raw.summary,
            details: raw.details,
            severity: severity.and_then(|it| it.as_str().map(str::to_owned)),
            affected,
        }))
    }
}

/// What is about a package of the index; a name that can't be one of its packages' is none.
fn affected(raw: RawAffected) -> Option<Affected> {
    let package = raw.package?;
    // `PyPI`, or `PyPI:` and the address of another index.
    if package.ecosystem.split(':').next() != Some("PyPI") {
        return None;
    }
    let name = PackageName::from_str(&package.name).ok()?;
    let mut unreadable = false;
    let mut ranges = Vec::new();
    for raw in raw.ranges.iter().filter(|raw| raw.kind != "GIT") {
        match range(raw) {
            Some(range) => ranges.push(range),
            None => unreadable = true,
        }
    }
    // Versions from before PEP 440 are no versions of anything that can be installed.
    let versions = raw.versions.iter().filter_map(|text| text.parse().ok());
    let versions: Vec<Version> = versions.collect();
    Some(Affected {
        name,
        unreadable: unreadable && versions.is_empty(),
        ranges,
        versions,
    })
}

fn range(raw: &RawRange) -> Option<Range> {
    let mut events = Vec::new();
    for event in &raw.events {
        let version = |text: &String| text.parse::<Version>().ok();
        if let Some(text) = &event.introduced {
            events.push(Event::Introduced(version(text)?));
        }
        if let Some(text) = &event.fixed {
            events.push(Event::Fixed(version(text)?));
        }
        if let Some(text) = &event.last_affected {
            events.push(Event::LastAffected(version(text)?));
        }
        if let Some(text) = event.limit.as_ref().filter(|text| *text != "*") {
            events.push(Event::Limit(version(text)?));
        }
    }
    Some(Range::new(events))
}
