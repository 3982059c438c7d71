//! What files tell: NVIDIA's driver version, and on Linux AMD's and Intel's cards.

use std::path::Path;

use super::value::{DriverVersion, Gpu, Vendor};
use crate::runtime::{MachineFiles, nvidia_driver};

/// What was looked at for NVIDIA's driver, and the version that it told.
pub(super) fn driver(
    machine: &dyn MachineFiles,
    system: Option<&Path>,
) -> (String, Option<DriverVersion>) {
    let what = match system {
        Some(system) => system.join("nvcuda.dll").display().to_string(),
        None => "/proc/driver/nvidia/version".to_owned(),
    };
    let version = nvidia_driver(machine, system);
    (what, version.and_then(|version| version.parse().ok()))
}

/// Whether Windows' driver is there for Linux inside of it, though no file tells its version.
pub(super) fn wsl_driver(machine: &dyn MachineFiles) -> bool {
    machine.exists(Path::new("/usr/lib/wsl/lib/libcuda.so.1"))
}

/// AMD's and Intel's cards, from the kernel's own files; the processor's own graphics count too,
/// for Intel.
pub(super) fn other_gpus(machine: &dyn MachineFiles) -> Vec<Gpu> {
    let mut gpus = Vec::new();
    let topology = Path::new("/sys/class/kfd/kfd/topology/nodes");
    let mut nodes = machine.names(topology);
    nodes.sort();
    for node in nodes {
        let properties = machine.text(&topology.join(node).join("properties"));
        let name = properties.as_deref().and_then(architecture);
        gpus.extend(name.map(|name| Gpu {
            vendor: Vendor::Amd,
            name: Some(name),
            capability: None,
        }));
    }
    let drm = Path::new("/sys/class/drm");
    let mut cards = machine.names(drm);
    cards.sort();
    // `card0-HDMI-A-1` is one of its connectors.
    cards.retain(|card| card.starts_with("card") && !card.contains('-'));
    for card in cards {
        let vendor = machine.text(&drm.join(card).join("device").join("vendor"));
        if vendor.is_some_and(|vendor| vendor.trim() == "0x8086") {
            gpus.push(Gpu {
                vendor: Vendor::Intel,
                name: None,
                capability: None,
            });
        }
    }
    gpus
}

/// `gfx_target_version 110001` is `gfx1101`; a processor has 0.
fn architecture(properties: &str) -> Option<String> {
    let mut lines = properties.lines();
    let number = lines.find_map(|line| line.strip_prefix("gfx_target_version "))?;
    let number: u32 = number.trim().parse().ok()?;
    let (major, minor, step) = (number / 10_000, number / 100 % 100, number % 100);
    (number > 0).then(|| format!("gfx{major}{minor:x}{step:x}"))
}
