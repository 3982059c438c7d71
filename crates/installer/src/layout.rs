//! What a wheel's files mean: where each goes, checked against the wheel specification before
//! anything is linked
//! ([binary distribution format](https://packaging.python.org/en/latest/specifications/binary-distribution-format/)).

use std::io;

use bnbpip_packaging::{
    EntryPoints, Headers, PackageName, RecordEntry, Version, WheelMetadata, record,
};
use rustc_hash::FxHashMap;

use crate::paths;
use crate::wheel::{UnpackedWheel, WheelError, WheelFile};

/// The folder of the scheme that a file goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Destination {
    /// The library that holds the `.dist-info` folder too.
    Library,
    Purelib,
    Platlib,
    Scripts,
    Data,
    Headers,
}

impl Destination {
    fn from_key(key: &str) -> Option<Self> {
        Some(match key {
            "purelib" => Self::Purelib,
            "platlib" => Self::Platlib,
            "scripts" => Self::Scripts,
            "data" => Self::Data,
            "headers" => Self::Headers,
            _ => return None,
        })
    }
}

/// A file and the place that it goes to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PlacedFile<'a> {
    pub(crate) source: &'a WheelFile,
    pub(crate) destination: Destination,
    pub(crate) relative: &'a str,
}

/// A checked wheel.
#[derive(Debug)]
pub(crate) struct WheelLayout<'a> {
    pub(crate) name: PackageName,
    pub(crate) version: Version,
    /// The name as the project spells it.
    pub(crate) display_name: String,
    /// The `.dist-info` folder's name.
    pub(crate) dist_info: &'a str,
    pub(crate) root_is_purelib: bool,
    /// The files to install, without those that an installer writes itself.
    pub(crate) files: Vec<PlacedFile<'a>>,
    pub(crate) entry_points: EntryPoints,
    /// What was odd but tolerated, in sentences.
    pub(crate) warnings: Vec<String>,
    /// Where `RECORD` and the files disagree, in sentences: the first of them, and how many more.
    pub(crate) record_problems: Vec<String>,
    /// Whether `RECORD` has no row at all: it claims nothing that files could be at odds with.
    pub(crate) is_record_empty: bool,
}

/// How many disagreements of a `RECORD` with its files are told one by one.
const PROBLEMS_TOLD: usize = 5;

/// How much is shown of a name that no file has, in characters.
const NAME_SHOWN: usize = 200;

/// Files of `.dist-info` that are the installer's to write.
const INSTALLERS_OWN: [&str; 4] = ["RECORD", "INSTALLER", "REQUESTED", "direct_url.json"];

impl<'a> WheelLayout<'a> {
    /// Checks the wheel and says where its files go.
    pub(crate) fn read(wheel: &'a UnpackedWheel, is_windows: bool) -> Result<Self, WheelError> {
        let reader = Reader { wheel };
        for file in &wheel.files {
            check_path(&file.path, is_windows)
                .map_err(|reason| reader.unsafe_path(&file.path, reason))?;
        }
        let dist_info = reader.dist_info()?;
        let (display_name, version) = reader.check_metadata(dist_info)?;
        let (root_is_purelib, warnings) = reader.check_wheel_file(dist_info)?;
        let entry_points = reader.entry_points(dist_info)?;
        let record = reader.record(dist_info)?;
        let mut files = Vec::with_capacity(wheel.files.len());
        for file in &wheel.files {
            if let Some(placed) = reader.place(file, dist_info)? {
                files.push(placed);
            }
        }
        let record_problems = reader.check_record(&record, dist_info);
        Ok(Self {
            name: wheel.filename.name.clone(),
            version,
            display_name,
            dist_info,
            root_is_purelib,
            files,
            entry_points,
            warnings,
            is_record_empty: record.is_empty(),
            record_problems,
        })
    }
}

struct Reader<'a> {
    wheel: &'a UnpackedWheel,
}

impl<'a> Reader<'a> {
    fn wheel_name(&self) -> String {
        self.wheel.filename.as_str().to_string()
    }

    fn unsafe_path(&self, path: &str, reason: &'static str) -> WheelError {
        WheelError::UnsafePath {
            wheel: self.wheel_name(),
            path: path.escape_debug().to_string(),
            reason,
        }
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, WheelError> {
        fs_err::read(paths::join(&self.wheel.root, path)).map_err(|source| {
            if source.kind() == io::ErrorKind::NotFound {
                WheelError::Missing {
                    wheel: self.wheel_name(),
                    path: path.to_string(),
                }
            } else {
                WheelError::Read {
                    wheel: self.wheel_name(),
                    path: path.to_string(),
                    source,
                }
            }
        })
    }

    fn read_text(&self, path: &str) -> Result<String, WheelError> {
        String::from_utf8(self.read(path)?).map_err(|error| WheelError::Read {
            wheel: self.wheel_name(),
            path: path.to_string(),
            source: io::Error::new(io::ErrorKind::InvalidData, error),
        })
    }

    fn dist_info(&self) -> Result<&'a str, WheelError> {
        let mut found: Vec<&str> = self
            .wheel
            .files
            .iter()
            .filter_map(|file| Some(file.path.split_once('/')?.0))
            .filter(|top| has_suffix(top, ".dist-info"))
            .collect();
        found.sort_unstable();
        found.dedup();
        let [dist_info] = found[..] else {
            return Err(WheelError::DistInfoCount {
                wheel: self.wheel_name(),
                count: found.len(),
            });
        };
        let name = self.wheel.filename.name.as_ref();
        let belongs = normalize_name(dist_info)
            .strip_prefix(name)
            .is_some_and(|rest| rest.starts_with('-'));
        if belongs {
            Ok(dist_info)
        } else {
            Err(WheelError::DistInfoName {
                wheel: self.wheel_name(),
                dist_info: dist_info.to_string(),
                name: name.to_string(),
            })
        }
    }

    /// Compares `METADATA` with the file name; gives the name as the project spells it, and the
    /// version, which the file name may have with a local part of its own.
    fn check_metadata(&self, dist_info: &str) -> Result<(String, Version), WheelError> {
        let path = format!("{dist_info}/METADATA");
        let headers = Headers::parse(&String::from_utf8_lossy(&self.read(&path)?));
        let filename = &self.wheel.filename;
        let mismatch = |field, found: &str, expected: String| WheelError::Mismatch {
            wheel: self.wheel_name(),
            field,
            found: found.escape_debug().to_string(),
            expected,
        };
        let name = headers.first("Name").unwrap_or_default();
        if name.parse::<PackageName>().ok().as_ref() != Some(&filename.name) {
            return Err(mismatch("name", name, filename.name.to_string()));
        }
        let version = headers.first("Version").unwrap_or_default();
        let parsed = version.parse::<Version>().ok();
        let public = filename.version.clone().without_local();
        match parsed.filter(|parsed| [&filename.version, &public].contains(&parsed)) {
            // Builds for several machines are often told apart by a renamed file alone.
            Some(version) => Ok((name.to_string(), version)),
            None => Err(mismatch("version", version, filename.version.to_string())),
        }
    }

    fn check_wheel_file(&self, dist_info: &str) -> Result<(bool, Vec<String>), WheelError> {
        let text = self.read_text(&format!("{dist_info}/WHEEL"))?;
        let parsed = WheelMetadata::parse(&text).map_err(|source| WheelError::WheelFile {
            wheel: self.wheel_name(),
            source,
        })?;
        let (major, minor) = parsed.wheel_version;
        if major > 1 {
            return Err(WheelError::WheelVersion {
                wheel: self.wheel_name(),
                major,
                minor,
            });
        }
        let mut warnings = Vec::new();
        if (major, minor) > (1, 0) {
            warnings.push(format!(
                "Wheel `{}` is of the newer format {major}.{minor}",
                self.wheel.filename.as_str()
            ));
        }
        Ok((parsed.root_is_purelib, warnings))
    }

    fn entry_points(&self, dist_info: &str) -> Result<EntryPoints, WheelError> {
        let path = format!("{dist_info}/entry_points.txt");
        if !self.wheel.files.iter().any(|file| file.path == path) {
            return Ok(EntryPoints::default());
        }
        EntryPoints::parse(&self.read_text(&path)?).map_err(|source| WheelError::EntryPoints {
            wheel: self.wheel_name(),
            source,
        })
    }

    fn record(&self, dist_info: &str) -> Result<Vec<RecordEntry>, WheelError> {
        let text = self.read_text(&format!("{dist_info}/RECORD"))?;
        record::parse(&text).map_err(|source| WheelError::Record {
            wheel: self.wheel_name(),
            source,
        })
    }

    /// Compares `RECORD` with the files. Wheels in the wild disagree, so it is told, not refused.
    fn check_record(&self, rows: &[RecordEntry], dist_info: &str) -> Vec<String> {
        let files = &self.wheel.files;
        let places: FxHashMap<&str, usize> = files
            .iter()
            .enumerate()
            .map(|(at, file)| (file.path.as_str(), at))
            .collect();
        let mut is_listed = vec![false; files.len()];
        let (mut problems, mut more) = (Vec::new(), 0);
        let mut tell = |problem: &dyn Fn() -> String| {
            if problems.len() < PROBLEMS_TOLD {
                problems.push(problem());
            } else {
                more += 1;
            }
        };
        for row in rows {
            let path = row.path.replace('\\', "/");
            match places.get(path.as_str()).map(|at| (*at, &files[*at])) {
                Some((at, file)) => {
                    is_listed[at] = true;
                    let wrong_hash = row.agrees_with(&file.sha256) == Some(false);
                    if wrong_hash || row.size.is_some_and(|size| size != file.size) {
                        tell(&|| format!("`RECORD` has a wrong hash or size for `{path}`"));
                    }
                }
                None if path.ends_with('/') => {}
                None => tell(&|| {
                    let shown: String = path.escape_debug().take(NAME_SHOWN).collect();
                    format!("`RECORD` lists `{shown}`, which the wheel doesn't hold")
                }),
            }
        }
        for (file, is_listed) in files.iter().zip(is_listed) {
            let own = file.path.strip_prefix(dist_info);
            if !is_listed && !matches!(own, Some("/RECORD" | "/RECORD.jws" | "/RECORD.p7s")) {
                tell(&|| format!("`RECORD` doesn't list `{}`", file.path));
            }
        }
        if more > 0 {
            problems.push(format!("`RECORD` and its files disagree {more} times more"));
        }
        problems
    }

    fn place(
        &self,
        file: &'a WheelFile,
        dist_info: &str,
    ) -> Result<Option<PlacedFile<'a>>, WheelError> {
        let in_library = PlacedFile {
            source: file,
            destination: Destination::Library,
            relative: &file.path,
        };
        let Some((top, rest)) = file.path.split_once('/') else {
            return Ok(Some(in_library));
        };
        if top == dist_info && INSTALLERS_OWN.contains(&rest) {
            return Ok(None);
        }
        if !has_suffix(top, ".data") {
            return Ok(Some(in_library));
        }
        let placed = rest.split_once('/').and_then(|(scheme, relative)| {
            Some(PlacedFile {
                source: file,
                destination: Destination::from_key(scheme)?,
                relative,
            })
        });
        placed.map(Some).ok_or_else(|| WheelError::UnknownScheme {
            wheel: self.wheel_name(),
            path: file.path.clone(),
        })
    }
}

fn has_suffix(name: &str, suffix: &str) -> bool {
    name.len()
        .checked_sub(suffix.len())
        .and_then(|at| name.get(at..))
        .is_some_and(|end| end.eq_ignore_ascii_case(suffix))
}

/// PEP 503's normal form, of any text.
fn normalize_name(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for character in name.chars() {
        if matches!(character, '-' | '_' | '.') {
            if !normal.ends_with('-') {
                normal.push('-');
            }
        } else {
            normal.push(character.to_ascii_lowercase());
        }
    }
    normal
}

/// Whether every component of an archive path is a plain name. What only Windows can't hold is
/// refused for Windows targets alone.
fn check_path(path: &str, is_windows: bool) -> Result<(), &'static str> {
    for part in path.split('/') {
        match part {
            "" => return Err("it is absolute or has an empty part"),
            "." | ".." => return Err("it walks through `.` or `..`"),
            _ => {}
        }
        if part.contains(['\\', ':']) {
            return Err("it holds `\\` or `:`");
        }
        if part.contains(char::is_control) {
            return Err("it holds a control character");
        }
        if is_windows {
            if part.ends_with(['.', ' ']) || part.contains(['<', '>', '"', '|', '?', '*']) {
                return Err("Windows has no such file names");
            }
            if bnbpip_packaging::file_name::is_windows_device(part) {
                return Err("it is the name of a device on Windows");
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_paths_that_leave_or_cannot_exist() {
        for path in [
            "../a",
            "a/../b",
            "/a",
            "a//b",
            "C:/a",
            "a\\b",
            "a:b",
            "a/\u{1b}[0m",
            "",
        ] {
            assert!(check_path(path, false).is_err(), "{path}");
        }
        for path in ["aux/x.py", "CON.py", "a/x.", "a/x ", "lpt1", "a?"] {
            assert!(check_path(path, true).is_err(), "{path}");
            assert!(check_path(path, false).is_ok(), "{path}");
        }
        assert!(check_path("pkg/context/com10.py", true).is_ok());
    }

    #[test]
    fn normalizes_names_as_the_index_does() {
        assert_eq!(normalize_name("Foo__Bar-.1"), "foo-bar-1");
        assert!(has_suffix("Foo-1.DIST-INFO", ".dist-info"));
        assert!(!has_suffix("é", ".dist-info"));
    }
}
