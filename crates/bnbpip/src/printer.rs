//! The only place that prints.
//!
//! Standard output carries data and the sentences that scripts look for in pip's output; everything
//! else goes to standard error. Text may come from anywhere (an index, a wheel, a file name), so
//! control characters in it are shown, never sent to the terminal; colour is added afterwards.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock};

use indicatif::{MultiProgress, ProgressDrawTarget};

use crate::console as code_pages;
use crate::failure::Failure;
use crate::secrets::without_credentials;

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum ColorChoice {
    /// On a terminal that can show it.
    #[default]
    Auto,
    /// Also into a file or a pipe.
    Always,
    /// Not at all.
    Never,
}

/// How a line is meant, which decides its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tone {
    Plain,
    Error,
    Warning,
    Hint,
}

/// Prints, as loudly as `-v` and `-q` ask for, and keeps the log of `--log`.
#[derive(Debug)]
pub(crate) struct Printer {
    verbosity: i8,
    color: bool,
    is_terminal: bool,
    may_draw: bool,
    log: Option<Mutex<File>>,
    progress: OnceLock<MultiProgress>,
    stdout_broken: AtomicBool,
}

impl Printer {
    /// A printer for a verbosity (0 is usual, each `-v` one more, each `-q` one less).
    pub(crate) fn new(verbosity: i8, color: ColorChoice, log: Option<File>) -> Self {
        let is_terminal = io::stderr().is_terminal();
        let color = match color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => is_terminal,
        };
        Self {
            verbosity,
            color,
            is_terminal,
            may_draw: code_pages::may_draw(io::stdout().is_terminal(), code_pages::code_page()),
            log: log.map(Mutex::new),
            progress: OnceLock::new(),
            stdout_broken: AtomicBool::new(false),
        }
    }

    /// The verbosity: 0 is usual, each `-v` one more, each `-q` one less.
    pub(crate) fn verbosity(&self) -> i8 {
        self.verbosity
    }

    /// Whether somebody watches standard error, so that progress bars make sense.
    pub(crate) fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// Whether writing to standard output failed because its reader has gone.
    pub(crate) fn stdout_is_broken(&self) -> bool {
        self.stdout_broken.load(Ordering::Relaxed)
    }

    /// Whether standard output can show signs beyond ASCII.
    pub(crate) fn may_draw(&self) -> bool {
        self.may_draw
    }

    /// The place for progress bars. Lines that are printed meanwhile go above the bars. Nothing is
    /// drawn where standard error is no terminal, or with `-q`.
    pub(crate) fn progress(&self) -> &MultiProgress {
        self.progress.get_or_init(|| {
            MultiProgress::with_draw_target(if self.verbosity < 0 {
                ProgressDrawTarget::hidden()
            } else {
                ProgressDrawTarget::stderr()
            })
        })
    }

    /// What was asked for (a list, JSON, a path): standard output, whatever `-q` says.
    pub(crate) fn data(&self, text: &str) {
        self.log_lines("", text);
        self.write_stdout(&text_for_terminal(text));
    }

    /// A sentence that pip prints on standard output too, such as `Successfully installed …`.
    pub(crate) fn info(&self, text: &str) {
        self.log_lines("", text);
        if self.verbosity >= 0 {
            self.write_stdout(&text_for_terminal(&without_credentials(text)));
        }
    }

    /// A step of the way that pip tells on standard output. People at a terminal are told by the
    /// plan and the progress bars.
    pub(crate) fn narrate(&self, text: &str) {
        if io::stdout().is_terminal() {
            self.log_lines("", text);
        } else {
            self.info(text);
        }
    }

    /// What pip tells on standard output with `-vv`.
    pub(crate) fn details(&self, text: &str) {
        if self.verbosity >= 2 {
            self.info(text);
        }
    }

    /// What is going on: standard error, unless `-q`.
    pub(crate) fn status(&self, text: &str) {
        self.say(0, Tone::Plain, "", text);
    }

    /// A detail, with `-v`.
    pub(crate) fn verbose(&self, text: &str) {
        self.say(1, Tone::Plain, "", text);
    }

    /// Something that the user should know, unless `-qq`.
    pub(crate) fn warning(&self, text: &str) {
        self.say(-1, Tone::Warning, "WARNING: ", text);
    }

    /// An error that doesn't end the command, unless `-qqq`.
    pub(crate) fn error(&self, text: &str) {
        self.say(-2, Tone::Error, "ERROR: ", text);
    }

    /// What the user can do, unless `-qq`.
    pub(crate) fn hint(&self, text: &str) {
        self.say(-1, Tone::Hint, "hint: ", text);
    }

    /// Prints why a command failed.
    pub(crate) fn failure(&self, failure: &Failure) {
        if let Some(remark) = failure.remark_text() {
            self.info(remark);
        }
        let prefix = if let Some(usage) = failure.usage_text() {
            self.say(-2, Tone::Plain, "", &format!("\n{usage}\n"));
            ""
        } else {
            "ERROR: "
        };
        for message in failure.messages() {
            self.say(-2, Tone::Error, prefix, message);
        }
        if let Some(detail) = failure.detail_text() {
            self.say(-2, Tone::Plain, "", detail);
        }
        for cause in failure.causes() {
            self.say(-2, Tone::Plain, "  Caused by: ", cause);
        }
        for hint in failure.hints() {
            self.hint(hint);
        }
    }

    /// Asks for a line of input; the question stands on standard output, as pip's do. `None` when
    /// there is no answer to read.
    pub(crate) fn ask(&self, question: &str) -> Option<String> {
        self.ask_with(question, read_line)
    }

    /// The same for what isn't to be seen: a terminal doesn't show what is typed.
    pub(crate) fn ask_secret(&self, question: &str) -> Option<String> {
        self.ask_with(question, || {
            if io::stdin().is_terminal() && io::stdout().is_terminal() {
                ::console::Term::stdout().read_secure_line().ok()
            } else {
                read_line()
            }
        })
    }

    fn ask_with(&self, question: &str, read: impl FnOnce() -> Option<String>) -> Option<String> {
        self.log_lines("", question);
        let question = without_credentials(question);
        let question = text_for_terminal(&question);
        // Bars stand still until there is an answer.
        self.suspended(|| {
            let mut stdout = io::stdout().lock();
            stdout.write_all(question.as_bytes()).ok()?;
            stdout.flush().ok()?;
            drop(stdout);
            read()
        })
    }

    fn say(&self, level: i8, tone: Tone, prefix: &str, text: &str) {
        self.log_lines(prefix, text);
        if self.verbosity < level {
            return;
        }
        let text = without_credentials(text);
        let text = text_for_terminal(&text);
        let style = match tone {
            _ if !self.color => "",
            Tone::Plain => "",
            Tone::Error => "\u{1b}[31m",
            Tone::Warning => "\u{1b}[33m",
            Tone::Hint => "\u{1b}[36m",
        };
        let reset = if style.is_empty() { "" } else { "\u{1b}[0m" };
        let line = format!("{style}{prefix}{reset}{text}\n");
        // Nothing can be done about a standard error that nobody reads.
        let _ = self.suspended(|| {
            if self.color {
                // Old Windows consoles don't know escape sequences: translated there.
                anstream::AutoStream::always(io::stderr()).write_all(line.as_bytes())
            } else {
                io::stderr().write_all(line.as_bytes())
            }
        });
    }

    fn write_stdout(&self, text: &str) {
        let written = self.suspended(|| {
            let mut stdout = io::stdout().lock();
            stdout.write_all(text.as_bytes())?;
            stdout.write_all(b"\n")?;
            stdout.flush()
        });
        if written.is_err() {
            self.stdout_broken.store(true, Ordering::Relaxed);
        }
    }

    fn suspended<T>(&self, write: impl FnOnce() -> T) -> T {
        match self.progress.get() {
            Some(bars) => bars.suspend(write),
            None => write(),
        }
    }

    fn log_lines(&self, prefix: &str, text: &str) {
        let Some(log) = &self.log else { return };
        let now = jiff::ZonedDateTime::now()
            .strftime("%Y-%m-%dT%H:%M:%S,%3f")
            .to_string();
        let mut lines = String::new();
        for (index, line) in without_credentials(text).lines().enumerate() {
            let prefix = if index == 0 { prefix } else { "" };
            lines.push_str(&now);
            lines.push(' ');
            lines.push_str(prefix);
            lines.push_str(&text_for_terminal(line));
            lines.push('\n');
        }
        if let Ok(mut file) = log.lock() {
            // A full disk must not fail the command because of its log.
            let _ = file.write_all(lines.as_bytes());
        }
    }
}

/// A line of standard input; `None` at its end.
fn read_line() -> Option<String> {
    let mut line = String::new();
    let length = io::stdin().read_line(&mut line).ok()?;
    (length > 0).then_some(line)
}

/// Text with control characters and direction overrides shown as `\u{1b}`, so that nothing in it
/// can move the cursor, hide a line or pass for another name. Line breaks and tabs stay.
pub(crate) fn text_for_terminal(text: &str) -> Cow<'_, str> {
    if cfg!(windows) && text.contains(VERBATIM) {
        return Cow::Owned(visible(&plain_paths(text)).into_owned());
    }
    visible(text)
}

/// What Windows puts before a path that was looked up.
const VERBATIM: &str = r"\\?\";

/// Text with Windows' paths as people write them.
fn plain_paths(text: &str) -> String {
    text.replace(r"\\?\UNC\", r"\\").replace(VERBATIM, "")
}

fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(must_be_shown) {
        return text.into();
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if must_be_shown(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown.into()
}

fn must_be_shown(character: char) -> bool {
    match character {
        '\n' | '\t' => false,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        _ => character.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_shown_as_people_write_them() {
        let text = r"`\\?\C:\env` and `\\?\UNC\server\share`, \\server\other";
        let expected = r"`C:\env` and `\\server\share`, \\server\other";
        assert_eq!(plain_paths(text), expected);
        let shown = if cfg!(windows) { expected } else { text };
        assert_eq!(text_for_terminal(text), shown);
    }

    #[test]
    fn control_characters_are_shown() {
        assert_eq!(
            text_for_terminal("a\u{1b}[2Kb\rc\u{9b}d"),
            "a\\u{1b}[2Kb\\u{d}c\\u{9b}d"
        );
        assert_eq!(text_for_terminal("evil\u{202e}txt"), "evil\\u{202e}txt");
        assert_eq!(
            text_for_terminal("two\nlines\tand ünïcode"),
            "two\nlines\tand ünïcode"
        );
    }
}
