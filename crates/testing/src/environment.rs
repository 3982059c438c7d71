//! A throw-away home: a virtual environment, a cache and a working directory of its own, and the
//! program run in it with nothing of the machine's settings.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use bnbpip_packaging::{RecordEntry, record};
use bnbpip_platform::{Interpreter, Prober, VenvOptions, create_venv};

use crate::{Filters, IndexServer, WheelBuilder};

/// A place to run the program in. Everything in it is removed when it is dropped.
#[derive(Debug)]
pub struct TestEnvironment {
    folder: tempfile::TempDir,
    binary: PathBuf,
    index_url: Option<String>,
    interpreter: Option<Interpreter>,
}

/// What a run of the program gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The exit code; -1 if a signal ended it.
    pub code: i32,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Run {
    /// Exit code and both streams as one text, for a snapshot.
    pub fn snapshot(&self, filters: &Filters) -> String {
        let Self {
            code,
            stdout,
            stderr,
        } = self;
        filters.apply(&format!(
            "exit code: {code}\n----- stdout -----\n{stdout}\n----- stderr -----\n{stderr}"
        ))
    }

    /// Itself, if it ended well.
    ///
    /// # Panics
    /// If it didn't.
    #[must_use]
    pub fn success(self) -> Self {
        let Self {
            code,
            stdout,
            stderr,
        } = &self;
        assert_eq!(
            *code, 0,
            "it failed\n----- stdout -----\n{stdout}\n----- stderr -----\n{stderr}"
        );
        self
    }

    /// Itself, if it ended with pip's code for a failure.
    ///
    /// # Panics
    /// If it didn't.
    #[must_use]
    pub fn failure(self) -> Self {
        let Self {
            code,
            stdout,
            stderr,
        } = &self;
        assert_eq!(
            *code, 1,
            "it didn't fail\n----- stdout -----\n{stdout}\n----- stderr -----\n{stderr}"
        );
        self
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// The interpreter that the tests use, asked once for all of them: the one that `python3` (on
/// Windows `python`) starts.
///
/// # Panics
/// If there is none.
pub fn base_interpreter() -> &'static Interpreter {
    static INTERPRETER: OnceLock<Interpreter> = OnceLock::new();
    INTERPRETER.get_or_init(|| {
        let name = if cfg!(windows) { "python" } else { "python3" };
        let code = "import sys; print(sys.executable)";
        let output = Command::new(name).args(["-c", code]).output();
        let output = output.expect("the tests need a Python interpreter on PATH");
        let path = String::from_utf8(output.stdout).unwrap();
        Prober::new().interpreter(Path::new(path.trim())).unwrap()
    })
}

impl TestEnvironment {
    /// A place without a virtual environment. `binary` is the program:
    /// `env!("CARGO_BIN_EXE_bnbpip")`.
    pub fn bare(binary: impl AsRef<Path>) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("bnbpip-test-")
            .tempdir()
            .unwrap();
        for name in ["home", "cache", "work", "tmp"] {
            fs_err::create_dir(folder.path().join(name)).unwrap();
        }
        Self {
            folder,
            binary: binary.as_ref().to_path_buf(),
            index_url: None,
            interpreter: None,
        }
    }

    /// A place with an active virtual environment, empty even of pip.
    pub fn new(binary: impl AsRef<Path>) -> Self {
        let mut environment = Self::bare(binary);
        let options = VenvOptions::default();
        let python = create_venv(base_interpreter(), &environment.venv(), &options).unwrap();
        environment.interpreter = Some(Prober::new().interpreter(&python).unwrap());
        environment
    }

    /// Uses this index from now on.
    #[must_use]
    pub fn with_index(mut self, server: &IndexServer) -> Self {
        self.index_url = Some(server.simple_url());
        self
    }

    /// The folder of everything.
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// The home folder.
    pub fn home(&self) -> PathBuf {
        self.root().join("home")
    }

    /// The program's cache.
    pub fn cache(&self) -> PathBuf {
        self.root().join("cache")
    }

    /// The working directory.
    pub fn work(&self) -> PathBuf {
        self.root().join("work")
    }

    /// The virtual environment, whether it exists or not.
    pub fn venv(&self) -> PathBuf {
        self.root().join("venv")
    }

    /// The virtual environment's interpreter.
    ///
    /// # Panics
    /// If the place is bare.
    pub fn interpreter(&self) -> &Interpreter {
        self.interpreter
            .as_ref()
            .expect("this test environment has no virtual environment")
    }

    /// Where modules go.
    pub fn site_packages(&self) -> PathBuf {
        self.interpreter().schemes.prefix.purelib.clone()
    }

    /// Where scripts go.
    pub fn scripts(&self) -> PathBuf {
        self.interpreter().schemes.prefix.scripts.clone()
    }

    /// The program, ready to be given arguments: in the working directory, with an environment
    /// that holds nothing but this place. Without a virtual environment none is active.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command.current_dir(self.work()).env_clear();
        // What programs need to run at all, most of it on Windows.
        for name in [
            "PATH",
            "SYSTEMROOT",
            "SYSTEMDRIVE",
            "WINDIR",
            "COMSPEC",
            "PATHEXT",
            "PROCESSOR_ARCHITECTURE",
            "LLVM_PROFILE_FILE",
        ] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        let home = self.home();
        command
            .env("HOME", &home)
            .env("USERPROFILE", &home)
            .env("APPDATA", home.join("AppData").join("Roaming"))
            .env("LOCALAPPDATA", home.join("AppData").join("Local"))
            .env("TMPDIR", self.root().join("tmp"))
            .env("TEMP", self.root().join("tmp"))
            .env("TMP", self.root().join("tmp"))
            .env("LC_ALL", "C.UTF-8")
            .env("NO_COLOR", "1")
            .env("COLUMNS", "100")
            .env("BNBPIP_CACHE_DIR", self.cache())
            // Tests say the same with and without a GPU.
            .env("BNBPIP_CUDA_DRIVER", "none")
            // Nor do the machine's own files of pip's count.
            .env(
                "PIP_CONFIG_FILE",
                if cfg!(windows) { "nul" } else { "/dev/null" },
            );
        if let Some(url) = &self.index_url {
            command.env("BNBPIP_INDEX_URL", url);
        }
        if self.interpreter.is_some() {
            command.env("VIRTUAL_ENV", self.venv());
        }
        command
    }

    /// Runs the program with these arguments.
    pub fn run<T: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = T>) -> Run {
        self.command().args(arguments).output().unwrap().into()
    }

    /// Runs code in the virtual environment's interpreter.
    pub fn python(&self, code: &str) -> Run {
        let mut command = Command::new(&self.interpreter().sys_executable);
        command.current_dir(self.work()).args(["-c", code]);
        command.env_remove("PYTHONPATH").env_remove("PYTHONHOME");
        command.output().unwrap().into()
    }

    /// Puts a package into the environment as pip would have left it, without any installer.
    pub fn install_by_hand(&self, wheel: &WheelBuilder) {
        let built = wheel.build();
        let site_packages = self.site_packages();
        let reader = std::io::Cursor::new(&built.bytes);
        let mut archive = zip::ZipArchive::new(reader).unwrap();
        archive.extract(&site_packages).unwrap();
        let record = archive
            .file_names()
            .map(|name| name.unwrap().into_owned())
            .find(|name| name.ends_with(".dist-info/RECORD"))
            .expect("a wheel with a RECORD");
        let dist_info = record.trim_end_matches("/RECORD");
        let mut entries =
            record::parse(&fs_err::read_to_string(site_packages.join(&record)).unwrap()).unwrap();
        for (name, content) in [("INSTALLER", "pip\n"), ("REQUESTED", "")] {
            let path = format!("{dist_info}/{name}");
            fs_err::write(site_packages.join(&path), content).unwrap();
            entries.push(RecordEntry {
                path,
                hash: None,
                size: None,
            });
        }
        fs_err::write(site_packages.join(&record), record::write(&entries)).unwrap();
    }

    /// The installed distributions by their metadata folders: `demo-1.0`, sorted.
    pub fn installed(&self) -> Vec<String> {
        let mut names: Vec<String> = fs_err::read_dir(self.site_packages())
            .unwrap()
            .filter_map(|entry| {
                let name = entry.unwrap().file_name().into_string().ok()?;
                name.strip_suffix(".dist-info").map(str::to_string)
            })
            .collect();
        names.sort();
        names
    }

    /// Every path in the environment with the SHA-256 of its content (a link with its
    /// destination), to compare before and after.
    pub fn fingerprint(&self) -> std::collections::BTreeMap<PathBuf, String> {
        let mut found = std::collections::BTreeMap::new();
        let mut folders = vec![self.venv()];
        while let Some(folder) = folders.pop() {
            for entry in fs_err::read_dir(&folder).unwrap() {
                let entry = entry.unwrap();
                let kind = entry.file_type().unwrap();
                let path = entry.path();
                let content = if kind.is_symlink() {
                    format!("-> {}", fs_err::read_link(&path).unwrap().display())
                } else if kind.is_dir() {
                    folders.push(path.clone());
                    "folder".to_string()
                } else {
                    crate::sha256_hex(&fs_err::read(&path).unwrap())
                };
                found.insert(
                    path.strip_prefix(self.venv()).unwrap().to_path_buf(),
                    content,
                );
            }
        }
        found
    }

    /// Filters for this place's paths and all that differs between runs.
    pub fn filters(&self) -> Filters {
        let mut filters = Filters::new();
        if let Some(interpreter) = &self.interpreter {
            filters = filters
                .with_path(&interpreter.schemes.prefix.purelib, "[SITE-PACKAGES]")
                .with_path(&interpreter.schemes.prefix.scripts, "[BIN]");
        }
        filters
            .with_path(&self.venv(), "[VENV]")
            .with_path(&self.cache(), "[CACHE]")
            .with_path(&self.home(), "[HOME]")
            .with_path(&self.work(), "[WORK]")
            .with_path(self.root(), "[TEMP]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_is_clean() {
        let program = if cfg!(windows) { "cmd" } else { "env" };
        let arguments: &[&str] = if cfg!(windows) { &["/c", "set"] } else { &[] };
        let environment = TestEnvironment::new(program);
        let run = environment.run(arguments).success();
        assert!(run.stdout.contains("VIRTUAL_ENV="));
        assert!(
            !run.stdout.to_ascii_lowercase().contains("proxy"),
            "{}",
            run.stdout
        );
        assert!(!run.stdout.contains("PIP_INDEX_URL") || run.stdout.contains("BNBPIP_INDEX_URL"));
        let filtered = environment.filters().apply(&run.stdout);
        assert!(filtered.contains("VIRTUAL_ENV=[VENV]"), "{filtered}");
        assert!(filtered.contains("HOME=[HOME]"), "{filtered}");
        assert!(
            !TestEnvironment::bare(program)
                .run(arguments)
                .stdout
                .contains("VIRTUAL_ENV")
        );
    }

    #[test]
    fn packages_put_in_by_hand_can_be_imported() {
        let environment = TestEnvironment::new("true");
        let before = environment.fingerprint();
        environment.install_by_hand(&WheelBuilder::new("demo", "1.5"));
        assert_eq!(environment.installed(), ["demo-1.5"]);
        assert_ne!(environment.fingerprint(), before);
        let code = "import demo; from importlib.metadata import version; print(demo.__version__, version('demo'))";
        assert_eq!(environment.python(code).success().stdout.trim(), "1.5 1.5");
    }
}
