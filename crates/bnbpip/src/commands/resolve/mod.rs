//! Request → resolution, for every command that resolves: reading what was asked for
//! ([`requirements`]), the index's client ([`network`]), the solver's view of it ([`provider`]), and
//! the words for a failure.

pub(crate) mod accelerator;
mod advice;
pub(crate) mod automatic;
mod candidates;
pub(crate) mod community;
mod connection;
mod elsewhere;
mod failing;
pub(crate) mod hash_mode;
mod index_names;
pub(crate) mod installed;
mod known_names;
mod locations;
pub(crate) mod lookup;
pub(crate) mod machine;
pub(crate) mod network;
pub(crate) mod notes;
mod provider;
pub(crate) mod remote_file;
pub(crate) mod requirements;
mod resolution;
mod suggestion;
mod versions;
pub(crate) mod wording;

pub(crate) use connection::{Connection, Connections, runtime};
pub(crate) use resolution::{CommandWords, InstalledPolicy, LockedFiles, Resolved, Resolving};
