//! pip's commands that bnbpip doesn't have: each is named, with what to do instead.

use crate::failure::Failure;

/// A command and what to do instead.
const COMMANDS: &[(&str, &str)] = &[(
    "search",
    "search on the index's web site: the index no longer answers searches",
)];

/// The failure for a command of pip's that isn't there.
pub(super) fn command(name: &str) -> Option<Failure> {
    let (_, instead) = COMMANDS.iter().find(|(command, _)| *command == name)?;
    Some(Failure::new(format!("The command `{name}` of pip is not supported yet")).hint(*instead))
}
