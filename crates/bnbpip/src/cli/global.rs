//! The options that every command takes, before or after its name.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args};

use super::values::{self, Color, ExistsAction, KeyringProvider};

/// pip's names for what it tries out, and for what it once tried out.
const PIP_FEATURES: [&str; 6] = [
    "fast-deps",
    "inprocess-build-deps",
    "venv-isolation",
    "truststore",
    "no-binary-enable-wheel-cache",
    "build-constraint",
];

/// Those that pip itself does whether or not they are asked for.
const ALWAYS_ENABLED: [&str; 3] = [
    "build-constraint",
    "no-binary-enable-wheel-cache",
    "truststore",
];

/// Options that every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "General Options")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch on the command line"
)]
pub(crate) struct GlobalArgs {
    /// Show help.
    #[arg(short = 'h', long, global = true, action = ArgAction::HelpShort)]
    pub help: Option<bool>,

    /// Show version and exit.
    #[arg(short = 'V', long, global = true)]
    pub version: bool,

    /// The environment to work on: a Python interpreter, an environment's folder, or a version
    /// such as 3.11. Without it: the active virtual environment, conda's, then ./.venv.
    #[arg(long, global = true, value_name = "python")]
    pub python: Option<PathBuf>,

    /// Give more output. Can be used up to 3 times.
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,

    /// Give less output. Can be used up to 3 times (only warnings, only errors, nothing).
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub quiet: u8,

    /// Append everything that is said, with the time, to this file.
    #[arg(long, global = true, value_name = "path", aliases = ["log-file", "local-log"])]
    pub log: Option<PathBuf>,

    /// Never ask anything.
    #[arg(long, global = true)]
    pub no_input: bool,

    /// Ignore the environment variables that set options (`PIP_...`, `BNBPIP_...`), the user's
    /// pip.conf, and the project's configuration.
    #[arg(long, global = true)]
    pub isolated: bool,

    /// Refuse to work outside a virtual environment.
    #[arg(long, global = true, alias = "require-venv")]
    pub require_virtualenv: bool,

    /// Send requests through this proxy: `scheme://[user:password@]host:port`.
    #[arg(long, global = true, value_name = "proxy")]
    pub proxy: Option<String>,

    /// Pay no attention to the proxies that environment variables name.
    #[arg(long, global = true)]
    pub no_proxy_env: bool,

    /// Send a request again up to this many times when it fails for a passing reason.
    #[arg(long, global = true, value_name = "retries", default_value_t = 5)]
    pub retries: u32,

    /// Go on with a download that was cut up to this many times.
    #[arg(long, global = true, value_name = "resume_retries")]
    pub resume_retries: Option<u32>,

    /// Give up on a connection that is silent for this many seconds.
    #[arg(
        long, global = true, value_name = "sec", alias = "default-timeout",
        default_value = "15", value_parser = values::seconds
    )]
    pub timeout: Duration,

    /// What to do with a folder that is in the way of a checkout for `-e`: (s)witch it to the
    /// address, (i)gnore the address, (w)ipe the folder, (b)ack it up, or (a)bort.
    #[arg(long, global = true, value_name = "action", value_enum, action = ArgAction::Append)]
    pub exists_action: Vec<ExistsAction>,

    /// Don't check this host's certificate, and allow plain HTTP. Can be used multiple times.
    #[arg(long, global = true, value_name = "hostname", action = ArgAction::Append)]
    pub trusted_host: Vec<String>,

    /// Trust the certificates in this PEM file (or folder of files) instead of the system's.
    #[arg(long, global = true, value_name = "path")]
    pub cert: Option<PathBuf>,

    /// Show servers this client certificate: a PEM file with the certificate and its key.
    #[arg(long, global = true, value_name = "path")]
    pub client_cert: Option<PathBuf>,

    /// Who knows the password of a user that an index turned away; `auto` if nothing says it.
    #[arg(long, global = true, value_name = "keyring_provider", value_enum)]
    pub keyring_provider: Option<KeyringProvider>,

    /// Keep the cache in this folder.
    #[arg(long, global = true, value_name = "dir")]
    pub cache_dir: Option<PathBuf>,

    /// Neither read nor keep anything in the cache.
    #[arg(long, global = true)]
    pub no_cache_dir: bool,

    /// Do without the network: use what is cached.
    #[arg(long, global = true)]
    pub offline: bool,

    /// Accepted for pip's sake: bnbpip never looks for a newer version of itself.
    #[arg(long, global = true)]
    pub disable_pip_version_check: bool,

    /// Accepted for pip's sake: what pip tries out or phases out has no part here.
    #[arg(long, global = true, value_name = "feature", action = ArgAction::Append, value_parser = PIP_FEATURES)]
    pub use_feature: Vec<String>,

    /// Accepted for pip's sake, as --use-feature is.
    #[arg(long, global = true, value_name = "feature", action = ArgAction::Append, value_parser = ["legacy-resolver", "legacy-certs"])]
    pub use_deprecated: Vec<String>,

    /// Accepted for pip's sake: there are no exceptions to let through. `-vvv` tells more.
    #[arg(long, global = true)]
    pub debug: bool,

    /// Accepted for pip's sake: there is no such warning.
    #[arg(long, global = true, hide = true)]
    pub no_python_version_warning: bool,

    /// Don't use colour.
    #[arg(long, global = true)]
    pub no_color: bool,

    /// When to use colour.
    #[arg(long, global = true, value_name = "when", value_enum, default_value_t)]
    pub color: Color,
}

impl GlobalArgs {
    /// What is to be told about features that needn't be asked for.
    pub(super) fn notice(&self) -> Option<String> {
        let asked = |name: &&str| self.use_feature.iter().any(|feature| feature == name);
        let known: Vec<&str> = ALWAYS_ENABLED.into_iter().filter(asked).collect();
        (!known.is_empty()).then(|| {
            format!(
                "The following features are always enabled: {}.",
                known.join(", ")
            )
        })
    }
}
