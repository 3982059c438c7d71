//! Findings as text for people and as JSON for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Cause, Check, Finding, Outcome, Privacy, Severity};

/// The format of the JSON.
const VERSION: u32 = 1;

/// Something that was looked up about the environment or the machine: `GPU`, `none`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Its key in JSON, `python`.
    pub key: &'static str,
    /// What people call it, `Python`.
    pub label: &'static str,
    /// What was found.
    pub value: String,
}

/// All that is known about an environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnosis {
    /// What was looked at.
    pub facts: Vec<Fact>,
    /// What is wrong, the worst first.
    pub findings: Vec<Finding>,
    /// The checks that were run.
    pub checks: Vec<Check>,
    /// The command that mends what can be mended by one.
    pub command: Option<String>,
    /// The commands that the one stands for, where it stands for several.
    pub steps: Vec<String>,
    /// What is to be known about the command: that it couldn't be tried, for example.
    pub notes: Vec<String>,
}

impl Diagnosis {
    /// Whether nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty() && self.failed_checks() == 0
    }

    fn failed_checks(&self) -> usize {
        let failed = |check: &&Check| matches!(check.outcome, Outcome::Failed { .. });
        self.checks.iter().filter(failed).count()
    }

    /// Puts the findings into the order in which they are read.
    pub fn sort(&mut self) {
        self.findings.sort_by_key(|finding| finding.severity);
    }

    /// For people. `-v` gives `verbose`.
    pub fn render(&self, privacy: &Privacy, verbose: bool) -> String {
        let mut text = String::new();
        let width = self
            .facts
            .iter()
            .map(|fact| fact.label.len())
            .max()
            .unwrap_or_default();
        for fact in &self.facts {
            // Writing to a string can't fail.
            let _ = writeln!(text, "{:<width$}  {}", fact.label, fact.value);
        }
        if !self.facts.is_empty() {
            text.push('\n');
        }
        for finding in &self.findings {
            push_finding(&mut text, finding, verbose);
        }
        if !self.findings.is_empty() && !self.checks.is_empty() {
            text.push('\n');
        }
        for check in &self.checks {
            push_check(&mut text, check);
        }
        if !self.findings.is_empty() || !self.checks.is_empty() {
            text.push('\n');
        }
        text.push_str(&self.verdict());
        if let Some(command) = &self.command {
            let _ = writeln!(text, "\nThis command mends it:\n\n    {command}");
            if !self.steps.is_empty() {
                text.push_str("\nIt runs:\n\n");
                for step in &self.steps {
                    let _ = writeln!(text, "    {step}");
                }
            }
        }
        for note in &self.notes {
            let _ = writeln!(text, "\n{note}.");
        }
        if verbose {
            text.trim_end().to_owned()
        } else {
            privacy.shorten(text.trim_end())
        }
    }

    fn verdict(&self) -> String {
        let counted = |count: usize, one: &str, many: &str| match count {
            0 => None,
            1 => Some(format!("1 {one}")),
            count => Some(format!("{count} {many}")),
        };
        let problems = counted(self.findings.len(), "problem found", "problems found");
        let checks = counted(self.failed_checks(), "check failed", "checks failed");
        match (problems, checks) {
            (None, None) => "No problems found.\n".to_owned(),
            (Some(one), None) | (None, Some(one)) => format!("{one}.\n"),
            (Some(one), Some(other)) => format!("{one}, {other}.\n"),
        }
    }

    /// For programs.
    pub fn json(&self, privacy: &Privacy, verbose: bool, program_version: &str) -> Value {
        let shown = |text: &str| {
            if verbose {
                text.to_owned()
            } else {
                privacy.shorten(text)
            }
        };
        let facts = self.facts.iter();
        let environment: serde_json::Map<String, Value> = facts
            .map(|fact| (fact.key.to_owned(), shown(&fact.value).into()))
            .collect();
        json!({
            "version": VERSION,
            "bnbpip": program_version,
            "environment": environment,
            "findings": self.findings.iter().map(|it| finding_json(it, &shown)).collect::<Vec<_>>(),
            "checks": self.checks.iter().map(|it| check_json(it, &shown)).collect::<Vec<_>>(),
            "command": self.command.as_deref().map(shown),
            "steps": self.steps.iter().map(|step| shown(step)).collect::<Vec<_>>(),
            "notes": self.notes.iter().map(|note| shown(note)).collect::<Vec<_>>(),
        })
    }
}

fn push_finding(text: &mut String, finding: &Finding, verbose: bool) {
    let mark = match finding.severity {
        Severity::Broken => "[bad ]",
        Severity::Warning => "[warn]",
    };
    text.push_str(mark);
    text.push(' ');
    if let Some(rule) = &finding.rule {
        text.push_str(rule.as_ref());
        text.push_str("  ");
    }
    text.push_str(&finding.sentence);
    text.push('\n');
    let by_hand = match &finding.mend {
        super::Mend::ByHand(what) => Some(format!("to do: {what}")),
        _ => None,
    };
    let links: &[String] = if verbose {
        &finding.links
    } else {
        &finding.links[..finding.links.len().min(1)]
    };
    let links = links.iter().map(|link| format!("see {link}"));
    for detail in finding.details.iter().cloned().chain(by_hand).chain(links) {
        for line in detail.lines() {
            let _ = writeln!(text, "       {line}");
        }
    }
}

fn push_check(text: &mut String, check: &Check) {
    let (mark, reason) = match &check.outcome {
        Outcome::Passed => ("[pass]", None),
        Outcome::Failed { reason } => ("[fail]", Some(reason)),
        Outcome::Skipped(reason) => ("[skip]", Some(reason)),
    };
    // Writing to a string can't fail.
    let _ = writeln!(text, "{mark} {}", check.what);
    if let Some(reason) = reason {
        let _ = writeln!(text, "       {reason}");
    }
    if let Outcome::Failed { reason } = &check.outcome
        && let Some(cause) = Cause::of(reason)
    {
        let _ = writeln!(text, "       {}", cause.sentence());
    }
}

fn check_json(check: &Check, shown: &impl Fn(&str) -> String) -> Value {
    let (outcome, reason, cause) = match &check.outcome {
        Outcome::Passed => ("passed", None, None),
        Outcome::Failed { reason } => ("failed", Some(shown(reason)), Cause::of(reason)),
        Outcome::Skipped(reason) => ("skipped", Some(shown(reason)), None),
    };
    let rule = cause.and_then(Cause::rule);
    json!({
        "check": check.key,
        "outcome": outcome,
        "reason": reason,
        "cause": cause.map(|cause| cause.means.as_str()),
        "rule": rule.map(|rule| rule.to_string()),
    })
}

fn finding_json(finding: &Finding, shown: &impl Fn(&str) -> String) -> Value {
    let packages: Vec<Value> = finding
        .packages
        .iter()
        .map(|(name, version)| json!({"name": name.to_string(), "version": version.to_string()}))
        .collect();
    let to_do = match &finding.mend {
        super::Mend::ByHand(what) => Some(shown(what)),
        _ => None,
    };
    json!({
        "code": finding.code,
        "severity": finding.severity.word(),
        "sentence": shown(&finding.sentence),
        "details": finding.details.iter().map(|it| shown(it)).collect::<Vec<_>>(),
        "rule": finding.rule.as_ref().map(ToString::to_string),
        "links": finding.links,
        "packages": packages,
        "to_do": to_do,
    })
}

#[cfg(test)]
mod tests {
    use super::super::Mend;
    use super::*;

    #[test]
    fn a_clean_environment_is_one_sentence_below_the_facts() {
        let diagnosis = Diagnosis {
            facts: vec![Fact {
                key: "python",
                label: "Python",
                value: "3.11 in /home/zoe/x".into(),
            }],
            ..Diagnosis::default()
        };
        let privacy = Privacy::default();
        assert_eq!(
            diagnosis.render(&privacy, false),
            "Python  3.11 in ~/x\n\nNo problems found."
        );
        assert_eq!(
            diagnosis.json(&privacy, true, "1")["environment"]["python"],
            "3.11 in /home/zoe/x"
        );
    }

    #[test]
    fn findings_come_with_what_to_do() {
        let warning = Finding::new(
            "vc-runtime",
            Severity::Warning,
            "`msvcp140.dll` is old",
            Mend::ByHand("install it anew".into()),
        );
        let broken = Finding::new("rule", Severity::Broken, "a with b", Mend::Clean)
            .detail("evidence: two\nlines")
            .link("https://a.example")
            .link("https://b.example");
        let mut diagnosis = Diagnosis {
            findings: vec![warning, broken],
            command: Some("bnbpip doctor --fix".into()),
            steps: vec!["one".into(), "two".into()],
            notes: vec!["It was not tried".into()],
            ..Diagnosis::default()
        };
        diagnosis.sort();
        assert_eq!(
            diagnosis.render(&Privacy::default(), false),
            "[bad ] a with b\n       evidence: two\n       lines\n       see https://a.example\n\
             [warn] `msvcp140.dll` is old\n       to do: install it anew\n\n2 problems found.\n\n\
             This command mends it:\n\n    bnbpip doctor --fix\n\nIt runs:\n\n    one\n    two\n\n\
             It was not tried."
        );
    }
}
