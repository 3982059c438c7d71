//! The words for the accelerator that torch is chosen for.

use bnbpip_overlay::{
    AcceleratorFacts, Because, Capability, Family, FamilyChoice, MachineFact, VirtualPackage,
};
use bnbpip_packaging::Version;

use crate::ranges::join_and;

/// Which family `--accelerator auto` comes to, and why: for a release of torch, or for the newest
/// that is asked for.
pub fn chosen(
    choice: &FamilyChoice<'_>,
    machine: &AcceleratorFacts,
    torch: Option<&Version>,
) -> String {
    let family = name(choice.family);
    let driver = match &machine.driver {
        Some(version) => format!("driver {}", driver_version(version)),
        None => "the driver".to_owned(),
    };
    let newest = match torch {
        Some(version) => format!("the newest build of torch {version}"),
        None => "the newest torch".to_owned(),
    };
    let why = match &choice.because {
        Because::Fits => format!(
            "{newest} that {driver} and {} run",
            capabilities(&served(choice, machine))
        ),
        Because::DriverAlone => {
            format!("{newest} that {driver} runs; the GPU's compute capability isn't known")
        }
        Because::NoGpu => "no NVIDIA GPU was found".to_owned(),
        Because::UnknownDriver => "the version of NVIDIA's driver isn't known".to_owned(),
        Because::DriverTooOld { needed } => {
            let needed = driver_version(needed);
            format!("{driver} is too old for the builds for CUDA, which need {needed}")
        }
        Because::NoSuchTorch => "no build for CUDA of the torch that is asked for is known".into(),
        Because::NoCode { card } => {
            format!("no torch that {driver} runs has code for compute capability {card}")
        }
    };
    format!("Accelerator {family}: {why}")
}

/// The cards that the family has code for.
fn served(choice: &FamilyChoice<'_>, machine: &AcceleratorFacts) -> Vec<Capability> {
    let cards = machine.capabilities.iter().copied();
    cards
        .filter(|card| !choice.without.contains(card))
        .collect()
}

/// A driver's version as NVIDIA writes it: later parts have two digits at least, `450.80.02`.
pub fn driver_version(version: &Version) -> String {
    let mut parts = version.release().iter();
    let first = parts.next().map(ToString::to_string).unwrap_or_default();
    parts.fold(first, |text, part| format!("{text}.{part:02}"))
}

/// What a machine has: `NVIDIA driver 470.01`, `compute capability 6.1`.
pub fn fact(fact: &MachineFact) -> String {
    match fact.package {
        VirtualPackage::CudaDriver => format!("NVIDIA driver {}", driver_version(&fact.version)),
        VirtualPackage::CudaArch => format!("compute capability {}", fact.version),
    }
}

/// The same as a sentence.
pub fn fact_sentence(fact: &MachineFact) -> String {
    match fact.package {
        VirtualPackage::CudaDriver => format!(
            "this machine's NVIDIA driver is {}",
            driver_version(&fact.version)
        ),
        VirtualPackage::CudaArch => {
            format!("this machine's GPU has compute capability {}", fact.version)
        }
    }
}

/// `cu126 (CUDA 12.6)`.
pub fn name(family: &Family) -> String {
    match &family.cuda {
        Some(cuda) => format!("{} (CUDA {cuda})", family.name),
        None => family.name.clone(),
    }
}

/// `compute capabilities 6.1 and 8.9`.
pub fn capabilities(cards: &[Capability]) -> String {
    let mut cards = cards.to_vec();
    cards.sort();
    cards.dedup();
    let word = if cards.len() == 1 { "y" } else { "ies" };
    let shown: Vec<String> = cards.iter().map(ToString::to_string).collect();
    format!("compute capabilit{word} {}", join_and(&shown))
}
