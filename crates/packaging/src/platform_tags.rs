//! Platforms and the wheel platform tags that they accept, best first: manylinux (PEP 600 and its
//! older names), musllinux (PEP 656), macOS and Windows.

use std::fmt;

/// A processor architecture, as wheel tags spell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Arch {
    /// 64-bit x86
    X86_64,
    /// 64-bit ARM
    Aarch64,
    /// 32-bit x86
    I686,
    /// 32-bit ARM
    Armv7l,
    /// 64-bit POWER, little-endian
    Ppc64le,
    /// IBM Z
    S390x,
    /// 64-bit RISC-V
    Riscv64,
    /// 64-bit `LoongArch`
    Loongarch64,
}

impl Arch {
    /// The name that Linux and wheel tags use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Aarch64 => "aarch64",
            Self::I686 => "i686",
            Self::Armv7l => "armv7l",
            Self::Ppc64le => "ppc64le",
            Self::S390x => "s390x",
            Self::Riscv64 => "riscv64",
            Self::Loongarch64 => "loongarch64",
        }
    }

    /// Reads the names that operating systems give (`AMD64`, `arm64`, `x86_64`).
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "x86_64" | "amd64" => Self::X86_64,
            "aarch64" | "arm64" => Self::Aarch64,
            "i686" | "i586" | "i386" | "x86" => Self::I686,
            "armv7l" | "armv8l" => Self::Armv7l,
            "ppc64le" => Self::Ppc64le,
            "s390x" => Self::S390x,
            "riscv64" => Self::Riscv64,
            "loongarch64" => Self::Loongarch64,
            _ => return None,
        })
    }

    /// The oldest glibc minor version that has a manylinux tag on this architecture.
    fn oldest_glibc_minor(self) -> u16 {
        match self {
            Self::X86_64 | Self::I686 => 5,
            _ => 17,
        }
    }
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An operating system with what wheel tags say about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Platform {
    /// Linux with glibc of this version.
    Manylinux {
        /// glibc's major version
        major: u16,
        /// glibc's minor version
        minor: u16,
        /// processor
        arch: Arch,
    },
    /// Linux with musl of this version.
    Musllinux {
        /// musl's major version
        major: u16,
        /// musl's minor version
        minor: u16,
        /// processor
        arch: Arch,
    },
    /// macOS of this version.
    MacOs {
        /// major version
        major: u16,
        /// minor version
        minor: u16,
        /// processor
        arch: Arch,
    },
    /// Windows.
    Windows {
        /// processor
        arch: Arch,
    },
    /// Any other, by its one tag (`freebsd_14_0_release_amd64`).
    Other(String),
}

impl Platform {
    /// The platform tags, best first, without `any`.
    pub fn tags(&self) -> Vec<String> {
        match self {
            Self::Manylinux { major, minor, arch } => manylinux(*major, *minor, *arch),
            Self::Musllinux { major, minor, arch } => musllinux(*major, *minor, *arch),
            Self::MacOs { major, minor, arch } => macos(*major, *minor, *arch),
            Self::Windows { arch } => vec![
                match arch {
                    Arch::I686 => "win32",
                    Arch::Aarch64 => "win_arm64",
                    _ => "win_amd64",
                }
                .to_string(),
            ],
            Self::Other(tag) => vec![tag.clone()],
        }
    }
}

fn manylinux(major: u16, minor: u16, arch: Arch) -> Vec<String> {
    let mut tags = vec![format!("linux_{arch}")];
    if major == 2 {
        for minor in (arch.oldest_glibc_minor()..=minor).rev() {
            tags.push(format!("manylinux_{major}_{minor}_{arch}"));
            let alias = match minor {
                17 => "manylinux2014",
                12 => "manylinux2010",
                5 => "manylinux1",
                _ => continue,
            };
            tags.push(format!("{alias}_{arch}"));
        }
    }
    tags
}

fn musllinux(major: u16, minor: u16, arch: Arch) -> Vec<String> {
    let versions = (0..=minor)
        .rev()
        .map(|minor| format!("musllinux_{major}_{minor}_{arch}"));
    [format!("linux_{arch}")]
        .into_iter()
        .chain(versions)
        .collect()
}

/// After `packaging.tags.mac_platforms`: from macOS 11 on only the major version counts, and an
/// older system's wheels still run (on ARM only as `universal2`).
fn macos(major: u16, minor: u16, arch: Arch) -> Vec<String> {
    let formats: &[&str] = match arch {
        Arch::Aarch64 => &["arm64", "universal2"],
        Arch::I686 => &["i386", "intel", "fat3", "fat", "universal"],
        _ => &[
            "x86_64",
            "intel",
            "fat64",
            "fat3",
            "universal2",
            "universal",
        ],
    };
    let mut tags = Vec::new();
    let mut push = |major: u16, minor: u16, formats: &[&str]| {
        tags.extend(
            formats
                .iter()
                .map(|format| format!("macosx_{major}_{minor}_{format}")),
        );
    };
    let newest_ten = if major >= 11 {
        for major in (11..=major).rev() {
            push(major, 0, formats);
        }
        16
    } else {
        minor
    };
    let old_formats = if arch == Arch::Aarch64 {
        &["universal2"]
    } else {
        formats
    };
    for minor in (4..=newest_ten).rev() {
        push(10, minor, old_formats);
    }
    tags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linux_tags_carry_their_old_names() {
        let tags = |minor, arch| {
            Platform::Manylinux {
                major: 2,
                minor,
                arch,
            }
            .tags()
        };
        let intel = tags(18, Arch::X86_64);
        assert_eq!(
            intel[..4],
            [
                "linux_x86_64",
                "manylinux_2_18_x86_64",
                "manylinux_2_17_x86_64",
                "manylinux2014_x86_64"
            ]
        );
        assert_eq!(intel.last().unwrap(), "manylinux1_x86_64");
        assert_eq!(
            tags(17, Arch::Aarch64),
            [
                "linux_aarch64",
                "manylinux_2_17_aarch64",
                "manylinux2014_aarch64"
            ]
        );
    }

    #[test]
    fn macs_accept_older_systems() {
        let tags = Platform::MacOs {
            major: 12,
            minor: 3,
            arch: Arch::Aarch64,
        }
        .tags();
        assert_eq!(
            tags[..4],
            [
                "macosx_12_0_arm64",
                "macosx_12_0_universal2",
                "macosx_11_0_arm64",
                "macosx_11_0_universal2"
            ]
        );
        assert!(!tags.contains(&"macosx_10_16_arm64".to_string()));
        assert!(tags.contains(&"macosx_10_9_universal2".to_string()));
    }
}
