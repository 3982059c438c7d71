//! What is said where several indexes have the same package: which one counts and what the others
//! have, or what it means that they are one pool.

use std::sync::Arc;

use bnbpip_index::{
    HttpError, IndexClient, IndexError, IndexLocations, IndexStrategy, PackageFile, ProjectPage,
};
use bnbpip_packaging::{PackageName, Version};
use bnbpip_resolver::{Explanation, Resolution, Source};
use tokio::runtime::Runtime;

use super::provider::IndexProvider;
use crate::failure::Failure;
use crate::printer::Printer;

/// The most packages that are named one by one.
const NAMED: usize = 5;

/// Says of a resolution what several indexes have to do with it.
pub(super) fn say(
    resolution: &Resolution<Arc<PackageFile>>,
    provider: &IndexProvider,
    client: &IndexClient,
    runtime: &Runtime,
    printer: &Printer,
) {
    let locations = client.locations();
    if asked(locations) < 2 {
        return;
    }
    let packages = resolution.packages.iter();
    let chosen = packages.filter_map(|package| match &package.source {
        Source::Index(file) => Some((&package.name, file)),
        Source::Direct { .. } | Source::Installed => None,
    });
    if locations.strategy != IndexStrategy::FirstIndex {
        let pooled = chosen.filter(|(name, _)| provider.index_count(name, locations) > 1);
        let pooled: Vec<&PackageName> = pooled.map(|(name, _)| name).collect();
        if !pooled.is_empty() {
            printer.warning(&pool_warning(&pooled, locations.strategy));
        }
    } else if printer.verbosity() > 0 {
        for (name, file) in chosen {
            let Ok(others) = runtime.block_on(client.elsewhere(name)) else {
                continue;
            };
            let Some(index) = file.index.as_ref().filter(|_| !others.is_empty()) else {
                continue;
            };
            let others: Vec<String> = others.iter().map(|page| offer(page)).collect();
            printer.verbose(&format!(
                "{name} {} is taken from {index}, the first index that has {name}; also there: {}",
                file.version(),
                others.join(", ")
            ));
        }
    }
}

/// Adds to the failure of one index among several why no other stands in for it, and what to do.
pub(super) fn unanswered(
    failure: Failure,
    error: &IndexError,
    locations: &IndexLocations,
) -> Failure {
    let IndexError::Http(HttpError::Network { url, .. } | HttpError::Status { url, .. }) = error
    else {
        return failure;
    };
    let project_at = |index: &str| {
        let project = url.strip_prefix(index)?.trim_matches('/');
        (!project.is_empty() && !project.contains('/')).then_some(project)
    };
    let indexes = locations.indexes.iter().map(|entry| entry.url.to_string());
    let mut indexes = indexes.map(|index| index.trim_end_matches('/').to_owned());
    let found = indexes.find_map(|index| Some((project_at(&index)?.to_owned(), index)));
    match found.filter(|_| asked(locations) > 1) {
        Some((project, index)) => failure.hint(format!(
            "`{index}` may have `{project}`, so that no other index's package of that name is taken \
             for it (dependency confusion): leave the index out if it isn't needed, or say where \
             the package comes from, with `--index-for {project}=INDEX`"
        )),
        None => failure,
    }
}

/// Adds to a failure where other versions are of the packages that it speaks of.
pub(super) fn hint(
    failure: Failure,
    explanation: &Explanation,
    client: &IndexClient,
    runtime: &Runtime,
) -> Failure {
    let locations = client.locations();
    if locations.strategy != IndexStrategy::FirstIndex || asked(locations) < 2 {
        return failure;
    }
    let mut known: Vec<(&PackageName, &Vec<Version>)> = explanation.existing.iter().collect();
    known.sort_unstable();
    known
        .into_iter()
        .fold(failure, |failure, (name, versions)| {
            let others = runtime.block_on(client.elsewhere(name)).unwrap_or_default();
            let more = others.iter().find(|page| {
                let mut offered = page.versions().iter();
                offered.any(|version| !versions.contains(version))
            });
            match more {
                Some(page) => failure.hint(format!(
                    "other versions of {name} are at {}, which isn't looked into because an index \
                 before it has {name}: `--index-for {name}=<url>` takes {name} from there alone, \
                 `--index-strategy unsafe-first-match` looks into both",
                    offer(page)
                )),
                None => failure,
            }
        })
}

/// How many indexes are asked for every package.
fn asked(locations: &IndexLocations) -> usize {
    if locations.no_index {
        return 0;
    }
    let indexes = locations.indexes.iter();
    indexes.filter(|entry| !entry.explicit).count()
}

/// An index with the newest version that it has.
fn offer(page: &ProjectPage) -> String {
    match page.versions().last() {
        Some(newest) => format!("{} (up to {newest})", page.index()),
        None => page.index().to_string(),
    }
}

fn pool_warning(pooled: &[&PackageName], strategy: IndexStrategy) -> String {
    let names = pooled.iter().take(NAMED).map(ToString::to_string);
    let names: Vec<String> = names.collect();
    let more = pooled.len().saturating_sub(NAMED);
    let names = if more == 0 {
        bnbpip_report::ranges::join_and(&names)
    } else {
        format!("{} and {more} more", names.join(", "))
    };
    let strategy = match strategy {
        IndexStrategy::UnsafeFirstMatch => "unsafe-first-match",
        IndexStrategy::FirstIndex | IndexStrategy::UnsafeBestMatch => "unsafe-best-match",
    };
    format!(
        "{names} {} on more than one index, and `{strategy}` mixes them: whoever can publish the \
         name on any of these indexes may decide what is installed (dependency confusion)",
        if pooled.len() == 1 { "is" } else { "are" }
    )
}
