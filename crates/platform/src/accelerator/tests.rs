use std::collections::BTreeMap;

use super::*;
use crate::runtime::FileVersion;

/// A recorded machine.
#[derive(Default)]
struct Recorded {
    files: BTreeMap<&'static str, &'static str>,
    libraries: BTreeMap<&'static str, NvidiaFacts>,
    programs: BTreeMap<&'static str, &'static str>,
}

fn plain(path: &Path) -> String {
    path.display().to_string().replace('\\', "/")
}

impl MachineFiles for Recorded {
    fn exists(&self, path: &Path) -> bool {
        let path = plain(path);
        self.files.contains_key(&*path) || self.programs.contains_key(&*path)
    }

    fn names(&self, folder: &Path) -> Vec<String> {
        let folder = format!("{}/", plain(folder));
        let inside = self
            .files
            .keys()
            .filter_map(|path| path.strip_prefix(&*folder));
        let first = inside.filter_map(|rest| rest.split('/').next());
        let names: std::collections::BTreeSet<_> = first.map(str::to_owned).collect();
        names.into_iter().collect()
    }

    fn text(&self, path: &Path) -> Option<String> {
        self.files.get(&*plain(path)).map(|text| (*text).to_owned())
    }

    fn file_version(&self, path: &Path) -> Option<FileVersion> {
        let text = self.text(path)?;
        let mut parts = text.split('.').map(|part| part.parse().unwrap());
        Some(FileVersion(std::array::from_fn(|_| parts.next().unwrap())))
    }

    fn windows_build(&self) -> Option<u32> {
        None
    }

    fn long_paths(&self) -> Option<bool> {
        None
    }
}

impl AcceleratorMachine for Recorded {
    fn nvml(&self, library: &Path) -> Result<NvidiaFacts, String> {
        let facts = self.libraries.get(&*plain(library));
        facts.cloned().ok_or_else(|| "not there".to_owned())
    }

    fn output(&self, program: &Path, _: &[&str]) -> Result<String, String> {
        let text = self.programs.get(&*plain(program));
        text.map(|text| (*text).to_owned())
            .ok_or_else(|| "failed".to_owned())
    }
}

fn windows() -> AcceleratorInputs {
    AcceleratorInputs {
        system: Some("C:/Windows/System32".into()),
        ..AcceleratorInputs::default()
    }
}

fn told(driver: Option<&str>, capabilities: Option<&str>) -> AcceleratorInputs {
    AcceleratorInputs {
        told: ToldNvidia {
            driver: driver.map(|text| text.parse().unwrap()),
            capabilities: capabilities.map(|text| capabilities_of_cards(text).unwrap()),
        },
        ..windows()
    }
}

fn cards(found: &Accelerators) -> Vec<String> {
    found.gpus.iter().map(ToString::to_string).collect()
}

#[test]
fn the_management_library_is_believed_first() {
    let mut machine = Recorded::default();
    let facts = smi::parse("566.36, 8.9, NVIDIA GeForce RTX 4070\n").unwrap();
    machine
        .libraries
        .insert("C:/Windows/System32/nvml.dll", facts);
    machine
        .files
        .insert("C:/Windows/System32/nvcuda.dll", "32.0.15.1111");
    let found = Accelerators::detect(&machine, &windows());
    assert_eq!(found.nvidia_driver.unwrap().to_string(), "566.36");
    assert_eq!(
        cards(&found),
        ["NVIDIA GeForce RTX 4070 (compute capability 8.9)"]
    );
    assert_eq!(found.trace.len(), 1, "{:?}", found.trace);
}

#[test]
fn without_the_library_the_program_is_found_in_its_usual_folder() {
    let mut machine = Recorded::default();
    machine.programs.insert(
        "C:/Program Files/NVIDIA Corporation/NVSMI/nvidia-smi.exe",
        "472.12, 6.1, NVIDIA GeForce GTX 1080\n472.12, 7.5, Quadro RTX 4000\n",
    );
    let found = Accelerators::detect(&machine, &windows());
    assert_eq!(found.nvidia_driver.unwrap().to_string(), "472.12");
    assert_eq!(
        cards(&found),
        [
            "NVIDIA GeForce GTX 1080 (compute capability 6.1)",
            "NVIDIA Quadro RTX 4000 (compute capability 7.5)"
        ]
    );
}

#[test]
fn the_drivers_files_tell_its_version_and_no_capability() {
    let mut machine = Recorded::default();
    machine
        .files
        .insert("C:/Windows/System32/nvcuda.dll", "32.0.15.6636");
    let found = Accelerators::detect(&machine, &windows());
    assert_eq!(found.nvidia_driver.unwrap().to_string(), "566.36");
    assert_eq!(cards(&found), ["NVIDIA GPU"]);
    assert!(found.has_nvidia() && found.capabilities().is_empty());
    let trace: Vec<_> = found
        .trace
        .iter()
        .map(|step| step.outcome.as_str())
        .collect();
    assert_eq!(trace, ["not there", "driver 566.36"]);
}

#[test]
fn a_machine_with_nothing_says_what_was_tried() {
    let found = Accelerators::detect(&Recorded::default(), &windows());
    assert!(!found.has_nvidia() && found.gpus.is_empty());
    let trace: Vec<_> = found
        .trace
        .iter()
        .map(|step| step.outcome.as_str())
        .collect();
    assert_eq!(trace, ["not there", "no version to be read"]);
}

#[test]
fn what_is_told_is_believed() {
    let machine = Recorded::default();
    let found = Accelerators::detect(&machine, &told(Some("535.183.01"), Some("6.1, 8.9")));
    assert_eq!(found.nvidia_driver.unwrap().to_string(), "535.183.01");
    let capabilities: Vec<_> = found
        .capabilities()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(capabilities, ["6.1", "8.9"]);

    let mut machine = Recorded::default();
    machine
        .files
        .insert("C:/Windows/System32/nvcuda.dll", "32.0.15.6636");
    let found = Accelerators::detect(&machine, &told(Some("none"), None));
    assert!(!found.has_nvidia());
    for driver in ["new", "", "581", "-1.0"] {
        assert!(driver.parse::<ToldDriver>().is_err(), "{driver}");
    }
    for cards in ["Ada", "", ",", "8", "8.9,"] {
        let is_readable = cards == "8.9,";
        assert_eq!(capabilities_of_cards(cards).is_ok(), is_readable, "{cards}");
    }
}

#[test]
fn amds_and_intels_cards_are_seen_on_linux() {
    let mut machine = Recorded::default();
    machine.files.insert(
        "/sys/class/kfd/kfd/topology/nodes/0/properties",
        "simd_count 0\ngfx_target_version 0\n",
    );
    machine.files.insert(
        "/sys/class/kfd/kfd/topology/nodes/1/properties",
        "simd_count 192\ngfx_target_version 90010\n",
    );
    machine
        .files
        .insert("/sys/class/drm/card0/device/vendor", "0x8086\n");
    machine
        .files
        .insert("/sys/class/drm/card0-HDMI-A-1/status", "connected");
    let found = Accelerators::detect(&machine, &AcceleratorInputs::default());
    assert_eq!(cards(&found), ["AMD gfx90a", "Intel GPU"]);
}

#[test]
fn drivers_compare_part_by_part() {
    let version = |text: &str| text.parse::<DriverVersion>().unwrap();
    assert!(version("525.60.13") < version("525.105.17"));
    assert!(version("535.54.03") < version("566.36"));
    assert_eq!(version("452.06").to_string(), "452.06");
    assert!("n/a".parse::<DriverVersion>().is_err());
}

#[test]
fn a_driver_without_a_card_is_no_gpu() {
    let mut machine = Recorded::default();
    let facts = NvidiaFacts {
        driver: "550.90.07".parse().unwrap(),
        gpus: Vec::new(),
    };
    machine.libraries.insert("libnvidia-ml.so.1", facts);
    if cfg!(target_os = "linux") {
        let found = Accelerators::detect(&machine, &AcceleratorInputs::default());
        assert!(!found.has_nvidia());
        assert_eq!(found.description().unwrap(), "driver 550.90.07");
    }
}
