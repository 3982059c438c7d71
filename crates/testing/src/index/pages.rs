//! The index's pages: a project's files and the list of projects, as JSON and HTML.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::State;
use super::respond::encode;
use super::served::HostedFile;

pub(super) const JSON: &str = "application/vnd.pypi.simple.v1+json";
pub(super) const HTML: &str = "application/vnd.pypi.simple.v1+html";

/// The link to a file from a page that lies `depth` folders deep.
fn link(state: &State, file: &HostedFile, depth: usize) -> String {
    if let Some(url) = &file.url {
        return url.clone();
    }
    let start = if state.options.relative_links {
        "../".repeat(depth)
    } else {
        format!("{}/", state.base)
    };
    format!("{start}files/{}", encode(&file.filename))
}

pub(super) fn project_json(state: &State, project: &str) -> Option<String> {
    let files: Vec<&HostedFile> = state
        .files
        .iter()
        .filter(|file| file.normalized_project() == project)
        .collect();
    if files.is_empty() {
        return None;
    }
    let entries: Vec<Value> = files.iter().map(|file| file_json(state, file)).collect();
    let versions: BTreeSet<String> = files.iter().filter_map(|file| version_of(file)).collect();
    Some(
        json!({
            "meta": {"api-version": "1.1"},
            "name": project,
            "versions": versions,
            "files": entries,
        })
        .to_string(),
    )
}

fn file_json(state: &State, file: &HostedFile) -> Value {
    let mut hashes = Map::new();
    if let Some(sha256) = file.sha256() {
        hashes.insert("sha256".to_string(), sha256.into());
    }
    let mut entry = json!({
        "filename": file.filename,
        "url": link(state, file, 2),
        "hashes": hashes,
        "requires-python": file.requires_python,
        "yanked": yanked_json(file),
    });
    if state.options.sizes {
        entry["size"] = file.bytes.len().into();
    }
    if let Some(time) = &file.upload_time {
        entry["upload-time"] = time.as_str().into();
    }
    let metadata = match &file.metadata {
        Some(metadata) if state.options.metadata_files => {
            json!({"sha256": crate::sha256_hex(metadata)})
        }
        _ => false.into(),
    };
    if file.publisher.is_some() {
        entry["provenance"] = provenance_url(state, file).into();
    }
    entry["core-metadata"] = metadata;
    entry
}

/// Where it is told who attests to a file.
fn provenance_url(state: &State, file: &HostedFile) -> String {
    let version = version_of(file).unwrap_or_default();
    let (project, filename) = (file.normalized_project(), encode(&file.filename));
    format!(
        "{}/integrity/{project}/{version}/{filename}/provenance",
        state.base
    )
}

/// The provenance object of a file: its publisher, and attestations that nobody signed.
pub(super) fn provenance(state: &State, path: &str) -> Option<String> {
    let filename = path.strip_suffix("/provenance")?.rsplit('/').next()?;
    let mut files = state.files.iter();
    let publisher = files
        .find(|file| file.filename == filename)?
        .publisher
        .as_ref()?;
    let bundle = json!({"publisher": publisher, "attestations": []});
    Some(json!({"version": 1, "attestation_bundles": [bundle]}).to_string())
}

fn yanked_json(file: &HostedFile) -> Value {
    match file.yanked.as_deref() {
        None => false.into(),
        Some("") => true.into(),
        Some(reason) => reason.into(),
    }
}

/// The second part of a wheel's name, or what follows the project's name in an sdist's.
fn version_of(file: &HostedFile) -> Option<String> {
    if let Some(stem) = file.filename.strip_suffix(".whl") {
        return stem.split('-').nth(1).map(str::to_string);
    }
    let stem = file
        .filename
        .strip_suffix(".tar.gz")
        .or_else(|| file.filename.strip_suffix(".zip"))?;
    stem.rsplit_once('-')
        .map(|(_, version)| version.to_string())
}

pub(super) fn project_html(state: &State, project: &str) -> Option<String> {
    let files: Vec<&HostedFile> = state
        .files
        .iter()
        .filter(|file| file.normalized_project() == project)
        .collect();
    (!files.is_empty()).then(|| html(state, &format!("Links for {project}"), &files, 2))
}

/// A page with every file, for `--find-links`.
pub(super) fn flat_html(state: &State) -> String {
    html(state, "Files", &state.files.iter().collect::<Vec<_>>(), 1)
}

fn html(state: &State, title: &str, files: &[&HostedFile], depth: usize) -> String {
    let base = state.options.html_base.as_ref();
    let base = base.map_or(String::new(), |url| {
        format!("<base href=\"{}\">", escape(url))
    });
    let mut page = format!(
        "<!DOCTYPE html>\n<html><head><meta name=\"pypi:repository-version\" content=\"1.1\">{base}\
         <title>{title}</title></head><body>\n<h1>{title}</h1>\n"
    );
    for file in files {
        page += &anchor(state, file, depth);
    }
    page + "</body></html>\n"
}

fn anchor(state: &State, file: &HostedFile, depth: usize) -> String {
    let fragment = file
        .sha256()
        .map_or(String::new(), |sha256| format!("#sha256={sha256}"));
    let mut attributes = String::new();
    let mut attribute = |name: &str, value: &str| {
        attributes.extend([" ", name, "=\"", &escape(value), "\""]);
    };
    if let Some(specifiers) = &file.requires_python {
        attribute("data-requires-python", specifiers);
    }
    if let Some(reason) = &file.yanked {
        attribute("data-yanked", reason);
    }
    if let Some(metadata) = file
        .metadata
        .as_ref()
        .filter(|_| state.options.metadata_files)
    {
        let value = format!("sha256={}", crate::sha256_hex(metadata));
        attribute("data-core-metadata", &value);
        attribute("data-dist-info-metadata", &value);
    }
    let href = escape(&(link(state, file, depth) + &fragment));
    format!(
        "<a href=\"{href}\"{attributes}>{}</a><br>\n",
        escape(&file.filename)
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

fn projects(state: &State) -> BTreeSet<String> {
    state
        .files
        .iter()
        .map(HostedFile::normalized_project)
        .collect()
}

pub(super) fn root_json(state: &State) -> String {
    let projects: Vec<Value> = projects(state)
        .into_iter()
        .map(|name| json!({"name": name}))
        .collect();
    json!({"meta": {"api-version": "1.1"}, "projects": projects}).to_string()
}

pub(super) fn root_html(state: &State) -> String {
    let mut links = String::new();
    for name in projects(state) {
        links.extend(["<a href=\"/simple/", &name, "/\">", &name, "</a><br>\n"]);
    }
    format!("<!DOCTYPE html>\n<html><body>\n{links}</body></html>\n")
}
