//! What can be wrong with a set of rules although each of them could be read.

use std::collections::HashMap;
use std::fmt;

use super::{Evidence, RuleDocument, RuleId, RuleKind, VersionSet};

/// A fault in a rule, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The rule's file.
    pub file: String,
    /// The line in it, from 1.
    pub line: usize,
    /// The rule.
    pub rule: RuleId,
    /// What is wrong, as a sentence without a full stop.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}:{}: {}: {}",
            self.file, self.line, self.rule, self.message
        )
    }
}

/// Every fault of a rule set, in the order of the rules; empty if the set is sound.
pub fn lint(documents: &[RuleDocument]) -> Vec<Problem> {
    let mut first_seen: HashMap<&RuleId, &RuleDocument> = HashMap::new();
    let mut problems = Vec::new();
    for document in documents {
        let mut report = Report {
            document,
            problems: &mut problems,
        };
        if let Some(other) = first_seen.get(&document.rule.id) {
            report.add(format!(
                "the identifier is already used in `{}`",
                other.file
            ));
        } else {
            first_seen.insert(&document.rule.id, document);
        }
        check_path(&mut report);
        check_words(&mut report);
        check_evidence(&mut report);
        check_ranges(&mut report);
        for (line, message) in document.contradictions() {
            report.add_at(line, message);
        }
        check_fixed(&mut report);
        check_tests(&mut report);
    }
    problems
}

struct Report<'a> {
    document: &'a RuleDocument,
    problems: &'a mut Vec<Problem>,
}

impl Report<'_> {
    fn add(&mut self, message: impl Into<String>) {
        self.add_at(self.document.line, message);
    }

    fn add_at(&mut self, line: usize, message: impl Into<String>) {
        self.problems.push(Problem {
            file: self.document.file.clone(),
            line,
            rule: self.document.rule.id.clone(),
            message: message.into(),
        });
    }
}

/// A rule lies at `<package>/<ID>.md`, where the package is one that it speaks about.
fn check_path(report: &mut Report<'_>) {
    let document = report.document;
    let mut parts = document.file.rsplit(['/', '\\']);
    let (Some(name), Some(folder)) = (parts.next(), parts.next()) else {
        return report.add("the file does not lie in a folder named for a package");
    };
    if name.strip_suffix(".md") != Some(document.rule.id.as_str()) {
        report.add(format!("the file is not named `{}.md`", document.rule.id));
    }
    if !document
        .rule
        .packages()
        .iter()
        .any(|package| package.as_ref() == folder)
    {
        report.add(format!(
            "the rule does not speak about `{folder}`, the folder it lies in"
        ));
    }
}

fn check_words(report: &mut Report<'_>) {
    let rule = &report.document.rule;
    if rule.title.is_empty() || rule.title.contains('\n') || rule.title.ends_with('.') {
        report.add("the title is not one sentence without a full stop");
    }
    if let Some(hint) = &rule.hint
        && (hint.is_empty() || hint.contains('\n') || hint.ends_with('.'))
    {
        report.add("the hint is not one sentence without a full stop");
    }
}

fn check_evidence(report: &mut Report<'_>) {
    let evidence = &report.document.evidence;
    if !evidence.iter().any(Evidence::is_sufficient) {
        report.add("there is no evidence besides issue threads");
    }
    for item in evidence {
        match item {
            Evidence::Source { url, detail } | Evidence::Changelog { url, detail } => {
                check_url(report, url);
                check_detail(report, detail);
            }
            Evidence::Issue { url } => check_url(report, url),
            Evidence::Reproduction { detail } => check_detail(report, detail),
            Evidence::Artifact(artifact) => {
                if !report.document.rule.packages().contains(&&artifact.package) {
                    report.add(format!(
                        "the rule does not speak about `{}`, which its evidence is taken from",
                        artifact.package
                    ));
                }
                if artifact.member.as_str().is_empty() {
                    report.add("artifact evidence names no member");
                }
            }
        }
    }
}

fn check_url(report: &mut Report<'_>, url: &str) {
    if !url.starts_with("https://") {
        report.add(format!("`{url}` is not an `https` address"));
    }
}

fn check_detail(report: &mut Report<'_>, detail: &str) {
    if detail.trim().is_empty() {
        report.add("evidence says nothing in `detail`");
    }
}

fn check_ranges(report: &mut Report<'_>) {
    let document = report.document;
    match &document.rule.kind {
        RuleKind::Conflict(conflict) => {
            for (position, side) in conflict.sides.iter().enumerate() {
                check_versions(report, &side.versions);
                for (name, _) in &side.packages {
                    let repeated = conflict.sides[..position]
                        .iter()
                        .any(|earlier| earlier.packages.iter().any(|(other, _)| other == name));
                    if repeated {
                        report.add(format!("`{name}` stands on both sides of the conflict"));
                    }
                }
            }
            for (position, side) in conflict.machine.iter().enumerate() {
                check_versions(report, &side.versions);
                let mut earlier = conflict.machine[..position].iter();
                if earlier.any(|other| other.package == side.package) {
                    let name = side.package;
                    report.add(format!("`{name}` stands on both sides of the conflict"));
                }
            }
        }
        RuleKind::Exclude(exclude) => check_versions(report, &exclude.versions),
        RuleKind::Requires(requires) => {
            check_versions(report, &requires.versions);
            if requires.packages.contains(&requires.requirement.name) {
                report.add(format!(
                    "`{}` is said to require itself",
                    requires.requirement.name
                ));
            }
        }
        RuleKind::Provides(provides) => {
            check_versions(report, &provides.versions);
            if provides.package == provides.provided {
                report.add(format!("`{}` is said to provide itself", provides.package));
            }
        }
    }
    if document
        .rule
        .marker
        .as_ref()
        .is_some_and(bnbpip_packaging::MarkerTree::is_false)
    {
        report.add("the marker is never true");
    }
}

fn check_versions(report: &mut Report<'_>, versions: &VersionSet) {
    if versions.range.is_empty() {
        report.add(format!("no version satisfies `{versions}`"));
    }
}

/// What is called fixed must not be in the range that the rule forbids.
fn check_fixed(report: &mut Report<'_>) {
    let rule = &report.document.rule;
    for (name, version) in &rule.fixed {
        match rule.versions_of(name) {
            None => report.add(format!(
                "`{name}` has a fixed version and is not in the rule"
            )),
            Some(versions) if versions.contains(version) => {
                report.add(format!(
                    "the fixed version {version} of `{name}` is in the rule's range"
                ));
            }
            Some(_) => {}
        }
    }
}

fn check_tests(report: &mut Report<'_>) {
    let document = report.document;
    for (hit, word) in [(true, "hit"), (false, "miss")] {
        if !document.tests.iter().any(|test| test.hit == hit) {
            report.add(format!("there is no test that expects a {word}"));
        }
    }
    for test in &document.tests {
        let applies = document
            .rule
            .applies(&test.packages, &test.target.environment, &test.machine)
            .is_some();
        if applies != test.hit {
            let message = if applies {
                "the rule applies to a test that expects a miss"
            } else {
                "the rule does not apply to a test that expects a hit"
            };
            report.add_at(test.line, message);
        }
    }
}
