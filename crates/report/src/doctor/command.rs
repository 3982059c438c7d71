//! Commands as a person pastes them into a shell.

/// Whose quoting is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shell {
    /// `sh`, `bash`, `zsh`.
    Posix,
    /// `cmd.exe` and PowerShell: what both read alike.
    Windows,
}

impl Shell {
    /// The shells of the system that this program runs on.
    pub fn current() -> Self {
        if cfg!(windows) {
            Self::Windows
        } else {
            Self::Posix
        }
    }
}

/// The whole command: `bnbpip` with these arguments.
pub fn command_line(arguments: &[String], shell: Shell) -> String {
    let mut line = String::from("bnbpip");
    for argument in arguments {
        line.push(' ');
        line.push_str(&quoted(argument, shell));
    }
    line
}

/// An argument with the quotes that it needs.
pub fn quoted(argument: &str, shell: Shell) -> String {
    let is_plain = |character: char| {
        character.is_alphanumeric()
            || "-_./:=+,@~".contains(character)
            || (shell == Shell::Windows && character == '\\')
    };
    // PowerShell makes a list of `a,b`, and a leading `@` means something to it.
    let windows_list = shell == Shell::Windows && argument.contains([',', '@']);
    // Requirements are quoted although `a==1` need not be: a reader copies the habit.
    let is_requirement = !argument.starts_with('-') && argument.contains("==");
    if !argument.is_empty() && argument.chars().all(is_plain) && !windows_list && !is_requirement {
        return argument.to_owned();
    }
    match shell {
        Shell::Posix if argument.contains(['"', '$', '`', '\\', '!']) => {
            format!("'{}'", argument.replace('\'', r"'\''"))
        }
        // No argument of ours holds a double quote on Windows: file names can't.
        Shell::Posix | Shell::Windows => format!("\"{argument}\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_quoted_for_the_shell_that_reads_them() {
        for (argument, posix, windows) in [
            ("install", "install", "install"),
            ("--no-deps", "--no-deps", "--no-deps"),
            ("a>=1,<2", "\"a>=1,<2\"", "\"a>=1,<2\""),
            ("a==1.0", "\"a==1.0\"", "\"a==1.0\""),
            ("a!=1", "'a!=1'", "\"a!=1\""),
            (r"C:\ai\.venv", r"'C:\ai\.venv'", r"C:\ai\.venv"),
            ("~/my env", "\"~/my env\"", "\"~/my env\""),
            ("it's", "\"it's\"", "\"it's\""),
            ("a$b'c", r"'a$b'\''c'", "\"a$b'c\""),
            ("", "\"\"", "\"\""),
        ] {
            assert_eq!(quoted(argument, Shell::Posix), posix, "{argument}");
            assert_eq!(quoted(argument, Shell::Windows), windows, "{argument}");
        }
        assert_eq!(
            command_line(&["install".into(), "a<2".into()], Shell::Posix),
            "bnbpip install \"a<2\""
        );
    }
}
