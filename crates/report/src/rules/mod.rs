//! Overlay rules as people and other tools read them: a list, one rule in full, and exports.

mod constraints;
mod identity;
mod osv;

use std::fmt::Write as _;

use bnbpip_overlay::{
    ArtifactClaim, ArtifactEvidence, Evidence, Finding, Rule, RuleDocument, RuleKind, VersionSet,
};
use bnbpip_packaging::PackageName;

pub use constraints::constraints;
pub use identity::RuleSetIdentity;
pub use osv::osv;

/// One line a rule: identifier, how strict it is, title.
pub fn list<'a>(rules: impl Iterator<Item = &'a Rule>) -> String {
    let lines: Vec<(&str, &str, &str)> = rules
        .map(|rule| (rule.id.as_str(), strictness(rule), rule.title.as_str()))
        .collect();
    let width = |column: fn(&(&str, &str, &str)) -> usize| lines.iter().map(column).max();
    let ids = width(|line| line.0.len()).unwrap_or_default();
    let words = width(|line| line.1.len()).unwrap_or_default();
    let lines: Vec<String> = lines
        .iter()
        .map(|(id, word, title)| format!("{id:ids$}  {word:words$}  {title}"))
        .collect();
    lines.join("\n")
}

/// The severity of a rule that forbids, the kind of one that adds.
fn strictness(rule: &Rule) -> &'static str {
    match &rule.kind {
        RuleKind::Conflict(_) | RuleKind::Exclude(_) => rule.severity.as_str(),
        RuleKind::Requires(_) | RuleKind::Provides(_) => rule.kind.as_str(),
    }
}

/// A rule as a JSON object: what it says, without evidence and prose.
pub fn json(rule: &Rule) -> serde_json::Value {
    let mut packages: Vec<&str> = rule.packages().into_iter().map(AsRef::as_ref).collect();
    packages.sort_unstable();
    packages.dedup();
    let sides = rule.machine_sides().iter();
    let machine: serde_json::Map<String, serde_json::Value> = sides
        .map(|side| (side.package.to_string(), side.versions.to_string().into()))
        .collect();
    serde_json::json!({
        "id": rule.id.as_str(),
        "title": rule.title,
        "kind": rule.kind.as_str(),
        "severity": matches!(rule.kind, RuleKind::Conflict(_) | RuleKind::Exclude(_))
            .then(|| rule.severity.as_str()),
        "date": rule.date.to_string(),
        "marker": rule.marker.as_ref().and_then(bnbpip_packaging::MarkerTree::try_to_string),
        "packages": packages,
        "machine": machine,
        "hint": rule.hint,
    })
}

/// A whole rule file for reading.
pub fn show(document: &RuleDocument) -> String {
    let rule = &document.rule;
    let mut text = format!("{}  {}\n", rule.id, rule.title);
    let kind = match &rule.kind {
        RuleKind::Conflict(_) | RuleKind::Exclude(_) => {
            format!("{} ({})", rule.kind.as_str(), rule.severity)
        }
        RuleKind::Requires(_) | RuleKind::Provides(_) => rule.kind.as_str().to_owned(),
    };
    let _ = writeln!(text, "\nKind: {kind}, last changed {}", rule.date);
    if let Some(date) = document.withdrawn {
        let _ = writeln!(text, "Withdrawn: {date}");
    }
    text.push_str(&effect(rule));
    if let Some(marker) = rule
        .marker
        .as_ref()
        .and_then(bnbpip_packaging::MarkerTree::try_to_string)
    {
        let _ = writeln!(text, "Where: {marker}");
    }
    for (package, version) in &rule.fixed {
        let _ = writeln!(text, "Fixed in: {package} {version}");
    }
    if let Some(hint) = &rule.hint {
        let _ = writeln!(text, "Hint: {hint}");
    }
    text.push_str("\nEvidence:\n");
    for evidence in &document.evidence {
        let _ = writeln!(text, "  {}", evidence_line(evidence));
    }
    let _ = write!(text, "\n{}", document.prose.trim());
    text
}

fn effect(rule: &Rule) -> String {
    match &rule.kind {
        RuleKind::Conflict(conflict) => {
            let sides = conflict.sides.iter().map(|side| {
                let names: Vec<&PackageName> = side.packages.iter().map(|(name, _)| name).collect();
                format!("  {}\n", with_versions(&names, &side.versions))
            });
            let machine = conflict.machine.iter().map(|side| {
                let versions: Vec<String> = side.versions.texts().collect();
                format!("  {} {}\n", side.package, versions.join(" or "))
            });
            format!(
                "Not together:\n{}",
                sides.chain(machine).collect::<String>()
            )
        }
        RuleKind::Exclude(exclude) => {
            let mut text = format!(
                "Left out: {}\n",
                with_versions(&[&exclude.package], &exclude.versions)
            );
            for pattern in &exclude.wheels {
                let _ = writeln!(text, "  only the wheel {}", pattern.as_str());
            }
            text
        }
        RuleKind::Requires(requires) => {
            let names: Vec<&PackageName> = requires.packages.iter().collect();
            format!(
                "Also required: {} requires {}\n",
                with_versions(&names, &requires.versions),
                requires.requirement
            )
        }
        RuleKind::Provides(provides) => format!(
            "Stands in: {} for {}\n",
            with_versions(&[&provides.package], &provides.versions),
            provides.provided
        ),
    }
}

fn with_versions(names: &[&PackageName], versions: &VersionSet) -> String {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    let versions: Vec<String> = versions.texts().collect();
    format!("{} {}", names.join(", "), versions.join(" or "))
}

fn evidence_line(evidence: &Evidence) -> String {
    match evidence {
        Evidence::Source { url, detail } => format!("source: {detail} ({url})"),
        Evidence::Changelog { url, detail } => format!("changelog: {detail} ({url})"),
        Evidence::Reproduction { detail } => format!("reproduction: {detail}"),
        Evidence::Issue { url } => format!("issue: {url}"),
        Evidence::Artifact(artifact) => format!("artifact: {}", claim(artifact)),
    }
}

/// What an artifact is claimed to show, as a sentence without a full stop.
pub fn claim(artifact: &ArtifactEvidence) -> String {
    let versions: Vec<String> = artifact.versions.iter().map(ToString::to_string).collect();
    let wheels = artifact.wheel.as_ref();
    let wheels = wheels.map(|wheel| format!(" ({})", wheel.as_str()));
    let member = artifact.member.as_str();
    let claim = match &artifact.claim {
        ArtifactClaim::Present => format!("has `{member}`"),
        ArtifactClaim::Absent => format!("has no `{member}`"),
        ArtifactClaim::Contains(text) => format!("has `{text}` in `{member}`"),
        ArtifactClaim::Lacks(text) => format!("has no `{text}` in `{member}`"),
    };
    format!(
        "{} {}{} {claim}",
        artifact.package,
        versions.join(", "),
        wheels.unwrap_or_default()
    )
}

/// What breaks a rule: `torch 2.14.0`, `the NVIDIA driver 470.01`.
pub fn concerned(finding: &Finding) -> Vec<String> {
    let packages = finding.packages.iter();
    let packages = packages.map(|(name, version)| format!("{name} {version}"));
    let machine = finding.machine.iter();
    let machine = machine.map(|fact| format!("the {}", crate::accelerator::fact(fact)));
    packages.chain(machine).collect()
}

/// A rule that a set of packages breaks, with what breaks it.
pub fn finding(finding: &Finding) -> String {
    format!(
        "{}: {}",
        crate::ranges::join_and(&concerned(finding)),
        crate::explain::rule_sentence(&finding.rule)
    )
}
