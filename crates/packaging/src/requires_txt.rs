//! `requires.txt`, in which setuptools keeps the requirements of an `.egg-info` folder
//! ([its documentation](https://setuptools.pypa.io/en/latest/deprecated/python_eggs.html#requires-txt)).
//!
//! A requirement a line, in sections: `[extra]`, `[:marker]`, `[extra:marker]`.

use std::fmt::Write as _;
use std::str::FromStr;

use pep508_rs::ExtraName;

use crate::Headers;

/// The metadata that a `PKG-INFO` and the `requires.txt` beside it make: requirements and extras are
/// the former's, or else come from the latter. What is no text stays as it is.
pub fn with_requires_txt(pkg_info: Vec<u8>, requires: &str) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(&pkg_info) else {
        return pkg_info;
    };
    let headers = Headers::parse(text);
    let mut fields = String::new();
    if headers.first("Requires-Dist").is_none() {
        for entry in entries(requires) {
            let _ = writeln!(fields, "Requires-Dist: {}", entry.to_requirement());
        }
    }
    if headers.first("Provides-Extra").is_none() {
        for extra in extras(requires) {
            let _ = writeln!(fields, "Provides-Extra: {extra}");
        }
    }
    let lines = text.split_inclusive('\n');
    let of_headers = lines.take_while(|line| !line.trim_end_matches(['\r', '\n']).is_empty());
    let end = of_headers.map(str::len).sum();
    let (head, rest) = text.split_at(end);
    let separator = if head.is_empty() || head.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    [head, separator, &fields, rest].concat().into_bytes()
}

/// A requirement, with what its section says.
struct Entry<'a> {
    requirement: &'a str,
    extra: Option<ExtraName>,
    marker: &'a str,
}

impl Entry<'_> {
    /// As `Requires-Dist` has it.
    fn to_requirement(&self) -> String {
        let Self {
            requirement,
            extra,
            marker,
        } = self;
        // An address would go on to the semicolon: a space ends it.
        match extra {
            Some(extra) if marker.is_empty() => format!("{requirement} ; extra == '{extra}'"),
            Some(extra) => format!("{requirement} ; ({marker}) and extra == '{extra}'"),
            None if marker.is_empty() => (*requirement).to_owned(),
            None => format!("{requirement} ; {marker}"),
        }
    }
}

/// The requirements; those of an extra that no requirement can spell can't be asked for either.
fn entries(text: &str) -> impl Iterator<Item = Entry<'_>> {
    let mut section = ("", "");
    lines(text).filter_map(move |line| {
        if let Some(begun) = section_of(line) {
            section = begun;
            return None;
        }
        let (extra, marker) = section;
        Some(Entry {
            requirement: line,
            extra: match extra {
                "" => None,
                name => Some(ExtraName::from_str(name).ok()?),
            },
            marker,
        })
    })
}

fn extras(text: &str) -> Vec<ExtraName> {
    let names = lines(text).filter_map(section_of).map(|(extra, _)| extra);
    let names = names.filter(|name| !name.is_empty());
    let mut extras: Vec<_> = names
        .filter_map(|name| ExtraName::from_str(name).ok())
        .collect();
    extras.sort();
    extras.dedup();
    extras
}

/// Extra and marker of the section that a line begins, if it does; either may be empty.
fn section_of(line: &str) -> Option<(&str, &str)> {
    let head = line.strip_prefix('[')?.strip_suffix(']')?;
    let (extra, marker) = head.split_once(':').unwrap_or((head, ""));
    Some((extra.trim(), marker.trim()))
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUIRES: &str = "six>=1.5\n# a remark\n\n[:python_version < \"3\"]\nfutures\n\n[Web_UI]\n\
        flask\nx @ https://host.example/x.zip\n\n[web-ui:os_name == \"nt\"]\ncolorama\n\n[no name]\nnever\n";

    fn joined(pkg_info: &str) -> String {
        String::from_utf8(with_requires_txt(pkg_info.into(), REQUIRES)).unwrap()
    }

    #[test]
    fn sections_become_markers() {
        assert_eq!(
            joined("Name: a\r\nVersion: 1\r\n\r\nWhat it is.\n"),
            "Name: a\r\nVersion: 1\r\n\
             Requires-Dist: six>=1.5\n\
             Requires-Dist: futures ; python_version < \"3\"\n\
             Requires-Dist: flask ; extra == 'web-ui'\n\
             Requires-Dist: x @ https://host.example/x.zip ; extra == 'web-ui'\n\
             Requires-Dist: colorama ; (os_name == \"nt\") and extra == 'web-ui'\n\
             Provides-Extra: web-ui\n\
             \r\nWhat it is.\n"
        );
        let metadata =
            crate::CoreMetadata::parse(joined("Name: a\nVersion: 1").as_bytes()).unwrap();
        assert_eq!(metadata.requires_dist.len(), 5);
        assert_eq!(metadata.provides_extra.len(), 1);
    }

    #[test]
    fn what_the_metadata_says_itself_counts() {
        let own = "Name: a\nVersion: 1\nRequires-Dist: own\nProvides-Extra: e\n";
        assert_eq!(joined(own), own);
    }
}
