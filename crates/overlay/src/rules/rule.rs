//! A rule as the solver and the messages use it: no evidence, no prose.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use bnbpip_packaging::{
    MarkerEnvironment, MarkerTree, PackageName, Requirement, Version, VersionRange,
    VersionSpecifiers, WheelFilename, range,
};
use serde::{Deserialize, Serialize};

use super::{MachineSide, Provides, RuleId};

/// One reviewed fact about packages that their metadata does not tell.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The stable identifier.
    pub id: RuleId,
    /// One true sentence about the packages, without a full stop, to be quoted in messages.
    pub title: String,
    /// How strictly the rule is held.
    pub severity: Severity,
    /// The day of the rule's last change.
    pub date: RuleDate,
    /// The environments in which the rule holds; `None` means everywhere.
    pub marker: Option<MarkerTree>,
    /// What to do instead, as a sentence for a `hint:` line.
    pub hint: Option<String>,
    /// The first good version of a package, where there is one.
    pub fixed: BTreeMap<PackageName, Version>,
    /// What the rule does.
    pub kind: RuleKind,
}

/// How strictly a rule is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Proven not to work: never chosen unless the user allows the rule.
    Broken,
    /// Works badly or only in part: chosen only if the user pins into it or nothing else solves.
    Avoid,
}

/// The closed list of things that a rule can do.
#[derive(Debug, Clone)]
pub enum RuleKind {
    /// Packages that must not be installed together.
    Conflict(Conflict),
    /// Releases or wheels that are not what their tags and metadata claim.
    Exclude(Exclude),
    /// An edge that the metadata lacks.
    Requires(Requires),
    /// A distribution that stands in for another one.
    Provides(Provides),
}

/// Two or three sides that must not all be present, at least one of packages. Neither side needs
/// the other.
#[derive(Debug, Clone)]
pub struct Conflict {
    /// The sides that are about packages, each naming at least one.
    pub sides: Vec<Side>,
    /// The sides that are about the machine. With the others they are two, or three.
    pub machine: Vec<MachineSide>,
}

/// One side of a conflict: any of these packages at any of these versions.
#[derive(Debug, Clone)]
pub struct Side {
    /// Each package of the side with the versions that count.
    pub packages: Vec<(PackageName, VersionRange)>,
    /// The versions as they are written in the rule.
    pub versions: VersionSet,
}

/// Releases, or some of their wheels, that must not be chosen.
#[derive(Debug, Clone)]
pub struct Exclude {
    /// The package.
    pub package: PackageName,
    /// The versions that are left out.
    pub versions: VersionSet,
    /// Only wheels whose filename fits one of these; empty means the whole release.
    pub wheels: Vec<WheelPattern>,
}

/// A requirement that the metadata of these packages should have stated.
#[derive(Debug, Clone)]
pub struct Requires {
    /// The packages that lack the edge.
    pub packages: Vec<PackageName>,
    /// The versions that lack the edge.
    pub versions: VersionSet,
    /// The missing requirement.
    pub requirement: Requirement,
}

/// Version specifiers together with the range that they stand for.
#[derive(Debug, Clone)]
pub struct VersionSet {
    /// As written, for messages: a version counts that satisfies any of these. No specifier at all admits every version.
    pub alternatives: Vec<VersionSpecifiers>,
    /// As compared: pre-releases and local versions inside the bounds count.
    pub range: VersionRange,
}

/// A wheel filename pattern in which `*` stands for any run of characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WheelPattern(Box<str>);

/// A calendar day, written `2026-11-23`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RuleDate {
    /// The year.
    pub year: u16,
    /// The month, from 1.
    pub month: u8,
    /// The day, from 1.
    pub day: u8,
}

impl Rule {
    /// Whether the rule holds in this environment.
    pub fn holds_in(&self, environment: &MarkerEnvironment) -> bool {
        self.marker
            .as_ref()
            .is_none_or(|marker| marker.evaluate(environment, &[]))
    }

    /// The versions of a package that the rule is about; `None` where it states no range for it.
    pub fn versions_of(&self, name: &PackageName) -> Option<&VersionSet> {
        match &self.kind {
            RuleKind::Conflict(conflict) => conflict
                .sides
                .iter()
                .find(|side| side.packages.iter().any(|(package, _)| package == name))
                .map(|side| &side.versions),
            RuleKind::Exclude(exclude) => (exclude.package == *name).then_some(&exclude.versions),
            RuleKind::Requires(requires) => requires
                .packages
                .contains(name)
                .then_some(&requires.versions),
            RuleKind::Provides(provides) => {
                (provides.package == *name).then_some(&provides.versions)
            }
        }
    }

    /// The sides that are about the machine; none for what isn't a conflict.
    pub fn machine_sides(&self) -> &[MachineSide] {
        match &self.kind {
            RuleKind::Conflict(conflict) => &conflict.machine,
            _ => &[],
        }
    }

    /// Every package that the rule speaks about, the one it is filed under first.
    pub fn packages(&self) -> Vec<&PackageName> {
        match &self.kind {
            RuleKind::Conflict(conflict) => conflict
                .sides
                .iter()
                .flat_map(|side| side.packages.iter().map(|(name, _)| name))
                .collect(),
            RuleKind::Exclude(exclude) => vec![&exclude.package],
            RuleKind::Requires(requires) => {
                let mut names: Vec<&PackageName> = requires.packages.iter().collect();
                names.push(&requires.requirement.name);
                names
            }
            RuleKind::Provides(provides) => vec![&provides.package, &provides.provided],
        }
    }
}

impl Severity {
    /// The word that stands in rule files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Broken => "broken",
            Self::Avoid => "avoid",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl RuleKind {
    /// The word that stands in rule files.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Conflict(_) => "conflict",
            Self::Exclude(_) => "exclude",
            Self::Requires(_) => "requires",
            Self::Provides(_) => "provides",
        }
    }
}

impl Side {
    /// A side of these packages, each with the same versions.
    pub fn new(packages: Vec<PackageName>, versions: VersionSet) -> Self {
        let packages = packages
            .into_iter()
            .map(|name| (name, versions.range.clone()))
            .collect();
        Self { packages, versions }
    }

    /// Whether this package at this version belongs to the side.
    pub fn contains(&self, name: &PackageName, version: &Version) -> bool {
        self.packages
            .iter()
            .any(|(package, range)| package == name && range.contains(version))
    }
}

impl Exclude {
    /// Whether the rule names single wheels rather than whole releases.
    pub fn is_limited_to_wheels(&self) -> bool {
        !self.wheels.is_empty()
    }

    /// Whether this wheel is one of those that the rule names.
    pub fn names_wheel(&self, wheel: &WheelFilename) -> bool {
        if self.wheels.is_empty() {
            return true;
        }
        let filename = wheel.to_string();
        self.wheels.iter().any(|pattern| pattern.fits(&filename))
    }
}

impl VersionSet {
    /// Reads one or more specifier sets, of which a version has to satisfy one. `*` admits every version.
    ///
    /// # Errors
    ///
    /// The first text that is not a specifier set, and why.
    pub fn parse<'a>(
        alternatives: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, (String, <VersionSpecifiers as FromStr>::Err)> {
        let mut set = Self {
            alternatives: Vec::new(),
            range: VersionRange::empty(),
        };
        for text in alternatives {
            // Specifiers have no spelling for a rule about every version.
            let specifiers = match text.trim() {
                "*" => VersionSpecifiers::empty(),
                text => {
                    VersionSpecifiers::from_str(text).map_err(|error| (text.to_owned(), error))?
                }
            };
            set.range = set.range.union(&range::from_specifiers(&specifiers));
            set.alternatives.push(specifiers);
        }
        Ok(set)
    }

    /// Each alternative as it is written in a rule.
    pub fn texts(&self) -> impl Iterator<Item = String> {
        self.alternatives.iter().map(|specifiers| {
            if specifiers.is_empty() {
                "*".to_owned()
            } else {
                specifiers.to_string()
            }
        })
    }

    /// Whether the version is in the set.
    pub fn contains(&self, version: &Version) -> bool {
        self.range.contains(version)
    }
}

impl WheelPattern {
    /// A pattern from its text.
    pub fn new(pattern: &str) -> Self {
        Self(pattern.into())
    }

    /// The pattern as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the whole filename fits the pattern.
    pub fn fits(&self, filename: &str) -> bool {
        let mut pieces = self.0.split('*');
        let Some(mut rest) = pieces.next().and_then(|first| filename.strip_prefix(first)) else {
            return false;
        };
        let mut open_end = false;
        let mut pieces = pieces.peekable();
        while let Some(piece) = pieces.next() {
            if pieces.peek().is_none() {
                return rest.ends_with(piece);
            }
            let Some(at) = rest.find(piece) else {
                return false;
            };
            rest = &rest[at + piece.len()..];
            open_end = true;
        }
        rest.is_empty() && !open_end
    }
}

impl fmt::Display for RuleDate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{:04}-{:02}-{:02}",
            self.year, self.month, self.day
        )
    }
}

impl fmt::Display for VersionSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, text) in self.texts().enumerate() {
            if position > 0 {
                formatter.write_str(" or ")?;
            }
            formatter.write_str(&text)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_run_of_characters() {
        for (pattern, filename, fits) in [
            (
                "*-none-any.whl",
                "bitsandbytes-0.42.0-py3-none-any.whl",
                true,
            ),
            (
                "*-none-any.whl",
                "bitsandbytes-0.42.0-py3-none-win_amd64.whl",
                false,
            ),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("a*b", "ab", true),
            ("ab*ba", "aba", false),
            ("plain", "plain", true),
            ("plain", "plainer", false),
            ("*", "", true),
            ("", "x", false),
            ("a*", "ba", false),
        ] {
            assert_eq!(
                WheelPattern::new(pattern).fits(filename),
                fits,
                "{pattern} {filename}"
            );
        }
    }

    #[test]
    fn alternatives_are_joined_and_exact_versions_leave_local_labels_out() {
        let set = VersionSet::parse(["<2.9", "===2.10.0"]).unwrap();
        let contains = |text: &str| set.contains(&text.parse().unwrap());
        assert!(contains("2.8.0+cu126") && contains("2.10.0"));
        assert!(!contains("2.10.0+cu130") && !contains("2.9.0"));
        assert_eq!(set.to_string(), "<2.9 or ===2.10.0");
        let every = VersionSet::parse(["*"]).unwrap();
        assert_eq!(
            (every.to_string().as_str(), every.range),
            ("*", VersionRange::full())
        );
        assert!(VersionSet::parse(["<2.9", "two"]).is_err());
    }

    #[test]
    fn identifiers_have_a_prefix_and_four_digits() {
        for (text, valid) in [
            ("BNB-0001", true),
            ("TEAM-123456", true),
            ("bnb-0001", false),
            ("B-0001", false),
            ("BNB-001", false),
            ("BNB0001", false),
            ("", false),
        ] {
            assert_eq!(text.parse::<RuleId>().is_ok(), valid, "{text}");
        }
    }
}
