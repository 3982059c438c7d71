//! Which builds of torch there are, and which of them a machine can run: `constraints/indexes`.
//!
//! The machine is handed in as plain facts; nothing is asked here. A build is a *family* (`cu126`),
//! an index of its own with wheels of one kind.

mod capability;
mod choose;

use bnbpip_packaging::{PackageName, Version, VersionRange, VersionSpecifiers, range};
use serde::Deserialize;
use toml::value::Datetime;

pub use capability::{Capability, ParseCapabilityError};
pub use choose::{AcceleratorFacts, AcceleratorSystem, Because, FamilyChoice};

/// PyTorch's indexes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TorchIndexes {
    /// The day of the last review.
    pub date: Datetime,
    /// The address that the families' names are put behind.
    pub url: String,
    /// The packages that each family has builds of its own of.
    pub packages: Vec<PackageName>,
    /// What proves it.
    pub evidence: Vec<IndexEvidence>,
    #[serde(rename = "driver")]
    drivers: Vec<OldestDriver>,
    /// The families, newest first.
    #[serde(rename = "family")]
    pub families: Vec<Family>,
}

/// Where a part of the table can be read.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexEvidence {
    /// The address.
    pub url: String,
    /// What is to be seen there.
    pub detail: String,
}

/// The oldest driver that runs a major version of CUDA.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OldestDriver {
    cuda: String,
    linux: Version,
    windows: Version,
}

/// One index, with builds for one accelerator.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Family {
    /// Its name, which ends the index's address and is the local version of what it has.
    pub name: String,
    /// The version of CUDA that it is built for; `None` for another accelerator, or none.
    pub cuda: Option<String>,
    /// What the builds of torch run on; empty where it isn't known.
    #[serde(default)]
    pub builds: Vec<Builds>,
}

/// Releases of torch that are built for the same cards.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Builds {
    /// The releases.
    pub torch: VersionSpecifiers,
    capabilities: Vec<Capability>,
    #[serde(rename = "ptx-linux")]
    ptx_linux: Option<Capability>,
}

impl Builds {
    /// Whether they have code for a card.
    pub fn run_on(&self, card: Capability, system: AcceleratorSystem) -> bool {
        let ptx = self
            .ptx_linux
            .filter(|_| system == AcceleratorSystem::Linux);
        ptx.is_some_and(|from| card >= from)
            || self.capabilities.iter().any(|code| code.runs_on(card))
    }

    /// The releases as a set.
    pub fn range(&self) -> VersionRange {
        range::from_specifiers(&self.torch)
    }
}

impl TorchIndexes {
    /// The table that is compiled in.
    ///
    /// # Errors
    /// When it isn't valid, which a test rules out.
    pub fn embedded() -> Result<Self, toml::de::Error> {
        toml::from_str(include_str!("../../../../constraints/indexes/pytorch.toml"))
    }

    /// The family of this name.
    pub fn family(&self, name: &str) -> Option<&Family> {
        self.families.iter().find(|family| family.name == name)
    }

    /// The family for a version of CUDA, `12.6`.
    pub fn family_for_cuda(&self, cuda: &str) -> Option<&Family> {
        let mut families = self.families.iter();
        families.find(|family| family.cuda.as_deref() == Some(cuda))
    }

    /// The oldest driver that runs what is built for a version of CUDA (`12.6`).
    pub fn oldest_driver(&self, cuda: &str, system: AcceleratorSystem) -> Option<&Version> {
        let major = cuda.split('.').next()?;
        let driver = self.drivers.iter().find(|driver| driver.cuda == major)?;
        Some(match system {
            AcceleratorSystem::Linux => &driver.linux,
            AcceleratorSystem::Windows => &driver.windows,
        })
    }
}

#[cfg(test)]
mod tests;
