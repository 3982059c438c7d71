//! The rules of a run: the ones that bnbpip carries, with a team's own over them.

pub(crate) mod published;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use bnbpip_overlay::{
    Overlay, RuleDocument, RuleId, RuleSource, embedded_catalogs, embedded_profiles,
    embedded_sources,
};
use bnbpip_packaging::Hashes;
use sha2::{Digest as _, Sha256};

use super::resolve::remote_file;
use crate::bounded;
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::request::path_or_url::without_credentials;

/// The name that stands for the rules which bnbpip carries.
pub(crate) const EMBEDDED: &str = "embedded";

use published::PublishedSet;

/// A rule file's name and text.
#[derive(Debug, Clone)]
pub(crate) struct RuleFile {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// The rules in force: the embedded ones or the published ones that took their place, the layers over them, without those that the user allows.
///
/// # Errors
/// When a layer can't be read, or an allowed rule's identifier is malformed or names no rule.
pub(crate) fn overlay(
    layers: &[String],
    allow: &[String],
    settings: &Settings,
) -> Result<Overlay, Failure> {
    let base = match published::in_force(settings)? {
        Some(set) => Overlay::empty().with_layer(parse(&set.files()?)?),
        None => Overlay::embedded()?,
    };
    let overlay = base.with_layer(layer_documents(layers, settings)?);
    let mut allowed: Vec<RuleId> = Vec::new();
    for text in &settings.project.options.allow {
        let id = existing(text, &overlay).map_err(|failure| match &settings.project.path {
            Some(path) => failure.hint(format!("`{}` allows it", path.display())),
            None => failure,
        })?;
        allowed.push(id);
    }
    for text in allow {
        allowed.push(existing(text, &overlay)?);
    }
    Ok(overlay.without(&allowed))
}

/// An identifier that a rule has or, before it was withdrawn, had.
fn existing(text: &str, overlay: &Overlay) -> Result<RuleId, Failure> {
    let id: RuleId = text.to_uppercase().parse()?;
    if overlay.get(&id).is_some() || embedded_document(&id).is_some() {
        return Ok(id);
    }
    Err(
        Failure::new(format!("Failed to allow `{id}`: there is no such rule"))
            .hint("`bnbpip rules list` shows the rules"),
    )
}

/// The project's layers, whose relative paths start where its file is, and over them these.
fn with_project(layers: &[String], settings: &Settings) -> Vec<String> {
    let folder = settings.project.folder().unwrap_or(Path::new(""));
    let of_project = settings.project.options.overlays.iter().map(|layer| {
        if layer.contains("://") {
            layer.clone()
        } else {
            folder.join(layer).to_string_lossy().into_owned()
        }
    });
    of_project.chain(layers.iter().cloned()).collect()
}

/// The whole documents of the base and the layers over them, by identifier.
///
/// # Errors
/// When a layer can't be read.
pub(crate) fn documents(
    layers: &[String],
    settings: &Settings,
) -> Result<Vec<RuleDocument>, Failure> {
    over_base(layer_documents(layers, settings)?, settings)
}

/// The whole documents of the base with these over them, by identifier.
///
/// # Errors
/// When the base can't be read.
pub(crate) fn over_base(
    layers: impl IntoIterator<Item = RuleDocument>,
    settings: &Settings,
) -> Result<Vec<RuleDocument>, Failure> {
    let mut documents: BTreeMap<RuleId, RuleDocument> = BTreeMap::new();
    for document in parse(&base(settings)?)?.into_iter().chain(layers) {
        documents.insert(document.rule.id.clone(), document);
    }
    Ok(documents.into_values().collect())
}

/// The whole documents of the layers over the embedded rules, lowest first.
///
/// # Errors
/// When a layer can't be read.
pub(crate) fn layer_documents(
    layers: &[String],
    settings: &Settings,
) -> Result<Vec<RuleDocument>, Failure> {
    let mut documents = Vec::new();
    for layer in with_project(layers, settings) {
        documents.extend(parse(&read(&layer, settings)?)?);
    }
    Ok(documents)
}

/// The rule files of the base and the layers over it, lowest first.
///
/// # Errors
/// When a layer can't be read.
pub(crate) fn files(layers: &[String], settings: &Settings) -> Result<Vec<RuleFile>, Failure> {
    let mut files = base(settings)?;
    for layer in with_project(layers, settings) {
        files.extend(read(&layer, settings)?);
    }
    Ok(files)
}

/// The embedded document of a rule, withdrawn or not.
pub(crate) fn embedded_document(id: &RuleId) -> Option<RuleDocument> {
    let file = format!("/{id}.md");
    let source = embedded_sources()
        .iter()
        .find(|source| source.path.ends_with(&file))?;
    Overlay::parse_rule(source.text, source.path).ok()
}

/// The rule files that a word names: `embedded`, a folder, a file, or a URL.
///
/// # Errors
/// When they can't be read, or a URL's content isn't what its hash says.
pub(crate) fn read(source: &str, settings: &Settings) -> Result<Vec<RuleFile>, Failure> {
    if source == EMBEDDED {
        return Ok(embedded());
    }
    if source.starts_with("http://") || source.starts_with("https://") {
        return bundle(source, &remote(source, settings)?);
    }
    let path = settings.environment.working_directory().join(source);
    if path.is_dir() {
        return folder(&path);
    }
    if !path.exists() {
        return Err(Failure::new(format!(
            "Failed to read rules from `{}`: there is no such file or folder",
            path.display()
        )));
    }
    let content = bounded::read(&path, bounded::TEXT_BYTES)?;
    if path
        .extension()
        .is_some_and(|extension| extension == "json")
    {
        bundle(source, &content)
    } else {
        Ok(vec![RuleFile {
            name: source.to_owned(),
            text: text_of(source, content)?,
        }])
    }
}

/// Parses rule files; the first that isn't valid is the failure.
///
/// # Errors
/// When one isn't a valid rule.
pub(crate) fn parse(files: &[RuleFile]) -> Result<Vec<RuleDocument>, Failure> {
    let parsed = files
        .iter()
        .map(|file| Overlay::parse_rule(&file.text, &file.name));
    let documents: Result<Vec<_>, _> = parsed.collect();
    documents.map_err(|error| {
        Failure::from(error).hint("`bnbpip rules lint DIR` shows all that is wrong at once")
    })
}

/// The rule files that everything else lies over: the published set in force, else the embedded ones.
///
/// # Errors
/// When the published set can't be read.
pub(crate) fn base(settings: &Settings) -> Result<Vec<RuleFile>, Failure> {
    match published::in_force(settings)? {
        Some(set) => set.files(),
        None => Ok(embedded()),
    }
}

pub(crate) fn embedded() -> Vec<RuleFile> {
    embedded_sources()
        .iter()
        .map(|source| RuleFile {
            name: source.path.to_owned(),
            text: source.text.to_owned(),
        })
        .collect()
}

/// The profiles of a folder of rules: every `.toml` in a folder `profiles` of it; of the embedded
/// ones without a folder.
///
/// # Errors
/// When one can't be read.
pub(crate) fn profile_files(root: Option<&Path>) -> Result<Vec<RuleFile>, Failure> {
    toml_files(root, "profiles", embedded_profiles())
}

/// The catalogs of a folder's `catalogs`, or the ones that bnbpip carries.
///
/// # Errors
/// When a file can't be read.
pub(crate) fn catalog_files(root: Option<&Path>) -> Result<Vec<RuleFile>, Failure> {
    toml_files(root, "catalogs", embedded_catalogs())
}

fn toml_files(
    root: Option<&Path>,
    folder: &str,
    embedded: &[RuleSource],
) -> Result<Vec<RuleFile>, Failure> {
    let Some(root) = root else {
        let embedded = embedded.iter().map(|source| RuleFile {
            name: source.path.to_owned(),
            text: source.text.to_owned(),
        });
        return Ok(embedded.collect());
    };
    if root.is_file() {
        // A single rule, or an exported set: neither brings other files.
        return Ok(Vec::new());
    }
    let folder = format!("/{folder}/");
    let is_in_folder = |file: &RuleFile| format!("/{}", file.name).contains(&folder);
    Ok(below(root, "toml")?
        .into_iter()
        .filter(is_in_folder)
        .collect())
}

/// The files below a folder with this extension, sorted; their names are relative to it.
fn below(root: &Path, extension: &str) -> Result<Vec<RuleFile>, Failure> {
    let mut files = Vec::new();
    let mut open: Vec<PathBuf> = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs_err::read_dir(&folder)? {
            let (path, kind) = {
                let entry = entry?;
                (entry.path(), entry.file_type()?)
            };
            if kind.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                let name = path.strip_prefix(root).unwrap_or(&path);
                let name = name.to_string_lossy().replace('\\', "/");
                let text = text_of(&name, bounded::read(&path, bounded::TOML_BYTES)?)?;
                files.push(RuleFile { name, text });
            }
        }
    }
    files.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(files)
}

/// The rule files of a folder and the folders in it: every `.md` that starts like one.
fn folder(root: &Path) -> Result<Vec<RuleFile>, Failure> {
    let is_rule = |file: &RuleFile| file.text.trim_start_matches('\u{feff}').starts_with("+++");
    let files: Vec<RuleFile> = below(root, "md")?.into_iter().filter(is_rule).collect();
    if files.is_empty() {
        return Err(Failure::new(format!(
            "Failed to read rules from `{}`: it has no rule file",
            root.display()
        ))
        .hint("a rule file ends in `.md` and starts with `+++`; `bnbpip rules new` writes one"));
    }
    Ok(files)
}

/// The rule files of an exported set.
fn bundle(source: &str, content: &[u8]) -> Result<Vec<RuleFile>, Failure> {
    #[derive(serde::Deserialize)]
    struct Bundle {
        rules: Vec<Entry>,
    }
    #[derive(serde::Deserialize)]
    struct Entry {
        file: String,
        text: String,
    }
    let bundle: Bundle = serde_json::from_slice(content).map_err(|error| {
        Failure::new(format!("Failed to read rules from `{source}`"))
            .caused_by(error.to_string())
            .hint("`bnbpip rules export --format json` writes such a file")
    })?;
    let file = |entry: Entry| RuleFile {
        name: entry.file,
        text: entry.text,
    };
    Ok(bundle.rules.into_iter().map(file).collect())
}

/// What is behind a URL. Rules decide what is installed: they are taken only with a known hash.
fn remote(source: &str, settings: &Settings) -> Result<Vec<u8>, Failure> {
    let url = url(source)?;
    let Some(expected) = in_fragment(&url) else {
        return Err(unknown_hash(source, "append `#sha256=...` to it"));
    };
    let content = remote_file::read(&url, settings)?;
    check_hash(source, &content, &expected)?;
    Ok(content)
}

/// A published set from a file or a URL, with the hash that it must have.
///
/// # Errors
/// When no hash is known, the set can't be had, or it isn't the one that was meant.
pub(crate) fn published_set(
    source: &str,
    sha256: Option<&str>,
    settings: &Settings,
) -> Result<PublishedSet, Failure> {
    let is_url = source.starts_with("http://") || source.starts_with("https://");
    let url = if is_url { Some(url(source)?) } else { None };
    let known = match sha256 {
        Some(hex) => Some(Hashes::parse_one(&format!("sha256:{hex}"))?.1),
        None => url.as_ref().and_then(in_fragment),
    };
    let Some(known) = known else {
        return Err(unknown_hash(
            source,
            "give the hash that its publisher names as `--sha256`",
        ));
    };
    let content = if let Some(url) = &url {
        remote_file::read(url, settings)?
    } else {
        let path = settings.environment.working_directory().join(source);
        bounded::read(&path, bounded::TEXT_BYTES)?
    };
    check_hash(source, &content, &known)?;
    Ok(PublishedSet {
        source: url.map_or_else(|| source.to_owned(), |url| without_credentials(&url)),
        sha256: known.into(),
        set: text_of(source, content)?,
    })
}

fn url(source: &str) -> Result<url::Url, Failure> {
    source
        .parse()
        .map_err(|error| Failure::new(format!("Failed to read `{source}`: {error}")))
}

fn in_fragment(url: &url::Url) -> Option<Box<str>> {
    let hashes = Hashes::parse_fragment(url.fragment().unwrap_or_default());
    hashes.sha256().map(Into::into)
}

fn unknown_hash(source: &str, hint: &str) -> Failure {
    Failure::new(format!(
        "Failed to take rules from `{source}`: the SHA-256 of what it brings isn't known"
    ))
    .hint(hint)
}

fn check_hash(source: &str, content: &[u8], expected: &str) -> Result<(), Failure> {
    let found = sha256_hex(content);
    if found == expected {
        return Ok(());
    }
    Err(Failure::new(format!(
        "Failed to take rules from `{source}`: their SHA-256 is {found}"
    ))
    .hint("these are not the rules that were meant; if they changed on purpose, change the hash"))
}

fn sha256_hex(content: &[u8]) -> String {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(content) {
        // Writing into a `String` cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

fn text_of(name: &str, content: Vec<u8>) -> Result<String, Failure> {
    String::from_utf8(content)
        .map_err(|_| Failure::new(format!("Failed to read `{name}`: it isn't UTF-8")))
}
