//! `Requires-Python` of a file: text on the page, parsed once for all files that share it.

use std::sync::OnceLock;

use bnbpip_packaging::VersionSpecifiers;

/// The Python versions that a file says it needs.
#[derive(Debug)]
pub struct RequiresPython {
    text: Box<str>,
    parsed: OnceLock<Option<VersionSpecifiers>>,
}

impl RequiresPython {
    /// Takes the text; it is read when it is asked.
    pub fn new(text: &str) -> Self {
        Self {
            text: text.into(),
            parsed: OnceLock::new(),
        }
    }

    /// The text as the index gave it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The specifiers; `None` if the text isn't valid, which pip takes as "any Python".
    pub fn specifiers(&self) -> Option<&VersionSpecifiers> {
        self.parsed
            .get_or_init(|| {
                let parsed = self.text.parse();
                if parsed.is_err() {
                    tracing::debug!(text = %self.text, "ignoring an invalid Requires-Python");
                }
                parsed.ok()
            })
            .as_ref()
    }
}
