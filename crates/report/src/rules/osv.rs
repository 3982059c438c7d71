//! Rules in the [OSV format](https://ossf.github.io/osv-schema/), for tools that read advisories.

use std::ops::Bound;

use bnbpip_overlay::{Evidence, RuleDocument, RuleKind};
use bnbpip_packaging::{PackageName, VersionRange};
use serde_json::{Value, json};

/// The documents as OSV entries. Rules that add instead of forbidding have no counterpart there.
pub fn osv(documents: &[RuleDocument]) -> Value {
    documents.iter().filter_map(entry).collect()
}

fn entry(document: &RuleDocument) -> Option<Value> {
    let rule = &document.rule;
    let affected: Vec<Value> = match &rule.kind {
        RuleKind::Exclude(exclude) => vec![affected(&exclude.package, &exclude.versions.range)],
        // The first side is the one that breaks; the others are the company it breaks in.
        RuleKind::Conflict(conflict) => conflict
            .sides
            .first()?
            .packages
            .iter()
            .map(|(name, range)| affected(name, range))
            .collect(),
        RuleKind::Requires(_) | RuleKind::Provides(_) => return None,
    };
    let references: Vec<Value> = document
        .evidence
        .iter()
        .filter_map(|evidence| match evidence {
            Evidence::Source { url, .. } | Evidence::Changelog { url, .. } => {
                Some(json!({"type": "EVIDENCE", "url": url}))
            }
            Evidence::Issue { url } => Some(json!({"type": "REPORT", "url": url})),
            Evidence::Artifact(_) | Evidence::Reproduction { .. } => None,
        })
        .collect();
    let mut entry = json!({
        "schema_version": "1.6.0",
        "id": rule.id.as_str(),
        "modified": format!("{}T00:00:00Z", rule.date),
        "summary": rule.title,
        "details": document.prose.trim(),
        "affected": affected,
        "references": references,
        "database_specific": crate::rules::json(rule),
    });
    if let (Some(date), Some(entry)) = (document.withdrawn, entry.as_object_mut()) {
        entry.insert("withdrawn".into(), format!("{date}T00:00:00Z").into());
    }
    Some(entry)
}

fn affected(name: &PackageName, range: &VersionRange) -> Value {
    let ranges: Vec<Value> = range
        .iter()
        .map(|(from, to)| {
            let introduced = match from {
                Bound::Included(version) | Bound::Excluded(version) => version.to_string(),
                Bound::Unbounded => "0".to_owned(),
            };
            let mut events = vec![json!({"introduced": introduced})];
            let end = match to {
                Bound::Included(version) => Some(json!({"last_affected": version.to_string()})),
                Bound::Excluded(version) => Some(json!({"fixed": version.to_string()})),
                Bound::Unbounded => None,
            };
            events.extend(end);
            json!({"type": "ECOSYSTEM", "events": events})
        })
        .collect();
    json!({
        "package": {"ecosystem": "PyPI", "name": name.as_ref() as &str},
        "ranges": ranges,
    })
}
