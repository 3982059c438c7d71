//! Whether a rule applies to a given set of packages.

use super::{
    Conflict, Exclude, MachineFact, MachineFacts, Provides, Requires, Rule, RuleKind, Subject,
};
use bnbpip_packaging::{MarkerEnvironment, Requirement, VersionOrUrl, range};

/// Which packages of a set a rule applies to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applies {
    /// Positions in the set, in the order in which the rule names them; never empty.
    pub packages: Vec<usize>,
    /// What of the machine it applies to.
    pub machine: Vec<MachineFact>,
}

impl Rule {
    /// The packages of the set to which the rule applies in this environment on this machine; `None`
    /// if it does not. The machine is asked only about a set that breaks the rule otherwise.
    ///
    /// A conflict applies when every side is present, an exclusion when the release is, a missing edge
    /// when its package is there without what it needs, a stand-in when it is there.
    pub fn applies(
        &self,
        set: &[Subject],
        environment: &MarkerEnvironment,
        machine: &dyn MachineFacts,
    ) -> Option<Applies> {
        if !self.holds_in(environment) {
            return None;
        }
        let packages = match &self.kind {
            RuleKind::Conflict(conflict) => conflict_in(conflict, set)?,
            RuleKind::Exclude(exclude) => vec![excluded_in(exclude, set)?],
            RuleKind::Requires(requires) => lacking_in(requires, set, environment)?,
            RuleKind::Provides(provides) => vec![stand_in_of(provides, set)?],
        };
        let sides = self.machine_sides().iter();
        let machine = sides
            .map(|side| side.present_on(machine))
            .collect::<Option<_>>()?;
        Some(Applies { packages, machine })
    }
}

fn conflict_in(conflict: &Conflict, set: &[Subject]) -> Option<Vec<usize>> {
    let mut found = Vec::with_capacity(conflict.sides.len());
    for side in &conflict.sides {
        let position = set.iter().enumerate().position(|(position, subject)| {
            !found.contains(&position) && side.contains(&subject.name, &subject.version)
        })?;
        found.push(position);
    }
    Some(found)
}

fn excluded_in(exclude: &Exclude, set: &[Subject]) -> Option<usize> {
    set.iter().position(|subject| {
        subject.name == exclude.package
            && exclude.versions.contains(&subject.version)
            && subject
                .wheel
                .as_ref()
                .is_none_or(|wheel| exclude.names_wheel(wheel))
    })
}

fn lacking_in(
    requires: &Requires,
    set: &[Subject],
    environment: &MarkerEnvironment,
) -> Option<Vec<usize>> {
    let position = set.iter().position(|subject| {
        requires.packages.contains(&subject.name) && requires.versions.contains(&subject.version)
    })?;
    let requirement = &requires.requirement;
    if !requirement.marker.evaluate(environment, &[]) {
        return None;
    }
    match set
        .iter()
        .position(|subject| subject.name == requirement.name)
    {
        None => Some(vec![position]),
        Some(other) if satisfies(&set[other], requirement) => None,
        Some(other) => Some(vec![position, other]),
    }
}

fn satisfies(subject: &Subject, requirement: &Requirement) -> bool {
    match &requirement.version_or_url {
        Some(VersionOrUrl::VersionSpecifier(specifiers)) => {
            range::from_specifiers(specifiers).contains(&subject.version)
        }
        Some(VersionOrUrl::Url(_)) | None => true,
    }
}

fn stand_in_of(provides: &Provides, set: &[Subject]) -> Option<usize> {
    set.iter().position(|subject| {
        subject.name == provides.package && provides.versions.contains(&subject.version)
    })
}
