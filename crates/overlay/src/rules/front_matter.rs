//! The TOML between the `+++` lines, as written: every value with its place, nothing checked yet.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;
use toml::Value;
use toml::value::Datetime;

use super::{RuleError, RuleProblem, Severity};

/// The keys of every kind of rule. [`super::RuleDocument`] checks which of them belong together.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FrontMatter {
    pub(super) id: Spanned<String>,
    pub(super) title: Spanned<String>,
    pub(super) kind: Spanned<Kind>,
    pub(super) severity: Option<Spanned<Severity>>,
    pub(super) date: Spanned<Datetime>,
    pub(super) withdrawn: Option<Spanned<Datetime>>,
    pub(super) marker: Option<Spanned<String>>,
    pub(super) hint: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) fixed: BTreeMap<Spanned<String>, Spanned<String>>,
    pub(super) a: Option<Spanned<RawSide>>,
    pub(super) b: Option<Spanned<RawSide>>,
    pub(super) c: Option<Spanned<RawSide>>,
    pub(super) packages: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) versions: Option<Spanned<Value>>,
    pub(super) wheels: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) requirement: Option<Spanned<String>>,
    pub(super) provides: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) evidence: Vec<Spanned<RawEvidence>>,
    #[serde(default)]
    pub(super) tests: Vec<Spanned<RawTest>>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Conflict,
    Exclude,
    Requires,
    Provides,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSide {
    pub(super) packages: Spanned<Vec<Spanned<String>>>,
    pub(super) versions: Spanned<Value>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
pub(super) enum RawEvidence {
    Source {
        url: String,
        detail: String,
    },
    Artifact {
        package: String,
        versions: Vec<String>,
        wheel: Option<String>,
        member: String,
        present: Option<bool>,
        contains: Option<String>,
        lacks: Option<String>,
    },
    Changelog {
        url: String,
        detail: String,
    },
    Reproduction {
        detail: String,
    },
    Issue {
        url: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTest {
    pub(super) expect: RawExpectation,
    pub(super) packages: Vec<String>,
    pub(super) target: Option<String>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum RawExpectation {
    Hit,
    Miss,
}

impl Kind {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Conflict => "conflict",
            Self::Exclude => "exclude",
            Self::Requires => "requires",
            Self::Provides => "provides",
        }
    }
}

/// A rule text cut into its two parts.
pub(super) struct Parts<'a> {
    /// Where errors are said to be.
    pub(super) file: &'a str,
    /// The TOML.
    pub(super) front: &'a str,
    /// The Markdown.
    pub(super) prose: &'a str,
}

impl<'a> Parts<'a> {
    /// Cuts at the `+++` lines. Line endings may be either kind.
    pub(super) fn split(text: &'a str, file: &'a str) -> Result<Self, RuleError> {
        let fail = |line, problem| RuleError {
            file: file.to_owned(),
            line,
            problem,
        };
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let body = text
            .strip_prefix("+++")
            .and_then(|rest| {
                rest.strip_prefix("\r\n")
                    .or_else(|| rest.strip_prefix('\n'))
            })
            .ok_or_else(|| fail(1, RuleProblem::NoFrontMatter))?;
        let mut end = 0;
        for line in body.split_inclusive('\n') {
            if line.trim_end() == "+++" {
                let front = &body[..end];
                let prose = body[end + line.len()..].trim();
                if prose.is_empty() {
                    let line = 2 + front.matches('\n').count();
                    return Err(fail(line, RuleProblem::NoText));
                }
                return Ok(Self { file, front, prose });
            }
            end += line.len();
        }
        Err(fail(1, RuleProblem::UnclosedFrontMatter))
    }

    /// The line of the file on which a byte of the front matter stands.
    pub(super) fn line_of(&self, offset: usize) -> usize {
        let before = &self.front.as_bytes()[..offset.min(self.front.len())];
        2 + before.split(|byte| *byte == b'\n').count() - 1
    }

    /// An error at a byte of the front matter.
    pub(super) fn error_at(&self, offset: usize, problem: RuleProblem) -> RuleError {
        RuleError {
            file: self.file.to_owned(),
            line: self.line_of(offset),
            problem,
        }
    }

    /// Reads the front matter.
    pub(super) fn parse(&self) -> Result<FrontMatter, RuleError> {
        toml::from_str(self.front).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            self.error_at(offset, RuleProblem::Toml(error.message().to_owned()))
        })
    }
}
