//! Test support for the whole workspace: wheels made up on the spot ([`WheelBuilder`]), a package
//! index in this process that serves them and misbehaves on request ([`IndexServer`]), whole tiny
//! universes written as TOML ([`Scenario`]), a proxy ([`ProxyServer`]), and throw-away
//! environments to run the program in ([`TestEnvironment`]).
//!
//! Nothing here is part of the product, and nothing needs the internet. Whatever goes wrong here
//! is the failure of the test that asked for it, so functions panic rather than return errors.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failure of test support is the test's failure"
)]

pub mod environment;
pub mod index;
pub mod mangle;
mod proxy;
mod scenario;
mod snapshot;
pub mod wheel;

pub use environment::{Run, TestEnvironment, base_interpreter};
pub use index::{
    Fault, HashInPage, HostedFile, IndexServer, Options, PageFormat, Ranges, RecordedRequest,
};
pub use mangle::Mangler;
pub use proxy::ProxyServer;
pub use scenario::{Expected, Outcome, Release, Scenario, ScenarioTarget, load_scenarios};
pub use snapshot::Filters;
pub use wheel::{BuiltWheel, Compression, WheelBuilder, WheelFault};

/// The SHA-256 of some bytes, in hexadecimal.
pub fn sha256_hex(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    use std::fmt::Write as _;
    let digest = sha2::Sha256::digest(bytes);
    digest.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}
