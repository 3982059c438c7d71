//! The checks that start the interpreter: what came of each, and what a failure means.

use std::sync::OnceLock;

use bnbpip_overlay::RuleId;
use serde::Deserialize;

/// One check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What it is called in JSON, `import`.
    pub key: &'static str,
    /// What is tried, ``import bitsandbytes``.
    pub what: &'static str,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It works.
    Passed,
    /// It doesn't.
    Failed {
        /// The last line of the exception, or how the process ended.
        reason: String,
    },
    /// It was not tried, and why.
    Skipped(String),
}

/// What a failure's last line means.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cause {
    text: String,
    /// The cause, as a sentence without a full stop.
    pub means: String,
    rule: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Causes {
    cause: Vec<Cause>,
}

impl Cause {
    /// The known cause of a failure.
    pub fn of(reason: &str) -> Option<&'static Self> {
        causes().iter().find(|cause| reason.contains(&cause.text))
    }

    /// The rule behind it.
    pub fn rule(&self) -> Option<RuleId> {
        self.rule.as_deref()?.parse().ok()
    }

    /// The sentence, with the rule.
    pub fn sentence(&self) -> String {
        match &self.rule {
            Some(rule) => format!("{} ({rule})", self.means),
            None => self.means.clone(),
        }
    }
}

/// The table; a test reads it for every build.
fn causes() -> &'static [Cause] {
    static CAUSES: OnceLock<Vec<Cause>> = OnceLock::new();
    CAUSES.get_or_init(|| {
        let text = include_str!("../../../../constraints/stack/causes.toml");
        toml::from_str::<Causes>(text).map_or_else(|_| Vec::new(), |table| table.cause)
    })
}

/// The line of a traceback that says what happened: the last that begins with an exception's name,
/// else the last.
pub fn last_exception(stderr: &str) -> Option<String> {
    let lines = || {
        stderr
            .lines()
            .rev()
            .map(str::trim_end)
            .filter(|line| !line.is_empty())
    };
    let is_exception = |line: &&str| {
        let name = line.split(':').next().unwrap_or_default();
        let is_name = name
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || "._".contains(character));
        let last = name.rsplit('.').next().unwrap_or_default();
        is_name
            && (last.ends_with("Error") || last.ends_with("Exception") || last.ends_with("Exit"))
    };
    lines()
        .find(is_exception)
        .or_else(|| lines().next())
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use bnbpip_overlay::Overlay;

    use super::*;

    #[test]
    fn the_line_that_tells_is_found() {
        let traceback = "Traceback (most recent call last):\n  File \"<string>\", line 1\n\
             ModuleNotFoundError: No module named 'triton.ops'\n\nsee the documentation\n";
        assert_eq!(
            last_exception(traceback).as_deref(),
            Some("ModuleNotFoundError: No module named 'triton.ops'")
        );
        assert_eq!(
            last_exception("torch.cuda.OutOfMemoryError: CUDA\n").as_deref(),
            Some("torch.cuda.OutOfMemoryError: CUDA")
        );
        assert_eq!(
            last_exception("OMP: Error #15: Initializing\n").as_deref(),
            Some("OMP: Error #15: Initializing")
        );
        assert_eq!(last_exception("\n"), None);
    }

    #[test]
    fn known_causes_name_rules_that_exist() {
        let overlay = Overlay::embedded().unwrap();
        assert!(causes().len() > 20);
        for cause in causes() {
            if cause.rule.is_some() {
                assert!(overlay.get(&cause.rule().unwrap()).is_some(), "{cause:?}");
            }
        }
        let cause = Cause::of("ModuleNotFoundError: No module named 'triton.ops'").unwrap();
        assert!(cause.sentence().ends_with("(BNB-0001)"));
        assert_eq!(Cause::of("KeyError: 'x'"), None);
    }
}
