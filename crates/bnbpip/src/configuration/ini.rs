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

/// The text with a setting put in: in the place of the one that is there, else at the end of its
/// section, else in a new section. Everything else, comments too, stays as it is. `is_key` says
/// whether a key of the file is the one meant.
pub(crate) fn set(
    text: &str,
    section: &str,
    key: &str,
    is_key: impl Fn(&str) -> bool,
    value: &str,
) -> String {
    let written = format!("{key} = {}", value.replace('\n', "\n\t"));
    let mut lines: Vec<&str> = text.lines().collect();
    let place = find(&lines, section, is_key);
    match place {
        Place::Setting { start, end } => {
            lines.splice(start..end, [written.as_str()]);
        }
        Place::Section { end, .. } => lines.insert(end, &written),
        Place::Nowhere => {
            let heading = format!("[{section}]");
            let mut text = lines.join("\n");
            if !text.trim().is_empty() {
                text.push_str("\n\n");
            }
            return format!("{text}{heading}\n{written}\n");
        }
    }
    lines.join("\n") + "\n"
}

/// The text without a setting, and without its section if nothing else stands in it; `None` if
/// there is no such setting.
pub(crate) fn unset(text: &str, section: &str, is_key: impl Fn(&str) -> bool) -> Option<String> {
    let mut lines: Vec<&str> = text.lines().collect();
    let Place::Setting { start, end } = find(&lines, section, is_key) else {
        return None;
    };
    lines.drain(start..end);
    if let Place::Section { start, end } = find(&lines, section, |_| false)
        && lines[start + 1..end]
            .iter()
            .all(|line| line.trim().is_empty())
    {
        lines.drain(start..end);
    }
    let text = lines.join("\n");
    Some(match text.trim() {
        "" => String::new(),
        _ => text + "\n",
    })
}

/// Where a setting stands, in lines from 0, the end not included.
enum Place {
    Setting {
        start: usize,
        end: usize,
    },
    /// The section is there; `end` is behind its last line that isn't empty.
    Section {
        start: usize,
        end: usize,
    },
    Nowhere,
}

fn find(lines: &[&str], section: &str, is_key: impl Fn(&str) -> bool) -> Place {
    let mut place = Place::Nowhere;
    let mut key_indent: Option<usize> = None;
    let mut found: Option<usize> = None;
    for (index, raw) in lines.iter().enumerate() {
        let content = raw.trim();
        if content.is_empty() || content.starts_with(['#', ';']) {
            if let Place::Section { end, .. } = &mut place
                && !content.is_empty()
                && found.is_none()
            {
                *end = index + 1;
            }
            continue;
        }
        let indent = raw.len() - raw.trim_start().len();
        let goes_on = key_indent.is_some_and(|of_key| indent > of_key);
        if let Some(start) = found {
            if goes_on {
                continue;
            }
            return Place::Setting {
                start,
                end: end_of(lines, start, index),
            };
        }
        if !goes_on {
            key_indent = None;
            if let Some(name) = section_name(content) {
                if matches!(place, Place::Section { .. }) {
                    return place;
                }
                if name == section {
                    place = Place::Section {
                        start: index,
                        end: index + 1,
                    };
                }
                continue;
            }
            key_indent = Some(indent);
        }
        if let Place::Section { end, .. } = &mut place {
            *end = index + 1;
            let key = content.split(['=', ':']).next().unwrap_or_default().trim();
            if !goes_on && is_key(key) {
                found = Some(index);
            }
        }
    }
    match found {
        Some(start) => Place::Setting {
            start,
            end: end_of(lines, start, lines.len()),
        },
        None => place,
    }
}

/// Where a setting ends: empty lines and comments before what follows aren't part of it.
fn end_of(lines: &[&str], start: usize, before: usize) -> usize {
    let is_content = |line: &&str| !line.trim().is_empty() && !line.trim().starts_with(['#', ';']);
    let last = lines[start..before].iter().rposition(is_content);
    start + last.unwrap_or_default() + 1
}

/// `[name]`, whatever stands behind it.
fn section_name(content: &str) -> Option<&str> {
    let (name, _) = content.strip_prefix('[')?.rsplit_once(']')?;
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(wanted: &'static str) -> impl Fn(&str) -> bool {
        move |key| key == wanted
    }

    #[test]
    fn sets_in_place_and_leaves_the_rest() {
        let text =
            "# mine\n[global]\nproxy = a\n# of the list\nfind-links =\n  b\n  c\n\n[list]\nx: 1\n";
        assert_eq!(
            set(text, "global", "proxy", is("proxy"), "z"),
            text.replace("proxy = a", "proxy = z")
        );
        assert_eq!(
            set(text, "global", "find-links", is("find-links"), "d\ne"),
            "# mine\n[global]\nproxy = a\n# of the list\nfind-links = d\n\te\n\n[list]\nx: 1\n"
        );
        assert_eq!(
            set(text, "global", "pre", is("pre"), "yes"),
            text.replace("  c\n", "  c\npre = yes\n")
        );
        assert_eq!(
            set(text, "freeze", "all", is("all"), "1"),
            format!("{text}\n[freeze]\nall = 1\n").replace("\n\n\n", "\n\n")
        );
        assert_eq!(set("", "global", "a", is("a"), "1"), "[global]\na = 1\n");
    }

    #[test]
    fn unsets_with_all_its_lines_and_an_empty_section() {
        let text = "[global]\nfind-links =\n  b\n  c\nproxy = a\n\n[list]\nx: 1\n";
        let without = unset(text, "global", is("find-links")).unwrap();
        assert_eq!(without, "[global]\nproxy = a\n\n[list]\nx: 1\n");
        assert_eq!(
            unset(&without, "list", is("x")).unwrap(),
            "[global]\nproxy = a\n\n".trim_end().to_owned() + "\n\n"
        );
        assert_eq!(unset(text, "list", is("proxy")), None);
        assert_eq!(unset("[a]\nb=1\n", "a", is("b")).unwrap(), "");
    }

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
