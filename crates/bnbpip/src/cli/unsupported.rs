//! pip's commands and options that bnbpip doesn't have yet: each is named, with what to do instead.

use crate::failure::{Failure, exit_code};

/// An option: its spellings and what to do instead.
type OptionEntry = (&'static [&'static str], &'static str);

const OPTIONS: &[OptionEntry] = &[];

/// A command and what to do instead.
const COMMANDS: &[(&str, &str)] = &[(
    "search",
    "search on the index's web site: the index no longer answers searches",
)];

/// The failure for an option of pip's that isn't there yet.
pub(super) fn option(given: &str) -> Option<Failure> {
    let name = given.split_once('=').map_or(given, |(name, _)| name);
    let (_, instead) = OPTIONS.iter().find(|(names, _)| names.contains(&name))?;
    let failure = Failure::new(format!("The option `{name}` of pip is not supported yet"));
    Some(failure.hint(*instead).exit_with(exit_code::USAGE))
}

/// The failure for a command of pip's that isn't there yet.
pub(super) fn command(name: &str) -> Option<Failure> {
    let (_, instead) = COMMANDS.iter().find(|(command, _)| *command == name)?;
    Some(Failure::new(format!("The command `{name}` of pip is not supported yet")).hint(*instead))
}
