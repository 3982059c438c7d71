//! What a command says when it can't do what was asked: one sentence, its causes, what to do
//! about it, and the exit code.
//!
//! A library's error becomes a [`Failure`] here, at the top: the error's own text is the message,
//! its chain of sources the causes. Hints are added where the command is known.

use std::error::Error;

/// Exit codes: pip's own, and one for what pip doesn't do.
pub(crate) mod exit_code {
    /// Any handled error: nothing matches, a conflict, a bad hash, an input or output error.
    pub(crate) const ERROR: u8 = 1;
    /// The command line can't be understood.
    pub(crate) const USAGE: u8 = 2;
    /// `--require-virtualenv` isn't met, or a configured value can't be understood.
    pub(crate) const ENVIRONMENT: u8 = 3;
    /// `doctor` found something wrong with the environment.
    pub(crate) const FINDINGS: u8 = 5;
    /// Whoever reads standard output has gone.
    pub(crate) const BROKEN_PIPE: u8 = 120;
}

/// A failed command, ready to be printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure(Box<Content>);

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Content {
    /// Each is printed as a line of its own after `ERROR: ` (further lines inside it as they are).
    messages: Vec<String>,
    detail: Option<String>,
    causes: Vec<String>,
    hints: Vec<String>,
    /// Stands on standard output, before the messages.
    remark: Option<String>,
    usage: Option<String>,
    exit_code: u8,
    /// Whether the solver came to the end, and nothing went wrong on the way.
    is_no_solution: bool,
}

impl Failure {
    /// A failure with one sentence to say.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        let mut failure = Self::silent(exit_code::ERROR);
        failure.0.messages.push(message.into());
        failure
    }

    /// A failure whose words have all been printed already: only the exit code is left.
    pub(crate) fn silent(exit_code: u8) -> Self {
        Self(Box::new(Content {
            exit_code,
            ..Content::default()
        }))
    }

    /// A command line that can't be understood: the usage comes first, the message last and bare,
    /// as pip prints them.
    pub(crate) fn usage(usage: impl Into<String>, message: impl Into<String>) -> Self {
        let mut failure = Self::new(message).exit_with(exit_code::USAGE);
        failure.0.usage = Some(usage.into());
        failure
    }

    /// The user pressed Ctrl-C.
    pub(crate) fn cancelled() -> Self {
        Self::new("Operation cancelled by user")
    }

    /// Adds a further `ERROR:` sentence after the first.
    #[must_use]
    pub(crate) fn and(mut self, message: impl Into<String>) -> Self {
        self.0.messages.push(message.into());
        self
    }

    /// Says what was being attempted: the present message becomes the first cause.
    #[must_use]
    pub(crate) fn context(mut self, message: impl Into<String>) -> Self {
        let mut causes = std::mem::replace(&mut self.0.messages, vec![message.into()]);
        causes.append(&mut self.0.causes);
        self.0.causes = causes;
        self
    }

    /// Adds a cause below the message.
    #[must_use]
    pub(crate) fn caused_by(mut self, cause: impl Into<String>) -> Self {
        self.0.causes.push(cause.into());
        self
    }

    /// Adds lines below the messages: a derivation, a table.
    #[must_use]
    pub(crate) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// Says that the request has no solution: another one may have.
    #[must_use]
    pub(crate) fn without_solution(mut self) -> Self {
        self.0.is_no_solution = true;
        self
    }

    /// Adds something that the user can do.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hints.push(hint.into());
        self
    }

    /// Adds what pip says of this on standard output, where scripts look for it.
    #[must_use]
    pub(crate) fn remark(mut self, remark: impl Into<String>) -> Self {
        self.0.remark = Some(remark.into());
        self
    }

    /// Changes the exit code, which is 1 unless said otherwise.
    #[must_use]
    pub(crate) fn exit_with(mut self, exit_code: u8) -> Self {
        self.0.exit_code = exit_code;
        self
    }

    /// What stands on standard output.
    pub(crate) fn remark_text(&self) -> Option<&str> {
        self.0.remark.as_deref()
    }

    /// The sentences to print after `ERROR: `.
    pub(crate) fn messages(&self) -> &[String] {
        &self.0.messages
    }

    /// The lines below the messages.
    pub(crate) fn detail_text(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }

    /// Why it happened, nearest cause first.
    pub(crate) fn causes(&self) -> &[String] {
        &self.0.causes
    }

    /// What the user can do about it.
    pub(crate) fn hints(&self) -> &[String] {
        &self.0.hints
    }

    /// The usage to print first, for errors on the command line.
    pub(crate) fn usage_text(&self) -> Option<&str> {
        self.0.usage.as_deref()
    }

    /// Whether the solver came to the end, and nothing went wrong on the way.
    pub(crate) fn is_no_solution(&self) -> bool {
        self.0.is_no_solution
    }

    /// The process's exit code.
    pub(crate) fn exit_code(&self) -> u8 {
        self.0.exit_code
    }
}

impl<E: Error> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut failure = Self::new(error.to_string());
        let mut source = error.source();
        while let Some(cause) = source {
            let text = cause.to_string();
            // A transparent wrapper repeats the words of what it wraps.
            if failure.0.causes.last().or(failure.0.messages.last()) != Some(&text) {
                failure.0.causes.push(text);
            }
            source = cause.source();
        }
        failure
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("Failed to read `x`")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn an_error_keeps_its_causes() {
        let failure = Failure::from(Outer(std::io::Error::other("disk on fire")));
        assert_eq!(failure.messages(), ["Failed to read `x`"]);
        assert_eq!(failure.causes(), ["disk on fire"]);
        assert_eq!(failure.exit_code(), 1);
    }

    #[test]
    fn context_pushes_the_message_down() {
        let failure = Failure::new("b").caused_by("c").context("a");
        assert_eq!(failure.messages(), ["a"]);
        assert_eq!(failure.causes(), ["b", "c"]);
    }
}
