//! Wheel file names: `{name}-{version}(-{build})?-{python}-{abi}-{platform}.whl`
//! ([binary distribution format](https://packaging.python.org/en/latest/specifications/binary-distribution-format/#file-name-convention)).

use std::fmt;
use std::str::FromStr;

use pep440_rs::Version;
use pep508_rs::PackageName;

/// The optional build number, compared numerically and then by its rest (`2_cu12` → 2, `_cu12`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BuildTag {
    /// The leading digits.
    pub number: u64,
    /// Whatever follows them.
    pub suffix: String,
}

/// A parsed wheel file name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WheelFilename {
    /// The project's normalised name.
    pub name: PackageName,
    /// The version, with its local label.
    pub version: Version,
    /// The build number, if there is one.
    pub build: Option<BuildTag>,
    /// The Python tags (`py2`, `py3`).
    pub python_tags: Vec<Box<str>>,
    /// The ABI tags (`abi3`).
    pub abi_tags: Vec<Box<str>>,
    /// The platform tags.
    pub platform_tags: Vec<Box<str>>,
    text: Box<str>,
}

/// Why a text is not a wheel file name.
#[derive(Debug, thiserror::Error)]
#[error("Failed to parse wheel file name `{filename}`: {reason}")]
pub struct WheelFilenameError {
    filename: String,
    reason: String,
}

impl WheelFilename {
    /// The file name as it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the wheel runs on every platform.
    pub fn is_any_platform(&self) -> bool {
        self.platform_tags.iter().any(|tag| &**tag == "any")
    }

    fn parse_stem(filename: &str) -> Result<Self, String> {
        let stem = filename
            .strip_suffix(".whl")
            .ok_or("it doesn't end in `.whl`")?;
        let parts: Vec<&str> = stem.split('-').collect();
        let (name, version, build, tags) = match parts[..] {
            [name, version, python, abi, platform] => {
                (name, version, None, [python, abi, platform])
            }
            [name, version, build, python, abi, platform] => {
                (name, version, Some(build), [python, abi, platform])
            }
            _ => return Err("it must have five or six parts between dashes".to_string()),
        };
        if name.is_empty() {
            return Err("the name is empty".to_string());
        }
        let [python_tags, abi_tags, platform_tags] = tags.map(split_tags);
        if python_tags.is_empty() || abi_tags.is_empty() || platform_tags.is_empty() {
            return Err("a tag is empty".to_string());
        }
        // Underscores stand for dashes in local labels: `1.0+a_b` is how a file name spells `1.0+a-b`.
        let version = Version::from_str(version).map_err(|error| error.to_string())?;
        Ok(Self {
            name: PackageName::from_str(name).map_err(|error| error.to_string())?,
            version,
            build: build.map(parse_build).transpose()?,
            python_tags,
            abi_tags,
            platform_tags,
            text: filename.into(),
        })
    }
}

fn split_tags(tags: &str) -> Vec<Box<str>> {
    if tags.split('.').any(str::is_empty) {
        return Vec::new();
    }
    tags.split('.').map(Box::from).collect()
}

fn parse_build(build: &str) -> Result<BuildTag, String> {
    let digits = build.bytes().take_while(u8::is_ascii_digit).count();
    let (number, suffix) = build.split_at(digits);
    Ok(BuildTag {
        number: number
            .parse()
            .map_err(|_| "the build number must start with a digit".to_string())?,
        suffix: suffix.to_string(),
    })
}

impl FromStr for WheelFilename {
    type Err = WheelFilenameError;

    fn from_str(filename: &str) -> Result<Self, Self::Err> {
        Self::parse_stem(filename).map_err(|reason| WheelFilenameError {
            filename: filename.to_string(),
            reason,
        })
    }
}

impl fmt::Display for WheelFilename {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_build_local_and_compressed_tags() {
        let wheel: WheelFilename =
            "Foo_Bar-1.0+cu121-2_x-py2.py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
                .parse()
                .unwrap();
        assert_eq!(wheel.name.as_ref(), "foo-bar");
        assert_eq!(wheel.version, Version::from_str("1.0+cu121").unwrap());
        assert_eq!(
            wheel.build,
            Some(BuildTag {
                number: 2,
                suffix: "_x".into()
            })
        );
        assert_eq!(wheel.python_tags.len(), 2);
        assert_eq!(wheel.platform_tags.len(), 2);
    }

    #[test]
    fn refuses_what_is_not_a_wheel() {
        for filename in [
            "foo-1.0.tar.gz",
            "foo-1.0-py3-none.whl",
            "foo-x-py3-none-any.whl",
            "foo-1.0-b-py3-none-any.whl",
            "foo-1.0-py3--any.whl",
            "-1.0-py3-none-any.whl",
            "foo-1.0-py3.-none-any.whl",
        ] {
            assert!(filename.parse::<WheelFilename>().is_err(), "{filename}");
        }
    }
}
