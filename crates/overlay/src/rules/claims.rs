//! What the artifact claims of a rule say about its ranges.
//!
//! A claim about a release inside of a range and the opposite claim about one outside of it hold the
//! range from both sides: where the range is wrong, two claims of one side contradict each other.

use bnbpip_packaging::{PackageName, Version};

use super::{ArtifactClaim, ArtifactEvidence, Evidence, RuleDocument, WheelPattern};

impl InsideClaim<'_> {
    /// Whether the opposite was claimed behind that end of the range which lies between two
    /// releases, one inside and one outside of it.
    pub fn is_telling(&self, inside: &Version, outside: &Version) -> bool {
        let mut opposites = self.opposites.iter();
        opposites.any(|version| (*version < inside) == (outside < inside))
    }
}

/// What wheels either show or don't.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Fact<'a> {
    package: &'a PackageName,
    wheel: Option<&'a WheelPattern>,
    member: &'a WheelPattern,
    /// The text in question; `None` where it is the member itself.
    text: Option<&'a str>,
}

/// A claim that was made of a release inside of the range of its package.
#[derive(Debug, Clone)]
pub struct InsideClaim<'a> {
    /// The claim.
    pub evidence: &'a ArtifactEvidence,
    /// The releases outside of the range of which the opposite was claimed.
    pub opposites: Vec<&'a Version>,
}

/// A claim, one of its releases, and whether that is in the range.
#[derive(Clone, Copy)]
struct Placed<'a> {
    evidence: &'a ArtifactEvidence,
    version: &'a Version,
    is_inside: bool,
}

impl ArtifactEvidence {
    /// Whether something is claimed to be there.
    fn is_positive(&self) -> bool {
        matches!(
            self.claim,
            ArtifactClaim::Present | ArtifactClaim::Contains(_)
        )
    }

    fn fact(&self) -> Fact<'_> {
        Fact {
            package: &self.package,
            wheel: self.wheel.as_ref(),
            member: &self.member,
            text: match &self.claim {
                ArtifactClaim::Present | ArtifactClaim::Absent => None,
                ArtifactClaim::Contains(text) | ArtifactClaim::Lacks(text) => Some(text),
            },
        }
    }

    fn contradicts(&self, other: &Self) -> bool {
        self.fact() == other.fact() && self.is_positive() != other.is_positive()
    }
}

impl RuleDocument {
    /// The claims about the package that were made of releases inside of its range only.
    pub fn inside_claims(&self, package: &PackageName) -> Vec<InsideClaim<'_>> {
        let placed = self.placed();
        let mut claims: Vec<InsideClaim<'_>> = Vec::new();
        for one in placed.iter().filter(|one| one.is_inside) {
            let evidence = one.evidence;
            let outside = || placed.iter().filter(|other| !other.is_inside);
            let said_of_both = outside().any(|other| {
                other.evidence.fact() == evidence.fact() && !other.evidence.contradicts(evidence)
            });
            let known = claims
                .iter()
                .any(|claim| std::ptr::eq(claim.evidence, evidence));
            if evidence.package == *package && !said_of_both && !known {
                let opposites = outside().filter(|other| other.evidence.contradicts(evidence));
                claims.push(InsideClaim {
                    evidence,
                    opposites: opposites.map(|other| other.version).collect(),
                });
            }
        }
        claims
    }

    /// Claims that contradict an earlier one about the same side of the range: a line of the file,
    /// and what is wrong, as a sentence without a full stop.
    pub fn contradictions(&self) -> Vec<(usize, String)> {
        let placed = self.placed();
        let mut found: Vec<(usize, String)> = Vec::new();
        for (position, one) in placed.iter().enumerate() {
            let earlier = placed[..position].iter().find(|earlier| {
                earlier.is_inside == one.is_inside && earlier.evidence.contradicts(one.evidence)
            });
            let line = one.evidence.line;
            let Some(earlier) = earlier.filter(|_| found.iter().all(|known| known.0 != line))
            else {
                continue;
            };
            let place = if one.is_inside { "in" } else { "outside of" };
            let sentence = format!(
                "the claim about `{}` {} contradicts the one about {} in line {}, and both releases \
                 are {place} the range",
                one.evidence.package, one.version, earlier.version, earlier.evidence.line
            );
            found.push((line, sentence));
        }
        found
    }

    /// Every claim about a package with a range, once a release.
    fn placed(&self) -> Vec<Placed<'_>> {
        let mut placed = Vec::new();
        for evidence in &self.evidence {
            let Evidence::Artifact(evidence) = evidence else {
                continue;
            };
            let Some(range) = self.rule.versions_of(&evidence.package) else {
                continue;
            };
            placed.extend(evidence.versions.iter().map(|version| Placed {
                evidence,
                version,
                is_inside: range.contains(version),
            }));
        }
        placed
    }
}
