//! The rules, profiles and catalogs of `constraints/`, compiled into the program by the build script.

/// The rules in binary form, without withdrawn ones.
pub(crate) static COMPILED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/rules.postcard"));

/// The text of an embedded rule's, profile's or catalog's file.
#[derive(Debug, Clone, Copy)]
pub struct RuleSource {
    /// Its path below the repository's root, with forward slashes.
    pub path: &'static str,
    /// Its text.
    pub text: &'static str,
}

/// Every embedded rule file, withdrawn ones included, by path: evidence, tests and prose are read
/// from these when somebody asks for them.
pub fn embedded_sources() -> &'static [RuleSource] {
    SOURCES
}

static SOURCES: &[RuleSource] = include!(concat!(env!("OUT_DIR"), "/sources.rs"));

/// Every embedded profile's file, by path.
pub fn embedded_profiles() -> &'static [RuleSource] {
    PROFILES
}

static PROFILES: &[RuleSource] = include!(concat!(env!("OUT_DIR"), "/profiles.rs"));

/// Every embedded catalog's file, by path.
pub fn embedded_catalogs() -> &'static [RuleSource] {
    CATALOGS
}

static CATALOGS: &[RuleSource] = include!(concat!(env!("OUT_DIR"), "/catalogs.rs"));
