//! A failed resolution in sentences: each a true statement about these packages, from what the
//! user asked for to the contradiction; and hints.

use std::fmt::Write as _;

use bnbpip_overlay::{MachineFact, Rule};
use bnbpip_packaging::{PackageName, Version, VersionRange};
use bnbpip_resolver::Project;
use bnbpip_resolver::{Explanation, Fact};

use crate::{accelerator, ranges};

mod pip;
mod reasons;

/// How the target is spoken of.
#[derive(Debug, Clone)]
pub struct TargetWords {
    /// `3.11.4`
    pub python: String,
    /// The interpreter's own tag, `cp311`.
    pub python_tag: String,
    /// The best platform tag, `win_amd64`.
    pub platform: String,
}

/// The text of a failed resolution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoSolution {
    /// The sentences behind `ERROR: `.
    pub messages: Vec<String>,
    /// pip's account of a conflict, for the scripts that look for it on standard output.
    pub narration: Vec<String>,
    /// The derivation, a premise a line, ending in the conclusion.
    pub derivation: Vec<String>,
    /// What to do.
    pub hints: Vec<String>,
    /// Packages that no index has.
    pub unknown: Vec<PackageName>,
}

/// How a project of some versions spells its requirement of a package, where that is known.
pub type Spelled<'a> = &'a dyn Fn(&Project, &VersionRange, &PackageName) -> Option<String>;

/// Puts an explanation into words.
pub fn no_solution(
    explanation: &Explanation,
    target: &TargetWords,
    spelled: Spelled<'_>,
) -> NoSolution {
    let writer = Writer {
        explanation,
        target,
        spelled,
    };
    let single = writer.single_requirement();
    let messages = match &single {
        Some((requirement, fact)) => writer.not_found_messages(requirement, fact),
        None => writer.conflict_messages(),
    };
    let narration = match single {
        Some(_) => Vec::new(),
        None => writer.narration(),
    };
    let unknown = explanation.facts.iter().filter_map(|fact| match fact {
        Fact::NotFound(name) => Some(name.clone()),
        _ => None,
    });
    NoSolution {
        messages,
        narration,
        derivation: writer.derivation(),
        hints: writer.hints(),
        unknown: unknown.collect(),
    }
}

struct Writer<'a> {
    explanation: &'a Explanation,
    target: &'a TargetWords,
    spelled: Spelled<'a>,
}

impl Writer<'_> {
    fn existing(&self, name: &PackageName) -> &[Version] {
        self.explanation
            .existing
            .get(name)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    fn derivation(&self) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for fact in &self.explanation.facts {
            if self.goes_without_saying(fact) {
                continue;
            }
            for sentence in self.sentences(fact) {
                let lead = if lines.is_empty() { "Because" } else { "and" };
                lines.push(format!("{lead} {sentence}"));
            }
        }
        lines.push(self.conclusion());
        lines
    }

    /// That there are no versions beyond those of which each is accounted for, or beyond the one
    /// that an address leads to.
    fn goes_without_saying(&self, fact: &Fact) -> bool {
        let Fact::NoVersions { name, range } = fact else {
            return false;
        };
        if self.is_of_address(name) {
            return true;
        }
        let accounted: Vec<&Version> = self
            .explanation
            .facts
            .iter()
            .filter_map(|other| match other {
                Fact::Versions { name: of, reasons } if of == name => Some(reasons.iter()),
                _ => None,
            })
            .flatten()
            .map(|(version, _)| version)
            .collect();
        let existing = self.existing(name);
        !existing.is_empty()
            && existing
                .iter()
                .all(|version| !range.contains(version) && accounted.contains(&version))
    }

    /// Whether a package was looked at though no index has it: what it needs is known, or its
    /// address.
    fn is_of_address(&self, name: &PackageName) -> bool {
        let mut facts = self.explanation.facts.iter();
        self.existing(name).is_empty()
            && facts.any(|fact| match fact {
                Fact::Depends { project, .. } => project.name == *name,
                Fact::Requested {
                    name: of,
                    requirement,
                    ..
                } => of == name && requirement.contains("://"),
                _ => false,
            })
    }

    fn conclusion(&self) -> String {
        let mut names: Vec<String> = Vec::new();
        for fact in &self.explanation.facts {
            if let Fact::Requested { requirement, .. } = fact {
                names.push(format!("`{requirement}`"));
            }
        }
        match names.len() {
            0 => "so there is no solution.".to_string(),
            1 => format!("so {} cannot be installed.", names[0]),
            _ => format!(
                "so {} cannot be installed together.",
                ranges::join_and(&names)
            ),
        }
    }

    fn sentences(&self, fact: &Fact) -> Vec<String> {
        match fact {
            Fact::Requested {
                requirement,
                origin,
                ..
            } => {
                vec![format!(
                    "you require {}",
                    with_origin(requirement, origin.as_deref())
                )]
            }
            Fact::Installed { name, version } => {
                vec![format!(
                    "{name} {version} is installed and has to keep working"
                )]
            }
            Fact::Depends {
                project,
                versions,
                dependency,
                accepted,
            } => {
                vec![self.depends(project, versions, dependency, accepted)]
            }
            Fact::Machine(fact) => vec![accelerator::fact_sentence(fact)],
            Fact::Rule(rule) => vec![rule_sentence(rule)],
            Fact::NotFound(name) => vec![format!("no index has {name}")],
            Fact::NoVersions { name, range } => vec![self.no_versions(name, range)],
            Fact::Versions { name, reasons } => self.version_reasons(name, reasons),
            Fact::Constraint { text, origin, .. } => {
                vec![format!(
                    "a constraint says {}",
                    with_origin(text, origin.as_deref())
                )]
            }
        }
    }

    fn depends(
        &self,
        project: &Project,
        versions: &VersionRange,
        dependency: &Project,
        accepted: &VersionRange,
    ) -> String {
        let subject = ranges::describe(&spell(project), versions, self.existing(&project.name));
        let verb = if needs_plural(versions, self.existing(&project.name)) {
            "require"
        } else {
            "requires"
        };
        format!("{subject} {verb} {}", needed(dependency, accepted))
    }

    fn no_versions(&self, name: &PackageName, range: &VersionRange) -> String {
        let existing = self.existing(name);
        if existing.is_empty() {
            return format!("there is no version of {name}");
        }
        let specifiers = ranges::specifiers(range);
        let all: Vec<&Version> = existing.iter().collect();
        format!(
            "there is no {name}{specifiers} (there are {})",
            ranges::list(&all)
        )
    }
}

/// A rule's sentence with its id and, where the rule is about machines, what this one has:
/// `… needs driver 580 (BNB-0204; NVIDIA driver 470.01)`.
pub fn rule_sentence_here(rule: &Rule, machine: &[MachineFact]) -> String {
    let sides = rule.machine_sides();
    let spoken_of = |fact: &&MachineFact| sides.iter().any(|side| side.package == fact.package);
    let facts: Vec<String> = machine
        .iter()
        .filter(spoken_of)
        .map(accelerator::fact)
        .collect();
    if facts.is_empty() {
        return rule_sentence(rule);
    }
    let title = rule.title.trim_end_matches('.');
    format!("{title} ({}; {})", rule.id, ranges::join_and(&facts))
}

/// A rule's sentence with its id.
pub fn rule_sentence(rule: &Rule) -> String {
    let mut title = rule.title.trim_end_matches('.').to_string();
    let _ = write!(title, " ({})", rule.id);
    title
}

fn with_origin(text: &str, origin: Option<&str>) -> String {
    match origin {
        Some(origin) => format!("{text} (from {origin})"),
        None => text.to_string(),
    }
}

/// `numpy[extra]<2`
fn needed(dependency: &Project, accepted: &VersionRange) -> String {
    format!("{}{}", spell(dependency), ranges::specifiers(accepted))
}

fn spell(project: &Project) -> String {
    match &project.extra {
        Some(extra) => format!("{}[{extra}]", project.name),
        None => project.name.to_string(),
    }
}

/// Whether the described versions are several, listed or not.
fn needs_plural(range: &VersionRange, existing: &[Version]) -> bool {
    let inside = ranges::narrow(range, existing).len();
    inside > 1 && inside < existing.len()
}
