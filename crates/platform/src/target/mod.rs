//! What a resolution is for: marker values, wheel tags and the version of Python, taken from an
//! interpreter or made up for another platform.

mod pip_platform;
mod python_platform;
mod request;

use bnbpip_packaging::{Arch, Implementation, MarkerEnvironment, Tags, TargetTags, Version};

use crate::{Interpreter, Libc};
pub use pip_platform::PipPlatform;
pub use python_platform::PythonPlatform;
pub use request::{TargetError, TargetPython, TargetRequest};

/// Where packages will run.
#[derive(Debug, Clone)]
pub struct Target {
    /// The values of the environment markers.
    pub markers: MarkerEnvironment,
    /// The wheel tags that are accepted, best first.
    pub tags: Tags,
    /// The full version of Python, for `Requires-Python`.
    pub python_full_version: Version,
    /// Major and minor version.
    pub python_version: (u8, u8),
    /// Whether it is a Python without the global interpreter lock.
    pub free_threaded: bool,
    /// The operating system.
    pub operating_system: OperatingSystem,
    /// The processor, if it is one that wheels are tagged for.
    pub arch: Option<Arch>,
    /// The platform tags, best first, without `any`.
    pub platform_tags: Vec<String>,
    /// One phrase for people: `CPython 3.11.7 on Linux x86_64 (glibc 2.36)`.
    pub description: String,
    /// Whether any of it was given by options and not asked from an interpreter.
    pub is_synthetic: bool,
}

/// An operating system, as far as packages tell them apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperatingSystem {
    /// Linux.
    Linux,
    /// Windows.
    Windows,
    /// macOS.
    MacOs,
    /// Another, by `platform_system`.
    Other(String),
}

impl OperatingSystem {
    fn from_platform_system(name: &str) -> Self {
        match name {
            "Linux" => Self::Linux,
            "Windows" => Self::Windows,
            "Darwin" => Self::MacOs,
            other => Self::Other(other.to_string()),
        }
    }

    /// The name that people know it by.
    pub fn name(&self) -> &str {
        match self {
            Self::Linux => "Linux",
            Self::Windows => "Windows",
            Self::MacOs => "macOS",
            Self::Other(name) => name,
        }
    }
}

impl Target {
    /// The target that is this interpreter on this machine.
    pub fn from_interpreter(interpreter: &Interpreter) -> Self {
        let platform_tags = interpreter.platform_tags();
        let system = OperatingSystem::from_platform_system(interpreter.markers.platform_system());
        let arch = interpreter.arch();
        Self {
            tags: Tags::for_target(&TargetTags {
                implementation: implementation(interpreter),
                python: interpreter.version_info,
                free_threaded: interpreter.free_threaded,
                abis: interpreter.abis.clone(),
                platforms: platform_tags.clone(),
            }),
            python_full_version: interpreter.version().clone(),
            python_version: interpreter.version_info,
            free_threaded: interpreter.free_threaded,
            arch,
            platform_tags,
            description: format!(
                "{} {}{} on {}{}",
                interpreter.implementation(),
                interpreter.version(),
                if interpreter.free_threaded { "t" } else { "" },
                place(&system, arch, interpreter.markers.platform_machine()),
                libc_note(interpreter.libc()),
            ),
            operating_system: system,
            markers: interpreter.markers.clone(),
            is_synthetic: false,
        }
    }
}

fn implementation(interpreter: &Interpreter) -> Implementation {
    if interpreter.markers.implementation_name() == "pypy" {
        Implementation::PyPy
    } else {
        Implementation::CPython
    }
}

fn place(system: &OperatingSystem, arch: Option<Arch>, machine: &str) -> String {
    let arch = match (system, arch) {
        (OperatingSystem::MacOs, Some(Arch::Aarch64)) => "arm64",
        (_, Some(arch)) => arch.as_str(),
        (_, None) => machine,
    };
    format!("{} {arch}", system.name())
}

fn libc_note(libc: Option<Libc>) -> String {
    match libc {
        Some(Libc::Glibc(major, minor)) => format!(" (glibc {major}.{minor})"),
        Some(Libc::Musl(major, minor)) => format!(" (musl {major}.{minor})"),
        None => String::new(),
    }
}
