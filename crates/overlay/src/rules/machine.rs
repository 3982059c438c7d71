//! Facts about a machine as packages with one version each, which rules can name beside packages.
//!
//! They are conda's [virtual packages](https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-virtual.html):
//! nothing that could be installed, and no index has them. Their names begin with two underscores,
//! which no project's name can.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use bnbpip_packaging::Version;

use super::{InvalidSubject, VersionSet};

/// A fact about a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VirtualPackage {
    /// `__cuda_driver`: the version of NVIDIA's driver.
    CudaDriver,
    /// `__cuda_arch`: the compute capability of NVIDIA's GPU; of several the lowest, as conda has
    /// it.
    CudaArch,
}

/// A text that names no fact about machines.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no fact about machines: there are `__cuda_driver` and `__cuda_arch`")]
pub struct UnknownVirtualPackage(String);

impl VirtualPackage {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::CudaDriver, Self::CudaArch];

    /// Whether a text can only be meant as one.
    pub fn is_meant_by(text: &str) -> bool {
        text.starts_with("__")
    }

    /// The name in rules.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CudaDriver => "__cuda_driver",
            Self::CudaArch => "__cuda_arch",
        }
    }
}

impl FromStr for VirtualPackage {
    type Err = UnknownVirtualPackage;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut all = Self::ALL.into_iter();
        let found = all.find(|one| one.as_str() == text);
        found.ok_or_else(|| UnknownVirtualPackage(text.to_owned()))
    }
}

impl fmt::Display for VirtualPackage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The side of a conflict that is about the machine.
#[derive(Debug, Clone)]
pub struct MachineSide {
    /// The fact.
    pub package: VirtualPackage,
    /// What it must not be.
    pub versions: VersionSet,
}

/// A fact with its one version, as rules compare it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MachineFact {
    /// The fact.
    pub package: VirtualPackage,
    /// Its version.
    pub version: Version,
}

impl fmt::Display for MachineFact {
    /// `__cuda_driver==470.1`
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}=={}", self.package, self.version)
    }
}

impl FromStr for MachineFact {
    type Err = InvalidSubject;

    /// Reads `__cuda_driver==470.1`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let (name, version) = text.split_once("==")?;
            Some(Self {
                package: name.trim().parse().ok()?,
                version: version.trim().parse().ok()?,
            })
        };
        parse().ok_or_else(|| InvalidSubject::Fact(text.to_owned()))
    }
}

/// A machine, as far as rules ask about it. Asking may take a moment, so it happens only where the
/// answer matters.
pub trait MachineFacts {
    /// What the machine has; `None` if it has no such thing, or nobody knows.
    fn version(&self, package: VirtualPackage) -> Option<Version>;
}

/// A machine of which these facts are known, and nothing else; empty, rules about machines say
/// nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownMachine(BTreeMap<VirtualPackage, Version>);

impl KnownMachine {
    /// The facts.
    pub fn facts(&self) -> impl Iterator<Item = MachineFact> {
        self.0.iter().map(|(package, version)| MachineFact {
            package: *package,
            version: version.clone(),
        })
    }
}

impl FromIterator<MachineFact> for KnownMachine {
    fn from_iter<I: IntoIterator<Item = MachineFact>>(facts: I) -> Self {
        let facts = facts.into_iter();
        Self(facts.map(|fact| (fact.package, fact.version)).collect())
    }
}

impl MachineFacts for KnownMachine {
    fn version(&self, package: VirtualPackage) -> Option<Version> {
        self.0.get(&package).cloned()
    }
}

impl MachineSide {
    /// The machine's own fact, if the side speaks of it.
    pub fn present_on(&self, machine: &dyn MachineFacts) -> Option<MachineFact> {
        let version = machine.version(self.package)?;
        let fact = MachineFact {
            package: self.package,
            version,
        };
        self.versions.contains(&fact.version).then_some(fact)
    }
}
