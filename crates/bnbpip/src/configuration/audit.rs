//! A project's word on `bnbpip audit`: where the advisories are, and which findings it lives with.

use serde::Deserialize;
use serde::de::Error as _;

/// The table `audit`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct AuditOptions {
    /// The advisories, as for `--db`.
    pub db: Option<String>,
    /// What is ignored for a time.
    pub ignore: Vec<IgnoreEntry>,
}

/// A finding that is ignored. Why and how long have to be said.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IgnoreEntry {
    /// Any of the vulnerability's identifiers.
    pub id: String,
    /// Why it is no danger here.
    pub reason: String,
    /// The last day on which it is ignored.
    pub until: Day,
}

/// A day: a TOML date, or a text of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Day(pub jiff::civil::Date);

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = toml::Value::deserialize(deserializer)?;
        let text = match &value {
            toml::Value::Datetime(day) => day.to_string(),
            toml::Value::String(text) => text.clone(),
            _ => return Err(D::Error::custom("a day is written as 2026-12-31")),
        };
        let day = text.parse::<jiff::civil::Date>();
        day.map(Self)
            .map_err(|_| D::Error::custom(format!("`{text}` is not a day such as 2026-12-31")))
    }
}
