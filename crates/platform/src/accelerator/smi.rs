//! `nvidia-smi`, for machines whose management library can't be loaded.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::value::{Gpu, Vendor};
use super::{AcceleratorInputs, AcceleratorMachine, NvidiaFacts};

/// Driver, name and compute capability of each card, one line a card.
pub(super) const ARGUMENTS: [&str; 2] = [
    "--query-gpu=driver_version,compute_cap,name",
    "--format=csv,noheader",
];

/// Where the program lies: Windows' own folder and the driver's older one, WSL's, then `PATH`.
pub(super) fn places(machine: &dyn AcceleratorMachine, inputs: &AcceleratorInputs) -> Vec<PathBuf> {
    let mut places = Vec::new();
    let name = if let Some(system) = &inputs.system {
        places.push(system.join("nvidia-smi.exe"));
        // C:\Windows\System32 → C:\Program Files\NVIDIA Corporation\NVSMI
        if let Some(drive) = system.ancestors().nth(2) {
            let vendor = drive.join("Program Files").join("NVIDIA Corporation");
            places.push(vendor.join("NVSMI").join("nvidia-smi.exe"));
        }
        "nvidia-smi.exe"
    } else {
        places.extend(
            ["/usr/bin", "/usr/lib/wsl/lib"].map(|folder| Path::new(folder).join("nvidia-smi")),
        );
        "nvidia-smi"
    };
    // A relative entry would find a program in whatever folder this is started in.
    let folders = inputs.path.iter().filter(|folder| folder.is_absolute());
    for place in folders.map(|folder| folder.join(name)) {
        if !places.contains(&place) {
            places.push(place);
        }
    }
    places.retain(|place| machine.exists(place));
    places
}

/// Runs the program.
pub(super) fn output(program: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("didn't start: {error}"))?;
    if !output.status.success() {
        return Err(format!("failed with {}", output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Reads the program's lines.
pub(super) fn parse(text: &str) -> Result<NvidiaFacts, String> {
    let mut driver = None;
    let mut gpus = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let mut fields = line.splitn(3, ',').map(str::trim);
        let (version, capability) = (fields.next(), fields.next());
        driver = driver.or_else(|| version?.parse().ok());
        gpus.push(Gpu {
            vendor: Vendor::Nvidia,
            name: fields.next().map(str::to_owned),
            capability: capability.and_then(|text| text.parse().ok()),
        });
    }
    let driver = driver.ok_or_else(|| "named no driver version".to_owned())?;
    Ok(NvidiaFacts { driver, gpus })
}
