//! Keyrings: programs of others that know passwords, asked as pip asks them.

use std::fmt::Debug;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use crate::netrc::Login;

/// Where a keyring may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keyring {
    /// Python's module `keyring`, in the environment that [`Asker::python`] names.
    Module,
    /// A program that answers `get <service> <user>` with a password.
    Program(PathBuf),
}

/// Who can be asked for what a server wants to know, and is told what goes on.
pub trait Asker: Debug + Send + Sync {
    /// The interpreter whose module `keyring` may know credentials.
    fn python(&self) -> Option<PathBuf>;
    /// The user's name on this host; `None` where nobody is to be asked, or nobody answers.
    fn user(&self, host: &str) -> Option<String>;
    /// The password of the user that was named.
    fn password(&self) -> Option<String>;
    /// Whether the keyring is to keep what was answered.
    fn may_save(&self) -> bool;
    /// What goes on.
    fn tell(&self, text: &str);
    /// A page is looked at, from its server or the cache: its address, without credentials.
    fn looks_at(&self, url: &str);
    /// What went wrong.
    fn warn(&self, text: &str);
}

/// A keyring that is there.
#[derive(Debug, Clone)]
pub(crate) enum Found {
    Module(PathBuf),
    Program(PathBuf),
}

/// The exit code of [`MODULE`] without a module `keyring`.
const NO_MODULE: i32 = 3;

/// What Python runs: `have`, `get <service> [<user>]` or `set <service> <user>`. The folder that is
/// worked in is no place for modules. A user and a password are answered as two lines.
const MODULE: &str = "\
import sys
sys.path[:] = [path for path in sys.path if path]
try:
    import keyring
except ImportError:
    sys.exit(3)
action, rest = sys.argv[1], sys.argv[2:]
try:
    if action == 'set':
        keyring.set_password(*rest, sys.stdin.buffer.readline().decode().rstrip('\\n'))
    elif action == 'get':
        service, user = rest[0], rest[1] if len(rest) > 1 else None
        pair = None
        if hasattr(keyring, 'get_credential'):
            found = keyring.get_credential(service, user)
            pair = found and (found.username, found.password)
        elif user is not None:
            password = keyring.get_password(service, user)
            pair = password and (user, password)
        if pair:
            sys.stdout.buffer.write('{}\\n{}\\n'.format(*pair).encode())
except Exception as error:
    sys.stderr.write('{}: {}\\n'.format(type(error).__name__, error))
    sys.exit(4)
";

impl Keyring {
    /// The keyring at this place, if there is one.
    pub(crate) fn find(&self, asker: Option<&dyn Asker>) -> Option<Found> {
        match self {
            Self::Program(path) => Some(Found::Program(path.clone())),
            Self::Module => {
                let python = asker?.python()?;
                let output = module(&python, &["have"]).stdin(Stdio::null()).output();
                output
                    .is_ok_and(|output| output.status.success())
                    .then_some(Found::Module(python))
            }
        }
    }
}

impl Found {
    /// What the keyring knows of a service. A program has to be told the user.
    ///
    /// # Errors
    /// When it can't be run, or fails rather than not to know.
    pub(crate) fn get(&self, service: &str, user: Option<&str>) -> io::Result<Option<Login>> {
        match self {
            Self::Program(path) => match user {
                Some(user) => password_of(path, service, user),
                None => Ok(None),
            },
            Self::Module(python) => {
                let arguments: Vec<&str> = ["get", service].into_iter().chain(user).collect();
                let output = module(python, &arguments)
                    .stderr(Stdio::inherit())
                    .output()?;
                succeeded(output.status)?;
                let answer = String::from_utf8(output.stdout).map_err(io::Error::other)?;
                let mut lines = answer.lines();
                Ok(lines
                    .next()
                    .zip(lines.next())
                    .map(|(user, password)| Login {
                        user: user.to_string(),
                        password: password.to_string(),
                    }))
            }
        }
    }

    /// Lets the keyring keep a password.
    ///
    /// # Errors
    /// When it doesn't.
    pub(crate) fn set(&self, service: &str, login: &Login) -> io::Result<()> {
        let arguments = ["set", service, &login.user];
        let mut command = match self {
            Self::Program(path) => program(path, &arguments),
            Self::Module(python) => module(python, &arguments),
        };
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()?;
        // A program that reads no password says so by its exit code.
        if let Some(mut stdin) = child.stdin.take() {
            let _not_read = stdin.write_all(format!("{}\n", login.password).as_bytes());
        }
        succeeded(child.wait()?)
    }
}

/// The password of a user, as the program prints it.
fn password_of(path: &Path, service: &str, user: &str) -> io::Result<Option<Login>> {
    // What looks like an option is no user.
    if user.is_empty() || user.starts_with('-') {
        return Ok(None);
    }
    let mut command = program(path, &["get", service, user]);
    // It may have to ask for its own password, on the terminal.
    let output = command.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Ok(None);
    }
    let password = String::from_utf8(output.stdout).map_err(io::Error::other)?;
    let password = password.trim_end_matches(['\r', '\n']);
    Ok((!password.is_empty()).then(|| Login {
        user: user.to_string(),
        password: password.to_string(),
    }))
}

fn program(path: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(path);
    command.args(arguments).stdin(Stdio::null());
    command.env("PYTHONIOENCODING", "utf-8");
    command
}

fn module(python: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(python);
    command.args(["-c", MODULE]).args(arguments);
    command
}

fn succeeded(status: ExitStatus) -> io::Result<()> {
    match status.code() {
        Some(0) => Ok(()),
        Some(NO_MODULE) => Err(io::Error::other("there is no module `keyring`")),
        _ => Err(io::Error::other(format!("it ended with {status}"))),
    }
}
