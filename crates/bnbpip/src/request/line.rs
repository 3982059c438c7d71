//! One logical line: the requirement on its left, the options on its right.

use super::syntax;
use crate::failure::Failure;

/// An option that may stand in a requirements file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileOption {
    IndexUrl,
    ExtraIndexUrl,
    NoIndex,
    FindLinks,
    Requirement,
    Constraint,
    Editable,
    NoBinary,
    OnlyBinary,
    PreferBinary,
    RequireHashes,
    NoRequireHashes,
    Pre,
    TrustedHost,
    Hash,
    AllReleases,
    OnlyFinal,
    ConfigSettings,
    /// One of pip's switches for itself, which mean nothing here.
    UseFeature,
}

/// An option's long names, its letter, whether it takes a value, and what it is.
struct Definition(&'static [&'static str], Option<char>, bool, FileOption);

const DEFINITIONS: &[Definition] = &[
    Definition(
        &["index-url", "pypi-url"],
        Some('i'),
        true,
        FileOption::IndexUrl,
    ),
    Definition(&["extra-index-url"], None, true, FileOption::ExtraIndexUrl),
    Definition(&["no-index"], None, false, FileOption::NoIndex),
    Definition(&["find-links"], Some('f'), true, FileOption::FindLinks),
    Definition(&["requirement"], Some('r'), true, FileOption::Requirement),
    Definition(&["constraint"], Some('c'), true, FileOption::Constraint),
    Definition(&["editable"], Some('e'), true, FileOption::Editable),
    Definition(&["no-binary"], None, true, FileOption::NoBinary),
    Definition(&["only-binary"], None, true, FileOption::OnlyBinary),
    Definition(&["prefer-binary"], None, false, FileOption::PreferBinary),
    Definition(&["require-hashes"], None, false, FileOption::RequireHashes),
    Definition(
        &["no-require-hashes"],
        None,
        false,
        FileOption::NoRequireHashes,
    ),
    Definition(&["pre"], None, false, FileOption::Pre),
    Definition(&["trusted-host"], None, true, FileOption::TrustedHost),
    Definition(&["hash"], None, true, FileOption::Hash),
    Definition(&["all-releases"], None, true, FileOption::AllReleases),
    Definition(&["only-final"], None, true, FileOption::OnlyFinal),
    Definition(&["use-feature"], None, true, FileOption::UseFeature),
    Definition(
        &["config-settings", "config-setting"],
        Some('C'),
        true,
        FileOption::ConfigSettings,
    ),
];

/// An option as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GivenOption {
    pub(super) option: FileOption,
    /// As it was typed, for messages.
    pub(super) name: String,
    /// Empty for a switch.
    pub(super) value: String,
}

/// A line's two halves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ParsedLine {
    /// Empty when the line has options only.
    pub(super) requirement: String,
    pub(super) options: Vec<GivenOption>,
}

/// Takes a line apart.
///
/// # Errors
/// A sentence about the options: a quotation that isn't closed, an unknown option, a value that
/// is missing or too many.
pub(super) fn parse(line: &str) -> Result<ParsedLine, String> {
    // Only the options are read as a shell would: quotes in markers must survive.
    let mut split = line.len();
    let mut position = 0;
    for word in line.split(' ') {
        if word.starts_with('-') {
            split = position;
            break;
        }
        position += word.len() + 1;
    }
    let (requirement, options) = line.split_at(split.min(line.len()));
    let words =
        shell_words(options).ok_or_else(|| format!("Could not split options: {options}"))?;
    Ok(ParsedLine {
        requirement: requirement.trim().to_owned(),
        options: parse_options(&words)?,
    })
}

/// `name @ address` behind `-e`, whose words aren't in quotation marks.
fn with_address(name: String, words: &mut std::slice::Iter<'_, String>) -> String {
    match words.as_slice() {
        [at, address, ..] if at == "@" => {
            *words = words.as_slice()[2..].iter();
            format!("{name} @ {address}")
        }
        _ => name,
    }
}

fn parse_options(words: &[String]) -> Result<Vec<GivenOption>, String> {
    let mut options = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let (name, definition, value) = if let Some(long) = word.strip_prefix("--") {
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (long, None),
            };
            (format!("--{name}"), find_long(name), value)
        } else if let Some(short) = word.strip_prefix('-') {
            let letter = short.chars().next();
            let definition = DEFINITIONS
                .iter()
                .find(|definition| letter.is_some() && definition.1 == letter);
            let rest = letter.map_or("", |letter| &short[letter.len_utf8()..]);
            let value = (!rest.is_empty()).then(|| rest.to_owned());
            (
                format!("-{}", letter.unwrap_or_default()),
                definition,
                value,
            )
        } else {
            // pip's parser drops words between options as well, but says nothing.
            return Err(format!("unexpected word between the options: {word}"));
        };
        let Some(Definition(_, _, takes_value, option)) = definition else {
            return Err(format!("no such option: {name}"));
        };
        let value = match (takes_value, value) {
            (true, Some(value)) => value,
            (true, None) => words
                .next()
                .cloned()
                .ok_or_else(|| format!("{name} option requires 1 argument"))?,
            (false, None) => String::new(),
            (false, Some(_)) => return Err(format!("{name} option does not take a value")),
        };
        let value = if *option == FileOption::Editable {
            with_address(value, &mut words)
        } else {
            value
        };
        options.push(GivenOption {
            option: *option,
            name,
            value,
        });
    }
    Ok(options)
}

/// The option with this long name, or the only one that begins so.
fn find_long(name: &str) -> Option<&'static Definition> {
    let exact = DEFINITIONS
        .iter()
        .find(|definition| definition.0.contains(&name));
    exact.or_else(|| {
        let mut begun = DEFINITIONS.iter().filter(|definition| {
            definition
                .0
                .iter()
                .any(|long| !name.is_empty() && long.starts_with(name))
        });
        let first = begun.next();
        if begun.next().is_some() { None } else { first }
    })
}

/// Splits as a POSIX shell does: blanks, both kinds of quotes, backslashes. `None` if a quotation
/// or an escape isn't finished.
fn shell_words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next()? {
                        '\'' => break,
                        quoted => word.push(quoted),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next()? {
                        '"' => break,
                        '\\' => match characters.next()? {
                            escaped @ ('"' | '\\') => word.push(escaped),
                            other => word.extend(['\\', other]),
                        },
                        quoted => word.push(quoted),
                    }
                }
            }
            '\\' => word.get_or_insert_default().push(characters.next()?),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Some(words)
}

/// The failure for a line that can't be taken apart.
pub(super) fn unreadable(line: &str, reason: &str, number: usize, file: &str) -> Failure {
    let (line, reason) = (syntax::masked(line), syntax::masked(reason));
    Failure::new(format!(
        "Invalid requirement: '{line}' (from line {number} of {file}): {reason}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(line: &str) -> Vec<(FileOption, String)> {
        parse(line)
            .unwrap()
            .options
            .into_iter()
            .map(|given| (given.option, given.value))
            .collect()
    }

    #[test]
    fn halves() {
        let parsed = parse("a ; sys_platform == 'linux' --hash=sha256:0 --hash sha256:1").unwrap();
        assert_eq!(parsed.requirement, "a ; sys_platform == 'linux'");
        assert_eq!(parsed.options.len(), 2);
        assert_eq!(parse("my-package").unwrap().options, []);
    }

    #[test]
    fn spellings() {
        assert_eq!(
            options("-rb.txt"),
            [(FileOption::Requirement, "b.txt".into())]
        );
        assert_eq!(
            options("-r 'a b.txt'"),
            [(FileOption::Requirement, "a b.txt".into())]
        );
        assert_eq!(
            options("-e name[x] @ file:///a -C a=1"),
            [
                (FileOption::Editable, "name[x] @ file:///a".into()),
                (FileOption::ConfigSettings, "a=1".into())
            ]
        );
        assert_eq!(
            options("--requirem=b.txt"),
            [(FileOption::Requirement, "b.txt".into())]
        );
        assert_eq!(
            options(r#"--no-index -f "C:\wheels" --pre"#),
            [
                (FileOption::NoIndex, String::new()),
                (FileOption::FindLinks, r"C:\wheels".into()),
                (FileOption::Pre, String::new())
            ]
        );
    }

    #[test]
    fn mistakes() {
        for (line, reason) in [
            ("--bogus", "no such option: --bogus"),
            ("-z", "no such option: -z"),
            ("--no", "no such option: --no"),
            ("-r", "-r option requires 1 argument"),
            ("--pre=1", "--pre option does not take a value"),
            ("-r 'x", "Could not split options: -r 'x"),
            ("--pre x", "unexpected word between the options: x"),
        ] {
            assert_eq!(parse(line).unwrap_err(), reason);
        }
    }
}
