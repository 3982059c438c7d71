//! `install` from end to end: the program, an index in this process, and environments that are
//! thrown away.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what fails here is the test's failure"
)]

mod accelerators;
mod addresses;
mod asking;
mod build_options;
mod cache_damage;
mod community;
mod concurrency;
mod credentials;
mod downloads;
mod everyday;
mod failures;
#[cfg(target_os = "linux")]
mod full_disk;
mod hashes;
mod history;
mod index_roots;
mod interruption;
mod left_out;
mod loudness;
mod machine_faults;
mod machine_rules;
mod mirrors;
mod named_indexes;
mod network_use;
mod patience;
#[cfg(unix)]
mod permissions;
mod pip_conflicts;
mod pip_corners;
mod pip_details;
mod pip_spelling;
mod pip_words;
mod places;
mod plain_setup;
mod profiles;
mod project_rules;
mod prompts;
mod proxies;
mod releases;
mod reports;
mod resumption;
mod rules_update;
mod scenarios;
mod semantics;
mod sources;
mod support;
mod switches;
mod team_rules;
mod time_limits;
mod tls;
mod told_metadata;
