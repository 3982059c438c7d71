//! The root of an index: links to the pages of its projects (PEP 503), or their names (PEP 691).
//!
//! People name a root where a page of files is meant (`--find-links`); its projects are then found
//! one page further.

use std::collections::BTreeMap;

use bnbpip_packaging::PackageName;
use serde::Deserialize;
use url::Url;

use super::{PageError, html};

/// The pages of projects by name.
pub(crate) type Root = BTreeMap<PackageName, Url>;

/// The projects whose pages an HTML page links to: those that lie right below it. A link to another
/// server or upwards is none.
///
/// # Errors
/// When the page says that it is in a form of the future.
pub(crate) fn parse_root_html(bytes: &[u8], base: &Url) -> Result<Root, PageError> {
    // Without a slash at its end an address may mean a page in a folder, or the folder itself.
    let mut folders = vec![base.clone()];
    if !base.path().ends_with('/') {
        folders[0].set_path(&format!("{}/", base.path()));
        folders.extend(base.join("."));
    }
    let targets = html::targets(bytes, base)?;
    let projects = targets.into_iter().filter_map(|target| {
        let mut below = folders.iter();
        let name = below.find_map(|folder| project_below(folder, &target))?;
        Some((name, target))
    });
    Ok(projects.collect())
}

/// The projects that the JSON of a root names; none if it is a project's page.
pub(crate) fn parse_root_json(bytes: &[u8], base: &Url) -> Root {
    #[derive(Deserialize)]
    struct Listing {
        #[serde(default)]
        projects: Vec<Project>,
    }
    #[derive(Deserialize)]
    struct Project {
        name: String,
    }
    let Ok(listing) = serde_json::from_slice::<Listing>(bytes) else {
        return Root::new();
    };
    let names = listing.projects.into_iter();
    let projects = names.filter_map(|project| {
        let name: PackageName = project.name.parse().ok()?;
        let mut url = base.clone();
        url.path_segments_mut()
            .ok()?
            .pop_if_empty()
            .push(name.as_ref())
            .push("");
        Some((name, url))
    });
    projects.collect()
}

/// `bitsandbytes` of `<folder>/bitsandbytes/`, of `<folder>/bitsandbytes` and of
/// `<folder>/bitsandbytes/index.html`.
fn project_below(folder: &Url, target: &Url) -> Option<PackageName> {
    let same_place = folder.scheme() == target.scheme()
        && folder.host() == target.host()
        && folder.port_or_known_default() == target.port_or_known_default();
    if !same_place {
        return None;
    }
    let below = target.path().strip_prefix(folder.path())?;
    let below = below.strip_suffix("index.html").unwrap_or(below);
    let name = match below.strip_suffix('/') {
        Some(name) => name,
        // A file has a dot in its name, and so may a project: then a slash must follow.
        None if below.contains('.') => return None,
        None => below,
    };
    let is_one_segment = !name.is_empty() && !name.contains('/');
    is_one_segment.then(|| name.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(html: &str) -> Vec<String> {
        let base = "https://host.example/index/".parse().unwrap();
        let root = parse_root_html(html.as_bytes(), &base).unwrap();
        root.iter()
            .map(|(name, url)| format!("{name} {url}"))
            .collect()
    }

    #[test]
    fn projects_lie_right_below_their_root() {
        let projects = found(
            "<a href='bitsandbytes/'></a><a href='/index/Some.Thing/'></a><a href='plain'></a>\
             <a href='paged/index.html'></a>\
             <a href='../'></a><a href='https://evil.example/index/stolen/'></a><a href='a/b/'></a>\
             <a href='file-1.0.tar.gz'></a><a href='?C=N;O=D'></a>",
        );
        assert_eq!(
            projects,
            [
                "bitsandbytes https://host.example/index/bitsandbytes/",
                "paged https://host.example/index/paged/index.html",
                "plain https://host.example/index/plain",
                "some-thing https://host.example/index/Some.Thing/",
            ]
        );
    }

    #[test]
    fn json_roots_name_projects() {
        let base = "https://host.example/simple/".parse().unwrap();
        let root = parse_root_json(br#"{"projects": [{"name": "A.B"}], "meta": {}}"#, &base);
        let page = root.values().next().map(Url::as_str);
        assert_eq!(page, Some("https://host.example/simple/a-b/"));
        assert!(parse_root_json(br#"{"files": []}"#, &base).is_empty());
    }
}
