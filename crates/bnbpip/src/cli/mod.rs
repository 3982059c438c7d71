//! The command line: what may be typed, in pip's words.
//!
//! Defined with clap, with two differences that pip's users expect: errors read and exit as pip's
//! do ([`errors`]), and each long option can be abbreviated.

pub(crate) mod audit;
pub(crate) mod build;
pub(crate) mod bundle;
pub(crate) mod cache;
pub(crate) mod config;
pub(crate) mod doctor;
pub(crate) mod download;
pub(crate) mod environment;
mod errors;
pub(crate) mod global;
pub(crate) mod hash;
pub(crate) mod history;
pub(crate) mod index;
pub(crate) mod index_command;
pub(crate) mod install;
pub(crate) mod lock;
pub(crate) mod lock_tools;
pub(crate) mod resolve;
pub(crate) mod rules;
pub(crate) mod rules_scan;
pub(crate) mod shell;
pub(crate) mod tree;
mod usage;
pub(crate) mod values;
pub(crate) mod wheel;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::configuration::{ProcessEnvironment, arguments};
use crate::failure::Failure;

pub(crate) use audit::AuditArgs;
pub(crate) use bundle::BundleArgs;
pub(crate) use cache::CacheArgs;
pub(crate) use config::ConfigArgs;
pub(crate) use doctor::DoctorArgs;
pub(crate) use download::DownloadArgs;
pub(crate) use environment::{
    CheckArgs, FreezeArgs, InspectArgs, ListArgs, ShowArgs, UninstallArgs, VenvArgs,
};
pub(crate) use global::GlobalArgs;
pub(crate) use hash::HashArgs;
pub(crate) use history::{HistoryArgs, UndoArgs};
pub(crate) use index_command::IndexCommandArgs;
pub(crate) use install::InstallArgs;
pub(crate) use lock::{LockArgs, SyncArgs};
pub(crate) use shell::{CompletionArgs, DebugArgs, SearchArgs};
pub(crate) use tree::{TreeArgs, WhyArgs};
pub(crate) use usage::error_usage;
pub(crate) use wheel::WheelArgs;

/// Installs Python packages, and knows which of them work together on a GPU.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "bnbpip",
    disable_help_flag = true,
    disable_version_flag = true,
    disable_help_subcommand = true,
    infer_long_args = true,
    args_override_self = true,
    subcommand_help_heading = "Commands",
    subcommand_value_name = "command",
    help_template = TEMPLATE,
    max_term_width = 100
)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Options that every command takes.
    #[command(flatten)]
    pub global: GlobalArgs,
}

/// What to do.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Command {
    /// Install packages.
    Install(Box<InstallArgs>),
    /// Download packages.
    Download(Box<DownloadArgs>),
    /// Build wheels from requirements.
    Wheel(Box<WheelArgs>),
    /// Write down exact versions and files for several environments.
    Lock(Box<LockArgs>),
    /// Fill a folder with all that a machine without network needs.
    #[command(alias = "vendor")]
    Bundle(Box<BundleArgs>),
    /// Make an environment what a lock file says.
    Sync(Box<SyncArgs>),
    /// Uninstall packages.
    Uninstall(UninstallArgs),
    /// Output installed packages in requirements format.
    Freeze(FreezeArgs),
    /// List installed packages.
    List(Box<ListArgs>),
    /// Show information about installed packages.
    Show(ShowArgs),
    /// Show who requires whom, as a tree.
    Tree(TreeArgs),
    /// Show why packages are installed or locked.
    Why(WhyArgs),
    /// Look for known vulnerabilities in what is installed or locked.
    Audit(AuditArgs),
    /// Inspect the Python environment.
    Inspect(InspectArgs),
    /// Verify that installed packages have what they require and don't break a rule.
    Check(CheckArgs),
    /// Find out what is wrong with an environment, and mend it.
    Doctor(Box<DoctorArgs>),
    /// Show what bnbpip has changed in an environment.
    History(HistoryArgs),
    /// Take back the last changes of an environment.
    Undo(UndoArgs),
    /// Make a virtual environment.
    Venv(VenvArgs),
    /// Show, check and verify the rules about packages that don't work together.
    Rules(Box<rules::RulesArgs>),
    /// Inspect information available from package indexes.
    Index(Box<IndexCommandArgs>),
    /// Inspect and manage the cache.
    Cache(CacheArgs),
    /// Show and change the configuration.
    Config(ConfigArgs),
    /// Search an index for packages: indexes no longer answer.
    #[command(hide = true)]
    Search(SearchArgs),
    /// Compute hashes of package archives.
    Hash(HashArgs),
    /// Print the code for completion in a shell.
    Completion(CompletionArgs),
    /// Show information useful for debugging.
    Debug(DebugArgs),
    /// Show help for a command.
    Help(HelpArgs),
}

/// `bnbpip help`.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Help Options")]
pub(crate) struct HelpArgs {
    /// The command.
    #[arg(value_name = "command", help_heading = None)]
    pub(crate) command: Option<String>,

    /// Write the manual pages of all commands into this folder.
    #[arg(long, value_name = "dir", conflicts_with = "command")]
    pub(crate) man: Option<PathBuf>,
}

const TEMPLATE: &str = "
Usage:
{usage}

Description:
  {about}

{all-args}
";

/// What the command line comes to.
#[derive(Debug)]
pub(crate) enum Parsed {
    /// Something to run, and what to tell about settings without effect.
    Run(Box<Cli>, Vec<String>),
    /// A text to show: help.
    Show(String),
    /// The version is asked for.
    Version(Box<Cli>),
}

/// The definition, complete with usage lines.
pub(crate) fn definition() -> clap::Command {
    let mut root = with_usage(Cli::command(), &[]);
    root.build();
    root
}

/// The definition without what is made for a terminal.
pub(crate) fn plain_definition() -> clap::Command {
    Cli::command()
}

fn with_usage(command: clap::Command, words: &[&str]) -> clap::Command {
    let mut command = command
        .override_usage(usage::usage(words))
        .help_template(TEMPLATE)
        .mut_args(takes_next_word);
    let names: Vec<String> = command
        .get_subcommands()
        .map(|nested| nested.get_name().to_owned())
        .collect();
    for name in names {
        let words = [words, &[&name]].concat();
        command = command.mut_subcommand(&name, |nested| with_usage(nested, &words));
    }
    command
}

/// An option that needs a value takes the next word, whatever it begins with, as optparse does:
/// `-C --build-option=--debug`.
fn takes_next_word(option: clap::Arg) -> clap::Arg {
    let values = option.get_num_args();
    let is_needed = values.is_none_or(|values| values == clap::builder::ValueRange::SINGLE);
    if option.is_positional() || !option.get_action().takes_values() || !is_needed {
        return option;
    }
    option.allow_hyphen_values(true)
}

/// Reads the command line, with the environment's settings put in.
///
/// # Errors
/// When it, or a setting, can't be understood.
pub(crate) fn parse(
    command_line: Vec<OsString>,
    environment: &ProcessEnvironment,
) -> Result<Parsed, Failure> {
    let mut root = definition();
    let arguments::Configured {
        arguments: command_line,
        warnings,
    } = arguments::with_environment(command_line, &root, environment)?;
    let words = command_words(&command_line, &root);
    let matches = match root.try_get_matches_from_mut(&command_line) {
        Ok(matches) => matches,
        Err(error) if error.kind() == ErrorKind::DisplayHelp => {
            return Ok(Parsed::Show(help_text(&error.to_string())));
        }
        Err(error) => {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            return Err(errors::failure_of(&error, &root, &words, &command_line));
        }
    };
    let mut cli = Cli::from_arg_matches(&matches)
        .map_err(|error| errors::failure_of(&error, &root, &[], &command_line))?;
    let warnings = warnings.into_iter().chain(cli.global.notice()).collect();
    if cli.global.version {
        return Ok(Parsed::Version(Box::new(cli)));
    }
    match (&mut cli.command, matches.subcommand()) {
        (None, _) => return help(&mut root, None),
        (Some(Command::Help(help_of)), _) if help_of.man.is_none() => {
            return help(&mut root, help_of.command.as_deref());
        }
        (Some(Command::Install(install)), Some((_, matches))) => {
            install.resolve.index.note_order(matches);
        }
        (Some(Command::Download(download)), Some((_, matches))) => {
            download.resolve.index.note_order(matches);
        }
        (Some(Command::List(list)), Some((_, matches))) => list.index.note_order(matches),
        (Some(Command::Index(index)), Some((_, matches))) => index.index.note_order(matches),
        (Some(Command::Wheel(wheel)), Some((_, matches))) => {
            wheel.resolve.index.note_order(matches);
        }
        (Some(Command::Sync(sync)), Some((_, matches))) => sync.index.note_order(matches),
        (Some(Command::Bundle(bundle)), Some((_, matches))) => {
            bundle.resolve.index.note_order(matches);
        }
        (Some(Command::Lock(lock)), Some((_, matches))) => {
            lock.resolve.index.note_order(matches);
        }
        _ => {}
    }
    Ok(Parsed::Run(Box::new(cli), warnings))
}

/// The command and, in a group, the second word; for the usage above an error.
fn command_words(command_line: &[OsString], root: &clap::Command) -> Vec<String> {
    let mut words = Vec::new();
    let mut command = root;
    // Options have been moved behind the command's words.
    for word in command_line.iter().skip(1) {
        let found = word.to_str().and_then(|word| command.find_subcommand(word));
        let Some(found) = found else { break };
        words.push(found.get_name().to_owned());
        command = found;
    }
    words
}

/// The help of a command, or of all.
fn help(root: &mut clap::Command, name: Option<&str>) -> Result<Parsed, Failure> {
    let Some(name) = name else {
        return Ok(Parsed::Show(help_text(&root.render_help().to_string())));
    };
    match root.find_subcommand_mut(name) {
        Some(command) => Ok(Parsed::Show(help_text(&command.render_help().to_string()))),
        None => Err(errors::unknown_command(name, root)),
    }
}

/// clap ends its help with a line break; so does the printer.
fn help_text(text: &str) -> String {
    text.trim_end().to_owned()
}
