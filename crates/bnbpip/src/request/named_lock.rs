//! Lock files in place of requirements files: `-r pylock.toml[extra]`, `--group pylock.toml:dev`.

use super::normalized;

/// A lock file, and what of it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NamedLock {
    /// Its path or address as it was written.
    pub file: String,
    /// What of it is asked for.
    pub asked: AskedOfLock,
}

/// What of a lock is asked for, by normalized names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct AskedOfLock {
    /// The extras.
    pub extras: Vec<String>,
    /// The dependency groups.
    pub groups: Vec<String>,
    /// Whether the lock's default groups are asked for as well.
    pub with_default_groups: bool,
}

impl NamedLock {
    /// The lock that is named in place of a requirements file; none if it is one.
    pub(crate) fn of_file(text: &str) -> Option<Self> {
        let mut lock = Self::of(text)?;
        lock.asked.with_default_groups = true;
        Some(lock)
    }

    /// The lock that has a dependency group; none if a project has it.
    pub(crate) fn of_group(file: &str, group: &str) -> Option<Self> {
        let mut lock = Self::of(file)?;
        lock.asked.groups.push(normalized(group));
        Some(lock)
    }

    fn of(text: &str) -> Option<Self> {
        let inner = text.strip_suffix(']');
        let inner = inner.and_then(|text| text.rsplit_once('['));
        let (file, extras) = inner.unwrap_or((text, ""));
        let name = file.rsplit(['/', '\\']).next().unwrap_or_default();
        let extras = extras.split(',').map(str::trim).filter(|it| !it.is_empty());
        is_lock_name(name).then(|| Self {
            file: file.to_owned(),
            asked: AskedOfLock {
                extras: extras.map(normalized).collect(),
                ..AskedOfLock::default()
            },
        })
    }

    /// Adds the lock to others; what is asked of one that is there already comes to what is asked
    /// of it.
    pub(crate) fn add_to(self, locks: &mut Vec<Self>) {
        let Some(known) = locks.iter_mut().find(|known| known.file == self.file) else {
            locks.push(self);
            return;
        };
        let asked = &mut known.asked;
        asked.extras.extend(self.asked.extras);
        asked.groups.extend(self.asked.groups);
        asked.with_default_groups |= self.asked.with_default_groups;
    }
}

/// `pylock.toml`, `pylock.dev.toml`, each perhaps with `[extras]` behind.
pub(crate) fn is_lock_name(name: &str) -> bool {
    let name = name.split('[').next().unwrap_or_default();
    name == "pylock.toml"
        || name
            .strip_prefix("pylock.")
            .and_then(|rest| rest.strip_suffix(".toml"))
            .is_some_and(|middle| !middle.is_empty() && !middle.contains('.'))
}
