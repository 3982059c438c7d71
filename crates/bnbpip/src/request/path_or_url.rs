//! Requirements that are files or addresses rather than names: wheels are taken, the rest is
//! refused with a sentence that says what to do.

use std::path::Path;

use bnbpip_packaging::{VerbatimUrl, WheelFilename};
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

/// A wheel's address with what its file name says.
#[derive(Debug, Clone)]
pub(super) struct WheelReference {
    pub(super) url: VerbatimUrl,
    pub(super) filename: WheelFilename,
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
) -> Result<Option<WheelReference>, Failure> {
    if is_url(text) {
        let url = Url::parse(text).map_err(|error| {
            syntax::invalid(text, text, &error.to_string(), (0, text.len()), origin)
        })?;
        return wheel_url(url, text, origin).map(Some);
    }
    let (path_text, extras) = split_extras(text);
    let path = surroundings.absolute(path_text);
    if looks_like_path(text) && path.is_dir() {
        return Err(directory(text, &path, origin));
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
    let mut wheel = wheel_url(url, text, origin)?;
    wheel.extras = extras.map(str::to_owned);
    Ok(Some(wheel))
}

/// Checks that an address is one of a wheel and reads its file name.
///
/// # Errors
/// When it is an sdist, a repository, or no archive at all.
pub(super) fn wheel_url(
    url: Url,
    given: &str,
    origin: &RequirementOrigin,
) -> Result<WheelReference, Failure> {
    let shown = without_credentials(&url);
    let not_yet = |what: &str, hint: &str| {
        Failure::new(format!(
            "Failed to install `{shown}`{}: {what} are not supported yet",
            syntax::from(origin)
        ))
        .hint(hint)
    };
    let scheme = url.scheme();
    if VERSION_CONTROL
        .iter()
        .any(|prefix| scheme.starts_with(prefix))
    {
        return Err(not_yet(
            "version control addresses",
            "build a wheel from a checkout (`python -m build --wheel`) and install that file, or \
             take a release from the index",
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
    let name = url
        .path_segments()
        .and_then(|mut segments| segments.next_back())
        .unwrap_or_default();
    let name = percent_encoding::percent_decode_str(name)
        .decode_utf8_lossy()
        .into_owned();
    if !has_extension(&name, ".whl") {
        let hint = "build a wheel from it (`pip wheel` does) and install that file, or take a wheel \
                    from the index";
        return Err(
            if ARCHIVE_EXTENSIONS
                .iter()
                .any(|extension| has_extension(&name, extension))
            {
                not_yet("source archives", hint)
            } else {
                not_yet("addresses that don't end in `.whl`", hint)
            },
        );
    }
    let filename = name.parse::<WheelFilename>().map_err(|error| {
        let failure = Failure::from(error);
        failure.context(format!(
            "Failed to install `{shown}`{}",
            syntax::from(origin)
        ))
    })?;
    Ok(WheelReference {
        url: VerbatimUrl::from_url(url).with_given(given),
        filename,
        extras: None,
    })
}

fn has_extension(name: &str, extension: &str) -> bool {
    name.len() > extension.len()
        && name
            .get(name.len() - extension.len()..)
            .is_some_and(|end| end.eq_ignore_ascii_case(extension))
}

fn directory(text: &str, path: &Path, origin: &RequirementOrigin) -> Failure {
    let from = syntax::from(origin);
    if path.join("pyproject.toml").is_file() || path.join("setup.py").is_file() {
        Failure::new(format!(
            "Failed to install the project in '{text}'{from}: source trees are not supported yet"
        ))
        .hint("build a wheel of it (`python -m build --wheel`) and install that file")
    } else {
        Failure::new(format!(
            "Directory '{text}'{from} is not installable. Neither 'setup.py' nor 'pyproject.toml' \
             found."
        ))
    }
}

/// `x.whl[a,b]` → `x.whl` and `[a,b]`.
fn split_extras(text: &str) -> (&str, Option<&str>) {
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
fn without_credentials(url: &Url) -> String {
    let mut shown = url.clone();
    if !shown.username().is_empty() || shown.password().is_some() {
        // Addresses without a host have no credentials either.
        let _ = shown.set_password(None);
        let _ = shown.set_username("****");
    }
    shown.to_string()
}
