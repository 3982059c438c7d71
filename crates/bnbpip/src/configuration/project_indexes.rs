//! The indexes and mirrors that a project configures: `[[index]]` and `[[mirror]]`.

use std::ops::Range;

use bnbpip_packaging::PackageName;
use rustc_hash::{FxHashMap, FxHashSet};
use serde::Deserialize;
use toml::Spanned;

/// An index with a name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProjectIndex {
    /// What it is called: in `--index-for`, in messages, and in the variables of its credentials.
    pub name: Spanned<String>,
    /// Its address, or a folder relative to the file.
    pub url: String,
    /// Asked only for `packages` and what `--index-for` takes from it.
    #[serde(default)]
    pub explicit: bool,
    /// What comes from it and from no other index.
    #[serde(default)]
    pub packages: Vec<Spanned<String>>,
    /// Those with a higher number are asked first; among equals the file's order counts.
    #[serde(default)]
    pub priority: i64,
    /// Stands in for PyPI, and is asked last.
    #[serde(default)]
    pub default: bool,
}

/// Other places for what an index has.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProjectMirror {
    /// The index: its address, or its name.
    pub index: String,
    /// The mirrors in the order in which they are asked.
    pub urls: Spanned<Vec<String>>,
}

/// Something that can't be, and where it stands.
pub(crate) struct Fault {
    pub span: Range<usize>,
    pub message: String,
}

/// Whether a text can be an index's name: letters, digits, and `-`, `_`, `.` within.
pub(crate) fn is_name(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    text.bytes().all(is_inner) && text.starts_with(|first: char| first.is_ascii_alphanumeric())
}

/// Finds what each by itself is fine and together can't be.
pub(super) fn check(indexes: &[ProjectIndex], mirrors: &[ProjectMirror]) -> Result<(), Fault> {
    let mut names = FxHashSet::default();
    let mut owners: FxHashMap<PackageName, &str> = FxHashMap::default();
    let mut default: Option<&str> = None;
    for index in indexes {
        let name = index.name.get_ref().as_str();
        let fault = |span: &Range<usize>, message: String| Fault {
            span: span.clone(),
            message,
        };
        let of_name = |message: String| fault(&index.name.span(), message);
        if !is_name(name) {
            return Err(of_name(format!("`{name}` can't be the name of an index")));
        }
        if !names.insert(name) {
            return Err(of_name(format!("two indexes have the name `{name}`")));
        }
        if index.default {
            if index.explicit {
                let message = format!("the index `{name}` can't be both `default` and `explicit`");
                return Err(of_name(message));
            }
            if let Some(other) = default.replace(name) {
                let message = format!("both `{other}` and `{name}` are the default index");
                return Err(of_name(message));
            }
        }
        for package in &index.packages {
            let text = package.get_ref();
            let Ok(parsed) = text.parse::<PackageName>() else {
                let message = format!("`{text}` is no package's name");
                return Err(fault(&package.span(), message));
            };
            if let Some(other) = owners.insert(parsed, name) {
                let message = format!("`{text}` comes from both `{other}` and `{name}`");
                return Err(fault(&package.span(), message));
            }
        }
    }
    match mirrors
        .iter()
        .find(|mirror| mirror.urls.get_ref().is_empty())
    {
        Some(mirror) => Err(Fault {
            span: mirror.urls.span(),
            message: format!("`{}` has no mirror here", mirror.index),
        }),
        None => Ok(()),
    }
}
