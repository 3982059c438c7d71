//! What can be asked about the wheels that are installed together, and the record of it.
//!
//! A scan sees other wheels through these questions alone. Hundreds of releases answer them alike,
//! so that one scan, replayed, serves for all of those.

use std::collections::BTreeSet;

use bnbpip_packaging::Version;
use rustc_hash::FxHashMap;

use crate::module::Comparison;
use crate::names::{HasName, has_name};
use crate::wheel::{Found, WheelFiles};

/// The top-level modules of Python's standard library.
const STANDARD_LIBRARY: &str = include_str!("stdlib.txt");

/// Where a module is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Located {
    /// In the scanned package, at this path.
    Own(Box<str>),
    /// In another wheel.
    There,
    /// The wheel at this position should have it and doesn't.
    Lacks(usize),
    /// It can't be known.
    Unknown,
    /// It can't be known before this file of the wheel at this position is read.
    Wants(usize, Box<str>),
    /// In none of the wheels' packages.
    External,
}

/// Whether another scan would come to the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replay {
    /// It would.
    Same,
    /// It may not.
    Different,
    /// These files have to be handed in first: the wheel's position and the path in its archive.
    Wants(BTreeSet<(usize, String)>),
}

/// What was asked, with the answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Answers {
    located: FxHashMap<Box<str>, Located>,
    names: FxHashMap<(usize, Box<str>, Box<str>), HasName>,
    owners: FxHashMap<Box<str>, Option<usize>>,
    comparisons: FxHashMap<(usize, Comparison, Version), bool>,
}

impl Answers {
    pub(crate) fn replay(&self, wheels: &[&WheelFiles]) -> Replay {
        let mut wanted = BTreeSet::new();
        for ((wheel, module, name), answer) in &self.names {
            match name_in(wheels, *wheel, module, name) {
                HasName::Wants(path) => {
                    wanted.insert((*wheel, wheels[*wheel].archive_path(&path)));
                }
                now if now == *answer => {}
                _ => return Replay::Different,
            }
        }
        for (module, answer) in &self.located {
            match locate(wheels, module) {
                Located::Wants(wheel, path) => {
                    wanted.insert((wheel, wheels[wheel].archive_path(&path)));
                }
                now if now == *answer => {}
                _ => return Replay::Different,
            }
        }
        let compares_alike = |(asked, answer): (&(usize, Comparison, Version), &bool)| {
            asked.1.holds(wheels[asked.0].version(), &asked.2) == *answer
        };
        let mut owners = self.owners.iter();
        if !self.comparisons.iter().all(compares_alike)
            || !owners.all(|(top, owner)| owner_of(wheels, top) == *owner)
        {
            return Replay::Different;
        }
        if wanted.is_empty() {
            Replay::Same
        } else {
            Replay::Wants(wanted)
        }
    }
}

/// The wheels of a scan; the first is the scanned package's.
pub(crate) struct Installed<'wheels> {
    wheels: &'wheels [&'wheels WheelFiles],
    answers: Answers,
    wanted: BTreeSet<(usize, String)>,
}

impl<'wheels> Installed<'wheels> {
    pub(crate) fn new(wheels: &'wheels [&'wheels WheelFiles]) -> Self {
        Self {
            wheels,
            answers: Answers::default(),
            wanted: BTreeSet::new(),
        }
    }

    /// The scanned package.
    pub(crate) fn scanned(&self) -> &'wheels WheelFiles {
        self.wheels[0]
    }

    /// The wheel at a position.
    pub(crate) fn wheel(&self, at: usize) -> &'wheels WheelFiles {
        self.wheels[at]
    }

    /// The position of a distribution's wheel.
    pub(crate) fn position(&self, distribution: &str) -> Option<usize> {
        let name = distribution.parse().ok()?;
        self.wheels.iter().position(|wheel| *wheel.name() == name)
    }

    /// The wheel that a top-level module belongs to.
    pub(crate) fn owner(&mut self, top: &str) -> Option<usize> {
        if let Some(known) = self.answers.owners.get(top) {
            return *known;
        }
        let owner = owner_of(self.wheels, top);
        self.answers.owners.insert(top.into(), owner);
        owner
    }

    /// Where a module is.
    pub(crate) fn locate(&mut self, dotted: &str) -> Located {
        if let Some(known) = self.answers.located.get(dotted) {
            return known.clone();
        }
        let located = match locate(self.wheels, dotted) {
            Located::Wants(wheel, path) => {
                self.want(wheel, &path);
                Located::Unknown
            }
            located => located,
        };
        self.answers.located.insert(dotted.into(), located.clone());
        located
    }

    /// Whether a module of another wheel has a name.
    pub(crate) fn has_name(&mut self, wheel: usize, module: &str, name: &str) -> HasName {
        let asked = (wheel, module.into(), name.into());
        if let Some(known) = self.answers.names.get(&asked) {
            return known.clone();
        }
        let answer = match name_in(self.wheels, wheel, module, name) {
            HasName::Wants(path) => {
                self.want(wheel, &path);
                HasName::Unknown
            }
            answer => answer,
        };
        self.answers.names.insert(asked, answer.clone());
        answer
    }

    /// Whether the version of the wheel at a position compares so.
    pub(crate) fn compare(&mut self, at: usize, comparison: Comparison, version: &Version) -> bool {
        let holds = comparison.holds(self.wheels[at].version(), version);
        let asked = (at, comparison, version.clone());
        self.answers.comparisons.insert(asked, holds);
        holds
    }

    /// Asks for a file.
    pub(crate) fn want(&mut self, wheel: usize, path: &str) {
        let path = self.wheels[wheel].archive_path(path);
        self.wanted.insert((wheel, path));
    }

    pub(crate) fn into_answers(self) -> (Answers, BTreeSet<(usize, String)>) {
        (self.answers, self.wanted)
    }
}

fn owner_of(wheels: &[&WheelFiles], top: &str) -> Option<usize> {
    wheels.iter().position(|wheel| wheel.owns(top))
}

fn name_in(wheels: &[&WheelFiles], wheel: usize, module: &str, name: &str) -> HasName {
    match wheels[wheel].find(module) {
        Some(Found::Python(path)) => has_name(wheels[wheel], module, &path, name),
        _ => HasName::Unknown,
    }
}

fn locate(wheels: &[&WheelFiles], dotted: &str) -> Located {
    let top = dotted.split('.').next().unwrap_or_default();
    let mut owners = (0..wheels.len()).filter(|at| wheels[*at].owns(top));
    let Some(owner) = owners.next() else {
        return Located::External;
    };
    for at in [owner].into_iter().chain(owners) {
        match wheels[at].find(dotted) {
            Some(Found::Python(path)) if at == 0 => return Located::Own(path),
            Some(_) => return Located::There,
            None => {}
        }
    }
    // What the scanned package itself lacks is made when it is built or run.
    if owner == 0 {
        return Located::Unknown;
    }
    // Who may make a submodule without a file is the package that it would be in.
    let ends = ends(dotted);
    let found = ends.iter().map(|end| wheels[owner].find(&dotted[..*end]));
    match found.map_while(|found| found).last() {
        Some(Found::Compiled) => Located::Unknown,
        Some(Found::Python(path)) => match wheels[owner].module(&path) {
            None => Located::Wants(owner, path),
            Some(Some(parsed)) if !parsed.names.open_modules => Located::Lacks(owner),
            Some(_) => Located::Unknown,
        },
        Some(Found::Namespace) | None => Located::Lacks(owner),
    }
}

/// The ends of the prefixes `a`, `a.b`, `a.b.c`.
pub(crate) fn ends(dotted: &str) -> Vec<usize> {
    let dots = dotted.match_indices('.').map(|(at, _)| at);
    dots.chain([dotted.len()]).collect()
}

/// Whether Python itself brings the module.
pub(crate) fn is_standard(dotted: &str) -> bool {
    let top = dotted.split('.').next().unwrap_or_default();
    STANDARD_LIBRARY.lines().any(|line| line == top)
}
