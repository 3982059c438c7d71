//! From a file's text to its logical lines: continuations joined, comments gone, variables
//! expanded; in that order, as pip does it.

/// A line to be understood, with the number of the first line that it was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LogicalLine {
    /// The line's number, from 1.
    pub number: usize,
    /// The text, neither empty nor with blanks around.
    pub text: String,
}

/// The logical lines of a text. `variable` looks up `${NAME}`.
pub(super) fn logical_lines(
    text: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Vec<LogicalLine> {
    joined(text)
        .into_iter()
        .filter_map(|(number, line)| {
            let line = without_comment(&line).trim();
            (!line.is_empty()).then(|| LogicalLine {
                number,
                text: expanded(line, variable),
            })
        })
        .collect()
}

/// Joins lines that end in `\` with the next. A comment line ends a continuation.
fn joined(text: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (index, line) in split_lines(text).enumerate() {
        let number = index + 1;
        let is_comment = line.trim_start().starts_with('#');
        let continues = line.ends_with('\\') && !is_comment;
        if continues {
            let part = line.trim_matches('\\');
            open.get_or_insert_with(|| (number, String::new()))
                .1
                .push_str(part);
            continue;
        }
        // The blank keeps a comment from becoming part of the word before it.
        let separator = if is_comment { " " } else { "" };
        let (number, mut start) = open.take().unwrap_or((number, String::new()));
        start.push_str(separator);
        start.push_str(line);
        lines.push((number, start));
    }
    lines.extend(open);
    lines
}

/// Splits where Python's `str.splitlines` does.
fn split_lines(text: &str) -> impl Iterator<Item = &str> {
    let is_break = |c: char| {
        matches!(
            c,
            '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'
                ..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}'
        )
    };
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = rest.find(is_break).unwrap_or(rest.len());
        let (line, after) = rest.split_at(end);
        rest = after.strip_prefix("\r\n").unwrap_or_else(|| {
            let mut characters = after.chars();
            characters.next();
            characters.as_str()
        });
        Some(line)
    })
}

/// The line up to a `#` at its start or after a blank; `#` inside a word (`#sha256=`) stays.
fn without_comment(line: &str) -> &str {
    let mut after_blank = true;
    for (index, character) in line.char_indices() {
        if character == '#' && after_blank {
            return &line[..index];
        }
        after_blank = character.is_whitespace();
    }
    line
}

/// Replaces `${NAME}`; only capitals, digits and `_` make a name, and a variable that isn't set
/// stays as it is written.
fn expanded(line: &str, variable: &dyn Fn(&str) -> Option<String>) -> String {
    let mut result = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(start) = rest.find("${") {
        let (before, from) = rest.split_at(start);
        result.push_str(before);
        let name = from[2..]
            .split_once('}')
            .map(|(name, _)| name)
            .filter(|name| {
                !name.is_empty()
                    && name
                        .chars()
                        .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
            });
        if let Some((name, value)) = name.and_then(|name| Some((name, variable(name)?))) {
            result.push_str(&value);
            rest = &from[name.len() + 3..];
        } else {
            result.push_str("${");
            rest = &from[2..];
        }
    }
    result.push_str(rest);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<(usize, String)> {
        let variable = |name: &str| (name == "HOST_1").then(|| "h.example".to_owned());
        logical_lines(text, &variable)
            .into_iter()
            .map(|line| (line.number, line.text))
            .collect()
    }

    #[test]
    fn comments_need_a_blank_before() {
        assert_eq!(
            lines("# a\nsix # b\n  # c\r\nx@https://h/x.whl#sha256=0 #d\n\n"),
            [(2, "six".into()), (4, "x@https://h/x.whl#sha256=0".into())]
        );
    }

    #[test]
    fn continuations() {
        assert_eq!(
            lines("a \\\n  --hash=sha256:0 \\\n  --hash=sha256:1\nb"),
            [
                (1, "a   --hash=sha256:0   --hash=sha256:1".into()),
                (4, "b".into())
            ]
        );
        // A comment line ends the continuation, even if it ends in a backslash itself.
        assert_eq!(lines("a \\\n# c \\\nb"), [(1, "a".into()), (3, "b".into())]);
        assert_eq!(lines("a==1\\"), [(1, "a==1".into())]);
    }

    #[test]
    fn variables() {
        assert_eq!(
            lines("-i https://${HOST_1}/${NO}/${lower}/$HOST_1/${HOST_1"),
            [(
                1,
                "-i https://h.example/${NO}/${lower}/$HOST_1/${HOST_1".into()
            )]
        );
    }
}
