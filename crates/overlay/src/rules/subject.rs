//! One package of a set that rules are evaluated against.

use std::str::FromStr;

use bnbpip_packaging::{PackageName, Version, WheelFilename};

/// A package at a version, and the wheel it comes from where that is known.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The normalised name.
    pub name: PackageName,
    /// The version.
    pub version: Version,
    /// The wheel, if it is known. Rules that name single wheels count an unknown wheel as named,
    /// because the files they name are the ones that an index usually serves.
    pub wheel: Option<WheelFilename>,
}

/// A text that is neither `name==version` nor a wheel filename.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSubject {
    /// Meant as a package.
    #[error("`{0}` is neither `name==version` nor a wheel filename")]
    Package(String),
    /// Meant as a fact about the machine.
    #[error(
        "`{0}` is no fact about a machine: expected `__cuda_driver==VERSION` or `__cuda_arch==VERSION`"
    )]
    Fact(String),
}

impl Subject {
    /// A package whose wheel is not known.
    pub fn new(name: PackageName, version: Version) -> Self {
        Self {
            name,
            version,
            wheel: None,
        }
    }
}

impl From<WheelFilename> for Subject {
    fn from(wheel: WheelFilename) -> Self {
        Self {
            name: wheel.name.clone(),
            version: wheel.version.clone(),
            wheel: Some(wheel),
        }
    }
}

impl FromStr for Subject {
    type Err = InvalidSubject;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidSubject::Package(text.to_owned());
        let Some((name, version)) = text.split_once("==") else {
            return WheelFilename::from_str(text)
                .map(Self::from)
                .map_err(|_| invalid());
        };
        let name = PackageName::from_str(name.trim()).map_err(|_| invalid())?;
        let version = Version::from_str(version.trim()).map_err(|_| invalid())?;
        Ok(Self::new(name, version))
    }
}
