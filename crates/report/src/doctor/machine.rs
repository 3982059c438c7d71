//! What the machine and the interpreter's own folder lack: Microsoft's C++ runtime, one OpenMP
//! runtime and not two, the folders of an embedded Python, long paths.

use bnbpip_packaging::{PackageName, Version};

use super::{Finding, Mend, Severity, tables};

/// Windows keeps shorter paths working everywhere.
const SHORT_PATH_LIMIT: usize = 260;

/// A library of Microsoft's C++ runtime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuntimeLibrary {
    /// Its name in lower case, `msvcp140.dll`.
    pub name: String,
    /// Its version, `14.29.30133.0`.
    pub version: Version,
    /// Whether it lies beside the interpreter, where it is loaded from first; else in the system's folder.
    pub beside_interpreter: bool,
}

/// The C++ runtime on Windows, for compiled packages such as torch.
pub fn vc_runtime(libraries: &[RuntimeLibrary]) -> Vec<Finding> {
    let Some(table) = tables::runtime() else {
        return Vec::new();
    };
    let get = format!(
        "install the current \"Visual C++ Redistributable\" (x64) from {}",
        table.installer
    );
    let mut findings = Vec::new();
    for (name, minimum) in &table.minimums {
        let place = |beside: bool| {
            libraries
                .iter()
                .find(|library| library.name == *name && library.beside_interpreter == beside)
        };
        let (beside, system) = (place(true), place(false));
        let Some(loaded) = beside.or(system) else {
            findings.push(
                Finding::new(
                    "vc-runtime-missing",
                    Severity::Broken,
                    format!("`{name}` of Microsoft's C++ runtime is missing"),
                    Mend::ByHand(get.clone()),
                )
                .detail("torch and triton fail with `DLL load failed` or `WinError 126`"),
            );
            continue;
        };
        if loaded.version >= *minimum {
            continue;
        }
        let newer = system.filter(|system| system.version >= *minimum);
        let (sentence, to_do) = match (beside, newer) {
            (Some(stale), Some(newer)) => (
                format!(
                    "`{name}` {} beside the interpreter is too old, and hides the system's {}",
                    stale.version, newer.version
                ),
                format!("remove `{name}` from the interpreter's folder"),
            ),
            (Some(stale), None) => (
                format!(
                    "`{name}` {} beside the interpreter is too old",
                    stale.version
                ),
                format!("{get}, and remove `{name}` from the interpreter's folder"),
            ),
            (None, _) => (
                format!(
                    "`{name}` {} of Microsoft's C++ runtime is too old",
                    loaded.version
                ),
                get.clone(),
            ),
        };
        findings.push(
            Finding::new(
                "vc-runtime-old",
                Severity::Warning,
                sentence,
                Mend::ByHand(to_do),
            )
            .detail(format!(
                "what is built today needs {minimum}: `DLL load failed`, `WinError 1114`"
            )),
        );
    }
    findings
}

/// A copy of Intel's OpenMP runtime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenMpCopy {
    /// Where it is.
    pub path: String,
    /// The package that brought it; `None` for conda's.
    pub owner: Option<PackageName>,
}

/// Two copies in one process end it. Packages that know of each other have an arrangement:
/// `depends` tells whether one requires the other, directly or not.
pub fn openmp(
    copies: &[OpenMpCopy],
    depends: impl Fn(&PackageName, &PackageName) -> bool,
) -> Option<Finding> {
    let strange = copies.iter().enumerate().find_map(|(place, one)| {
        let other = copies[place + 1..]
            .iter()
            .find(|other| match (&one.owner, &other.owner) {
                (Some(one), Some(other)) => {
                    one != other && !depends(one, other) && !depends(other, one)
                }
                (None, None) => false,
                _ => true,
            })?;
        Some((one, other))
    })?;
    let (one, other) = strange;
    let who = |copy: &OpenMpCopy| match &copy.owner {
        Some(name) => name.to_string(),
        None => "conda".to_owned(),
    };
    Some(
        Finding::new(
            "openmp-twice",
            Severity::Warning,
            format!(
                "There are two OpenMP runtimes, one of {} and one of {}",
                who(one),
                who(other)
            ),
            Mend::ByHand(
                "keep to one installer for packages that bring it: torch and numpy either both \
                 from conda or both from the index"
                    .to_owned(),
            ),
        )
        .detail("a process that loads both ends with `OMP: Error #15`")
        .detail(format!("`{}` and `{}`", one.path, other.path)),
    )
}

/// An embedded Python (`python_embeded`): what was left out of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EmbeddedPython {
    /// The file that replaces the search path, `python311._pth`.
    pub path_file: String,
    /// Whether installed packages are found.
    pub sees_packages: bool,
    /// Whether `include\Python.h` is there.
    pub has_headers: bool,
    /// Whether `libs\python311.lib` is there.
    pub has_import_libraries: bool,
}

/// What an embedded Python lacks. `compiles` is the package that builds kernels when it runs.
pub fn embedded(python: &EmbeddedPython, compiles: Option<&PackageName>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !python.sees_packages {
        let file = &python.path_file;
        findings.push(Finding::new(
            "embedded-path",
            Severity::Broken,
            format!("The embedded Python doesn't see installed packages, because of `{file}`"),
            Mend::ByHand(format!(
                "take the `#` away before `import site` in `{file}`"
            )),
        ));
    }
    let lacks: Vec<&str> = [
        (python.has_headers, "`include` (with `Python.h`)"),
        (python.has_import_libraries, "`libs`"),
    ]
    .iter()
    .filter_map(|(has, name)| (!has).then_some(*name))
    .collect();
    if let Some(compiles) = compiles.filter(|_| !lacks.is_empty()) {
        let folders = lacks.join(" and ");
        findings.push(
            Finding::new(
                "embedded-headers",
                Severity::Warning,
                format!(
                    "The embedded Python has no {folders}: {compiles} may fail to build kernels"
                ),
                Mend::ByHand(
                    "copy these folders from an ordinary installation of the same version of \
                     Python into the interpreter's folder"
                        .to_owned(),
                ),
            )
            .detail("`fatal error C1083: Cannot open include file: 'Python.h'`"),
        );
    }
    findings
}

/// Paths that Windows doesn't open for every program. `longest` is the longest that a package has.
pub fn long_paths(enabled: bool, longest: &str) -> Option<Finding> {
    let length = longest.encode_utf16().count();
    if enabled || length < SHORT_PATH_LIMIT {
        return None;
    }
    Some(
        Finding::new(
            "long-paths",
            Severity::Warning,
            format!("Long paths are turned off in Windows, and a package's file needs {length} characters"),
            Mend::ByHand(
                "turn them on as administrator: `reg add HKLM\\SYSTEM\\CurrentControlSet\\Control\\FileSystem \
                 /v LongPathsEnabled /t REG_DWORD /d 1 /f`, or move the environment to a shorter path"
                    .to_owned(),
            ),
        )
        .detail(format!("`{longest}`")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn library(name: &str, version: &str, beside_interpreter: bool) -> RuntimeLibrary {
        RuntimeLibrary {
            name: name.into(),
            version: version.parse().unwrap(),
            beside_interpreter,
        }
    }

    fn sentences(findings: &[Finding]) -> Vec<&str> {
        findings.iter().map(|it| it.sentence.as_str()).collect()
    }

    #[test]
    fn the_runtime_is_looked_for_where_it_is_loaded_from() {
        let mut libraries = vec![
            library("vcruntime140.dll", "14.29.30133.0", true),
            library("vcruntime140_1.dll", "14.42.34433.0", false),
            library("msvcp140.dll", "14.42.34433.0", false),
        ];
        assert_eq!(sentences(&vc_runtime(&libraries)), Vec::<&str>::new());
        libraries.push(library("msvcp140.dll", "14.29.30133.0", true));
        let findings = vc_runtime(&libraries);
        assert_eq!(
            sentences(&findings),
            [
                "`msvcp140.dll` 14.29.30133.0 beside the interpreter is too old, and hides the system's 14.42.34433.0"
            ]
        );
        assert_eq!(
            findings[0].mend,
            Mend::ByHand("remove `msvcp140.dll` from the interpreter's folder".into())
        );
        assert_eq!(
            sentences(&vc_runtime(&libraries[..2])),
            ["`msvcp140.dll` of Microsoft's C++ runtime is missing"]
        );
        let old = [library("msvcp140.dll", "14.0.24215.1", false)];
        assert!(
            sentences(&vc_runtime(&old))
                .contains(&"`msvcp140.dll` 14.0.24215.1 of Microsoft's C++ runtime is too old")
        );
        let alone = [library("msvcp140.dll", "14.0.24215.1", true)];
        assert!(
            sentences(&vc_runtime(&alone))
                .contains(&"`msvcp140.dll` 14.0.24215.1 beside the interpreter is too old")
        );
    }

    #[test]
    fn two_openmp_runtimes_of_strangers_are_one_too_many() {
        let copy = |path: &str, owner: Option<&str>| OpenMpCopy {
            path: path.into(),
            owner: owner.map(|name| name.parse().unwrap()),
        };
        let torch = copy("torch/lib/libiomp5md.dll", Some("torch"));
        let intel = copy("Library/bin/libiomp5md.dll", Some("intel-openmp"));
        let conda = copy("Library/bin/libiomp5md.dll", None);
        assert_eq!(openmp(&[torch.clone(), intel.clone()], |_, _| true), None);
        assert!(openmp(&[torch.clone(), intel], |_, _| false).is_some());
        assert_eq!(openmp(&[conda.clone(), conda.clone()], |_, _| false), None);
        assert_eq!(
            openmp(&[torch, conda], |_, _| true).unwrap().sentence,
            "There are two OpenMP runtimes, one of torch and one of conda"
        );
    }

    #[test]
    fn an_embedded_python_says_what_it_lacks() {
        let triton: PackageName = "triton-windows".parse().unwrap();
        let python = EmbeddedPython {
            path_file: "python311._pth".into(),
            ..EmbeddedPython::default()
        };
        assert_eq!(
            sentences(&embedded(&python, Some(&triton))),
            [
                "The embedded Python doesn't see installed packages, because of `python311._pth`",
                "The embedded Python has no `include` (with `Python.h`) and `libs`: triton-windows may fail to build kernels",
            ]
        );
        assert_eq!(embedded(&python, None).len(), 1);
        let whole = EmbeddedPython {
            sees_packages: true,
            has_headers: true,
            has_import_libraries: true,
            ..python
        };
        assert_eq!(embedded(&whole, Some(&triton)), []);
    }

    #[test]
    fn long_paths_matter_when_there_are_any() {
        let long = "x".repeat(260);
        assert_eq!(long_paths(false, "short"), None);
        assert_eq!(long_paths(true, &long), None);
        assert!(long_paths(false, &long).is_some());
    }
}
