//! Core metadata: the `METADATA` file of a wheel or an installed distribution
//! ([specification](https://packaging.python.org/en/latest/specifications/core-metadata/)).

use std::str::FromStr;

use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::{ExtraName, PackageName};

use crate::{Headers, Requirement};

/// The fields that resolving and reporting need, parsed; the rest stays in `headers`.
#[derive(Debug, Clone)]
pub struct CoreMetadata {
    /// The normalised name.
    pub name: PackageName,
    /// The name as the project spells it.
    pub display_name: String,
    /// The version.
    pub version: Version,
    /// The declared dependencies.
    pub requires_dist: Vec<Requirement>,
    /// The Python versions that the project supports.
    pub requires_python: Option<VersionSpecifiers>,
    /// The declared extras.
    pub provides_extra: Vec<ExtraName>,
    /// The fields which a build may still change (PEP 643).
    pub dynamic: Vec<String>,
    /// Every field of the file in its order, and the description.
    pub headers: Headers,
}

/// Why a `METADATA` file could not be used.
#[derive(Debug, thiserror::Error)]
pub enum MetadataError {
    /// The bytes are not UTF-8.
    #[error("Failed to read metadata: it is not UTF-8")]
    NotUtf8(#[source] std::str::Utf8Error),
    /// A required field is missing.
    #[error("Failed to read metadata: the field `{0}` is missing")]
    MissingField(&'static str),
    /// A field doesn't parse.
    #[error("Failed to read metadata: the field `{field}` is invalid: `{value}`")]
    InvalidField {
        /// The field's name.
        field: &'static str,
        /// Its text.
        value: String,
        /// The parser's words.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl CoreMetadata {
    /// Parses a `METADATA` file.
    ///
    /// # Errors
    ///
    /// When it is not UTF-8, lacks `Name` or `Version`, or a dependency, version, extra or
    /// `Requires-Python` doesn't parse.
    pub fn parse(bytes: &[u8]) -> Result<Self, MetadataError> {
        let text = std::str::from_utf8(bytes).map_err(MetadataError::NotUtf8)?;
        let headers = Headers::parse(text);
        let display_name = required(&headers, "Name")?.to_string();
        Ok(Self {
            name: parse_field("Name", &display_name)?,
            version: parse_field("Version", required(&headers, "Version")?)?,
            requires_dist: headers
                .all("Requires-Dist")
                .map(parse_requirement)
                .collect::<Result<_, _>>()?,
            requires_python: headers
                .first("Requires-Python")
                .map(str::trim)
                .filter(|text| !text.is_empty())
                .map(parse_requires_python)
                .transpose()?,
            provides_extra: headers
                .all("Provides-Extra")
                // A name that no requirement can spell can't be asked for either.
                .filter_map(|extra| ExtraName::from_str(extra.trim()).ok())
                .collect(),
            dynamic: headers.all("Dynamic").map(str::to_string).collect(),
            display_name,
            headers,
        })
    }
}

/// `UNKNOWN` is what old tools write where nothing was said; as a name it is setuptools' own for a
/// project without one.
fn required<'a>(headers: &'a Headers, field: &'static str) -> Result<&'a str, MetadataError> {
    let says_nothing = |value: &str| value.is_empty() || (value == "UNKNOWN" && field != "Name");
    headers
        .first(field)
        .filter(|value| !says_nothing(value))
        .ok_or(MetadataError::MissingField(field))
}

fn parse_field<T>(field: &'static str, value: &str) -> Result<T, MetadataError>
where
    T: FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    value
        .parse()
        .map_err(|source: T::Err| MetadataError::InvalidField {
            field,
            value: value.to_string(),
            source: Box::new(source),
        })
}

/// Parses one `Requires-Dist`. Folded lines are joined; a marker nested deeper than any real one is
/// refused before the recursive parser sees it.
///
/// # Errors
///
/// When the text is not a PEP 508 requirement.
pub fn parse_requirement(value: &str) -> Result<Requirement, MetadataError> {
    const FIELD: &str = "Requires-Dist";
    let joined;
    let text = if value.contains('\n') {
        joined = value.replace('\n', " ");
        joined.as_str()
    } else {
        value
    };
    if nesting(text) > MAX_NESTING {
        return Err(MetadataError::InvalidField {
            field: FIELD,
            value: text.chars().take(80).collect(),
            source: "its parentheses are nested too deeply".into(),
        });
    }
    crate::requirement::parse(text).map_err(|source| MetadataError::InvalidField {
        field: FIELD,
        value: text.to_string(),
        source: Box::new(source),
    })
}

/// How deeply parentheses may be nested in a requirement; real ones stay below five.
pub const MAX_NESTING: usize = 64;

/// The deepest nesting of parentheses in a text.
pub fn nesting(text: &str) -> usize {
    let mut depth: usize = 0;
    let mut deepest = 0;
    for byte in text.bytes() {
        match byte {
            b'(' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Parses `Requires-Python`, forgiving what old releases on PyPI got wrong and pip tolerates:
/// `>=3.6.*` (a wildcard behind an order), trailing commas, quotes.
///
/// # Errors
///
/// When no reading of the text is a list of specifiers.
pub fn parse_requires_python(text: &str) -> Result<VersionSpecifiers, MetadataError> {
    let direct: Result<VersionSpecifiers, _> = text.parse();
    let error = match direct {
        Ok(specifiers) => return Ok(specifiers),
        Err(error) => error,
    };
    let repaired: Vec<String> = text
        .split(',')
        .map(|part| part.trim().trim_matches(['"', '\'']).trim())
        .filter(|part| !part.is_empty())
        .map(|part| match part.strip_suffix(".*") {
            Some(stem) if part.starts_with(['<', '>', '~']) => stem.to_string(),
            _ => part.to_string(),
        })
        .collect();
    repaired
        .join(",")
        .parse()
        .map_err(|_| MetadataError::InvalidField {
            field: "Requires-Python",
            value: text.to_string(),
            source: Box::new(error),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_fields_continuations_and_the_body() {
        let text = "Metadata-Version: 2.1\nName: Foo.Bar\nVersion: 1.0\nSummary: a\n  b\n\
                    Requires-Python: >=3.6.*\nRequires-Dist: baz (>=1); extra == 'x'\n\
                    Provides-Extra: x\n\nLong: words\n";
        let metadata = CoreMetadata::parse(text.as_bytes()).unwrap();
        assert_eq!(metadata.name.as_ref(), "foo-bar");
        assert_eq!(metadata.display_name, "Foo.Bar");
        assert_eq!(metadata.requires_python.unwrap().to_string(), ">=3.6");
        assert_eq!(metadata.requires_dist.len(), 1);
        assert_eq!(metadata.headers.body(), "Long: words\n");
        assert_eq!(metadata.headers.first("summary"), Some("a\n  b"));
    }

    #[test]
    fn refuses_deep_nesting_and_missing_fields() {
        let deep = format!(
            "Name: a\nVersion: 1\nRequires-Dist: b; {}os_name=='x'{}\n",
            "(".repeat(5000),
            ")".repeat(5000)
        );
        assert!(CoreMetadata::parse(deep.as_bytes()).is_err());
        assert!(CoreMetadata::parse(b"Name: a\n").is_err());
        assert!(CoreMetadata::parse(b"\xff").is_err());
    }
}
