//! The values that options take, parsed.

use std::fmt;

use clap::ValueEnum;
use jiff::{SignedDuration, Timestamp, ToSpan, civil, tz::TimeZone};
use serde::Deserialize;

use crate::request::NamedLock;

/// `--upgrade-strategy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum UpgradeStrategy {
    /// Dependencies are upgraded only where something needs a newer one.
    #[default]
    OnlyIfNeeded,
    /// Dependencies are upgraded as well.
    Eager,
}

/// `--index-strategy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum IndexStrategy {
    /// Take a package from the first index that has it
    #[default]
    FirstIndex,
    /// Take the best version that the first index has, and where none fits that of the next
    UnsafeFirstMatch,
    /// Take the best version that any index has, as pip does
    UnsafeBestMatch,
}

/// `--keyring-provider`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum KeyringProvider {
    /// The module `keyring` of the active environment, else the program
    #[default]
    Auto,
    /// No keyring
    Disabled,
    /// The module `keyring` of the active environment
    Import,
    /// The program `keyring`
    Subprocess,
}

/// `--link-mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum LinkMode {
    /// The fastest that the file system allows: clone, else hard link, else copy
    #[default]
    Auto,
    /// Copy-on-write clones
    #[value(alias = "reflink")]
    Clone,
    /// Hard links to the cache
    Hardlink,
    /// Copies
    Copy,
}

/// `--progress-bar`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum ProgressBar {
    /// Bars on a terminal, lines elsewhere
    #[default]
    Auto,
    /// Bars
    On,
    /// Nothing
    Off,
    /// `Progress <done> of <total>` lines for another program to read
    Raw,
}

/// `--root-user-action`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum RootUserAction {
    /// Warn
    #[default]
    Warn,
    /// Say nothing
    Ignore,
}

/// `--exists-action`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExistsAction {
    /// Point the folder to the address
    #[value(name = "s")]
    Switch,
    /// Use the folder as it is
    #[value(name = "i")]
    Ignore,
    /// Remove the folder
    #[value(name = "w")]
    Wipe,
    /// Rename the folder
    #[value(name = "b")]
    Backup,
    /// Give up
    #[value(name = "a")]
    Abort,
}

/// `--group`: a dependency group and the file that it stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GroupOfFile {
    /// The path of the `pyproject.toml` or the lock file, as it was typed.
    pub path: String,
    /// The group's name.
    pub name: String,
}

impl std::str::FromStr for GroupOfFile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (path, name) = text.rsplit_once(':').unwrap_or(("pyproject.toml", text));
        let file = path.rsplit(['/', '\\']).next().unwrap_or_default();
        let is_local_lock = !path.contains("://") && NamedLock::of_group(path, name).is_some();
        if file != "pyproject.toml" && !is_local_lock {
            return Err("group paths use local 'pyproject.toml' or 'pylock.toml' files".to_owned());
        }
        Ok(Self {
            path: path.to_owned(),
            name: name.to_owned(),
        })
    }
}

/// `--color`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal
    #[default]
    Auto,
    /// Everywhere
    Always,
    /// Nowhere
    Never,
}

/// `list --format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum ListFormat {
    /// A table
    #[default]
    Columns,
    /// `name==version` lines
    Freeze,
    /// One line of JSON
    Json,
}

/// `rules export --format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum RulesFormat {
    /// Everything
    #[default]
    Json,
    /// What a constraints file of pip or uv can say
    Constraints,
    /// Entries in the OSV format
    Osv,
}

/// `cache list --format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum CacheListFormat {
    /// Names and sizes
    #[default]
    Human,
    /// Absolute paths
    Abspath,
}

/// A point in time: only files uploaded before it count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cutoff(pub Timestamp, Option<u32>);

impl Cutoff {
    /// Reads `--uploaded-prior-to`: a date or a time in ISO 8601 (the local time zone unless it
    /// says another; a date is its first moment), or `P<n>D` for `n` days ago.
    ///
    /// # Errors
    /// When the text is none of these.
    pub(crate) fn prior_to(text: &str) -> Result<Self, String> {
        Self::parse(text, false)
    }

    /// Reads `--exclude-newer`: the same, but a date stands for the end of that day.
    ///
    /// # Errors
    /// When the text is none of these.
    pub(crate) fn exclude_newer(text: &str) -> Result<Self, String> {
        Self::parse(text, true)
    }

    fn parse(text: &str, whole_day: bool) -> Result<Self, String> {
        let text = text.trim();
        let unusable = || {
            format!(
                "`{text}` is neither a time (`2026-01-31`, `2026-01-31T12:00:00Z`) nor a number \
                 of days ago (`P7D`)"
            )
        };
        if let Some(days) = text
            .strip_prefix(['P', 'p'])
            .and_then(|rest| rest.strip_suffix(['D', 'd']))
        {
            let days: u32 = days.parse().map_err(|_| unusable())?;
            let ago = SignedDuration::from_hours(24 * i64::from(days));
            return Timestamp::now()
                .checked_sub(ago)
                .map(|moment| Self(moment, Some(days)))
                .map_err(|_| unusable());
        }
        if let Ok(moment) = text.parse::<Timestamp>() {
            return Ok(Self(moment, None));
        }
        // A time would parse as a date as well, and lose its hours.
        let date = (text.len() <= "2026-01-31".len()).then(|| text.parse::<civil::Date>());
        let local = match date {
            Some(Ok(date)) => {
                let days = i32::from(whole_day);
                let date = date.checked_add(days.days()).map_err(|_| unusable())?;
                date.to_datetime(civil::Time::midnight())
            }
            Some(Err(_)) => return Err(unusable()),
            None => text.parse::<civil::DateTime>().map_err(|_| unusable())?,
        };
        TimeZone::system()
            .to_timestamp(local)
            .map(|moment| Self(moment, None))
            .map_err(|_| unusable())
    }
}

impl fmt::Display for Cutoff {
    /// A text that means the same tomorrow: days ago stay so.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.1 {
            Some(days) => write!(f, "P{days}D"),
            None => self.0.fmt(f),
        }
    }
}

/// A number of seconds, possibly with a fraction.
pub(crate) fn seconds(text: &str) -> Result<std::time::Duration, String> {
    text.trim()
        .parse::<f64>()
        .ok()
        .and_then(|seconds| std::time::Duration::try_from_secs_f64(seconds).ok())
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| format!("invalid floating-point value: '{text}'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cutoffs() {
        let utc = |text: &str| Cutoff::prior_to(text).unwrap().0.to_string();
        assert_eq!(utc("2026-01-31T12:00:00Z"), "2026-01-31T12:00:00Z");
        assert_eq!(utc("2026-01-31T12:00:00+02:00"), "2026-01-31T10:00:00Z");
        let start = Cutoff::prior_to("2026-01-31").unwrap();
        assert_eq!(start, Cutoff::prior_to("2026-01-31T00:00:00").unwrap());
        assert_eq!(
            Cutoff::exclude_newer("2026-01-31").unwrap(),
            Cutoff::prior_to("2026-02-01").unwrap()
        );
        assert_eq!(
            Cutoff::exclude_newer("2026-01-31T12:30:00").unwrap(),
            Cutoff::prior_to("2026-01-31 12:30").unwrap()
        );
        let week = Timestamp::now() - Cutoff::prior_to("P7D").unwrap().0;
        let hours = week.as_hours();
        assert!((167..=169).contains(&hours), "{hours}");
        for bad in ["", "yesterday", "PD", "P1W", "2026-13-01", "2026-02-30"] {
            assert!(Cutoff::prior_to(bad).is_err(), "{bad}");
        }
    }
}
