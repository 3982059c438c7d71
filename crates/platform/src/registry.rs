//! The interpreters that Windows' registry knows (PEP 514): those of python.org's installers and
//! of others that register theirs. What `py.exe` lists comes from there too.

use std::cmp::Reverse;
use std::path::PathBuf;

/// A part of the registry that interpreters are written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegistryRoot {
    /// This user's.
    User,
    /// The machine's.
    Machine,
    /// The machine's, as 32-bit programs see it.
    Machine32,
}

/// What is asked of a registry. Absent and unreadable keys are alike: there is nothing.
pub trait Registry {
    /// The names of a key's sub-keys; `key` is relative to `Software\Python`, and may be empty.
    fn keys(&self, root: RegistryRoot, key: &str) -> Vec<String>;
    /// A text value of a key; the empty name is its default value.
    fn text(&self, root: RegistryRoot, key: &str, name: &str) -> Option<String>;
}

/// This machine's registry; empty where there is none.
#[derive(Debug, Clone, Copy, Default)]
pub struct ThisRegistry;

#[cfg(windows)]
impl Registry for ThisRegistry {
    fn keys(&self, root: RegistryRoot, key: &str) -> Vec<String> {
        let Some(key) = open(root, key) else {
            return Vec::new();
        };
        key.keys().map(Iterator::collect).unwrap_or_default()
    }

    fn text(&self, root: RegistryRoot, key: &str, name: &str) -> Option<String> {
        open(root, key)?.get_string(name).ok()
    }
}

#[cfg(windows)]
fn open(root: RegistryRoot, key: &str) -> Option<windows_registry::Key> {
    let (hive, base) = match root {
        RegistryRoot::User => (windows_registry::CURRENT_USER, "Software\\Python"),
        RegistryRoot::Machine => (windows_registry::LOCAL_MACHINE, "Software\\Python"),
        RegistryRoot::Machine32 => (
            windows_registry::LOCAL_MACHINE,
            "Software\\Wow6432Node\\Python",
        ),
    };
    hive.open(format!("{base}\\{key}").trim_end_matches('\\'))
        .ok()
}

#[cfg(not(windows))]
impl Registry for ThisRegistry {
    fn keys(&self, _: RegistryRoot, _: &str) -> Vec<String> {
        Vec::new()
    }

    fn text(&self, _: RegistryRoot, _: &str, _: &str) -> Option<String> {
        None
    }
}

/// The company name of python.org's own interpreters.
const PYTHON_CORE: &str = "PythonCore";

/// The registered interpreters: python.org's before others', each newest first. A user's entry
/// hides the machine's of the same company and tag.
pub fn registered_pythons(registry: &dyn Registry) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut seen: Vec<(String, String)> = Vec::new();
    let roots = [
        RegistryRoot::User,
        RegistryRoot::Machine,
        RegistryRoot::Machine32,
    ];
    for root in roots {
        // `PyLauncher` is a company of its own, by which the launcher keeps its settings.
        let companies = registry.keys(root, "").into_iter();
        for company in companies.filter(|company| company != "PyLauncher") {
            for tag in registry.keys(root, &company) {
                let id = (company.to_lowercase(), tag.to_lowercase());
                if seen.contains(&id) {
                    continue;
                }
                seen.push(id);
                if let Some(executable) = executable(registry, root, &company, &tag) {
                    let version = registry
                        .text(root, &format!("{company}\\{tag}"), "SysVersion")
                        .or_else(|| (company == PYTHON_CORE).then(|| tag.clone()));
                    let order = (
                        company != PYTHON_CORE,
                        Reverse(numbers(version.as_deref().unwrap_or_default())),
                        tag.len(), // `3.12` before `3.12-32`
                    );
                    found.push((order, executable));
                }
            }
        }
    }
    found.sort_by_key(|(order, _)| *order);
    found
        .into_iter()
        .map(|(_, executable)| executable)
        .collect()
}

fn executable(
    registry: &dyn Registry,
    root: RegistryRoot,
    company: &str,
    tag: &str,
) -> Option<PathBuf> {
    let key = format!("{company}\\{tag}\\InstallPath");
    if let Some(path) = registry.text(root, &key, "ExecutablePath") {
        return Some(path.into());
    }
    // Only old entries of python.org's have no path of the executable itself.
    let folder = registry.text(root, &key, "")?;
    (company == PYTHON_CORE).then(|| PathBuf::from(folder).join("python.exe"))
}

/// The first two numbers of a version, for the order.
fn numbers(version: &str) -> (u32, u32) {
    let mut parts = version.split(|c: char| !c.is_ascii_digit());
    let mut next = || parts.next().and_then(|part| part.parse().ok()).unwrap_or(0);
    (next(), next())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of root, key, name and value.
    struct Recorded(Vec<(RegistryRoot, &'static str, &'static str, &'static str)>);

    impl Registry for Recorded {
        fn keys(&self, root: RegistryRoot, key: &str) -> Vec<String> {
            let prefix = match key {
                "" => String::new(),
                key => format!("{key}\\"),
            };
            let rows = self.0.iter().filter(|row| row.0 == root);
            let mut names: Vec<String> = rows
                .filter_map(|row| row.1.strip_prefix(&prefix))
                .filter_map(|rest| rest.split('\\').next())
                .map(str::to_owned)
                .collect();
            names.dedup();
            names
        }

        fn text(&self, root: RegistryRoot, key: &str, name: &str) -> Option<String> {
            let row = self
                .0
                .iter()
                .find(|row| (row.0, row.1, row.2) == (root, key, name));
            row.map(|row| row.3.to_owned())
        }
    }

    #[test]
    fn python_org_first_newest_first_and_a_users_own_before_the_machines() {
        use RegistryRoot::{Machine, Machine32, User};
        let registry = Recorded(vec![
            (
                User,
                "ContinuumAnalytics\\Anaconda310-64",
                "SysVersion",
                "3.10",
            ),
            (
                User,
                "ContinuumAnalytics\\Anaconda310-64\\InstallPath",
                "ExecutablePath",
                "C:/conda/python.exe",
            ),
            (
                User,
                "PyLauncher\\3.9\\InstallPath",
                "ExecutablePath",
                "C:/Windows/py.exe",
            ),
            (User, "PythonCore\\3.11", "SysVersion", "3.11"),
            (
                User,
                "PythonCore\\3.11\\InstallPath",
                "ExecutablePath",
                "C:/mine/311/python.exe",
            ),
            (Machine, "PythonCore\\3.11", "SysVersion", "3.11"),
            (
                Machine,
                "PythonCore\\3.11\\InstallPath",
                "ExecutablePath",
                "C:/all/311/python.exe",
            ),
            (Machine, "PythonCore\\3.9\\InstallPath", "", "C:/old/39"),
            (Machine, "PythonCore\\3.12", "SysVersion", "3.12"),
            (
                Machine,
                "PythonCore\\3.12\\InstallPath",
                "ExecutablePath",
                "C:/all/312/python.exe",
            ),
            (Machine, "Somebody\\special\\InstallPath", "", "C:/special"),
            (Machine32, "PythonCore\\3.12-32", "SysVersion", "3.12"),
            (
                Machine32,
                "PythonCore\\3.12-32\\InstallPath",
                "ExecutablePath",
                "C:/x86/312/python.exe",
            ),
        ]);
        let found: Vec<String> = registered_pythons(&registry)
            .iter()
            .map(|path| path.to_string_lossy().replace('\\', "/"))
            .collect();
        let expected = [
            "C:/all/312/python.exe",
            "C:/x86/312/python.exe",
            "C:/mine/311/python.exe",
            "C:/old/39/python.exe",
            "C:/conda/python.exe",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn without_a_registry_there_is_nothing() {
        if !cfg!(windows) {
            assert!(registered_pythons(&ThisRegistry).is_empty());
        }
    }
}
