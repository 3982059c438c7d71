//! The interpreter's command line: its own path, the launcher's path, and the user's arguments exactly
//! as they were written.

use alloc::vec::Vec;

/// The longest command line that Windows takes, in UTF-16 units without the closing zero.
pub const LIMIT: usize = 32_766;

const QUOTE: u16 = b'"' as u16;

/// What follows the program's name in a command line, from the blank on.
///
/// The name ends as Windows has it: at the closing quote where it starts with one, else at the first
/// blank; a backslash means nothing special in it.
#[must_use]
pub fn arguments(command_line: &[u16]) -> &[u16] {
    let mut in_quotes = false;
    let end = command_line.iter().position(|unit| {
        in_quotes ^= *unit == QUOTE;
        !in_quotes && is_blank(*unit)
    });
    end.map_or(&[], |end| &command_line[end..])
}

/// The interpreter's command line, closed by a zero; `None` when it is longer than Windows takes.
#[must_use]
pub fn build(interpreter: &[u16], launcher: &[u16], arguments: &[u16]) -> Option<Vec<u16>> {
    let mut line = Vec::with_capacity(interpreter.len() + launcher.len() + arguments.len() + 6);
    for path in [interpreter, launcher] {
        if !line.is_empty() {
            line.push(u16::from(b' '));
        }
        // A path has no quote and doesn't end in a backslash: quotes around it are enough.
        line.push(QUOTE);
        line.extend_from_slice(path);
        line.push(QUOTE);
    }
    line.extend_from_slice(arguments);
    if line.len() > LIMIT {
        return None;
    }
    line.push(0);
    Some(line)
}

fn is_blank(unit: u16) -> bool {
    unit == u16::from(b' ') || unit == u16::from(b'\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    fn rest(text: &str) -> String {
        String::from_utf16(arguments(&wide(text))).unwrap()
    }

    #[test]
    fn keeps_the_arguments_as_they_were_written() {
        assert_eq!(rest(r#"black --a "b c" d\"#), r#" --a "b c" d\"#);
        assert_eq!(rest(r#""C:\a b\black.exe" "" x\\"y"#), r#" "" x\\"y"#);
        assert_eq!(rest(r#"C:\"a b"\black.exe	x"#), "\tx");
        assert_eq!(rest(r#""C:\dir\" x"#), " x");
        assert_eq!(rest("black"), "");
        assert_eq!(rest(""), "");
        assert_eq!(rest("\"open x"), "");
    }

    #[test]
    fn puts_two_paths_in_front() {
        let line = build(
            &wide(r"C:\p y\python.exe"),
            &wide(r"C:\s\x.exe"),
            &wide(" -v"),
        )
        .unwrap();
        let text = String::from_utf16(&line).unwrap();
        assert_eq!(text, "\"C:\\p y\\python.exe\" \"C:\\s\\x.exe\" -v\0");
        assert!(build(&wide("p"), &wide("x"), &vec![b'a'.into(); LIMIT]).is_none());
        assert!(build(&wide("p"), &wide("x"), &vec![b'a'.into(); LIMIT - 7]).is_some());
    }
}
