//! What a machine offers to compiled packages: Microsoft's C++ runtime and its version, the
//! folders of an embedded Python, whether long paths are on, whether Linux runs inside of Windows.
//!
//! All of it is asked through [`MachineFiles`], so that what Windows would answer is tested from
//! recorded facts on any system.

use std::fmt;
use std::path::{Path, PathBuf};

/// The four numbers of a Windows file's version, `14.29.30133.0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileVersion(pub [u16; 4]);

impl fmt::Display for FileVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, build, revision] = self.0;
        write!(f, "{major}.{minor}.{build}.{revision}")
    }
}

/// What is asked of a machine.
pub trait MachineFiles {
    /// Whether a file or folder is there.
    fn exists(&self, path: &Path) -> bool;
    /// The names in a folder; none if it can't be listed.
    fn names(&self, folder: &Path) -> Vec<String>;
    /// The text of a file.
    fn text(&self, path: &Path) -> Option<String>;
    /// The version resource of a Windows library.
    fn file_version(&self, path: &Path) -> Option<FileVersion>;
    /// Whether Windows allows paths over 260 characters; `None` elsewhere.
    fn long_paths(&self) -> Option<bool>;
    /// The number of Windows' build, 22631; `None` elsewhere.
    fn windows_build(&self) -> Option<u32>;
}

/// This machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct ThisMachine;

impl MachineFiles for ThisMachine {
    fn exists(&self, path: &Path) -> bool {
        path.exists()
    }

    fn names(&self, folder: &Path) -> Vec<String> {
        let entries = fs_err::read_dir(folder).into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.collect()
    }

    fn text(&self, path: &Path) -> Option<String> {
        fs_err::read_to_string(path).ok()
    }

    fn file_version(&self, path: &Path) -> Option<FileVersion> {
        file_version(&fs_err::read(path).ok()?)
    }

    fn long_paths(&self) -> Option<bool> {
        long_paths()
    }

    fn windows_build(&self) -> Option<u32> {
        windows_build()
    }
}

#[cfg(windows)]
fn windows_build() -> Option<u32> {
    // What programs ask Windows for is what their manifest says they know.
    let key = "SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion";
    let key = windows_registry::LOCAL_MACHINE.open(key).ok()?;
    key.get_string("CurrentBuildNumber").ok()?.parse().ok()
}

#[cfg(not(windows))]
fn windows_build() -> Option<u32> {
    None
}

#[cfg(windows)]
fn long_paths() -> Option<bool> {
    let key =
        windows_registry::LOCAL_MACHINE.open("SYSTEM\\CurrentControlSet\\Control\\FileSystem");
    // An absent key or value means that nobody turned them on.
    let value = key.and_then(|key| key.get_u32("LongPathsEnabled"));
    Some(value.unwrap_or(0) == 1)
}

#[cfg(not(windows))]
fn long_paths() -> Option<bool> {
    None
}

/// The beginning of a `VS_FIXEDFILEINFO`: its signature and the version of the structure.
const FIXED_FILE_INFO: [u8; 8] = [0xbd, 0x04, 0xef, 0xfe, 0, 0, 1, 0];

/// The file version in the bytes of a Windows library
/// ([`VS_FIXEDFILEINFO`](https://learn.microsoft.com/windows/win32/api/verrsrc/ns-verrsrc-vs_fixedfileinfo)).
/// The structure is found by its signature: there is one in a file.
pub fn file_version(bytes: &[u8]) -> Option<FileVersion> {
    if !bytes.starts_with(b"MZ") {
        return None;
    }
    let mut windows = bytes.windows(FIXED_FILE_INFO.len());
    let at = windows.position(|window| window == FIXED_FILE_INFO)?;
    let number = |offset: usize| {
        let start = at + FIXED_FILE_INFO.len() + offset;
        let pair = bytes.get(start..start + 2)?;
        Some(u16::from_le_bytes([pair[0], pair[1]]))
    };
    // Two double words, each with its high half last.
    Some(FileVersion([
        number(2)?,
        number(0)?,
        number(6)?,
        number(4)?,
    ]))
}

/// A library of Microsoft's C++ runtime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuntimeFile {
    /// Its name in lower case.
    pub name: String,
    /// Its version.
    pub version: FileVersion,
    /// Whether it lies beside the interpreter; else in the system's folder.
    pub beside_interpreter: bool,
}

const RUNTIME_NAMES: [&str; 3] = ["msvcp140.dll", "vcruntime140.dll", "vcruntime140_1.dll"];

/// The C++ runtime beside an interpreter (the installation's own, behind a virtual environment) and
/// in Windows' folder `system`.
pub fn vc_runtime(
    machine: &dyn MachineFiles,
    base_executable: &Path,
    system: Option<&Path>,
) -> Vec<RuntimeFile> {
    let beside = base_executable.parent().map(|folder| (folder, true));
    let system = system.map(|folder| (folder, false));
    let mut found = Vec::new();
    for (folder, beside_interpreter) in beside.into_iter().chain(system) {
        for name in RUNTIME_NAMES {
            if let Some(version) = machine.file_version(&folder.join(name)) {
                found.push(RuntimeFile {
                    name: name.to_owned(),
                    version,
                    beside_interpreter,
                });
            }
        }
    }
    found
}

/// The embeddable Python of portable applications (`python_embeded`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbeddedLayout {
    /// The file that replaces the search path, `python311._pth`.
    pub path_file: PathBuf,
    /// Whether that file lets installed packages be found.
    pub sees_packages: bool,
    /// Whether `include\Python.h` is there.
    pub has_headers: bool,
    /// Whether a `libs\python3*.lib` is there.
    pub has_import_libraries: bool,
}

/// What an embeddable Python consists of; `None` for any other.
pub fn embedded_layout(
    machine: &dyn MachineFiles,
    base_executable: &Path,
) -> Option<EmbeddedLayout> {
    let folder = base_executable.parent()?;
    let name = machine
        .names(folder)
        .into_iter()
        .find(|name| name.starts_with("python") && name.ends_with("._pth"))?;
    let path_file = folder.join(name);
    let text = machine.text(&path_file).unwrap_or_default();
    let lines = text.lines().map(str::trim);
    let sees_packages = lines.filter(|line| !line.starts_with('#')).any(|line| {
        let normal = line.to_ascii_lowercase().replace('/', "\\");
        line == "import site" || normal.ends_with("site-packages")
    });
    let libraries = machine.names(&folder.join("libs"));
    Some(EmbeddedLayout {
        path_file,
        sees_packages,
        has_headers: machine.exists(&folder.join("include").join("Python.h"))
            || machine.exists(&folder.join("Include").join("Python.h")),
        has_import_libraries: libraries.iter().any(|name| {
            let name = name.to_ascii_lowercase();
            name.strip_suffix(".lib")
                .is_some_and(|stem| stem.starts_with("python3"))
        }),
    })
}

/// The first builds of Windows by name, newest first.
const WINDOWS: [(u32, &str); 3] = [(22000, "Windows 11"), (10240, "Windows 10"), (0, "Windows")];

/// Which Windows it is: `Windows 11 (build 22631)`; `None` elsewhere.
pub fn windows_name(machine: &dyn MachineFiles) -> Option<String> {
    let build = machine.windows_build()?;
    let (_, name) = WINDOWS.iter().find(|(first, _)| build >= *first)?;
    Some(format!("{name} (build {build})"))
}

/// Whether this is Linux inside of Windows (WSL).
pub fn is_wsl(machine: &dyn MachineFiles) -> bool {
    let release = machine.text(Path::new("/proc/sys/kernel/osrelease"));
    release.is_some_and(|text| text.to_ascii_lowercase().contains("microsoft"))
}

/// The version of NVIDIA's driver, if there is one: `566.36`, or `unknown` where only its library
/// is to be seen. Asked of files alone; `system` is Windows' `System32`.
pub(crate) fn nvidia_driver(machine: &dyn MachineFiles, system: Option<&Path>) -> Option<String> {
    if let Some(library) = system.map(|folder| folder.join("nvcuda.dll"))
        && let Some(FileVersion([_, _, build, revision])) = machine.file_version(&library)
    {
        // 32.0.15.6636 is driver 566.36: the last five digits.
        let digits = format!("{}{revision:04}", build % 10);
        let (major, minor) = digits.split_at(digits.len() - 2);
        return Some(format!("{major}.{minor}"));
    }
    if let Some(text) = machine.text(Path::new("/proc/driver/nvidia/version")) {
        let version = text.split_whitespace().find(|word| {
            word.contains('.') && word.chars().all(|c| c.is_ascii_digit() || c == '.')
        });
        return Some(version.unwrap_or("unknown").to_owned());
    }
    let in_wsl = machine.exists(Path::new("/usr/lib/wsl/lib/libcuda.so.1"));
    in_wsl.then(|| "unknown".to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Recorded facts: `path → content`, where a library's content is its version.
    #[derive(serde::Deserialize)]
    struct Recorded {
        files: BTreeMap<String, String>,
        long_paths: Option<bool>,
        #[serde(default)]
        windows_build: Option<u32>,
    }

    impl Recorded {
        fn get(&self, path: &Path) -> Option<&String> {
            self.files
                .get(&path.display().to_string().replace('\\', "/"))
        }
    }

    impl MachineFiles for Recorded {
        fn exists(&self, path: &Path) -> bool {
            self.get(path).is_some()
        }

        fn names(&self, folder: &Path) -> Vec<String> {
            let folder = format!("{}/", folder.display().to_string().replace('\\', "/"));
            let inside = self
                .files
                .keys()
                .filter_map(|path| path.strip_prefix(&folder));
            inside
                .filter(|name| !name.contains('/'))
                .map(str::to_owned)
                .collect()
        }

        fn text(&self, path: &Path) -> Option<String> {
            self.get(path).cloned()
        }

        fn file_version(&self, path: &Path) -> Option<FileVersion> {
            let numbers: Vec<u16> = self
                .get(path)?
                .split('.')
                .map(|number| number.parse().unwrap())
                .collect();
            Some(FileVersion(numbers.try_into().unwrap()))
        }

        fn long_paths(&self) -> Option<bool> {
            self.long_paths
        }

        fn windows_build(&self) -> Option<u32> {
            self.windows_build
        }
    }

    fn recorded(text: &str) -> Recorded {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_portable_python_is_read_from_its_folder() {
        let machine = recorded(include_str!("../tests/data/portable-windows.json"));
        let python = Path::new("C:/ComfyUI/python_embeded/python.exe");
        let found = vc_runtime(&machine, python, Some(Path::new("C:/Windows/System32")));
        let shown: Vec<String> = found
            .iter()
            .map(|file| format!("{} {} {}", file.name, file.version, file.beside_interpreter))
            .collect();
        assert_eq!(
            shown,
            [
                "msvcp140.dll 14.29.30133.0 true",
                "vcruntime140.dll 14.38.33130.0 true",
                "vcruntime140_1.dll 14.38.33130.0 true",
                "msvcp140.dll 14.42.34433.0 false",
                "vcruntime140.dll 14.42.34433.0 false",
            ]
        );
        let layout = embedded_layout(&machine, python).unwrap();
        assert!(layout.path_file.ends_with("python311._pth"));
        assert!(!layout.sees_packages && layout.has_headers && !layout.has_import_libraries);
        assert_eq!(machine.long_paths(), Some(false));
        assert_eq!(
            windows_name(&machine).as_deref(),
            Some("Windows 11 (build 22631)")
        );
        assert!(!is_wsl(&machine));
        let ordinary = Path::new("C:/Python311/python.exe");
        assert_eq!(embedded_layout(&machine, ordinary), None);
    }

    #[test]
    fn windows_is_told_by_its_build() {
        let name = |build: &str| {
            windows_name(&recorded(&format!(
                r#"{{"files": {{}}, "long_paths": true, "windows_build": {build}}}"#
            )))
        };
        assert_eq!(name("19045").as_deref(), Some("Windows 10 (build 19045)"));
        assert_eq!(name("9600").as_deref(), Some("Windows (build 9600)"));
        assert_eq!(name("22000").as_deref(), Some("Windows 11 (build 22000)"));
        assert_eq!(name("null"), None);
    }

    #[test]
    fn linux_inside_of_windows_says_so() {
        let text = r#"{"files": {"/proc/sys/kernel/osrelease": "5.15.153.1-microsoft-standard-WSL2\n"}, "long_paths": null}"#;
        assert!(is_wsl(&recorded(text)));
    }

    #[test]
    fn the_driver_is_read_from_its_files() {
        let driver = |files: &str| {
            let machine = recorded(&format!(r#"{{"files": {{{files}}}, "long_paths": null}}"#));
            nvidia_driver(&machine, Some(Path::new("C:/Windows/System32")))
        };
        assert_eq!(driver(""), None);
        for (file, version) in [
            (
                r#""C:/Windows/System32/nvcuda.dll": "32.0.15.6636""#,
                "566.36",
            ),
            (
                r#""C:/Windows/System32/nvcuda.dll": "31.0.15.3623""#,
                "536.23",
            ),
            (
                r#""/proc/driver/nvidia/version": "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14  Thu Feb 22\n""#,
                "550.54.14",
            ),
            (r#""/usr/lib/wsl/lib/libcuda.so.1": """#, "unknown"),
        ] {
            assert_eq!(driver(file).as_deref(), Some(version), "{file}");
        }
    }

    #[test]
    fn the_version_of_a_library_is_in_its_resources() {
        let mut bytes = b"MZ and much else".to_vec();
        assert_eq!(file_version(&bytes), None);
        bytes.extend(FIXED_FILE_INFO);
        for number in [29_u16, 14, 0, 30133] {
            bytes.extend(number.to_le_bytes());
        }
        assert_eq!(file_version(&bytes).unwrap().to_string(), "14.29.30133.0");
        bytes.truncate(bytes.len() - 1);
        assert_eq!(file_version(&bytes), None);
        assert_eq!(file_version(&bytes[1..]), None);
    }

    #[test]
    fn this_machine_answers() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.dll");
        fs_err::write(&file, "not a library").unwrap();
        let machine = ThisMachine;
        assert!(machine.exists(&file));
        assert_eq!(machine.names(folder.path()), ["a.dll"]);
        assert_eq!(machine.text(&file).as_deref(), Some("not a library"));
        assert_eq!(machine.file_version(&file), None);
        assert_eq!(machine.long_paths().is_some(), cfg!(windows));
        assert_eq!(machine.windows_build().is_some(), cfg!(windows));
    }
}
