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
            let extension = Path::new(name).extension().unwrap_or_default();
            let text = match extension.to_str() {
                Some("bat") => for_cmd(&text),
                Some("ps1") => for_powershell(text),
                _ => text,
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

/// Batch files are read in the console's code page. Lines that change it for the one after stand in
/// those alone that aren't ASCII.
fn for_cmd(text: &str) -> String {
    const MARK: &str = "@UTF-8@";
    let is_ascii = text.is_ascii();
    let lines = text
        .lines()
        .filter(|line| !(is_ascii && line.starts_with(MARK)));
    lines
        .flat_map(|line| [line.strip_prefix(MARK).unwrap_or(line), "\r\n"])
        .collect()
}

/// Windows' own PowerShell takes a file for one in the old code page unless it begins with UTF-8's mark.
fn for_powershell(text: String) -> String {
    if text.is_ascii() {
        text
    } else {
        format!("\u{feff}{text}")
    }
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

    #[test]
    fn text_beyond_ascii_is_read_as_what_it_is() {
        let root = Path::new("C:/Zoë/it's 100%");
        let written = |name: &str, prompt: &str| {
            let (_, template, quote) = WINDOWS.iter().find(|script| script.0 == name).unwrap();
            fill(template, root, "Scripts", prompt, *quote)
        };
        // The root isn't written down, so that a plain prompt leaves plain files.
        let plain = for_cmd(&written("activate.bat", "100%"));
        assert!(plain.is_ascii() && !plain.contains("chcp") && !plain.contains("@UTF-8@"));
        assert!(plain.contains("\r\nset \"VIRTUAL_ENV_PROMPT=100%%\"\r\n"));
        assert!(for_powershell(written("Activate.ps1", "env")).is_ascii());

        let batch = for_cmd(&written("activate.bat", "Zoë"));
        let prompt = "chcp.com\" 65001 >nul\r\nset \"VIRTUAL_ENV_PROMPT=Zoë\"\r\n\"";
        assert!(batch.contains(prompt), "{batch}");
        assert!(!batch.contains("@UTF-8@"));
        let powershell = for_powershell(written("Activate.ps1", "Zoë"));
        assert!(powershell.starts_with("\u{feff}#"), "{powershell}");
    }
}
