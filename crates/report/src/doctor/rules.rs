//! A broken overlay rule as a finding: its sentence, its evidence, and which package should move.

use std::ops::Bound;

use bnbpip_overlay::{Evidence, Finding as Broken, Rule, RuleKind, Severity as RuleSeverity};
use bnbpip_packaging::{PackageName, Version, VersionRange};

use super::{Finding, Mend, Severity};

/// How many pieces of evidence are quoted; the rule's own page has all.
const QUOTED_EVIDENCE: usize = 3;

/// Changed last: everything else is built for it, and nothing is as large.
const ANCHOR: &str = "torch";

/// A rule that installed packages break. `evidence` is what the rule's file gives.
/// `keeps` chooses which of several owners of the same modules stays.
pub fn rule_finding(
    broken: &Broken,
    evidence: &[Evidence],
    keeps: impl Fn(&[(PackageName, Version)]) -> Option<PackageName>,
) -> Finding {
    let rule = &*broken.rule;
    let severity = match rule.severity {
        RuleSeverity::Broken => Severity::Broken,
        RuleSeverity::Avoid => Severity::Warning,
    };
    let concerned = crate::rules::concerned(broken);
    let title = rule.title.trim_end_matches('.');
    let sentence = format!("{}: {title}", concerned.join(" with "));
    let mut finding = Finding::new("rule", severity, sentence, mend(broken, keeps));
    finding.rule = Some(rule.id.clone());
    finding.packages.clone_from(&broken.packages);
    finding.details.extend(rule.hint.clone());
    finding.details.extend(
        evidence
            .iter()
            .filter_map(evidence_sentence)
            .take(QUOTED_EVIDENCE),
    );
    finding.links = evidence.iter().filter_map(link).collect();
    finding
}

/// Evidence that reads as a sentence. What machines check stays in the rule's file.
fn evidence_sentence(evidence: &Evidence) -> Option<String> {
    match evidence {
        Evidence::Source { detail, .. }
        | Evidence::Changelog { detail, .. }
        | Evidence::Reproduction { detail } => {
            Some(format!("evidence: {}", detail.trim_end_matches('.')))
        }
        Evidence::Artifact(_) | Evidence::Issue { .. } => None,
    }
}

fn link(evidence: &Evidence) -> Option<String> {
    match evidence {
        Evidence::Source { url, .. }
        | Evidence::Changelog { url, .. }
        | Evidence::Issue { url } => Some(url.clone()),
        Evidence::Artifact(_) | Evidence::Reproduction { .. } => None,
    }
}

fn mend(broken: &Broken, keeps: impl Fn(&[(PackageName, Version)]) -> Option<PackageName>) -> Mend {
    let rule = &*broken.rule;
    if let RuleKind::Requires(requires) = &rule.kind {
        let mut requirement = requires.requirement.clone();
        requirement.marker = bnbpip_packaging::MarkerTree::TRUE;
        return Mend::Require(vec![requirement.to_string()]);
    }
    if owns_the_same(rule)
        && let Some(kept) = keeps(&broken.packages)
        && let Some(keep) = broken.packages.iter().find(|(name, _)| *name == kept)
    {
        let gone = broken.packages.iter().filter(|(name, _)| *name != kept);
        return Mend::Separate {
            keep: keep.clone(),
            remove: gone.map(|(name, _)| name.clone()).collect(),
        };
    }
    let mut names: Vec<&PackageName> = broken.packages.iter().map(|(name, _)| name).collect();
    names.sort_by_key(|name| {
        let rank = if rule.fixed.contains_key(*name) {
            0
        } else if name.as_ref() == ANCHOR {
            2
        } else {
            1
        };
        (rank, (*name).clone())
    });
    let choices = names.into_iter().map(|name| {
        let requirement = match rule.fixed.get(name) {
            Some(version) => format!("{name}>={version}"),
            None => name.to_string(),
        };
        (name.clone(), requirement)
    });
    Mend::Change(choices.collect())
}

/// Whether these packages own the same modules: all newer versions conflict as well.
fn owns_the_same(rule: &Rule) -> bool {
    let is_open = |range: &VersionRange| {
        let last = range.iter().last();
        last.is_some_and(|(_, upper)| matches!(upper, Bound::Unbounded))
    };
    match &rule.kind {
        RuleKind::Conflict(conflict) if !conflict.machine.is_empty() => false,
        RuleKind::Conflict(conflict) => conflict
            .sides
            .iter()
            .all(|side| side.packages.iter().all(|(_, range)| is_open(range))),
        _ => false,
    }
}
