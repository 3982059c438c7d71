//! Overlay rules: what is true of packages and is not in their metadata.
//!
//! A rule is a reviewed file with ranges, evidence and tests; `constraints/README.md` describes the
//! format. This crate reads and checks rules, carries the embedded set, and answers what the rules say
//! about a target and about a set of packages, which builds of torch a machine runs, and which wheels others than their projects built. It knows no solver and does no input or output.

mod accelerators;
mod active;
mod catalogs;
mod embedded;
mod overlay;
mod rules;

pub use accelerators::{
    AcceleratorFacts, AcceleratorSystem, Because, Builds, Capability, Family, FamilyChoice,
    IndexEvidence, ParseCapabilityError, TorchIndexes,
};
pub use active::{ActiveConflict, ActiveRules, Finding};
pub use catalogs::{Catalog, CatalogError, CommunityIndex, CommunityWheel};
pub use embedded::{RuleSource, embedded_catalogs, embedded_profiles, embedded_sources};
pub use overlay::Overlay;
pub use rules::*;
