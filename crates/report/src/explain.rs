//! A failed resolution in sentences: each a true statement about these packages, from what the
//! user asked for to the contradiction; and hints.

use std::fmt::Write as _;

use bnbpip_overlay::{MachineFact, Rule};
use bnbpip_packaging::{IncompatibleTag, PackageName, Version, VersionRange};
use bnbpip_resolver::explanation::Project;
use bnbpip_resolver::reason::VersionReason;
use bnbpip_resolver::{Explanation, Fact, Unusable};

use crate::{accelerator, ranges};

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

/// Puts an explanation into words.
pub fn no_solution(explanation: &Explanation, target: &TargetWords) -> NoSolution {
    let writer = Writer {
        explanation,
        target,
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
}

impl Writer<'_> {
    fn existing(&self, name: &PackageName) -> &[Version] {
        self.explanation
            .existing
            .get(name)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    /// The requirement and the fact that rules it out, when the failure is about one package only:
    /// the one that was asked for, or one at the end of the chain of what that needs.
    fn single_requirement(&self) -> Option<(String, &Fact)> {
        let mut requested: Option<String> = None;
        let mut blocking: Option<(&PackageName, &Fact)> = None;
        let mut depends = Vec::new();
        for fact in &self.explanation.facts {
            match fact {
                Fact::Requested {
                    requirement,
                    origin,
                    ..
                } => {
                    if requested.is_some() {
                        return None;
                    }
                    requested = Some(with_origin(requirement, origin.as_deref()));
                }
                Fact::NotFound(name)
                | Fact::NoVersions { name, .. }
                | Fact::Versions { name, .. } => {
                    if blocking.is_some_and(|(known, _)| known != name) {
                        return None;
                    }
                    blocking = Some((name, fact));
                }
                Fact::Depends { dependency, .. } => depends.push((dependency, fact)),
                _ => return None,
            }
        }
        let (requested, (name, blocking)) = (requested?, blocking?);
        if depends.is_empty() {
            return Some((requested, blocking));
        }
        // Only an address may have been looked at.
        if self.existing(name).is_empty() && !matches!(blocking, Fact::NotFound(_)) {
            return None;
        }
        let mut last = depends.iter().filter(|(needed, _)| needed.name == *name);
        match (last.next()?, last.next()) {
            (
                (
                    _,
                    Fact::Depends {
                        project,
                        dependency,
                        accepted,
                        ..
                    },
                ),
                None,
            ) => {
                let needed = format!("{}{}", spell(dependency), ranges::specifiers(accepted));
                Some((format!("{needed} (from {})", project.name), blocking))
            }
            _ => None,
        }
    }

    /// pip's two sentences about a requirement that nothing matches.
    fn not_found_messages(&self, requirement: &str, fact: &Fact) -> Vec<String> {
        let (Fact::NotFound(name) | Fact::NoVersions { name, .. } | Fact::Versions { name, .. }) =
            fact
        else {
            return self.conflict_messages();
        };
        let versions: Vec<String> = self
            .existing(name)
            .iter()
            .map(ToString::to_string)
            .collect();
        let versions = if versions.is_empty() {
            "none".to_string()
        } else {
            versions.join(", ")
        };
        let mut messages: Vec<String> = self.python_message(fact).into_iter().collect();
        messages.push(format!(
            "Could not find a version that satisfies the requirement {requirement} (from versions: \
             {versions})"
        ));
        messages.push(format!("No matching distribution found for {requirement}"));
        messages
    }

    /// pip's sentence where every version is for another Python.
    fn python_message(&self, fact: &Fact) -> Option<String> {
        let Fact::Versions { name, reasons } = fact else {
            return None;
        };
        let mut wanted = reasons.iter().map(|(_, reason)| match reason {
            VersionReason::RequiresPython(specifiers)
            | VersionReason::Unusable(Unusable::RequiresPython(specifiers)) => Some(specifiers),
            _ => None,
        });
        let newest = wanted.next()??;
        wanted.all(|other| other.is_some()).then(|| {
            let python = &self.target.python;
            format!("Package '{name}' requires a different Python: {python} not in '{newest}'")
        })
    }

    fn narration(&self) -> Vec<String> {
        let mut lines = vec![String::new(), "The conflict is caused by:".to_owned()];
        for fact in &self.explanation.facts {
            match fact {
                Fact::Requested { requirement, .. } => {
                    lines.push(format!("    The user requested {requirement}"));
                }
                Fact::Constraint { text, .. } => {
                    lines.push(format!("    The user requested (constraint) {text}"));
                }
                Fact::Depends {
                    project,
                    versions,
                    dependency,
                    accepted,
                } => {
                    let existing = self.existing(&project.name).iter();
                    let needed = format!("{}{}", spell(dependency), ranges::specifiers(accepted));
                    for version in existing.filter(|version| versions.contains(version)) {
                        let dependent = format!("{} {version}", spell(project));
                        lines.push(format!("    {dependent} depends on {needed}"));
                    }
                }
                Fact::Rule(rule) => lines.push(format!("    {}", rule_sentence(rule))),
                _ => {}
            }
        }
        lines.extend(
            [
                "",
                "To fix this you could try to:",
                "1. loosen the versions that you ask for",
                "2. leave versions out, so that others can be tried",
            ]
            .map(str::to_owned),
        );
        lines
    }

    fn conflict_messages(&self) -> Vec<String> {
        let mut requirements: Vec<String> = Vec::new();
        for fact in &self.explanation.facts {
            if let Fact::Requested {
                requirement,
                origin,
                ..
            } = fact
            {
                requirements.push(with_origin(requirement, origin.as_deref()));
            }
        }
        let what = if requirements.is_empty() {
            "these requirements".to_string()
        } else {
            ranges::join_and(&requirements)
        };
        vec![
            format!(
                "Cannot install {what} because these package versions have conflicting \
                 dependencies."
            ),
            "ResolutionImpossible: no set of versions meets all of the following".to_string(),
        ]
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

    /// That there are no versions beyond those of which each is accounted for.
    fn goes_without_saying(&self, fact: &Fact) -> bool {
        let Fact::NoVersions { name, range } = fact else {
            return false;
        };
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
        format!(
            "{subject} {verb} {}{}",
            spell(dependency),
            ranges::specifiers(accepted)
        )
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

    /// A sentence for each kind of reason, with the versions that it concerns.
    fn version_reasons(
        &self,
        name: &PackageName,
        reasons: &[(Version, VersionReason)],
    ) -> Vec<String> {
        let mut groups: Vec<(VersionReason, Vec<&Version>)> = Vec::new();
        for (version, reason) in reasons.iter().rev() {
            match groups
                .iter_mut()
                .find(|(known, _)| same_kind(known, reason))
            {
                Some((known, versions)) => {
                    merge_offered(known, reason);
                    versions.push(version);
                }
                None => groups.push((reason.clone(), vec![version])),
            }
        }
        groups
            .into_iter()
            .map(|(reason, versions)| {
                let words = self.reason(&reason);
                let words = if versions.len() == 1 {
                    words
                } else {
                    plural(&words)
                };
                format!("{name} {} {words}", ranges::list(&versions))
            })
            .collect()
    }

    fn reason(&self, reason: &VersionReason) -> String {
        match reason {
            VersionReason::Unusable(unusable) => self.unusable(unusable),
            VersionReason::Yanked(None) => "was yanked".to_string(),
            VersionReason::Yanked(Some(why)) => format!("was yanked ({why})"),
            VersionReason::Prerelease => "is a pre-release, which nothing asks for".to_string(),
            VersionReason::InvalidMetadata(message) => {
                format!("has metadata that can't be read ({message})")
            }
            VersionReason::NotCached => {
                "is not in the cache, and the network is switched off".to_string()
            }
            VersionReason::NoBuild(wanted) => {
                format!("is built for {wanted}, and there is no such build here")
            }
            VersionReason::RequiresPython(specifiers) => self.wrong_python(specifiers),
            VersionReason::ArbitraryEquality => "has another text than `===` names".to_string(),
        }
    }

    fn wrong_python(&self, specifiers: &str) -> String {
        format!(
            "requires Python {specifiers}, and this is {}",
            self.target.python
        )
    }

    fn unusable(&self, unusable: &Unusable) -> String {
        match unusable {
            Unusable::Tags { part, offered } => {
                let own = match part {
                    IncompatibleTag::Platform => &self.target.platform,
                    IncompatibleTag::Python | IncompatibleTag::Abi => &self.target.python_tag,
                };
                format!("has wheels for {}, and none for {own}", cut(offered))
            }
            Unusable::RequiresPython(specifiers) => self.wrong_python(specifiers),
            Unusable::OnlySource => {
                "has no wheel, only a source distribution that would have to be built".to_string()
            }
            Unusable::BinaryPolicy => {
                "has no file that `--only-binary` and `--no-binary` allow".to_string()
            }
            Unusable::TooNew(Some(day)) => {
                format!("was uploaded after the time limit (from {day} on)")
            }
            Unusable::TooNew(None) => "has no upload time, or one after the limit".to_string(),
            Unusable::Hash => "has no file with one of the given hashes".to_string(),
            Unusable::Rule(id) => format!("has only files that {id} excludes"),
        }
    }

    fn hints(&self) -> Vec<String> {
        let mut hints = Vec::new();
        for rule in self.explanation.rules() {
            if let Some(hint) = &rule.hint {
                hints.push(format!("{hint} ({})", rule.id));
            }
            hints.push(format!("`--allow {}` installs it all the same", rule.id));
        }
        for fact in &self.explanation.facts {
            if let Fact::Versions { name, reasons } = fact {
                hints.extend(self.version_hint(name, reasons));
            }
        }
        hints.dedup();
        hints
    }

    fn version_hint(
        &self,
        name: &PackageName,
        reasons: &[(Version, VersionReason)],
    ) -> Option<String> {
        let (version, reason) = reasons.first()?;
        Some(match reason {
            VersionReason::Unusable(Unusable::OnlySource) => format!(
                "{name} {version} has no wheel for this target: a source distribution is only built \
                 where the packages go to, from `.tar.gz` or `.zip`"
            ),
            VersionReason::Unusable(Unusable::TooNew(_)) => {
                format!("a later `--uploaded-prior-to` lets {name} {version} in")
            }
            VersionReason::Unusable(Unusable::RequiresPython(specifiers))
            | VersionReason::RequiresPython(specifiers) => {
                format!("{name} {version} needs Python {specifiers}: use an environment with one")
            }
            VersionReason::Unusable(Unusable::Tags {
                part: IncompatibleTag::Platform,
                ..
            }) => {
                format!("{name} {version} is not made for {}", self.target.platform)
            }
            VersionReason::Unusable(Unusable::Tags { offered, .. }) => format!(
                "{name} {version} has wheels for {}: use a Python among them",
                cut(offered)
            ),
            VersionReason::Unusable(Unusable::Rule(id)) => {
                format!("`--allow {id}` takes {name} {version} all the same")
            }
            VersionReason::Prerelease => {
                format!("`--pre` allows pre-releases such as {name} {version}")
            }
            VersionReason::Yanked(_) => {
                format!("`{name}=={version}` takes the yanked version all the same")
            }
            _ => return None,
        })
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

fn plural(words: &str) -> String {
    for (one, many) in [
        ("has ", "have "),
        ("was ", "were "),
        ("is ", "are "),
        ("requires ", "require "),
    ] {
        if let Some(rest) = words.strip_prefix(one) {
            return format!("{many}{rest}");
        }
    }
    words.to_string()
}

/// Whether two reasons differ at most in the tags that wheels have instead of the right one, or in
/// the day of the upload.
fn same_kind(a: &VersionReason, b: &VersionReason) -> bool {
    let place = |reason: &VersionReason| match reason {
        VersionReason::Unusable(Unusable::Tags { part, .. }) => {
            Some(u8::from(*part == IncompatibleTag::Platform))
        }
        VersionReason::Unusable(Unusable::TooNew(_)) => Some(2),
        _ => None,
    };
    a == b || (place(a).is_some() && place(a) == place(b))
}

/// Adds the tags of another version's wheels; of two days the earlier one stays.
fn merge_offered(known: &mut VersionReason, reason: &VersionReason) {
    if let VersionReason::Unusable(Unusable::TooNew(Some(day))) = known
        && let VersionReason::Unusable(Unusable::TooNew(Some(other))) = reason
        && *other < *day
    {
        day.clone_from(other);
    }
    if let VersionReason::Unusable(Unusable::Tags { offered, .. }) = known
        && let VersionReason::Unusable(Unusable::Tags { offered: more, .. }) = reason
    {
        for tag in more {
            if !offered.contains(tag) {
                offered.push(tag.clone());
            }
        }
    }
}

fn cut(offered: &[String]) -> String {
    const SHOWN: usize = 8;
    if offered.len() <= SHOWN {
        return ranges::join_and(offered);
    }
    format!(
        "{} and {} more",
        offered[..SHOWN].join(", "),
        offered.len() - SHOWN
    )
}
