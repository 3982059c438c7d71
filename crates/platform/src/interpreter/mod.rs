//! One Python interpreter and everything about it that installing needs to know.

mod cache;
mod probe;

use std::path::{Path, PathBuf};

use bnbpip_packaging::{Arch, MarkerEnvironment, Platform, Version};
use serde::{Deserialize, Serialize};

use crate::{Scheme, SchemeSet};
pub use probe::{PROBE_VARIABLES, ProbeError, Prober};

/// Facts about an interpreter, as it gave them itself. Paths are as the interpreter spells them:
/// symbolic links are not resolved.
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts, each as the interpreter gives it"
)]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Interpreter {
    /// `sys.executable`; what goes into the first line of scripts.
    pub sys_executable: PathBuf,
    /// `sys._base_executable`: the installation's own interpreter, behind a virtual environment.
    pub base_executable: PathBuf,
    /// `sys.prefix`: the environment's folder.
    pub prefix: PathBuf,
    /// `sys.base_prefix`: the installation's folder.
    pub base_prefix: PathBuf,
    /// Whether it is a virtual environment.
    pub is_venv: bool,
    /// The existing entries of `sys.path`, in order, without the working directory.
    pub sys_path: Vec<PathBuf>,
    /// The values of the environment markers.
    pub markers: MarkerEnvironment,
    /// Major and minor version.
    pub version_info: (u8, u8),
    /// The folders that packages can be installed to.
    pub schemes: SchemeSet,
    /// The standard library's folder.
    pub stdlib: PathBuf,
    /// Set if a system package manager owns the environment (PEP 668).
    pub externally_managed: Option<ExternallyManaged>,
    /// `sysconfig.get_platform()`
    pub sysconfig_platform: String,
    /// The version of glibc, `2.36`.
    glibc: Option<String>,
    /// The version of musl, `1.2`.
    musl: Option<String>,
    macos: Option<MacOs>,
    soft_float_arm: bool,
    /// glibc minor version → whether the distributor allows its manylinux tag.
    manylinux_override: Option<std::collections::BTreeMap<String, bool>>,
    /// ABI tags, best first.
    pub abis: Vec<String>,
    /// Whether it is built without the global interpreter lock.
    pub free_threaded: bool,
    /// Whether it is a debug build.
    pub debug: bool,
    /// The suffix of extension modules.
    pub ext_suffix: Option<String>,
    /// The ABI part of that suffix.
    pub soabi: Option<String>,
    /// The tag in the names of byte-compiled files, `cpython-311`.
    pub cache_tag: Option<String>,
    /// 32 or 64.
    pub pointer_width_bits: u8,
    /// Whether a virtual environment also sees the packages of its base installation.
    pub system_site_packages: bool,
    /// Whether packages that were installed for the user are seen.
    pub user_site_enabled: bool,
    /// The folder of packages that were installed for the user; it need not exist.
    pub user_site: Option<PathBuf>,
}

/// A system package manager's claim to an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExternallyManaged {
    /// The `EXTERNALLY-MANAGED` file.
    pub path: PathBuf,
    /// What the distributor wants the user to read.
    pub message: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct MacOs {
    major: u16,
    minor: u16,
    #[serde(rename = "machine", deserialize_with = "mac_arch")]
    arch: MacArch,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum MacArch {
    Arm64,
    X86_64,
    I386,
}

fn mac_arch<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<MacArch, D::Error> {
    let machine = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
    Ok(match &*machine {
        "arm64" => MacArch::Arm64,
        "i386" => MacArch::I386,
        _ => MacArch::X86_64,
    })
}

/// The C library that an interpreter on Linux runs with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Libc {
    /// GNU, with major and minor version.
    Glibc(u16, u16),
    /// musl, with major and minor version.
    Musl(u16, u16),
}

impl Interpreter {
    /// The full version, with a pre-release part if it has one.
    pub fn version(&self) -> &Version {
        &self.markers.python_full_version().version
    }

    /// The name of the implementation, `CPython` or `PyPy`.
    pub fn implementation(&self) -> &str {
        self.markers.platform_python_implementation()
    }

    /// The C library, on Linux.
    pub fn libc(&self) -> Option<Libc> {
        let parse = |text: &Option<String>| text.as_deref().and_then(parse_libc_version);
        (parse(&self.glibc).map(|(major, minor)| Libc::Glibc(major, minor)))
            .or_else(|| parse(&self.musl).map(|(major, minor)| Libc::Musl(major, minor)))
    }

    /// The library folders of the environment, each once.
    pub fn library_folders(&self) -> impl Iterator<Item = &Path> {
        let Scheme {
            purelib, platlib, ..
        } = &self.schemes.prefix;
        std::iter::once(&**purelib).chain((platlib != purelib).then_some(&**platlib))
    }

    /// The processor that compiled code must be for: the interpreter's, not the kernel's.
    pub fn arch(&self) -> Option<Arch> {
        let name = match self.sysconfig_platform.as_str() {
            "win32" => "x86",
            platform if platform.starts_with("macosx") => self.markers.platform_machine(),
            platform => platform.rsplit_once('-').map_or(platform, |(_, arch)| arch),
        };
        match (Arch::parse(name)?, self.pointer_width_bits) {
            (Arch::X86_64, 32) => Some(Arch::I686),
            (Arch::Aarch64, 32) => Some(Arch::Armv7l),
            (arch, _) => Some(arch),
        }
    }

    /// The platform tags of wheels that this interpreter can load, best first, without `any`.
    pub fn platform_tags(&self) -> Vec<String> {
        if let Some(macos) = self.macos {
            return self.mac_platform_tags(macos);
        }
        match self.arch() {
            Some(arch) if self.sysconfig_platform.starts_with("linux") => self.linux_tags(arch),
            _ => Platform::Other(normalize_tag(&self.sysconfig_platform)).tags(),
        }
    }

    fn mac_platform_tags(&self, macos: MacOs) -> Vec<String> {
        let arch = match macos.arch {
            MacArch::Arm64 => Arch::Aarch64,
            MacArch::X86_64 if self.pointer_width_bits == 64 => Arch::X86_64,
            MacArch::X86_64 | MacArch::I386 => Arch::I686,
        };
        let MacOs { major, minor, .. } = macos;
        Platform::MacOs { major, minor, arch }.tags()
    }

    /// In `packaging`'s order: the machine's own tag, which only wheels that were built on it
    /// carry, then glibc's, then musl's on the rare machine that shows both.
    fn linux_tags(&self, arch: Arch) -> Vec<String> {
        let mut tags = Vec::new();
        if self.sysconfig_platform == "linux-aarch64" && arch == Arch::Armv7l {
            tags.push("linux_armv8l".to_string());
        }
        tags.push(format!("linux_{arch}"));
        let mut push = |platform: Platform| {
            let libc_tags = platform.tags().into_iter();
            tags.extend(libc_tags.filter(|tag| !tag.starts_with("linux_")));
        };
        let version = |text: &Option<String>| text.as_deref().and_then(parse_libc_version);
        if let Some((major, minor)) = version(&self.glibc).filter(|_| !self.soft_float_arm) {
            push(Platform::Manylinux { major, minor, arch });
        }
        if let Some((major, minor)) = version(&self.musl) {
            push(Platform::Musllinux { major, minor, arch });
        }
        self.apply_manylinux_override(&mut tags);
        tags
    }

    fn apply_manylinux_override(&self, tags: &mut Vec<String>) {
        let Some(verdicts) = &self.manylinux_override else {
            return;
        };
        tags.retain(|tag| {
            manylinux_minor(tag).is_none_or(|minor| verdicts.get(minor) != Some(&false))
        });
    }
}

/// The glibc minor version that a manylinux tag names.
fn manylinux_minor(tag: &str) -> Option<&str> {
    let rest = tag.strip_prefix("manylinux")?;
    match rest.split('_').next()? {
        "" => rest.split('_').nth(2),
        "2014" => Some("17"),
        "2010" => Some("12"),
        "1" => Some("5"),
        _ => None,
    }
}

fn parse_libc_version(text: &str) -> Option<(u16, u16)> {
    let (major, rest) = text.split_once('.')?;
    let end = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    Some((major.parse().ok()?, rest[..end].parse().ok()?))
}

/// A platform name as a wheel tag spells it.
pub(crate) fn normalize_tag(platform: &str) -> String {
    platform.replace(['.', '-', ' '], "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libc_versions_may_have_a_tail() {
        assert_eq!(parse_libc_version("2.36"), Some((2, 36)));
        assert_eq!(parse_libc_version("2.20-2014.11"), Some((2, 20)));
        assert_eq!(parse_libc_version("musl"), None);
        assert_eq!(parse_libc_version("2.x"), None);
    }

    #[test]
    fn manylinux_tags_name_a_glibc() {
        assert_eq!(manylinux_minor("manylinux_2_28_x86_64"), Some("28"));
        assert_eq!(manylinux_minor("manylinux2014_aarch64"), Some("17"));
        assert_eq!(manylinux_minor("manylinux1_x86_64"), Some("5"));
        assert_eq!(manylinux_minor("linux_x86_64"), None);
    }
}
