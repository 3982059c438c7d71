//! `bnbpip rules`: the overlay's rules by themselves, without an environment.

mod check;
mod diff;
mod lint;
mod ranges;
mod template;
mod update;
mod verify;

use std::collections::BTreeMap;

use bnbpip_overlay::{Overlay, RuleDocument, RuleId};
use bnbpip_packaging::PackageName;

use super::rule_set::{self, RuleFile};
use super::{profiles, rules_scan};
use crate::cli::rules::{RulesAction, RulesArgs, RulesExportArgs, RulesListArgs, RulesShowArgs};
use crate::cli::values::RulesFormat;
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;

/// Does what was asked with the rules.
///
/// # Errors
/// When rules can't be read, or what was to be checked doesn't hold.
pub(crate) fn run(
    arguments: &RulesArgs,
    settings: &Settings,
    printer: &'static Printer,
) -> Result<(), Failure> {
    match &arguments.action {
        None => Err(Failure::new(
            "Need an action (check, diff, export, lint, list, new, scan, show, update, verify) to perform.",
        )),
        Some(RulesAction::List(list)) => show_list(list, settings, printer),
        Some(RulesAction::Show(show)) => show_rule(show, settings, printer),
        Some(RulesAction::Check(check)) => check::run(check, settings, printer),
        Some(RulesAction::Lint(lint)) => lint::run(lint, settings, printer),
        Some(RulesAction::Verify(verify)) => verify::run(verify, settings, printer),
        Some(RulesAction::Diff(diff)) => diff::run(diff, settings, printer),
        Some(RulesAction::Scan(scan)) => rules_scan::run(scan, settings, printer),
        Some(RulesAction::Update(update)) => update::run(update, settings, printer),
        Some(RulesAction::New(new)) => template::run(new, printer),
        Some(RulesAction::Export(export)) => write_export(export, settings, printer),
    }
}

fn show_list(
    arguments: &RulesListArgs,
    settings: &Settings,
    printer: &Printer,
) -> Result<(), Failure> {
    if arguments.profiles {
        return list_profiles(arguments.json, printer);
    }
    let overlay = rule_set::overlay(&arguments.overlay.overlay, &[], settings)?;
    let package = arguments.package.as_deref().map(package).transpose()?;
    let rules = || {
        overlay.rules().filter(|rule| {
            let package = package.as_ref();
            package.is_none_or(|package| rule.packages().contains(&package))
        })
    };
    if arguments.json {
        let all: Vec<_> = rules().map(bnbpip_report::rules::json).collect();
        printer.data(&serde_json::to_string_pretty(&all)?);
    } else {
        let text = bnbpip_report::rules::list(rules());
        match (text.is_empty(), &package) {
            (true, Some(package)) => printer.status(&format!("No rule speaks about {package}.")),
            _ => printer.data(&text),
        }
    }
    Ok(())
}

fn list_profiles(as_json: bool, printer: &Printer) -> Result<(), Failure> {
    let profiles = profiles::all()?;
    if as_json {
        let all: Vec<_> = profiles.iter().map(bnbpip_report::profiles::json).collect();
        printer.data(&serde_json::to_string_pretty(&all)?);
    } else {
        printer.data(&bnbpip_report::profiles::list(&profiles));
    }
    Ok(())
}

fn package(text: &str) -> Result<PackageName, Failure> {
    text.parse().map_err(|_| {
        Failure::new(format!(
            "Failed to read `{text}`: it isn't a package's name"
        ))
    })
}

fn show_rule(
    arguments: &RulesShowArgs,
    settings: &Settings,
    printer: &Printer,
) -> Result<(), Failure> {
    if arguments.id.to_uppercase().parse::<RuleId>().is_err()
        && let Ok(profile) = profiles::find(&arguments.id, settings)
    {
        printer.data(&bnbpip_report::profiles::show(&profile));
        return Ok(());
    }
    let documents = rule_set::documents(&arguments.overlay.overlay, settings)?;
    let document = find(&documents, &arguments.id)?;
    printer.data(&bnbpip_report::rules::show(document));
    Ok(())
}

/// The rule of this identifier, in any case.
fn find<'a>(documents: &'a [RuleDocument], id: &str) -> Result<&'a RuleDocument, Failure> {
    let id: RuleId = id.to_uppercase().parse()?;
    documents
        .iter()
        .find(|document| document.rule.id == id)
        .ok_or_else(|| {
            Failure::new(format!("Failed to find `{id}`: there is no such rule"))
                .hint("`bnbpip rules list` shows the rules")
        })
}

fn write_export(
    arguments: &RulesExportArgs,
    settings: &Settings,
    printer: &Printer,
) -> Result<(), Failure> {
    let layers = &arguments.overlay.overlay;
    match arguments.format {
        RulesFormat::Json => {
            let set = exported(layers, &[], settings)?;
            printer.data(&serde_json::to_string_pretty(&set)?);
        }
        RulesFormat::Constraints => {
            let overlay = rule_set::overlay(layers, &[], settings)?;
            printer.data(&bnbpip_report::rules::constraints(overlay.rules()));
        }
        RulesFormat::Osv => {
            let documents = rule_set::documents(layers, settings)?;
            let entries = bnbpip_report::rules::osv(&documents);
            printer.data(&serde_json::to_string_pretty(&entries)?);
        }
    }
    Ok(())
}

/// The rules in force as one file, as `--overlay` reads it.
///
/// # Errors
/// When a layer can't be read, or an allowed rule isn't there.
pub(crate) fn exported(
    layers: &[String],
    allow: &[String],
    settings: &Settings,
) -> Result<serde_json::Value, Failure> {
    let mut rules: BTreeMap<RuleId, (RuleDocument, RuleFile)> = BTreeMap::new();
    for file in rule_set::files(layers, settings)? {
        let document = Overlay::parse_rule(&file.text, &file.name)?;
        rules.insert(document.rule.id.clone(), (document, file));
    }
    if !allow.is_empty() {
        let overlay = rule_set::overlay(layers, allow, settings)?;
        rules.retain(|id, _| overlay.get(id).is_some());
    }
    set(rules)
}

/// A set of rules as one file: what they say, for other tools, and their text, for `--overlay`.
fn set(rules: BTreeMap<RuleId, (RuleDocument, RuleFile)>) -> Result<serde_json::Value, Failure> {
    let documents = rules.values().map(|(document, _)| document.clone());
    let overlay = Overlay::empty().with_layer(documents);
    let entries = rules.into_values().map(|(document, file)| {
        let mut entry = bnbpip_report::rules::json(&document.rule);
        entry["file"] = file.name.into();
        entry["text"] = file.text.into();
        entry
    });
    Ok(serde_json::json!({
        "version": overlay.version().map(|date| date.to_string()),
        "digest": overlay.digest()?,
        "rules": entries.collect::<Vec<_>>(),
    }))
}
