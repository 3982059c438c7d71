//! The form of pip's configuration files: sections, `key = value`, values over several indented
//! lines, and lines of comment; read as Python's `configparser.RawConfigParser` reads them.

use rustc_hash::FxHashSet;

/// A key of a section and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The section's name.
    pub section: String,
    /// The key as it is written.
    pub key: String,
    /// The value; the lines of one over several are separated by line breaks.
    pub value: String,
}

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum IniError {
    /// A setting before the first `[section]`.
    #[error("line {line}: `{text}` stands in no section")]
    NoSection {
        /// The line's number, from 1.
        line: usize,
        /// The line.
        text: String,
    },
    /// Neither a section nor a setting.
    #[error("line {line}: `{text}` is no `key = value`")]
    NotASetting {
        /// The line's number, from 1.
        line: usize,
        /// The line.
        text: String,
    },
    /// A key or a section that was there before.
    #[error("line {line}: `{name}` is there twice")]
    Twice {
        /// The line's number, from 1.
        line: usize,
        /// The key, or the section in brackets.
        name: String,
    },
}

/// The settings in the order in which they stand in a file.
///
/// # Errors
/// The first line that doesn't fit.
pub(crate) fn parse(text: &str) -> Result<Vec<Entry>, IniError> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut seen = FxHashSet::default();
    let mut section: Option<String> = None;
    // Where a key stands, its value goes on in lines that are indented more.
    let mut key_indent: Option<usize> = None;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (index, raw) in text.lines().enumerate() {
        let line = index + 1;
        let content = raw.trim();
        if content.is_empty() || content.starts_with(['#', ';']) {
            continue;
        }
        let indent = raw.len() - raw.trim_start().len();
        if key_indent.is_some_and(|of_key| indent > of_key)
            && let Some(entry) = entries.last_mut()
        {
            entry.value.push('\n');
            entry.value.push_str(content);
            continue;
        }
        key_indent = None;
        if let Some(name) = section_name(content) {
            if !seen.insert((name.to_owned(), None)) {
                let name = format!("[{name}]");
                return Err(IniError::Twice { line, name });
            }
            section = Some(name.to_owned());
            continue;
        }
        let text = content.to_owned();
        let Some(section) = section.clone() else {
            return Err(IniError::NoSection { line, text });
        };
        let Some((key, value)) = content
            .split_once(['=', ':'])
            .map(|(key, value)| (key.trim(), value.trim()))
            .filter(|(key, _)| !key.is_empty())
        else {
            return Err(IniError::NotASetting { line, text });
        };
        let (key, value) = (key.to_owned(), value.to_owned());
        if !seen.insert((section.clone(), Some(key.to_lowercase()))) {
            return Err(IniError::Twice { line, name: key });
        }
        key_indent = Some(indent);
        entries.push(Entry {
            section,
            key,
            value,
        });
    }
    Ok(entries)
}

/// `[name]`, whatever stands behind it.
fn section_name(content: &str) -> Option<&str> {
    let (name, _) = content.strip_prefix('[')?.rsplit_once(']')?;
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match parse(text) {
            Ok(entries) => entries
                .iter()
                .map(|entry| format!("{}.{}={:?}", entry.section, entry.key, entry.value))
                .collect::<Vec<_>>()
                .join(" "),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn sections_keys_and_comments() {
        let text = "\u{feff}# of us all\r\n[global]\r\nindex-url = https://a/simple?x=1#y\r\n; no\r\n\
            timeout: 3\r\n[install]\r\nempty =\r\n";
        assert_eq!(
            shown(text),
            "global.index-url=\"https://a/simple?x=1#y\" global.timeout=\"3\" install.empty=\"\""
        );
    }

    #[test]
    fn values_over_several_lines() {
        let text = "[global]\nfind-links =\n    a\n\n    # none\n    b = c\nretries = 2\n";
        assert_eq!(
            shown(text),
            "global.find-links=\"\\na\\nb = c\" global.retries=\"2\""
        );
    }

    #[test]
    fn what_does_not_fit_is_named_with_its_line() {
        assert_eq!(shown("a = 1\n"), "line 1: `a = 1` stands in no section");
        assert_eq!(shown("[a]\nb\n"), "line 2: `b` is no `key = value`");
        assert_eq!(shown("[a]\n= b\n"), "line 2: `= b` is no `key = value`");
        assert_eq!(shown("[a]\nb = 1\nB: 2\n"), "line 3: `B` is there twice");
        assert_eq!(shown("[a]\n[b]\n[a]\n"), "line 3: `[a]` is there twice");
    }
}
