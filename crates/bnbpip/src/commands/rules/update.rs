//! `bnbpip rules update`: takes a newer published set in place of the one that bnbpip carries.
//!
//! Rules decide what is installed, so a set is taken only with a hash that was known before, only
//! when it isn't older than what is in force, and only after saying what changes.

use bnbpip_overlay::{Overlay, RuleDocument, lint};

use super::diff;
use crate::cli::rules::RulesUpdateArgs;
use crate::commands::rule_set::{self, published};
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;

pub(super) fn run(
    arguments: &RulesUpdateArgs,
    settings: &Settings,
    printer: &Printer,
) -> Result<(), Failure> {
    match arguments.source.as_deref() {
        None => tell(settings, printer),
        Some(rule_set::EMBEDDED) => go_back(arguments.dry_run, settings, printer),
        Some(source) => take(source, arguments, settings, printer),
    }
}

/// Says which set is in force.
fn tell(settings: &Settings, printer: &Printer) -> Result<(), Failure> {
    let overlay = overlay(&rule_set::parse(&rule_set::base(settings)?)?);
    let origin = match published::in_force(settings)? {
        Some(set) => format!("taken from {} (sha256:{})", set.source, set.sha256),
        None => "carried by bnbpip".to_owned(),
    };
    printer.info(&format!("In force: {}, {origin}.", described(&overlay)?));
    Ok(())
}

fn go_back(dry_run: bool, settings: &Settings, printer: &Printer) -> Result<(), Failure> {
    let would = if dry_run { "Would use" } else { "Using" };
    let overlay = Overlay::embedded()?;
    if !dry_run {
        published::give_up(settings)?;
    }
    printer.info(&format!(
        "{would} the rules that bnbpip carries: {}.",
        described(&overlay)?
    ));
    Ok(())
}

fn take(
    source: &str,
    arguments: &RulesUpdateArgs,
    settings: &Settings,
    printer: &Printer,
) -> Result<(), Failure> {
    let set = rule_set::published_set(source, arguments.sha256.as_deref(), settings)?;
    let new = rule_set::parse(&set.files()?)?;
    let problems = lint(&new);
    if let Some(problem) = problems.first() {
        return Err(Failure::new(format!(
            "Failed to take rules from `{}`: {}",
            set.source,
            match problems.len() {
                1 => "a rule is wrong".to_owned(),
                count => format!("{count} things are wrong with them"),
            }
        ))
        .caused_by(problem.to_string()));
    }
    // The damaged file of an earlier set must not stand in the way of a sound one.
    let old = match rule_set::base(settings) {
        Ok(files) => files,
        Err(_) => rule_set::embedded(),
    };
    let old = rule_set::parse(&old)?;
    let (before, after) = (overlay(&old), overlay(&new));
    if after.version() < before.version() {
        return Err(Failure::new(format!(
            "Failed to take rules from `{}`: they are older than the ones in force ({}; {})",
            set.source,
            described(&after)?,
            described(&before)?
        ))
        .hint("for older rules use `--overlay`, or `--allow` for a rule that is in your way"));
    }
    let lines = diff::lines(&old, &new)?;
    if lines.is_empty() {
        printer.info("These rules say the same as the ones in force.");
        return Ok(());
    }
    for line in lines {
        printer.info(&line);
    }
    let would = if arguments.dry_run {
        "Would use"
    } else {
        published::take(&set, settings)?;
        "Using"
    };
    printer.info(&format!("{would} {}.", described(&after)?));
    Ok(())
}

fn overlay(documents: &[RuleDocument]) -> Overlay {
    Overlay::empty().with_layer(documents.iter().cloned())
}

/// `81 rules of 2026-11-20 (digest 0123456789ab)`.
fn described(overlay: &Overlay) -> Result<String, Failure> {
    let digest = overlay.digest()?;
    let digest = digest.get(..12).unwrap_or(&digest);
    let count = bnbpip_report::counted(overlay.rules().len(), "rule");
    Ok(match overlay.version() {
        Some(date) => format!("{count} of {date} (digest {digest})"),
        None => count,
    })
}
