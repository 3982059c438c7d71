//! What of a lock is installed.

use bnbpip_lock::{Lock, Selected, Selecting};
use bnbpip_platform::Target;

use super::Wish;
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::request::AskedOfLock;

impl AskedOfLock {
    /// The same with what goes without saying: the lock's default groups, and the extra of the
    /// accelerator that is wished for.
    ///
    /// # Errors
    /// When the lock hasn't that accelerator, needs a choice, or was given two.
    pub(crate) fn settled(
        mut self,
        lock: &Lock,
        wish: Wish<'_>,
        target: &Target,
        settings: &Settings,
        printer: &Printer,
    ) -> Result<Self, Failure> {
        if self.with_default_groups {
            let defaults = lock.default_groups.iter();
            let missing = defaults.filter(|name| !self.groups.contains(name));
            let missing: Vec<String> = missing.cloned().collect();
            self.groups.extend(missing);
        }
        let chosen = wish.extra(lock, &self, target, settings, printer)?;
        self.extras.extend(chosen);
        Ok(self)
    }

    /// The same with another extra.
    pub(super) fn with_extra(&self, name: &str) -> Self {
        let mut asked = self.clone();
        asked.extras.push(name.to_owned());
        asked
    }

    /// What the lock has for the target.
    ///
    /// # Errors
    /// When it isn't for the target, or hasn't what is asked for.
    pub(crate) fn select<'l>(
        &self,
        lock: &'l Lock,
        target: &Target,
    ) -> Result<Vec<Selected<'l>>, Failure> {
        let selected = lock.select(Selecting {
            markers: &target.markers,
            tags: &target.tags,
            python: &target.python_full_version,
            description: &target.description,
            extras: &self.extras,
            groups: &self.groups,
        })?;
        Ok(selected)
    }
}
