//! Reading, strictly: whatever is not as PEP 751 has it is an error that names the place.

mod files;
mod own;
mod place;
mod strict;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::str::FromStr;

use bnbpip_packaging::{PackageName, Version};
use toml::Table;

use self::place::Place;
use self::strict::{PACKAGE_KEYS, TOP_KEYS};
use crate::pieces::Pieces;
use crate::{Lock, LockMarker, LockedPackage};

/// No lock is larger: 32 MiB.
pub const MAX_BYTES: u64 = 32 << 20;

/// Why a text is no lock file: what is wrong, and where.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Larger than [`MAX_BYTES`].
    #[error("it has more than {MAX_BYTES} bytes")]
    TooLarge,
    /// More packages than a lock may have.
    #[error("it has more than {limit} packages")]
    TooManyPackages {
        /// The limit.
        limit: usize,
    },
    /// One package, or all that is no package, has more values.
    #[error("it has more than {limit} values in one place")]
    TooManyValues {
        /// The limit.
        limit: usize,
    },
    /// Bytes that are no text.
    #[error("it isn't UTF-8")]
    Encoding,
    /// A merge was left unfinished.
    #[error("line {line} is a conflict marker of an unfinished merge")]
    ConflictMarkers {
        /// The line, from 1.
        line: usize,
    },
    /// It isn't TOML.
    #[error("line {line}: {message}")]
    Syntax {
        /// The line, from 1.
        line: usize,
        /// What the parser says.
        message: String,
    },
    /// Another version of the format.
    #[error("its version `{0}` is not one that bnbpip knows (1.0)")]
    Version(String),
    /// Something is missing or not what it should be.
    #[error("{place}: {reason}")]
    Invalid {
        /// Where: `packages[2] (numpy), wheels[0]`.
        place: String,
        /// What is wrong.
        reason: String,
    },
}

impl Lock {
    /// Reads a lock from a file's content.
    ///
    /// # Errors
    /// When it isn't one.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LockError> {
        let text = std::str::from_utf8(bytes).map_err(|_| LockError::Encoding)?;
        text.parse()
    }
}

impl FromStr for Lock {
    type Err = LockError;

    fn from_str(text: &str) -> Result<Self, LockError> {
        if text.len() as u64 > MAX_BYTES {
            return Err(LockError::TooLarge);
        }
        let is_marker = |line: &str| line.starts_with("<<<<<<< ") || line.starts_with(">>>>>>> ");
        if let Some(line) = text.lines().position(is_marker) {
            return Err(LockError::ConflictMarkers { line: line + 1 });
        }
        read(&Pieces::read(text, "packages")?)
    }
}

pub(crate) fn line_of(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().iter().take(offset);
    before.filter(|byte| **byte == b'\n').count() + 1
}

fn read(pieces: &Pieces<'_>) -> Result<Lock, LockError> {
    let mut top = Place {
        table: &pieces.top,
        place: "top level".into(),
        unknown: None,
    };
    let noted = RefCell::default();
    let version = top.required("lock-version")?;
    match version.split_once('.') {
        Some(("1", minor)) if minor.parse::<u32>().is_ok() => {}
        _ => return Err(LockError::Version(version.to_string())),
    }
    top.unknown = (version != "1.0").then_some(&noted);
    top.only(TOP_KEYS)?;
    let mut lock = Lock {
        created_by: top.required("created-by")?.to_string(),
        requires_python: top.parsed("requires-python")?,
        extras: top.names("extras")?,
        dependency_groups: top.names("dependency-groups")?,
        default_groups: top.names("default-groups")?,
        ..Lock::default()
    };
    let environments = top.strings("environments")?;
    if environments.is_empty() && pieces.top.contains_key("environments") {
        return Err(top.wrong("`environments` is empty: the lock is for none".into()));
    }
    for text in environments {
        let marker = LockMarker::from_str(text);
        lock.environments
            .push(marker.map_err(|error| top.wrong(error.to_string()))?);
    }
    if pieces.packages.is_empty() && !pieces.top.contains_key("packages") {
        return Err(top.wrong("`packages` is missing".into()));
    }
    for (number, table) in top.tables("packages")?.into_iter().enumerate() {
        lock.packages.push(package(table, number, top.unknown)?);
    }
    for (number, piece) in pieces.packages.iter().enumerate() {
        let table = piece.parse()?;
        lock.packages.push(package(&table, number, top.unknown)?);
    }
    if let Some(own) = top.own()? {
        own.describe(&mut lock)?;
    }
    lock.unknown_keys = noted.take().into_iter().collect();
    Ok(lock)
}

fn package<'a>(
    table: &'a Table,
    number: usize,
    unknown: Option<&'a RefCell<BTreeSet<String>>>,
) -> Result<LockedPackage, LockError> {
    let mut here = Place {
        table,
        place: format!("packages[{number}]"),
        unknown,
    };
    let name = here.required("name")?;
    here.place = format!("packages[{number}] ({})", name.escape_debug());
    here.only(PACKAGE_KEYS)?;
    let given = name;
    let name = PackageName::from_str(given).map_err(|error| here.wrong(error.to_string()))?;
    if name.as_ref() != given {
        return Err(here.wrong(format!("`name` must be normalized: `{name}`")));
    }
    let version: Option<Version> = here.parsed("version")?;
    let source = here.source(&name)?;
    let mut dependencies = Vec::new();
    for table in here.tables("dependencies")? {
        let place = Place {
            table,
            place: format!("{}, dependencies", here.place),
            unknown,
        };
        if let Some(name) = place.parsed("name")? {
            dependencies.push(name);
        }
    }
    let own = here.own()?;
    Ok(LockedPackage {
        marker: here.parsed("marker")?,
        requires_python: here.parsed("requires-python")?,
        index: here.index()?,
        attestation_identities: here.identities()?,
        requirements: own.as_ref().map_or(Ok(Vec::new()), Place::requirements)?,
        community: own.as_ref().map_or(Ok(None), Place::community)?,
        wheels: here.wheels(&name, version.as_ref())?,
        name,
        version,
        dependencies,
        source,
    })
}
