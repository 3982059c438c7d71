//! A made-up virtual environment, and runs of the program in it.

#![expect(clippy::unwrap_used, reason = "test support")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A folder with an environment in `env` and nothing else.
pub(crate) struct World {
    folder: tempfile::TempDir,
    library: PathBuf,
}

/// A distribution to fabricate.
#[derive(Default)]
pub(crate) struct Fabricated<'a> {
    pub(crate) name: &'a str,
    pub(crate) version: &'a str,
    /// Further header lines of `METADATA`.
    pub(crate) headers: &'a [&'a str],
    /// Further files of the `.dist-info` folder.
    pub(crate) info: &'a [(&'a str, &'a str)],
    pub(crate) tag: &'a str,
}

/// The program.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_bnbpip");

impl World {
    /// A world whose environment is empty.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = Self::command_in(folder.path(), folder.path())
            .args(["venv", "env"])
            .output();
        let made = made.unwrap();
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        let library = library_of(&folder.path().join("env"));
        Self { folder, library }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn library(&self) -> &Path {
        &self.library
    }

    /// Installs a distribution of one module.
    pub(crate) fn install(&self, distribution: &Fabricated<'_>) {
        let Fabricated {
            name,
            version,
            headers,
            info,
            tag,
        } = distribution;
        let module = name.to_lowercase().replace(['-', '.'], "_");
        let info_name = format!("{module}-{version}.dist-info");
        let mut metadata = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n");
        for header in *headers {
            writeln!(metadata, "{header}").unwrap();
        }
        metadata.push_str("\nA description.\n\nDescription: not a header\n");
        let tag = if tag.is_empty() { "py3-none-any" } else { tag };
        let wheel = format!("Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n");
        let mut record = format!("{module}.py,,\n{info_name}/RECORD,,\n");
        let fixed = [
            ("METADATA", metadata.as_str()),
            ("WHEEL", wheel.as_str()),
            ("INSTALLER", "pip\n"),
        ];
        for (file, content) in fixed.iter().chain(*info) {
            self.write(&format!("{info_name}/{file}"), content);
            writeln!(record, "{info_name}/{file},,").unwrap();
        }
        self.write(&format!("{module}.py"), "x = 1\n");
        self.write(&format!("{info_name}/RECORD"), &record);
    }

    fn write(&self, path: &str, content: &str) {
        let path = self.library.join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, content).unwrap();
    }

    /// A run in the world's folder, with its environment active.
    pub(crate) fn run(&self, line: &str) -> String {
        self.run_with(line, |command| {
            command.env("VIRTUAL_ENV", self.folder.path().join("env"));
        })
    }

    /// A run without an active environment, set up further.
    pub(crate) fn run_with(&self, line: &str, set_up: impl FnOnce(&mut Command)) -> String {
        let mut command = Self::command_in(self.path(), self.path());
        command.args(line.split_whitespace());
        set_up(&mut command);
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let shown = format!(
            "exit code: {}\n----- stdout -----\n{}----- stderr -----\n{}",
            output.status.code().unwrap_or(-1),
            text(&output.stdout),
            text(&output.stderr)
        );
        self.filtered(&shown)
    }

    fn command_in(folder: &Path, cache: &Path) -> Command {
        let mut command = Command::new(PROGRAM);
        for (name, _) in std::env::vars_os() {
            let name_text = name.to_string_lossy();
            let is_setting = ["PIP_", "BNBPIP_", "PYTHON"]
                .iter()
                .any(|it| name_text.starts_with(it));
            if is_setting || ["VIRTUAL_ENV", "CONDA_PREFIX", "NO_COLOR"].contains(&&*name_text) {
                command.env_remove(&name);
            }
        }
        command
            .current_dir(folder)
            // The tests' own may be closed, and then a child can't be given it on Windows.
            .stdin(Stdio::null())
            .env("BNBPIP_CACHE_DIR", cache.join("cache"))
            .env("BNBPIP_CUDA_DRIVER", "none")
            // Nor do the machine's own files of pip's count.
            .env(
                "PIP_CONFIG_FILE",
                if cfg!(windows) { "nul" } else { "/dev/null" },
            )
            .env("COLUMNS", "100");
        command
    }

    /// What differs from machine to machine, taken out.
    fn filtered(&self, text: &str) -> String {
        let canonical = fs_err::canonicalize(self.path()).unwrap();
        let mut text = text.to_owned();
        for (path, shown) in [
            (self.library.clone(), "[SITE]"),
            (fs_err::canonicalize(&self.library).unwrap(), "[SITE]"),
            (self.path().to_path_buf(), "[DIR]"),
            (canonical, "[DIR]"),
        ] {
            let path = path.display().to_string();
            text = text.replace(&path, shown);
            let path = path.strip_prefix(r"\\?\").unwrap_or(&path);
            if cfg!(windows) {
                // Without the prefix of long paths, in a URL, and in JSON.
                text = text.replace(path, shown);
                text = text.replace(&format!("/{}", path.replace('\\', "/")), shown);
                text = text.replace(&path.replace('\\', r"\\"), shown);
            }
        }
        let lines: Vec<String> = text
            .lines()
            .map(with_slashes)
            .map(|line| without_version(&line))
            .collect();
        lines.join("\n")
    }
}

/// Paths in the world's folders with the separators of POSIX.
fn with_slashes(line: &str) -> String {
    let words = line.split(' ').map(|word| {
        let is_path = word.contains("[DIR]") || word.contains("[SITE]");
        if is_path {
            word.replace(r"\\", "/").replace('\\', "/")
        } else {
            word.to_owned()
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// `Using CPython 3.11.7 in …` without the version.
fn without_version(line: &str) -> String {
    match line
        .strip_prefix("Using ")
        .and_then(|rest| rest.split_once(" in "))
    {
        Some((_, rest)) => format!("Using [PYTHON] in {rest}"),
        None => line.to_owned(),
    }
}

fn library_of(environment: &Path) -> PathBuf {
    let windows = environment.join("Lib").join("site-packages");
    if windows.is_dir() {
        return windows;
    }
    let versions = fs_err::read_dir(environment.join("lib")).unwrap();
    let found = versions.map(|entry| entry.unwrap().path().join("site-packages"));
    found.into_iter().find(|path| path.is_dir()).unwrap()
}
