//! Merging tables key by key, and lists without an order of their own element by element.

use std::collections::BTreeSet;

use toml_edit::{Array, Item, Table, Value};

use super::plain::Plain;

/// Lists in which the order says nothing.
const SETS: &[&str] = &[
    "environments",
    "extras",
    "dependency-groups",
    "default-groups",
    "dependencies",
    "wheels",
    "attestation-identities",
    "requirements",
    "constraints",
    "accelerators",
    "rules",
];

/// Merges two tables that come from one. Where both changed a value, ours stays, and the key is
/// noted.
pub(super) fn merge(
    base: Option<&Table>,
    ours: &Table,
    theirs: &Table,
    conflicts: &mut Vec<String>,
) -> Table {
    let mut merged = ours.clone();
    let keys: BTreeSet<&str> = ours
        .iter()
        .chain(theirs.iter())
        .map(|(key, _)| key)
        .collect();
    for key in keys {
        let base = base.and_then(|table| table.get(key));
        let (one, other) = (ours.get(key), theirs.get(key));
        let plain = |item: Option<&Item>| item.map_or(Plain::Nothing, Plain::of);
        let (before, mine, yours) = (plain(base), plain(one), plain(other));
        if mine == yours || yours == before {
            continue;
        }
        if mine == before {
            match other {
                Some(item) => drop(merged.insert(key, item.clone())),
                None => drop(merged.remove(key)),
            }
            continue;
        }
        let joined = one
            .zip(other)
            .and_then(|pair| both(key, base, pair, conflicts));
        match joined {
            Some(item) => drop(merged.insert(key, item)),
            None => conflicts.push(key.to_owned()),
        }
    }
    merged
}

/// What both sides changed, put together; none if that can't be done.
fn both(
    key: &str,
    base: Option<&Item>,
    (ours, theirs): (&Item, &Item),
    conflicts: &mut Vec<String>,
) -> Option<Item> {
    if let (Some(ours), Some(theirs)) = (ours.as_table(), theirs.as_table()) {
        let base = base.and_then(Item::as_table);
        return Some(Item::Table(merge(base, ours, theirs, conflicts)));
    }
    let (ours, theirs) = (ours.as_array()?, theirs.as_array()?);
    if !SETS.contains(&key) {
        return None;
    }
    let base = base.and_then(Item::as_array);
    set(base, ours, theirs).map(|array| Item::Value(Value::Array(array)))
}

/// Ours without what they removed, and with what they added. None if both changed the same file.
fn set(base: Option<&Array>, ours: &Array, theirs: &Array) -> Option<Array> {
    let plain = |array: &Array| -> Vec<Plain> { array.iter().map(Plain::of_value).collect() };
    let before = base.map(plain).unwrap_or_default();
    let (mine, yours) = (plain(ours), plain(theirs));
    let is_sorted = mine.is_sorted() && yours.is_sorted();
    let mut merged = ours.clone();
    merged.retain(|value| {
        let value = Plain::of_value(value);
        yours.contains(&value) || !before.contains(&value)
    });
    for value in theirs {
        let added = Plain::of_value(value);
        if before.contains(&added) || mine.contains(&added) {
            continue;
        }
        let here = plain(&merged);
        if here
            .iter()
            .any(|other| name(other).is_some() && name(other) == name(&added))
        {
            return None;
        }
        let place = here.iter().position(|other| is_sorted && *other > added);
        merged.insert_formatted(place.unwrap_or(here.len()), value.clone());
    }
    Some(merged)
}

/// The name of what a list holds, if it is a table with one.
fn name(value: &Plain) -> Option<&Plain> {
    match value {
        Plain::Map(map) => map.get("name"),
        _ => None,
    }
}
