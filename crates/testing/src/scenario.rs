//! Scenarios: tiny universes of packages, a request, and what must come of it, as TOML files. The
//! format is described beside the files, in `tests/scenarios/README.md`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::{HostedFile, IndexServer, Run, TestEnvironment, WheelBuilder};

/// One scenario.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scenario {
    /// The file's name without its suffix.
    #[serde(skip)]
    pub name: String,
    /// What it is about, in one line.
    pub why: String,
    /// Where the packages would run; without it, on this machine.
    pub target: Option<ScenarioTarget>,
    /// What the machine has; without it, no GPU.
    pub machine: Option<ScenarioMachine>,
    /// The packages: name → version → release.
    #[serde(default)]
    pub packages: BTreeMap<String, BTreeMap<String, Release>>,
    /// What is installed before, `name==version`; each a release of `packages`.
    #[serde(default)]
    pub installed: Vec<String>,
    /// The arguments after `install`; `{index}` and `{files}` stand for addresses of the index
    /// and of its folder of files.
    pub request: Vec<String>,
    /// The lines of a constraints file.
    #[serde(default)]
    pub constraints: Vec<String>,
    /// What must come of it.
    pub expected: Expected,
}

/// A target other than this machine.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ScenarioTarget {
    /// `--python-version`
    pub python: String,
    /// `--python-platform`
    pub platform: String,
}

/// The GPUs of a machine.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ScenarioMachine {
    /// The version of NVIDIA's driver.
    pub driver: String,
    /// The compute capability of each GPU, with commas between them.
    pub capabilities: Option<String>,
}

/// A release of a package.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Release {
    /// `Requires-Dist`
    #[serde(default)]
    pub requires: Vec<String>,
    /// `Requires-Python`
    pub requires_python: Option<String>,
    /// `Provides-Extra`
    #[serde(default)]
    pub extras: Vec<String>,
    /// The tags of its wheels; `py3-none-any` unless told. None at all with `sdist` alone.
    pub tags: Option<Vec<String>>,
    /// Whether there is an sdist.
    #[serde(default)]
    pub sdist: bool,
    /// Set if it is yanked: the reason, which may be empty.
    pub yanked: Option<String>,
    /// When its files were uploaded.
    pub uploaded: Option<String>,
}

/// What must come of a scenario. Without `installs` the request must be refused.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expected {
    /// What would be installed, `name==version`, sorted; empty if nothing has to be.
    pub installs: Option<Vec<String>>,
    /// The files that would be installed, where more than one would do.
    #[serde(default)]
    pub files: Vec<String>,
    /// Each of these is part of what is said.
    #[serde(default)]
    pub says: Vec<String>,
    /// None of these is part of what is said.
    #[serde(default)]
    pub never_says: Vec<String>,
}

/// What came of a scenario.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What would be installed, `name==version`, sorted; `None` if the request was refused.
    pub installs: Option<Vec<String>>,
    /// The names of the files that would be installed.
    pub files: Vec<String>,
    /// The run itself.
    pub run: Run,
}

/// All scenarios of a folder (`*.toml`), by name.
///
/// # Panics
/// If one can't be read, or doesn't make sense.
pub fn load_scenarios(folder: &Path) -> Vec<Scenario> {
    let mut paths: Vec<PathBuf> = fs_err::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .collect();
    paths.sort();
    paths.iter().map(|path| Scenario::read(path)).collect()
}

impl Scenario {
    /// Reads one.
    ///
    /// # Panics
    /// If it can't be read, or doesn't make sense.
    pub fn read(path: &Path) -> Self {
        let text = fs_err::read_to_string(path).unwrap();
        let mut scenario: Self =
            toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        scenario.name = path.file_stem().unwrap().to_string_lossy().into_owned();
        scenario.validate();
        scenario
    }

    fn validate(&self) {
        let name = &self.name;
        assert!(
            self.expected.installs.is_some() || !self.expected.says.is_empty(),
            "{name}: `expected` needs `installs` or `says`"
        );
        assert!(
            self.installed.is_empty() || self.target.is_none(),
            "{name}: what is installed is installed on this machine, not on a `target`"
        );
        if let Some(installs) = &self.expected.installs {
            assert!(installs.is_sorted(), "{name}: `installs` is not sorted");
            for pin in installs {
                self.release(pin);
            }
        }
        for pin in &self.installed {
            self.release(pin);
        }
    }

    /// The release that a pin (`name==version`) names.
    fn release(&self, pin: &str) -> (&str, &str, &Release) {
        let found = pin.split_once("==").and_then(|(name, version)| {
            let (name, releases) = self.packages.get_key_value(name)?;
            let (version, release) = releases.get_key_value(version)?;
            Some((name.as_str(), version.as_str(), release))
        });
        found.unwrap_or_else(|| panic!("{}: no package `{pin}`", self.name))
    }

    /// Starts an index with the packages.
    pub fn serve(&self) -> IndexServer {
        let server = IndexServer::start();
        for (name, releases) in &self.packages {
            for (version, release) in releases {
                for file in release.files(name, version) {
                    server.add(file);
                }
            }
        }
        server
    }

    /// The arguments for the program, from `install` on. A constraints file is written into
    /// `folder` if there are constraints.
    pub fn args(&self, server: &IndexServer, folder: &Path) -> Vec<String> {
        let mut args: Vec<String> = ["install", "--dry-run", "--quiet", "--report", "-"]
            .map(str::to_string)
            .to_vec();
        args.extend(["--index-url".to_string(), server.simple_url()]);
        if let Some(target) = &self.target {
            args.extend(["--python-version".to_string(), target.python.clone()]);
            args.extend(["--python-platform".to_string(), target.platform.clone()]);
        }
        if !self.constraints.is_empty() {
            let path = folder.join("constraints.txt");
            let lines: Vec<String> = self
                .constraints
                .iter()
                .map(|line| fill(line, server))
                .collect();
            fs_err::write(&path, lines.join("\n") + "\n").unwrap();
            args.extend(["--constraint".to_string(), path.display().to_string()]);
        }
        args.extend(self.request.iter().map(|argument| fill(argument, server)));
        args
    }

    /// Runs the program (`env!("CARGO_BIN_EXE_bnbpip")`) on the scenario: with an index and an
    /// environment of its own.
    pub fn run(&self, binary: impl AsRef<Path>) -> Outcome {
        let server = self.serve();
        let environment = if self.target.is_some() {
            TestEnvironment::bare(binary)
        } else {
            TestEnvironment::new(binary)
        };
        for pin in &self.installed {
            let (name, version, release) = self.release(pin);
            environment.install_by_hand(&release.wheel(name, version, "py3-none-any"));
        }
        let mut command = environment.command();
        if let Some(machine) = &self.machine {
            command.env("BNBPIP_CUDA_DRIVER", &machine.driver);
            if let Some(capabilities) = &machine.capabilities {
                command.env("BNBPIP_CUDA_ARCH", capabilities);
            }
        }
        command.args(self.args(&server, &environment.work()));
        Outcome::new(command.output().unwrap().into())
    }

    /// Whether the outcome is the expected one.
    ///
    /// # Errors
    /// A description of what is different, with the run's output.
    pub fn check(&self, outcome: &Outcome) -> Result<(), String> {
        let expected = &self.expected;
        let said = format!("{}\n{}", outcome.run.stderr, outcome.run.stdout);
        // Long lines are wrapped; words are what counts.
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let said_words = words(&said);
        let mut problems = Vec::new();
        if outcome.installs != expected.installs {
            problems.push(format!(
                "expected {:?}, got {:?}",
                expected.installs, outcome.installs
            ));
        }
        for file in expected
            .files
            .iter()
            .filter(|file| !outcome.files.contains(file))
        {
            problems.push(format!("expected the file {file}, got {:?}", outcome.files));
        }
        if expected.installs.is_none() && outcome.run.code != 1 {
            problems.push(format!("expected exit code 1, got {}", outcome.run.code));
        }
        for part in expected
            .says
            .iter()
            .filter(|part| !said_words.contains(&words(part)))
        {
            problems.push(format!("it doesn't say {part:?}"));
        }
        for part in expected
            .never_says
            .iter()
            .filter(|part| said_words.contains(&words(part)))
        {
            problems.push(format!("it says {part:?}"));
        }
        if problems.is_empty() {
            return Ok(());
        }
        let Self { name, why, .. } = self;
        Err(format!(
            "{name} ({why}):\n  {}\n{said}",
            problems.join("\n  ")
        ))
    }
}

fn fill(text: &str, server: &IndexServer) -> String {
    text.replace("{index}", &server.simple_url())
        .replace("{files}", &format!("{}/files", server.url()))
}

impl Release {
    fn wheel(&self, name: &str, version: &str, tag: &str) -> WheelBuilder {
        let mut wheel = WheelBuilder::new(name, version)
            .tag(tag)
            .requires_all(&self.requires);
        if let Some(specifiers) = &self.requires_python {
            wheel = wheel.requires_python(specifiers);
        }
        self.extras
            .iter()
            .fold(wheel, |wheel, extra| wheel.extra(extra))
    }

    fn files(&self, name: &str, version: &str) -> Vec<HostedFile> {
        let default_tags = if self.sdist {
            Vec::new()
        } else {
            vec!["py3-none-any".to_string()]
        };
        let tags = self.tags.as_ref().unwrap_or(&default_tags);
        let mut files: Vec<HostedFile> = tags
            .iter()
            .map(|tag| self.wheel(name, version, tag).build().into())
            .collect();
        if self.sdist {
            let filename = format!("{}-{version}.tar.gz", name.replace(['-', '.'], "_"));
            let mut sdist = HostedFile::other(name, &filename, &b"not for reading"[..]);
            sdist.requires_python.clone_from(&self.requires_python);
            files.push(sdist);
        }
        for file in &mut files {
            file.yanked.clone_from(&self.yanked);
            file.upload_time.clone_from(&self.uploaded);
        }
        files
    }
}

impl Outcome {
    /// Reads the report that a run printed.
    pub fn new(run: Run) -> Self {
        let report: Option<serde_json::Value> = (run.code == 0)
            .then(|| serde_json::from_str(&run.stdout).ok())
            .flatten();
        let Some(report) = report else {
            return Self {
                installs: None,
                files: Vec::new(),
                run,
            };
        };
        let items = report["install"].as_array().cloned().unwrap_or_default();
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_string();
        let mut installs: Vec<String> = items
            .iter()
            .map(|item| {
                let metadata = &item["metadata"];
                format!(
                    "{}=={}",
                    text(&metadata["name"]),
                    text(&metadata["version"])
                )
            })
            .collect();
        installs.sort();
        let files = items.iter().map(|item| {
            let url = text(&item["download_info"]["url"]);
            let name = url.rsplit('/').next().unwrap_or_default();
            percent_encoding::percent_decode_str(name)
                .decode_utf8_lossy()
                .into_owned()
        });
        Self {
            installs: Some(installs),
            files: files.collect(),
            run,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios")
    }

    #[test]
    fn every_scenario_makes_sense() {
        let scenarios = load_scenarios(&folder());
        assert!(scenarios.len() >= 40, "{}", scenarios.len());
        for scenario in &scenarios {
            let server = scenario.serve();
            let work = tempfile::tempdir().unwrap();
            let args = scenario.args(&server, work.path());
            assert!(
                !args.iter().any(|argument| argument.contains('{')),
                "{args:?}"
            );
            assert!(!scenario.why.contains('\n'), "{}", scenario.name);
        }
    }

    #[test]
    fn outcomes_are_compared() {
        let scenario: Scenario = toml::from_str(
            r#"
            why = "a test"
            request = ["a"]
            packages.a."1.0" = {}
            expected.installs = ["a==1.0"]
            expected.files = ["a-1.0-py3-none-any.whl"]
            "#,
        )
        .unwrap();
        let report = |version: &str| {
            let json = serde_json::json!({"install": [{
                "metadata": {"name": "a", "version": version},
                "download_info": {"url": format!("http://x/files/a-{version}-py3-none-any.whl")},
            }]});
            Run {
                code: 0,
                stdout: json.to_string(),
                stderr: String::new(),
            }
        };
        assert_eq!(scenario.check(&Outcome::new(report("1.0"))), Ok(()));
        assert!(scenario.check(&Outcome::new(report("2.0"))).is_err());
        let failed = Run {
            code: 1,
            stdout: String::new(),
            stderr: "no".into(),
        };
        assert!(scenario.check(&Outcome::new(failed.clone())).is_err());
        let refused: Scenario = toml::from_str(
            r#"
            why = "a test"
            request = ["a"]
            expected.says = ["no  way"]
            expected.never-says = ["guard"]
            "#,
        )
        .unwrap();
        assert!(refused.check(&Outcome::new(failed)).is_err());
        let said = Run {
            code: 1,
            stdout: String::new(),
            stderr: "There is no\nway.".into(),
        };
        assert_eq!(refused.check(&Outcome::new(said)), Ok(()));
    }
}
