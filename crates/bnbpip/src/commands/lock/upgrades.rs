//! `--upgrade-package`: the packages that don't keep to what the old lock has.

use bnbpip_packaging::{PackageName, Requirement, VersionOrUrl, range};
use bnbpip_resolver::Constraint;

use crate::failure::Failure;

/// What is to be upgraded.
#[derive(Debug, Default)]
pub(super) struct Upgrades {
    names: Vec<PackageName>,
    /// The versions that were named.
    limits: Vec<Constraint>,
}

impl Upgrades {
    /// Reads names, each with versions if it is to have no others.
    ///
    /// # Errors
    /// When one is something else.
    pub(super) fn read(texts: &[String]) -> Result<Self, Failure> {
        let mut upgrades = Self::default();
        for text in texts {
            let wrong = || {
                Failure::new(format!("Failed to read `--upgrade-package {text}`"))
                    .hint("name a package, with a version if it is to have that one: `numpy==2.0`")
            };
            let requirement: Requirement = text.parse().map_err(|_| wrong())?;
            if !requirement.extras.is_empty() || !requirement.marker.is_true() {
                return Err(wrong());
            }
            match &requirement.version_or_url {
                None => {}
                Some(VersionOrUrl::VersionSpecifier(specifiers)) => {
                    upgrades.limits.push(Constraint {
                        name: requirement.name.clone(),
                        range: range::from_specifiers(specifiers),
                        text: text.clone(),
                        origin: Some("--upgrade-package".to_owned()),
                    });
                }
                Some(VersionOrUrl::Url(_)) => return Err(wrong()),
            }
            upgrades.names.push(requirement.name);
        }
        Ok(upgrades)
    }

    /// Whether a package is one of them.
    pub(super) fn has(&self, name: &PackageName) -> bool {
        self.names.contains(name)
    }

    /// What they limit.
    pub(super) fn limits(&self) -> &[Constraint] {
        &self.limits
    }
}
