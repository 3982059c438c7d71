//! What a distribution requires, so that two ways to write it can be compared.

use std::collections::BTreeSet;

use crate::{CoreMetadata, ExtraName, Requirement, VersionOrUrl, VersionSpecifiers};

/// The requirements, extras and Pythons of a distribution: equal where a solver would make the same of
/// them. Order, spaces and spelling don't count.
///
/// ```
/// use bnbpip_packaging::{Requires, requirement::parse};
///
/// let one = parse("Demo[b,a] (<2,>=1) ; os_name == 'nt'").unwrap();
/// let other = parse("demo[a,b]>=1, <2;os_name==\"nt\"").unwrap();
/// assert_eq!(Requires::new([&one], [], None), Requires::new([&other], [], None));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Requires {
    distributions: BTreeSet<String>,
    extras: BTreeSet<ExtraName>,
    python: Option<BTreeSet<String>>,
}

impl Requires {
    /// `Requires-Dist`, `Provides-Extra` and `Requires-Python`.
    pub fn new<'a>(
        distributions: impl IntoIterator<Item = &'a Requirement>,
        extras: impl IntoIterator<Item = &'a ExtraName>,
        python: Option<&VersionSpecifiers>,
    ) -> Self {
        Self {
            distributions: distributions.into_iter().map(meaning).collect(),
            extras: extras.into_iter().cloned().collect(),
            python: python.map(texts),
        }
    }

    /// Whether nothing is required, of Python neither.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl CoreMetadata {
    /// What the distribution requires.
    pub fn requires(&self) -> Requires {
        let python = self.requires_python.as_ref();
        Requires::new(&self.requires_dist, &self.provides_extra, python)
    }
}

fn meaning(requirement: &Requirement) -> String {
    let mut extras: Vec<&str> = requirement.extras.iter().map(AsRef::as_ref).collect();
    extras.sort_unstable();
    let wanted = match &requirement.version_or_url {
        None => String::new(),
        Some(VersionOrUrl::VersionSpecifier(these)) => {
            let texts: Vec<String> = texts(these).into_iter().collect();
            texts.join(",")
        }
        Some(VersionOrUrl::Url(url)) => format!("@ {url}"),
    };
    // Markers are equal, and written alike, where they hold alike.
    let marker = requirement.marker.contents();
    let marker = marker.map(|marker| marker.to_string()).unwrap_or_default();
    format!(
        "{}[{}] {wanted} ; {marker}",
        requirement.name,
        extras.join(",")
    )
}

fn texts(specifiers: &VersionSpecifiers) -> BTreeSet<String> {
    specifiers.iter().map(ToString::to_string).collect()
}
