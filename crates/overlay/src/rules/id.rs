//! Rule identifiers, such as `BNB-0001`.

use std::fmt;
use std::str::FromStr;

/// The stable name of a rule: a prefix of two to sixteen capital letters, a dash, and at least four digits.
///
/// `BNB` is the prefix of the embedded set; a team chooses its own. An identifier is never used
/// again for another rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(Box<str>);

/// A text that is not a rule identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a rule identifier: expected capital letters, a dash and four digits, such as `BNB-0001`"
)]
pub struct InvalidRuleId(String);

impl RuleId {
    /// The identifier as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RuleId {
    type Err = InvalidRuleId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let valid = text.split_once('-').is_some_and(|(prefix, digits)| {
            (2..=16).contains(&prefix.len())
                && prefix.bytes().all(|byte| byte.is_ascii_uppercase())
                && (4..=8).contains(&digits.len())
                && digits.bytes().all(|byte| byte.is_ascii_digit())
        });
        if valid {
            Ok(Self(text.into()))
        } else {
            Err(InvalidRuleId(text.to_owned()))
        }
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl AsRef<str> for RuleId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}
