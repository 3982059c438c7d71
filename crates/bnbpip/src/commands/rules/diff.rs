//! `bnbpip rules diff`: which rules differ between two sets, and for which recorded package sets that
//! makes a difference.
//!
//! The recorded sets are the ones that the rules of both sides carry as their tests.

use std::collections::{BTreeMap, BTreeSet};

use bnbpip_overlay::{Overlay, RuleDocument, RuleId, RuleTest};

use crate::cli::rules::RulesDiffArgs;
use crate::commands::rule_set;
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;

pub(super) fn run(
    arguments: &RulesDiffArgs,
    settings: &Settings,
    printer: &Printer,
) -> Result<(), Failure> {
    let old = rule_set::parse(&rule_set::read(&arguments.old, settings)?)?;
    let new = rule_set::parse(&rule_set::read(&arguments.new, settings)?)?;
    let lines = lines(&old, &new)?;
    if lines.is_empty() {
        printer.info("The two sets of rules say the same.");
    }
    for line in lines {
        printer.info(&line);
    }
    Ok(())
}

/// How two sets differ: a line for each rule, and for each recorded package set.
///
/// # Errors
/// When a rule has no binary form, which reading it rules out.
pub(super) fn lines(old: &[RuleDocument], new: &[RuleDocument]) -> Result<Vec<String>, Failure> {
    let mut lines = changed_rules(old, new)?;
    lines.extend(changed_sets(old, new));
    Ok(lines)
}

fn overlay(documents: &[RuleDocument]) -> Overlay {
    Overlay::empty().with_layer(documents.iter().cloned())
}

/// Rules that came, went, or say something else.
fn changed_rules(old: &[RuleDocument], new: &[RuleDocument]) -> Result<Vec<String>, Failure> {
    let digests =
        |documents: &[RuleDocument]| -> Result<BTreeMap<RuleId, (String, String)>, Failure> {
            let active = documents.iter().filter(|one| one.withdrawn.is_none());
            active
                .map(|document| {
                    let rule = &document.rule;
                    let digest = Overlay::from_rules([rule.clone()]).digest()?;
                    Ok((rule.id.clone(), (digest, rule.title.clone())))
                })
                .collect()
        };
    let (old, new) = (digests(old)?, digests(new)?);
    let ids: BTreeSet<&RuleId> = old.keys().chain(new.keys()).collect();
    let line = |id: &RuleId| match (old.get(id), new.get(id)) {
        (None, Some((_, title))) => Some(format!("added    {id}  {title}")),
        (Some((_, title)), None) => Some(format!("removed  {id}  {title}")),
        (Some((before, _)), Some((after, title))) if before != after => {
            Some(format!("changed  {id}  {title}"))
        }
        _ => None,
    };
    Ok(ids.into_iter().filter_map(line).collect())
}

/// Recorded package sets that one side's rules speak against and the other's don't.
fn changed_sets(old: &[RuleDocument], new: &[RuleDocument]) -> Vec<String> {
    let (before, after) = (overlay(old), overlay(new));
    let hits = |overlay: &Overlay, test: &RuleTest| -> BTreeSet<String> {
        let rules = overlay.active(&test.target.environment);
        let findings = rules.evaluate(&test.packages, &test.machine);
        let ids = findings.iter().map(|finding| finding.rule.id.to_string());
        ids.collect()
    };
    let mut lines = BTreeSet::new();
    for test in old.iter().chain(new).flat_map(|document| &document.tests) {
        let (was, is) = (hits(&before, test), hits(&after, test));
        if was == is {
            continue;
        }
        let packages = test.packages.iter();
        let packages = packages.map(|one| format!("{}=={}", one.name, one.version));
        let facts = test.machine.facts().map(|fact| fact.to_string());
        let packages: Vec<String> = packages.chain(facts).collect();
        let named = |ids: &BTreeSet<String>| match ids.len() {
            0 => "allowed".to_owned(),
            _ => ids.iter().cloned().collect::<Vec<_>>().join(", "),
        };
        lines.insert(format!(
            "set      {}: {} -> {}",
            packages.join(" "),
            named(&was),
            named(&is)
        ));
    }
    lines.into_iter().collect()
}
