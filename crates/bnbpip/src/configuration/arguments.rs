//! Environment variables and configuration files as arguments: `PIP_INDEX_URL=…`, or `index-url`
//! in a file, becomes `--index-url=…`, put before what the user typed after the subcommand's name.
//!
//! The arguments before the subcommand's name are moved behind it as well (each option that may
//! stand there may also stand behind), so that there is one list in which later wins.

mod without_effect;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Arg, ArgAction, Command};

use self::without_effect::without_effect;
use super::ProcessEnvironment;
use super::files::{FileSetting, FileSettings};
use crate::failure::{Failure, exit_code};

/// Options that only bnbpip has, or that mean something of pip's own when pip has them: pip's
/// variables don't set these. (`PIP_CACHE_DIR` is the place of pip's cache, not of ours.)
const NOT_FROM_PIP: &[&str] = &[
    "accelerator",
    "accelerator-index-url",
    "allow",
    "cache-dir",
    "color",
    "community",
    "community-catalog",
    "exclude-newer",
    "index",
    "index-for",
    "index-strategy",
    "link-mode",
    "mirror",
    "no-community",
    "offline",
    "pip-index-strategy",
    "python-platform",
    "torch-backend",
    "venv",
];

/// Options whose variable carries the value of the switch that they turn off, as with pip:
/// `PIP_NO_COMPILE=0` is what stops compilation.
const INVERTED_IN_PIP: &[&str] = &["no-compile", "no-warn-conflicts", "no-warn-script-location"];

/// Options that aren't settings.
const NEVER: &[&str] = &[
    "help",
    "version",
    "isolated",
    END_OF_PIP_SETTINGS,
    END_OF_SETTINGS,
];

/// Not typed by anybody: stands behind what pip's variables and files say, where the order of the
/// places of indexes depends on who named them.
const END_OF_PIP_SETTINGS: &str = "end-of-pip-settings";

/// The same, behind what our own variables say.
const END_OF_SETTINGS: &str = "end-of-settings";

/// The command line with the environment's and the files' settings put in, and what is to be told
/// about settings of which there is no such option.
#[derive(Debug)]
pub(crate) struct Configured {
    /// The arguments, the program's name first.
    pub arguments: Vec<OsString>,
    /// A sentence for each setting without effect.
    pub warnings: Vec<String>,
}

/// The command line with the settings put in. `root` must have been built.
///
/// # Errors
/// A variable or a file's setting whose value isn't one that its option takes: named, with exit
/// code 3 as pip's. A file that can't be read.
pub(crate) fn with_environment(
    command_line: Vec<OsString>,
    root: &Command,
    environment: &ProcessEnvironment,
) -> Result<Configured, Failure> {
    let Some((position, subcommand)) = find_subcommand(&command_line, root) else {
        return Ok(Configured {
            arguments: command_line,
            warnings: Vec::new(),
        });
    };
    let command = subcommand.get_name();
    let mut arguments = Vec::with_capacity(command_line.len() + 8);
    let mut given = command_line.into_iter();
    arguments.extend(given.by_ref().take(1));
    let before: Vec<OsString> = given.by_ref().take(position - 1).collect();
    arguments.extend(given.by_ref().take(1));
    let mut after: Vec<OsString> = given.collect();
    // A group of commands (`cache`) takes its settings behind the second word.
    let subcommand = match find_word(&after, 0, subcommand) {
        Some((position, nested)) => {
            arguments.push(after.remove(position));
            nested
        }
        None => subcommand,
    };
    let isolated = before
        .iter()
        .chain(&after)
        .any(|argument| argument == "--isolated");
    let python = typed_python(before.iter().chain(&after));
    let files = FileSettings::read(environment, isolated, python.as_deref())?;
    let variables = (!isolated).then_some(environment);
    let mut settings = Settings::default();
    for option in subcommand.get_arguments() {
        settings_of(option, command, variables, &files, &mut settings)?;
    }
    let has = |name: &str| {
        subcommand
            .get_arguments()
            .any(|it| it.get_long() == Some(name))
    };
    for (found, end) in [
        (settings.of_pip, END_OF_PIP_SETTINGS),
        (settings.own, END_OF_SETTINGS),
    ] {
        let marks = !found.is_empty() && has(end);
        arguments.extend(found);
        arguments.extend(marks.then(|| OsString::from(format!("--{end}"))));
    }
    arguments.extend(before);
    arguments.extend(after);
    Ok(Configured {
        arguments,
        warnings: without_effect(&files, command, subcommand, root),
    })
}

/// What variables and files say, as arguments.
#[derive(Default)]
struct Settings {
    /// pip's variables and files.
    of_pip: Vec<OsString>,
    /// Our variables.
    own: Vec<OsString>,
}

/// The value of `--python` on the command line.
fn typed_python<'a>(mut words: impl Iterator<Item = &'a OsString>) -> Option<PathBuf> {
    while let Some(word) = words.next() {
        match word.to_str() {
            Some("--python") => return words.next().map(PathBuf::from),
            Some("--") => return None,
            Some(text) => {
                if let Some(value) = text.strip_prefix("--python=") {
                    return Some(PathBuf::from(value));
                }
            }
            None => {}
        }
    }
    None
}

/// An option's long names.
fn names_of(option: &Arg) -> Vec<&str> {
    let mut names: Vec<&str> = option.get_long().into_iter().collect();
    names.extend(option.get_all_aliases().unwrap_or_default());
    names
}

/// The subcommand's place in the command line.
fn find_subcommand<'a>(
    command_line: &[OsString],
    root: &'a Command,
) -> Option<(usize, &'a Command)> {
    find_word(command_line, 1, root)
}

/// The place of the word that names a command of a group, from `position` on. Options may stand
/// before it: the group's own and, where it isn't the program itself, those of its commands.
fn find_word<'a>(
    words: &[OsString],
    mut position: usize,
    group: &'a Command,
) -> Option<(usize, &'a Command)> {
    let of_commands = group.get_subcommands().filter(|_| position == 0);
    let options: Vec<&Arg> = group
        .get_arguments()
        .chain(of_commands.flat_map(Command::get_arguments))
        .collect();
    while let Some(argument) = words.get(position) {
        let text = argument.to_str()?;
        if text == "--" {
            return None;
        }
        if let Some(long) = text.strip_prefix("--") {
            let takes_value = !long.contains('=')
                && options
                    .iter()
                    .find(|option| option.get_long().is_some_and(|name| name.starts_with(long)))
                    .is_some_and(|option| option.get_action().takes_values());
            position += if takes_value { 2 } else { 1 };
        } else if text.starts_with('-') {
            position += 1;
        } else {
            return group
                .find_subcommand(text)
                .map(|command| (position, command));
        }
    }
    None
}

/// Where a value was found.
enum Origin<'a> {
    /// An environment variable of this name.
    Variable(String),
    /// A configuration file.
    File(&'a FileSetting),
}

/// Adds the arguments for one option: pip's variable or else what the files say, then our
/// variable, which therefore wins.
fn settings_of(
    option: &Arg,
    command: &str,
    variables: Option<&ProcessEnvironment>,
    files: &FileSettings,
    settings: &mut Settings,
) -> Result<(), Failure> {
    let Some(long) = option.get_long().filter(|long| !NEVER.contains(long)) else {
        return Ok(());
    };
    let names = names_of(option);
    let of_pip: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| !NOT_FROM_PIP.contains(name))
        .collect();
    for (prefix, names) in [("PIP_", &of_pip), ("BNBPIP_", &names)] {
        let is_pip = prefix == "PIP_";
        let arguments = if is_pip {
            &mut settings.of_pip
        } else {
            &mut settings.own
        };
        let mut found = false;
        for name in names {
            let variable = format!("{prefix}{}", name.to_uppercase().replace('-', "_"));
            let Some(value) = variables.and_then(|variables| variables.get_os(&variable)) else {
                continue;
            };
            let origin = Origin::Variable(variable);
            let Some(value) = value.to_str() else {
                return Err(unusable(&origin, "it is not valid text"));
            };
            found = true;
            arguments_for(option, long, value, &origin, is_pip, arguments)?;
        }
        if is_pip
            && !found
            && let Some(setting) = files.value_of(command, names)
        {
            let origin = Origin::File(setting);
            arguments_for(option, long, &setting.value, &origin, true, arguments)?;
        }
    }
    Ok(())
}

fn arguments_for(
    option: &Arg,
    long: &str,
    value: &str,
    origin: &Origin<'_>,
    is_pip: bool,
    arguments: &mut Vec<OsString>,
) -> Result<(), Failure> {
    let flag = format!("--{long}");
    match option.get_action() {
        ArgAction::SetTrue | ArgAction::SetFalse => {
            let mut on = boolean(value).ok_or_else(|| not_a_boolean(origin, value))?;
            if is_pip && INVERTED_IN_PIP.contains(&long) {
                on = !on;
            }
            // pip takes any value of PIP_NO_CACHE_DIR for a wish to have no cache.
            if on || long == "no-cache-dir" {
                arguments.push(flag.into());
            }
        }
        ArgAction::Count => {
            let count = match value.trim().parse::<u8>() {
                Ok(count) => count.min(3),
                Err(_) => boolean(value)
                    .ok_or_else(|| not_a_boolean(origin, value))?
                    .into(),
            };
            arguments.extend(std::iter::repeat_n(OsString::from(flag), count.into()));
        }
        ArgAction::Append => {
            for part in value.split_whitespace() {
                arguments.push(checked(option, &flag, part, origin)?);
            }
        }
        _ => arguments.push(checked(option, &flag, value.trim(), origin)?),
    }
    Ok(())
}

/// `--option=value`, if the option takes the value.
fn checked(
    option: &Arg,
    flag: &str,
    value: &str,
    origin: &Origin<'_>,
) -> Result<OsString, Failure> {
    let alone = Arg::new(option.get_id().clone())
        .action(option.get_action().clone())
        .value_parser(option.get_value_parser().clone());
    Command::new("environment")
        .no_binary_name(true)
        .arg(alone)
        .try_get_matches_from(["--", value])
        .map_err(|error| {
            use std::error::Error as _;
            let reason = error.source().map_or_else(
                || format!("`{value}` is not one of its values"),
                |source| format!("`{value}`: {source}"),
            );
            unusable(origin, &reason)
        })?;
    Ok(OsString::from(format!("{flag}={value}")))
}

/// What pip takes for true and false.
fn boolean(value: &str) -> Option<bool> {
    match value.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" | "t" | "true" | "on" | "1" => Some(true),
        "n" | "no" | "f" | "false" | "off" | "0" => Some(false),
        _ => None,
    }
}

fn not_a_boolean(origin: &Origin<'_>, value: &str) -> Failure {
    // pip's code for booleans is another one than for other values.
    unusable(
        origin,
        &format!("`{value}` is not a boolean: use yes/no, true/false or 1/0"),
    )
    .exit_with(exit_code::USAGE)
}

fn unusable(origin: &Origin<'_>, reason: &str) -> Failure {
    let failure = match origin {
        Origin::Variable(variable) => Failure::new(format!(
            "Failed to read the environment variable `{variable}`: {reason}"
        ))
        .hint(format!(
            "correct or unset `{variable}`, or pass `--isolated` to ignore it"
        )),
        Origin::File(setting) => {
            let name = format!("{}.{}", setting.section, setting.option);
            let file = setting.file.display();
            Failure::new(format!(
                "Failed to read the setting `{name}` in `{file}`: {reason}"
            ))
            .hint(format!(
                "correct or remove `{}` in `{file}`",
                setting.option
            ))
        }
    };
    failure.exit_with(exit_code::ENVIRONMENT)
}

#[cfg(test)]
mod tests;
