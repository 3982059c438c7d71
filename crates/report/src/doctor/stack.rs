//! torch's build, bitsandbytes' libraries and the Python they are for.

use bnbpip_packaging::{PackageName, Version};

use super::{Finding, Mend, Severity, tables};

/// What torch was built for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TorchBuild {
    /// NVIDIA's CUDA, `12.4`.
    Cuda(String),
    /// AMD's `ROCm`.
    Rocm(String),
    /// Intel's GPUs.
    Xpu(String),
    /// The processor alone.
    Cpu,
}

/// The installed torch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Torch {
    /// Its version by its own account, `2.6.0+cu124`, which may say more than its metadata.
    pub version: String,
    /// What it was built for.
    pub build: TorchBuild,
}

impl Torch {
    /// Reads `torch/version.py`.
    pub fn parse(version_py: &str) -> Option<Self> {
        let value = |name: &str| {
            version_py.lines().find_map(|line| {
                let (left, right) = line.split_once('=')?;
                let left = left.split(':').next().unwrap_or(left).trim();
                let text = right.trim().trim_matches(['\'', '"']);
                (left == name && !text.is_empty() && text != "None").then(|| text.to_owned())
            })
        };
        let build = if let Some(cuda) = value("cuda") {
            TorchBuild::Cuda(cuda)
        } else if let Some(hip) = value("hip") {
            TorchBuild::Rocm(hip)
        } else if let Some(xpu) = value("xpu") {
            TorchBuild::Xpu(xpu)
        } else {
            TorchBuild::Cpu
        };
        Some(Self {
            version: value("__version__")?,
            build,
        })
    }

    /// `2.6.0+cu124, built for CUDA 12.4`.
    pub fn description(&self) -> String {
        let build = match &self.build {
            TorchBuild::Cuda(version) => format!("CUDA {version}"),
            TorchBuild::Rocm(version) => format!("ROCm {version}"),
            TorchBuild::Xpu(version) => format!("Intel GPUs ({version})"),
            TorchBuild::Cpu => "the processor only".to_owned(),
        };
        format!("{}, built for {build}", self.version)
    }
}

/// bitsandbytes without the library for torch's version of CUDA. `libraries` are the file names in
/// its folder.
pub fn cuda_library(
    version: &Version,
    libraries: &[String],
    torch: &Torch,
    is_windows: bool,
) -> Option<Finding> {
    let TorchBuild::Cuda(cuda) = &torch.build else {
        return None;
    };
    let table = tables::cuda_libraries()?;
    let suffix = if is_windows { ".dll" } else { ".so" };
    let mut held: Vec<String> = libraries
        .iter()
        .filter_map(|name| {
            let digits = name
                .strip_prefix("libbitsandbytes_cuda")?
                .strip_suffix(suffix)?;
            let digits = digits.strip_suffix("_nocublaslt").unwrap_or(digits);
            let (major, minor) = digits.split_at_checked(digits.len().checked_sub(1)?)?;
            Some(format!("{major}.{minor}"))
        })
        .collect();
    held.sort();
    held.dedup();
    let (wanted_major, _) = cuda.split_once('.')?;
    let same_major = *version >= table.same_major_since;
    let serves = |one: &String| {
        one == cuda
            || (same_major
                && one
                    .split_once('.')
                    .is_some_and(|(major, _)| major == wanted_major))
    };
    if held.iter().any(serves) {
        return None;
    }
    let name: PackageName = "bitsandbytes".parse().ok()?;
    let mend = match table.first_with(cuda, is_windows) {
        Some(first) if first > version => {
            Mend::Change(vec![(name.clone(), format!("{name}>={first}"))])
        }
        // Old releases hold it, or it should be there: take it anew.
        Some(_) => Mend::Reinstall(name.clone(), version.clone()),
        None => Mend::ByHand(format!(
            "take a torch for another version of CUDA, or a bitsandbytes built for CUDA {cuda}"
        )),
    };
    let has = if held.is_empty() {
        "it holds no CUDA library for this system".to_owned()
    } else {
        format!("it holds those for CUDA {}", held.join(", "))
    };
    Some(
        Finding::new(
            "cuda-library",
            Severity::Broken,
            format!(
                "bitsandbytes {version} has no library for CUDA {cuda}, which torch {} is built for",
                torch.version
            ),
            mend,
        )
        .detail(has)
        .package(name, version.clone()),
    )
}

/// A required package that has no wheel for so new a Python.
pub fn python_too_new(
    required: &PackageName,
    dependent: &PackageName,
    python: (u8, u8),
) -> Option<Finding> {
    let table = tables::newest_pythons();
    let entry = table.iter().find(|entry| entry.name == *required)?;
    let release = entry.python.release();
    let newest = (*release.first()?, *release.get(1)?);
    if (u64::from(python.0), u64::from(python.1)) <= newest {
        return None;
    }
    let (major, minor) = python;
    Some(
        Finding::new(
            "python-too-new",
            Severity::Broken,
            format!(
                "Python {major}.{minor} is too new: {dependent} requires {required}, which has \
                 no wheel for it"
            ),
            Mend::ByHand(format!(
                "make an environment with Python {} or older, for example with `bnbpip venv \
                 --python {}`",
                entry.python, entry.python
            )),
        )
        .detail(format!(
            "the newest that is known, {required} {}, has wheels up to Python {}",
            entry.release, entry.python
        )),
    )
}

/// A required package that there is no wheel of for Windows.
pub fn not_on_windows(required: &PackageName, dependent: &PackageName) -> Option<Finding> {
    tables::linux_only().contains(required).then(|| {
        Finding::new(
            "not-on-windows",
            Severity::Broken,
            format!("{dependent} requires {required}, which has no wheel for Windows"),
            Mend::ByHand(
                "work in Linux inside of Windows: `wsl --install`, and make the environment there"
                    .to_owned(),
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn torch(cuda: &str) -> Torch {
        Torch {
            version: "2.6.0".into(),
            build: TorchBuild::Cuda(cuda.into()),
        }
    }

    #[test]
    fn torch_says_what_it_was_built_for() {
        for (text, description) in [
            (
                "__version__ = '2.6.0+cu124'\ncuda: Optional[str] = '12.4'\nhip: Optional[str] = None\n",
                "2.6.0+cu124, built for CUDA 12.4",
            ),
            (
                "__version__ = '2.0.0+cpu'\r\ncuda = None\r\nhip = None\r\n",
                "2.0.0+cpu, built for the processor only",
            ),
            (
                "from typing import Optional\n__version__ = '2.8.0+rocm6.4'\ncuda = None\nhip: Optional[str] = '6.4.1'\n",
                "2.8.0+rocm6.4, built for ROCm 6.4.1",
            ),
        ] {
            assert_eq!(Torch::parse(text).unwrap().description(), description);
        }
        assert_eq!(Torch::parse(""), None);
    }

    #[test]
    fn the_library_must_be_for_torchs_cuda() {
        let names = |list: &[&str]| {
            list.iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>()
        };
        let linux = names(&[
            "libbitsandbytes_cpu.so",
            "libbitsandbytes_cuda121_nocublaslt.so",
        ]);
        let found = |version: &str, cuda: &str, windows: bool| {
            cuda_library(&version.parse().unwrap(), &linux, &torch(cuda), windows)
                .map(|finding| finding.mend)
        };
        let name: PackageName = "bitsandbytes".parse().unwrap();
        assert_eq!(found("0.43.0", "12.1", false), None);
        assert_eq!(
            found("0.43.0", "12.4", false),
            Some(Mend::Change(vec![(
                name.clone(),
                "bitsandbytes>=0.43.1".into()
            )]))
        );
        // Only libraries for Linux, on Windows.
        assert_eq!(
            found("0.42.0", "12.1", true),
            Some(Mend::Change(vec![(
                name.clone(),
                "bitsandbytes>=0.43.0".into()
            )]))
        );
        assert_eq!(found("0.50.0", "12.8", false), None);
        assert!(matches!(
            found("0.50.0", "13.0", false),
            Some(Mend::Reinstall(..))
        ));
        assert!(matches!(
            found("0.50.0", "14.0", false),
            Some(Mend::ByHand(_))
        ));
    }

    #[test]
    fn a_python_without_wheels_is_too_new() {
        let torch: PackageName = "torch".parse().unwrap();
        let unsloth: PackageName = "unsloth".parse().unwrap();
        assert_eq!(python_too_new(&torch, &unsloth, (3, 15)), None);
        let finding = python_too_new(&torch, &unsloth, (3, 16)).unwrap();
        assert_eq!(
            finding.sentence,
            "Python 3.16 is too new: unsloth requires torch, which has no wheel for it"
        );
        assert_eq!(python_too_new(&unsloth, &torch, (3, 99)), None);
    }

    #[test]
    fn linux_inside_of_windows_is_the_way_where_there_are_no_wheels() {
        let name = |text: &str| text.parse::<PackageName>().unwrap();
        assert_eq!(not_on_windows(&name("torch"), &name("unsloth")), None);
        let finding = not_on_windows(&name("vllm"), &name("unsloth")).unwrap();
        assert_eq!(
            finding.sentence,
            "unsloth requires vllm, which has no wheel for Windows"
        );
    }
}
