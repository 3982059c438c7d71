//! Facts about the stack that are kept as data in `constraints/stack`.

use std::collections::BTreeMap;

use bnbpip_packaging::{PackageName, Version};
use serde::Deserialize;

/// Which bitsandbytes holds the library for which CUDA.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct CudaLibraries {
    /// From here on any library of the same major version serves.
    pub(super) same_major_since: Version,
    library: Vec<CudaLibrary>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CudaLibrary {
    cuda: String,
    linux: Version,
    windows: Version,
}

impl CudaLibraries {
    /// The first release with the library for this version of CUDA.
    pub(super) fn first_with(&self, cuda: &str, is_windows: bool) -> Option<&Version> {
        let library = self.library.iter().find(|library| library.cuda == cuda)?;
        Some(if is_windows {
            &library.windows
        } else {
            &library.linux
        })
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pythons {
    package: Vec<NewestPython>,
}

/// The newest Python that a package has wheels for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewestPython {
    pub(super) name: PackageName,
    pub(super) release: Version,
    #[serde(rename = "newest-python")]
    pub(super) python: Version,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Runtime {
    installer: String,
    library: Vec<RuntimeMinimum>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuntimeMinimum {
    name: String,
    minimum: Version,
}

/// Microsoft's C++ runtime: where it comes from, and the oldest version of each library that serves.
#[derive(Debug)]
pub(super) struct RuntimeTable {
    pub(super) installer: String,
    pub(super) minimums: BTreeMap<String, Version>,
}

/// The table of bitsandbytes' libraries; a test reads it for every build.
pub(super) fn cuda_libraries() -> Option<CudaLibraries> {
    toml::from_str(include_str!(
        "../../../../constraints/stack/bitsandbytes-cuda.toml"
    ))
    .ok()
}

/// The table of Pythons; a test reads it for every build.
pub(super) fn newest_pythons() -> Vec<NewestPython> {
    let text = include_str!("../../../../constraints/stack/pythons.toml");
    toml::from_str::<Pythons>(text).map_or_else(|_| Vec::new(), |table| table.package)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LinuxOnly {
    packages: Vec<PackageName>,
}

/// Packages without wheels for Windows; a test reads the table for every build.
pub(super) fn linux_only() -> Vec<PackageName> {
    let text = include_str!("../../../../constraints/stack/linux-only.toml");
    toml::from_str::<LinuxOnly>(text).map_or_else(|_| Vec::new(), |table| table.packages)
}

/// The table of the C++ runtime; a test reads it for every build.
pub(super) fn runtime() -> Option<RuntimeTable> {
    let text = include_str!("../../../../constraints/stack/vc-runtime.toml");
    let table: Runtime = toml::from_str(text).ok()?;
    let libraries = table.library.into_iter();
    Some(RuntimeTable {
        installer: table.installer,
        minimums: libraries.map(|it| (it.name, it.minimum)).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_can_be_read() {
        let libraries = cuda_libraries().unwrap();
        let first = libraries.first_with("12.4", true).unwrap();
        assert_eq!(first.to_string(), "0.43.2");
        assert!(libraries.first_with("9.0", false).is_none());
        assert_eq!(newest_pythons()[0].name.as_ref(), "torch");
        assert_eq!(linux_only()[0].as_ref(), "vllm");
        assert!(runtime().unwrap().minimums.contains_key("msvcp140.dll"));
    }
}
