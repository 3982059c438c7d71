//! What `--python` may say: an interpreter, an environment's folder, a version, or a name on `PATH`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use bnbpip_packaging::{Version, VersionRange, VersionSpecifiers, range};

/// Which interpreter or environment the user asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PythonRequest {
    /// An interpreter's file or an environment's folder.
    Path(PathBuf),
    /// Any interpreter of this version.
    Version(VersionRequest),
    /// An executable on `PATH`, `python3.11` or `pypy3`.
    Name(String),
}

/// A version of Python, as far as the user cares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionRequest {
    text: String,
    range: VersionRange,
    /// Major and minor, as far as they are fixed.
    prefix: Vec<u64>,
    free_threaded: bool,
}

/// Why a text asks for no interpreter.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PythonRequestError {
    /// Nothing was given.
    #[error("Failed to read the Python request ``: it is empty")]
    Empty,
    /// Neither a version nor a set of specifiers.
    #[error("Failed to read the Python version `{text}`")]
    InvalidVersion {
        /// the text
        text: String,
    },
}

impl PythonRequest {
    /// Reads what the user typed. A text that could be a version or a name is a path if something
    /// of that name lies in `cwd`, as it would be for a shell.
    ///
    /// # Errors
    /// If the text is empty, or starts like a version and isn't one.
    pub fn parse(text: &str, cwd: &Path) -> Result<Self, PythonRequestError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(PythonRequestError::Empty);
        }
        let looks_like_path = text.contains(['/', '\\']) || text == "." || text == "..";
        let path = cwd.join(text);
        if looks_like_path || path.exists() {
            return Ok(Self::Path(path));
        }
        if text.starts_with(|c: char| c.is_ascii_digit() || "<>=!~".contains(c)) {
            return text.parse().map(Self::Version);
        }
        let after_name = ["cpython", "python"]
            .iter()
            .find_map(|name| text.strip_prefix(name));
        if let Some(Ok(version)) = after_name
            .map(|rest| rest.trim_start_matches(['@', '-']))
            .filter(|rest| rest.contains('.'))
            .map(str::parse)
        {
            return Ok(Self::Version(version));
        }
        Ok(Self::Name(text.to_string()))
    }
}

impl fmt::Display for PythonRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.display().fmt(f),
            Self::Version(version) => version.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl FromStr for VersionRequest {
    type Err = PythonRequestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || PythonRequestError::InvalidVersion {
            text: text.to_string(),
        };
        if text.starts_with(|c: char| "<>=!~".contains(c)) {
            let specifiers = VersionSpecifiers::from_str(text).map_err(|_| invalid())?;
            return Ok(Self {
                text: text.to_string(),
                range: range::from_specifiers(&specifiers),
                prefix: Vec::new(),
                free_threaded: false,
            });
        }
        let number = text.strip_suffix('t').unwrap_or(text);
        let version = Version::from_str(number).map_err(|_| invalid())?;
        let release = split_compact(version.release());
        let fixed = version.any_prerelease() || release.len() > 2;
        let dotted: Vec<String> = release.iter().map(ToString::to_string).collect();
        let specifier = if fixed {
            format!("=={version}")
        } else {
            format!("=={}.*", dotted.join("."))
        };
        let specifiers = VersionSpecifiers::from_str(&specifier).map_err(|_| invalid())?;
        Ok(Self {
            text: text.to_string(),
            range: range::from_specifiers(&specifiers),
            prefix: release.into_iter().take(2).collect(),
            free_threaded: number.len() < text.len(),
        })
    }
}

/// `311` means 3.11: no major version of Python has more than one digit.
pub(crate) fn split_compact(release: &[u64]) -> Vec<u64> {
    if let [number] = release
        && *number >= 10
    {
        let text = number.to_string();
        let (major, minor) = text.split_at(1);
        if let (Ok(major), Ok(minor)) = (major.parse(), minor.parse()) {
            return vec![major, minor];
        }
    }
    release.to_vec()
}

impl VersionRequest {
    /// Whether an interpreter of this version and threading is wanted.
    pub fn accepts(&self, version: &Version, free_threaded: bool) -> bool {
        self.range.contains(version) && self.free_threaded == free_threaded
    }

    /// Names that such an interpreter may have on `PATH`, most telling first, without `.exe`.
    pub fn executable_names(&self) -> Vec<String> {
        let threads = if self.free_threaded { "t" } else { "" };
        let mut names = Vec::new();
        if let [major, minor] = self.prefix[..] {
            names.push(format!("python{major}.{minor}{threads}"));
        }
        let major = self.prefix.first().copied().unwrap_or(3);
        names.push(format!("python{major}"));
        names.push("python".to_string());
        names
    }
}

impl fmt::Display for VersionRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(text: &str) -> PythonRequest {
        PythonRequest::parse(text, Path::new("/nowhere")).unwrap()
    }

    fn version(text: &str) -> VersionRequest {
        text.parse().unwrap()
    }

    #[test]
    fn requests_are_told_apart() {
        for text in ["3.11", "311", "3", "3.13t", ">=3.10,<3.13", "3.14.0b1"] {
            assert_eq!(
                request(text),
                PythonRequest::Version(version(text)),
                "{text}"
            );
        }
        assert_eq!(
            request("python3.11"),
            PythonRequest::Version(version("3.11"))
        );
        for text in ["pypy3", "python3", "python.exe"] {
            assert_eq!(request(text), PythonRequest::Name(text.to_string()));
        }
        for text in [".venv/bin/python", "C:\\Python311", ".", "/usr/bin/python3"] {
            assert!(matches!(request(text), PythonRequest::Path(_)), "{text}");
        }
        assert_eq!(
            PythonRequest::parse("3.x", Path::new("/")),
            Err(PythonRequestError::InvalidVersion { text: "3.x".into() })
        );
        assert_eq!(
            PythonRequest::parse(" ", Path::new("/")),
            Err(PythonRequestError::Empty)
        );
    }

    #[test]
    fn a_folder_of_that_name_comes_first() {
        let cwd = tempfile::tempdir().unwrap();
        fs_err::create_dir(cwd.path().join("3.11")).unwrap();
        assert_eq!(
            PythonRequest::parse("3.11", cwd.path()),
            Ok(PythonRequest::Path(cwd.path().join("3.11")))
        );
    }

    #[test]
    fn versions_match_as_far_as_they_are_given() {
        for (request, candidate, accepted) in [
            ("3", "3.9.18", true),
            ("3.11", "3.11.7", true),
            ("311", "3.11.7", true),
            ("3.1", "3.11.7", false),
            ("3.11.7", "3.11.7", true),
            ("3.11.7", "3.11.8", false),
            ("3.14", "3.14.0rc1", true),
            (">=3.10,<3.12", "3.12.1", false),
            (">=3.10,<3.12", "3.11.9", true),
        ] {
            let candidate = Version::from_str(candidate).unwrap();
            assert_eq!(
                version(request).accepts(&candidate, false),
                accepted,
                "{request} and {candidate}"
            );
        }
        let candidate = Version::from_str("3.13.1").unwrap();
        assert!(version("3.13t").accepts(&candidate, true));
        assert!(!version("3.13t").accepts(&candidate, false));
        assert!(!version("3.13").accepts(&candidate, true));
    }

    #[test]
    fn names_on_path_follow_the_version() {
        assert_eq!(
            version("311").executable_names(),
            ["python3.11", "python3", "python"]
        );
        assert_eq!(
            version("3.13t").executable_names(),
            ["python3.13t", "python3", "python"]
        );
        assert_eq!(version("<4").executable_names(), ["python3", "python"]);
    }
}
