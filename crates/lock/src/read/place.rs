//! A table of the file, and where it stands: what errors name.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::str::FromStr;

use toml::{Table, Value};

use super::LockError;
use crate::AttestationIdentity;

/// A table and where it stands.
#[expect(
    clippy::struct_field_names,
    reason = "it is the word that errors begin with"
)]
pub(super) struct Place<'a> {
    pub(super) table: &'a Table,
    pub(super) place: String,
    /// Where keys that nobody knows are noted; nowhere if the lock is of a version whose keys are
    /// all known.
    pub(super) unknown: Option<&'a RefCell<BTreeSet<String>>>,
}

impl<'a> Place<'a> {
    pub(super) fn wrong(&self, reason: String) -> LockError {
        LockError::Invalid {
            place: self.place.clone(),
            reason,
        }
    }

    pub(super) fn text(&self, key: &str) -> Result<Option<&'a str>, LockError> {
        match self.table.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.wrong(format!("`{key}` must be a string"))),
        }
    }

    pub(super) fn required(&self, key: &str) -> Result<&'a str, LockError> {
        self.text(key)?
            .ok_or_else(|| self.wrong(format!("`{key}` is missing")))
    }

    pub(super) fn parsed<T: FromStr<Err: ToString>>(
        &self,
        key: &str,
    ) -> Result<Option<T>, LockError> {
        let text = self.text(key)?;
        text.map(|text| {
            let reason = |error: T::Err| {
                // Some errors draw the place below; the text stands in the file.
                let error = error.to_string();
                let first = error.lines().next().unwrap_or_default();
                self.wrong(format!("`{key}`: {}", first.trim_end_matches(':')))
            };
            text.parse().map_err(reason)
        })
        .transpose()
    }

    pub(super) fn list(&self, key: &str) -> Result<&'a [Value], LockError> {
        match self.table.get(key) {
            None => Ok(&[]),
            Some(Value::Array(values)) => Ok(values),
            Some(_) => Err(self.wrong(format!("`{key}` must be an array"))),
        }
    }

    pub(super) fn strings(&self, key: &str) -> Result<Vec<&'a str>, LockError> {
        let values = self.list(key)?.iter().map(|value| {
            value
                .as_str()
                .ok_or_else(|| self.wrong(format!("`{key}` must hold strings")))
        });
        values.collect()
    }

    pub(super) fn tables(&self, key: &str) -> Result<Vec<&'a Table>, LockError> {
        let values = self.list(key)?.iter().map(|value| {
            value
                .as_table()
                .ok_or_else(|| self.wrong(format!("`{key}` must hold tables")))
        });
        values.collect()
    }

    pub(super) fn table(&self, key: &str) -> Result<Option<Place<'a>>, LockError> {
        match self.table.get(key) {
            None => Ok(None),
            Some(Value::Table(table)) => Ok(Some(Place {
                table,
                place: format!("{}, {key}", self.place),
                unknown: self.unknown,
            })),
            Some(_) => Err(self.wrong(format!("`{key}` must be a table"))),
        }
    }

    pub(super) fn flag(&self, key: &str) -> Result<bool, LockError> {
        match self.table.get(key) {
            None => Ok(false),
            Some(Value::Boolean(flag)) => Ok(*flag),
            Some(_) => Err(self.wrong(format!("`{key}` must be true or false"))),
        }
    }

    /// The publishers that attest to a package's files. What says something else than a text about
    /// one isn't of interest here.
    pub(super) fn identities(&self) -> Result<Vec<AttestationIdentity>, LockError> {
        let mut identities = Vec::new();
        for table in self.tables("attestation-identities")? {
            let place = Place {
                table,
                place: format!("{}, attestation-identities", self.place),
                unknown: self.unknown,
            };
            let claims = table.iter().filter(|(key, _)| *key != "kind");
            let claims = claims.filter_map(|(key, value)| Some((key, value.as_str()?)));
            identities.push(AttestationIdentity {
                kind: place.required("kind")?.to_owned(),
                claims: claims
                    .map(|(key, value)| (key.clone(), value.to_owned()))
                    .collect(),
            });
        }
        Ok(identities)
    }
}
