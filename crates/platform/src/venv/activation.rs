//! The scripts that put an environment's programs first on `PATH` in a shell, and undo that.

use std::io;
use std::path::Path;

use super::Plan;
use crate::layout::LayoutOs;

/// A script: file name, text with `@…@` places, and how its shell quotes.
type Script = (&'static str, &'static str, fn(&str) -> String);

const POSIX: &[Script] = &[
    ("activate", include_str!("activate/activate.sh"), quote_sh),
    (
        "activate.fish",
        include_str!("activate/activate.fish"),
        quote_fish,
    ),
    (
        "activate.csh",
        include_str!("activate/activate.csh"),
        quote_csh,
    ),
    (
        "Activate.ps1",
        include_str!("activate/Activate.ps1"),
        quote_powershell,
    ),
];

const WINDOWS: &[Script] = &[
    ("activate", include_str!("activate/activate.sh"), quote_sh),
    (
        "activate.fish",
        include_str!("activate/activate.fish"),
        quote_fish,
    ),
    (
        "Activate.ps1",
        include_str!("activate/Activate.ps1"),
        quote_powershell,
    ),
    (
        "activate.bat",
        include_str!("activate/activate.bat"),
        quote_batch,
    ),
    (
        "deactivate.bat",
        include_str!("activate/deactivate.bat"),
        quote_batch,
    ),
];

impl Plan<'_> {
    pub(super) fn write_activation(&self) -> io::Result<()> {
        let scripts = match self.os {
            LayoutOs::Posix => POSIX,
            LayoutOs::Windows => WINDOWS,
        };
        let folder = &self.scheme.scripts;
        let bin_name = folder.file_name().unwrap_or_default().to_string_lossy();
        for (name, template, quote) in scripts {
            let text = fill(template, &self.root, &bin_name, &self.prompt(), *quote);
            let is_batch = Path::new(name).extension().is_some_and(|e| e == "bat");
            let text = if is_batch {
                text.replace('\n', "\r\n")
            } else {
                text
            };
            fs_err::write(folder.join(name), text)?;
        }
        Ok(())
    }
}

fn fill(
    template: &str,
    root: &Path,
    bin_name: &str,
    prompt: &str,
    quote: fn(&str) -> String,
) -> String {
    template
        .replace("@ROOT@", &quote(&root.to_string_lossy()))
        .replace("@BIN@", bin_name)
        .replace("@PROMPT@", &quote(prompt))
}

fn quote_sh(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn quote_fish(text: &str) -> String {
    format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'"))
}

/// csh expands `!` even in single quotes.
fn quote_csh(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''").replace('!', r"\!"))
}

fn quote_powershell(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// `set "name=value"` takes all but `%`; a quote can't be in a Windows path.
fn quote_batch(text: &str) -> String {
    text.replace('%', "%%").replace('"', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn awkward_paths_are_quoted() {
        assert_eq!(quote_sh("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(quote_fish(r"it's \n"), r"'it\'s \\n'");
        assert_eq!(quote_csh("hey!"), r"'hey\!'");
        assert_eq!(quote_powershell("it's"), "'it''s'");
        assert_eq!(quote_batch("100%"), "100%%");
    }

    #[test]
    fn no_place_is_left_open() {
        for (name, template, quote) in POSIX.iter().chain(WINDOWS) {
            let text = fill(template, Path::new("/x"), "bin", "x", *quote);
            for place in ["@ROOT@", "@BIN@", "@PROMPT@"] {
                assert!(!text.contains(place), "{place} in {name}");
            }
        }
    }
}
