//! What the solver decides about: packages, their extras, facts about the machine, and the guards of
//! overlay conflicts.

use std::fmt;

use bnbpip_overlay::VirtualPackage;
use bnbpip_packaging::{ExtraName, PackageName};
use rustc_hash::FxHashMap;

/// An interned package name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct NameId(u32);

/// An interned extra.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ExtraId(u32);

/// A package in the solver's sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum SolverPackage {
    /// The request itself.
    Root,
    /// A project.
    Package(NameId),
    /// A project's extra: depends on the same version of the project and on the extra's own
    /// requirements.
    Extra(NameId, ExtraId),
    /// The two-valued package of a conflict rule: one side needs 0, the other 1.
    Guard(u32),
    /// A fact about the machine: one version, and nothing that it depends on.
    Machine(VirtualPackage),
}

impl SolverPackage {
    /// The project that it stands for.
    pub(crate) fn name(self) -> Option<NameId> {
        match self {
            Self::Package(name) | Self::Extra(name, _) => Some(name),
            Self::Root | Self::Guard(_) | Self::Machine(_) => None,
        }
    }
}

/// The solver library asks for it; what users read is made in [`crate::explanation`].
impl fmt::Display for SolverPackage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Names and extras, each stored once.
#[derive(Debug, Default)]
pub(crate) struct Interner {
    names: Vec<PackageName>,
    name_ids: FxHashMap<PackageName, NameId>,
    extras: Vec<ExtraName>,
    extra_ids: FxHashMap<ExtraName, ExtraId>,
}

impl Interner {
    /// The id of a name, new or known.
    pub(crate) fn name_id(&mut self, name: &PackageName) -> NameId {
        if let Some(id) = self.name_ids.get(name) {
            return *id;
        }
        let id = NameId(index(self.names.len()));
        self.names.push(name.clone());
        self.name_ids.insert(name.clone(), id);
        id
    }

    /// The id of a name that was seen before.
    pub(crate) fn known_name(&self, name: &PackageName) -> Option<NameId> {
        self.name_ids.get(name).copied()
    }

    /// The name behind an id.
    pub(crate) fn name(&self, id: NameId) -> &PackageName {
        &self.names[id.0 as usize]
    }

    /// The id of an extra, new or known.
    pub(crate) fn extra_id(&mut self, extra: &ExtraName) -> ExtraId {
        if let Some(id) = self.extra_ids.get(extra) {
            return *id;
        }
        let id = ExtraId(index(self.extras.len()));
        self.extras.push(extra.clone());
        self.extra_ids.insert(extra.clone(), id);
        id
    }

    /// The extra behind an id.
    pub(crate) fn extra(&self, id: ExtraId) -> &ExtraName {
        &self.extras[id.0 as usize]
    }
}

/// Ids are handed out one by one; four billion names don't fit into memory.
fn index(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
