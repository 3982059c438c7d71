//! Requirements that are files, folders or addresses rather than names: wheels, and sources that
//! have to be built. What can't be either is refused with a sentence that says what to do.

use std::path::Path;

use std::str::FromStr as _;

use bnbpip_build::git::GitUrl;
use bnbpip_packaging::{PackageName, SdistExtension, VerbatimUrl, Version, WheelFilename};
use url::Url;

use super::{RequirementOrigin, Surroundings, syntax};
use crate::failure::Failure;

const ARCHIVE_EXTENSIONS: &[&str] = &[
    ".whl",
    ".zip",
    ".tar.gz",
    ".tgz",
    ".tar",
    ".tar.bz2",
    ".tbz",
    ".tar.xz",
    ".txz",
    ".tlz",
    ".tar.lz",
    ".tar.lzma",
];

const VERSION_CONTROL: &[&str] = &["git+", "hg+", "svn+", "bzr+"];

/// An address with what it says by itself.
#[derive(Debug, Clone)]
pub(super) struct Reference {
    pub(super) url: VerbatimUrl,
    /// The project's name, if a file name or `#egg=` says it.
    pub(super) name: Option<PackageName>,
    /// Whether it is a wheel.
    pub(super) is_wheel: bool,
    /// The text in the brackets of `./x.whl[extra]`.
    pub(super) extras: Option<String>,
}

/// Whether the text begins like a URL of a kind that a requirement may have.
pub(super) fn is_url(text: &str) -> bool {
    let Some((scheme, _)) = text.split_once(':') else {
        return false;
    };
    let scheme = scheme.to_ascii_lowercase();
    ["http", "https", "file", "ftp"].contains(&scheme.as_str())
        || VERSION_CONTROL
            .iter()
            .any(|prefix| scheme.starts_with(prefix))
}

/// The path in `file:some/where`, which starts at the working directory.
fn relative_file_url(text: &str) -> Option<&str> {
    let path = text.strip_prefix("file:")?;
    (!path.is_empty() && !path.starts_with('/') && !Path::new(path).is_absolute()).then_some(path)
}

/// Whether the text looks like a path: a separator in it, or a dot at its start.
pub(super) fn looks_like_path(text: &str) -> bool {
    text.contains('/') || text.starts_with('.') || (cfg!(windows) && text.contains('\\'))
}

/// Reads the text as a path or URL. `None` if it is neither.
///
/// # Errors
/// When it is one that can't be installed from.
pub(super) fn parse(
    text: &str,
    origin: &RequirementOrigin,
    surroundings: Surroundings<'_>,
) -> Result<Option<Reference>, Failure> {
    if let Some(path) = relative_file_url(text) {
        let (path, fragment) = path.split_once('#').unwrap_or((path, ""));
        let url = file_url(&surroundings.absolute(path));
        let mut url = url.ok_or_else(|| {
            Failure::new(format!("Failed to use the path `{text}` as an address"))
        })?;
        url.set_fragment((!fragment.is_empty()).then_some(fragment));
        return from_url(url, text, origin).map(Some);
    }
    if is_url(text) {
        let url = Url::parse(text).map_err(|error| {
            syntax::invalid(text, text, &error.to_string(), (0, text.len()), origin)
        })?;
        return from_url(url, text, origin).map(Some);
    }
    let (path_text, extras) = split_extras(text);
    let path = surroundings.absolute(path_text);
    if (looks_like_path(text) || surroundings_folder(path_text)) && path.is_dir() {
        let mut reference = directory(text, &path, origin)?;
        reference.extras = extras.map(str::to_owned);
        return Ok(Some(reference));
    }
    let lowercase = path_text.to_ascii_lowercase();
    if !ARCHIVE_EXTENSIONS
        .iter()
        .any(|extension| lowercase.ends_with(extension))
    {
        return Ok(None);
    }
    if !path.is_file() {
        // `name @ https://…/x.whl` ends like a file name too.
        let before = path_text.split_once('@').map(|(before, _)| before);
        if before.is_some_and(|before| !looks_like_path(before)) {
            return Ok(None);
        }
        return Err(Failure::new(format!(
            "Requirement '{text}'{} looks like a filename, but the file does not exist",
            syntax::from(origin)
        )));
    }
    let url = file_url(&path)
        .ok_or_else(|| Failure::new(format!("Failed to use the path `{text}` as an address")))?;
    let mut reference = from_url(url, text, origin)?;
    reference.extras = extras.map(str::to_owned);
    Ok(Some(reference))
}

/// Whether the text is a path that ends as archives do, but for wheels, whose names say the
/// project's.
pub(super) fn is_archive(text: &str) -> bool {
    let lowercase = text.to_ascii_lowercase();
    let mut extensions = ARCHIVE_EXTENSIONS.iter().filter(|it| **it != ".whl");
    !is_url(text) && !text.contains('@') && extensions.any(|it| lowercase.ends_with(it))
}

/// Whether the text is `name @ git+https://…`.
pub(super) fn named_repository(text: &str) -> bool {
    let Some((name, address)) = text.split_once('@') else {
        return false;
    };
    let address = address.trim_start();
    let mut kinds = VERSION_CONTROL.iter();
    kinds.any(|prefix| address.starts_with(prefix)) && !is_url(name.trim())
}

/// The two sides of `name @ file:///folder`, the name with its extras.
pub(super) fn named_folder(text: &str) -> Option<(&str, &str)> {
    let (name, address) = text.split_once('@')?;
    let (name, address) = (name.trim(), address.trim_start());
    let (plain, _) = split_extras(name);
    let is_name = plain.trim().parse::<PackageName>().is_ok();
    (is_name && address.starts_with("file:")).then_some((name, address))
}

/// Reads the text as a project to be installed in place: a folder, or a repository's address with
/// `#egg=`.
///
/// # Errors
/// When it is neither, or there is no project in the folder.
pub(super) fn editable(
    text: &str,
    origin: &RequirementOrigin,
    surroundings: Surroundings<'_>,
) -> Result<Reference, Failure> {
    let from = syntax::from(origin);
    if VERSION_CONTROL
        .iter()
        .any(|prefix| text.starts_with(prefix))
    {
        let url = Url::parse(text).map_err(|error| {
            syntax::invalid(text, text, &error.to_string(), (0, text.len()), origin)
        })?;
        let reference = from_url(url, text, origin)?;
        return match &reference.name {
            Some(_) => Ok(reference),
            None => Err(Failure::new(format!(
                "Could not detect requirement name for '{text}'{from}, please specify one with \
                 your_package_name @ URL"
            ))),
        };
    }
    let (path_text, extras) = split_extras(text);
    let (path, egg) = match (relative_file_url(text), Url::parse(text)) {
        (Some(path), _) => {
            let path = path.split('#').next().unwrap_or_default();
            (surroundings.absolute(path), egg_name(text))
        }
        (None, Ok(url)) if url.scheme() == "file" => {
            (url.to_file_path().unwrap_or_default(), egg_name(text))
        }
        _ => (surroundings.absolute(path_text), None),
    };
    let extras = match egg {
        Some(_) => egg_extras(text),
        None => extras.map(str::to_owned),
    };
    if path.is_dir() && !is_project(&path) {
        return Err(Failure::new(format!(
            "{text}{from} does not appear to be a Python project: neither 'setup.py' nor \
             'pyproject.toml' found"
        )));
    }
    if !path.is_dir() {
        return Err(Failure::new(format!(
            "{text} is not a valid editable requirement{from}. It should either be a path to a \
             local project or a VCS URL (beginning with git+file, git+git, git+http, git+https, \
             git+ssh)."
        )));
    }
    let mut reference = directory(text, &path, origin)?;
    reference.name = egg;
    reference.extras = extras;
    Ok(reference)
}

/// The name in `#egg=name`.
fn egg_name(text: &str) -> Option<PackageName> {
    let (_, egg) = text.split_once("egg=")?;
    let end = egg.find(['&', '[']).unwrap_or(egg.len());
    egg[..end].parse().ok()
}

/// The brackets in `#egg=name[extra]`.
fn egg_extras(text: &str) -> Option<String> {
    let (_, egg) = text.split_once("egg=")?;
    let egg = egg.split('&').next()?;
    let (_, extras) = split_extras(egg);
    extras.map(str::to_owned)
}

/// `.` and `..` have no separator in them.
fn surroundings_folder(text: &str) -> bool {
    text == "." || text == ".."
}

/// Refuses what can be no project's name after `#egg=`: extras and versions don't stand there.
fn check_egg(url: &Url, from: &str) -> Result<(), Failure> {
    let mut parts = url.fragment().unwrap_or_default().split('&');
    let Some(egg) = parts.find_map(|part| part.strip_prefix("egg=")) else {
        return Ok(());
    };
    if egg.parse::<PackageName>().is_ok() {
        return Ok(());
    }
    let shown = without_credentials(url);
    Err(Failure::new(format!(
        "The '{egg}' egg fragment is invalid: '{shown}'{from}"
    ))
    .hint("names and extras stand in front of an address: `name[extra] @ URL`"))
}

/// Reads an address: a wheel's, an archive's, a folder's or a repository's.
///
/// # Errors
/// When it can be none of them.
pub(super) fn from_url(
    url: Url,
    given: &str,
    origin: &RequirementOrigin,
) -> Result<Reference, Failure> {
    let shown = without_credentials(&url);
    let from = syntax::from(origin);
    check_egg(&url, &from)?;
    let scheme = url.scheme();
    let not_yet = |what: &str, hint: &str| {
        Failure::new(format!(
            "Failed to install `{shown}`{from}: {what} are not supported yet"
        ))
        .hint(hint)
    };
    if scheme.starts_with("git+") {
        let git: GitUrl = url.as_str().parse()?;
        return Ok(source(url, given, git.egg));
    }
    if VERSION_CONTROL
        .iter()
        .any(|prefix| scheme.starts_with(prefix))
    {
        return Err(not_yet(
            "repositories of other kinds than git",
            "check the project out yourself, and install its folder",
        ));
    }
    if scheme == "ftp" {
        return Err(not_yet(
            "FTP addresses",
            "download the file and install it from its path",
        ));
    }
    if !["http", "https", "file"].contains(&scheme) {
        return Err(not_yet(
            &format!("addresses that begin with `{scheme}:`"),
            "use an `https:` or `file:` address",
        ));
    }
    let path = (scheme == "file")
        .then(|| url.to_file_path().ok())
        .flatten();
    if let Some(path) = path.filter(|path| path.is_dir()) {
        let mut reference = directory(given, &path, origin)?;
        reference.name = egg_name(url.fragment().unwrap_or_default());
        return Ok(reference);
    }
    let name = url
        .path_segments()
        .and_then(|mut segments| segments.next_back())
        .unwrap_or_default();
    let name = percent_encoding::percent_decode_str(name)
        .decode_utf8_lossy()
        .into_owned();
    if has_extension(&name, ".whl") {
        let filename = name.parse::<WheelFilename>().map_err(|error| {
            let failure = Failure::from(error);
            failure.context(format!("Failed to install `{shown}`{from}"))
        })?;
        return Ok(Reference {
            url: VerbatimUrl::from_url(url).with_given(given),
            name: Some(filename.name),
            is_wheel: true,
            extras: None,
        });
    }
    match SdistExtension::stem(&name).filter(|stem| !stem.is_empty()) {
        Some(stem) => {
            let project = sdist_name(stem);
            Ok(source(url, given, project))
        }
        None => Err(Failure::new(format!(
            "Failed to install `{shown}`{from}: it is neither a wheel nor a source archive"
        ))
        .hint(
            "wheels end in `.whl`, source archives in `.tar.gz`, `.zip`, `.tar.bz2` or `.tar.xz`",
        )),
    }
}

fn source(url: Url, given: &str, name: Option<PackageName>) -> Reference {
    Reference {
        url: VerbatimUrl::from_url(url).with_given(given),
        name,
        is_wheel: false,
        extras: None,
    }
}

/// The name in `name-1.0`, the standard's form of an sdist's file name; a repository's archive may
/// be called anything.
fn sdist_name(stem: &str) -> Option<PackageName> {
    let (name, version) = stem.rsplit_once('-')?;
    Version::from_str(version).ok()?;
    PackageName::from_str(name).ok()
}

fn has_extension(name: &str, extension: &str) -> bool {
    name.len() > extension.len()
        && name
            .get(name.len() - extension.len()..)
            .is_some_and(|end| end.eq_ignore_ascii_case(extension))
}

fn is_project(path: &Path) -> bool {
    path.join("pyproject.toml").is_file() || path.join("setup.py").is_file()
}

fn directory(text: &str, path: &Path, origin: &RequirementOrigin) -> Result<Reference, Failure> {
    let from = syntax::from(origin);
    if !is_project(path) {
        return Err(Failure::new(format!(
            "Directory '{text}'{from} is not installable. Neither 'setup.py' nor 'pyproject.toml' \
             found."
        )));
    }
    let url = file_url(path)
        .ok_or_else(|| Failure::new(format!("Failed to use the path `{text}` as an address")))?;
    Ok(source(url, text, None))
}

/// `x.whl[a,b]` → `x.whl` and `[a,b]`.
pub(super) fn split_extras(text: &str) -> (&str, Option<&str>) {
    match text.rfind('[') {
        Some(start) if start > 0 && text.ends_with(']') && text.len() > start + 2 => {
            (&text[..start], Some(&text[start..]))
        }
        _ => (text, None),
    }
}

/// A `file:` URL for an absolute path, `.` and `..` taken out by name.
fn file_url(path: &Path) -> Option<Url> {
    let mut normal = std::path::PathBuf::new();
    for component in path.components() {
        match component {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => {
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    Url::from_file_path(normal).ok()
}

/// The address as it may be shown.
pub(crate) fn without_credentials(url: &Url) -> String {
    let mut shown = url.clone();
    if !shown.username().is_empty() || shown.password().is_some() {
        // Addresses without a host have no credentials either.
        let _ = shown.set_password(None);
        let _ = shown.set_username("****");
    }
    shown.to_string()
}
