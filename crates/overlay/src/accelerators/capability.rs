//! What instructions an NVIDIA GPU runs.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

/// A compute capability: 8.9 is Ada.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Capability {
    /// The generation.
    pub major: u32,
    /// The step within it.
    pub minor: u32,
}

/// A text that is no compute capability.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Failed to read `{0}` as a compute capability")]
pub struct ParseCapabilityError(String);

impl Capability {
    /// Whether machine code for this capability runs on a card: within a generation, the card may
    /// be newer.
    pub(super) fn runs_on(self, card: Self) -> bool {
        self.major == card.major && self.minor <= card.minor
    }
}

impl FromStr for Capability {
    type Err = ParseCapabilityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let (major, minor) = text.split_once('.')?;
            Some(Self {
                major: major.parse().ok()?,
                minor: minor.parse().ok()?,
            })
        };
        parse().ok_or_else(|| ParseCapabilityError(text.to_owned()))
    }
}

impl TryFrom<String> for Capability {
    type Error = ParseCapabilityError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}
