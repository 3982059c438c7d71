//! `--python-platform`: a platform by its short name (`windows`), target triple
//! (`aarch64-apple-darwin`) or manylinux name (`x86_64-manylinux_2_28`), with its marker values.

use std::fmt;
use std::str::FromStr;

use bnbpip_packaging::{Arch, Platform};

use super::{OperatingSystem, TargetError};

/// The glibc that a Linux target has unless it names one: that of `manylinux_2_28`.
const DEFAULT_GLIBC_MINOR: u16 = 28;
/// RISC-V wheels start with this glibc.
const RISCV_GLIBC_MINOR: u16 = 39;
const DEFAULT_MUSL_MINOR: u16 = 2;
/// The macOS that a macOS target has.
const DEFAULT_MACOS: (u16, u16) = (13, 0);

/// A platform to resolve for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PythonPlatform {
    text: String,
    platform: Platform,
}

/// The marker values that depend on the platform alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PlatformMarkers {
    pub(super) os_name: &'static str,
    pub(super) sys_platform: &'static str,
    pub(super) platform_system: &'static str,
    pub(super) platform_machine: &'static str,
}

impl FromStr for PythonPlatform {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let platform = parse(&text.to_ascii_lowercase());
        let platform = platform.ok_or_else(|| TargetError::UnknownPlatform {
            text: text.to_string(),
        })?;
        Ok(Self {
            text: text.to_string(),
            platform,
        })
    }
}

fn parse(text: &str) -> Option<Platform> {
    let glibc = |arch, minor| Platform::Manylinux {
        major: 2,
        minor,
        arch,
    };
    let (major, minor) = DEFAULT_MACOS;
    match text {
        "windows" => return Some(Platform::Windows { arch: Arch::X86_64 }),
        "linux" => return Some(glibc(Arch::X86_64, DEFAULT_GLIBC_MINOR)),
        "macos" => {
            return Some(Platform::MacOs {
                major,
                minor,
                arch: Arch::Aarch64,
            });
        }
        _ => {}
    }
    let (arch, system) = text.split_once('-')?;
    let arch = match arch {
        "riscv64gc" => Arch::Riscv64,
        "powerpc64le" => Arch::Ppc64le,
        "armv7" => Arch::Armv7l,
        _ => Arch::parse(arch)?,
    };
    let is_intel_or_arm = matches!(arch, Arch::X86_64 | Arch::Aarch64);
    Some(match system {
        "pc-windows-msvc" if is_intel_or_arm || arch == Arch::I686 => Platform::Windows { arch },
        "apple-darwin" if is_intel_or_arm => Platform::MacOs { major, minor, arch },
        "unknown-linux-gnu" | "unknown-linux-gnueabihf" | "unknown-linux" => glibc(
            arch,
            if arch == Arch::Riscv64 {
                RISCV_GLIBC_MINOR
            } else {
                DEFAULT_GLIBC_MINOR
            },
        ),
        "unknown-linux-musl" => Platform::Musllinux {
            major: 1,
            minor: DEFAULT_MUSL_MINOR,
            arch,
        },
        "manylinux2014" => glibc(arch, 17),
        "manylinux2010" => glibc(arch, 12),
        _ => {
            let glibc_minor = system
                .strip_prefix("manylinux_2_")
                .and_then(|n| n.parse().ok());
            let musl_minor = system
                .strip_prefix("musllinux_1_")
                .and_then(|n| n.parse().ok());
            match (glibc_minor, musl_minor) {
                (Some(minor), _) => glibc(arch, minor),
                (_, Some(minor)) => Platform::Musllinux {
                    major: 1,
                    minor,
                    arch,
                },
                _ => return None,
            }
        }
    })
}

impl PythonPlatform {
    /// What wheel tags say about it.
    pub fn platform(&self) -> &Platform {
        &self.platform
    }
}

pub(super) fn arch_of(platform: &Platform) -> Option<Arch> {
    match platform {
        Platform::Manylinux { arch, .. }
        | Platform::Musllinux { arch, .. }
        | Platform::MacOs { arch, .. }
        | Platform::Windows { arch } => Some(*arch),
        Platform::Other(_) => None,
    }
}

pub(super) fn system_of(platform: &Platform) -> Option<OperatingSystem> {
    match platform {
        Platform::Manylinux { .. } | Platform::Musllinux { .. } => Some(OperatingSystem::Linux),
        Platform::MacOs { .. } => Some(OperatingSystem::MacOs),
        Platform::Windows { .. } => Some(OperatingSystem::Windows),
        Platform::Other(_) => None,
    }
}

/// The marker values of a platform, as its own Python would give them.
pub(super) fn markers_of(system: &OperatingSystem, arch: Arch) -> Option<PlatformMarkers> {
    let (os_name, sys_platform, platform_system, platform_machine) = match system {
        OperatingSystem::Linux => ("posix", "linux", "Linux", arch.as_str()),
        OperatingSystem::MacOs if arch == Arch::Aarch64 => ("posix", "darwin", "Darwin", "arm64"),
        OperatingSystem::MacOs => ("posix", "darwin", "Darwin", arch.as_str()),
        OperatingSystem::Windows => {
            let machine = match arch {
                Arch::Aarch64 => "ARM64",
                Arch::I686 => "x86",
                _ => "AMD64",
            };
            ("nt", "win32", "Windows", machine)
        }
        OperatingSystem::Other(_) => return None,
    };
    Some(PlatformMarkers {
        os_name,
        sys_platform,
        platform_system,
        platform_machine,
    })
}

impl fmt::Display for PythonPlatform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(text: &str) -> Vec<String> {
        PythonPlatform::from_str(text).unwrap().platform.tags()
    }

    #[test]
    fn each_name_has_its_best_tag() {
        for (text, best) in [
            ("windows", "win_amd64"),
            ("linux", "manylinux_2_28_x86_64"),
            ("macos", "macosx_13_0_arm64"),
            ("x86_64-pc-windows-msvc", "win_amd64"),
            ("aarch64-pc-windows-msvc", "win_arm64"),
            ("i686-pc-windows-msvc", "win32"),
            ("x86_64-unknown-linux-gnu", "manylinux_2_28_x86_64"),
            ("aarch64-unknown-linux-gnu", "manylinux_2_28_aarch64"),
            ("riscv64-unknown-linux", "manylinux_2_39_riscv64"),
            ("x86_64-unknown-linux-musl", "musllinux_1_2_x86_64"),
            ("aarch64-apple-darwin", "macosx_13_0_arm64"),
            ("x86_64-apple-darwin", "macosx_13_0_x86_64"),
            ("x86_64-manylinux2014", "manylinux_2_17_x86_64"),
            ("aarch64-manylinux_2_31", "manylinux_2_31_aarch64"),
        ] {
            // Before all others stands `linux_*`, which no index takes.
            let tags = tags(text);
            let first = tags.iter().find(|tag| !tag.starts_with("linux_"));
            assert_eq!(first.map(String::as_str), Some(best), "{text}");
        }
    }

    #[test]
    fn unknown_names_are_refused() {
        for text in [
            "",
            "amiga",
            "x86_64-amiga",
            "s390x-apple-darwin",
            "x86_64-manylinux_2_x",
        ] {
            let error = PythonPlatform::from_str(text).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("Failed to read the platform `{text}`")
            );
        }
    }

    #[test]
    fn windows_machines_are_named_as_windows_names_them() {
        let markers = markers_of(&OperatingSystem::Windows, Arch::X86_64).unwrap();
        assert_eq!(markers.platform_machine, "AMD64");
        assert_eq!((markers.os_name, markers.sys_platform), ("nt", "win32"));
        let markers = markers_of(&OperatingSystem::MacOs, Arch::Aarch64).unwrap();
        assert_eq!(markers.platform_machine, "arm64");
    }
}
