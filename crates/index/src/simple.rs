//! Pages of indexes: from the cache while they are fresh, revalidated or fetched when not.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bnbpip_packaging::PackageName;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::cache::{
    Bucket, Cache, CacheKey, Freshness, StoredPolicy, open_sealed, read_stored, seal, write_stored,
};
use crate::error::IndexError;
use crate::http::{Get, HttpError, Purpose, SharedHttp, Whole};
use crate::index_url::{IndexUrl, path_url, redacted, without_credentials};
use crate::locations::IndexEntry;
use crate::options::ClientOptions;
use crate::page::{Link, PageError, PageScope, ProjectPage, build_page, parse_html, parse_json};

/// JSON first; HTML from servers that have no JSON (PEP 691).
const ACCEPT: &str = "application/vnd.pypi.simple.v1+json, \
    application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01";

/// Fetches pages.
#[derive(Debug)]
pub(crate) struct PageFetcher {
    http: SharedHttp,
    cache: Cache,
    offline: bool,
    refresh: bool,
    limit_bytes: u64,
}

/// What a server said about a page that may be in the cache.
enum Reply {
    /// The cached one may be used as it is.
    Cached,
    /// The server says that the cached one is right, and until when.
    Confirmed(StoredPolicy),
    /// There is none.
    Missing,
    /// This is it.
    Fresh(Box<Whole>, Option<StoredPolicy>),
}

/// A flat page as it is cached: the page itself, for its links belong to many projects.
#[derive(Serialize, Deserialize)]
struct FlatRecord {
    url: String,
    content_type: Option<String>,
    body: Vec<u8>,
}

const FLAT_KIND: [u8; 4] = *b"FLAT";

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

    /// An index's page of a project; `None` if the index has no such project.
    pub(crate) async fn project(
        &self,
        entry: &IndexEntry,
        name: &PackageName,
    ) -> Result<Option<Arc<ProjectPage>>, IndexError> {
        let index = Arc::new(entry.url.clone());
        let object = name.to_string();
        let name = name.clone();
        if let Some(folder) = index.to_file_path() {
            return crate::blocking(&object, move || local_project(&folder, &index, &name)).await;
        }
        let url = index.project_url(name.as_ref());
        let path = self.path(&url, "page");
        let cached = {
            let (path, index, name) = (path.clone(), Arc::clone(&index), name.clone());
            crate::blocking(&object, move || Ok(load_page(&path, index, name))).await?
        };
        let (page, policy) = cached.unzip();
        match self.ask(&url, policy, &entry.missing_statuses).await? {
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
                    let page = parse_page(&whole, index, name)?;
                    if let Some(policy) = policy {
                        store(&path, page.bytes(), &policy);
                    }
                    Ok(Some(Arc::new(page)))
                };
                crate::blocking(&object, parse).await
            }
        }
    }

    /// The links of a flat page: a folder, an HTML file, a file, or a page on a server.
    pub(crate) async fn flat(&self, location: &IndexUrl) -> Result<Vec<Link<'static>>, IndexError> {
        let url = location.url().clone();
        if let Some(path) = location.to_file_path() {
            return crate::blocking(location.as_str(), move || local_links(&path, &url)).await;
        }
        let path = self.path(&url, "flat");
        let cached = read_stored(&path).and_then(|(bytes, policy)| {
            let record: FlatRecord = open_sealed(FLAT_KIND, &path, &bytes)?;
            Some((record, policy))
        });
        let (record, policy) = cached.unzip();
        let (record, policy) = match self.ask(&url, policy, &[]).await? {
            Reply::Missing => return Ok(Vec::new()),
            Reply::Cached => (record, None),
            Reply::Confirmed(policy) => (record, Some(policy)),
            Reply::Fresh(whole, policy) => {
                let record = FlatRecord {
                    url: whole.url.to_string(),
                    content_type: content_type(&whole.headers),
                    body: whole.body,
                };
                (Some(record), policy)
            }
        };
        let Some(record) = record else {
            return Ok(Vec::new());
        };
        if let Some(policy) = policy
            && let Ok(bytes) = seal(FLAT_KIND, &path, &record)
        {
            store(&path, &bytes, &policy);
        }
        let base = record.url.parse().unwrap_or(url);
        let links = parse_links(&record.body, record.content_type.as_deref(), &base)?;
        Ok(links.into_iter().map(Link::into_owned).collect())
    }

    fn path(&self, url: &Url, extension: &str) -> PathBuf {
        let key = CacheKey::digest(&[&without_credentials(url)]);
        self.cache.entry(Bucket::Simple, &key, extension)
    }

    /// Decides by the cached page's policy whether the server has to be asked, and asks it.
    async fn ask(
        &self,
        url: &Url,
        policy: Option<StoredPolicy>,
        missing_statuses: &[u16],
    ) -> Result<Reply, IndexError> {
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
        for conditional in [true, false] {
            let get = Get {
                url,
                purpose: Purpose::Page,
                headers: headers.clone(),
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
                _ if missing_statuses.contains(&status.as_u16()) => return Ok(Reply::Missing),
                _ => return Err(HttpError::status(url, status, &whole.headers).into()),
            }
        }
        Err(HttpError::status(url, StatusCode::NOT_MODIFIED, &HeaderMap::new()).into())
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
fn store(path: &Path, bytes: &[u8], policy: &StoredPolicy) {
    if let Err(error) = write_stored(path, bytes, policy) {
        tracing::debug!(%error, "a page can't be cached");
    }
}

fn parse_page(
    whole: &Whole,
    index: Arc<IndexUrl>,
    name: PackageName,
) -> Result<ProjectPage, IndexError> {
    let links = parse_links(
        &whole.body,
        content_type(&whole.headers).as_deref(),
        &whole.url,
    )?;
    page_of(&links, PageScope::Project, index, name)
}

/// A page out of links.
pub(crate) fn page_of(
    links: &[Link<'_>],
    scope: PageScope,
    index: Arc<IndexUrl>,
    name: PackageName,
) -> Result<ProjectPage, IndexError> {
    let is_local = index.url().scheme() == "file";
    let record = build_page(&name, links, scope, is_local);
    let url = index.to_string();
    ProjectPage::from_record(name, index, &record)
        .map_err(|source| IndexError::BadPage { url, source })
}

fn content_type(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let essence = text.split(';').next().unwrap_or_default();
    Some(essence.trim().to_ascii_lowercase())
}

fn parse_links<'page>(
    body: &'page [u8],
    content_type: Option<&str>,
    base: &Url,
) -> Result<Vec<Link<'page>>, IndexError> {
    let links = match content_type.unwrap_or_default() {
        "application/vnd.pypi.simple.v1+json" | "application/json" => parse_json(body, base),
        "text/html"
        | "application/xhtml+xml"
        | "application/vnd.pypi.simple.v1+html"
        | "application/vnd.pypi.simple.latest+html" => parse_html(body, base),
        "" => {
            if body.trim_ascii_start().starts_with(b"{") {
                parse_json(body, base)
            } else {
                parse_html(body, base)
            }
        }
        other => Err(PageError::ContentType(other.chars().take(80).collect())),
    };
    links.map_err(|source| IndexError::BadPage {
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
    let links = local_links(&path, &url)?;
    page_of(&links, PageScope::Project, Arc::clone(index), name.clone())
        .map(|page| Some(Arc::new(page)))
}

/// The links in an HTML file, or to the files of a folder, or to the one file.
fn local_links(path: &Path, url: &Url) -> Result<Vec<Link<'static>>, IndexError> {
    let io = |source| IndexError::io("read", path, 0, source);
    let metadata = fs_err::metadata(path).map_err(io)?;
    let extension = path.extension().unwrap_or_default();
    if metadata.is_dir() {
        let mut links = Vec::new();
        for entry in fs_err::read_dir(path).map_err(io)? {
            let entry = entry.map_err(io)?;
            links.extend(local_link(&entry.path()));
        }
        // The order in which a folder is listed is nobody's choice.
        links.sort_by(|left, right| left.filename.cmp(&right.filename));
        return Ok(links);
    }
    if extension.eq_ignore_ascii_case("html") || extension.eq_ignore_ascii_case("htm") {
        let body = fs_err::read(path).map_err(io)?;
        return parse_html(&body, url).map_err(|source| IndexError::BadPage {
            url: url.to_string(),
            source,
        });
    }
    Ok(local_link(path).into_iter().collect())
}

fn local_link(path: &Path) -> Option<Link<'static>> {
    let metadata = fs_err::metadata(path)
        .ok()
        .filter(std::fs::Metadata::is_file)?;
    Some(Link {
        filename: path.file_name()?.to_str()?.to_string().into(),
        url: String::from(Url::from_file_path(path).ok()?).into(),
        size_bytes: Some(metadata.len()),
        ..Link::default()
    })
}
