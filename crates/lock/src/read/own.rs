//! What bnbpip itself wrote into a lock: `[tool.bnbpip]` and `[packages.tool.bnbpip]`.

use toml::Value;

use super::{LockError, Place};
use crate::{AskedBy, Community, Inputs, Lock, LockedRequirement, Overlay};

impl Place<'_> {
    /// `tool.bnbpip`.
    pub(super) fn own(&self) -> Result<Option<Self>, LockError> {
        match self.table("tool")? {
            Some(tool) => tool.table("bnbpip"),
            None => Ok(None),
        }
    }

    /// Takes over what the whole lock has.
    pub(super) fn describe(&self, lock: &mut Lock) -> Result<(), LockError> {
        lock.inputs = Inputs {
            indexes: self.texts("indexes")?,
            accelerators: self.texts("accelerators")?,
            exclude_newer: self.text("exclude-newer")?.map(String::from),
            constraints: self.texts("constraints")?,
            machine: self.texts("machine")?,
        };
        lock.rules = self.texts("rules")?;
        if let Some(overlay) = self.table("overlay")? {
            lock.overlay = Some(Overlay {
                version: overlay.required("version")?.to_string(),
                sha256: overlay.required("sha256")?.to_string(),
            });
        }
        Ok(())
    }

    /// The requirements that a package was asked for with: texts, or tables where an extra or a
    /// group asked.
    pub(super) fn requirements(&self) -> Result<Vec<LockedRequirement>, LockError> {
        let mut requirements = Vec::new();
        for value in self.list("requirements")? {
            let requirement = match value {
                Value::String(text) => LockedRequirement {
                    asked_by: AskedBy::Base,
                    text: text.clone(),
                },
                Value::Table(table) => {
                    let place = Place {
                        table,
                        place: format!("{}, requirements", self.place),
                        unknown: self.unknown,
                    };
                    let asked_by = match place.text("extra")? {
                        Some(extra) => AskedBy::Extra(extra.to_owned()),
                        None => AskedBy::Group(place.required("group")?.to_owned()),
                    };
                    LockedRequirement {
                        asked_by,
                        text: place.required("requirement")?.to_owned(),
                    }
                }
                _ => return Err(self.wrong("`requirements` must hold strings and tables".into())),
            };
            requirements.push(requirement);
        }
        Ok(requirements)
    }

    /// Who built the package's wheels, if its project didn't.
    pub(super) fn community(&self) -> Result<Option<Community>, LockError> {
        let Some(table) = self.table("community")? else {
            return Ok(None);
        };
        Ok(Some(Community {
            source: table.required("source")?.to_owned(),
            why: table.required("why")?.to_owned(),
        }))
    }

    fn texts(&self, key: &str) -> Result<Vec<String>, LockError> {
        Ok(self.strings(key)?.into_iter().map(String::from).collect())
    }
}
