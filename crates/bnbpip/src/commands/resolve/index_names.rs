//! What the names of indexes stand for: in `--index-for`, in `--mirror`, and in the mirrors that the
//! project configures.

use bnbpip_index::{IndexEntry, IndexUrl, Mirror};
use bnbpip_packaging::PackageName;

use super::locations::{Places, parse_in};
use crate::cli::index::MirrorArgs;
use crate::configuration::DEFAULT_INDEX_URL;
use crate::configuration::project_indexes::is_name;
use crate::failure::{Failure, exit_code};

impl Places<'_> {
    /// One `--index-for`: the package, and the name of its index, which is added if it isn't there.
    pub(super) fn route(
        &self,
        text: &str,
        indexes: &mut Vec<IndexEntry>,
    ) -> Result<(PackageName, String), Failure> {
        let unusable = |cause: String| {
            Failure::new(format!("Failed to use `--index-for {text}`"))
                .caused_by(cause)
                .exit_with(exit_code::USAGE)
        };
        let (package, target) = text
            .split_once('=')
            .ok_or_else(|| unusable("it is no `package=index`".into()))?;
        let name: PackageName = package
            .trim()
            .parse()
            .map_err(|_| unusable(format!("`{package}` is no package's name")))?;
        let target = target.trim();
        if !indexes
            .iter()
            .any(|entry| entry.name.as_deref() == Some(target))
        {
            let url = self.address_of(target, indexes)?.ok_or_else(|| {
                unusable(format!("no index has the name `{target}`"))
                    .hint(self.known_names(indexes))
            })?;
            indexes.push(IndexEntry::routed(target, url));
        }
        Ok((name, target.to_owned()))
    }

    /// The address that a name or a text stands for.
    fn address_of(&self, text: &str, indexes: &[IndexEntry]) -> Result<Option<IndexUrl>, Failure> {
        let mut named = indexes.iter();
        if let Some(entry) = named.find(|entry| entry.name.as_deref() == Some(text)) {
            return Ok(Some(entry.url.clone()));
        }
        let torch = self.torch()?;
        if torch.family(text).is_some() {
            return Ok(Some(self.parse(&format!("{}/{text}", torch.url))?));
        }
        match text {
            "pypi" => Ok(Some(self.parse(DEFAULT_INDEX_URL)?)),
            _ if is_name(text) && !self.is_folder(text) => Ok(None),
            _ => Ok(Some(self.parse(text)?)),
        }
    }

    fn is_folder(&self, text: &str) -> bool {
        let base = self.settings.environment.working_directory();
        base.join(text).is_dir()
    }

    fn known_names(&self, indexes: &[IndexEntry]) -> String {
        let given = indexes.iter().filter_map(|entry| entry.name.as_deref());
        let families = self.torch().map_or(&[][..], |torch| &torch.families);
        let families = families.iter().map(|family| family.name.as_str());
        let names: Vec<&str> = given.chain(["pypi"]).chain(families).collect();
        format!("there are {}; a URL does as well", names.join(", "))
    }

    /// The command line's mirrors, then the project's.
    pub(super) fn mirrors(
        &self,
        arguments: &MirrorArgs,
        indexes: &[IndexEntry],
    ) -> Result<Vec<Mirror>, Failure> {
        let mut mirrors = Vec::new();
        for text in &arguments.mirror {
            let unusable = |cause: &str| {
                Failure::new(format!("Failed to use `--mirror {text}`"))
                    .caused_by(cause)
                    .exit_with(exit_code::USAGE)
            };
            let (index, url) =
                split_mirror(text).ok_or_else(|| unusable("it is no `index=url`"))?;
            let index = self
                .address_of(index, indexes)?
                .ok_or_else(|| unusable("no index has this name"))?;
            let url = self.parse(url)?;
            mirrors.push(Mirror { index, url });
        }
        let folder = self.settings.project.folder();
        let folder = folder.unwrap_or(self.settings.environment.working_directory());
        for mirror in &self.settings.project.options.mirror {
            let index = self.address_of(&mirror.index, indexes)?.ok_or_else(|| {
                let index = &mirror.index;
                Failure::new(format!("Failed to use the mirrors of `{index}`"))
                    .caused_by("no index has this name")
                    .exit_with(exit_code::ENVIRONMENT)
            })?;
            for url in mirror.urls.get_ref() {
                mirrors.push(Mirror {
                    index: index.clone(),
                    url: parse_in(folder, url)?,
                });
            }
        }
        Ok(mirrors)
    }
}

/// `index=url`: the sign between them is the first one that an address or a path follows, for
/// addresses may hold others.
fn split_mirror(text: &str) -> Option<(&str, &str)> {
    let mut signs = text.match_indices('=');
    let at = signs.find(|(at, _)| {
        let rest = &text[at + 1..];
        let scheme = rest.split_once("://").map(|(scheme, _)| scheme);
        match scheme {
            Some(scheme) => scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()),
            None => !rest.is_empty() && !rest.contains('='),
        }
    })?;
    let (index, url) = (&text[..at.0], &text[at.0 + 1..]);
    (!index.is_empty()).then_some((index, url))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirrors_are_split_where_an_address_begins() {
        let split = |text| split_mirror(text).unwrap_or(("", ""));
        assert_eq!(
            split("https://a.example/s?x=1=https://b.example/?y=2"),
            ("https://a.example/s?x=1", "https://b.example/?y=2")
        );
        assert_eq!(split("cu124=/mnt/wheels"), ("cu124", "/mnt/wheels"));
        for text in ["cu124", "cu124=", "=https://b.example", ""] {
            assert_eq!(split_mirror(text), None, "{text}");
        }
    }
}
