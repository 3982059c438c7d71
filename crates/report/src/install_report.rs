//! pip's installation report, version 1
//! ([reference](https://pip.pypa.io/en/stable/reference/installation-report/)).

use std::sync::Arc;

use bnbpip_overlay::{MachineFact, Rule};
use bnbpip_packaging::{DirectUrl, ExtraName, Headers, MarkerEnvironment};
use bnbpip_resolver::RuleEffect;
use serde_json::{Map, Value, json};

use crate::rules::RuleSetIdentity;

/// One installed (or to be installed) package.
#[derive(Debug, Clone)]
pub struct ReportItem<'a> {
    /// Where the file comes from.
    pub download_info: DirectUrl,
    /// Whether a URL was named, rather than an index asked.
    pub is_direct: bool,
    /// Whether the version is yanked.
    pub is_yanked: bool,
    /// Whether the user named it.
    pub requested: bool,
    /// The extras that the user named.
    pub requested_extras: Vec<ExtraName>,
    /// Its metadata.
    pub metadata: &'a Headers,
    /// Who built it, and why it is taken, if its project didn't build it.
    pub community: Option<(String, String)>,
}

/// What rules had to do with a resolution.
#[derive(Debug, Clone, Copy)]
pub struct ReportedRules<'a> {
    /// Those that were in force.
    pub identity: &'a RuleSetIdentity,
    /// Those that made a difference, each with the package that it moved, added or named.
    pub effects: &'a [RuleEffect],
    /// Those that had to give way.
    pub relaxed: &'a [Arc<Rule>],
    /// What of the machine is behind these.
    pub machine: &'a [MachineFact],
}

/// The whole report. Beside what pip writes there is `bnbpip`: the rules that were in force, those
/// that shaped the result or had to give way, and with a community wheel where it is from.
pub fn render(
    items: &[ReportItem<'_>],
    markers: &MarkerEnvironment,
    version: &str,
    rules: ReportedRules<'_>,
) -> Value {
    json!({
        "version": "1",
        "pip_version": version,
        "install": items.iter().map(item).collect::<Vec<_>>(),
        "environment": environment(markers),
        "bnbpip": {
            "overlay": rules.identity.json(),
            "rules": shaping(rules),
            "machine": machine(rules.machine),
        },
    })
}

fn shaping(rules: ReportedRules<'_>) -> Value {
    let effects = rules.effects.iter();
    let shaped = effects.map(|it| rule(&it.rule, Some(it.package.as_ref()), "shaped"));
    let relaxed = rules.relaxed.iter().map(|it| rule(it, None, "accepted"));
    shaped.chain(relaxed).collect()
}

/// A rule with what came of it: it `shaped` a package, or breaking it was `accepted`.
fn rule(rule: &Rule, package: Option<&str>, outcome: &str) -> Value {
    json!({
        "id": rule.id.as_str(),
        "title": rule.title,
        "package": package,
        "outcome": outcome,
    })
}

fn machine(facts: &[MachineFact]) -> Value {
    let facts = facts.iter();
    let facts = facts.map(|fact| (fact.package.to_string(), fact.version.to_string().into()));
    Value::Object(facts.collect())
}

fn item(item: &ReportItem<'_>) -> Value {
    let mut object = Map::new();
    let download_info = serde_json::to_value(&item.download_info).unwrap_or_default();
    object.insert("download_info".into(), download_info);
    object.insert("is_direct".into(), item.is_direct.into());
    object.insert("is_yanked".into(), item.is_yanked.into());
    object.insert("requested".into(), item.requested.into());
    if !item.requested_extras.is_empty() {
        let extras: Vec<String> = item
            .requested_extras
            .iter()
            .map(ToString::to_string)
            .collect();
        object.insert("requested_extras".into(), extras.into());
    }
    object.insert("metadata".into(), metadata(item.metadata));
    if let Some((source, why)) = &item.community {
        let community = json!({ "source": source, "why": why });
        object.insert("bnbpip".into(), json!({ "community": community }));
    }
    Value::Object(object)
}

/// Fields that may be repeated: they become lists.
const MULTIPLE: [&str; 16] = [
    "dynamic",
    "platform",
    "supported_platform",
    "classifier",
    "requires_dist",
    "provides_dist",
    "obsoletes_dist",
    "requires_external",
    "project_url",
    "provides_extra",
    "requires",
    "provides",
    "obsoletes",
    "license_file",
    "import_name",
    "import_namespace",
];

/// Core metadata as JSON (PEP 566): lower-case keys with underscores, repeated fields as lists,
/// keywords split, the body as the description.
pub fn metadata(headers: &Headers) -> Value {
    let mut object = Map::new();
    for (name, value) in headers.iter() {
        let key = name.to_ascii_lowercase().replace('-', "_");
        if MULTIPLE.contains(&key.as_str()) {
            let list = object.entry(key).or_insert_with(|| json!([]));
            if let Value::Array(list) = list {
                list.push(value.into());
            }
        } else if key == "keywords" {
            let words = value.split(',').flat_map(|part| {
                let comma = value.contains(',');
                if comma {
                    vec![part.trim()]
                } else {
                    part.split_whitespace().collect()
                }
            });
            let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
            object.insert(key, json!(words));
        } else if key == "description" {
            object.insert(key, value.replace("\n        ", "\n").into());
        } else {
            object.insert(key, value.into());
        }
    }
    if !headers.body().is_empty() {
        object.insert("description".into(), headers.body().into());
    }
    Value::Object(object)
}

/// The values of the environment markers.
pub fn environment(markers: &MarkerEnvironment) -> Value {
    json!({
        "implementation_name": markers.implementation_name(),
        "implementation_version": markers.implementation_version().string,
        "os_name": markers.os_name(),
        "platform_machine": markers.platform_machine(),
        "platform_release": markers.platform_release(),
        "platform_system": markers.platform_system(),
        "platform_version": markers.platform_version(),
        "python_full_version": markers.python_full_version().string,
        "platform_python_implementation": markers.platform_python_implementation(),
        "python_version": markers.python_version().string,
        "sys_platform": markers.sys_platform(),
    })
}
