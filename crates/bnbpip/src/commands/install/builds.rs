//! What a plan does to torch's builds: what is refused, and what is told.

use bnbpip_installer::InstalledEnvironment;
use bnbpip_overlay::TorchIndexes;
use bnbpip_platform::{Accelerators, OperatingSystem, Target, ThisMachine};

use super::plan::{Change, Plan};
use crate::commands::resolve::accelerator::{family_of, local};
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::request::{Request, RequestedRequirement};

/// Refuses to put another build in the place of a torch for CUDA that nobody named, and says so
/// where a torch without CUDA comes to a machine with a GPU.
///
/// # Errors
/// When a torch for CUDA would be replaced by another build.
pub(super) fn guard(
    plan: &Plan,
    request: &Request,
    target: &Target,
    settings: &Settings,
    printer: &Printer,
) -> Result<(), Failure> {
    let Some(change) = torch(plan) else {
        return Ok(());
    };
    let new = &change.package.version;
    // PyPI's torch for Windows has no CUDA; one from an index of builds says what it is for.
    let is_windows = target.operating_system == OperatingSystem::Windows;
    let is_cpu = local(new).map_or(is_windows, |local| local == "cpu");
    let is_named = |given: &RequestedRequirement| given.requirement.name.as_ref() == "torch";
    if let Some(present) = &change.replaces
        && !request.requirements.iter().any(is_named)
        && let Some(family) = family_of(present).filter(|family| family.starts_with("cu"))
        && (is_cpu || local(new).is_some_and(|local| local != family))
    {
        let what = if is_cpu {
            ", which is built for the processor only"
        } else {
            ""
        };
        return Err(Failure::new(format!(
            "Failed to install: torch {}, built for {family}, would be replaced by torch {new}{what}",
            present.version
        ))
        .hint(
            "say what torch is to run on: `--accelerator auto` for this machine's GPU, or \
             `--accelerator cpu`",
        ));
    }
    if is_cpu && is_windows && local(new).is_none() {
        let found = Accelerators::detect(&ThisMachine, &settings.accelerator_inputs());
        // Another machine's GPU isn't known.
        if found.has_nvidia() || target.is_synthetic {
            printer.hint(&format!(
                "torch {new} from here is built for the processor only on Windows: \
                 `--accelerator auto` takes one for the GPU"
            ));
        }
    }
    Ok(())
}

fn torch(plan: &Plan) -> Option<&Change> {
    let mut changes = plan.changes.iter();
    changes.find(|change| change.package.name.as_ref() == "torch")
}

/// Says what stays with a build for something else than the torch that comes.
pub(super) fn warn_about_rest(plan: &Plan, installed: &InstalledEnvironment, printer: &Printer) {
    let Ok(indexes) = TorchIndexes::embedded() else {
        return;
    };
    let Some(family) = torch(plan).and_then(|torch| local(&torch.package.version)) else {
        return;
    };
    for distribution in &installed.distributions {
        let (name, version) = (&distribution.name, &distribution.version);
        let differs = local(version).is_some_and(|local| local != family);
        if differs && plan.change(name).is_none() && indexes.packages.contains(name) {
            printer.warning(&format!(
                "{name} {version} stays, and is built for something else than the new torch"
            ));
            printer.hint(&format!(
                "`bnbpip install --accelerator {family} {name}` takes the build that goes with it"
            ));
        }
    }
}
