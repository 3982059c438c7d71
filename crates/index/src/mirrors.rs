//! The mirrors of indexes, which of them are given up for this run, and what is to be told of it.

use std::error::Error;
use std::sync::{Mutex, PoisonError};

use rustc_hash::FxHashSet;

use crate::index_url::IndexUrl;
use crate::locations::Mirror;

/// The mirrors of a run.
#[derive(Debug)]
pub(crate) struct Mirrors {
    known: Vec<Mirror>,
    given_up: Mutex<FxHashSet<String>>,
    notes: Mutex<Vec<String>>,
}

impl Mirrors {
    pub(crate) fn new(known: Vec<Mirror>) -> Self {
        Self {
            known,
            given_up: Mutex::default(),
            notes: Mutex::default(),
        }
    }

    /// The mirrors of an index that are still good, in order. A mirror of what several indexes lie
    /// below has each of them at the same place below it.
    pub(crate) fn of(&self, index: &IndexUrl) -> Vec<IndexUrl> {
        let mut mirrors = self.all_of(index);
        mirrors.retain(|mirror| !self.is_given_up(mirror));
        mirrors
    }

    /// How many mirrors an index has, with those that are given up.
    pub(crate) fn count_of(&self, index: &IndexUrl) -> usize {
        self.all_of(index).len()
    }

    fn all_of(&self, index: &IndexUrl) -> Vec<IndexUrl> {
        let identity = index.identity();
        let below = self.known.iter().filter_map(|mirror| {
            let rest = identity.strip_prefix(&mirror.index.identity())?;
            let fits = rest.is_empty() || rest.starts_with('/');
            fits.then(|| mirror.url.below(rest)).flatten()
        });
        below.collect()
    }

    /// Whether a mirror failed in this run.
    pub(crate) fn is_given_up(&self, mirror: &IndexUrl) -> bool {
        let given_up = self.given_up.lock();
        given_up
            .unwrap_or_else(PoisonError::into_inner)
            .contains(&mirror.identity())
    }

    /// Asks a mirror nothing more in this run.
    pub(crate) fn give_up(&self, mirror: &IndexUrl, error: &(dyn Error + 'static)) {
        let mut given_up = self.given_up.lock().unwrap_or_else(PoisonError::into_inner);
        if given_up.insert(mirror.identity()) {
            self.note(format!(
                "The mirror `{mirror}` is not asked any more in this run: {error}"
            ));
        }
    }

    /// Keeps something to be told.
    pub(crate) fn note(&self, note: String) {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        if !notes.contains(&note) {
            notes.push(note);
        }
    }

    /// What is to be told and wasn't yet.
    pub(crate) fn take_notes(&self) -> Vec<String> {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut notes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_below_an_index_lies_below_its_mirror() {
        let url = |text: &str| text.parse::<IndexUrl>().unwrap();
        let mirrors = Mirrors::new(vec![
            Mirror {
                index: url("https://torch.example/whl"),
                url: url("https://mirror.example/t/"),
            },
            Mirror {
                index: url("https://torch.example/whl/cu124"),
                url: url("https://second.example/cu124"),
            },
        ]);
        let of = |text: &str| -> Vec<String> {
            let found = mirrors.of(&url(text));
            found.iter().map(ToString::to_string).collect()
        };
        assert_eq!(
            of("https://torch.example/whl/cu124/"),
            [
                "https://mirror.example/t/cu124",
                "https://second.example/cu124"
            ]
        );
        assert_eq!(of("https://torch.example/whlx"), [""; 0]);
        let gone = url("https://mirror.example/t/cu124");
        mirrors.give_up(&gone, &std::io::Error::other("no connection"));
        mirrors.give_up(&gone, &std::io::Error::other("no connection"));
        assert_eq!(
            of("https://torch.example/whl/cu124"),
            ["https://second.example/cu124"]
        );
        assert_eq!(mirrors.take_notes().len(), 1);
        assert_eq!(mirrors.take_notes().len(), 0);
    }
}
