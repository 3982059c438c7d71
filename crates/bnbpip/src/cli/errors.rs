//! clap's errors in pip's words and with pip's exit codes.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, Error, ErrorKind};
use clap::{Arg, Command};

use super::usage;
use crate::failure::Failure;

/// The failure that an error on the command line is.
///
/// `root` is the built definition, `words` the path of subcommands that was being read.
pub(super) fn failure_of(
    error: &Error,
    root: &Command,
    words: &[&str],
    command_line: &[OsString],
) -> Failure {
    let mut command = root;
    for word in words {
        command = command.find_subcommand(word).unwrap_or(command);
    }
    let usage = usage::error_usage(words);
    let argument = text(error, ContextKind::InvalidArg).unwrap_or_default();
    // clap shows an option with its placeholder: `--timeout <sec>`.
    let option = argument.split([' ', '=']).next().unwrap_or_default();
    let option = &as_typed(option, command, command_line);
    match error.kind() {
        ErrorKind::InvalidSubcommand if words.is_empty() => {
            let name = text(error, ContextKind::InvalidSubcommand).unwrap_or_default();
            unknown_command(&name, root)
        }
        ErrorKind::InvalidSubcommand | ErrorKind::MissingSubcommand => need_an_action(),
        ErrorKind::UnknownArgument if words == ["cache"] && !argument.starts_with('-') => {
            need_an_action()
        }
        ErrorKind::UnknownArgument
            if words.first() == Some(&"cache") && !argument.starts_with('-') =>
        {
            Failure::new("Too many arguments")
        }
        ErrorKind::UnknownArgument => unknown_option(&argument, command, usage),
        ErrorKind::InvalidValue => {
            let value = text(error, ContextKind::InvalidValue).unwrap_or_default();
            let choices = list(error, ContextKind::ValidValue);
            if value.is_empty() {
                Failure::usage(usage, format!("{option} option requires 1 argument"))
            } else {
                let choices: Vec<_> = choices.iter().map(|choice| format!("'{choice}'")).collect();
                let choices = choices.join(", ");
                Failure::usage(
                    usage,
                    format!("option {option}: invalid choice: '{value}' (choose from {choices})"),
                )
            }
        }
        ErrorKind::ValueValidation => {
            use std::error::Error as _;
            let value = text(error, ContextKind::InvalidValue).unwrap_or_default();
            let reason = error.source().map(ToString::to_string).unwrap_or_default();
            match option.as_str() {
                "--python-version" => Failure::usage(
                    usage,
                    format!("invalid --python-version value: '{value}': {reason}"),
                ),
                // So pip says it of the options that it reads by itself.
                "--group" | "--uploaded-prior-to" => {
                    Failure::usage(usage, format!("{option} error: {reason}"))
                }
                _ => Failure::usage(usage, format!("option {option}: {reason}")),
            }
        }
        ErrorKind::TooManyValues => {
            Failure::usage(usage, format!("{option} option does not take a value"))
        }
        ErrorKind::ArgumentConflict => {
            let others = list(error, ContextKind::PriorArg);
            let other = others.first().map(String::as_str).unwrap_or_default();
            let other = other.split([' ', '=']).next().unwrap_or_default();
            Failure::new(format!("Can not combine '{option}' and '{other}'"))
        }
        ErrorKind::MissingRequiredArgument => {
            let missing = list(error, ContextKind::InvalidArg).join(", ");
            Failure::usage(usage, format!("missing: {missing}"))
        }
        ErrorKind::InvalidUtf8 => Failure::usage(usage, "an argument is not valid Unicode"),
        _ => {
            let message = error.to_string();
            let message = message.lines().next().unwrap_or_default();
            Failure::usage(usage, message.trim_start_matches("error: "))
        }
    }
}

/// The spelling of an option that was typed: `-r` where `--requirement` wasn't.
fn as_typed(option: &str, command: &Command, command_line: &[OsString]) -> String {
    let typed = |begin: &str| {
        let mut words = command_line.iter().filter_map(|word| word.to_str());
        words.any(|word| word.starts_with(begin))
    };
    let long = option.trim_start_matches("--");
    let known = command.get_arguments();
    let mut known = known.filter(|known| known.get_long() == Some(long));
    match known.next().and_then(Arg::get_short) {
        Some(short) if !typed(option) && typed(&format!("-{short}")) => format!("-{short}"),
        _ => option.to_owned(),
    }
}

fn need_an_action() -> Failure {
    Failure::new("Need an action (dir, info, list, purge, remove) to perform.")
}

/// The failure for a command that isn't there, with the nearest one that is.
pub(super) fn unknown_command(name: &str, root: &Command) -> Failure {
    let names = root.get_subcommands().map(Command::get_name);
    match nearest(name, names) {
        Some(meant) => Failure::new(format!(
            "unknown command \"{name}\" - maybe you meant \"{meant}\""
        )),
        None => Failure::new(format!("unknown command \"{name}\"")),
    }
}

fn unknown_option(argument: &str, command: &Command, usage: String) -> Failure {
    if !argument.starts_with('-') {
        return Failure::usage(usage, format!("unexpected argument: {argument}"));
    }
    let option = argument.split('=').next().unwrap_or(argument);
    let name = option.trim_start_matches('-');
    let known: Vec<&str> = command
        .get_arguments()
        .filter(|known| !known.is_hide_set())
        .filter_map(clap::Arg::get_long)
        .collect();
    if option.starts_with("--") {
        let mut begun: Vec<_> = known
            .iter()
            .filter(|known| known.starts_with(name))
            .collect();
        begun.sort();
        if begun.len() > 1 {
            let begun: Vec<_> = begun.iter().map(|name| format!("--{name}")).collect();
            let begun = begun.join(", ");
            return Failure::usage(usage, format!("ambiguous option: {option} ({begun}?)"));
        }
    }
    let failure = Failure::usage(usage, format!("no such option: {option}"));
    match nearest(name, known.into_iter()) {
        Some(meant) if option.starts_with("--") => {
            failure.hint(format!("the nearest option is `--{meant}`"))
        }
        _ => failure,
    }
}

/// The name that is most like what was typed, if any is like it at all.
fn nearest<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    names
        .map(|name| {
            let by_letters = strsim::normalized_damerau_levenshtein(typed, name);
            // A beginning (`inst`) is far from the whole by letters.
            (by_letters.max(strsim::sorensen_dice(typed, name)), name)
        })
        .filter(|(likeness, _)| *likeness >= 0.6)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, name)| name)
}

fn text(error: &Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) => texts.first().cloned(),
        _ => None,
    }
}

fn list(error: &Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::Strings(texts)) => texts.clone(),
        Some(ContextValue::String(text)) => vec![text.clone()],
        _ => Vec::new(),
    }
}
