//! What torch was built for, and whether bitsandbytes holds the library for it.

use bnbpip_report::doctor::{Fact, Finding, Torch, cpu_torch, cuda_library};

use crate::commands::distribution::Distribution;

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

    /// A torch that can't use the GPU whose driver is installed.
    pub(super) fn cpu_torch(&self, driver: Option<&str>) -> Option<Finding> {
        cpu_torch(self.torch.as_ref()?, driver?)
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
