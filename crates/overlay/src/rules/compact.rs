//! The binary form of a rule set: what the build script embeds and what digests are taken over.
//!
//! Texts are borrowed from the input, ranges and markers are parsed again: with some dozens of rules
//! that costs less than half a millisecond, and the form stays independent of the parsers' insides.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::str::FromStr;

use bnbpip_packaging::{MarkerTree, PackageName, Requirement, Version, requirement};
use serde::{Deserialize, Serialize};

use super::{
    Conflict, Exclude, MachineSide, Provides, Requires, Rule, RuleDate, RuleId, RuleKind, Severity,
    Side, VersionSet, VirtualPackage, WheelPattern,
};

/// A rule set that could not be read from its binary form.
#[derive(Debug, thiserror::Error)]
#[error("Failed to read the compiled rules: {0}")]
pub struct CompactError(String);

#[derive(Serialize, Deserialize)]
struct CompactRule<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    title: Cow<'a, str>,
    severity: Severity,
    date: RuleDate,
    #[serde(borrow)]
    marker: Option<Cow<'a, str>>,
    #[serde(borrow)]
    hint: Option<Cow<'a, str>>,
    #[serde(borrow)]
    fixed: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    #[serde(borrow)]
    kind: CompactKind<'a>,
}

#[derive(Serialize, Deserialize)]
enum CompactKind<'a> {
    Conflict(#[serde(borrow)] Vec<CompactSide<'a>>),
    Exclude(#[serde(borrow)] CompactSide<'a>, Vec<Cow<'a, str>>),
    Requires(#[serde(borrow)] CompactSide<'a>, Cow<'a, str>),
    Provides(#[serde(borrow)] CompactSide<'a>, Cow<'a, str>),
}

#[derive(Serialize, Deserialize)]
struct CompactSide<'a> {
    #[serde(borrow)]
    packages: Vec<Cow<'a, str>>,
    #[serde(borrow)]
    versions: Vec<Cow<'a, str>>,
}

/// The binary form of rules, in the order given. Equal rules give equal bytes.
///
/// # Errors
///
/// Never for rules that were read from text; the serialiser's own limits are passed on.
pub fn encode<'a>(rules: impl Iterator<Item = &'a Rule>) -> Result<Vec<u8>, CompactError> {
    let rules: Vec<CompactRule<'_>> = rules.map(CompactRule::from_rule).collect();
    postcard::to_stdvec(&rules).map_err(|error| CompactError(error.to_string()))
}

/// The rules of a binary form.
///
/// # Errors
///
/// When the bytes were not made by [`encode`].
pub fn decode(bytes: &[u8]) -> Result<Vec<Rule>, CompactError> {
    let rules: Vec<CompactRule<'_>> =
        postcard::from_bytes(bytes).map_err(|error| CompactError(error.to_string()))?;
    rules.iter().map(CompactRule::to_rule).collect()
}

impl<'a> CompactRule<'a> {
    fn from_rule(rule: &'a Rule) -> Self {
        Self {
            id: rule.id.as_str().into(),
            title: rule.title.as_str().into(),
            severity: rule.severity,
            date: rule.date,
            marker: rule
                .marker
                .as_ref()
                .and_then(MarkerTree::try_to_string)
                .map(Cow::Owned),
            hint: rule.hint.as_deref().map(Cow::Borrowed),
            fixed: rule
                .fixed
                .iter()
                .map(|(name, version)| (name.as_ref().into(), version.to_string().into()))
                .collect(),
            kind: CompactKind::from_kind(&rule.kind),
        }
    }

    fn to_rule(&self) -> Result<Rule, CompactError> {
        let mut fixed = BTreeMap::new();
        for (name, version) in &self.fixed {
            fixed.insert(parse::<PackageName>(name)?, parse::<Version>(version)?);
        }
        Ok(Rule {
            id: parse::<RuleId>(&self.id)?,
            title: self.title.clone().into_owned(),
            severity: self.severity,
            date: self.date,
            marker: self
                .marker
                .as_deref()
                .map(|text| {
                    requirement::parse_marker(text)
                        .map_err(|error| CompactError(format!("`{text}`: {error}")))
                })
                .transpose()?,
            hint: self.hint.as_deref().map(str::to_owned),
            fixed,
            kind: self.kind.to_kind()?,
        })
    }
}

impl<'a> CompactKind<'a> {
    fn from_kind(kind: &'a RuleKind) -> Self {
        match kind {
            RuleKind::Conflict(conflict) => {
                let packages = conflict.sides.iter().map(CompactSide::from_side);
                let machine = conflict.machine.iter().map(CompactSide::from_machine_side);
                Self::Conflict(packages.chain(machine).collect())
            }
            RuleKind::Exclude(exclude) => Self::Exclude(
                CompactSide::new([&exclude.package], &exclude.versions),
                exclude
                    .wheels
                    .iter()
                    .map(|pattern| pattern.as_str().into())
                    .collect(),
            ),
            RuleKind::Requires(requires) => Self::Requires(
                CompactSide::new(&requires.packages, &requires.versions),
                requires.requirement.to_string().into(),
            ),
            RuleKind::Provides(provides) => Self::Provides(
                CompactSide::new([&provides.package], &provides.versions),
                provides.provided.as_ref().into(),
            ),
        }
    }

    fn to_kind(&self) -> Result<RuleKind, CompactError> {
        Ok(match self {
            Self::Conflict(sides) => {
                let (machine, packages): (Vec<_>, Vec<_>) =
                    sides.iter().partition(|side| side.is_about_the_machine());
                RuleKind::Conflict(Conflict {
                    sides: packages
                        .into_iter()
                        .map(|side| Ok(Side::new(side.names()?, side.set()?)))
                        .collect::<Result<_, CompactError>>()?,
                    machine: machine
                        .into_iter()
                        .map(CompactSide::machine_side)
                        .collect::<Result<_, CompactError>>()?,
                })
            }
            Self::Exclude(side, wheels) => RuleKind::Exclude(Exclude {
                package: side.name()?,
                versions: side.set()?,
                wheels: wheels
                    .iter()
                    .map(|pattern| WheelPattern::new(pattern))
                    .collect(),
            }),
            Self::Requires(side, requirement) => RuleKind::Requires(Requires {
                packages: side.names()?,
                versions: side.set()?,
                requirement: parse::<Requirement>(requirement)?,
            }),
            Self::Provides(side, provided) => RuleKind::Provides(Provides {
                package: side.name()?,
                versions: side.set()?,
                provided: parse(provided)?,
            }),
        })
    }
}

impl<'a> CompactSide<'a> {
    fn new(packages: impl IntoIterator<Item = &'a PackageName>, versions: &VersionSet) -> Self {
        Self {
            packages: packages
                .into_iter()
                .map(|name| name.as_ref().into())
                .collect(),
            versions: versions.texts().map(Cow::Owned).collect(),
        }
    }

    fn from_side(side: &'a Side) -> Self {
        Self::new(side.packages.iter().map(|(name, _)| name), &side.versions)
    }

    fn from_machine_side(side: &'a MachineSide) -> Self {
        Self {
            packages: vec![side.package.as_str().into()],
            versions: side.versions.texts().map(Cow::Owned).collect(),
        }
    }

    fn is_about_the_machine(&self) -> bool {
        let mut names = self.packages.iter();
        names.any(|name| VirtualPackage::is_meant_by(name))
    }

    fn machine_side(&self) -> Result<MachineSide, CompactError> {
        Ok(MachineSide {
            package: parse(self.single()?)?,
            versions: self.set()?,
        })
    }

    fn names(&self) -> Result<Vec<PackageName>, CompactError> {
        self.packages.iter().map(|name| parse(name)).collect()
    }

    fn set(&self) -> Result<VersionSet, CompactError> {
        VersionSet::parse(self.versions.iter().map(AsRef::as_ref))
            .map_err(|(text, error)| CompactError(format!("`{text}`: {error}")))
    }

    fn name(&self) -> Result<PackageName, CompactError> {
        parse(self.single()?)
    }

    fn single(&self) -> Result<&str, CompactError> {
        match &self.packages[..] {
            [name] => Ok(name),
            _ => Err(CompactError(
                "a rule about one package names several".to_owned(),
            )),
        }
    }
}

fn parse<T: FromStr>(text: &str) -> Result<T, CompactError>
where
    T::Err: std::fmt::Display,
{
    text.parse()
        .map_err(|error| CompactError(format!("`{text}`: {error}")))
}
