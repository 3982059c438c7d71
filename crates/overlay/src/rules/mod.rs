//! The rule format: what a rule file may say, how it is read, and when a rule applies.
//!
//! This module stands on its own, because the crate's build script compiles it too: the rules under
//! `constraints/` are read and linted by the same code that reads a team's rules at run time.

mod applies;
mod claims;
mod compact;
mod document;
mod error;
mod evidence;
mod front_matter;
mod id;
mod lint;
mod machine;
mod profile;
mod provides;
mod rule;
mod subject;
mod target;

pub use applies::Applies;
pub use claims::InsideClaim;
pub use compact::{CompactError, decode, encode};
pub use document::{RuleDocument, RuleTest};
pub use error::{RuleError, RuleProblem};
pub use evidence::{ArtifactClaim, ArtifactEvidence, Evidence};
pub use id::{InvalidRuleId, RuleId};
pub use lint::{Problem, lint};
pub use machine::{
    KnownMachine, MachineFact, MachineFacts, MachineSide, UnknownVirtualPackage, VirtualPackage,
};
pub use profile::{Correction, Profile, ProfileError};
pub use provides::Provides;
pub use rule::{
    Conflict, Exclude, Requires, Rule, RuleDate, RuleKind, Severity, Side, VersionSet, WheelPattern,
};
pub use subject::{InvalidSubject, Subject};
pub use target::{InvalidTestTarget, TestTarget};
