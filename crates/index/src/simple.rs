//! Pages of indexes: from the cache while they are fresh, revalidated or fetched when not.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bnbpip_packaging::PackageName;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use url::Url;

use crate::cache::{Bucket, Cache, CacheKey, Freshness, StoredPolicy, read_stored, write_stored};
use crate::error::IndexError;
use crate::flat::local_page;
use crate::http::{Get, HttpError, Purpose, SharedHttp, Whole};
use crate::index_url::{IndexUrl, path_url, redacted, without_credentials};
use crate::options::ClientOptions;
use crate::page::{
    Link, PageBuilder, PageError, PageRecord, PageScope, ProjectPage, read_html, read_json,
};

/// JSON first; HTML from servers that have no JSON (PEP 691).
const ACCEPT: &str = "application/vnd.pypi.simple.v1+json, \
    application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01";

/// The most files that a page may have. The longest pages of the public index have some ten
/// thousand; reading this many takes less than 256 MiB.
const FILE_LIMIT: usize = 100_000;

/// What a file takes on a page at the least, as a rule.
const BYTES_PER_FILE: usize = 400;

/// Fetches pages.
#[derive(Debug)]
pub(crate) struct PageFetcher {
    http: SharedHttp,
    cache: Cache,
    offline: bool,
    refresh: bool,
    limit_bytes: u64,
}

/// Where a page is looked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    /// The address that projects lie below.
    pub(crate) root: &'a IndexUrl,
    /// The statuses that mean that there is no such page.
    pub(crate) missing_statuses: &'a [u16],
    /// How often a failed request is sent again; `None` for the user's setting.
    pub(crate) retries: Option<u32>,
}

impl IndexUrl {
    /// This index as a place to look for pages.
    pub(crate) fn as_place<'a>(&'a self, missing_statuses: &'a [u16]) -> Place<'a> {
        Place {
            root: self,
            missing_statuses,
            retries: None,
        }
    }
}

/// What a server said about a page that may be in the cache.
pub(super) enum Reply {
    /// The cached one may be used as it is.
    Cached,
    /// The server says that the cached one is right, and until when.
    Confirmed(StoredPolicy),
    /// There is none.
    Missing,
    /// This is it.
    Fresh(Box<Whole>, Option<StoredPolicy>),
}

impl PageFetcher {
    pub(crate) fn new(http: SharedHttp, cache: Cache, options: &ClientOptions) -> Self {
        Self {
            http,
            cache,
            offline: options.offline,
            refresh: options.refresh,
            limit_bytes: options.page_limit_bytes,
        }
    }

    /// A project's page as `place` has it; `None` if there is none. Its files count as `index`'s,
    /// whose mirror `place` may be.
    pub(crate) async fn project(
        &self,
        place: &Place<'_>,
        index: &Arc<IndexUrl>,
        name: &PackageName,
    ) -> Result<Option<Arc<ProjectPage>>, IndexError> {
        if let Some(folder) = place.root.to_file_path() {
            let (index, name) = (Arc::clone(index), name.clone());
            let object = name.to_string();
            return crate::blocking(&object, move || local_project(&folder, &index, &name)).await;
        }
        let url = place.root.project_url(name.as_ref());
        self.page_at(&url, place, index, name).await
    }

    /// The page at an address, if there is one.
    pub(super) async fn page_at(
        &self,
        url: &Url,
        place: &Place<'_>,
        index: &Arc<IndexUrl>,
        name: &PackageName,
    ) -> Result<Option<Arc<ProjectPage>>, IndexError> {
        let (index, name) = (Arc::clone(index), name.clone());
        let object = name.to_string();
        let path = self.path(url, "page");
        let cached = {
            let (path, index, name) = (path.clone(), Arc::clone(&index), name.clone());
            crate::blocking(&object, move || Ok(load_page(&path, index, name))).await?
        };
        let (page, policy) = cached.unzip();
        match self.ask(url, policy, place).await? {
            Reply::Missing => Ok(None),
            Reply::Cached => Ok(page.map(Arc::new)),
            Reply::Confirmed(policy) => {
                if let Some(page) = &page {
                    store(&path, page.bytes(), &policy);
                }
                Ok(page.map(Arc::new))
            }
            Reply::Fresh(whole, policy) => {
                let parse = move || {
                    let page = parse_page(*whole, index, name)?;
                    if let Some(policy) = policy {
                        store(&path, page.bytes(), &policy);
                    }
                    Ok(Some(Arc::new(page)))
                };
                crate::blocking(&object, parse).await
            }
        }
    }

    pub(super) fn path(&self, url: &Url, extension: &str) -> PathBuf {
        let key = CacheKey::digest(&[&without_credentials(url)]);
        self.cache.entry(Bucket::Simple, &key, extension)
    }

    /// Decides by the cached page's policy whether the server has to be asked, and asks it.
    pub(super) async fn ask(
        &self,
        url: &Url,
        policy: Option<StoredPolicy>,
        place: &Place<'_>,
    ) -> Result<Reply, IndexError> {
        self.http.looks_at(url);
        let bare = without_credentials(url);
        let accept = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(ACCEPT))]);
        let mut headers = accept.clone();
        if let Some(policy) = &policy {
            if self.offline {
                tracing::debug!(url = %redacted(url), age = ?policy.age(), "using a cached page offline");
                return Ok(Reply::Cached);
            }
            match policy.freshness(&bare, &accept, self.refresh) {
                Freshness::Fresh => return Ok(Reply::Cached),
                Freshness::Stale(conditional) => headers = conditional,
            }
        }
        if self.refresh {
            // What stands between here and the index may have kept a page as well.
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("max-age=0"));
        }
        for conditional in [true, false] {
            let get = Get {
                url,
                purpose: Purpose::Page,
                headers: headers.clone(),
                retries: place.retries,
            };
            let whole = self.http.get_whole(&get, self.limit_bytes).await?;
            let status = whole.status;
            match (status, &policy) {
                (StatusCode::OK, _) => {
                    let policy = StoredPolicy::new(&bare, &accept, status, &whole.headers);
                    return Ok(Reply::Fresh(Box::new(whole), policy));
                }
                (StatusCode::NOT_MODIFIED, Some(policy)) if conditional => {
                    if let Some(policy) = policy.revalidated(&bare, &accept, &whole.headers) {
                        return Ok(Reply::Confirmed(policy));
                    }
                    headers.clone_from(&accept);
                }
                _ if place.missing_statuses.contains(&status.as_u16()) => {
                    return Ok(Reply::Missing);
                }
                _ => return Err(whole.refusal(url).into()),
            }
        }
        Err(HttpError::not_modified(url).into())
    }
}

fn load_page(
    path: &Path,
    index: Arc<IndexUrl>,
    name: PackageName,
) -> Option<(ProjectPage, StoredPolicy)> {
    let (bytes, policy) = read_stored(path)?;
    match ProjectPage::from_bytes(name, index, bytes) {
        Ok(page) => Some((page, policy)),
        Err(error) => {
            tracing::debug!(%error, "a cached page is damaged and fetched again");
            None
        }
    }
}

/// Caching is a convenience: a cache that can't be written makes nothing fail.
pub(super) fn store(path: &Path, bytes: &[u8], policy: &StoredPolicy) {
    if let Err(error) = write_stored(path, bytes, policy) {
        tracing::debug!(%error, "a page can't be cached");
    }
}

fn parse_page(
    whole: Whole,
    index: Arc<IndexUrl>,
    name: PackageName,
) -> Result<ProjectPage, IndexError> {
    let mut page = PageBuilder::new(&name, PageScope::Project, false);
    page.expect(whole.body.len() / BYTES_PER_FILE);
    read_links(
        &whole.body,
        content_type(&whole.headers).as_deref(),
        &whole.url,
        &mut |link| page.add(&link),
    )?;
    // A page of a hundred thousand files needs the room for its record.
    drop(whole);
    let record = page.finish();
    into_page(&record, index, name)
}

/// A page out of links. `allow_local` permits links to files of this machine.
pub(crate) fn page_of(
    links: &[Link<'_>],
    scope: PageScope,
    allow_local: bool,
    index: Arc<IndexUrl>,
    name: PackageName,
) -> Result<ProjectPage, IndexError> {
    let mut page = PageBuilder::new(&name, scope, allow_local);
    for link in links {
        page.add(link);
    }
    let record = page.finish();
    into_page(&record, index, name)
}

fn into_page(
    record: &PageRecord,
    index: Arc<IndexUrl>,
    name: PackageName,
) -> Result<ProjectPage, IndexError> {
    let url = index.to_string();
    ProjectPage::from_record(name, index, record)
        .map_err(|source| IndexError::BadPage { url, source })
}

pub(super) fn content_type(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let essence = text.split(';').next().unwrap_or_default();
    Some(essence.trim().to_ascii_lowercase())
}

/// Calls `visit` with each link of a page from a server.
pub(super) fn read_links<'page>(
    body: &'page [u8],
    content_type: Option<&str>,
    base: &Url,
    visit: &mut dyn FnMut(Link<'page>),
) -> Result<(), IndexError> {
    let mut count = 0_usize;
    let mut visit = |link: Link<'page>| {
        count += 1;
        if count <= FILE_LIMIT {
            visit(link);
        }
    };
    let read = match content_type.unwrap_or_default() {
        "application/vnd.pypi.simple.v1+json" | "application/json" => {
            read_json(body, base, &mut visit)
        }
        "text/html"
        | "application/xhtml+xml"
        | "application/vnd.pypi.simple.v1+html"
        | "application/vnd.pypi.simple.latest+html" => read_html(body, base, &mut visit),
        "" => {
            if body.trim_ascii_start().starts_with(b"{") {
                read_json(body, base, &mut visit)
            } else {
                read_html(body, base, &mut visit)
            }
        }
        other => Err(PageError::ContentType(other.chars().take(80).collect())),
    };
    let read = match read {
        Ok(()) if count > FILE_LIMIT => Err(PageError::TooManyFiles(FILE_LIMIT)),
        read => read,
    };
    read.map_err(|source| IndexError::BadPage {
        url: redacted(base),
        source,
    })
}

/// A project in an index on this machine: `<folder>/<name>/index.html`, or the files there.
fn local_project(
    folder: &Path,
    index: &Arc<IndexUrl>,
    name: &PackageName,
) -> Result<Option<Arc<ProjectPage>>, IndexError> {
    let folder = folder.join(name.as_ref());
    if !folder.is_dir() {
        return Ok(None);
    }
    let page = folder.join("index.html");
    let path = if page.is_file() { page } else { folder };
    let Some(url) = path_url(&path) else {
        return Ok(None);
    };
    let links = local_page(&path, &url)?.links;
    page_of(
        &links,
        PageScope::Project,
        true,
        Arc::clone(index),
        name.clone(),
    )
    .map(|page| Some(Arc::new(page)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(files: usize) -> Result<usize, IndexError> {
        let file = r#"{"filename":"a-1.tar.gz","url":"a-1.tar.gz"}"#;
        let page = format!(r#"{{"files":[{}]}}"#, vec![file; files].join(","));
        let base = "https://host.example/simple/a/".parse().unwrap();
        let mut count = 0;
        read_links(page.as_bytes(), None, &base, &mut |_| count += 1)?;
        Ok(count)
    }

    #[test]
    fn a_page_has_so_many_files_and_no_more() {
        assert_eq!(count(FILE_LIMIT).unwrap(), FILE_LIMIT);
        let error = count(FILE_LIMIT + 1).unwrap_err();
        assert!(matches!(
            error,
            IndexError::BadPage {
                source: PageError::TooManyFiles(FILE_LIMIT),
                ..
            }
        ));
    }
}
