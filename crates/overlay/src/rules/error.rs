//! What can be wrong with the text of one rule.

use super::{InvalidRuleId, InvalidSubject, InvalidTestTarget, UnknownVirtualPackage};

/// A rule text that could not be read, and where.
#[derive(Debug, thiserror::Error)]
#[error("Failed to read rule `{file}` at line {line}")]
pub struct RuleError {
    /// The name of the source that was given, usually a path.
    pub file: String,
    /// The line in that source, from 1.
    pub line: usize,
    /// What is wrong.
    #[source]
    pub problem: RuleProblem,
}

/// What is wrong with a rule text.
#[derive(Debug, thiserror::Error)]
pub enum RuleProblem {
    /// The text does not start with `+++`.
    #[error("the file does not start with a `+++` line")]
    NoFrontMatter,
    /// The front matter is not closed.
    #[error("the front matter has no closing `+++` line")]
    UnclosedFrontMatter,
    /// Nothing stands after the front matter.
    #[error("there is no text after the front matter")]
    NoText,
    /// The front matter is not the expected TOML.
    #[error("{0}")]
    Toml(String),
    /// A key that belongs to another kind of rule.
    #[error("a rule of kind `{kind}` has no key `{key}`")]
    UnexpectedKey {
        /// The rule's kind.
        kind: &'static str,
        /// The key.
        key: &'static str,
    },
    /// A key that this kind of rule needs.
    #[error("a rule of kind `{kind}` needs the key `{key}`")]
    MissingKey {
        /// The rule's kind.
        kind: &'static str,
        /// The key.
        key: &'static str,
    },
    /// More than one package where a rule speaks about one.
    #[error("a rule of kind `{kind}` names exactly one package")]
    OnePackage {
        /// The rule's kind.
        kind: &'static str,
    },
    /// Not an identifier.
    #[error(transparent)]
    Id(#[from] InvalidRuleId),
    /// Not a package name.
    #[error("`{0}` is not a package name")]
    PackageName(String),
    /// Not a fact about machines.
    #[error(transparent)]
    VirtualPackage(#[from] UnknownVirtualPackage),
    /// A side that is about the machine and about something else as well.
    #[error("a side is about packages, or about one fact of the machine")]
    MixedSide,
    /// A conflict with nothing that could be left out.
    #[error("a conflict is about packages at least on one side")]
    MachineAlone,
    /// Not a version.
    #[error("`{0}` is not a version")]
    Version(String),
    /// Neither a text nor a list of texts.
    #[error("`versions` is neither a text nor a list of texts")]
    VersionsShape,
    /// Not version specifiers.
    #[error("`{text}` is not a version range: {message}")]
    Versions {
        /// The text.
        text: String,
        /// Why not.
        message: String,
    },
    /// Not a marker.
    #[error("`{text}` is not an environment marker: {message}")]
    Marker {
        /// The text.
        text: String,
        /// Why not.
        message: String,
    },
    /// Not a requirement.
    #[error("`{text}` is not a requirement: {message}")]
    Requirement {
        /// The text.
        text: String,
        /// Why not.
        message: String,
    },
    /// A day with a time, or no day at all.
    #[error("`{0}` is not a plain date such as `2026-11-23`")]
    Date(String),
    /// An empty list.
    #[error("`{0}` is empty")]
    Empty(&'static str),
    /// An artifact claim with more or less than one statement.
    #[error("artifact evidence states exactly one of `present`, `contains` and `lacks`")]
    ArtifactClaim,
    /// Not a test target.
    #[error(transparent)]
    TestTarget(#[from] InvalidTestTarget),
    /// Not a test package.
    #[error(transparent)]
    Subject(#[from] InvalidSubject),
}
