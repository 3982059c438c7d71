//! Making output the same on every machine and in every run: paths, ports, times and sizes.

use std::path::Path;

use regex::{Captures, NoExpand, Regex};

/// Replacements that are applied to output in order.
#[derive(Debug, Clone, Default)]
pub struct Filters {
    replacements: Vec<(Regex, String)>,
}

impl Filters {
    /// Filters for what differs between runs anywhere: ports, durations, sizes, rates.
    pub fn new() -> Self {
        let mut filters = Self::default();
        if cfg!(windows) {
            // The system's own words, which differ between Windows, its languages and Wine.
            let absent = r"[^:`\n]+\. \(os error [23]\)";
            filters = filters.with(absent, " No such file or directory (os error 2)");
        }
        filters
            .with(r"(?:127\.0\.0\.1|localhost):\d+", "[HOST]")
            .with(r"\b\d+(?:\.\d+)? ?(?:[kMGT]i?B|B)/s\b", "[RATE]")
            .with(r"\b\d+(?:\.\d+)? ?(?:[kMGT]i?B|bytes?|B)\b", "[SIZE]")
            .with(r"\b\d+(?:\.\d+)? ?(?:ns|µs|ms|s|min)\b", "[TIME]")
    }

    /// Adds a replacement for a regular expression.
    ///
    /// # Panics
    /// If it isn't one.
    #[must_use]
    pub fn with(mut self, expression: &str, replacement: &str) -> Self {
        self.replacements
            .push((Regex::new(expression).unwrap(), replacement.to_string()));
        self
    }

    /// Adds a replacement for a path, however it is spelt: as it is, resolved, and on Windows
    /// with either kind of slash. The longest path has to be added first.
    #[must_use]
    pub fn with_path(self, path: &Path, replacement: &str) -> Self {
        let resolved = fs_err::canonicalize(path).ok();
        let spellings = [Some(path.to_path_buf()), resolved];
        let mut filters = self;
        for spelling in spellings.into_iter().flatten() {
            let text = spelling.display().to_string();
            let text = text.strip_prefix(r"\\?\").unwrap_or(&text);
            let pieces: Vec<String> = text.split(['/', '\\']).map(regex::escape).collect();
            // The program may show a path with its separators doubled, as in a string literal.
            filters = filters.with(&pieces.join(r"(?:/|\\\\?)"), replacement);
        }
        filters
    }

    /// The text with all replacements made, line ends as `\n`, and what follows the name of a
    /// replaced path as POSIX writes it.
    pub fn apply(&self, text: &str) -> String {
        let mut text = text.replace("\r\n", "\n");
        for (expression, replacement) in &self.replacements {
            text = expression
                .replace_all(&text, NoExpand(replacement))
                .into_owned();
        }
        if cfg!(windows) {
            with_slashes(&text)
        } else {
            text
        }
    }
}

/// Paths below a replaced one with the separators of POSIX: `[WORK]\a\b` as `[WORK]/a/b`.
fn with_slashes(text: &str) -> String {
    let path = Regex::new(r#"\[[A-Z-]+\](?:(?:\\\\?|/)[^\s\\/:*?"<>|`']+)+"#).unwrap();
    path.replace_all(text, |found: &Captures<'_>| {
        found[0].replace(r"\\", "/").replace('\\', "/")
    })
    .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let filters = Filters::new().with_path(folder.path(), "[TEMP]");
        let text = format!(
            "Wrote {}/a in 1.25 s (12.3 MB at 3 MB/s) from http://127.0.0.1:4711/simple/\r\n",
            folder.path().display()
        );
        assert_eq!(
            filters.apply(&text),
            "Wrote [TEMP]/a in [TIME] ([SIZE] at [RATE]) from http://[HOST]/simple/\n"
        );
    }

    #[test]
    fn paths_are_told_alike_on_all_systems() {
        for (windows, told) in [
            (r"read `[WORK]\a\b.toml` at", "read `[WORK]/a/b.toml` at"),
            (r#"{"in": "[TEMP]\\x\\y"}"#, r#"{"in": "[TEMP]/x/y"}"#),
            (r"`[a-z]\d` and a\b stay", r"`[a-z]\d` and a\b stay"),
        ] {
            assert_eq!(with_slashes(windows), told);
        }
    }

    #[test]
    fn versions_and_words_stay() {
        let text = "torch 2.4.1 and demo-1.0 need 3 packages";
        assert_eq!(Filters::new().apply(text), text);
    }
}
