//! Source distribution file names, new (PEP 625) and old.

use std::str::FromStr;

use pep440_rs::Version;
use pep508_rs::PackageName;

/// The archive formats that indexes serve sdists in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SdistExtension {
    /// `.tar.gz`, the one that PEP 625 keeps.
    TarGz,
    /// `.zip`
    Zip,
    /// `.tar.bz2`, `.tbz`
    TarBz2,
    /// `.tar.xz`, `.txz`, and LZMA's older container: `.tar.lzma`, `.tlz`
    TarXz,
    /// `.tgz`
    Tgz,
    /// `.tar`
    Tar,
}

impl SdistExtension {
    /// The format of a file by its name, in whichever case.
    pub fn of(filename: &str) -> Option<Self> {
        split_extension(&filename.to_ascii_lowercase()).map(|(_, extension)| extension)
    }

    /// A file's name without the part that says its format.
    pub fn stem(filename: &str) -> Option<&str> {
        let stem = split_extension(&filename.to_ascii_lowercase())?.0.len();
        filename.get(..stem)
    }
}

/// A parsed source distribution file name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SdistFilename {
    /// The project's normalised name.
    pub name: PackageName,
    /// The version.
    pub version: Version,
    /// The archive format.
    pub extension: SdistExtension,
}

/// Why a text is not an sdist file name of the project.
#[derive(Debug, thiserror::Error)]
#[error("Failed to parse source distribution file name `{filename}`")]
pub struct SdistFilenameError {
    filename: String,
}

impl SdistFilename {
    /// Parses `filename` as a source distribution of `name`.
    ///
    /// Old names put dashes into the project's name (`a-b-1.0.tar.gz`), so the name has to be
    /// known to find where the version starts.
    ///
    /// # Errors
    ///
    /// When the name, the version or the extension doesn't fit.
    pub fn parse(filename: &str, name: &PackageName) -> Result<Self, SdistFilenameError> {
        Self::parse_parts(filename, name).ok_or_else(|| SdistFilenameError {
            filename: filename.to_string(),
        })
    }

    fn parse_parts(filename: &str, name: &PackageName) -> Option<Self> {
        let (stem, extension) = split_extension(filename)?;
        stem.match_indices('-').find_map(|(at, _)| {
            let candidate = PackageName::from_str(&stem[..at]).ok()?;
            if candidate != *name {
                return None;
            }
            let version = Version::from_str(&stem[at + 1..]).ok()?;
            Some(Self {
                name: candidate,
                version,
                extension,
            })
        })
    }
}

fn split_extension(filename: &str) -> Option<(&str, SdistExtension)> {
    [
        (".tar.gz", SdistExtension::TarGz),
        (".zip", SdistExtension::Zip),
        (".tar.bz2", SdistExtension::TarBz2),
        (".tbz", SdistExtension::TarBz2),
        (".tar.xz", SdistExtension::TarXz),
        (".txz", SdistExtension::TarXz),
        (".tar.lzma", SdistExtension::TarXz),
        (".tlz", SdistExtension::TarXz),
        (".tgz", SdistExtension::Tgz),
        (".tar", SdistExtension::Tar),
    ]
    .into_iter()
    .find_map(|(suffix, extension)| Some((filename.strip_suffix(suffix)?, extension)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_version_behind_dashes() {
        let name = PackageName::from_str("a-b").unwrap();
        let sdist = SdistFilename::parse("A-B-1.0-2.tar.gz", &name).unwrap();
        assert_eq!(sdist.version, Version::from_str("1.0.post2").unwrap());
        assert!(SdistFilename::parse("a_b_c-1.0.tar.gz", &name).is_err());
        assert!(SdistFilename::parse("a_b-1.0.exe", &name).is_err());
    }
}
