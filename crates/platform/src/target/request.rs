//! A target that isn't (only) the interpreter at hand: `--python-platform`, `--python-version`,
//! and pip's `--platform`, `--implementation` and `--abi`.

use std::str::FromStr;

use bnbpip_packaging::{
    Arch, Implementation, MarkerEnvironment, MarkerEnvironmentBuilder, Tags, TargetTags, Version,
};

use super::python_platform::{arch_of, markers_of, system_of};
use super::{OperatingSystem, PipPlatform, PythonPlatform, Target, implementation, place};
use crate::Interpreter;
use crate::request::split_compact;

/// Options that describe a target. Those that aren't given are taken from the interpreter.
#[derive(Debug, Clone, Default)]
pub struct TargetRequest {
    /// `--python-platform`
    pub python_platform: Option<PythonPlatform>,
    /// `--python-version`
    pub python_version: Option<TargetPython>,
    /// `--platform`, in the order given; excludes `python_platform`.
    pub platforms: Vec<PipPlatform>,
    /// `--implementation`: `cp`, `pp`, `py` or another tag's first letters.
    pub implementation: Option<String>,
    /// `--abi`, in the order given.
    pub abis: Vec<String>,
}

/// A version of Python to resolve for: `3.11`, `311`, `3.11.4`, `3.13t`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetPython {
    text: String,
    full_version: Version,
    major: u8,
    minor: Option<u8>,
    free_threaded: bool,
}

/// Why options describe no target.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TargetError {
    /// Not a platform's name.
    #[error("Failed to read the platform `{text}`")]
    UnknownPlatform {
        /// what was given
        text: String,
    },
    /// Not a version of Python.
    #[error("Failed to read the Python version `{text}`")]
    InvalidPythonVersion {
        /// what was given
        text: String,
    },
    /// Both ways to name a platform were used.
    #[error("Failed to combine `--python-platform` with `--platform`")]
    TwoPlatforms,
    /// Without an interpreter, a version and a platform are needed.
    #[error("Failed to describe the target: without an interpreter, `{missing}` is needed")]
    Incomplete {
        /// the option that would help
        missing: &'static str,
    },
}

impl std::fmt::Display for TargetPython {
    /// As it was given.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for TargetPython {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let invalid = || TargetError::InvalidPythonVersion {
            text: text.to_string(),
        };
        let number = text.trim();
        let plain = number.strip_suffix('t').unwrap_or(number);
        let version = Version::from_str(plain).map_err(|_| invalid())?;
        let release = split_compact(version.release());
        let acceptable = version.epoch() == 0 && !version.is_local() && release.len() <= 3;
        let major = (release.first()).and_then(|number| u8::try_from(*number).ok());
        let major = major.filter(|_| acceptable).ok_or_else(invalid)?;
        let minor = match release.get(1) {
            Some(minor) => Some(u8::try_from(*minor).map_err(|_| invalid())?),
            None => None,
        };
        let patch = release.get(2).copied().unwrap_or(0);
        let release = [u64::from(major), u64::from(minor.unwrap_or(0)), patch];
        Ok(Self {
            text: text.to_string(),
            full_version: version.with_release(release),
            major,
            minor,
            free_threaded: plain.len() < number.len(),
        })
    }
}

/// The Python of a target.
struct Python {
    full_version: Version,
    version: (u8, u8),
    free_threaded: bool,
}

/// The platform of a target.
struct Place {
    tags: Vec<String>,
    system: Option<OperatingSystem>,
    arch: Option<Arch>,
}

impl TargetRequest {
    /// Whether no option was given, so that the target is the interpreter itself.
    pub fn is_empty(&self) -> bool {
        self.python_platform.is_none()
            && self.python_version.is_none()
            && self.platforms.is_empty()
            && self.implementation.is_none()
            && self.abis.is_empty()
    }

    /// Whether the options say enough by themselves: no interpreter need be found.
    pub fn is_complete(&self) -> bool {
        let has_minor = self
            .python_version
            .as_ref()
            .is_some_and(|python| python.minor.is_some());
        let has_platform = self.python_platform.is_some()
            || self
                .platforms
                .iter()
                .any(|platform| platform.system().is_some());
        has_minor && has_platform
    }

    /// The target that the options describe, completed from `interpreter`.
    ///
    /// Marker values follow the options. (pip keeps those of the interpreter that runs it, so it
    /// resolves a Windows target with Linux's dependencies; here `--platform` means it.)
    ///
    /// # Errors
    /// If the options contradict each other or leave something open.
    pub fn target(&self, interpreter: Option<&Interpreter>) -> Result<Target, TargetError> {
        if self.is_empty() {
            let missing = "--python-version";
            let interpreter = interpreter.ok_or(TargetError::Incomplete { missing })?;
            return Ok(Target::from_interpreter(interpreter));
        }
        let python = self.python(interpreter)?;
        let place = self.place(interpreter)?;
        let markers = self.markers(&python, &place, interpreter)?;
        let tags = self.tags(&python, &place, interpreter);
        let system = OperatingSystem::from_platform_system(markers.platform_system());
        let description = format!(
            "{} {}{} on {}",
            markers.platform_python_implementation(),
            python.full_version,
            if python.free_threaded { "t" } else { "" },
            self::place(&system, place.arch, markers.platform_machine()),
        );
        Ok(Target {
            tags,
            python_full_version: python.full_version,
            python_version: python.version,
            free_threaded: python.free_threaded,
            operating_system: system,
            arch: place.arch,
            platform_tags: place.tags,
            description,
            is_synthetic: true,
            markers,
        })
    }

    fn python(&self, interpreter: Option<&Interpreter>) -> Result<Python, TargetError> {
        let missing = "--python-version";
        let abi_is_free_threaded = self.abis.iter().any(|abi| is_free_threaded_abi(abi));
        let Some(requested) = &self.python_version else {
            let interpreter = interpreter.ok_or(TargetError::Incomplete { missing })?;
            return Ok(Python {
                full_version: interpreter.version().clone(),
                version: interpreter.version_info,
                free_threaded: interpreter.free_threaded || abi_is_free_threaded,
            });
        };
        let free_threaded = requested.free_threaded || abi_is_free_threaded;
        if let Some(minor) = requested.minor {
            return Ok(Python {
                full_version: requested.full_version.clone(),
                version: (requested.major, minor),
                free_threaded,
            });
        }
        let base = interpreter.filter(|it| it.version_info.0 == requested.major);
        let Some(base) = base else {
            // As pip takes it: `2` is 2.0.
            return Ok(Python {
                full_version: requested.full_version.clone(),
                version: (requested.major, 0),
                free_threaded,
            });
        };
        Ok(Python {
            full_version: base.version().clone(),
            version: base.version_info,
            free_threaded,
        })
    }

    fn place(&self, interpreter: Option<&Interpreter>) -> Result<Place, TargetError> {
        if let Some(requested) = &self.python_platform {
            if !self.platforms.is_empty() {
                return Err(TargetError::TwoPlatforms);
            }
            let platform = requested.platform();
            return Ok(Place {
                tags: platform.tags(),
                system: system_of(platform),
                arch: arch_of(platform),
            });
        }
        if !self.platforms.is_empty() {
            let mut tags: Vec<String> = Vec::new();
            for tag in self.platforms.iter().flat_map(PipPlatform::tags) {
                if !tags.contains(&tag) {
                    tags.push(tag);
                }
            }
            let known = self.platforms.iter().find_map(PipPlatform::system);
            let (system, arch) = known.unzip();
            return Ok(Place { tags, system, arch });
        }
        let missing = "--python-platform";
        let interpreter = interpreter.ok_or(TargetError::Incomplete { missing })?;
        Ok(Place {
            tags: interpreter.platform_tags(),
            system: None,
            arch: interpreter.arch(),
        })
    }

    fn markers(
        &self,
        python: &Python,
        place: &Place,
        interpreter: Option<&Interpreter>,
    ) -> Result<MarkerEnvironment, TargetError> {
        let full_version = python.full_version.to_string();
        let version = format!("{}.{}", python.version.0, python.version.1);
        let known = (place.system.as_ref().zip(place.arch))
            .and_then(|(system, arch)| markers_of(system, arch));
        let native = interpreter.map(|interpreter| &interpreter.markers);
        let (implementation_name, platform_python_implementation) =
            match self.implementation.as_deref() {
                Some("pp") => ("pypy", "PyPy"),
                None | Some("py") => native.map_or(("cpython", "CPython"), |native| {
                    (
                        native.implementation_name(),
                        native.platform_python_implementation(),
                    )
                }),
                Some(_) => ("cpython", "CPython"),
            };
        let builder = match (known, native) {
            (Some(known), _) => MarkerEnvironmentBuilder {
                implementation_name,
                implementation_version: &full_version,
                os_name: known.os_name,
                platform_machine: known.platform_machine,
                platform_python_implementation,
                platform_release: "",
                platform_system: known.platform_system,
                platform_version: "",
                python_full_version: &full_version,
                python_version: &version,
                sys_platform: known.sys_platform,
            },
            (None, Some(native)) => MarkerEnvironmentBuilder {
                implementation_name,
                implementation_version: &full_version,
                os_name: native.os_name(),
                platform_machine: native.platform_machine(),
                platform_python_implementation,
                platform_release: native.platform_release(),
                platform_system: native.platform_system(),
                platform_version: native.platform_version(),
                python_full_version: &full_version,
                python_version: &version,
                sys_platform: native.sys_platform(),
            },
            (None, None) => {
                let missing = "--python-platform";
                return Err(TargetError::Incomplete { missing });
            }
        };
        MarkerEnvironment::try_from(builder).map_err(|_| TargetError::InvalidPythonVersion {
            text: full_version.clone(),
        })
    }

    fn tags(&self, python: &Python, place: &Place, interpreter: Option<&Interpreter>) -> Tags {
        let named = self.implementation.as_deref();
        let implementation = match named {
            Some("pp") => Implementation::PyPy,
            None => interpreter.map_or(Implementation::CPython, implementation),
            Some(_) => Implementation::CPython,
        };
        // `abi3` and `none` have a place of their own among the generated tags.
        let given: Vec<String> = (self.abis.iter())
            .filter(|abi| !matches!(abi.as_str(), "abi3" | "none"))
            .cloned()
            .collect();
        let same_python = self.python_version.is_none() && named.is_none();
        let abis = match interpreter {
            Some(interpreter) if self.abis.is_empty() && same_python => interpreter.abis.clone(),
            _ => given,
        };
        let only_stable = !self.abis.is_empty() && abis.is_empty();
        let tags = Tags::for_target(&TargetTags {
            implementation,
            python: python.version,
            free_threaded: python.free_threaded,
            abis,
            platforms: place.tags.clone(),
        });
        match named {
            None | Some("cp" | "pp") if !only_stable => tags,
            None | Some("cp" | "pp") => without_own_abi(&tags, python),
            Some(name) => self.generic_tags(name, &tags, python, place),
        }
    }

    /// For an implementation without rules of its own: its tag with the given ABIs, then what any
    /// implementation accepts.
    fn generic_tags(&self, name: &str, tags: &Tags, python: &Python, place: &Place) -> Tags {
        let (major, minor) = python.version;
        let mut interpreters = vec![format!("{name}{major}{minor}")];
        // A major version that stands alone is a tag's whole number.
        if matches!(&self.python_version, Some(asked) if asked.minor.is_none()) {
            interpreters.insert(0, format!("{name}{major}"));
        }
        let mut triples = Vec::new();
        let own_abis = self
            .abis
            .iter()
            .map(String::as_str)
            .filter(|abi| *abi != "none");
        for abi in own_abis.chain(["none"]) {
            for (interpreter, platform) in (interpreters.iter())
                .flat_map(|it| place.tags.iter().map(move |platform| (it, platform)))
            {
                triples.push((interpreter.clone(), abi.to_string(), platform.clone()));
            }
        }
        let owned = |(python, abi, platform): (&str, &str, &str)| {
            (python.to_string(), abi.to_string(), platform.to_string())
        };
        let pure = || (tags.iter()).filter(|(python, _, _)| python.starts_with("py"));
        triples.extend(
            pure()
                .filter(|(_, _, platform)| *platform != "any")
                .map(owned),
        );
        // Without compiled code, but for this implementation alone.
        let own = (interpreters.iter()).map(|it| (it.as_str(), "none", "any"));
        triples.extend(own.map(owned));
        triples.extend(
            pure()
                .filter(|(_, _, platform)| *platform == "any")
                .map(owned),
        );
        Tags::new(triples)
    }
}

/// The tags without the interpreter's own ABI, for when only `abi3` or `none` was asked for.
fn without_own_abi(tags: &Tags, python: &Python) -> Tags {
    let own = format!("cp{}{}", python.version.0, python.version.1);
    let kept = tags.iter().filter(|(_, abi, _)| !abi.starts_with(&own));
    Tags::new(
        kept.map(|(python, abi, platform)| {
            (python.to_string(), abi.to_string(), platform.to_string())
        })
        .collect(),
    )
}

/// `cp313t`, but neither `abi3` nor `pypy310_pp73`.
fn is_free_threaded_abi(abi: &str) -> bool {
    abi.strip_prefix("cp")
        .and_then(|rest| rest.strip_suffix('t'))
        .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
