//! `bnbpip rules verify`: artifact evidence proved again from the published wheels, by byte ranges.

use std::sync::Arc;

use bnbpip_index::{IndexClient, PackageFile, RemoteWheel};
use bnbpip_overlay::{ArtifactClaim, ArtifactEvidence, Evidence, RuleDocument};
use bnbpip_packaging::{PackageName, Version};
use futures::{StreamExt as _, stream};

use super::find;
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
    let proofs: Vec<Proof<'_>> = chosen
        .iter()
        .flat_map(|document| proofs(document))
        .collect();
    let files = FileOptions::default();
    let client = IndexClient::new(
        network::locations(&arguments.index, &files, settings)?,
        network::cache(settings)?,
        &network::client_options(settings, &[]),
    );
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let outcomes: Vec<Result<Vec<String>, Failure>> = runtime.block_on(
        stream::iter(&proofs)
            .map(|proof| prove(proof, &client))
            .buffered(CONCURRENCY)
            .collect(),
    );
    let mut failed = Vec::new();
    for (proof, outcome) in proofs.iter().zip(outcomes) {
        for sentence in outcome? {
            failed.push(format!(
                "{}:{}: {}: {sentence}",
                proof.document.file, proof.document.line, proof.document.rule.id
            ));
        }
    }
    for line in &failed {
        printer.info(line);
    }
    let claims = proofs.iter().filter(|proof| proof.claim.is_some()).count();
    let releases = proofs.len() - claims;
    let counted = format!(
        "{} rules: {claims} claims about wheels and {releases} named releases looked at",
        chosen.len()
    );
    if failed.is_empty() {
        printer.info(&format!("{counted}, all hold."));
        return Ok(());
    }
    printer.info(&format!("{counted}, {} don't hold.", failed.len()));
    Err(Failure::silent(exit_code::ERROR))
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
    let explained = |error| network::explained(&error);
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
async fn holds(
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
