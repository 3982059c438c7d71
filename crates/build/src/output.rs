//! What of a backend's output is shown when it fails.

use std::fmt::Write as _;

/// The end of a build's output: at most `limit` lines, control characters taken out, and what was
/// left away said first.
pub fn output_tail(output: &str, limit: usize) -> String {
    let lines: Vec<String> = output.lines().map(printable).collect();
    let used = lines
        .iter()
        .rposition(|line| !line.trim().is_empty())
        .map_or(0, |last| last + 1);
    let lines = &lines[..used];
    let skipped = lines.len().saturating_sub(limit);
    let mut text = String::new();
    if skipped > 0 {
        let _ = writeln!(text, "[{skipped} earlier lines]");
    }
    text.push_str(&lines[skipped..].join("\n"));
    text
}

/// A line as a terminal would leave it: what follows the last carriage return, without escape
/// sequences.
fn printable(line: &str) -> String {
    let line = line.trim_end_matches('\r');
    let line = line.rsplit('\r').next().unwrap_or(line);
    let mut shown = String::with_capacity(line.len());
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => {
                // `ESC [ parameters letter`
                if characters.next_if_eq(&'[').is_some() {
                    for parameter in characters.by_ref() {
                        if ('@'..='~').contains(&parameter) {
                            break;
                        }
                    }
                }
            }
            '\t' => shown.push_str("    "),
            character if character.is_control() => {}
            character => shown.push(character),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_end_and_counts_the_rest() {
        assert_eq!(output_tail("a\nb\nc\n\n", 2), "[1 earlier lines]\nb\nc");
        assert_eq!(output_tail("10%\r20%\rdone\r\n", 5), "done");
        assert_eq!(
            output_tail("\u{1b}[31merror\u{1b}[0m\t1\u{7}", 5),
            "error    1"
        );
        assert_eq!(output_tail("", 5), "");
    }
}
