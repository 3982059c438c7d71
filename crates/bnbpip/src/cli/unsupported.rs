//! pip's commands and options that bnbpip doesn't have yet: each is named, with what to do instead.

use crate::failure::{Failure, exit_code};

/// An option: its spellings and what to do instead.
type OptionEntry = (&'static [&'static str], &'static str);

const OPTIONS: &[OptionEntry] = &[
    (
        &["--src"],
        "check the project out yourself, and install its folder with `-e`",
    ),
    (
        &["--group"],
        "put the group's requirements into a file and use `-r`",
    ),
    (
        &["--requirements-from-script"],
        "put the script's dependencies into a requirements file and use `-r`",
    ),
    (
        &["--only-deps", "--only-dependencies"],
        "put the dependencies into a requirements file and use `-r`",
    ),
    (
        &["--check-build-dependencies"],
        "leave it out: a build without isolation says what it lacks",
    ),
    (
        &["--no-clean"],
        "leave it out, and build in a folder of your own to see what a build leaves",
    ),
    (
        &["--all-releases"],
        "use `--pre` to include the pre-releases of all packages",
    ),
    (
        &["--only-final"],
        "leave it out: pre-releases aren't chosen unless asked for",
    ),
    (
        &["--refresh-package"],
        "run `bnbpip cache purge`, or use `--no-cache-dir`",
    ),
    (
        &["--keyring-provider"],
        "put credentials into the index URL or into a `.netrc` file",
    ),
    (&["--debug"], "use `-vvv`, or `--log FILE`"),
    (
        &["--exists-action"],
        "leave it out: bnbpip never checks out over a folder that exists",
    ),
    (
        &["--resume-retries"],
        "use `--retries`: downloads that are cut are resumed",
    ),
    (
        &["--no-proxy-env"],
        "unset `HTTP_PROXY` and `HTTPS_PROXY` for the run",
    ),
    (
        &["--use-feature", "--use-deprecated"],
        "leave it out: pip's switches mean nothing to bnbpip",
    ),
    (
        &["--no-python-version-warning"],
        "leave it out: bnbpip has no such warning",
    ),
];

/// A command and what to do instead.
const COMMANDS: &[(&str, &str)] = &[
    (
        "config",
        "set options through environment variables: `PIP_...` as for pip, or `BNBPIP_...`",
    ),
    (
        "search",
        "search on the index's web site: the index no longer answers searches",
    ),
];

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
