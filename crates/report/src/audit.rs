//! Known vulnerabilities, for people and for programs.

use bnbpip_audit::{Finding, Ignore};
use bnbpip_packaging::{PackageName, Version};
use serde::Serialize;

/// What an audit found.
#[derive(Debug, Clone, Default)]
pub struct AuditReport {
    /// All packages that were looked at, by name.
    pub packages: Vec<AuditedPackage>,
    /// Those that weren't.
    pub unaudited: Vec<Unaudited>,
}

/// A package that was looked at.
#[derive(Debug, Clone)]
pub struct AuditedPackage {
    /// The package.
    pub name: PackageName,
    /// Its version.
    pub version: Version,
    /// What counts.
    pub findings: Vec<Finding>,
    /// What somebody decided to live with.
    pub ignored: Vec<(Finding, Ignore)>,
    /// Identifiers of what counts again, and the decision that has run out.
    pub expired: Vec<(String, Ignore)>,
}

/// A package that can't be looked at.
#[derive(Debug, Clone)]
pub struct Unaudited {
    /// The package.
    pub name: PackageName,
    /// Why.
    pub reason: &'static str,
}

/// The report as JSON: what `pip-audit --format json` gives, and what was ignored.
#[derive(Debug, Serialize)]
pub struct AuditJson {
    dependencies: Vec<DependencyJson>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum DependencyJson {
    Audited {
        name: String,
        version: String,
        vulns: Vec<VulnerabilityJson>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        ignored: Vec<IgnoredJson>,
    },
    Unaudited {
        name: String,
        skip_reason: &'static str,
    },
}

#[derive(Debug, Serialize)]
struct VulnerabilityJson {
    id: String,
    fix_versions: Vec<String>,
    aliases: Vec<String>,
    summary: String,
    description: String,
    severity: Option<String>,
}

#[derive(Debug, Serialize)]
struct IgnoredJson {
    id: String,
    aliases: Vec<String>,
    reason: String,
    until: Option<String>,
}

impl AuditReport {
    /// How many vulnerabilities count.
    pub fn vulnerabilities(&self) -> usize {
        self.packages.iter().map(|it| it.findings.len()).sum()
    }

    /// How many were ignored.
    pub fn ignored(&self) -> usize {
        self.packages.iter().map(|it| it.ignored.len()).sum()
    }

    /// How many packages have a vulnerability that counts.
    pub fn affected(&self) -> usize {
        self.vulnerable().count()
    }

    fn vulnerable(&self) -> impl Iterator<Item = &AuditedPackage> {
        self.packages.iter().filter(|it| !it.findings.is_empty())
    }

    /// Each vulnerable package with what is known about it.
    pub fn text(&self) -> String {
        let mut lines = Vec::new();
        for package in self.vulnerable() {
            lines.push(format!("{} {}", package.name, package.version));
            lines.extend(package.findings.iter().map(line));
        }
        lines.join("\n")
    }

    /// For each package all of whose vulnerabilities have a fix, the requirement that has them.
    pub fn fixes(&self) -> Vec<String> {
        let fixes = self.vulnerable().filter_map(|package| {
            let fixed = package
                .findings
                .iter()
                .map(|finding| finding.fixed.as_ref());
            let fixed: Option<Vec<&Version>> = fixed.collect();
            let highest = fixed?.into_iter().max()?;
            Some(format!("`{}>={highest}`", package.name))
        });
        fixes.collect()
    }

    /// A sentence for each decision that has run out.
    pub fn expired(&self) -> Vec<String> {
        let expired = self.packages.iter().flat_map(|package| {
            package.expired.iter().map(|(id, ignore)| {
                let until = ignore.until.map(|day| day.to_string()).unwrap_or_default();
                format!(
                    "`{id}` of {} was ignored until {until} ({}), and counts again",
                    package.name, ignore.reason
                )
            })
        });
        expired.collect()
    }

    /// The report for programs.
    pub fn json(&self) -> AuditJson {
        let audited = self.packages.iter().map(|package| DependencyJson::Audited {
            name: package.name.to_string(),
            version: package.version.to_string(),
            vulns: package.findings.iter().map(vulnerability).collect(),
            ignored: package.ignored.iter().map(ignored).collect(),
        });
        let unaudited = self
            .unaudited
            .iter()
            .map(|package| DependencyJson::Unaudited {
                name: package.name.to_string(),
                skip_reason: package.reason,
            });
        AuditJson {
            dependencies: audited.chain(unaudited).collect(),
        }
    }
}

/// `  GHSA-… (CVE-…), high: It leaks; fixed in 1.2`
fn line(finding: &Finding) -> String {
    let mut text = format!("  {}", finding.id);
    if !finding.aliases.is_empty() {
        text = format!("{text} ({})", finding.aliases.join(", "));
    }
    if let Some(severity) = &finding.severity {
        text = format!("{text}, {}", severity.to_lowercase());
    }
    let about = summary(finding);
    if !about.is_empty() {
        text = format!("{text}: {about}");
    }
    match &finding.fixed {
        Some(fixed) => format!("{text}; fixed in {fixed}"),
        None => format!("{text}; no fixed version is known"),
    }
}

/// The longest first sentence of a text that is shown, in characters.
const MAX_SUMMARY: usize = 120;

/// What a vulnerability is about, in a line: its summary, else the beginning of its text.
fn summary(finding: &Finding) -> String {
    let text = if finding.summary.is_empty() {
        &finding.details
    } else {
        &finding.summary
    };
    let line = text.lines().find(|line| !line.trim().is_empty());
    let line = line.unwrap_or_default().trim();
    let sentence = line.split_once(". ").map_or(line, |(first, _)| first);
    let sentence = sentence.trim_end_matches('.');
    if sentence.chars().count() <= MAX_SUMMARY {
        return sentence.to_owned();
    }
    let short: String = sentence.chars().take(MAX_SUMMARY).collect();
    let short = short
        .rsplit_once(' ')
        .map_or(short.as_str(), |(begin, _)| begin);
    format!("{short} …")
}

fn vulnerability(finding: &Finding) -> VulnerabilityJson {
    VulnerabilityJson {
        id: finding.id.clone(),
        fix_versions: finding.fixed.iter().map(ToString::to_string).collect(),
        aliases: finding.aliases.clone(),
        summary: summary(finding),
        description: finding.details.clone(),
        severity: finding.severity.clone(),
    }
}

fn ignored((finding, ignore): &(Finding, Ignore)) -> IgnoredJson {
    IgnoredJson {
        id: finding.id.clone(),
        aliases: finding.aliases.clone(),
        reason: ignore.reason.clone(),
        until: ignore.until.map(|day| day.to_string()),
    }
}
