//! Projects: which of the places that are named offer files of one, and what that comes to.

use std::sync::Arc;

use bnbpip_packaging::PackageName;

use super::IndexClient;
use crate::error::{IndexError, SharedResult};
use crate::index_url::IndexUrl;
use crate::locations::{IndexEntry, IndexStrategy};
use crate::page::{PageScope, Project, ProjectPage};
use crate::simple::page_of;

impl IndexClient {
    /// A project, from the places that may offer it; `None` if none does.
    ///
    /// # Errors
    /// When an index can't be asked or its page can't be read. An index that fails is never
    /// taken for one that lacks the project.
    pub async fn project(&self, name: &PackageName) -> SharedResult<Option<Arc<Project>>> {
        let look_up = || async { self.look_up(name).await };
        self.inner
            .projects
            .get_or_compute(name.clone(), look_up)
            .await
    }

    async fn look_up(&self, name: &PackageName) -> SharedResult<Option<Arc<Project>>> {
        let inner = &self.inner;
        let mut pages = Vec::new();
        for location in &inner.locations.find_links {
            pages.extend(self.flat_pages(location, name).await?);
        }
        let entries = self.indexes_for(name)?;
        let flat = pages.len();
        if inner.locations.strategy == IndexStrategy::FirstIndex {
            for entry in entries {
                if let Some(page) = inner.pages.project(entry, name).await? {
                    pages.push(page);
                    break;
                }
            }
        } else {
            pages.extend(self.pages_of(entries, name).await?);
        }
        let pool = match inner.locations.strategy {
            IndexStrategy::UnsafeFirstMatch => flat + 1,
            IndexStrategy::FirstIndex | IndexStrategy::UnsafeBestMatch => pages.len(),
        };
        Ok((!pages.is_empty()).then(|| Arc::new(Project::new(name.clone(), pages, pool))))
    }

    /// What one index has of a project, whatever the places that packages come from; `None` if it
    /// has nothing.
    ///
    /// # Errors
    /// When it can't be asked, or its page can't be read.
    pub async fn project_at(
        &self,
        index: &IndexEntry,
        name: &PackageName,
    ) -> SharedResult<Option<Arc<ProjectPage>>> {
        self.inner.pages.project(index, name).await
    }

    fn indexes_for(&self, name: &PackageName) -> SharedResult<Vec<&IndexEntry>> {
        let entries = self.inner.locations.indexes_for(name);
        entries.map_err(|index| {
            Arc::new(IndexError::UnknownIndex {
                package: name.clone(),
                index: index.to_string(),
            })
        })
    }

    /// The pages of those of the indexes that have a project, in order. All are asked at once.
    async fn pages_of(
        &self,
        entries: Vec<&IndexEntry>,
        name: &PackageName,
    ) -> SharedResult<Vec<Arc<ProjectPage>>> {
        let ask = |entry: &'_ IndexEntry| {
            let entry = entry.clone();
            async move { self.inner.pages.project(&entry, name).await }
        };
        let asked = futures::future::try_join_all(entries.into_iter().map(ask)).await?;
        Ok(asked.into_iter().flatten().collect())
    }

    /// What indexes have of a project that isn't looked for there, because another index has it.
    ///
    /// # Errors
    /// When an index can't be asked.
    pub async fn elsewhere(&self, name: &PackageName) -> SharedResult<Vec<Arc<ProjectPage>>> {
        let Some(project) = self.project(name).await? else {
            return Ok(Vec::new());
        };
        let used: Vec<&IndexUrl> = project.indexes().map(|index| &**index).collect();
        let locations = &self.inner.locations;
        let others = locations
            .indexes
            .iter()
            .filter(|entry| !entry.explicit && !locations.no_index && !used.contains(&&entry.url));
        self.pages_of(others.collect(), name).await
    }

    /// The files of a project on a flat page, and on the page of it that a root links to.
    async fn flat_pages(
        &self,
        location: &IndexUrl,
        name: &PackageName,
    ) -> SharedResult<Vec<Arc<ProjectPage>>> {
        let fetch = || async {
            let flat = self.inner.pages.flat(location).await;
            flat.map(Arc::new).map_err(Arc::new)
        };
        let flat = self
            .inner
            .flat
            .get_or_compute(location.clone(), fetch)
            .await?;
        let index = Arc::new(location.clone());
        let local = location.to_file_path().is_some();
        let scope = PageScope::Flat;
        let page = page_of(&flat.links, scope, local, Arc::clone(&index), name.clone())?;
        let mut pages = Vec::new();
        if page.file_count() > 0 {
            pages.push(Arc::new(page));
        }
        pages.extend(self.inner.pages.project_of(&flat, &index, name).await?);
        Ok(pages)
    }
}
