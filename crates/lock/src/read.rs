//! Reading, strictly: whatever is not as PEP 751 has it is an error that names the place.

use std::collections::BTreeSet;
use std::str::FromStr;

use bnbpip_packaging::{HashAlgorithm, Hashes, PackageName, SdistFilename, Version, WheelFilename};
use toml::{Table, Value};

use crate::{Lock, LockMarker, LockedFile, LockedPackage, Overlay};

/// No lock is larger: 64 MiB.
pub const MAX_BYTES: u64 = 64 << 20;

/// A text that is no lock file.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Larger than [`MAX_BYTES`].
    #[error("Failed to read the lock: it has more than {MAX_BYTES} bytes")]
    TooLarge,
    /// A merge was left unfinished.
    #[error("Failed to read the lock: line {line} is a conflict marker of an unfinished merge")]
    ConflictMarkers {
        /// The line, from 1.
        line: usize,
    },
    /// It isn't TOML.
    #[error("Failed to read the lock: line {line}: {message}")]
    Syntax {
        /// The line, from 1.
        line: usize,
        /// What the parser says.
        message: String,
    },
    /// Another version of the format.
    #[error("Failed to read the lock: its version `{0}` is not one that bnbpip knows (1.0)")]
    Version(String),
    /// Something is missing or not what it should be.
    #[error("Failed to read the lock: {place}: {reason}")]
    Invalid {
        /// Where: `packages[2] (numpy), wheels[0]`.
        place: String,
        /// What is wrong.
        reason: String,
    },
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
        let table: Table = toml::from_str(text).map_err(|error| LockError::Syntax {
            line: line_of(text, error.span().map_or(text.len(), |span| span.start)),
            message: error.message().to_string(),
        })?;
        read(&table)
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().iter().take(offset);
    before.filter(|byte| **byte == b'\n').count() + 1
}

fn read(table: &Table) -> Result<Lock, LockError> {
    let top = Place {
        table,
        place: "top level".into(),
    };
    let version = top.required("lock-version")?;
    match version.split_once('.') {
        Some(("1", minor)) if minor.parse::<u32>().is_ok() => {}
        _ => return Err(LockError::Version(version.to_string())),
    }
    let mut lock = Lock {
        created_by: top.required("created-by")?.to_string(),
        requires_python: top.parsed("requires-python")?,
        extras: top.names("extras")?,
        dependency_groups: top.names("dependency-groups")?,
        default_groups: top.names("default-groups")?,
        ..Lock::default()
    };
    for text in top.strings("environments")? {
        let marker = LockMarker::from_str(text);
        lock.environments
            .push(marker.map_err(|error| top.wrong(error.to_string()))?);
    }
    if !table.contains_key("packages") {
        return Err(top.wrong("`packages` is missing".into()));
    }
    for (number, table) in top.tables("packages")?.into_iter().enumerate() {
        lock.packages.push(package(table, number)?);
    }
    let own = top.own()?;
    if let Some(own) = &own {
        lock.rules = own
            .strings("rules")?
            .into_iter()
            .map(String::from)
            .collect();
        if let Some(overlay) = own.table("overlay")? {
            lock.overlay = Some(Overlay {
                version: overlay.required("version")?.to_string(),
                sha256: overlay.required("sha256")?.to_string(),
            });
        }
    }
    Ok(lock)
}

fn package(table: &Table, number: usize) -> Result<LockedPackage, LockError> {
    let mut here = Place {
        table,
        place: format!("packages[{number}]"),
    };
    let name = here.required("name")?;
    here.place = format!("packages[{number}] ({})", name.escape_debug());
    let name = PackageName::from_str(name).map_err(|error| here.wrong(error.to_string()))?;
    let version: Option<Version> = here.parsed("version")?;
    let source = here.source()?;
    let mut wheels = Vec::new();
    let mut seen = BTreeSet::new();
    for (number, table) in here.tables("wheels")?.into_iter().enumerate() {
        let place = Place {
            table,
            place: format!("{}, wheels[{number}]", here.place),
        };
        let file = place.file()?;
        let parsed =
            WheelFilename::from_str(&file.name).map_err(|error| place.wrong(error.to_string()))?;
        let other = version.as_ref().is_some_and(|it| *it != parsed.version);
        if parsed.name != name || other {
            return Err(place.wrong(format!("`{}` is a file of another package", file.name)));
        }
        if !seen.insert(file.name.clone()) {
            return Err(place.wrong(format!("`{}` is there twice", file.name)));
        }
        wheels.push(file);
    }
    if let Some(place) = here.table("sdist")? {
        let file = place.file()?;
        let parsed = SdistFilename::parse(&file.name, &name);
        parsed.map_err(|error| place.wrong(error.to_string()))?;
    }
    let mut dependencies = Vec::new();
    for table in here.tables("dependencies")? {
        let place = Place {
            table,
            place: format!("{}, dependencies", here.place),
        };
        if let Some(name) = place.parsed("name")? {
            dependencies.push(name);
        }
    }
    let own = here.own()?;
    let requirements = match &own {
        Some(own) => own.strings("requirements")?,
        None => Vec::new(),
    };
    Ok(LockedPackage {
        marker: here.parsed("marker")?,
        requires_python: here.parsed("requires-python")?,
        index: here.text("index")?.map(String::from),
        requirements: requirements.into_iter().map(String::from).collect(),
        name,
        version,
        dependencies,
        wheels,
        source,
    })
}

/// A table and where it stands.
struct Place<'a> {
    table: &'a Table,
    place: String,
}

impl<'a> Place<'a> {
    fn wrong(&self, reason: String) -> LockError {
        LockError::Invalid {
            place: self.place.clone(),
            reason,
        }
    }

    fn text(&self, key: &str) -> Result<Option<&'a str>, LockError> {
        match self.table.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.wrong(format!("`{key}` must be a string"))),
        }
    }

    fn required(&self, key: &str) -> Result<&'a str, LockError> {
        self.text(key)?
            .ok_or_else(|| self.wrong(format!("`{key}` is missing")))
    }

    fn parsed<T: FromStr<Err: ToString>>(&self, key: &str) -> Result<Option<T>, LockError> {
        let text = self.text(key)?;
        text.map(|text| {
            let reason = |error: T::Err| self.wrong(format!("`{key}`: {}", error.to_string()));
            text.parse().map_err(reason)
        })
        .transpose()
    }

    fn list(&self, key: &str) -> Result<&'a [Value], LockError> {
        match self.table.get(key) {
            None => Ok(&[]),
            Some(Value::Array(values)) => Ok(values),
            Some(_) => Err(self.wrong(format!("`{key}` must be an array"))),
        }
    }

    fn strings(&self, key: &str) -> Result<Vec<&'a str>, LockError> {
        let values = self.list(key)?.iter().map(|value| {
            value
                .as_str()
                .ok_or_else(|| self.wrong(format!("`{key}` must hold strings")))
        });
        values.collect()
    }

    /// Names of extras or groups, normalized.
    fn names(&self, key: &str) -> Result<Vec<String>, LockError> {
        let names = self.strings(key)?.into_iter();
        Ok(names
            .map(|name| name.to_ascii_lowercase().replace(['_', '.'], "-"))
            .collect())
    }

    fn tables(&self, key: &str) -> Result<Vec<&'a Table>, LockError> {
        let values = self.list(key)?.iter().map(|value| {
            value
                .as_table()
                .ok_or_else(|| self.wrong(format!("`{key}` must hold tables")))
        });
        values.collect()
    }

    fn table(&self, key: &str) -> Result<Option<Place<'a>>, LockError> {
        match self.table.get(key) {
            None => Ok(None),
            Some(Value::Table(table)) => Ok(Some(Place {
                table,
                place: format!("{}, {key}", self.place),
            })),
            Some(_) => Err(self.wrong(format!("`{key}` must be a table"))),
        }
    }

    /// `tool.bnbpip`.
    fn own(&self) -> Result<Option<Place<'a>>, LockError> {
        match self.table("tool")? {
            Some(tool) => tool.table("bnbpip"),
            None => Ok(None),
        }
    }

    /// What a package comes from besides wheels. The sources exclude each other.
    fn source(&self) -> Result<Option<&'static str>, LockError> {
        let sources = ["vcs", "directory", "archive", "sdist"];
        let mut given = sources
            .into_iter()
            .filter(|key| self.table.contains_key(*key));
        let first = given.next();
        let has_wheels = self.table.contains_key("wheels");
        if given.next().is_some() || (has_wheels && first.is_some_and(|key| key != "sdist")) {
            return Err(self.wrong("it has more than one source".into()));
        }
        if first.is_none() && !has_wheels {
            return Err(self.wrong("it has no files".into()));
        }
        Ok(first)
    }

    fn file(&self) -> Result<LockedFile, LockError> {
        let (url, path) = (self.text("url")?, self.text("path")?);
        if url.is_none() && path.is_none() {
            return Err(self.wrong("`url` and `path` are missing".into()));
        }
        if let Some(url) = url
            && !["https://", "http://", "file://"]
                .iter()
                .any(|it| url.starts_with(it))
        {
            return Err(self.wrong("`url` must be an http, https or file address".into()));
        }
        let address = url.or(path).unwrap_or_default();
        let last = address.split(['?', '#']).next().unwrap_or_default();
        let last = last.rsplit('/').next().unwrap_or_default();
        let name = match self.text("name")? {
            Some(name) => name.to_string(),
            None => last.replace("%2B", "+").replace("%2b", "+"),
        };
        let unsafe_name = |c: char| matches!(c, '/' | '\\' | ':') || c.is_control();
        if name.is_empty() || name.starts_with('.') || name.contains(unsafe_name) {
            let shown = name.escape_debug();
            return Err(self.wrong(format!("`{shown}` is not the name of a file")));
        }
        Ok(LockedFile {
            name,
            url: url.map(String::from),
            path: path.map(String::from),
            size_bytes: self.size()?,
            upload_time: self.upload_time()?,
            hashes: self.hashes()?,
        })
    }

    fn size(&self) -> Result<Option<u64>, LockError> {
        match self.table.get("size") {
            None => Ok(None),
            Some(Value::Integer(size)) => u64::try_from(*size)
                .map(Some)
                .map_err(|_| self.wrong("`size` is negative".into())),
            Some(_) => Err(self.wrong("`size` must be an integer".into())),
        }
    }

    fn upload_time(&self) -> Result<Option<String>, LockError> {
        match self.table.get("upload-time") {
            None => Ok(None),
            Some(Value::Datetime(time)) => Ok(Some(time.to_string())),
            Some(_) => Err(self.wrong("`upload-time` must be a date and time".into())),
        }
    }

    fn hashes(&self) -> Result<Hashes, LockError> {
        let Some(table) = self.table("hashes")? else {
            return Err(self.wrong("`hashes` is missing".into()));
        };
        let mut hashes = Hashes::new();
        for key in table.table.keys() {
            // Algorithms that are not known here are no error as long as a known one is there.
            if let Ok(algorithm) = HashAlgorithm::from_str(key) {
                let inserted = hashes.insert(algorithm, table.required(key)?);
                inserted.map_err(|error| table.wrong(error.to_string()))?;
            }
        }
        match hashes.strongest() {
            Some((algorithm, _)) if algorithm.is_strong() => Ok(hashes),
            Some(_) => Err(table.wrong("there are only weak hashes".into())),
            None => Err(table.wrong("there is no hash that bnbpip can check".into())),
        }
    }
}
