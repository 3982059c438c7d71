//! What a lock says of files and the index's page doesn't: sizes, digests, publishers.

use std::collections::BTreeSet;
use std::sync::Arc;

use bnbpip_index::{IndexClient, IndexUrl, NoProgress, PackageFile, RequiredHashes};
use bnbpip_lock::{AttestationIdentity, Lock, LockedPackage};
use bnbpip_packaging::Hashes;
use rustc_hash::FxHashMap;
use url::Url;

use crate::commands::resolve::network;
use crate::failure::Failure;

/// What is known of a file.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    /// Its digests, of which one is strong.
    pub(super) hashes: Hashes,
    /// Where its index has it.
    pub(super) url: Option<Url>,
    pub(super) size_bytes: Option<u64>,
    /// Who attests to it.
    pub(super) identities: Vec<AttestationIdentity>,
}

/// The sizes of the files in an old lock, by digest: nobody has to be asked for them again.
#[derive(Debug, Default)]
pub(super) struct KnownSizes(FxHashMap<String, u64>);

impl KnownSizes {
    pub(super) fn of(lock: &Lock) -> Self {
        let files = lock.packages.iter().flat_map(LockedPackage::files);
        let known = files
            .filter_map(|file| Some((file.hashes.sha256()?.to_owned(), file.size_bytes?)))
            .collect();
        Self(known)
    }
}

/// The facts about files, all asked for at once, by the files' addresses. What is to be told about
/// them is added to `warnings`.
///
/// # Errors
/// When an index or a server can't be asked.
pub(super) async fn gather(
    files: &[Arc<PackageFile>],
    known: &KnownSizes,
    client: &IndexClient,
    warnings: &mut BTreeSet<String>,
) -> Result<FxHashMap<String, Facts>, Failure> {
    let reachable = reachable(files, client, warnings).await;
    let reachable = &reachable;
    let asked = files.iter().map(|file| async move {
        let mut facts = of_file(file, known, client).await?;
        let is_reachable = file.index.as_ref().is_none_or(|it| reachable.contains(it));
        if is_reachable && let Ok(Some(file)) = client.on_index(file).await {
            facts.url = Some(file.url);
        }
        Ok::<_, Failure>((file.url.to_string(), facts))
    });
    let facts = futures::future::try_join_all(asked).await?;
    Ok(facts.into_iter().collect())
}

/// The indexes whose own addresses of files can be had. One file of each tells: an index that
/// doesn't answer isn't waited for a second time.
async fn reachable(
    files: &[Arc<PackageFile>],
    client: &IndexClient,
    warnings: &mut BTreeSet<String>,
) -> Vec<Arc<IndexUrl>> {
    let (mut asked, mut reachable) = (Vec::new(), Vec::new());
    for file in files {
        let Some(index) = file.index.as_ref().filter(|it| !asked.contains(*it)) else {
            continue;
        };
        asked.push(Arc::clone(index));
        match client.on_index(file).await {
            Ok(_) => reachable.push(Arc::clone(index)),
            Err(error) => {
                warnings.insert(format!(
                "The index `{index}` can't be asked: the lock has the addresses that its mirrors \
                 give ({error})"
            ));
            }
        }
    }
    reachable
}

async fn of_file(
    file: &PackageFile,
    known: &KnownSizes,
    client: &IndexClient,
) -> Result<Facts, Failure> {
    let mut facts = Facts {
        hashes: file.hashes.clone(),
        ..Facts::default()
    };
    let is_strong = |hashes: &Hashes| {
        let strongest = hashes.strongest();
        strongest.is_some_and(|(algorithm, _)| algorithm.is_strong())
    };
    if !is_strong(&facts.hashes) {
        let any = RequiredHashes::default();
        let downloaded = client
            .download(file, &any, &NoProgress)
            .await
            .map_err(|error| network::explained(&Arc::new(error)))?;
        facts.hashes = Hashes::from_sha256(&downloaded.sha256);
        facts.size_bytes = Some(fs_err::metadata(&downloaded.path)?.len());
    }
    let in_old_lock = facts.hashes.sha256().and_then(|sha256| known.0.get(sha256));
    let told = file.size_bytes.or(facts.size_bytes);
    facts.size_bytes = told.or(in_old_lock.copied());
    if facts.size_bytes.is_none() {
        let asked = client.size_bytes(file).await;
        facts.size_bytes = Some(asked.map_err(|error| network::explained(&error))?);
    }
    let publishers = client.publishers(file).await;
    let publishers = publishers.map_err(|error| network::explained(&error))?;
    let identities = publishers.into_iter().map(|publisher| AttestationIdentity {
        kind: publisher.kind,
        claims: publisher.claims,
    });
    facts.identities = identities.collect();
    Ok(facts)
}
