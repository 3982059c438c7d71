//! Requirements (PEP 508) from anywhere: what the parser doesn't survive is refused first.

use std::str::FromStr;

use pep508_rs::{MarkerTree, Pep508Error, Pep508ErrorSource};

use crate::Requirement;

/// Parses a requirement. The parser itself panics where the name of a package or of an extra ends
/// in `.`, `-` or `_` and something follows.
///
/// # Errors
/// When the text is not a PEP 508 requirement; the error tells the place.
///
/// ```
/// use bnbpip_packaging::requirement;
///
/// assert!(requirement::parse("demo[more]>=1; os_name == 'nt'").is_ok());
/// let error = requirement::parse("demo_>=1").unwrap_err();
/// assert_eq!((error.start, error.len), (4, 1));
/// ```
pub fn parse(text: &str) -> Result<Requirement, Pep508Error> {
    if let Some((start, what)) = unfinished_name(text) {
        return Err(Pep508Error {
            message: Pep508ErrorSource::String(format!(
                "{what} name must end with an alphanumeric character, not '{}'",
                &text[start..=start]
            )),
            start,
            len: 1,
            input: text.to_string(),
        });
    }
    let marker = text.find(';').map_or(text.len(), |at| at + 1);
    refuse_foreign(text, marker)?;
    Requirement::from_str(text)
}

/// Parses an environment marker. The parser itself panics on signs beyond ASCII where it looks for
/// `and` and `or`, be they in quotes or not.
///
/// # Errors
/// When the text is not a PEP 508 marker; the error tells the place.
pub fn parse_marker(text: &str) -> Result<MarkerTree, Pep508Error> {
    refuse_foreign(text, 0)?;
    MarkerTree::from_str(text)
}

/// Refuses signs beyond ASCII from byte `begin` on: a marker has none, nor have its strings (the
/// grammar's `python_str_c`).
fn refuse_foreign(text: &str, begin: usize) -> Result<(), Pep508Error> {
    let mut signs = text.char_indices().filter(|(at, _)| *at >= begin);
    match signs.find(|(_, sign)| !sign.is_ascii()) {
        Some((at, sign)) => Err(Pep508Error {
            message: Pep508ErrorSource::String(format!(
                "Expected a marker in ASCII letters, found `{sign}`"
            )),
            start: at,
            len: sign.len_utf8(),
            input: text.to_string(),
        }),
        None => Ok(()),
    }
}

/// The last byte of a name that ends where it must not, and what it is the name of.
fn unfinished_name(text: &str) -> Option<(usize, &'static str)> {
    let at = text.len() - text.trim_start().len();
    let end = identifier_end(text, at);
    if is_unfinished(text, at, end) {
        return Some((end - 1, "Package"));
    }
    let rest = text.get(end..)?.trim_start();
    let inside = rest.strip_prefix('[')?;
    let begin = text.len() - inside.len();
    let inside = inside.split(']').next().unwrap_or_default();
    let mut at = begin;
    for extra in inside.split(',') {
        let start = at + (extra.len() - extra.trim_start().len());
        let end = identifier_end(text, start);
        if is_unfinished(text, start, end) {
            return Some((end - 1, "Extra"));
        }
        at += extra.len() + 1;
    }
    None
}

/// Where the identifier that begins at `at` ends; `at` itself if none does.
fn identifier_end(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    at + rest.bytes().take_while(|byte| is_part(byte)).count()
}

fn is_unfinished(text: &str, start: usize, end: usize) -> bool {
    let name = text.as_bytes().get(start..end).unwrap_or_default();
    name.first().is_some_and(u8::is_ascii_alphanumeric)
        && name.last().is_some_and(|byte| b"._-".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unfinished_names_are_errors_with_a_place() {
        for (text, place) in [
            ("de_=1.0", 2),
            ("  de-[x]", 4),
            ("de. ; os_name == 'nt'", 2),
            ("de[x_]", 4),
            ("de [ x, yz- ]>=1", 10),
            ("de_", 2),
            ("de_é", 2),
        ] {
            assert_eq!(parse(text).unwrap_err().start, place, "{text}");
        }
    }

    #[test]
    fn signs_beyond_ascii_are_errors_with_a_place() {
        assert_eq!(
            parse("f; os_name == 'nt' \u{fffd}r x").unwrap_err().start,
            19
        );
        assert_eq!(parse_marker("os_name == 'nt' é").unwrap_err().start, 16);
        // In quotes too, and where quotes pair otherwise than they seem to.
        for text in ["os_name == 'nt' 'éé'", "os_name in \"3 and x >= \"5\"NNééé"] {
            assert!(parse_marker(text).is_err(), "{text}");
            assert!(parse(&format!("f; {text}")).is_err(), "{text}");
        }
        assert!(parse("f @ https://h.example/é ; os_name == 'nt'").is_ok());
    }

    #[test]
    fn others_are_left_to_the_parser() {
        for text in [
            "", "_", "é", "a[", "a[]]", "a[é]", "a[x,,y]", "a b", "[x]", "a[x",
        ] {
            drop(parse(text));
        }
        for text in [
            "a",
            "a-b.c_d[e-f,g]",
            "a [x , y] >=1 ; os_name == 'nt'",
            "a @ https://h.example/b_",
        ] {
            assert!(parse(text).is_ok(), "{text}");
        }
    }
}
