//! What is wrong with a requirement, with the place marked in the line.

use pep508_rs::{Pep508Error, Pep508ErrorSource};

use super::RequirementOrigin;
use crate::failure::Failure;

/// How deep parentheses may be nested: the parser recurses once for each.
const MAX_NESTING: usize = 64;

/// The failure for text that isn't a requirement.
pub(super) fn invalid(
    shown: &str,
    input: &str,
    reason: &str,
    span: (usize, usize),
    origin: &RequirementOrigin,
) -> Failure {
    let (start, length) = span;
    let start = floor_char_boundary(input, start);
    let end = floor_char_boundary(input, start.saturating_add(length)).max(start);
    let before = input[..start].chars().count();
    let marked = input[start..end].chars().count().max(1);
    // Masking keeps the number of characters, so that the mark stays where it belongs.
    let (shown, input) = (&masked(shown), &masked(input));
    // A long line is shown around the place alone.
    let (line, before) = excerpt(input, before);
    Failure::new(format!(
        "Invalid requirement: '{}'{}: {reason}\n    {line}\n    {}{}",
        shortened(shown),
        from(origin),
        " ".repeat(before),
        "^".repeat(marked.min(60))
    ))
}

/// The failure for an error of the parser.
pub(super) fn from_parser(error: &Pep508Error, shown: &str, origin: &RequirementOrigin) -> Failure {
    let reason = match &error.message {
        Pep508ErrorSource::String(text) | Pep508ErrorSource::UnsupportedRequirement(text) => {
            text.clone()
        }
        Pep508ErrorSource::UrlError(error) => error.to_string(),
    };
    // The parser may add an explanation in further lines: only the first fits before the mark.
    let reason = reason
        .lines()
        .next()
        .unwrap_or_default()
        .trim_end_matches('.')
        .to_owned();
    invalid(
        shown,
        &error.input,
        &reason,
        (error.start, error.len),
        origin,
    )
}

/// Refuses text that would make the parser recurse too deep.
pub(super) fn check_nesting(text: &str, origin: &RequirementOrigin) -> Result<(), Failure> {
    let mut depth = 0_usize;
    for (index, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_NESTING {
            let reason = format!("Parentheses are nested more than {MAX_NESTING} deep");
            return Err(invalid(text, text, &reason, (index, 1), origin));
        }
    }
    Ok(())
}

/// ` (from line 3 of requirements.txt)`, or nothing for the command line.
pub(super) fn from(origin: &RequirementOrigin) -> String {
    match origin {
        RequirementOrigin::CommandLine
        | RequirementOrigin::Project(_)
        | RequirementOrigin::Profile(_)
        | RequirementOrigin::Lock(_) => String::new(),
        RequirementOrigin::File { path, line } | RequirementOrigin::Constraint { path, line } => {
            format!(" (from line {line} of {path})")
        }
    }
}

/// The part of a line around a place, and the place in it; both counted in characters.
fn excerpt(line: &str, place: usize) -> (String, usize) {
    const WIDTH: usize = 100;
    let length = line.chars().count();
    if length <= WIDTH {
        return (line.to_owned(), place);
    }
    let start = place.saturating_sub(WIDTH / 2).min(length - WIDTH);
    let part: String = line.chars().skip(start).take(WIDTH).collect();
    let lead = if start > 0 { "..." } else { "" };
    let tail = if start + WIDTH < length { "..." } else { "" };
    (
        format!("{lead}{part}{tail}"),
        place - start + lead.chars().count(),
    )
}

/// The text with user names and passwords in addresses replaced by as many asterisks.
pub(super) fn masked(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("://") {
        let (before, after) = rest.split_at(start + 3);
        masked.push_str(before);
        let end = after
            .find(|c: char| matches!(c, '/' | '?' | '#' | '"' | '\'') || c.is_whitespace())
            .unwrap_or(after.len());
        let credentials = after[..end].rfind('@').unwrap_or(0);
        masked.extend(
            after[..credentials]
                .chars()
                .map(|c| if c == ':' { c } else { '*' }),
        );
        rest = &after[credentials..];
    }
    masked.push_str(rest);
    masked
}

fn shortened(text: &str) -> String {
    let mut shown: String = text.chars().take(100).collect();
    if shown.len() < text.len() {
        shown.push_str("...");
    }
    shown
}

fn floor_char_boundary(text: &str, index: usize) -> usize {
    let mut index = index.min(text.len());
    while !text.is_char_boundary(index) {
        index -= 1;
    }
    index
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_masked() {
        assert_eq!(
            masked("x @ https://me:pw@h/a@b -i http://t@h"),
            "x @ https://**:**@h/a@b -i http://*@h"
        );
        assert_eq!(masked("six>=1"), "six>=1");
        assert_eq!(masked("https://"), "https://");
    }

    #[test]
    fn the_mark_survives_masking() {
        let origin = RequirementOrigin::CommandLine;
        let text = "x = https://mé:pw@h";
        let failure = invalid(text, text, "Expected `@`", (2, 1), &origin);
        assert_eq!(
            failure.messages()[0],
            "Invalid requirement: 'x = https://**:**@h': Expected `@`\n    x = https://**:**@h\n      ^"
        );
    }
}
