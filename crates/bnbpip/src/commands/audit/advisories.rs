//! Reading an export of the OSV database: a folder, an archive, or the address of an archive.

use std::io::{Cursor, Read as _};
use std::path::{Path, PathBuf};

use bnbpip_audit::{Advisory, Database};
use rayon::prelude::*;

use crate::commands::resolve::remote_file;
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::request::path_or_url::without_credentials;

/// No advisory is larger.
const MAX_ADVISORY_BYTES: u64 = 16 << 20;

/// The advisories of a source.
///
/// # Errors
/// When it can't be had or read, or has no advisory.
pub(super) fn read(source: &str, settings: &Settings) -> Result<Database, Failure> {
    let is_url = source.starts_with("http://") || source.starts_with("https://");
    let url = is_url.then(|| source.parse::<url::Url>()).transpose()?;
    let shown = url
        .as_ref()
        .map_or_else(|| source.to_owned(), without_credentials);
    let read = || {
        if let Some(url) = &url {
            return content(remote_file::read(url, settings)?, &shown);
        }
        let path = settings.environment.working_directory().join(source);
        if path.is_dir() {
            return folder(&path);
        }
        content(fs_err::read(&path)?, &shown)
    };
    let context = || format!("Failed to read advisories from `{shown}`");
    let advisories = read().map_err(|failure: Failure| failure.context(context()))?;
    if advisories.files == 0 {
        return Err(Failure::new(context())
            .caused_by("there is no advisory in it")
            .hint("an OSV export holds a JSON file for each advisory"));
    }
    Ok(advisories.found.into_iter().collect())
}

/// What was read, and from how many files.
struct Advisories {
    found: Vec<Advisory>,
    files: usize,
}

impl Advisories {
    fn of(parsed: Vec<Option<Advisory>>) -> Self {
        Self {
            files: parsed.len(),
            found: parsed.into_iter().flatten().collect(),
        }
    }
}

/// All advisories below a folder.
fn folder(root: &Path) -> Result<Advisories, Failure> {
    let mut files: Vec<PathBuf> = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs_err::read_dir(&folder)? {
            let entry = entry?;
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|found| found == "json") {
                files.push(path);
            }
        }
    }
    files.sort_unstable();
    let parsed: Result<Vec<_>, Failure> = files
        .into_par_iter()
        .map(|path| {
            let name = path.strip_prefix(root).unwrap_or(&path);
            Ok(Advisory::parse(
                &fs_err::read(&path)?,
                &name.to_string_lossy(),
            )?)
        })
        .collect();
    Ok(Advisories::of(parsed?))
}

/// The advisories of an archive; one alone if it isn't an archive.
fn content(bytes: Vec<u8>, source: &str) -> Result<Advisories, Failure> {
    if !bytes.starts_with(b"PK") {
        return Ok(Advisories::of(vec![Advisory::parse(&bytes, source)?]));
    }
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes))?;
    let mut texts = Vec::new();
    for place in 0..archive.len() {
        let mut file = archive.by_index(place)?;
        let name = file.name()?.into_owned();
        if Path::new(&name).extension().is_none_or(|it| it != "json") {
            continue;
        }
        let mut text = Vec::new();
        file.by_ref()
            .take(MAX_ADVISORY_BYTES + 1)
            .read_to_end(&mut text)?;
        if text.len() as u64 > MAX_ADVISORY_BYTES {
            return Err(Failure::new(format!(
                "`{name}` is larger than any advisory"
            )));
        }
        texts.push((name, text));
    }
    let parsed: Result<Vec<_>, Failure> = texts
        .into_par_iter()
        .map(|(name, text)| Ok(Advisory::parse(&text, &name)?))
        .collect();
    Ok(Advisories::of(parsed?))
}
