//! `--user`: what is replaced, and where it would not be seen.

use std::path::Path;

use bnbpip_installer::{InstalledDistribution, InstalledEnvironment};

use super::Run;
use super::plan::Plan;
use crate::commands::distribution::Distribution;
use crate::failure::Failure;

/// Whether two folders are one: on Windows a path has many spellings.
fn is_same(one: &Path, other: &Path) -> bool {
    let resolved = |path: &Path| fs_err::canonicalize(path).ok();
    one == other || resolved(one).is_some_and(|found| resolved(other) == Some(found))
}

impl Run<'_> {
    /// With `--user` nothing is replaced but what the user's own folder has: what is elsewhere stays.
    /// In a virtual environment it would still be the one that is found.
    pub(super) fn keep_to_user_site(
        &self,
        plan: &mut Plan,
        installed: &InstalledEnvironment,
    ) -> Result<(), Failure> {
        let Some(environment) = &self.destination.environment else {
            return Ok(());
        };
        if !self.arguments.user {
            return Ok(());
        }
        let scheme = &environment.scheme;
        let is_users = |found: &InstalledDistribution| {
            let places = [&scheme.purelib, &scheme.platlib];
            places
                .into_iter()
                .any(|place| is_same(&found.location, place))
        };
        for change in &mut plan.changes {
            let Some(present) = change.replaces.take_if(|present| !is_users(present)) else {
                continue;
            };
            let mut shadowed = installed.shadowed.iter();
            change.replaces = shadowed
                .find(|found| found.name == present.name && is_users(found))
                .cloned();
            if self.destination.is_venv && !self.arguments.ignore_installed {
                let distribution = Distribution::read(present);
                return Err(Failure::new(format!(
                    "Will not install to the user site because it will lack sys.path precedence \
                     to {} in {}",
                    distribution.name(),
                    distribution.installed.location.display()
                )));
            }
        }
        Ok(())
    }
}
