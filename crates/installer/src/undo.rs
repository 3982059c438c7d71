//! What taking back the last transactions comes to, from their receipts alone. Whether the
//! environment is still as they left it, and whether what was there can be had again, is the
//! caller's to find out.

use std::collections::BTreeMap;

use crate::receipt::{Receipt, ReceiptEntry};

/// One distribution that taking back changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reversal {
    /// The normalised name.
    pub name: String,
    /// What the transactions left; `None` when they removed it.
    pub left: Option<ReceiptEntry>,
    /// What was there before them; `None` when nothing was. It knows its wheel when an earlier
    /// receipt tells of its installation.
    pub before: Option<ReceiptEntry>,
}

/// What the last `count` transactions changed between them, by name; what they took back
/// themselves is left out. `receipts` are all of an environment's, oldest first.
pub fn reversals(receipts: &[Receipt], count: usize) -> Vec<Reversal> {
    let first = receipts.len().saturating_sub(count);
    let mut by_name: BTreeMap<&str, Reversal> = BTreeMap::new();
    for (at, receipt) in receipts.iter().enumerate().skip(first) {
        for entry in receipt.removed.iter().chain(&receipt.installed) {
            let left = find(&receipt.installed, &entry.name).cloned();
            let reversal = by_name.entry(&entry.name).or_insert_with(|| Reversal {
                name: entry.name.clone(),
                left: None,
                before: find(&receipt.removed, &entry.name)
                    .map(|removed| with_origin(removed, &receipts[..at])),
            });
            reversal.left = left;
        }
    }
    by_name
        .into_values()
        .filter(|reversal| reversal.left != reversal.before)
        .collect()
}

fn find<'a>(entries: &'a [ReceiptEntry], name: &str) -> Option<&'a ReceiptEntry> {
    entries.iter().find(|entry| entry.name == name)
}

/// A removed distribution with the wheel that bnbpip had installed it from.
fn with_origin(removed: &ReceiptEntry, earlier: &[Receipt]) -> ReceiptEntry {
    let mut entry = removed.clone();
    let installed = earlier
        .iter()
        .rev()
        .find_map(|receipt| find(&receipt.installed, &entry.name));
    if let Some(installed) = installed
        && installed.version == entry.version
        && installed.installer == entry.installer
    {
        entry.wheel.clone_from(&installed.wheel);
        entry.sha256.clone_from(&installed.sha256);
    }
    entry
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, version: &str, sha256: Option<&str>) -> ReceiptEntry {
        ReceiptEntry {
            name: name.to_string(),
            version: version.to_string(),
            wheel: sha256.map(|_| format!("{name}-{version}-py3-none-any.whl")),
            sha256: sha256.map(str::to_string),
            requested: true,
            direct_url: None,
            installer: Some("bnbpip".to_string()),
        }
    }

    fn receipt(removed: &[ReceiptEntry], installed: &[ReceiptEntry]) -> Receipt {
        Receipt {
            version: 1,
            number: 1,
            time_unix_s: 0,
            command: String::new(),
            removed: removed.to_vec(),
            installed: installed.to_vec(),
        }
    }

    #[test]
    fn joins_several_and_finds_the_wheels_of_what_was_there() {
        let (one, two) = (entry("a", "1", Some("11")), entry("a", "2", Some("22")));
        let bare = |it: &ReceiptEntry| entry(&it.name, &it.version, None);
        let b = entry("b", "1", Some("bb"));
        let history = [
            receipt(&[], std::slice::from_ref(&one)),
            receipt(&[bare(&one)], &[two.clone(), b.clone()]),
            receipt(&[bare(&two)], &[]),
        ];
        let last = reversals(&history, 1);
        assert_eq!(last.len(), 1);
        assert_eq!(
            (&last[0].left, &last[0].before),
            (&None, &Some(two.clone()))
        );
        let both = reversals(&history, 2);
        assert_eq!(
            (&both[0].left, &both[0].before),
            (&None, &Some(one.clone()))
        );
        assert_eq!((&both[1].left, &both[1].before), (&Some(b), &None));
        // What came and went within is as it was.
        assert_eq!(reversals(&history, 3).len(), 1);
    }

    #[test]
    fn a_wheel_of_another_installer_is_not_taken_for_ours() {
        let mut pips = entry("a", "1", None);
        pips.installer = Some("pip".to_string());
        let history = [
            receipt(&[], &[entry("a", "1", Some("11"))]),
            receipt(&[pips], &[entry("a", "2", Some("22"))]),
        ];
        let before = reversals(&history, 1).remove(0).before.unwrap();
        assert_eq!(before.sha256, None);
    }
}
