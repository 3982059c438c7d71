//! Pages of links: a folder, an HTML file, a file, or a page on a server. Where such a page is the
//! root of an index, its projects' pages are found as well.

use std::path::Path;
use std::sync::Arc;

use bnbpip_packaging::{PackageName, SdistExtension};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::cache::{open_sealed, read_stored, seal};
use crate::error::IndexError;
use crate::index_url::IndexUrl;
use crate::page::{
    Link, PageScope, ProjectPage, Root, last_segment, parse_root_html, parse_root_json, read_html,
};
use crate::simple::{PageFetcher, Reply, content_type, page_of, read_links, store};

/// The links of a page to files, and those to the pages of projects.
#[derive(Debug, Default)]
pub(crate) struct FlatPage {
    pub(crate) links: Vec<Link<'static>>,
    projects: Root,
}

/// A flat page as it is cached: the page itself, for its links belong to many projects.
#[derive(Serialize, Deserialize)]
struct FlatRecord {
    url: String,
    content_type: Option<String>,
    body: Vec<u8>,
}

const KIND: [u8; 4] = *b"FLAT";

/// The statuses of a project's page below a root that mean that there is none.
const MISSING: &[u16] = &[404, 410];

impl PageFetcher {
    /// What a place has, whatever project it is of.
    pub(crate) async fn flat(&self, location: &IndexUrl) -> Result<FlatPage, IndexError> {
        let url = location.url().clone();
        if let Some(path) = location.to_file_path() {
            return crate::blocking(location.as_str(), move || local_page(&path, &url)).await;
        }
        if let Some(link) = link_to_file(&url) {
            return Ok(FlatPage {
                links: vec![link],
                ..FlatPage::default()
            });
        }
        let path = self.path(&url, "flat");
        let cached = read_stored(&path).and_then(|(bytes, policy)| {
            let record: FlatRecord = open_sealed(KIND, &path, &bytes)?;
            Some((record, policy))
        });
        let (record, policy) = cached.unzip();
        let (record, policy) = match self.ask(&url, policy, &location.as_place(&[])).await? {
            Reply::Missing => return Ok(FlatPage::default()),
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
            return Ok(FlatPage::default());
        };
        if let Some(policy) = policy
            && let Ok(bytes) = seal(KIND, &path, &record)
        {
            store(&path, &bytes, &policy);
        }
        record.read(&url)
    }

    /// The page of a project that a flat page links to, as the root of an index does.
    pub(crate) async fn project_of(
        &self,
        flat: &FlatPage,
        location: &Arc<IndexUrl>,
        name: &PackageName,
    ) -> Result<Option<Arc<ProjectPage>>, IndexError> {
        let Some(url) = flat.projects.get(name) else {
            return Ok(None);
        };
        if url.scheme() == "file" {
            let (url, location, name) = (url.clone(), Arc::clone(location), name.clone());
            let object = name.to_string();
            let read = move || local_project(&url, location, name);
            return crate::blocking(&object, read).await;
        }
        self.page_at(url, &location.as_place(MISSING), location, name)
            .await
    }
}

impl FlatRecord {
    fn read(&self, asked: &Url) -> Result<FlatPage, IndexError> {
        let base = self.url.parse().unwrap_or_else(|_| asked.clone());
        let content_type = self.content_type.as_deref();
        let projects = parse_root_json(&self.body, &base);
        if !projects.is_empty() {
            return Ok(FlatPage {
                projects,
                ..FlatPage::default()
            });
        }
        let mut links = Vec::new();
        read_links(&self.body, content_type, &base, &mut |link| {
            links.push(link.into_owned());
        })?;
        Ok(FlatPage {
            links,
            projects: parse_root_html(&self.body, &base).unwrap_or_default(),
        })
    }
}

/// The link itself, where a file is named in a page's place.
fn link_to_file(url: &Url) -> Option<Link<'static>> {
    let filename = last_segment(url);
    let is_wheel = Path::new(&*filename)
        .extension()
        .is_some_and(|extension| extension == "whl");
    let is_archive = is_wheel || SdistExtension::of(&filename).is_some();
    is_archive.then(|| Link::to(url.clone()))
}

/// The page of a project that a local root links to.
fn local_project(
    url: &Url,
    location: Arc<IndexUrl>,
    name: PackageName,
) -> Result<Option<Arc<ProjectPage>>, IndexError> {
    let Ok(mut path) = url.to_file_path() else {
        return Ok(None);
    };
    let page = path.join("index.html");
    if page.is_file() {
        path = page;
    }
    if !path.exists() {
        return Ok(None);
    }
    let base = Url::from_file_path(&path).unwrap_or_else(|()| url.clone());
    let links = local_page(&path, &base)?.links;
    page_of(&links, PageScope::Project, true, location, name).map(|page| Some(Arc::new(page)))
}

/// The files of a folder and what the HTML files in it link to, or what one HTML file links to, or
/// the one file.
pub(crate) fn local_page(path: &Path, url: &Url) -> Result<FlatPage, IndexError> {
    let io = |source| IndexError::io("read", path, 0, source);
    let metadata = fs_err::metadata(path).map_err(io)?;
    if !metadata.is_dir() {
        if is_html(path) {
            return local_html(path, url);
        }
        return Ok(FlatPage {
            links: local_link(path).into_iter().collect(),
            ..FlatPage::default()
        });
    }
    let mut entries = Vec::new();
    for entry in fs_err::read_dir(path).map_err(io)? {
        entries.push(entry.map_err(io)?.path());
    }
    // The order in which a folder is listed is nobody's choice.
    entries.sort();
    let mut flat = FlatPage::default();
    for entry in &entries {
        if is_html(entry)
            && let Ok(url) = Url::from_file_path(entry)
        {
            let page = local_html(entry, &url)?;
            flat.links.extend(page.links);
            flat.projects.extend(page.projects);
        } else {
            flat.links.extend(local_link(entry));
        }
    }
    Ok(flat)
}

fn is_html(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default();
    let is_named_so =
        extension.eq_ignore_ascii_case("html") || extension.eq_ignore_ascii_case("htm");
    is_named_so && path.is_file()
}

fn local_html(path: &Path, url: &Url) -> Result<FlatPage, IndexError> {
    let io = |source| IndexError::io("read", path, 0, source);
    let body = fs_err::read(path).map_err(io)?;
    let bad = |source| IndexError::BadPage {
        url: url.to_string(),
        source,
    };
    let mut links = Vec::new();
    read_html(&body, url, &mut |link| links.push(link)).map_err(bad)?;
    Ok(FlatPage {
        links,
        projects: parse_root_html(&body, url).map_err(bad)?,
    })
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
