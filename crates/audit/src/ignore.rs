//! Findings that somebody decided to live with, for a time.

use jiff::civil::Date;

use crate::Finding;

/// A decision to live with a vulnerability.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignore {
    /// Any of its identifiers.
    pub id: String,
    /// Why; empty if it is only for this run.
    pub reason: String,
    /// The last day on which it counts; for ever if there is none.
    pub until: Option<Date>,
}

/// What a list of decisions says about a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// Nothing: it counts.
    Counts,
    /// It is ignored by this.
    Ignored(&'a Ignore),
    /// It was ignored until a day that has passed: it counts again.
    Expired(&'a Ignore),
}

impl Ignore {
    /// What these decisions say about a finding today. One that still counts is enough.
    pub fn verdict<'a>(list: &'a [Self], finding: &Finding, today: Date) -> Verdict<'a> {
        let mut verdict = Verdict::Counts;
        for ignore in list.iter().filter(|it| finding.is_known_as(&it.id)) {
            if ignore.until.is_none_or(|until| today <= until) {
                return Verdict::Ignored(ignore);
            }
            verdict = Verdict::Expired(ignore);
        }
        verdict
    }
}
