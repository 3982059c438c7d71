//! The accelerators of a machine: NVIDIA's driver with each GPU's name and compute capability, and
//! AMD's and Intel's cards as far as files tell.
//!
//! NVIDIA's management library is asked first, then the files that the driver leaves, then
//! `nvidia-smi`. Nothing of a Python package is executed. Every step is written down, so that a
//! person can see why a card wasn't found. All of it is asked through [`AcceleratorMachine`].

mod files;
mod nvml;
mod smi;
mod value;

use std::fmt;
use std::path::{Path, PathBuf};

pub use nvml::NvidiaFacts;
pub use value::{
    ComputeCapability, DriverVersion, Gpu, ParseFactError, ToldDriver, ToldNvidia, Vendor,
    capabilities_of_cards,
};

use crate::runtime::{MachineFiles, ThisMachine};

/// What is asked of a machine about its accelerators, besides its files.
pub trait AcceleratorMachine: MachineFiles {
    /// What NVIDIA's management library at `library` (a path, or a name for the system's loader)
    /// says.
    ///
    /// # Errors
    /// Why it says nothing, as a sentence for the trace.
    fn nvml(&self, library: &Path) -> Result<NvidiaFacts, String>;

    /// What a program of the driver's writes to its standard output.
    ///
    /// # Errors
    /// Why there is nothing, as a sentence for the trace.
    fn output(&self, program: &Path, arguments: &[&str]) -> Result<String, String>;
}

impl AcceleratorMachine for ThisMachine {
    fn nvml(&self, library: &Path) -> Result<NvidiaFacts, String> {
        nvml::ask(library)
    }

    fn output(&self, program: &Path, arguments: &[&str]) -> Result<String, String> {
        smi::output(program, arguments)
    }
}

/// What detection needs to know from outside.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AcceleratorInputs {
    /// What is believed instead of asking.
    pub told: ToldNvidia,
    /// Windows' `System32`; `None` on other systems.
    pub system: Option<PathBuf>,
    /// The folders of `PATH`, where `nvidia-smi` may lie.
    pub path: Vec<PathBuf>,
}

/// One step of detection: what was asked, and what it said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// What was asked: a library, a file or a program.
    pub what: String,
    /// What it said.
    pub outcome: String,
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.what, self.outcome)
    }
}

/// The accelerators of a machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accelerators {
    /// The version of NVIDIA's driver.
    pub nvidia_driver: Option<DriverVersion>,
    /// Every card that was found, NVIDIA's first.
    pub gpus: Vec<Gpu>,
    /// What was tried, in order.
    pub trace: Vec<Attempt>,
}

impl Accelerators {
    /// Looks for accelerators.
    pub fn detect(machine: &dyn AcceleratorMachine, inputs: &AcceleratorInputs) -> Self {
        let mut found = Self::default();
        match inputs.told.driver {
            Some(driver) => found.believe_driver(driver),
            None => found.ask_nvidia(machine, inputs),
        }
        if let Some(capabilities) = &inputs.told.capabilities {
            found.believe_capabilities(capabilities);
        }
        // A made-up machine has nothing of this one.
        if inputs.told.driver.is_none() {
            found.gpus.extend(files::other_gpus(machine));
        }
        found
    }

    /// The cards and NVIDIA's driver in one line; `None` where there is neither.
    pub fn description(&self) -> Option<String> {
        let gpus = self.gpus.iter().map(ToString::to_string);
        let driver = self.nvidia_driver.map(|driver| format!("driver {driver}"));
        let parts: Vec<String> = gpus.chain(driver).collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }

    /// Whether there is an NVIDIA GPU. A driver without one, as in an image that is made for GPUs,
    /// runs nothing.
    pub fn has_nvidia(&self) -> bool {
        let mut gpus = self.gpus.iter();
        gpus.any(|gpu| gpu.vendor == Vendor::Nvidia)
    }

    /// The compute capabilities of NVIDIA's cards, as far as they are known.
    pub fn capabilities(&self) -> Vec<ComputeCapability> {
        self.gpus.iter().filter_map(|gpu| gpu.capability).collect()
    }

    fn ask_nvidia(&mut self, machine: &dyn AcceleratorMachine, inputs: &AcceleratorInputs) {
        for library in nvml::places(inputs.system.as_deref()) {
            let what = library.display().to_string();
            let answer = machine.nvml(&library);
            self.note(what, answer.as_ref().map(NvidiaFacts::to_string));
            if let Ok(facts) = answer {
                self.take(facts);
                return;
            }
        }
        // The driver's own files know its version, not the capabilities: `nvidia-smi` knows both.
        let (what, driver) = files::driver(machine, inputs.system.as_deref());
        let outcome = match &driver {
            Some(version) => format!("driver {version}"),
            None => "no version to be read".to_owned(),
        };
        self.note(what, Ok::<_, &String>(outcome));
        self.nvidia_driver = driver;
        for program in smi::places(machine, inputs) {
            let what = program.display().to_string();
            let answer = machine.output(&program, &smi::ARGUMENTS);
            let answer = answer.and_then(|text| smi::parse(&text));
            self.note(what, answer.as_ref().map(NvidiaFacts::to_string));
            if let Ok(facts) = answer {
                self.take(facts);
                return;
            }
        }
        if self.nvidia_driver.is_some() || files::wsl_driver(machine) {
            self.gpus.push(Gpu::unknown());
        }
    }

    fn take(&mut self, facts: NvidiaFacts) {
        self.nvidia_driver = Some(facts.driver);
        self.gpus = facts.gpus;
    }

    fn believe_driver(&mut self, driver: ToldDriver) {
        let outcome = match driver {
            ToldDriver::Absent => "no NVIDIA GPU, as it was told".to_owned(),
            ToldDriver::Version(version) => {
                self.nvidia_driver = Some(version);
                self.gpus.push(Gpu::unknown());
                format!("driver {version}, as it was told")
            }
        };
        self.note("BNBPIP_CUDA_DRIVER".to_owned(), Ok::<_, &String>(outcome));
    }

    fn believe_capabilities(&mut self, capabilities: &[ComputeCapability]) {
        self.gpus.retain(|gpu| gpu.vendor != Vendor::Nvidia);
        let cards = capabilities.iter().map(|capability| Gpu {
            capability: Some(*capability),
            ..Gpu::unknown()
        });
        self.gpus.extend(cards);
        let listed: Vec<String> = capabilities.iter().map(ToString::to_string).collect();
        let outcome = format!("compute capability {}, as it was told", listed.join(", "));
        self.note("BNBPIP_CUDA_ARCH".to_owned(), Ok::<_, &String>(outcome));
    }

    fn note(&mut self, what: String, outcome: Result<String, &String>) {
        let outcome = outcome.unwrap_or_else(Clone::clone);
        self.trace.push(Attempt { what, outcome });
    }
}

#[cfg(test)]
mod tests;
