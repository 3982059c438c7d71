//! What is known about a version: the advisories of all databases about one vulnerability are one
//! finding.

use std::collections::BTreeSet;

use bnbpip_packaging::Version;

use crate::advisory::Advisory;

/// A known vulnerability of a version of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The identifier that it goes by: the Python advisory database's if it has one.
    pub id: String,
    /// Its other identifiers, sorted.
    pub aliases: Vec<String>,
    /// What it is about, in a line; empty if nobody said.
    pub summary: String,
    /// The whole text.
    pub details: String,
    /// How bad a database thinks it is: `HIGH`.
    pub severity: Option<String>,
    /// The lowest later version that all databases take for fixed.
    pub fixed: Option<Version>,
}

impl Finding {
    /// Whether it goes by this identifier, in any case.
    pub fn is_known_as(&self, id: &str) -> bool {
        let mut ids = std::iter::once(&self.id).chain(&self.aliases);
        ids.any(|own| own.eq_ignore_ascii_case(id))
    }
}

/// An advisory that is about the version, and the version that fixes it.
pub(crate) struct Match<'a> {
    pub(crate) advisory: &'a Advisory,
    pub(crate) fixed: Option<Version>,
}

/// Puts together what is about the same vulnerability: advisories that share an identifier, also
/// by way of a third.
pub(crate) fn merged(matches: Vec<Match<'_>>) -> Vec<Finding> {
    let mut groups: Vec<(BTreeSet<&str>, Vec<Match<'_>>)> = Vec::new();
    for found in matches {
        let aliases = found.advisory.aliases.iter().map(String::as_str);
        let mut ids: BTreeSet<&str> = aliases.chain([found.advisory.id.as_str()]).collect();
        let mut members = vec![found];
        let mut apart = Vec::new();
        for (other, others) in groups {
            if other.is_disjoint(&ids) {
                apart.push((other, others));
            } else {
                ids.extend(other);
                members.extend(others);
            }
        }
        apart.push((ids, members));
        groups = apart;
    }
    let mut findings: Vec<Finding> = groups
        .into_iter()
        .filter_map(|(ids, members)| one(&ids, members))
        .collect();
    findings.sort_by(|a, b| rank(&a.id).cmp(&rank(&b.id)));
    findings
}

fn one(ids: &BTreeSet<&str>, mut members: Vec<Match<'_>>) -> Option<Finding> {
    members.sort_by(|a, b| rank(&a.advisory.id).cmp(&rank(&b.advisory.id)));
    let id = members.first()?.advisory.id.clone();
    let texts = |text: fn(&Advisory) -> &str| {
        let mut texts = members.iter().map(|found| text(found.advisory));
        texts
            .find(|text| !text.is_empty())
            .unwrap_or_default()
            .to_owned()
    };
    // Where one of them knows no fix, the others' is still the best that is known.
    let fixed = members.iter().filter_map(|found| found.fixed.clone()).max();
    let mut severities = members.iter().map(|found| &found.advisory.severity);
    Some(Finding {
        aliases: ids
            .iter()
            .filter(|it| **it != id)
            .map(ToString::to_string)
            .collect(),
        summary: texts(|advisory| &advisory.summary),
        details: texts(|advisory| &advisory.details),
        severity: severities.find_map(Clone::clone),
        fixed,
        id,
    })
}

/// Python's own database first, then the two that everybody knows.
fn rank(id: &str) -> (usize, &str) {
    let known = ["PYSEC-", "GHSA-", "CVE-"];
    let place = known.iter().position(|begin| id.starts_with(begin));
    (place.unwrap_or(known.len()), id)
}
