//! What a package is installed from: wheels, or one of the sources that exclude each other.

use std::collections::BTreeSet;
use std::str::FromStr;

use bnbpip_packaging::{HashAlgorithm, Hashes, PackageName, SdistFilename, Version, WheelFilename};
use toml::Value;

use super::strict::FILE_KEYS;
use super::{LockError, Place};
use crate::{LockedFile, LockedSource, LockedVcs};

/// The protocols of files and repositories that are fetched.
const FILE_SCHEMES: &[&str] = &["https://", "http://", "file://"];
const REPOSITORY_SCHEMES: &[&str] = &["https://", "http://", "file://", "ssh://", "git://", "git@"];

impl Place<'_> {
    /// The wheels. All must be of this package and version.
    pub(super) fn wheels(
        &self,
        name: &PackageName,
        version: Option<&Version>,
    ) -> Result<Vec<LockedFile>, LockError> {
        let mut wheels = Vec::new();
        let mut seen = BTreeSet::new();
        for (number, table) in self.tables("wheels")?.into_iter().enumerate() {
            let place = Place {
                table,
                place: format!("{}, wheels[{number}]", self.place),
                unknown: self.unknown,
            };
            place.only(FILE_KEYS)?;
            let file = place.file()?;
            let parsed = WheelFilename::from_str(&file.name)
                .map_err(|error| place.wrong(error.to_string()))?;
            let other = version.is_some_and(|it| *it != parsed.version);
            if parsed.name != *name || other {
                return Err(place.wrong(format!("`{}` is a file of another package", file.name)));
            }
            if !seen.insert(file.name.clone()) {
                return Err(place.wrong(format!("`{}` is there twice", file.name)));
            }
            wheels.push(file);
        }
        Ok(wheels)
    }

    /// What a package comes from besides wheels. The sources exclude each other.
    pub(super) fn source(&self, name: &PackageName) -> Result<Option<LockedSource>, LockError> {
        let sources = ["vcs", "directory", "archive", "sdist"];
        let mut given = sources
            .into_iter()
            .filter(|key| self.table.contains_key(*key));
        let first = given.next();
        let has_wheels = self.table.contains_key("wheels");
        if given.next().is_some() || (has_wheels && first.is_some_and(|key| key != "sdist")) {
            return Err(self.wrong("it has more than one source".into()));
        }
        let Some(key) = first else {
            return if self.list("wheels")?.is_empty() {
                Err(self.wrong("it has no files".into()))
            } else {
                Ok(None)
            };
        };
        let Some(place) = self.table(key)? else {
            return Ok(None);
        };
        Ok(Some(match key {
            "vcs" => LockedSource::Vcs(place.vcs()?),
            "directory" => LockedSource::Directory {
                path: place.required("path")?.to_owned(),
                editable: place.flag("editable")?,
                subdirectory: place.subdirectory()?,
            },
            "archive" => LockedSource::Archive {
                file: place.file()?,
                subdirectory: place.subdirectory()?,
            },
            _ => {
                place.only(FILE_KEYS)?;
                let file = place.file()?;
                let parsed = SdistFilename::parse(&file.name, name);
                parsed.map_err(|error| place.wrong(error.to_string()))?;
                LockedSource::Sdist(file)
            }
        }))
    }

    fn vcs(&self) -> Result<LockedVcs, LockError> {
        let kind = self.required("type")?;
        if kind != "git" {
            return Err(self.wrong(format!(
                "`{kind}` repositories can't be read, only `git` ones"
            )));
        }
        let (url, path) = self.location(REPOSITORY_SCHEMES)?;
        let commit_id = self.required("commit-id")?;
        let is_hex = commit_id.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_hex || ![40, 64].contains(&commit_id.len()) {
            return Err(self.wrong("`commit-id` must be the whole digest of a commit".into()));
        }
        Ok(LockedVcs {
            kind: kind.to_owned(),
            url: url.map(String::from),
            path: path.map(String::from),
            requested_revision: self.text("requested-revision")?.map(String::from),
            commit_id: commit_id.to_ascii_lowercase(),
            subdirectory: self.subdirectory()?,
        })
    }

    /// The project's folder in a source: one below it.
    fn subdirectory(&self) -> Result<Option<String>, LockError> {
        let Some(text) = self.text("subdirectory")? else {
            return Ok(None);
        };
        let leads_out = text.split(['/', '\\']).any(|part| part == "..");
        if leads_out || text.starts_with(['/', '\\']) || text.contains(':') {
            let shown = text.escape_debug();
            return Err(self.wrong(format!("`subdirectory` leads out of the source: `{shown}`")));
        }
        Ok(Some(text.to_owned()))
    }

    /// `url` and `path`, of which there must be one.
    fn location(&self, schemes: &[&str]) -> Result<(Option<&str>, Option<&str>), LockError> {
        let (url, path) = (self.text("url")?, self.text("path")?);
        if url.is_none() && path.is_none() {
            return Err(self.wrong("`url` and `path` are missing".into()));
        }
        if let Some(url) = url
            && !schemes.iter().any(|it| url.starts_with(it))
        {
            let known: Vec<&str> = schemes
                .iter()
                .map(|it| it.trim_end_matches("://"))
                .collect();
            return Err(self.wrong(format!(
                "`url` must be an address by one of {}",
                known.join(", ")
            )));
        }
        Ok((url, path))
    }

    fn file(&self) -> Result<LockedFile, LockError> {
        let (url, path) = self.location(FILE_SCHEMES)?;
        let in_url = url.map(|url| self.name_in_url(url)).transpose()?;
        let in_path = path.map(|path| self.name_in_path(path)).transpose()?;
        let name = self.text("name")?.or(in_url.as_deref()).or(in_path);
        let name = name.unwrap_or_default().to_owned();
        let unsafe_name = |c: char| matches!(c, '/' | '\\' | ':') || c.is_control();
        if name.is_empty() || name.starts_with('.') || name.contains(unsafe_name) {
            let shown = name.escape_debug();
            return Err(self.wrong(format!("`{shown}` is not the name of a file")));
        }
        for last in in_url.as_deref().into_iter().chain(in_path) {
            self.same_name(&name, last)?;
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
            Some(Value::Datetime(time)) if time.date.is_some() && time.time.is_some() => {
                Ok(Some(time.to_string()))
            }
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
