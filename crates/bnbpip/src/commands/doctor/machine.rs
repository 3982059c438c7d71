//! What the machine offers to compiled packages, and what it lacks.

use bnbpip_overlay::{AcceleratorFacts, AcceleratorSystem};
use bnbpip_packaging::PackageName;
use bnbpip_platform::{AcceleratorMachine, Accelerators, EmbeddedLayout, Interpreter, RuntimeFile};
use bnbpip_report::doctor::{
    EmbeddedPython, Fact, Finding, OpenMpCopy, RuntimeLibrary, embedded, long_paths, openmp,
    vc_runtime,
};
use rustc_hash::FxHashSet;

use super::examination::Examination;
use super::files::Files;
use crate::commands::resolve::accelerator::machine_facts;
use crate::configuration::settings::Settings;

/// Packages whose native code needs Microsoft's C++ runtime on Windows.
const COMPILED: [&str; 2] = ["torch", "triton-windows"];

/// Facts about the machine and the interpreter's folder.
#[derive(Debug, Clone, Default)]
pub(super) struct Machine {
    runtime: Vec<RuntimeFile>,
    embedded: Option<EmbeddedLayout>,
    is_wsl: bool,
    long_paths: Option<bool>,
    windows: Option<String>,
    pub(super) accelerators: Accelerators,
    /// conda's own copies of the OpenMP runtime.
    conda_openmp: Vec<String>,
}

impl Machine {
    /// Asks the machine.
    pub(super) fn of(
        interpreter: &Interpreter,
        settings: &Settings,
        machine: &dyn AcceleratorMachine,
    ) -> Self {
        let python = &interpreter.base_executable;
        let is_windows = interpreter.markers.os_name() == "nt";
        let system = settings.environment.get_path("SYSTEMROOT");
        let system = system.map(|root| root.join("System32"));
        let prefix = &interpreter.prefix;
        let mut conda_openmp = Vec::new();
        if machine.exists(&prefix.join("conda-meta")) {
            let places = [
                prefix.join("Library").join("bin").join("libiomp5md.dll"),
                prefix.join("lib").join("libiomp5.so"),
            ];
            let there = places.iter().filter(|path| machine.exists(path));
            conda_openmp.extend(there.map(|path| path.display().to_string()));
        }
        Self {
            runtime: if is_windows {
                bnbpip_platform::vc_runtime(machine, python, system.as_deref())
            } else {
                Vec::new()
            },
            embedded: bnbpip_platform::embedded_layout(machine, python).filter(|_| is_windows),
            is_wsl: bnbpip_platform::is_wsl(machine),
            long_paths: machine.long_paths(),
            windows: bnbpip_platform::windows_name(machine),
            accelerators: Accelerators::detect(machine, &settings.accelerator_inputs()),
            conda_openmp,
        }
    }

    pub(super) fn facts(&self) -> Vec<Fact> {
        let mut kinds: Vec<&str> = self.windows.as_deref().into_iter().collect();
        if self.is_wsl {
            kinds.push("Linux inside of Windows (WSL)");
        }
        if self.embedded.is_some() {
            kinds.push("an embedded Python");
        }
        let machine = (!kinds.is_empty()).then(|| Fact {
            key: "machine",
            label: "Machine",
            value: kinds.join(", "),
        });
        let gpu = self.accelerators.description().map(|value| Fact {
            key: "gpu",
            label: "GPU",
            value,
        });
        machine.into_iter().chain(gpu).collect()
    }

    /// What the builds of torch are held against.
    pub(super) fn accelerator_facts(&self, is_windows: bool) -> AcceleratorFacts {
        let system = if is_windows {
            AcceleratorSystem::Windows
        } else {
            AcceleratorSystem::Linux
        };
        machine_facts(&self.accelerators, system)
    }
}

/// What the machine lacks for what is installed.
pub(super) fn findings(
    examination: &Examination,
    files: &Files,
    machine: &Machine,
) -> Vec<Finding> {
    let has = |name: &str| {
        let mut installed = examination.installed.iter();
        installed.any(|one| one.installed.name.as_ref() == name)
    };
    let mut findings = Vec::new();
    if examination.is_windows() && COMPILED.iter().any(|name| has(name)) {
        findings.extend(vc_runtime(&libraries(&machine.runtime)));
    }
    if let Some(layout) = &machine.embedded {
        let path_file = layout.path_file.file_name().unwrap_or_default();
        let python = EmbeddedPython {
            path_file: path_file.to_string_lossy().into_owned(),
            sees_packages: layout.sees_packages,
            has_headers: layout.has_headers,
            has_import_libraries: layout.has_import_libraries,
        };
        let triton: Option<PackageName> = "triton-windows".parse().ok();
        let compiles = triton.filter(|_| has("triton-windows"));
        findings.extend(embedded(&python, compiles.as_ref()));
    }
    let mut copies = files.openmp.clone();
    for path in &machine.conda_openmp {
        // A wheel may have put it there.
        if !copies.iter().any(|copy| copy.path == *path) {
            copies.push(OpenMpCopy {
                path: path.clone(),
                owner: None,
            });
        }
    }
    findings.extend(openmp(&copies, |one, other| {
        requires(examination, one, other)
    }));
    if let Some(enabled) = machine.long_paths {
        findings.extend(long_paths(enabled, &files.longest_path));
    }
    findings
}

fn libraries(files: &[RuntimeFile]) -> Vec<RuntimeLibrary> {
    let libraries = files.iter().filter_map(|file| {
        Some(RuntimeLibrary {
            name: file.name.clone(),
            version: file.version.to_string().parse().ok()?,
            beside_interpreter: file.beside_interpreter,
        })
    });
    libraries.collect()
}

/// Whether a package requires another, directly or not.
fn requires(examination: &Examination, from: &PackageName, to: &PackageName) -> bool {
    let markers = &examination.environment.interpreter.markers;
    let mut seen: FxHashSet<PackageName> = FxHashSet::default();
    let mut open = vec![from.clone()];
    while let Some(name) = open.pop() {
        if name == *to {
            return true;
        }
        if !seen.insert(name.clone()) {
            continue;
        }
        let found = examination
            .installed
            .iter()
            .find(|one| one.installed.name == name);
        let dependencies = found.and_then(|one| one.dependencies(markers).ok());
        let names = dependencies.into_iter().flatten();
        open.extend(names.map(|dependency| dependency.requirement.name));
    }
    false
}
