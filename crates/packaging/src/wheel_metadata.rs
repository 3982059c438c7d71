//! The `WHEEL` file of a wheel
//! ([binary distribution format](https://packaging.python.org/en/latest/specifications/binary-distribution-format/#file-contents)).

use crate::Headers;

/// What the `WHEEL` file says about unpacking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WheelMetadata {
    /// `Wheel-Version`: major and minor.
    pub wheel_version: (u32, u32),
    /// Whether the root of the archive goes to `purelib` rather than `platlib`.
    pub root_is_purelib: bool,
    /// The expanded tags.
    pub tags: Vec<String>,
    /// The build number.
    pub build: Option<String>,
}

/// Why a `WHEEL` file could not be used.
#[derive(Debug, thiserror::Error)]
pub enum WheelMetadataError {
    /// `Wheel-Version` is missing.
    #[error("Failed to read `WHEEL`: `Wheel-Version` is missing")]
    MissingVersion,
    /// `Wheel-Version` is not two numbers.
    #[error("Failed to read `WHEEL`: `Wheel-Version` is invalid: `{0}`")]
    InvalidVersion(String),
}

impl WheelMetadata {
    /// Parses a `WHEEL` file.
    ///
    /// # Errors
    ///
    /// When `Wheel-Version` is missing or not a version of two numbers.
    pub fn parse(text: &str) -> Result<Self, WheelMetadataError> {
        let headers = Headers::parse(text);
        let version = headers
            .first("Wheel-Version")
            .ok_or(WheelMetadataError::MissingVersion)?;
        let wheel_version = version
            .trim()
            .split_once('.')
            .and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)))
            .ok_or_else(|| WheelMetadataError::InvalidVersion(version.to_string()))?;
        Ok(Self {
            wheel_version,
            root_is_purelib: headers
                .first("Root-Is-Purelib")
                .is_some_and(|value| value.trim().eq_ignore_ascii_case("true")),
            tags: headers.all("Tag").map(str::to_string).collect(),
            build: headers.first("Build").map(str::to_string),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_version_and_the_root() {
        let wheel =
            WheelMetadata::parse("Wheel-Version: 1.0\nRoot-Is-Purelib: TRUE\nTag: py3-none-any\n")
                .unwrap();
        assert_eq!(wheel.wheel_version, (1, 0));
        assert!(wheel.root_is_purelib);
        assert!(WheelMetadata::parse("Root-Is-Purelib: true\n").is_err());
        assert!(WheelMetadata::parse("Wheel-Version: x\n").is_err());
    }
}
