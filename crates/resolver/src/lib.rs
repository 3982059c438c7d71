//! Version solving: which version of each package to take, and from which file.
//!
//! [`resolve`] runs PubGrub over a [`MetadataProvider`] with the overlay's rules, extras, markers,
//! pre-release and yank policies and the preference for what is installed. It gives a
//! [`Resolution`], or an [`Explanation`] made of facts that are each true by themselves.
//!
//! Pure: the provider brings pages and metadata, the binary prints. The solver library stays behind
//! `solve` and `explanation`; no type of it leaves this crate.

mod attempts;
mod choose;
mod conflicts;
mod edges;
mod expand;
mod explanation;
mod fact;
mod package;
pub mod provider;
pub mod reason;
pub mod request;
pub mod resolution;
mod rules;
mod solve;

pub use attempts::{ResolveError, resolve};
pub use explanation::Explanation;
pub use fact::{Fact, Project};
pub use provider::{
    DependencyError, MetadataProvider, PackageMetadata, ProviderError, Unusable, VersionList,
    Yanked,
};
pub use reason::Reason;
pub use request::{
    Constraint, InstalledPackage, PreferredVersions, PrereleasePolicy, Requested, SolveRequest,
};
pub use resolution::{Resolution, ResolvedPackage, RuleEffect, Source};
