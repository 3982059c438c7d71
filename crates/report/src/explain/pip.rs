//! What pip says of a request without solution, in its words: scripts look for them.

use std::collections::{BTreeMap, BTreeSet};

use bnbpip_packaging::{PackageName, Version, VersionRange};
use bnbpip_resolver::reason::VersionReason;
use bnbpip_resolver::{Fact, Project, Unusable};
use rustc_hash::FxHashSet;

use super::{Writer, needed, rule_sentence, spell, with_origin};
use crate::{accelerator, ranges};

/// More than these aren't told one by one.
const MOST_ASKING: usize = 10;

impl Writer<'_> {
    /// The requirement and the fact that rules it out, when the failure is about one package only:
    /// the one that was asked for, or one at the end of the chain of what that needs.
    pub(super) fn single_requirement(&self) -> Option<(String, &Fact)> {
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
                Fact::NoVersions { name, .. } if self.is_of_address(name) => {}
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
                        versions,
                        dependency,
                        accepted,
                    },
                ),
                None,
            ) if self.versions_of(project, versions).len() < 2 => {
                let needed = (self.spelled)(project, versions, name)
                    .unwrap_or_else(|| needed(dependency, accepted));
                Some((format!("{needed} (from {})", spell(project)), blocking))
            }
            _ => None,
        }
    }

    fn left_out(&self, name: &PackageName) -> &[(Version, VersionReason)] {
        let left_out = self.explanation.left_out.get(name);
        left_out.map_or(&[], Vec::as_slice)
    }

    /// The versions of a package that pip would tell.
    fn counted(&self, name: &PackageName) -> Vec<&Version> {
        let left_out = self.left_out(name).iter();
        let pips = left_out.filter(|(_, reason)| !is_ours(reason));
        let not_counted: FxHashSet<&Version> = pips.map(|(version, _)| version).collect();
        let existing = self.existing(name).iter();
        existing
            .filter(|version| !not_counted.contains(version))
            .collect()
    }

    /// pip's two sentences about a requirement that nothing matches.
    pub(super) fn not_found_messages(&self, requirement: &str, fact: &Fact) -> Vec<String> {
        let (Fact::NotFound(name) | Fact::NoVersions { name, .. } | Fact::Versions { name, .. }) =
            fact
        else {
            return self.conflict_messages();
        };
        let counted = self.counted(name).into_iter();
        let versions: Vec<String> = counted.map(ToString::to_string).collect();
        let versions = if versions.is_empty() {
            "none".to_string()
        } else {
            versions.join(", ")
        };
        let kind = if self.explanation.only_final.contains(name) {
            "final version"
        } else {
            "version"
        };
        let mut messages = ignored_messages(self.left_out(name));
        messages.extend(self.python_message(fact));
        messages.push(format!(
            "Could not find a {kind} that satisfies the requirement {requirement} (from versions: \
             {versions})"
        ));
        messages.push(format!("No matching distribution found for {requirement}"));
        messages
    }

    /// pip's sentence where every version's metadata says that it is for another Python.
    fn python_message(&self, fact: &Fact) -> Option<String> {
        let Fact::Versions { name, reasons } = fact else {
            return None;
        };
        let mut wanted = reasons.iter().map(|(_, reason)| match reason {
            VersionReason::RequiresPython(specifiers) => Some(specifiers),
            _ => None,
        });
        let newest = wanted.next()??;
        wanted.all(|other| other.is_some()).then(|| {
            let python = &self.target.python;
            format!("Package '{name}' requires a different Python: {python} not in '{newest}'")
        })
    }

    /// pip's account of a conflict.
    pub(super) fn narration(&self) -> Vec<String> {
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
                    let needed = needed(dependency, accepted);
                    for version in self.versions_of(project, versions) {
                        let dependent = format!("{} {version}", spell(project));
                        lines.push(format!("    {dependent} depends on {needed}"));
                    }
                }
                Fact::Machine(fact) => {
                    lines.push(format!("    {}", accelerator::fact_sentence(fact)));
                }
                Fact::Rule(rule) => lines.push(format!("    {}", rule_sentence(rule))),
                _ => {}
            }
        }
        lines.extend(self.without_distributions());
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

    /// pip's paragraph about packages of which there is nothing that fits.
    fn without_distributions(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for fact in &self.explanation.facts {
            if let Fact::NotFound(name)
            | Fact::NoVersions { name, .. }
            | Fact::Versions { name, .. } = fact
                && self.counted(name).is_empty()
                && !self.is_of_address(name)
            {
                names.push(format!("    {name}"));
            }
        }
        if !names.is_empty() {
            let title = "Additionally, some packages in these conflicts have no matching \
                         distributions available for your environment:";
            names.splice(0..0, [String::new(), title.to_owned()]);
        }
        names
    }

    /// The versions of a project that a fact is about.
    fn versions_of(&self, project: &Project, versions: &VersionRange) -> Vec<&Version> {
        let existing = self.existing(&project.name).iter();
        existing
            .filter(|version| versions.contains(version))
            .collect()
    }

    /// Who asks for the one package that more than one asks for: the user, or versions of others.
    fn who_ask(&self) -> Option<Vec<String>> {
        let mut by_name: BTreeMap<&PackageName, BTreeSet<String>> = BTreeMap::new();
        for fact in &self.explanation.facts {
            match fact {
                Fact::Requested {
                    name,
                    requirement,
                    origin,
                    ..
                } => {
                    let text = with_origin(requirement, origin.as_deref());
                    by_name.entry(name).or_default().insert(text);
                }
                Fact::Depends {
                    project,
                    versions,
                    dependency,
                    ..
                } => {
                    let asking = by_name.entry(&dependency.name).or_default();
                    for version in self.versions_of(project, versions) {
                        asking.insert(self.asking(project, version));
                    }
                }
                _ => {}
            }
        }
        let mut wanted = by_name.into_values().filter(|asking| asking.len() > 1);
        match (wanted.next(), wanted.next()) {
            (Some(asking), None) if asking.len() <= MOST_ASKING => {
                Some(asking.into_iter().collect())
            }
            _ => None,
        }
    }

    /// A version of a project as pip names what asks: by the line or the package that brings it.
    fn asking(&self, project: &Project, version: &Version) -> String {
        let mut bringing = self.explanation.facts.iter().filter_map(|fact| match fact {
            Fact::Requested { name, origin, .. } if *name == project.name => {
                let alone = || format!("{}=={version}", spell(project));
                Some(origin.clone().unwrap_or_else(alone))
            }
            Fact::Depends {
                project: parent,
                dependency,
                ..
            } if dependency.name == project.name => Some(spell(parent)),
            _ => None,
        });
        let first = bringing.next();
        first.unwrap_or_else(|| format!("{}=={version}", spell(project)))
    }

    pub(super) fn conflict_messages(&self) -> Vec<String> {
        let requested = || {
            let facts = self.explanation.facts.iter();
            facts.filter_map(|fact| match fact {
                Fact::Requested {
                    requirement,
                    origin,
                    ..
                } => Some(with_origin(requirement, origin.as_deref())),
                _ => None,
            })
        };
        let asking = self.who_ask().unwrap_or_else(|| requested().collect());
        let what = if asking.is_empty() {
            "these requirements".to_string()
        } else {
            ranges::join_and(&asking)
        };
        vec![
            format!(
                "Cannot install {what} because these package versions have conflicting \
                 dependencies."
            ),
            "ResolutionImpossible: no set of versions meets all of the following".to_string(),
        ]
    }
}

/// Whether pip wouldn't leave a version out for this reason.
fn is_ours(reason: &VersionReason) -> bool {
    matches!(
        reason,
        VersionReason::Unusable(Unusable::Hash | Unusable::Rule(_))
    )
}

/// pip's sentences about versions that don't count.
fn ignored_messages(left_out: &[(Version, VersionReason)]) -> Vec<String> {
    let mut messages = Vec::new();
    let yanked = left_out.iter();
    let yanked = yanked.filter(|(_, reason)| matches!(reason, VersionReason::Yanked(_)));
    let yanked: Vec<String> = yanked.map(|(version, _)| version.to_string()).collect();
    if !yanked.is_empty() {
        let yanked = yanked.join(", ");
        messages.push(format!("Ignored the following yanked versions: {yanked}"));
    }
    let for_others = left_out
        .iter()
        .filter_map(|(version, reason)| match reason {
            VersionReason::Unusable(Unusable::RequiresPython(python)) => {
                Some(format!("{version} Requires-Python {python}"))
            }
            _ => None,
        });
    let mut for_others: Vec<String> = for_others.collect();
    for_others.sort();
    if !for_others.is_empty() {
        messages.push(format!(
            "Ignored the following versions that require a different python version: {}",
            for_others.join("; ")
        ));
    }
    messages
}
