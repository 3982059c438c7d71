//! The settings that all commands share, each with its final value.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bnbpip_index::{Asker, Keyring};
use bnbpip_platform::{AcceleratorInputs, ToldNvidia, capabilities_of_cards};
use etcetera::BaseStrategy;

use super::ProcessEnvironment;
use super::project::ProjectFile;
use crate::cli::GlobalArgs;
use crate::cli::values::{Color, ExistsAction, KeyringProvider};
use crate::failure::Failure;
use crate::printer::ColorChoice;

/// Settings that all commands share.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// How much is said: 0 is usual, each `-v` one more, each `-q` one less.
    pub verbosity: i8,
    /// When to use colour.
    pub color: ColorChoice,
    /// The file that everything said is appended to.
    pub log: Option<PathBuf>,
    /// Whether variables, the user's files and the project's are left out.
    pub isolated: bool,
    /// Whether the user may be asked something.
    pub may_ask: bool,
    /// Who is asked for credentials.
    pub asker: Option<Arc<dyn Asker>>,
    /// Whether to refuse to work outside a virtual environment.
    pub require_virtualenv: bool,
    /// `--python`: an interpreter, an environment's folder or a version.
    pub python: Option<PathBuf>,
    /// What happens to a folder that is in a checkout's way.
    pub exists_action: Option<ExistsAction>,
    /// What the shell says about the active environment.
    pub shell: Shell,
    /// How the network is used.
    pub network: Network,
    /// Where the cache is; `None` keeps nothing from one run to the next.
    pub cache_dir: Option<PathBuf>,
    /// Where what the user decided is kept; `None` in an isolated run.
    pub data_dir: Option<PathBuf>,
    /// Where what bnbpip has done is kept; `None` without a home.
    pub state_dir: Option<PathBuf>,
    /// The process's environment, for `${NAME}` in requirements files and for interpreters.
    pub environment: ProcessEnvironment,
    /// What the project that is worked in configures.
    pub project: ProjectFile,
    /// What `BNBPIP_CUDA_DRIVER` and `BNBPIP_CUDA_ARCH` say of NVIDIA's driver and cards.
    pub nvidia: ToldNvidia,
}

/// What the shell says about environments.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Shell {
    /// `VIRTUAL_ENV`: the active virtual environment.
    pub virtual_env: Option<PathBuf>,
    /// `CONDA_PREFIX`: conda's active environment.
    pub conda_prefix: Option<PathBuf>,
    /// `PATH`.
    pub path: Option<std::ffi::OsString>,
}

/// How the network is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Network {
    /// A proxy for every request; without one, the system's.
    pub proxy: Option<String>,
    /// Hosts that are asked without a proxy.
    pub no_proxy: Option<String>,
    /// A PEM file, or a folder of them, that replaces the system's certificates.
    pub cert: Option<PathBuf>,
    /// A PEM file with a client certificate and its key.
    pub client_cert: Option<PathBuf>,
    /// Hosts whose certificates aren't checked.
    pub trusted_hosts: Vec<String>,
    /// How often a request that failed for a passing reason is sent again.
    pub retries: u32,
    /// How long a connection may be silent.
    pub timeout: Duration,
    /// The `.netrc` file with credentials by host, if there may be one.
    pub netrc: Option<PathBuf>,
    /// Where a keyring may be.
    pub keyrings: Vec<Keyring>,
    /// Whether to do without the network.
    pub offline: bool,
    /// Whether the environment's and the system's proxies count.
    pub system_proxy: bool,
}

impl Settings {
    /// The settings of a run: the command line's, with the environment's already among them, and
    /// what other programs agree on (`NO_COLOR`, `SSL_CERT_FILE`, `NETRC`…).
    pub(crate) fn resolve(global: &GlobalArgs, environment: &ProcessEnvironment) -> Self {
        let verbosity = i16::from(global.verbose) - i16::from(global.quiet);
        Self {
            verbosity: i8::try_from(verbosity.clamp(-3, 3)).unwrap_or_default(),
            color: color(global, environment),
            log: global.log.clone(),
            isolated: global.isolated,
            may_ask: !global.no_input,
            asker: None,
            require_virtualenv: global.require_virtualenv,
            python: global.python.clone(),
            exists_action: global.exists_action.last().copied(),
            shell: Shell {
                virtual_env: environment.get_path("VIRTUAL_ENV"),
                conda_prefix: environment.get_path("CONDA_PREFIX"),
                path: environment.get_os("PATH").cloned(),
            },
            network: network(global, environment),
            environment: environment.clone(),
            project: ProjectFile::default(),
            nvidia: ToldNvidia::default(),
            data_dir: if global.isolated {
                None
            } else {
                default_data_dir(environment)
            },
            state_dir: default_state_dir(environment),
            cache_dir: if global.no_cache_dir {
                None
            } else {
                global
                    .cache_dir
                    .clone()
                    .or_else(|| default_cache_dir(environment))
            },
        }
    }

    /// Whether the cache is where it is without anybody having said so.
    pub(crate) fn has_usual_cache(&self) -> bool {
        self.cache_dir == default_cache_dir(&self.environment)
    }

    /// The same with what the project configures, unless `--isolated` is given, and what the
    /// environment tells of the machine.
    ///
    /// # Errors
    /// When the project's file or a variable can't be read or understood.
    pub(crate) fn completed(mut self, global: &GlobalArgs) -> Result<Self, Failure> {
        self.nvidia = told_nvidia(&self.environment)?;
        if !global.isolated {
            self.project = ProjectFile::find(self.environment.working_directory())?;
        }
        let of_project = self.project.options.keyring_provider;
        if let (None, Some(provider)) = (global.keyring_provider, of_project) {
            self.network.keyrings = keyrings(Some(provider), self.may_ask, &self.environment);
        }
        Ok(self)
    }

    /// Where byte-code is kept for the next installation of a wheel.
    pub(crate) fn byte_code_cache(&self) -> Option<PathBuf> {
        let root = self.cache_dir.as_ref()?;
        Some(bnbpip_index::CacheAdmin::new(root).byte_code())
    }

    /// What detecting accelerators has to know.
    pub(crate) fn accelerator_inputs(&self) -> AcceleratorInputs {
        let environment = &self.environment;
        let system = environment.get_path("SYSTEMROOT").filter(|_| cfg!(windows));
        let path = self.shell.path.as_deref();
        AcceleratorInputs {
            told: self.nvidia.clone(),
            system: system.map(|root| root.join("System32")),
            path: path.map_or_else(Vec::new, |path| std::env::split_paths(path).collect()),
        }
    }
}

fn told_nvidia(environment: &ProcessEnvironment) -> Result<ToldNvidia, Failure> {
    let value = |name| environment.get(name).filter(|value| !value.is_empty());
    let unreadable = |name: &str, value: &str, hint: &str| {
        Failure::new(format!("Failed to read `{name}={value}`")).hint(hint)
    };
    let driver = value("BNBPIP_CUDA_DRIVER").map(|text| {
        text.parse().map_err(|_| {
            let hint = "give the driver's version, such as `566.36`, or `none`";
            unreadable("BNBPIP_CUDA_DRIVER", text, hint)
        })
    });
    let capabilities = value("BNBPIP_CUDA_ARCH").map(|text| {
        capabilities_of_cards(text).map_err(|_| {
            let hint = "give each card's compute capability, such as `8.9` or `6.1,8.9`";
            unreadable("BNBPIP_CUDA_ARCH", text, hint)
        })
    });
    Ok(ToldNvidia {
        driver: driver.transpose()?,
        capabilities: capabilities.transpose()?,
    })
}

fn color(global: &GlobalArgs, environment: &ProcessEnvironment) -> ColorChoice {
    match global.color {
        _ if global.no_color => ColorChoice::Never,
        Color::Always => ColorChoice::Always,
        Color::Never => ColorChoice::Never,
        Color::Auto if environment.get("NO_COLOR").is_some() => ColorChoice::Never,
        Color::Auto
            if environment
                .get("FORCE_COLOR")
                .is_some_and(|value| value != "0") =>
        {
            ColorChoice::Always
        }
        Color::Auto if environment.get("TERM") == Some("dumb") => ColorChoice::Never,
        Color::Auto => ColorChoice::Auto,
    }
}

fn network(global: &GlobalArgs, environment: &ProcessEnvironment) -> Network {
    let cert = global.cert.clone().or_else(|| {
        // In the order in which requests, and with it pip, asks; SSL_CERT_FILE is OpenSSL's.
        ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"]
            .into_iter()
            .find_map(|variable| environment.get_path(variable))
    });
    Network {
        proxy: global.proxy.clone(),
        no_proxy: environment
            .get("no_proxy")
            .or_else(|| environment.get("NO_PROXY"))
            .map(str::to_owned),
        cert,
        client_cert: global.client_cert.clone(),
        trusted_hosts: global.trusted_host.clone(),
        retries: global
            .retries
            .max(global.resume_retries.unwrap_or_default()),
        timeout: global.timeout,
        netrc: netrc(environment),
        keyrings: keyrings(global.keyring_provider, !global.no_input, environment),
        offline: global.offline,
        system_proxy: !global.no_proxy_env,
    }
}

/// Where to look for a keyring, best first, as pip does. A keyring may ask questions of its own:
/// unless it is wished for, none is used where nobody is to be asked anything.
fn keyrings(
    provider: Option<KeyringProvider>,
    may_ask: bool,
    environment: &ProcessEnvironment,
) -> Vec<Keyring> {
    let provider = provider.unwrap_or_default();
    let program = || keyring_program(provider, environment).map(Keyring::Program);
    match provider {
        KeyringProvider::Auto if may_ask => {
            std::iter::once(Keyring::Module).chain(program()).collect()
        }
        KeyringProvider::Auto | KeyringProvider::Disabled => Vec::new(),
        KeyringProvider::Import => vec![Keyring::Module],
        KeyringProvider::Subprocess => program().into_iter().collect(),
    }
}

/// The program `keyring`. The active environment's stands for its module, which is asked first.
fn keyring_program(provider: KeyringProvider, environment: &ProcessEnvironment) -> Option<PathBuf> {
    let active = ["VIRTUAL_ENV", "CONDA_PREFIX"]
        .into_iter()
        .filter_map(|variable| environment.get_path(variable));
    let active: Vec<PathBuf> = active.collect();
    let name = if cfg!(windows) {
        "keyring.exe"
    } else {
        "keyring"
    };
    let folders = environment.get_os("PATH")?;
    std::env::split_paths(folders)
        .filter(|folder| {
            let is_of_environment = active.iter().any(|of| folder.starts_with(of));
            provider == KeyringProvider::Subprocess || !is_of_environment
        })
        .map(|folder| folder.join(name))
        .find(|program| program.is_absolute() && program.is_file())
}

/// `NETRC`, else `.netrc` (on Windows also `_netrc`) in the home folder.
fn netrc(environment: &ProcessEnvironment) -> Option<PathBuf> {
    if let Some(path) = environment.get_path("NETRC") {
        return Some(path);
    }
    let home = etcetera::home_dir().ok()?;
    [".netrc", "_netrc"]
        .into_iter()
        .map(|name| home.join(name))
        .find(|path| path.is_file())
}

/// `~/.local/share/bnbpip`, `%APPDATA%\bnbpip`.
fn default_data_dir(environment: &ProcessEnvironment) -> Option<PathBuf> {
    let base = environment
        .get_path("XDG_DATA_HOME")
        .filter(|path| path.is_absolute());
    let base = base.or_else(|| Some(etcetera::choose_base_strategy().ok()?.data_dir()))?;
    Some(base.join("bnbpip"))
}

/// `~/.local/state/bnbpip`, `%LOCALAPPDATA%\bnbpip\state`.
fn default_state_dir(environment: &ProcessEnvironment) -> Option<PathBuf> {
    let base = environment
        .get_path("XDG_STATE_HOME")
        .filter(|path| path.is_absolute());
    if let Some(base) = base {
        return Some(base.join("bnbpip"));
    }
    let strategy = etcetera::choose_base_strategy().ok()?;
    Some(match strategy.state_dir() {
        Some(base) => base.join("bnbpip"),
        // Windows has no folder for it alone.
        None => strategy.cache_dir().join("bnbpip").join("state"),
    })
}

/// `~/.cache/bnbpip`, `%LOCALAPPDATA%\bnbpip\cache`.
fn default_cache_dir(environment: &ProcessEnvironment) -> Option<PathBuf> {
    // Asked by hand first: the variable counts on every system, as it does for other tools.
    let base = environment
        .get_path("XDG_CACHE_HOME")
        .filter(|path| path.is_absolute());
    let base = base.or_else(|| Some(etcetera::choose_base_strategy().ok()?.cache_dir()))?;
    Some(if cfg!(windows) {
        base.join("bnbpip").join("cache")
    } else {
        base.join("bnbpip")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli;

    fn settings(line: &str, variables: &[(&str, &str)]) -> Settings {
        let mut variables = variables.to_vec();
        let null_device = if cfg!(windows) { "nul" } else { "/dev/null" };
        variables.push(("PIP_CONFIG_FILE", null_device));
        let environment = ProcessEnvironment::of(&variables);
        let line = line.split(' ').map(Into::into).collect();
        match cli::parse(line, &environment).unwrap() {
            cli::Parsed::Run(cli, _) => Settings::resolve(&cli.global, &environment),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_command_line_wins() {
        let variables = [
            ("PIP_TIMEOUT", "7"),
            ("PIP_DEFAULT_TIMEOUT", "8"),
            ("BNBPIP_RETRIES", "2"),
        ];
        let given = settings("bnbpip --timeout 9 list", &variables);
        assert_eq!(given.network.timeout, Duration::from_secs(9));
        assert_eq!(given.network.retries, 2);
        let given = settings("bnbpip list", &[("PIP_DEFAULT_TIMEOUT", "8.5")]);
        assert_eq!(given.network.timeout, Duration::from_millis(8500));
        assert_eq!(
            settings("bnbpip list", &[]).network.timeout,
            Duration::from_secs(15)
        );
    }

    #[test]
    fn verbosity_adds_up_on_both_sides_of_the_command() {
        assert_eq!(settings("bnbpip -v list -vv", &[]).verbosity, 3);
        assert_eq!(
            settings("bnbpip list -q -q", &[("PIP_VERBOSE", "1")]).verbosity,
            -1
        );
    }

    #[test]
    fn caches() {
        // Absolute, on each system in its own way.
        let folder = if cfg!(windows) { "C:\\x" } else { "/x" };
        let variables = [("PIP_CACHE_DIR", "/pips"), ("XDG_CACHE_HOME", folder)];
        let cache = settings("bnbpip list", &variables).cache_dir.unwrap();
        assert!(cache.starts_with(folder), "{cache:?}");
        assert!(settings("bnbpip list", &variables).has_usual_cache());
        assert!(!settings("bnbpip list --cache-dir /y", &variables).has_usual_cache());
        let variables = [("BNBPIP_CACHE_DIR", "/ours")];
        assert_eq!(
            settings("bnbpip list", &variables).cache_dir,
            Some("/ours".into())
        );
        // Any value: that is how pip reads it, and Dockerfiles rely on it.
        assert_eq!(
            settings("bnbpip list", &[("PIP_NO_CACHE_DIR", "off")]).cache_dir,
            None
        );
    }

    #[test]
    fn certificates_and_colour() {
        let variables = [
            ("SSL_CERT_FILE", "/s"),
            ("REQUESTS_CA_BUNDLE", "/r"),
            ("NO_COLOR", "1"),
        ];
        let given = settings("bnbpip list", &variables);
        assert_eq!(given.network.cert, Some("/r".into()));
        assert_eq!(given.color, ColorChoice::Never);
        let given = settings("bnbpip list --cert /c --color always", &variables);
        assert_eq!(given.network.cert, Some("/c".into()));
        assert_eq!(given.color, ColorChoice::Always);
        let given = settings("bnbpip list --isolated", &[("PIP_CERT", "/p")]);
        assert_eq!(given.network.cert, None);
    }
}
