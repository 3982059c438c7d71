//! Merging two locks that come from one, entry by entry: what only one side changed is taken from
//! it, and what both changed differently is a conflict. The text of each entry stays as it was
//! written.

mod plain;
mod tables;

use std::collections::BTreeMap;

use toml_edit::{ArrayOfTables, DocumentMut, Item, Table};

use self::plain::Plain;
use crate::{Lock, LockError};

/// Two locks as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergedText {
    /// The lock. What conflicts stands in it twice, between conflict markers.
    pub text: String,
    /// What conflicts: packages, and keys of the whole.
    pub conflicts: Vec<String>,
}

/// Merges two locks that come from `base`, which is empty if both sides made theirs anew.
///
/// # Errors
/// When one of them isn't a lock; the string says which.
pub fn merge_texts(
    base: &str,
    ours: &str,
    theirs: &str,
) -> Result<MergedText, (&'static str, LockError)> {
    let parts = |side, text: &str| Parts::read(text).map_err(|error| (side, error));
    let base = if base.trim().is_empty() {
        Parts::default()
    } else {
        parts("base", base)?
    };
    let (ours, theirs) = (parts("ours", ours)?, parts("theirs", theirs)?);
    let mut merged = MergedText {
        text: String::new(),
        conflicts: Vec::new(),
    };
    merged.whole(&base.head, &ours.head, &theirs.head);
    let mut names: Vec<&String> = ours.packages.iter().map(|(name, _)| name).collect();
    for (name, _) in &theirs.packages {
        if !names.contains(&name) {
            let place = names.iter().position(|other| *other > name);
            names.insert(place.unwrap_or(names.len()), name);
        }
    }
    for name in names {
        let of = |parts: &Parts| {
            let mut packages = parts.packages.iter();
            let found = packages.find(|(other, _)| other == name);
            found
                .map(|(_, entries)| entries.clone())
                .unwrap_or_default()
        };
        merged.package(name, &of(&base), &of(&ours), &of(&theirs));
    }
    merged.whole(&base.tail, &ours.tail, &theirs.tail);
    if merged.conflicts.is_empty() {
        let lock: Lock = merged.text.parse().map_err(|error| ("the result", error))?;
        merged.conflicts = ambiguous(&lock);
    }
    Ok(merged)
}

/// The packages of which two entries count in the same place.
fn ambiguous(lock: &Lock) -> Vec<String> {
    let mut found = Vec::new();
    for package in &lock.packages {
        let name = package.name.to_string();
        let environments = lock.described().into_iter().flatten();
        let mut counts = environments.flat_map(|environment| {
            let parts = lock.parts().into_iter();
            let counts = parts.map(|part| lock.entries(&package.name, &environment, &part).len());
            counts.collect::<Vec<_>>()
        });
        if counts.any(|count| count > 1) && !found.contains(&name) {
            found.push(name);
        }
    }
    found
}

/// A lock's text in pieces.
#[derive(Default)]
struct Parts {
    head: Table,
    /// The entries of each package, in the order of the file.
    packages: Vec<(String, Vec<Table>)>,
    tail: Table,
}

impl Parts {
    fn read(text: &str) -> Result<Self, LockError> {
        let _valid: Lock = text.parse()?;
        let document: DocumentMut =
            text.parse()
                .map_err(|error: toml_edit::TomlError| LockError::Syntax {
                    line: 0,
                    message: error.message().to_owned(),
                })?;
        let mut head = document.as_table().clone();
        let mut tail = Table::new();
        if let Some(tool) = head.remove("tool") {
            tail.insert("tool", tool);
        }
        let mut packages: Vec<(String, Vec<Table>)> = Vec::new();
        if let Some(Item::ArrayOfTables(tables)) = head.remove("packages") {
            for table in tables {
                let name = table.get("name").and_then(Item::as_str);
                let name = name.unwrap_or_default().to_owned();
                match packages.iter_mut().find(|(other, _)| *other == name) {
                    Some((_, entries)) => entries.push(table),
                    None => packages.push((name, vec![table])),
                }
            }
        }
        Ok(Self {
            head,
            packages,
            tail,
        })
    }
}

impl MergedText {
    /// Merges what the whole lock says.
    fn whole(&mut self, base: &Table, ours: &Table, theirs: &Table) {
        let mut conflicts = Vec::new();
        let merged = tables::merge(Some(base), ours, theirs, &mut conflicts);
        if conflicts.is_empty() {
            self.text.push_str(&document(merged));
            return;
        }
        let other = tables::merge(Some(base), theirs, ours, &mut Vec::new());
        self.conflict(&document(merged), &document(other));
        self.conflicts
            .extend(conflicts.iter().map(|key| format!("`{key}`")));
    }

    /// Merges the entries of a package.
    fn package(&mut self, name: &str, base: &[Table], ours: &[Table], theirs: &[Table]) {
        let plain = |tables: &[Table]| tables.iter().map(Plain::of_table).collect::<Vec<_>>();
        let (before, mine, yours) = (plain(base), plain(ours), plain(theirs));
        if mine == yours || yours == before {
            self.text.push_str(&entries(ours));
        } else if mine == before {
            self.text.push_str(&entries(theirs));
        } else if let Some(merged) = each(base, ours, theirs) {
            self.text.push_str(&entries(&merged));
        } else {
            self.conflict(&entries(ours), &entries(theirs));
            self.conflicts.push(name.to_owned());
        }
    }

    fn conflict(&mut self, ours: &str, theirs: &str) {
        let pieces = [
            "<<<<<<< ours\n",
            ours,
            "=======\n",
            theirs,
            ">>>>>>> theirs\n",
        ];
        self.text.extend(pieces);
    }
}

/// Merges entry by entry; none if the sides don't have the same versions, or an entry conflicts.
fn each(base: &[Table], ours: &[Table], theirs: &[Table]) -> Option<Vec<Table>> {
    let keyed = |tables: &[Table]| -> BTreeMap<[Plain; 2], Table> {
        let keys = ["version", "index"];
        let key = |table: &Table| keys.map(|key| table.get(key).map_or(Plain::Nothing, Plain::of));
        tables
            .iter()
            .map(|table| (key(table), table.clone()))
            .collect()
    };
    let (before, mine, yours) = (keyed(base), keyed(ours), keyed(theirs));
    if mine.len() != ours.len() || !mine.keys().eq(yours.keys()) {
        return None;
    }
    let mut merged = Vec::new();
    for (key, one) in &mine {
        let mut conflicts = Vec::new();
        let both = tables::merge(before.get(key), one, yours.get(key)?, &mut conflicts);
        if !conflicts.is_empty() {
            return None;
        }
        merged.push(both);
    }
    Some(merged)
}

fn document(mut table: Table) -> String {
    number(&mut table, &mut 0);
    let mut document = DocumentMut::new();
    *document.as_table_mut() = table;
    document.to_string()
}

/// Entries as text.
fn entries(tables: &[Table]) -> String {
    let mut list = ArrayOfTables::new();
    let mut place = 0;
    for table in tables {
        let mut table = table.clone();
        number(&mut table, &mut place);
        list.push(table);
    }
    let mut document = DocumentMut::new();
    if !list.is_empty() {
        document.insert("packages", Item::ArrayOfTables(list));
    }
    document.to_string()
}

/// Gives tables that come from several texts one order: each before those in it.
fn number(table: &mut Table, place: &mut isize) {
    table.set_position(Some(*place));
    *place += 1;
    for (_, item) in table.iter_mut() {
        match item {
            Item::Table(inner) => number(inner, place),
            Item::ArrayOfTables(list) => list.iter_mut().for_each(|inner| number(inner, place)),
            Item::None | Item::Value(_) => {}
        }
    }
}
