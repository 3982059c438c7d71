//! Whether a rule's ranges end where its claims do: the releases beside each end are looked into.
//!
//! For each package of which something is claimed inside of its range, the last release before an end
//! and the first behind it are compared. Inside at least one of the claims has to hold. Outside none
//! may hold whose opposite the rule claims behind the same end; if all of them hold there, the end is only
//! held by other evidence, which is counted and not a fault.

use std::sync::Arc;

use bnbpip_index::{IndexClient, PackageFile, Project};
use bnbpip_overlay::{InsideClaim, RuleDocument, VersionSet};
use bnbpip_packaging::{PackageName, Version};

use super::verify::{explained, holds};
use crate::failure::Failure;

/// The claims about a package whose range is looked at.
pub(super) struct RangeProof<'a> {
    pub(super) document: &'a RuleDocument,
    package: &'a PackageName,
    versions: &'a VersionSet,
    claims: Vec<InsideClaim<'a>>,
}

/// What came of it.
#[derive(Default)]
pub(super) struct RangeOutcome {
    /// How many ends were looked at.
    pub(super) ends: usize,
    /// How many of them wheels don't show.
    pub(super) unshown: Vec<String>,
    /// A line of the rule's file, and what is wrong.
    pub(super) faults: Vec<(usize, String)>,
}

/// The packages of a rule with claims inside of their ranges.
pub(super) fn range_proofs(document: &RuleDocument) -> Vec<RangeProof<'_>> {
    let mut proofs: Vec<RangeProof<'_>> = Vec::new();
    for package in document.rule.packages() {
        let claims = document.inside_claims(package);
        if let Some(versions) = document.rule.versions_of(package)
            && !claims.is_empty()
            && proofs.iter().all(|proof| proof.package != package)
        {
            proofs.push(RangeProof {
                document,
                package,
                versions,
                claims,
            });
        }
    }
    proofs
}

impl RangeProof<'_> {
    /// Looks at the releases beside the range's ends.
    pub(super) async fn prove(&self, client: &IndexClient) -> Result<RangeOutcome, Failure> {
        let mut outcome = RangeOutcome::default();
        let project = client.project(self.package).await.map_err(explained)?;
        let Some(project) = project else {
            return Ok(outcome);
        };
        let releases: Vec<&Version> = project
            .versions()
            .iter()
            .filter(|version| {
                self.claims
                    .iter()
                    .all(|claim| wheel(&project, version, claim).is_some())
            })
            .collect();
        for pair in releases.windows(2) {
            let (before, after) = (pair[0], pair[1]);
            let (inside, outside) = match (self.is_inside(before), self.is_inside(after)) {
                (true, false) => (before, after),
                (false, true) => (after, before),
                _ => continue,
            };
            outcome.ends += 1;
            self.prove_end(client, &project, (inside, outside), &mut outcome)
                .await?;
        }
        Ok(outcome)
    }

    fn is_inside(&self, version: &Version) -> bool {
        self.versions.contains(version)
    }

    async fn prove_end(
        &self,
        client: &IndexClient,
        project: &Project,
        (inside, outside): (&Version, &Version),
        outcome: &mut RangeOutcome,
    ) -> Result<(), Failure> {
        let mut holds_inside = false;
        let mut is_shown = false;
        for claim in &self.claims {
            let here = self.holds(client, project, inside, claim).await?;
            let there = self.holds(client, project, outside, claim).await?;
            holds_inside |= here;
            is_shown |= here && !there;
            if there && claim.is_telling(inside, outside) {
                let sentence = format!(
                    "{} {outside} is outside of the range `{}`, and what is claimed here of \
                     releases in it is true of this one, too",
                    self.package, self.versions
                );
                outcome.faults.push((claim.evidence.line, sentence));
            }
        }
        if !holds_inside {
            let sentence = format!(
                "{} {inside} is in the range `{}`, and nothing that is claimed of releases in it \
                 is true of this one",
                self.package, self.versions
            );
            outcome.faults.push((self.document.line, sentence));
        } else if !is_shown {
            outcome.unshown.push(format!(
                "{}: wheels don't show that the range of {} ends between {inside} and {outside}",
                self.document.rule.id, self.package
            ));
        }
        Ok(())
    }

    async fn holds(
        &self,
        client: &IndexClient,
        project: &Project,
        version: &Version,
        claim: &InsideClaim<'_>,
    ) -> Result<bool, Failure> {
        let Some(file) = wheel(project, version, claim) else {
            return Ok(false);
        };
        let wheel = client.open_remote(file).await.map_err(explained)?;
        holds(claim.evidence, &wheel).await.map_err(explained)
    }
}

/// The wheel of a release that a claim is looked for in: one that fits, for x86-64 or any machine
/// where there is one.
fn wheel<'a>(
    project: &'a Project,
    version: &Version,
    claim: &InsideClaim<'_>,
) -> Option<&'a Arc<PackageFile>> {
    let fits = |file: &&Arc<PackageFile>| {
        let pattern = claim.evidence.wheel.as_ref();
        file.wheel()
            .is_some_and(|wheel| pattern.is_none_or(|pattern| pattern.fits(&wheel.to_string())))
    };
    let is_usual = |file: &&Arc<PackageFile>| {
        let name = &file.filename_text;
        name.ends_with("x86_64.whl") || name.ends_with("-any.whl")
    };
    let files = || project.files(version).filter(fits);
    files().find(is_usual).or_else(|| files().next())
}
