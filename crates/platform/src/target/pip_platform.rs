//! `--platform`: a wheel's platform tag, with the older tags that it stands for.
//!
//! Expanded as pip does it: only `manylinux2014`, `manylinux2010` and `macosx_*` bring their
//! predecessors along; every other tag stands for itself, so `manylinux_2_28_x86_64` has to be
//! given together with the older ones that are wanted.

use std::convert::Infallible;
use std::str::FromStr;

use bnbpip_packaging::{Arch, Platform};

use super::OperatingSystem;
use crate::interpreter::normalize_tag;

/// A platform tag from the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PipPlatform {
    tag: String,
}

impl FromStr for PipPlatform {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self {
            tag: normalize_tag(text.trim()).to_ascii_lowercase(),
        })
    }
}

impl PipPlatform {
    /// The tags that it stands for, best first.
    pub fn tags(&self) -> Vec<String> {
        let alone = vec![self.tag.clone()];
        let Some((family, rest)) = self.tag.split_once('_') else {
            return alone;
        };
        match family {
            "manylinux2014" if matches!(rest, "x86_64" | "i686") => {
                ["manylinux2014", "manylinux2010", "manylinux1"]
                    .map(|name| format!("{name}_{rest}"))
                    .into()
            }
            "manylinux2010" => ["manylinux2010", "manylinux1"]
                .map(|name| format!("{name}_{rest}"))
                .into(),
            "macosx" => mac_platform(rest).map_or(alone, |platform| platform.tags()),
            _ => alone,
        }
    }

    /// The operating system and processor that the tag is for.
    pub(super) fn system(&self) -> Option<(OperatingSystem, Arch)> {
        match self.tag.as_str() {
            "win32" => return Some((OperatingSystem::Windows, Arch::I686)),
            "win_amd64" => return Some((OperatingSystem::Windows, Arch::X86_64)),
            "win_arm64" => return Some((OperatingSystem::Windows, Arch::Aarch64)),
            _ => {}
        }
        if let Some(rest) = self.tag.strip_prefix("macosx_") {
            let arch = match rest.splitn(3, '_').nth(2)? {
                "arm64" | "universal2" => Arch::Aarch64,
                _ => Arch::X86_64,
            };
            return Some((OperatingSystem::MacOs, arch));
        }
        let is_linux = ["manylinux", "musllinux", "linux"]
            .iter()
            .any(|family| self.tag.starts_with(family));
        if !is_linux {
            return None;
        }
        // An architecture may hold an underscore itself.
        let arch = (self.tag.match_indices('_'))
            .find_map(|(index, _)| Arch::parse(&self.tag[index + 1..]))?;
        Some((OperatingSystem::Linux, arch))
    }
}

fn mac_platform(rest: &str) -> Option<Platform> {
    let mut parts = rest.splitn(3, '_');
    let major = parts.next()?.parse().ok()?;
    let minor = parts.next()?.parse().ok()?;
    let arch = match parts.next()? {
        "arm64" => Arch::Aarch64,
        "x86_64" => Arch::X86_64,
        "i386" => Arch::I686,
        _ => return None,
    };
    Some(Platform::MacOs { major, minor, arch })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platform(text: &str) -> PipPlatform {
        text.parse().unwrap()
    }

    #[test]
    fn only_the_old_names_bring_their_predecessors() {
        assert_eq!(
            platform("manylinux2014_x86_64").tags(),
            [
                "manylinux2014_x86_64",
                "manylinux2010_x86_64",
                "manylinux1_x86_64"
            ]
        );
        assert_eq!(
            platform("manylinux2014_aarch64").tags(),
            ["manylinux2014_aarch64"]
        );
        assert_eq!(
            platform("manylinux_2_28_x86_64").tags(),
            ["manylinux_2_28_x86_64"]
        );
        assert_eq!(platform("win_amd64").tags(), ["win_amd64"]);
        assert_eq!(platform("linux-x86_64").tags(), ["linux_x86_64"]);
        let mac = platform("macosx_11_0_arm64").tags();
        assert_eq!(mac[..2], ["macosx_11_0_arm64", "macosx_11_0_universal2"]);
    }

    #[test]
    fn tags_tell_the_system() {
        for (text, system, arch) in [
            ("win32", OperatingSystem::Windows, Arch::I686),
            (
                "manylinux_2_28_x86_64",
                OperatingSystem::Linux,
                Arch::X86_64,
            ),
            (
                "musllinux_1_1_aarch64",
                OperatingSystem::Linux,
                Arch::Aarch64,
            ),
            (
                "macosx_11_0_universal2",
                OperatingSystem::MacOs,
                Arch::Aarch64,
            ),
            ("macosx_10_9_x86_64", OperatingSystem::MacOs, Arch::X86_64),
        ] {
            assert_eq!(platform(text).system(), Some((system, arch)), "{text}");
        }
        assert_eq!(platform("any").system(), None);
        assert_eq!(platform("linux_").system(), None);
    }
}
