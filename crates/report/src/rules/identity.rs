//! Which rules were in force: what plans, reports and locks say of them.

use std::fmt;

use bnbpip_overlay::{CompactError, Overlay};

/// A rule set in a few words. Two runs with the same digest had the same rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleSetIdentity {
    /// How many rules it has.
    pub rules: usize,
    /// The day of its newest change; `None` if it has no rules.
    pub version: Option<String>,
    /// The SHA-256 of its content, in lowercase hexadecimal.
    pub sha256: String,
}

impl RuleSetIdentity {
    /// The identity of these rules.
    ///
    /// # Errors
    /// When they can't be written in their binary form: never for rules that were read from text.
    pub fn of(overlay: &Overlay) -> Result<Self, CompactError> {
        Ok(Self {
            rules: overlay.rules().len(),
            version: overlay.version().map(|date| date.to_string()),
            sha256: overlay.digest()?,
        })
    }

    /// As JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "rules": self.rules,
            "version": self.version,
            "sha256": self.sha256,
        })
    }
}

impl fmt::Display for RuleSetIdentity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Rules {}", self.rules)?;
        if let Some(version) = &self.version {
            write!(formatter, " of {version}")?;
        }
        write!(formatter, ", sha256 {}", self.sha256)
    }
}
