//! The launchers that CPython for Windows carries for virtual environments.

use std::path::{Path, PathBuf};

use super::{Plan, VenvError};

/// A launcher's possible places under the base installation, and the names it gets.
struct Launcher {
    sources: Vec<&'static str>,
    names: Vec<String>,
}

/// CPython 3.13 renamed its launchers; free-threaded builds carry their own since 3.14.
fn launchers(minor: u8, free_threaded: bool, debug: bool) -> [Launcher; 2] {
    let (console, windowed): (&[&str], &[&str]) = match (free_threaded, debug) {
        (false, false) => (
            &["venvlauncher.exe", "python.exe"],
            &["venvwlauncher.exe", "pythonw.exe"],
        ),
        (false, true) => (
            &["venvlauncher_d.exe", "python_d.exe"],
            &["venvwlauncher_d.exe", "pythonw_d.exe"],
        ),
        (true, false) => (
            &["venvlaunchert.exe", "venvlauncher.exe"],
            &["venvwlaunchert.exe", "venvwlauncher.exe"],
        ),
        (true, true) => (
            &["venvlaunchert_d.exe", "venvlauncher_d.exe"],
            &["venvwlaunchert_d.exe", "venvwlauncher_d.exe"],
        ),
    };
    let suffix = if debug { "_d" } else { "" };
    let names = |stem: &str| {
        let mut names = vec![format!("{stem}{suffix}.exe")];
        if debug {
            names.push(format!("{stem}.exe"));
        }
        if free_threaded {
            names.push(format!("{stem}3.{minor}t{suffix}.exe"));
        }
        names
    };
    [
        Launcher {
            sources: console.to_vec(),
            names: names("python"),
        },
        Launcher {
            sources: windowed.to_vec(),
            names: names("pythonw"),
        },
    ]
}

impl Plan<'_> {
    pub(super) fn copy_launchers(&self) -> Result<PathBuf, VenvError> {
        let templates: PathBuf = ["Lib", "venv", "scripts", "nt"].iter().collect();
        let templates = self.base.base_prefix.join(templates);
        let scripts = &self.scheme.scripts;
        for launcher in launchers(
            self.base.version_info.1,
            self.base.free_threaded,
            self.base.debug,
        ) {
            let source = (launcher.sources.iter())
                .map(|name| templates.join(name))
                .find(|path| path.is_file());
            let source = source.ok_or_else(|| VenvError::NoLauncher {
                base: self.base.base_prefix.clone(),
            })?;
            for name in launcher.names {
                fs_err::copy(&source, scripts.join(name)).map_err(|error| self.io(error))?;
            }
        }
        Ok(scripts.join("python.exe"))
    }
}

/// A resolved path as Python spells it: without the `\\?\` that Windows puts before it.
pub(super) fn plain_path(path: &Path) -> PathBuf {
    let text = path.to_string_lossy();
    match text.strip_prefix(r"\\?\") {
        Some(rest) if !rest.starts_with("UNC\\") => PathBuf::from(rest),
        _ => path.to_path_buf(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn launchers_get_the_names_that_people_call() {
        let [console, windowed] = launchers(12, false, false);
        assert_eq!(console.names, ["python.exe"]);
        assert_eq!(windowed.names, ["pythonw.exe"]);
        assert!(console.sources.contains(&"python.exe"));
        let [console, _] = launchers(14, true, false);
        assert_eq!(console.names, ["python.exe", "python3.14t.exe"]);
        assert_eq!(console.sources[0], "venvlaunchert.exe");
    }

    #[test]
    fn verbatim_prefixes_are_dropped() {
        assert_eq!(
            plain_path(Path::new(r"\\?\C:\Python")),
            Path::new(r"C:\Python")
        );
        let share = Path::new(r"\\?\UNC\server\share");
        assert_eq!(plain_path(share), share);
    }
}
