//! The essentials of core metadata, as text: parsed no further than needed to find them, and
//! small enough to be cached for every wheel ever looked at.

use bnbpip_packaging::{PackageName, Version, WheelFilename};
use serde::{Deserialize, Serialize};

/// The largest `METADATA` that is read.
pub(crate) const METADATA_LIMIT_BYTES: u64 = 16 << 20;

/// Name, version and requirements of a wheel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WheelMetadataLite {
    /// `Name`.
    pub name: PackageName,
    /// `Version`.
    pub version: Version,
    /// `Requires-Dist`, in order, as they stand there.
    pub requires_dist: Vec<Box<str>>,
    /// `Requires-Python`.
    pub requires_python: Option<Box<str>>,
    /// `Provides-Extra`, in order.
    pub provides_extra: Vec<Box<str>>,
}

/// Why metadata can't be used.
#[derive(Debug, thiserror::Error)]
pub enum MetadataLiteError {
    /// A mandatory field is missing.
    #[error("Failed to read the metadata: the field `{0}` is missing")]
    Missing(&'static str),
    /// A field that can't be parsed.
    #[error("Failed to read the metadata: `{text}` is no valid `{field}`")]
    Invalid {
        /// The field.
        field: &'static str,
        /// Its text.
        text: String,
    },
    /// The metadata is about something else than the file name says.
    #[error("Failed to accept the metadata: it is of `{found}`, but the file is of `{expected}`")]
    Disagrees {
        /// Name and version by the file name.
        expected: String,
        /// Name and version by the metadata.
        found: String,
    },
    /// Its bytes are no text.
    #[error("Error decoding metadata for a wheel: its METADATA is not UTF-8")]
    NotText,
    /// The folder that holds it is another project's.
    #[error(".dist-info directory '{folder}' does not start with '{name}'")]
    OtherProject {
        /// The `.dist-info` folder.
        folder: String,
        /// The project of the wheel.
        name: String,
    },
    /// The archive that holds it can't be read.
    #[error(transparent)]
    Archive(#[from] crate::archive::ArchiveError),
    /// The archive holds no `METADATA`, or several.
    #[error("{}", if *.0 == 0 { ".dist-info directory not found, or it has no METADATA" } else { "multiple .dist-info directories found" })]
    Count(usize),
    /// It is unreasonably large.
    #[error("Failed to read the metadata: it is larger than {0} bytes")]
    TooLarge(u64),
}

impl MetadataLiteError {
    /// Whether the wheel's `.dist-info` folder is at fault, not what is written in it.
    #[must_use]
    pub fn is_about_folder(&self) -> bool {
        matches!(self, Self::OtherProject { .. } | Self::Count(_))
    }
}

impl WheelMetadataLite {
    /// Reads a `METADATA` file, up to the description.
    ///
    /// # Errors
    /// When name or version are missing or invalid.
    pub fn parse(bytes: &[u8]) -> Result<Self, MetadataLiteError> {
        let text = String::from_utf8_lossy(bytes);
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let mut fields = Fields::default();
        let mut current: Option<(&str, String)> = None;
        for line in text.lines() {
            // A folded field may hold lines of blanks: only an empty one ends the headers.
            if line.is_empty() {
                break;
            }
            if line.starts_with([' ', '\t']) {
                if let Some((_, value)) = &mut current {
                    value.push(' ');
                    value.push_str(line.trim());
                }
                continue;
            }
            if let Some((key, value)) = current.take() {
                fields.set(key, &value);
            }
            current = line
                .split_once(':')
                .map(|(key, value)| (key.trim(), value.trim().to_string()));
        }
        if let Some((key, value)) = current {
            fields.set(key, &value);
        }
        match fields.finish() {
            // Texts in another encoding are read as well as can be.
            Err(MetadataLiteError::Missing(_)) if std::str::from_utf8(bytes).is_err() => {
                Err(MetadataLiteError::NotText)
            }
            finished => finished,
        }
    }

    /// Checks that the metadata is about the file.
    pub(crate) fn check(self, wheel: &WheelFilename) -> Result<Self, MetadataLiteError> {
        // Some tools leave the local part out of the one or the other.
        let same_version = self.version == wheel.version
            || self.version.clone().without_local() == wheel.version.clone().without_local()
                && (!self.version.is_local() || !wheel.version.is_local());
        if self.name == wheel.name && same_version {
            return Ok(self);
        }
        Err(MetadataLiteError::Disagrees {
            expected: format!("{} {}", wheel.name, wheel.version),
            found: format!("{} {}", self.name, self.version),
        })
    }
}

#[derive(Default)]
struct Fields {
    name: Option<String>,
    version: Option<String>,
    requires_python: Option<Box<str>>,
    requires_dist: Vec<Box<str>>,
    provides_extra: Vec<Box<str>>,
}

impl Fields {
    fn set(&mut self, key: &str, value: &str) {
        if key.eq_ignore_ascii_case("requires-dist") {
            self.requires_dist.push(value.into());
        } else if key.eq_ignore_ascii_case("provides-extra") {
            self.provides_extra.push(value.into());
        } else if key.eq_ignore_ascii_case("requires-python") {
            self.requires_python.get_or_insert_with(|| value.into());
        } else if key.eq_ignore_ascii_case("name") {
            self.name.get_or_insert_with(|| value.to_string());
        } else if key.eq_ignore_ascii_case("version") {
            self.version.get_or_insert_with(|| value.to_string());
        }
    }

    fn finish(self) -> Result<WheelMetadataLite, MetadataLiteError> {
        let name = self.name.ok_or(MetadataLiteError::Missing("Name"))?;
        let version = self.version.ok_or(MetadataLiteError::Missing("Version"))?;
        let invalid = |field, text: &str| MetadataLiteError::Invalid {
            field,
            text: crate::archive::shown(text),
        };
        Ok(WheelMetadataLite {
            name: name.parse().map_err(|_| invalid("Name", &name))?,
            version: version.parse().map_err(|_| invalid("Version", &version))?,
            requires_dist: self.requires_dist,
            requires_python: self.requires_python,
            provides_extra: self.provides_extra,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Metadata-Version: 2.1\r\nName: Foo_Bar\r\nVersion: 1.0\r\nSummary: a: b\r\n\
        Requires-Python: >=3.8\r\nRequires-Dist: x>=1;\r\n  extra == 'y'\r\nProvides-Extra: y\r\n\r\n\
        Requires-Dist: not-a-header\r\n";

    #[test]
    fn reads_headers_and_stops_at_the_description() {
        let lite = WheelMetadataLite::parse(TEXT.as_bytes()).unwrap();
        assert_eq!(lite.name.as_ref(), "foo-bar");
        assert_eq!(lite.requires_dist, ["x>=1; extra == 'y'".into()]);
        assert_eq!(lite.requires_python.as_deref(), Some(">=3.8"));
        assert_eq!(lite.provides_extra, ["y".into()]);
    }

    #[test]
    fn must_be_about_the_file() {
        let lite = WheelMetadataLite::parse(TEXT.as_bytes()).unwrap();
        let check = |filename: &str| lite.clone().check(&filename.parse().unwrap());
        assert!(check("foo_bar-1.0-py3-none-any.whl").is_ok());
        assert!(check("foo_bar-1.0+cpu-py3-none-any.whl").is_ok());
        for filename in ["foo_bar-1.1-py3-none-any.whl", "other-1.0-py3-none-any.whl"] {
            assert!(matches!(
                check(filename),
                Err(MetadataLiteError::Disagrees { .. })
            ));
        }
    }

    #[test]
    fn says_what_is_missing() {
        for (text, field) in [("", "Name"), ("Name: a\n\nVersion: 1", "Version")] {
            let error = WheelMetadataLite::parse(text.as_bytes()).unwrap_err();
            assert!(error.to_string().contains(field), "{error}");
        }
        assert!(WheelMetadataLite::parse(b"Name: a\nVersion: x").is_err());
    }

    #[test]
    fn records_survive_a_round_trip() {
        let lite = WheelMetadataLite::parse(TEXT.as_bytes()).unwrap();
        let path = std::path::Path::new("a.meta");
        let bytes = super::super::to_record(path, "f.whl", &lite).unwrap();
        assert_eq!(super::super::from_record(path, &bytes), Some(lite));
        assert_eq!(
            super::super::cached_filename(path, &bytes).as_deref(),
            Some("f.whl")
        );
    }

    #[test]
    fn lines_of_blanks_belong_to_a_folded_field() {
        let text = "Name: a\nVersion: 1\nLicense: first\n        \n        second\nRequires-Dist: b\n\nbody";
        let lite = WheelMetadataLite::parse(text.as_bytes()).unwrap();
        assert_eq!(lite.requires_dist, ["b".into()]);
    }
}
