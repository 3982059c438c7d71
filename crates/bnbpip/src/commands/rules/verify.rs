//! `bnbpip rules verify`: artifact evidence proved again from the published wheels, by byte ranges.

use std::sync::Arc;

use bnbpip_index::{IndexClient, PackageFile, RemoteWheel};
use bnbpip_overlay::{ArtifactClaim, ArtifactEvidence, Evidence, RuleDocument};
use bnbpip_packaging::{PackageName, Version};
use futures::{StreamExt as _, stream};

use super::find;
use super::ranges::{RangeOutcome, RangeProof, range_proofs};
use crate::cli::rules::RulesVerifyArgs;
use crate::commands::resolve::network;
use crate::commands::rule_set;
use crate::configuration::settings::Settings;
use crate::failure::{Failure, exit_code};
use crate::printer::Printer;
use crate::request::FileOptions;

/// How many wheels are looked into at a time.
const CONCURRENCY: usize = 16;

/// One thing to prove: a claim about one release, or that a release exists.
struct Proof<'a> {
    document: &'a RuleDocument,
    package: &'a PackageName,
    version: &'a Version,
    claim: Option<&'a ArtifactEvidence>,
}

pub(super) fn run(
    arguments: &RulesVerifyArgs,
    settings: &Settings,
    printer: &Printer,
) -> Result<(), Failure> {
    let documents = rule_set::documents(&arguments.overlay.overlay, settings)?;
    let chosen: Vec<&RuleDocument> = if arguments.ids.is_empty() {
        documents
            .iter()
            .filter(|document| document.withdrawn.is_none())
            .collect()
    } else {
        let found = arguments.ids.iter().map(|id| find(&documents, id));
        found.collect::<Result<_, _>>()?
    };
    let files = FileOptions::default();
    let client = IndexClient::new(
        network::locations(&arguments.index, &files, settings)?,
        network::cache(settings)?,
        &network::client_options(settings, &[]),
    );
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let mut found = Found::default();
    for document in &chosen {
        for (line, sentence) in document.contradictions() {
            found.faults.push(fault(document, line, &sentence));
        }
    }
    runtime.block_on(found.prove_claims(&chosen, &client))?;
    runtime.block_on(found.prove_ranges(&chosen, &client, printer))?;
    for line in &found.faults {
        printer.info(line);
    }
    let counted = format!(
        "{}: {} about wheels, {} and {} looked at",
        bnbpip_report::counted(chosen.len(), "rule"),
        bnbpip_report::counted(found.claims, "claim"),
        bnbpip_report::counted(found.releases, "named release"),
        bnbpip_report::counted(found.ends, "range end")
    );
    if found.faults.is_empty() {
        printer.info(&format!("{counted}, all hold."));
        return Ok(());
    }
    printer.info(&format!(
        "{counted}, {} found.",
        bnbpip_report::counted(found.faults.len(), "fault")
    ));
    Err(Failure::silent(exit_code::ERROR))
}

/// What was looked at, and what was wrong.
#[derive(Default)]
struct Found {
    claims: usize,
    releases: usize,
    ends: usize,
    faults: Vec<String>,
}

impl Found {
    /// Proves what is claimed of wheels, and that named releases exist.
    async fn prove_claims(
        &mut self,
        chosen: &[&RuleDocument],
        client: &IndexClient,
    ) -> Result<(), Failure> {
        let proofs = chosen.iter().flat_map(|document| proofs(document));
        let proofs: Vec<Proof<'_>> = proofs.collect();
        let outcomes: Vec<Result<Vec<String>, Failure>> = stream::iter(&proofs)
            .map(|proof| prove(proof, client))
            .buffered(CONCURRENCY)
            .collect()
            .await;
        for (proof, outcome) in proofs.iter().zip(outcomes) {
            match proof.claim {
                Some(_) => self.claims += 1,
                None => self.releases += 1,
            }
            let line = proof.claim.map_or(proof.document.line, |claim| claim.line);
            for sentence in outcome? {
                self.faults.push(fault(proof.document, line, &sentence));
            }
        }
        Ok(())
    }

    /// Proves where ranges end.
    async fn prove_ranges(
        &mut self,
        chosen: &[&RuleDocument],
        client: &IndexClient,
        printer: &Printer,
    ) -> Result<(), Failure> {
        let proofs = chosen.iter().flat_map(|document| range_proofs(document));
        let proofs: Vec<RangeProof<'_>> = proofs.collect();
        let outcomes: Vec<Result<RangeOutcome, Failure>> = stream::iter(&proofs)
            .map(|range| range.prove(client))
            .buffered(CONCURRENCY)
            .collect()
            .await;
        for (range, outcome) in proofs.iter().zip(outcomes) {
            let outcome = outcome?;
            self.ends += outcome.ends;
            for (line, sentence) in outcome.faults {
                self.faults.push(fault(range.document, line, &sentence));
            }
            for sentence in outcome.unshown {
                printer.verbose(&sentence);
            }
        }
        Ok(())
    }
}

/// A fault with its file and line.
fn fault(document: &RuleDocument, line: usize, sentence: &str) -> String {
    let (file, id) = (&document.file, &document.rule.id);
    format!("{file}:{line}: {id}: {sentence}")
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "what a result's error is mapped with"
)]
pub(super) fn explained(error: Arc<bnbpip_index::IndexError>) -> Failure {
    network::explained(&error)
}

/// What a rule's evidence claims of wheels, and the releases that it calls fixed.
fn proofs(document: &RuleDocument) -> Vec<Proof<'_>> {
    let mut proofs = Vec::new();
    for evidence in &document.evidence {
        let Evidence::Artifact(artifact) = evidence else {
            continue;
        };
        proofs.extend(artifact.versions.iter().map(|version| Proof {
            document,
            package: &artifact.package,
            version,
            claim: Some(artifact),
        }));
    }
    let fixed = document.rule.fixed.iter();
    proofs.extend(fixed.map(|(package, version)| Proof {
        document,
        package,
        version,
        claim: None,
    }));
    proofs
}

/// Sentences about what doesn't hold; none if all does.
async fn prove(proof: &Proof<'_>, client: &IndexClient) -> Result<Vec<String>, Failure> {
    let project = client.project(proof.package).await.map_err(explained)?;
    let (package, version) = (proof.package, proof.version);
    let files: Vec<Arc<PackageFile>> = match &project {
        Some(project) => project.files(version).cloned().collect(),
        None => Vec::new(),
    };
    if files.is_empty() {
        return Ok(vec![format!("{package} {version} is not on the index")]);
    }
    let Some(artifact) = proof.claim else {
        return Ok(Vec::new());
    };
    let fits = |file: &PackageFile| {
        let name = file.wheel().map(ToString::to_string);
        let pattern = artifact.wheel.as_ref();
        name.is_some_and(|name| pattern.is_none_or(|pattern| pattern.fits(&name)))
    };
    let wheels: Vec<Arc<PackageFile>> = files.into_iter().filter(|file| fits(file)).collect();
    if wheels.is_empty() {
        return Ok(vec![format!("{package} {version} has no wheel that fits")]);
    }
    let mut failed = Vec::new();
    for file in &wheels {
        let wheel = client.open_remote(file).await.map_err(explained)?;
        if !holds(artifact, &wheel).await.map_err(explained)? {
            failed.push(format!(
                "`{}` contradicts: {}",
                file.wheel().map(ToString::to_string).unwrap_or_default(),
                bnbpip_report::rules::claim(artifact)
            ));
        }
    }
    Ok(failed)
}

/// Whether a claim is true of one wheel.
pub(super) async fn holds(
    artifact: &ArtifactEvidence,
    wheel: &RemoteWheel,
) -> Result<bool, Arc<bnbpip_index::IndexError>> {
    let members: Vec<&str> = wheel
        .files()
        .iter()
        .map(|member| &*member.path)
        .filter(|path| artifact.member.fits(path))
        .collect();
    let (text, wanted) = match &artifact.claim {
        ArtifactClaim::Present => return Ok(!members.is_empty()),
        ArtifactClaim::Absent => return Ok(members.is_empty()),
        ArtifactClaim::Contains(text) => (text, true),
        ArtifactClaim::Lacks(text) => (text, false),
    };
    let contents = wheel.read_many(&members).await?;
    let contains = |content: &Vec<u8>| {
        let text = text.as_bytes();
        content.windows(text.len()).any(|window| window == text)
    };
    let found = contents.iter().flatten().any(contains);
    Ok(!members.is_empty() && found == wanted)
}
