//! The order in which packages are decided, and how conflicts change it.
//!
//! Pins and URLs first, since they can't give way; then in the order in which packages were met.
//! A package that keeps being rejected because of earlier decisions is decided earlier, the one
//! that keeps causing it later, and the solver steps back to before the culprit.

use std::cmp::Reverse;

use rustc_hash::FxHashMap;

use crate::package::NameId;

/// So many conflicts with others move a package.
const THRESHOLD: u32 = 5;

/// When a package is decided; greater is earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Priority {
    /// In the order of discovery.
    Discovered(Reverse<u32>),
    /// Often the cause of other packages' rejection.
    Culprit(Reverse<u32>),
    /// Often rejected because of earlier decisions.
    Affected(Reverse<u32>),
    /// Only one version is left.
    Pinned(Reverse<u32>),
    /// A URL, or a guard: no choice at all.
    Fixed,
    /// The request itself.
    Root,
}

#[derive(Debug, Default)]
struct Counts {
    affected: u32,
    culprit: u32,
}

/// What happened between packages so far.
#[derive(Debug, Default)]
pub(crate) struct ConflictHistory {
    order: FxHashMap<NameId, u32>,
    counts: FxHashMap<NameId, Counts>,
    early: FxHashMap<NameId, u32>,
    late: FxHashMap<NameId, u32>,
}

impl ConflictHistory {
    /// Remembers when a package was met first; its place in the order.
    pub(crate) fn discover(&mut self, name: NameId) -> u32 {
        let next = u32::try_from(self.order.len()).unwrap_or(u32::MAX);
        *self.order.entry(name).or_insert(next)
    }

    /// The priority of a package; `pinned` when one version is left.
    pub(crate) fn priority(&self, name: NameId, pinned: bool) -> Priority {
        let order = Reverse(self.order.get(&name).copied().unwrap_or(u32::MAX));
        if pinned {
            Priority::Pinned(order)
        } else if let Some(at) = self.early.get(&name) {
            Priority::Affected(Reverse(*at))
        } else if let Some(at) = self.late.get(&name) {
            Priority::Culprit(Reverse(*at))
        } else {
            Priority::Discovered(order)
        }
    }

    /// Counts a conflict. When the pair has met often enough, both move; `true` then: the solver
    /// should step back to before the culprit.
    pub(crate) fn record(&mut self, affected: NameId, culprit: NameId) -> bool {
        let affected_count = {
            let counts = self.counts.entry(affected).or_default();
            counts.affected += 1;
            counts.affected
        };
        let culprit_count = {
            let counts = self.counts.entry(culprit).or_default();
            counts.culprit += 1;
            counts.culprit
        };
        let moved_early = affected_count == THRESHOLD && mark(&mut self.early, affected);
        let moved_late = culprit_count == THRESHOLD
            && !self.early.contains_key(&culprit)
            && mark(&mut self.late, culprit);
        moved_early || moved_late
    }
}

fn mark(list: &mut FxHashMap<NameId, u32>, name: NameId) -> bool {
    let next = u32::try_from(list.len()).unwrap_or(u32::MAX);
    let known = list.contains_key(&name);
    list.entry(name).or_insert(next);
    !known
}
