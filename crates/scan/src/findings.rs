//! What a scan is asked and what it answers.

use std::collections::BTreeSet;

use bnbpip_packaging::PackageName;

use crate::installed::{Answers, Replay};
use crate::interpreter::Interpreter;
use crate::wheel::WheelFiles;

/// An operating system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    /// Linux.
    Linux,
    /// Windows.
    Windows,
    /// macOS.
    Macos,
}

/// Where the import is imagined to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// The operating system.
    pub system: System,
    /// Python's major and minor version.
    pub python: (u8, u8),
}

/// What an import doesn't find.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Missing {
    /// A module.
    Module(String),
    /// A name of a module that is there.
    Name {
        /// The module.
        module: String,
        /// The name.
        name: String,
    },
}

/// An import that fails.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The package that lacks it.
    pub package: PackageName,
    /// What is missing.
    pub missing: Missing,
    /// The file with the import, as it stands in the archive.
    pub path: String,
    /// The line of the import, from 1.
    pub line: u32,
    /// Whether it stands under a condition that couldn't be decided.
    pub conditional: bool,
    /// The modules through which it is reached, outermost first.
    pub via: Vec<String>,
}

/// What a scan brought.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scan {
    /// The imports that fail, in the order in which they are reached.
    pub findings: Vec<Finding>,
    /// Files that have to be handed in for a complete answer: the wheel's position and the path in
    /// its archive. Empty when the answer is complete.
    pub wanted: BTreeSet<(usize, String)>,
    /// All that was asked about the wheels on the way here.
    answers: Answers,
}

impl Scan {
    /// Whether a scan of the same package beside these other wheels comes to the same, which it
    /// does when all that this one asked about the wheels has the same answers.
    pub fn replay(&self, wheels: &[&WheelFiles]) -> Replay {
        self.answers.replay(wheels)
    }
}

/// Imports `modules` of the first wheel, with all wheels installed.
pub fn scan(wheels: &[&WheelFiles], modules: &[String], facts: Facts) -> Scan {
    let mut interpreter = Interpreter::new(wheels, facts);
    for module in modules {
        interpreter.import_first(module);
    }
    let Interpreter {
        findings,
        installed,
        ..
    } = interpreter;
    let (answers, wanted) = installed.into_answers();
    Scan {
        findings,
        wanted,
        answers,
    }
}
