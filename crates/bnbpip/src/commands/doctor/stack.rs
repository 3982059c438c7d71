//! What torch was built for, and whether bitsandbytes holds the library for it.

use bnbpip_overlay::{AcceleratorFacts, TorchIndexes};
use bnbpip_report::doctor::{
    ExaminedTorch, Fact, Finding, Torch, cuda_library, mixed_builds, torch_build,
};

use crate::commands::distribution::Distribution;
use crate::failure::Failure;

/// The parts of the stack that say more than their metadata.
#[derive(Debug)]
pub(super) struct Stack<'a> {
    /// torch, by its own account.
    pub(super) torch: Option<Torch>,
    bitsandbytes: Option<&'a Distribution>,
}

impl<'a> Stack<'a> {
    /// Reads what is installed. Nothing of it is run.
    pub(super) fn of(installed: &'a [Distribution]) -> Self {
        let named = |name: &str| {
            installed
                .iter()
                .find(|distribution| distribution.installed.name.as_ref() == name)
        };
        let torch = named("torch").and_then(|torch| {
            let file = torch.installed.location.join("torch").join("version.py");
            Torch::parse(&fs_err::read_to_string(file).ok()?)
        });
        Self {
            torch,
            bitsandbytes: named("bitsandbytes"),
        }
    }

    pub(super) fn facts(&self) -> Option<Fact> {
        let torch = self.torch.as_ref()?;
        Some(Fact {
            key: "torch",
            label: "torch",
            value: torch.description(),
        })
    }

    /// A torch that can't use this machine's GPU, or isn't built as what goes with it.
    ///
    /// # Errors
    /// When the table of builds can't be read, which a test rules out.
    pub(super) fn torch_build(
        &self,
        installed: &[Distribution],
        machine: &AcceleratorFacts,
    ) -> Result<Option<Finding>, Failure> {
        let Some(torch) = &self.torch else {
            return Ok(None);
        };
        let indexes = TorchIndexes::embedded()?;
        let family = installed.iter().map(|distribution| &distribution.installed);
        let family = family.filter(|one| indexes.packages.contains(&one.name));
        let family = family.map(|one| (one.name.clone(), one.version.clone()));
        let examined = ExaminedTorch {
            torch,
            family: family.collect(),
        };
        let build = torch_build(&examined, machine, &indexes);
        Ok(build.or_else(|| mixed_builds(&examined, &indexes)))
    }

    /// bitsandbytes' library for torch's CUDA. Where a rule already says that the release itself
    /// is broken, its libraries are no news.
    pub(super) fn cuda_library(&self, others: &[Finding], is_windows: bool) -> Option<Finding> {
        let bitsandbytes = &self.bitsandbytes?.installed;
        let is_known = others.iter().any(|finding| {
            finding.rule.is_some()
                && matches!(&finding.packages[..], [(name, _)] if *name == bitsandbytes.name)
        });
        if is_known {
            return None;
        }
        let folder = bitsandbytes.location.join("bitsandbytes");
        let entries = fs_err::read_dir(folder).ok()?.flatten();
        let libraries: Vec<String> = entries
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        let torch = self.torch.as_ref()?;
        cuda_library(&bitsandbytes.version, &libraries, torch, is_windows)
    }
}
