//! A torch whose build the machine's GPU or its driver can't run.

use bnbpip_overlay::{AcceleratorFacts, Because, Capability, Family, TorchIndexes};
use bnbpip_packaging::{PackageName, Version, VersionRange, range};

use super::{Finding, Mend, Severity, Torch, TorchBuild};
use crate::accelerator::{capabilities, driver_version};
use crate::ranges::join_and;

/// The installed torch with what was built to go with it.
#[derive(Debug, Clone)]
pub struct ExaminedTorch<'a> {
    /// torch, by its own account.
    pub torch: &'a Torch,
    /// The installed packages that have a build for each accelerator, torch too.
    pub family: Vec<(PackageName, Version)>,
}

/// A torch that can't use this machine's NVIDIA GPU: built for the processor, for a CUDA that is
/// too new for the driver, or without code for the card.
pub fn torch_build(
    examined: &ExaminedTorch<'_>,
    machine: &AcceleratorFacts,
    indexes: &TorchIndexes,
) -> Option<Finding> {
    if !machine.has_nvidia {
        return None;
    }
    let torch = examined.torch;
    let case = Case {
        examined,
        machine,
        indexes,
    };
    match &torch.build {
        TorchBuild::Cpu => case.cpu(),
        TorchBuild::Cuda(cuda) => case.old_driver(cuda).or_else(|| case.no_code(cuda)),
        TorchBuild::Rocm(_) | TorchBuild::Xpu(_) => None,
    }
}

/// torchvision or torchaudio with a build for something else than torch's own.
pub fn mixed_builds(examined: &ExaminedTorch<'_>, indexes: &TorchIndexes) -> Option<Finding> {
    let torch = examined.torch;
    let family = match &torch.build {
        TorchBuild::Cuda(cuda) => indexes.family_for_cuda(cuda)?,
        TorchBuild::Cpu => indexes.family("cpu")?,
        TorchBuild::Rocm(_) | TorchBuild::Xpu(_) => return None,
    };
    let others = examined.family.iter().filter(|(name, version)| {
        let label = version.to_string();
        let label = label.split_once('+').map(|(_, label)| label);
        // Those of the usual index don't say what they are for.
        name.as_ref() != "torch" && label.is_some_and(|label| label != family.name)
    });
    let others: Vec<&(PackageName, Version)> = others.collect();
    let shown = others
        .iter()
        .map(|(name, version)| format!("{name} {version}"));
    let shown: Vec<String> = shown.collect();
    let requirements = others.iter().map(|(name, version)| {
        let public = version.clone().without_local();
        format!("{name}=={public}")
    });
    let (is, its) = if others.len() == 1 {
        ("is", "its operations fail")
    } else {
        ("are", "their operations fail")
    };
    let mend = Mend::Rebuild {
        accelerator: family.name.clone(),
        requirements: requirements.collect(),
    };
    let sentence = format!(
        "{} {is} built for something else than torch {}",
        join_and(&shown),
        torch.version
    );
    (!others.is_empty()).then(|| {
        Finding::new("mixed-builds", Severity::Broken, sentence, mend).detail(format!(
            "{its} on what torch is built for, or are missing: one family of builds goes together"
        ))
    })
}

struct Case<'a> {
    examined: &'a ExaminedTorch<'a>,
    machine: &'a AcceleratorFacts,
    indexes: &'a TorchIndexes,
}

impl Case<'_> {
    fn cpu(&self) -> Option<Finding> {
        let version = &self.examined.torch.version;
        let driver = self.machine.driver.as_ref();
        let driver = driver.map_or_else(|| "unknown".to_owned(), driver_version);
        let mend = if self.machine.driver.is_none() {
            Mend::ByHand(
                "look up which CUDA `nvidia-smi` names, and install torch for it with \
                 `bnbpip install --accelerator`"
                    .to_owned(),
            )
        } else {
            // Where no build for CUDA runs, this is the right one.
            self.rebuild()?
        };
        let sentence = format!(
            "torch {version} is built for the processor only, and this machine has an NVIDIA GPU \
             (driver {driver})"
        );
        Some(
            Finding::new("cpu-torch", Severity::Broken, sentence, mend)
                .detail("`torch.cuda.is_available()` is False, and nothing runs on the GPU"),
        )
    }

    fn old_driver(&self, cuda: &str) -> Option<Finding> {
        let driver = self.machine.driver.as_ref()?;
        let oldest = self.indexes.oldest_driver(cuda, self.machine.system)?;
        if driver >= oldest {
            return None;
        }
        let (driver, oldest) = (driver_version(driver), driver_version(oldest));
        let version = &self.examined.torch.version;
        let sentence = format!(
            "torch {version} is built for CUDA {cuda}, which needs NVIDIA's driver {oldest} or \
             newer, and this machine has {driver}"
        );
        let by_hand = || Mend::ByHand(format!("update NVIDIA's driver to {oldest} or newer"));
        let mend = self.rebuild().unwrap_or_else(by_hand);
        Some(
            Finding::new("old-driver", Severity::Broken, sentence, mend).detail(format!(
                "a driver from {oldest} on would do as well: torch says that it is too old"
            )),
        )
    }

    fn no_code(&self, cuda: &str) -> Option<Finding> {
        let family = self.indexes.family_for_cuda(cuda)?;
        let version = self.public_version()?;
        let left_out = self.left_out(family, &version)?;
        let all = left_out.len() == self.machine.capabilities.len();
        let sentence = format!(
            "torch {} has no code for this machine's GPU with {}",
            self.examined.torch.version,
            capabilities(&left_out)
        );
        let severity = if all {
            Severity::Broken
        } else {
            Severity::Warning
        };
        let by_hand = || {
            Mend::ByHand(
                "use another GPU or the processor: no build that the driver runs has code for it"
                    .to_owned(),
            )
        };
        // A build that leaves out another card instead mends nothing.
        let mend = self.rebuild().filter(|mend| *mend != self.same(family));
        Some(
            Finding::new("gpu-code", severity, sentence, mend.unwrap_or_else(by_hand))
                .detail("`no kernel image is available for execution on the device`"),
        )
    }

    /// The cards that this release's builds don't run on, if there are any.
    fn left_out(&self, family: &Family, version: &Version) -> Option<Vec<Capability>> {
        let mut builds = family.builds.iter();
        let builds = builds.find(|builds| builds.range().contains(version))?;
        let cards = self.machine.capabilities.iter().copied();
        let left_out: Vec<_> = cards
            .filter(|card| !builds.run_on(*card, self.machine.system))
            .collect();
        (!left_out.is_empty()).then_some(left_out)
    }

    /// Another build: of the same release if there is one that runs, else of another release.
    fn rebuild(&self) -> Option<Mend> {
        let same = range::equal(self.public_version()?);
        let any = VersionRange::full();
        let (family, keeps) = [(same, true), (any, false)]
            .iter()
            .find_map(|(range, keeps)| {
                let choice = self.indexes.choose(self.machine, range)?;
                let runs = matches!(choice.because, Because::Fits | Because::DriverAlone);
                (runs && choice.without.is_empty()).then_some((choice.family, *keeps))
            })?;
        Some(self.mend(family, keeps))
    }

    /// What would change nothing.
    fn same(&self, family: &Family) -> Mend {
        self.mend(family, true)
    }

    fn mend(&self, family: &Family, keeps: bool) -> Mend {
        let packages = self.examined.family.iter();
        let requirements = packages.map(|(name, version)| {
            if keeps {
                format!("{name}=={}", version.clone().without_local())
            } else {
                name.to_string()
            }
        });
        Mend::Rebuild {
            accelerator: family.name.clone(),
            requirements: requirements.collect(),
        }
    }

    fn public_version(&self) -> Option<Version> {
        let version: Version = self.examined.torch.version.parse().ok()?;
        Some(version.without_local())
    }
}

#[cfg(test)]
mod tests {
    use bnbpip_overlay::AcceleratorSystem;

    use super::*;

    fn examined(version: &str, build: TorchBuild, driver: &str, cards: &[&str]) -> Option<Finding> {
        let torch = Torch {
            version: version.to_owned(),
            build,
        };
        let package = |name: &str, version: &str| (name.parse().unwrap(), version.parse().unwrap());
        let examined = ExaminedTorch {
            torch: &torch,
            family: vec![
                package("torch", version),
                package("torchaudio", "2.6.0+cpu"),
            ],
        };
        let machine = AcceleratorFacts {
            system: AcceleratorSystem::Windows,
            has_nvidia: true,
            driver: driver.parse().ok(),
            capabilities: cards.iter().map(|card| card.parse().unwrap()).collect(),
        };
        torch_build(&examined, &machine, &TorchIndexes::embedded().unwrap())
    }

    fn told(finding: Option<Finding>) -> String {
        let Some(finding) = finding else {
            return "nothing".to_owned();
        };
        let mend = match finding.mend {
            Mend::Rebuild {
                accelerator,
                requirements,
            } => format!("{accelerator}: {}", requirements.join(" ")),
            Mend::ByHand(what) => what,
            other => format!("{other:?}"),
        };
        format!("{:?} {} -> {mend}", finding.severity, finding.sentence)
    }

    #[test]
    fn a_torch_without_cuda_is_wrong_beside_a_gpu_that_has_one() {
        let cpu = |version: &str, driver: &str, cards: &[&str]| {
            told(examined(version, TorchBuild::Cpu, driver, cards))
        };
        assert_eq!(
            cpu("2.6.0+cpu", "566.36", &["8.9"]),
            "Broken torch 2.6.0+cpu is built for the processor only, and this machine has an \
             NVIDIA GPU (driver 566.36) -> cu126: torch==2.6.0 torchaudio==2.6.0"
        );
        // No build of this release has code for so new a card.
        assert!(cpu("2.6.0", "581.57", &["12.0"]).ends_with("-> cu132: torch torchaudio"));
        assert_eq!(cpu("2.6.0+cpu", "390.77", &["6.1"]), "nothing");
        assert_eq!(cpu("2.6.0+cpu", "581.57", &["3.5"]), "nothing");
        assert!(cpu("2.6.0", "", &[]).contains("(driver unknown) -> look up which CUDA"));
    }

    #[test]
    fn what_goes_with_torch_is_built_as_torch_is() {
        let mixed = |build: TorchBuild, vision: &str| {
            let torch = Torch {
                version: "2.9.0".to_owned(),
                build,
            };
            let package =
                |name: &str, version: &str| (name.parse().unwrap(), version.parse().unwrap());
            let examined = ExaminedTorch {
                torch: &torch,
                family: vec![package("torch", "2.9.0"), package("torchvision", vision)],
            };
            told(mixed_builds(&examined, &TorchIndexes::embedded().unwrap()))
        };
        let cuda = || TorchBuild::Cuda("12.6".to_owned());
        assert_eq!(mixed(cuda(), "0.24.0+cu126"), "nothing");
        assert_eq!(mixed(cuda(), "0.24.0"), "nothing");
        assert_eq!(
            mixed(cuda(), "0.24.0+cpu"),
            "Broken torchvision 0.24.0+cpu is built for something else than torch 2.9.0 -> cu126: \
             torchvision==0.24.0"
        );
        assert!(mixed(TorchBuild::Cpu, "0.24.0+cu128").ends_with("-> cpu: torchvision==0.24.0"));
    }

    #[test]
    fn the_driver_must_know_torchs_cuda() {
        let cuda = |version: &str, cuda: &str, driver: &str| {
            told(examined(
                version,
                TorchBuild::Cuda(cuda.to_owned()),
                driver,
                &["8.9"],
            ))
        };
        assert_eq!(cuda("2.11.0+cu130", "13.0", "581.57"), "nothing");
        assert_eq!(
            cuda("2.11.0+cu130", "13.0", "566.36"),
            "Broken torch 2.11.0+cu130 is built for CUDA 13.0, which needs NVIDIA's driver 580 or \
             newer, and this machine has 566.36 -> cu128: torch==2.11.0 torchaudio==2.6.0"
        );
        assert!(cuda("2.15.0", "13.2", "566.36").ends_with("-> cu126: torch torchaudio"));
        assert!(
            cuda("2.15.0", "13.2", "390.77").ends_with("-> update NVIDIA's driver to 580 or newer")
        );
    }

    #[test]
    fn the_build_must_have_code_for_the_gpu() {
        let cards = |version: &str, cuda: &str, cards: &[&str]| {
            let build = TorchBuild::Cuda(cuda.to_owned());
            told(examined(version, build, "581.57", cards))
        };
        assert_eq!(cards("2.9.0+cu126", "12.6", &["6.1"]), "nothing");
        assert_eq!(
            cards("2.9.0+cu128", "12.8", &["6.1"]),
            "Broken torch 2.9.0+cu128 has no code for this machine's GPU with compute capability \
             6.1 -> cu126: torch==2.9.0 torchaudio==2.6.0"
        );
        assert!(cards("2.6.0+cu124", "12.4", &["12.0"]).ends_with("-> cu132: torch torchaudio"));
        let two = cards("2.9.0+cu128", "12.8", &["6.1", "12.0"]);
        assert!(
            two.starts_with("Warning ") && two.contains("-> use another GPU"),
            "{two}"
        );
        assert!(cards("2.9.0+cu128", "12.8", &["3.5"]).contains("-> use another GPU"));
    }
}
