//! The short names of environments in a rule's tests, such as `windows-3.11`.

use std::str::FromStr;

use bnbpip_packaging::{MarkerEnvironment, MarkerEnvironmentBuilder};

/// An environment that a rule's test runs in: `linux`, `windows` or `macos`, optionally an
/// architecture, and a Python version: `windows-3.11`, `linux-aarch64-3.12`.
#[derive(Debug, Clone)]
pub struct TestTarget {
    /// The environment's marker values.
    pub environment: MarkerEnvironment,
}

/// A text that is not the name of a test environment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a test target: expected `linux`, `windows` or `macos`, an optional architecture and a Python version, such as `windows-3.11`"
)]
pub struct InvalidTestTarget(String);

impl TestTarget {
    /// What a test runs in when it names nothing.
    pub const DEFAULT: &'static str = "linux-3.11";
}

impl FromStr for TestTarget {
    type Err = InvalidTestTarget;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidTestTarget(text.to_owned());
        let parts: Vec<&str> = text.split('-').collect();
        let (system, machine, python) = match parts[..] {
            [system, python] => (system, None, python),
            [system, machine, python] => (system, Some(machine), python),
            _ => return Err(invalid()),
        };
        let (os_name, sys_platform, platform_system, default_machine) = match system {
            "linux" => ("posix", "linux", "Linux", "x86_64"),
            "windows" => ("nt", "win32", "Windows", "AMD64"),
            "macos" => ("posix", "darwin", "Darwin", "arm64"),
            _ => return Err(invalid()),
        };
        let python_full_version = format!("{python}.0");
        MarkerEnvironment::try_from(MarkerEnvironmentBuilder {
            implementation_name: "cpython",
            implementation_version: &python_full_version,
            os_name,
            platform_machine: machine.unwrap_or(default_machine),
            platform_python_implementation: "CPython",
            platform_release: "",
            platform_system,
            platform_version: "",
            python_full_version: &python_full_version,
            python_version: python,
            sys_platform,
        })
        .map(|environment| Self { environment })
        .map_err(|_| invalid())
    }
}
