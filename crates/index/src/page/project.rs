//! A project as the resolver sees it: one page, or several merged.

use std::sync::{Arc, OnceLock};

use bnbpip_packaging::{PackageName, Version};

use super::file::PackageFile;
use super::project_page::{ProjectPage, SkippedFile};
use crate::index_url::IndexUrl;

/// Every candidate of one project, from the places that may offer it.
#[derive(Debug)]
pub struct Project {
    name: PackageName,
    pages: Vec<Arc<ProjectPage>>,
    /// How many of the first pages are one pool; each further one comes after it.
    pool: usize,
    merged: OnceLock<Vec<Version>>,
}

impl Project {
    /// Joins pages; find-links come first, then indexes in order. The first `pool` of them count
    /// alike, and each further one less than those before it.
    pub(crate) fn new(name: PackageName, pages: Vec<Arc<ProjectPage>>, pool: usize) -> Self {
        let pool = pool.min(pages.len());
        Self {
            name,
            pages,
            pool,
            merged: OnceLock::new(),
        }
    }

    /// The project's name.
    pub fn name(&self) -> &PackageName {
        &self.name
    }

    /// The distinct versions that have files, ascending.
    pub fn versions(&self) -> &[Version] {
        if let [page] = &*self.pages {
            return page.versions();
        }
        self.merged.get_or_init(|| {
            let mut versions: Vec<Version> = self
                .pages
                .iter()
                .flat_map(|page| page.versions().iter().cloned())
                .collect();
            versions.sort();
            versions.dedup();
            versions
        })
    }

    /// The files of a version, page by page.
    pub fn files(&self, version: &Version) -> impl Iterator<Item = &Arc<PackageFile>> {
        self.pages.iter().flat_map(|page| page.files(version))
    }

    /// The pages in tiers: what one tier has is tried before anything of the next.
    pub fn tiers(&self) -> impl Iterator<Item = &[Arc<ProjectPage>]> {
        let (pool, rest) = self.pages.split_at(self.pool);
        std::iter::once(pool).chain(rest.chunks(1))
    }

    /// The pages that this project was put together from.
    pub fn pages(&self) -> &[Arc<ProjectPage>] {
        &self.pages
    }

    /// The indexes that the pages came from.
    pub fn indexes(&self) -> impl Iterator<Item = &Arc<IndexUrl>> {
        self.pages.iter().map(|page| page.index())
    }

    /// The files that are no candidates.
    pub fn skipped(&self) -> impl Iterator<Item = SkippedFile<'_>> {
        self.pages.iter().flat_map(|page| page.skipped())
    }
}
