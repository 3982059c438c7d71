//! The plain facts: a driver's version, a compute capability, a card.

use std::fmt;
use std::str::FromStr;

/// The version of NVIDIA's driver: `566.36`, `535.183.01`. Ordered part by part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DriverVersion {
    major: u32,
    minor: u32,
    /// Linux alone has a third part. It is written with two digits.
    patch: Option<u32>,
}

/// A text that isn't the value that it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Failed to read a {0}")]
pub struct ParseFactError(&'static str);

impl FromStr for DriverVersion {
    type Err = ParseFactError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = ParseFactError("driver version");
        let parts: Result<Vec<u32>, _> = text.trim().split('.').map(str::parse).collect();
        match parts.map_err(|_| error)?.as_slice() {
            [major, minor] => Ok(Self {
                major: *major,
                minor: *minor,
                patch: None,
            }),
            [major, minor, patch] => Ok(Self {
                major: *major,
                minor: *minor,
                patch: Some(*patch),
            }),
            _ => Err(error),
        }
    }
}

impl fmt::Display for DriverVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Both later parts have two digits at least: 452.06, 535.183.01.
        write!(f, "{}.{:02}", self.major, self.minor)?;
        self.patch.map_or(Ok(()), |patch| write!(f, ".{patch:02}"))
    }
}

/// What instructions an NVIDIA GPU runs: 8.9 is Ada.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ComputeCapability {
    /// The generation.
    pub major: u32,
    /// The step within it.
    pub minor: u32,
}

impl FromStr for ComputeCapability {
    type Err = ParseFactError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = ParseFactError("compute capability");
        let (major, minor) = text.trim().split_once('.').ok_or(error)?;
        Ok(Self {
            major: major.parse().map_err(|_| error)?,
            minor: minor.parse().map_err(|_| error)?,
        })
    }
}

impl fmt::Display for ComputeCapability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// What is believed of NVIDIA's driver instead of asking the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToldDriver {
    /// There is no NVIDIA GPU: `none`.
    Absent,
    /// The driver has this version.
    Version(DriverVersion),
}

impl FromStr for ToldDriver {
    type Err = ParseFactError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim() {
            "none" => Ok(Self::Absent),
            version => version.parse().map(Self::Version),
        }
    }
}

/// What is believed of NVIDIA's driver and cards instead of asking the machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ToldNvidia {
    /// The driver.
    pub driver: Option<ToldDriver>,
    /// The capability of each card.
    pub capabilities: Option<Vec<ComputeCapability>>,
}

/// Reads the capabilities of several cards: `8.9`, or `6.1,8.9`.
///
/// # Errors
/// When one of them is none, or there is none.
pub fn capabilities_of_cards(text: &str) -> Result<Vec<ComputeCapability>, ParseFactError> {
    let parts = text.split([',', ' ', ';']).filter(|part| !part.is_empty());
    let capabilities: Vec<ComputeCapability> = parts.map(str::parse).collect::<Result<_, _>>()?;
    if capabilities.is_empty() {
        return Err(ParseFactError("compute capability"));
    }
    Ok(capabilities)
}

/// Who made a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vendor {
    /// NVIDIA: CUDA.
    Nvidia,
    /// AMD: `ROCm`.
    Amd,
    /// Intel: XPU.
    Intel,
}

impl fmt::Display for Vendor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nvidia => "NVIDIA",
            Self::Amd => "AMD",
            Self::Intel => "Intel",
        })
    }
}

/// A card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gpu {
    /// Who made it.
    pub vendor: Vendor,
    /// Its name, if the machine tells; AMD's is the architecture, `gfx1100`.
    pub name: Option<String>,
    /// Its compute capability; NVIDIA's alone have one.
    pub capability: Option<ComputeCapability>,
}

impl Gpu {
    /// An NVIDIA card of which only the driver is known.
    pub(super) fn unknown() -> Self {
        Self {
            vendor: Vendor::Nvidia,
            name: None,
            capability: None,
        }
    }
}

impl fmt::Display for Gpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            // NVIDIA's names mostly begin with it.
            Some(name) if name.starts_with("NVIDIA") => f.write_str(name)?,
            Some(name) => write!(f, "{} {name}", self.vendor)?,
            None => write!(f, "{} GPU", self.vendor)?,
        }
        match self.capability {
            Some(capability) => write!(f, " (compute capability {capability})"),
            None => Ok(()),
        }
    }
}
