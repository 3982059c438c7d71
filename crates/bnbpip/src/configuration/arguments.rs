//! Environment variables as arguments: `PIP_INDEX_URL=…` becomes `--index-url=…`, put before what
//! the user typed after the subcommand's name.
//!
//! The arguments before the subcommand's name are moved behind it as well (each option that may
//! stand there may also stand behind), so that there is one list in which later wins.

use std::ffi::OsString;

use clap::{Arg, ArgAction, Command};

use super::ProcessEnvironment;
use crate::failure::{Failure, exit_code};

/// Options that only bnbpip has, or that mean something of pip's own when pip has them: pip's
/// variables don't set these. (`PIP_CACHE_DIR` is the place of pip's cache, not of ours.)
const NOT_FROM_PIP: &[&str] = &[
    "accelerator",
    "accelerator-index-url",
    "allow",
    "cache-dir",
    "color",
    "exclude-newer",
    "index-strategy",
    "link-mode",
    "offline",
    "python-platform",
    "torch-backend",
    "venv",
];

/// Options whose variable carries the value of the switch that they turn off, as with pip:
/// `PIP_NO_COMPILE=0` is what stops compilation.
const INVERTED_IN_PIP: &[&str] = &["no-compile", "no-warn-conflicts", "no-warn-script-location"];

/// Options that aren't settings.
const NEVER: &[&str] = &["help", "version", "isolated"];

/// The command line with the environment's settings put in. `root` must have been built.
///
/// # Errors
/// A variable whose value isn't one that its option takes: named, with exit code 3 as pip's.
pub(crate) fn with_environment(
    command_line: Vec<OsString>,
    root: &Command,
    environment: &ProcessEnvironment,
) -> Result<Vec<OsString>, Failure> {
    let Some((position, subcommand)) = find_subcommand(&command_line, root) else {
        return Ok(command_line);
    };
    let mut arguments = Vec::with_capacity(command_line.len() + 8);
    let mut given = command_line.into_iter();
    arguments.extend(given.by_ref().take(1));
    let before: Vec<OsString> = given.by_ref().take(position - 1).collect();
    arguments.extend(given.by_ref().take(1));
    let after: Vec<OsString> = given.collect();
    // A group of commands (`cache`) takes its settings behind the second word.
    let (subcommand, after) = match after.split_first() {
        Some((second, rest)) if subcommand.has_subcommands() => {
            let nested = second
                .to_str()
                .and_then(|name| subcommand.find_subcommand(name));
            match nested {
                Some(nested) => {
                    arguments.push(second.clone());
                    (nested, rest.to_vec())
                }
                None => (subcommand, after),
            }
        }
        _ => (subcommand, after),
    };
    if !before
        .iter()
        .chain(&after)
        .any(|argument| argument == "--isolated")
    {
        for option in subcommand.get_arguments() {
            settings_of(option, environment, &mut arguments)?;
        }
    }
    arguments.extend(before);
    arguments.extend(after);
    Ok(arguments)
}

/// The subcommand's place in the command line.
fn find_subcommand<'a>(
    command_line: &[OsString],
    root: &'a Command,
) -> Option<(usize, &'a Command)> {
    let mut position = 1;
    while let Some(argument) = command_line.get(position) {
        let text = argument.to_str()?;
        if text == "--" {
            return None;
        }
        if let Some(long) = text.strip_prefix("--") {
            let takes_value = !long.contains('=')
                && root
                    .get_arguments()
                    .find(|option| option.get_long().is_some_and(|name| name.starts_with(long)))
                    .is_some_and(|option| option.get_action().takes_values());
            position += if takes_value { 2 } else { 1 };
        } else if text.starts_with('-') {
            position += 1;
        } else {
            return root
                .find_subcommand(text)
                .map(|subcommand| (position, subcommand));
        }
    }
    None
}

/// Adds the arguments for one option: pip's variable first, then ours, which therefore wins.
fn settings_of(
    option: &Arg,
    environment: &ProcessEnvironment,
    arguments: &mut Vec<OsString>,
) -> Result<(), Failure> {
    let Some(long) = option.get_long().filter(|long| !NEVER.contains(long)) else {
        return Ok(());
    };
    let mut names = vec![long];
    names.extend(option.get_all_aliases().unwrap_or_default());
    for (prefix, is_pip) in [("PIP_", true), ("BNBPIP_", false)] {
        for name in &names {
            if is_pip && NOT_FROM_PIP.contains(name) {
                continue;
            }
            let variable = format!("{prefix}{}", name.to_uppercase().replace('-', "_"));
            let Some(value) = environment.get_os(&variable) else {
                continue;
            };
            let Some(value) = value.to_str() else {
                return Err(unusable(&variable, "it is not valid text"));
            };
            arguments_for(option, long, value, &variable, is_pip, arguments)?;
        }
    }
    Ok(())
}

fn arguments_for(
    option: &Arg,
    long: &str,
    value: &str,
    variable: &str,
    is_pip: bool,
    arguments: &mut Vec<OsString>,
) -> Result<(), Failure> {
    let flag = format!("--{long}");
    match option.get_action() {
        ArgAction::SetTrue | ArgAction::SetFalse => {
            let mut on = boolean(value).ok_or_else(|| not_a_boolean(variable, value))?;
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
                    .ok_or_else(|| not_a_boolean(variable, value))?
                    .into(),
            };
            arguments.extend(std::iter::repeat_n(OsString::from(flag), count.into()));
        }
        ArgAction::Append => {
            for part in value.split_whitespace() {
                arguments.push(checked(option, &flag, part, variable)?);
            }
        }
        _ => arguments.push(checked(option, &flag, value.trim(), variable)?),
    }
    Ok(())
}

/// `--option=value`, if the option takes the value.
fn checked(option: &Arg, flag: &str, value: &str, variable: &str) -> Result<OsString, Failure> {
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
            unusable(variable, &reason)
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

fn not_a_boolean(variable: &str, value: &str) -> Failure {
    // pip's code for booleans is another one than for other values.
    unusable(
        variable,
        &format!("`{value}` is not a boolean: use yes/no, true/false or 1/0"),
    )
    .exit_with(exit_code::USAGE)
}

fn unusable(variable: &str, reason: &str) -> Failure {
    Failure::new(format!(
        "Failed to read the environment variable `{variable}`: {reason}"
    ))
    .hint(format!(
        "correct or unset `{variable}`, or pass `--isolated` to ignore it"
    ))
    .exit_with(exit_code::ENVIRONMENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> Command {
        Command::new("bnbpip")
            .arg(Arg::new("python").long("python").global(true))
            .arg(
                Arg::new("verbose")
                    .short('v')
                    .long("verbose")
                    .action(ArgAction::Count)
                    .global(true),
            )
            .subcommand(
                Command::new("install")
                    .arg(
                        Arg::new("links")
                            .long("find-links")
                            .action(ArgAction::Append),
                    )
                    .arg(Arg::new("index").long("index-url").alias("pypi-url"))
                    .arg(Arg::new("pre").long("pre").action(ArgAction::SetTrue))
                    .arg(
                        Arg::new("no_compile")
                            .long("no-compile")
                            .action(ArgAction::SetTrue),
                    )
                    .arg(
                        Arg::new("timeout")
                            .long("timeout")
                            .value_parser(clap::value_parser!(u32)),
                    ),
            )
            .subcommand(Command::new("cache").subcommand(Command::new("dir")))
    }

    fn parse(line: &str, variables: &[(&str, &str)]) -> Result<String, Failure> {
        let mut root = root();
        root.build();
        let line = line.split(' ').map(OsString::from).collect();
        let arguments = with_environment(line, &root, &ProcessEnvironment::of(variables))?;
        let arguments: Vec<_> = arguments.iter().filter_map(|word| word.to_str()).collect();
        Ok(arguments.join(" "))
    }

    #[test]
    fn variables_come_before_what_was_typed() {
        let arguments = parse(
            "bnbpip -v install --find-links b x",
            &[
                ("PIP_FIND_LINKS", "a1 a2"),
                ("PIP_PRE", "yes"),
                ("BNBPIP_INDEX_URL", "u"),
            ],
        );
        assert_eq!(
            arguments.unwrap(),
            "bnbpip install --find-links=a1 --find-links=a2 --index-url=u --pre -v --find-links b x"
        );
    }

    #[test]
    fn an_options_value_is_no_subcommand() {
        assert_eq!(
            parse("bnbpip --python install install x", &[]).unwrap(),
            "bnbpip install --python install x"
        );
        assert_eq!(
            parse("bnbpip -v cache dir", &[("PIP_PYTHON", "p")]).unwrap(),
            "bnbpip cache dir --python=p -v"
        );
    }

    #[test]
    fn negative_switches_take_the_value_of_what_they_switch() {
        assert_eq!(
            parse("bnbpip install", &[("PIP_NO_COMPILE", "0")]).unwrap(),
            "bnbpip install --no-compile"
        );
        assert_eq!(
            parse("bnbpip install", &[("PIP_NO_COMPILE", "1")]).unwrap(),
            "bnbpip install"
        );
    }

    #[test]
    fn isolation_and_empty_values() {
        let line = "bnbpip install --isolated";
        assert_eq!(parse(line, &[("PIP_PRE", "1")]).unwrap(), line);
        assert_eq!(
            parse("bnbpip install", &[("PIP_INDEX_URL", "")]).unwrap(),
            "bnbpip install"
        );
    }

    #[test]
    fn bad_values_are_named() {
        let failure = parse("bnbpip install", &[("PIP_TIMEOUT", "soon")]).unwrap_err();
        assert_eq!(failure.exit_code(), 3);
        assert!(failure.messages()[0].contains("PIP_TIMEOUT"), "{failure:?}");
        let failure = parse("bnbpip install", &[("PIP_PRE", "maybe")]).unwrap_err();
        assert!(
            failure.messages()[0].contains("`maybe` is not a boolean"),
            "{failure:?}"
        );
    }
}
