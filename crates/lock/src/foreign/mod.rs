//! Other tools' lock files, as far as their versions can be preferred: what they pin, and where.

mod pipfile;
mod poetry;
mod uv;

use std::str::FromStr as _;

use bnbpip_packaging::{MarkerEnvironment, MarkerTree, PackageName, Version, requirement};
use serde::de::DeserializeOwned;
use toml::Value;

use crate::Lock;
use crate::pieces::Pieces;

/// The lock files that are known, by the names that their tools give them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForeignLock {
    /// `uv.lock`
    Uv,
    /// `poetry.lock`
    Poetry,
    /// `Pipfile.lock`
    Pipfile,
}

/// A version that a lock file has for a package.
#[derive(Debug, Clone, PartialEq)]
pub struct Pin {
    /// The package.
    pub name: PackageName,
    /// Its version.
    pub version: Version,
    /// Where it is for; everywhere if there is none.
    pub marker: Option<MarkerTree>,
}

/// A text that is no such lock file.
#[derive(Debug, thiserror::Error)]
pub enum ForeignLockError {
    /// Not of the form that it should have.
    #[error("Failed to read the lock of {tool}: {reason}")]
    Malformed {
        /// The tool that should have written it.
        tool: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// Another version of the format.
    #[error(
        "Failed to read the lock of {tool}: its version {found} is not one that bnbpip knows ({known})"
    )]
    Version {
        /// The tool.
        tool: &'static str,
        /// The version that it has.
        found: String,
        /// The versions that can be read.
        known: &'static str,
    },
}

impl ForeignLock {
    /// The kind of a file, from its name.
    pub fn of_file_name(name: &str) -> Option<Self> {
        match name {
            "uv.lock" => Some(Self::Uv),
            "poetry.lock" => Some(Self::Poetry),
            "Pipfile.lock" => Some(Self::Pipfile),
            _ => None,
        }
    }

    /// What the file pins. Packages that don't come from an index (folders, repositories,
    /// addresses) are left out: their versions say nothing about an index's.
    ///
    /// # Errors
    /// When the text is not of the kind's form, or of a version of it that isn't known.
    pub fn pins(self, text: &str) -> Result<Vec<Pin>, ForeignLockError> {
        match self {
            Self::Uv => uv::pins(text),
            Self::Poetry => poetry::pins(text),
            Self::Pipfile => pipfile::pins(text),
        }
    }

    fn tool(self) -> &'static str {
        match self {
            Self::Uv => "uv",
            Self::Poetry => "Poetry",
            Self::Pipfile => "Pipenv",
        }
    }

    /// Reads the head of a text, and calls `visit` with each of its packages, one after another.
    fn read<Head: DeserializeOwned, Package: DeserializeOwned>(
        self,
        text: &str,
        check: impl FnOnce(Head) -> Result<(), ForeignLockError>,
        mut visit: impl FnMut(Package) -> Result<(), ForeignLockError>,
    ) -> Result<(), ForeignLockError> {
        let wrong = |error: toml::de::Error| self.malformed(&error.message());
        let mut pieces = Pieces::read(text, "package").map_err(|it| self.malformed(&it))?;
        let within = match pieces.top.remove("package") {
            Some(Value::Array(packages)) => packages,
            Some(_) => return Err(self.malformed(&"`package` is no array")),
            None => Vec::new(),
        };
        check(Value::Table(pieces.top).try_into().map_err(wrong)?)?;
        for package in within {
            visit(package.try_into().map_err(wrong)?)?;
        }
        for piece in &pieces.packages {
            let package = piece.parse().map_err(|it| self.malformed(&it))?;
            visit(Value::Table(package).try_into().map_err(wrong)?)?;
        }
        Ok(())
    }

    fn malformed(self, reason: &impl ToString) -> ForeignLockError {
        ForeignLockError::Malformed {
            tool: self.tool(),
            reason: reason.to_string(),
        }
    }

    fn version(self, found: &impl ToString, known: &'static str) -> ForeignLockError {
        ForeignLockError::Version {
            tool: self.tool(),
            found: found.to_string(),
            known,
        }
    }

    /// A pin out of its texts; the markers are alternatives.
    fn pin(self, name: &str, version: &str, markers: &[String]) -> Result<Pin, ForeignLockError> {
        let wrong = |what: String| self.malformed(&format!("`{}`: {what}", name.escape_debug()));
        let mut marker: Option<MarkerTree> = None;
        for text in markers {
            let parsed = requirement::parse_marker(text).map_err(|it| wrong(it.to_string()))?;
            match &mut marker {
                Some(marker) => marker.or(parsed),
                None => marker = Some(parsed),
            }
        }
        Ok(Pin {
            name: PackageName::from_str(name).map_err(|it| wrong(it.to_string()))?,
            version: Version::from_str(version).map_err(|it| wrong(it.to_string()))?,
            marker,
        })
    }
}

impl Pin {
    /// Whether it is for an environment.
    pub fn holds_in(&self, environment: &MarkerEnvironment) -> bool {
        let marker = self.marker.as_ref();
        marker.is_none_or(|marker| marker.evaluate(environment, &[]))
    }
}

impl Lock {
    /// The versions that this lock itself has, with all its extras and groups.
    pub fn pins(&self) -> Vec<Pin> {
        let pins = self.packages.iter().filter_map(|package| {
            let marker = package.marker.as_ref();
            Some(Pin {
                name: package.name.clone(),
                version: package.version.clone()?,
                marker: marker.map(|it| it.tree_with(&self.extras, &self.dependency_groups)),
            })
        });
        pins.collect()
    }
}
