//! What a scan found, for people and for machines.

use bnbpip_packaging::Version;
use bnbpip_report::counted;
use bnbpip_scan::{Missing, VersionRun};
use serde_json::{Value, json};

use super::search::{Found, Pairs};

/// The text for people.
pub(super) fn text(pairs: &[Pairs]) -> String {
    let parts: Vec<String> = pairs.iter().map(of_pair).collect();
    parts.join("\n\n")
}

fn of_pair(pairs: &Pairs) -> String {
    let mut lines = Vec::new();
    let scanned = format!(
        "{} of {} against {} of {}",
        counted(pairs.package_releases.len(), "release"),
        pairs.package,
        counted(pairs.other_releases.len(), "release"),
        pairs.other,
    );
    if pairs.breaks.is_empty() {
        lines.push(format!("Nothing is missing: {scanned}"));
    } else {
        lines.push(format!(
            "{} found: {scanned}",
            counted(pairs.breaks.len(), "break")
        ));
    }
    for found in &pairs.breaks {
        lines.push(String::new());
        lines.extend(of_break(pairs, found));
    }
    if !pairs.without_wheel.is_empty() {
        lines.push(String::new());
        lines.push(format!(
            "No wheel to look into: {}",
            pairs.without_wheel.join(", ")
        ));
    }
    lines.join("\n")
}

fn of_break(pairs: &Pairs, found: &Found) -> Vec<String> {
    let what = match &found.is.missing {
        Missing::Module(module) => format!("module `{module}`"),
        Missing::Name { module, name } => format!("name `{name}` of `{module}`"),
    };
    let perhaps = if found.example.conditional {
        ", under a condition that couldn't be decided"
    } else {
        ""
    };
    vec![
        format!("{what} is missing{perhaps}"),
        format!(
            "  {} {} with {} {}",
            pairs.package,
            words(&found.is.package, &pairs.package_releases),
            pairs.other,
            words(&found.is.other, &pairs.other_releases),
        ),
        format!(
            "  {} {} imports it at {}:{}, reached by {}",
            pairs.package,
            found.example_version,
            found.example.path,
            found.example.line,
            found.example.via.join(" > "),
        ),
    ]
}

/// Ranges; `==` where only one release was looked at.
fn words(runs: &[VersionRun], scanned: &[Version]) -> String {
    specifiers(runs, scanned).join(" or ")
}

fn specifiers(runs: &[VersionRun], scanned: &[Version]) -> Vec<String> {
    match scanned {
        [only] => vec![format!("=={only}")],
        _ => runs.iter().map(ToString::to_string).collect(),
    }
}

/// The JSON for machines: one object for each of the other packages.
pub(super) fn json(pairs: &[Pairs]) -> String {
    let scans: Vec<Value> = pairs.iter().map(json_of_pair).collect();
    format!("{:#}", json!({ "scans": scans }))
}

fn json_of_pair(pairs: &Pairs) -> Value {
    let texts = |versions: &[Version]| -> Vec<String> {
        versions.iter().map(ToString::to_string).collect()
    };
    let breaks: Vec<Value> = pairs
        .breaks
        .iter()
        .map(|found| {
            let (module, name) = match &found.is.missing {
                Missing::Module(module) => (module, None),
                Missing::Name { module, name } => (module, Some(name)),
            };
            json!({
                "module": module,
                "name": name,
                "versions": specifiers(&found.is.package, &pairs.package_releases),
                "against_versions": specifiers(&found.is.other, &pairs.other_releases),
                "conditional": found.example.conditional,
                "example": {
                    "version": found.example_version.to_string(),
                    "against_version": found.example_other.to_string(),
                    "path": found.example.path,
                    "line": found.example.line,
                    "via": found.example.via,
                },
            })
        })
        .collect();
    json!({
        "package": pairs.package,
        "releases": texts(&pairs.package_releases),
        "against": pairs.other,
        "against_releases": texts(&pairs.other_releases),
        "without_wheel": pairs.without_wheel,
        "breaks": breaks,
    })
}
