//! What indexes offer of projects, without resolving: `list --outdated`, `index versions`.

use std::sync::Arc;

use bnbpip_index::{IndexClient, PackageFile};
use bnbpip_overlay::ActiveRules;
use bnbpip_packaging::{PackageName, Version};
use bnbpip_platform::Target;
use bnbpip_resolver::VersionList as _;
use rustc_hash::FxHashMap;

use super::candidates::Selection;
use super::versions::Candidates;
use super::{connection, network, requirements};
use crate::cli::index::IndexArgs;
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::request::{FileOptions, ReleaseControl};

/// Asks indexes for projects.
pub(crate) struct Lookup {
    runtime: tokio::runtime::Runtime,
    client: IndexClient,
    selection: Arc<Selection>,
    prereleases: bool,
    releases: ReleaseControl,
}

/// The releases of one project that could be installed. Yanked ones aren't among them, and
/// pre-releases only if they were asked for.
pub(crate) struct Releases {
    candidates: Option<Arc<Candidates>>,
    prereleases: bool,
}

impl Lookup {
    /// For a target, with these options. `rules` keep releases out that they forbid.
    ///
    /// # Errors
    /// When an address can't be understood, or the cache can't be opened.
    pub(crate) fn new(
        options: &IndexArgs,
        target: &Target,
        rules: Arc<ActiveRules>,
        ignore_requires_python: bool,
        settings: &Settings,
    ) -> Result<Self, Failure> {
        requirements::refuse_pre_beside(options.pre, &options.release_control)?;
        let files = FileOptions::default();
        let mut client_options = network::client_options(settings, &files.trusted_hosts);
        client_options.refresh = options.refreshes();
        let locations = network::locations(options, &files, settings)?;
        let (major, minor) = target.python_version;
        Ok(Self {
            runtime: connection::runtime()?,
            client: IndexClient::new(locations, network::cache(settings)?, &client_options),
            selection: Arc::new(Selection {
                tags: target.tags.clone(),
                python_tag: format!("cp{major}{minor}"),
                python_version: target.python_full_version.clone(),
                ignore_requires_python,
                cutoff_ms: options.cutoff().map(|cutoff| cutoff.0.as_millisecond()),
                hashes: FxHashMap::default(),
                formats: files.format_control(&options.format_control),
                rules,
                sources: true,
                prefer_binary: options.prefer_binary,
            }),
            prereleases: options.pre,
            releases: options.release_control.clone(),
        })
    }

    /// The releases of each of these projects, in the same order. All are asked for at once.
    ///
    /// # Errors
    /// When an index can't be asked. A project that no index has is no error.
    pub(crate) fn releases<'a>(
        &self,
        names: impl Iterator<Item = &'a PackageName>,
    ) -> Result<Vec<Releases>, Failure> {
        let names: Vec<&PackageName> = names.collect();
        let pages = names.iter().map(|name| self.client.project(name));
        let pages = self.runtime.block_on(futures::future::try_join_all(pages));
        let pages = pages.map_err(|error| network::explained(&error))?;
        let releases = pages
            .into_iter()
            .zip(names)
            .map(|(project, name)| Releases {
                candidates: project
                    .map(|project| Arc::new(Candidates::new(project, Arc::clone(&self.selection)))),
                prereleases: self.prereleases || self.releases.lists(name),
            });
        Ok(releases.collect())
    }
}

impl Releases {
    /// Newest first; each with the file that would be taken.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Version, Arc<PackageFile>)> {
        self.ranked().map(|(_, version, file)| (version, file))
    }

    fn ranked(&self) -> impl Iterator<Item = (usize, &Version, Arc<PackageFile>)> {
        let candidates = self.candidates.as_ref();
        candidates.into_iter().flat_map(|candidates| {
            let versions = candidates.versions().iter().enumerate().rev();
            versions
                .filter(|(_, version)| self.prereleases || !version.any_prerelease())
                .filter(|(index, _)| candidates.yanked(*index).is_none())
                .filter_map(|(index, version)| {
                    let file = candidates.file(index).ok()?;
                    Some((candidates.rank(index), version, file))
                })
        })
    }

    /// The one that would be installed without further wishes.
    pub(crate) fn newest(&self) -> Option<(&Version, Arc<PackageFile>)> {
        let ranked = self.ranked();
        let found = ranked.min_by_key(|(rank, ..)| *rank);
        found.map(|(_, version, file)| (version, file))
    }
}
