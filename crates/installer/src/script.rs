//! Executable scripts: shebang lines and the generated scripts of entry points
//! ([entry points specification](https://packaging.python.org/en/latest/specifications/entry-points/#use-for-scripts)).

use std::io::Read as _;
use std::path::Path;

use bnbpip_packaging::{EntryPoint, EntryPoints};

use crate::environment::InterpreterFacts;

/// The longest `#!` line that kernels read, in bytes.
const SHEBANG_LIMIT: usize = if cfg!(target_os = "macos") { 512 } else { 127 };

/// How a script begins that is for the interpreter which it is installed for.
pub(crate) const PYTHON_SCRIPT: &[u8] = b"#!python";

/// A generated script, before its shebang or launcher.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct GeneratedScript {
    pub(crate) name: String,
    pub(crate) is_gui: bool,
    pub(crate) body: String,
}

/// The first lines of the scripts of one interpreter.
#[derive(Debug, Clone)]
pub(crate) struct Shebang {
    console: Vec<u8>,
    gui: Vec<u8>,
}

impl Shebang {
    pub(crate) fn of(interpreter: &InterpreterFacts) -> Self {
        let line = |executable: &Path| {
            if interpreter.is_windows {
                windows_line(executable)
            } else {
                posix_line(executable, is_script(executable))
            }
        };
        let gui = interpreter
            .gui_executable
            .as_deref()
            .unwrap_or(&interpreter.sys_executable);
        Self {
            console: line(&interpreter.sys_executable),
            gui: line(gui),
        }
    }

    /// The shebang, with its line ending.
    pub(crate) fn line(&self, is_gui: bool) -> &[u8] {
        if is_gui { &self.gui } else { &self.console }
    }

    /// A wheel's script with its `#!python` line replaced; `None` when it has no such line and
    /// stays as it is.
    pub(crate) fn rewrite(&self, content: &[u8]) -> Option<Vec<u8>> {
        if !content.starts_with(PYTHON_SCRIPT) {
            return None;
        }
        let body = content
            .iter()
            .position(|byte| *byte == b'\n')
            .map_or(&[][..], |end| &content[end + 1..]);
        let is_gui = content.starts_with(b"#!pythonw");
        Some([self.line(is_gui), body].concat())
    }
}

fn posix_line(executable: &Path, is_script: bool) -> Vec<u8> {
    let path = executable.as_os_str().as_encoded_bytes();
    let has_space = path.contains(&b' ');
    if !has_space && !is_script && path.len() + 3 <= SHEBANG_LIMIT {
        return [b"#!", path, b"\n"].concat();
    }
    // A shell reads line two as a command which never returns, Python as a string.
    let quote: &[u8] = if has_space { b"\"" } else { b"" };
    [
        b"#!/bin/sh\n'''exec' ",
        quote,
        path,
        quote,
        b" \"$0\" \"$@\"\n' '''\n",
    ]
    .concat()
}

fn windows_line(executable: &Path) -> Vec<u8> {
    let text = executable.to_string_lossy();
    let text = text.strip_prefix(r"\\?\").unwrap_or(&text);
    if text.contains(' ') {
        format!("#!\"{text}\"\r\n").into_bytes()
    } else {
        format!("#!{text}\r\n").into_bytes()
    }
}

/// Whether the interpreter is itself a script: the kernel would not run a shebang that names one.
fn is_script(executable: &Path) -> bool {
    let mut start = [0; 2];
    fs_err::File::open(executable).is_ok_and(|mut file| file.read_exact(&mut start).is_ok())
        && &start == b"#!"
}

/// The scripts to generate for a distribution's entry points.
pub(crate) fn generated_scripts(
    entry_points: &EntryPoints,
    version: (u8, u8),
) -> Vec<GeneratedScript> {
    let mut scripts: Vec<GeneratedScript> = Vec::new();
    let mut push = |name: String, point: &EntryPoint, is_gui: bool| {
        scripts.retain(|script| script.name != name);
        scripts.push(GeneratedScript {
            name,
            is_gui,
            body: body(point),
        });
    };
    let named = |name: &str| entry_points.console.iter().find(|point| point.name == name);
    let (pip, easy_install) = (named("pip"), named("easy_install"));
    let (major, minor) = version;
    if let Some(point) = pip {
        for name in [
            "pip".to_string(),
            format!("pip{major}"),
            format!("pip{major}.{minor}"),
        ] {
            push(name, point, false);
        }
    }
    if let Some(point) = easy_install {
        for name in [
            "easy_install".to_string(),
            format!("easy_install-{major}.{minor}"),
        ] {
            push(name, point, false);
        }
    }
    for point in &entry_points.console {
        // The wheel's own versioned names are those of the Python that built it.
        let replaced = pip.is_some() && is_versioned(&point.name, "pip", "")
            || easy_install.is_some() && is_versioned(&point.name, "easy_install", "-");
        if !replaced {
            push(point.name.clone(), point, false);
        }
    }
    for point in &entry_points.gui {
        push(point.name.clone(), point, true);
    }
    scripts
}

/// Whether a name is `base`, or `base` with a version behind the separator.
fn is_versioned(name: &str, base: &str, separator: &str) -> bool {
    name.strip_prefix(base).is_some_and(|rest| {
        rest.is_empty()
            || rest.strip_prefix(separator).is_some_and(|version| {
                version
                    .split('.')
                    .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
            })
    })
}

fn body(point: &EntryPoint) -> String {
    let EntryPoint {
        module, attribute, ..
    } = point;
    let import = attribute.split('.').next().unwrap_or(attribute);
    format!(
        "import sys\nfrom {module} import {import}\nif __name__ == '__main__':\n    \
         sys.argv[0] = sys.argv[0].removesuffix('.exe')\n    sys.exit({attribute}())\n"
    )
}

/// Whether a file of the wheel's scripts folder is a build tool's own wrapper of an entry point,
/// which the generated script replaces.
pub(crate) fn is_entry_point_wrapper(file_name: &str, entry_points: &EntryPoints) -> bool {
    let lower = file_name.to_ascii_lowercase();
    let suffix = [".exe", "-script.py", ".pya"]
        .into_iter()
        .find(|suffix| lower.ends_with(suffix))
        .unwrap_or_default();
    let stem = &file_name[..file_name.len() - suffix.len()];
    entry_points
        .console
        .iter()
        .chain(&entry_points.gui)
        .any(|point| point.name == stem)
}

/// The file names under which a script may be installed on a platform.
pub(crate) fn installed_names(name: &str, is_windows: bool) -> Vec<String> {
    let suffixes: &[&str] = if is_windows {
        &["", ".exe", ".exe.manifest", "-script.py", "-script.pyw"]
    } else {
        &[""]
    };
    suffixes
        .iter()
        .map(|suffix| format!("{name}{suffix}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scripts(text: &str) -> Vec<GeneratedScript> {
        generated_scripts(&EntryPoints::parse(text).unwrap(), (3, 12))
    }

    #[test]
    fn writes_a_short_shebang_where_the_kernel_can_read_it() {
        let short = posix_line(Path::new("/v/bin/python"), false);
        assert_eq!(short, b"#!/v/bin/python\n");
        let longest = format!("/{}", "x".repeat(SHEBANG_LIMIT - 4));
        assert!(posix_line(Path::new(&longest), false).starts_with(b"#!/x"));
        let too_long = format!("{longest}x");
        assert!(posix_line(Path::new(&too_long), false).starts_with(b"#!/bin/sh\n'''exec' /x"));
        assert_eq!(
            posix_line(Path::new("/a b/python"), false),
            b"#!/bin/sh\n'''exec' \"/a b/python\" \"$0\" \"$@\"\n' '''\n"
        );
        assert!(posix_line(Path::new("/v/bin/python"), true).starts_with(b"#!/bin/sh"));
        assert_eq!(
            windows_line(Path::new(r"\\?\C:\a b\python.exe")),
            b"#!\"C:\\a b\\python.exe\"\r\n"
        );
    }

    #[test]
    fn rewrites_only_python_shebangs() {
        let shebang = Shebang {
            console: b"#!/p\n".to_vec(),
            gui: b"#!/w\n".to_vec(),
        };
        assert_eq!(shebang.rewrite(b"#!python -u\r\nx").unwrap(), b"#!/p\nx");
        assert_eq!(shebang.rewrite(b"#!pythonw\nx").unwrap(), b"#!/w\nx");
        assert_eq!(shebang.rewrite(b"#!python").unwrap(), b"#!/p\n");
        assert!(shebang.rewrite(b"#!/usr/bin/python\nx").is_none());
        assert!(shebang.rewrite(b"\x7fELF").is_none());
    }

    #[test]
    fn imports_the_first_part_and_calls_the_whole() {
        let scripts = scripts("[console_scripts]\nfoo = a.b:c.d\n[gui_scripts]\nbar = a:b\n");
        assert_eq!(
            scripts[0].body,
            "import sys\nfrom a.b import c\nif __name__ == '__main__':\n    \
             sys.argv[0] = sys.argv[0].removesuffix('.exe')\n    sys.exit(c.d())\n"
        );
        assert!(scripts[1].is_gui);
    }

    #[test]
    fn names_pip_after_the_target() {
        let scripts = scripts(
            "[console_scripts]\npip = p:m\npip3 = p:m\npip3.9 = p:m\npipx = p:m\neasy_install = e:m\n\
             easy_install-3.9 = e:m\n",
        );
        let names: Vec<&str> = scripts.iter().map(|script| script.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "pip",
                "pip3",
                "pip3.12",
                "easy_install",
                "easy_install-3.12",
                "pipx"
            ]
        );
    }

    #[test]
    fn recognizes_wrappers() {
        let points = EntryPoints::parse("[console_scripts]\nep = a:b\n").unwrap();
        for name in ["ep", "ep.exe", "ep-script.py", "ep.pya"] {
            assert!(is_entry_point_wrapper(name, &points), "{name}");
        }
        assert!(!is_entry_point_wrapper("ep.py", &points));
        assert!(!is_entry_point_wrapper("other", &points));
    }
}
