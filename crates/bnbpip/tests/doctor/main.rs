//! `bnbpip doctor` from outside: fabricated environments, what it finds in them, the command that
//! it prints, and that `--fix` mends them.

#![expect(clippy::unwrap_used, reason = "test support")]

mod accelerators;
mod checks;
mod findings;
mod fixes;
#[cfg(unix)]
mod layouts;

use bnbpip_testing::{IndexServer, TestEnvironment, WheelBuilder};

/// An environment with these packages, as pip would have left them.
pub(crate) fn environment(server: &IndexServer, packages: &[WheelBuilder]) -> TestEnvironment {
    let environment = TestEnvironment::new(env!("CARGO_BIN_EXE_bnbpip")).with_index(server);
    for package in packages {
        environment.install_by_hand(package);
    }
    environment
}

/// An index with a bitsandbytes that doesn't go with Triton 3.2, and one that does.
pub(crate) fn index() -> IndexServer {
    let wheels = [
        WheelBuilder::new("bitsandbytes", "0.43.0"),
        WheelBuilder::new("bitsandbytes", "0.45.5"),
        WheelBuilder::new("triton", "3.1.0"),
        WheelBuilder::new("triton", "3.2.0"),
        WheelBuilder::new("setuptools", "75.0"),
        WheelBuilder::new("helper", "1.0"),
        WheelBuilder::new("helper", "2.0"),
        WheelBuilder::new("top", "1.0").requires("helper<2"),
        WheelBuilder::new("onnxruntime", "1.20.0"),
        WheelBuilder::new("onnxruntime-gpu", "1.20.0"),
    ];
    IndexServer::with(wheels.iter().map(WheelBuilder::build))
}

/// The line below `This command mends it:`.
pub(crate) fn printed_command(stdout: &str) -> Vec<String> {
    let (_, rest) = stdout.split_once("This command mends it:\n\n").unwrap();
    let line = rest.lines().next().unwrap().trim();
    let mut words = Vec::new();
    let mut quote = None;
    let mut word = String::new();
    for character in line.chars() {
        match (quote, character) {
            (Some(open), close) if open == close => quote = None,
            (None, '"' | '\'') => quote = Some(character),
            (None, ' ') => words.push(std::mem::take(&mut word)),
            _ => word.push(character),
        }
    }
    words.push(word);
    assert_eq!(words.remove(0), "bnbpip");
    words
}
