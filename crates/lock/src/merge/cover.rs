//! Short markers for some of a lock's environments and accelerators.
//!
//! A marker has to tell the lock's own environments apart and no others: the lock names them, and
//! isn't installed elsewhere. So `sys_platform == 'win32'` does for the only Windows there is.

use std::collections::BTreeSet;

use super::Solution;

/// An environment, by the values that tell it from others. All of a lock's have the same names in
/// the same order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Names of markers and their values.
    pub values: Vec<(&'static str, String)>,
}

/// The environments of a lock.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environments(pub Vec<Environment>);

impl Environment {
    /// The marker that holds in this environment.
    pub fn marker(&self) -> String {
        terms(&self.values).join(" and ")
    }
}

/// How many of the environments that are left some values hold in, the values, and all that they
/// hold in.
type Candidate = (usize, Vec<(&'static str, String)>, BTreeSet<usize>);

fn terms(values: &[(&'static str, String)]) -> Vec<String> {
    let terms = values.iter();
    terms
        .map(|(name, value)| format!("{name} == '{value}'"))
        .collect()
}

impl Environments {
    /// Alternatives, each a list of terms that all must hold, that together hold in the chosen
    /// environments and in no others of the lock. One without terms, if all are chosen.
    fn cover(&self, chosen: &BTreeSet<usize>) -> Vec<Vec<String>> {
        if chosen.len() == self.0.len() {
            return vec![Vec::new()];
        }
        let mut left = chosen.clone();
        let mut alternatives = Vec::new();
        while let Some(first) = left.first().copied() {
            let (terms, covered) = self.widest(first, chosen, &left);
            left.retain(|place| !covered.contains(place));
            alternatives.push(terms);
        }
        alternatives
    }

    /// The terms of an environment that hold in the most of those that are left, and in none that
    /// wasn't chosen; of equals the fewest, of those the first ones.
    fn widest(
        &self,
        place: usize,
        chosen: &BTreeSet<usize>,
        left: &BTreeSet<usize>,
    ) -> (Vec<String>, BTreeSet<usize>) {
        let values = &self.0[place].values;
        let mut best: Option<Candidate> = None;
        let mut subsets: Vec<usize> = (1..1 << values.len()).collect();
        subsets.sort_by_key(|subset| (subset.count_ones(), *subset));
        for subset in subsets {
            let of_subset = values.iter().enumerate();
            let of_subset: Vec<_> = of_subset
                .filter(|(bit, _)| subset >> bit & 1 == 1)
                .map(|(_, value)| value.clone())
                .collect();
            let holds = |environment: &Environment| {
                of_subset
                    .iter()
                    .all(|value| environment.values.contains(value))
            };
            let places = (0..self.0.len()).filter(|at| holds(&self.0[*at]));
            let places: BTreeSet<usize> = places.collect();
            let gain = places.intersection(left).count();
            let better = best.as_ref().is_none_or(|(known, ..)| gain > *known);
            if places.is_subset(chosen) && better {
                best = Some((gain, of_subset, places));
            }
        }
        match best {
            Some((_, values, places)) => (terms(&values), places),
            // Two environments that are described alike can't be told apart.
            None => (terms(values), BTreeSet::from([place])),
        }
    }
}

/// Alternatives that together hold in the chosen solutions and in no others: each a list of terms
/// that all must hold; a term may be an alternative in parentheses.
pub(super) fn conjunctions(
    environments: &Environments,
    solutions: &[Solution],
    chosen: &[usize],
) -> Vec<Vec<String>> {
    let accelerators: BTreeSet<&Option<String>> = solutions
        .iter()
        .map(|solution| &solution.accelerator)
        .collect();
    // Environments that have the entry for the same accelerators.
    let mut groups: Vec<(BTreeSet<&Option<String>>, BTreeSet<usize>)> = Vec::new();
    for environment in 0..environments.0.len() {
        let here = chosen.iter().map(|place| &solutions[*place]);
        let here = here.filter(|solution| solution.environment == environment);
        let own: BTreeSet<_> = here.map(|solution| &solution.accelerator).collect();
        if own.is_empty() {
            continue;
        }
        match groups.iter_mut().find(|(known, _)| *known == own) {
            Some((_, places)) => {
                places.insert(environment);
            }
            None => groups.push((own, BTreeSet::from([environment]))),
        }
    }
    let mut all = Vec::new();
    for (own, places) in groups {
        let extras: Vec<String> = if own.len() == accelerators.len() {
            Vec::new()
        } else {
            let names = own.into_iter().flatten();
            names.map(|name| format!("'{name}' in extras")).collect()
        };
        let alternatives = environments.cover(&places);
        if extras.is_empty() {
            all.extend(alternatives);
            continue;
        }
        let joined_terms: Vec<String> = alternatives
            .iter()
            .map(|terms| joined(terms, " and "))
            .filter(|text| !text.is_empty())
            .collect();
        let where_it_holds = (!joined_terms.is_empty()).then(|| joined(&joined_terms, " or "));
        let mut terms: Vec<String> = where_it_holds.into_iter().collect();
        terms.push(joined(&extras, " or "));
        all.push(terms);
    }
    all
}

/// Terms with a word between them, those in parentheses that are made of several themselves.
pub(super) fn joined(terms: &[String], word: &str) -> String {
    if let [only] = terms {
        return only.clone();
    }
    let is_compound = |term: &str| {
        let other = if word == " and " { " or " } else { " and " };
        // `and` binds more tightly, but people read parentheses faster.
        term.contains(other)
    };
    let terms: Vec<String> = terms
        .iter()
        .map(|term| {
            if is_compound(term) {
                format!("({term})")
            } else {
                term.clone()
            }
        })
        .collect();
    terms.join(word)
}
