//! What the public index doesn't take any more, and what a release from before that is refused for: to
//! require something by an address, which would bring in what nobody there has looked at.

use bnbpip_index::PackageFile;
use bnbpip_packaging::{Requirement, VersionOrUrl};

use crate::configuration::DEFAULT_INDEX_URL;
use crate::failure::Failure;

/// Why a file of the public index can't be used with these requirements, in pip's words.
pub(super) fn refusal(file: &PackageFile, requires: &[Requirement]) -> Option<Failure> {
    let index = file.index.as_ref()?.url().as_str();
    if index.trim_end_matches('/') != DEFAULT_INDEX_URL {
        return None;
    }
    let has_address = |it: &&Requirement| matches!(it.version_or_url, Some(VersionOrUrl::Url(_)));
    let found = requires.iter().find(has_address)?;
    Some(Failure::new(format!(
        "Distributions from PyPI cannot declare direct URL dependencies.\n{} depends on {found}",
        file.name()
    )))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn addresses_are_for_other_indexes() {
        let refused = |index: &str, requires: &str| {
            let url = "https://files.example/x-1.0-py3-none-any.whl".parse();
            let mut file = PackageFile::from_url(url.unwrap()).unwrap();
            file.index = Some(Arc::new(index.parse().unwrap()));
            let requires: Requirement = requires.parse().unwrap();
            let failure = refusal(&file, &["y>1".parse().unwrap(), requires])?;
            Some(failure.messages().join("\n"))
        };
        let by_address = "z @ https://elsewhere.example/z.zip ; extra == 'all'";
        let said = refused(&format!("{DEFAULT_INDEX_URL}/"), by_address).unwrap();
        insta::assert_snapshot!(said, @r"
        Distributions from PyPI cannot declare direct URL dependencies.
        x depends on z @ https://elsewhere.example/z.zip ; extra == 'all'
        ");
        assert_eq!(refused("https://own.example/simple", by_address), None);
        assert_eq!(refused(DEFAULT_INDEX_URL, "z==1"), None);
    }
}
