//! The machine as rules see it: asked once a run at most, and only if a rule depends on the answer.

use std::fmt;
use std::sync::{Arc, OnceLock};

use bnbpip_overlay::{KnownMachine, MachineFact, MachineFacts, VirtualPackage};
use bnbpip_packaging::Version;
use bnbpip_platform::{
    AcceleratorInputs, Accelerators, Target, ThisMachine, ToldDriver, ToldNvidia,
};

use crate::configuration::settings::Settings;
use crate::printer::Printer;

/// A machine that is asked when it is needed.
#[derive(Clone)]
pub(crate) struct Machine(Arc<Asked>);

struct Asked {
    /// How it is asked; `None` if it isn't.
    inputs: Option<(AcceleratorInputs, &'static Printer)>,
    known: OnceLock<KnownMachine>,
}

impl Machine {
    /// A machine of which these facts are known.
    pub(crate) fn known(facts: KnownMachine) -> Self {
        Self(Arc::new(Asked {
            inputs: None,
            known: OnceLock::from(facts),
        }))
    }

    /// What a target runs on: this machine, or one of which nothing is known but what the variables
    /// tell.
    pub(crate) fn of(target: &Target, settings: &Settings, printer: &'static Printer) -> Self {
        if target.is_synthetic {
            return Self::told(settings, printer);
        }
        Self::this(settings, printer)
    }

    /// This machine.
    pub(crate) fn this(settings: &Settings, printer: &'static Printer) -> Self {
        Self::asking(settings.accelerator_inputs(), printer)
    }

    /// What the variables tell, of this machine or another.
    pub(crate) fn told(settings: &Settings, printer: &'static Printer) -> Self {
        let mut inputs = settings.accelerator_inputs();
        if inputs.told == ToldNvidia::default() {
            return Self::known(KnownMachine::default());
        }
        inputs.told.driver.get_or_insert(ToldDriver::Absent);
        Self::asking(inputs, printer)
    }

    fn asking(inputs: AcceleratorInputs, printer: &'static Printer) -> Self {
        Self(Arc::new(Asked {
            inputs: Some((inputs, printer)),
            known: OnceLock::new(),
        }))
    }
}

impl MachineFacts for Machine {
    fn version(&self, package: VirtualPackage) -> Option<Version> {
        let Asked { inputs, known } = &*self.0;
        let known = known.get_or_init(|| match inputs {
            Some((inputs, printer)) => {
                let found = Accelerators::detect(&ThisMachine, inputs);
                for attempt in &found.trace {
                    printer.verbose(&format!("Accelerators: {attempt}"));
                }
                facts(&found)
            }
            None => KnownMachine::default(),
        });
        known.version(package)
    }
}

impl fmt::Debug for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.known.fmt(f)
    }
}

/// What was found, as rules compare it. A driver without a card runs nothing, and of several cards
/// the least able one counts: what suits it should suit all.
pub(crate) fn facts(found: &Accelerators) -> KnownMachine {
    let driver = found.nvidia_driver.filter(|_| found.has_nvidia());
    let driver = driver.map(|driver| (VirtualPackage::CudaDriver, driver.to_string()));
    let lowest = found.capabilities().into_iter().min();
    let arch = lowest.map(|lowest| (VirtualPackage::CudaArch, lowest.to_string()));
    let facts = driver.into_iter().chain(arch);
    let facts = facts.filter_map(|(package, version)| {
        let version = version.parse().ok()?;
        Some(MachineFact { package, version })
    });
    facts.collect()
}
