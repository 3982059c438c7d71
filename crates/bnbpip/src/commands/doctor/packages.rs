//! What is installed, against the metadata and the rules.

use bnbpip_overlay::{Evidence, RuleDocument, RuleId};
use bnbpip_packaging::{MarkerEnvironment, MarkerTree, PackageName, Version};
use bnbpip_report::doctor::{
    Finding, Mend, Severity, not_on_windows, python_too_new, rule_finding,
};

use crate::commands::check::{self, Problems, Unmet};
use crate::commands::distribution::Distribution;
use crate::commands::rule_set;

/// The findings about single packages and pairs of them.
pub(super) fn findings(
    problems: &Problems,
    layers: &[RuleDocument],
    installed: &[Distribution],
    markers: &MarkerEnvironment,
    python: (u8, u8),
) -> Vec<Finding> {
    let keeps = |owners: &[(PackageName, Version)]| keeps(owners, installed, markers);
    let mut findings: Vec<Finding> = problems
        .findings
        .iter()
        .map(|broken| rule_finding(broken, &evidence(&broken.rule.id, layers), keeps))
        .collect();
    findings.extend(problems.missing.iter().map(|unmet| {
        let (required, dependent) = (&unmet.requirement.name, &unmet.dependent.0);
        let is_windows = markers.os_name() == "nt";
        python_too_new(required, dependent, python)
            .or_else(|| not_on_windows(required, dependent).filter(|_| is_windows))
            .unwrap_or_else(|| missing(unmet))
    }));
    findings.extend(problems.conflicting.iter().map(conflicting));
    let unsupported = problems.unsupported.iter().filter(|(name, _)| {
        // Some wheels have an empty line before their tags: that is untidy and breaks nothing.
        let found = installed.iter().find(|one| one.installed.name == *name);
        let metadata = found.and_then(check::wheel_metadata);
        metadata.is_some_and(|metadata| !metadata.tags.is_empty())
    });
    findings.extend(unsupported.map(|(name, version)| {
        Finding::new(
            "unsupported-wheel",
            Severity::Broken,
            format!("{name} {version} was built for another Python or another platform"),
            Mend::Reinstall(name.clone(), version.clone()),
        )
        .package(name.clone(), version.clone())
    }));
    findings.extend(problems.unreadable.iter().map(|(name, error)| {
        let finding = Finding::new(
            "unreadable-metadata",
            Severity::Broken,
            format!("The requirements of {name} can't be read"),
            Mend::Change(vec![(name.clone(), name.to_string())]),
        );
        finding.detail(error.clone())
    }));
    findings
}

/// What the rule's own file says for it; of several the highest layer's.
fn evidence(id: &RuleId, layers: &[RuleDocument]) -> Vec<Evidence> {
    let layers = layers.iter().rev();
    layers
        .filter(|document| document.rule.id == *id)
        .map(|document| document.evidence.clone())
        .next()
        .or_else(|| Some(rule_set::embedded_document(id)?.evidence))
        .unwrap_or_default()
}

/// Which of several owners of the same modules stays: the one that something else requires, else
/// the one that is made for this platform or for GPUs, else the first.
fn keeps(
    owners: &[(PackageName, Version)],
    installed: &[Distribution],
    markers: &MarkerEnvironment,
) -> Option<PackageName> {
    let is_required = |name: &PackageName| {
        installed.iter().any(|distribution| {
            let dependencies = distribution.dependencies(markers).unwrap_or_default();
            dependencies
                .iter()
                .any(|dependency| dependency.requirement.name == *name)
        })
    };
    let is_special = |name: &PackageName| {
        let name: &str = name.as_ref();
        name.ends_with("-gpu") || (name.ends_with("-windows") && markers.os_name() == "nt")
    };
    let names = || owners.iter().map(|(name, _)| name);
    names()
        .find(|name| is_special(name))
        .or_else(|| names().find(|name| is_required(name)))
        .or_else(|| names().next())
        .cloned()
}

fn missing(unmet: &Unmet) -> Finding {
    let (name, version) = &unmet.dependent;
    let requirement = requirement_of(unmet);
    Finding::new(
        "missing-requirement",
        Severity::Broken,
        format!("{name} {version} requires {requirement}, which is not installed"),
        Mend::Require(vec![requirement]),
    )
    .package(name.clone(), version.clone())
}

fn conflicting(unmet: &Unmet) -> Finding {
    let (name, version) = &unmet.dependent;
    let required = unmet.requirement.name.clone();
    let requirement = requirement_of(unmet);
    let present = unmet.present.clone();
    let shown = present.as_ref().map(ToString::to_string);
    let finding = Finding::new(
        "unsuitable-requirement",
        Severity::Broken,
        format!(
            "{name} {version} requires {requirement}, but {required} {} is installed",
            shown.unwrap_or_default()
        ),
        Mend::Change(vec![
            (required.clone(), requirement),
            (name.clone(), name.to_string()),
        ]),
    )
    .package(name.clone(), version.clone());
    match present {
        Some(present) => finding.package(required, present),
        None => finding,
    }
}

/// The requirement without its marker, which holds here.
fn requirement_of(unmet: &Unmet) -> String {
    let mut requirement = unmet.requirement.clone();
    requirement.marker = MarkerTree::TRUE;
    requirement.to_string()
}
