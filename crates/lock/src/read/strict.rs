//! What is refused although a lenient reader could make something of it: keys that the format
//! doesn't have, names that aren't normalized, and files whose name and address disagree.

use percent_encoding::percent_decode_str;
use url::Url;

use super::{LockError, Place};

/// The keys of version 1.0 at the top level.
pub(super) const TOP_KEYS: &[&str] = &[
    "lock-version",
    "environments",
    "requires-python",
    "extras",
    "dependency-groups",
    "default-groups",
    "created-by",
    "packages",
    "tool",
];

/// The keys of a package.
pub(super) const PACKAGE_KEYS: &[&str] = &[
    "name",
    "version",
    "marker",
    "requires-python",
    "dependencies",
    "vcs",
    "directory",
    "archive",
    "index",
    "sdist",
    "wheels",
    "attestation-identities",
    "tool",
];

/// The keys of a wheel or a source distribution.
pub(super) const FILE_KEYS: &[&str] = &["name", "upload-time", "url", "path", "size", "hashes"];

impl<'a> Place<'a> {
    /// Refuses other keys than these. A later 1.x may have further ones, which are noted.
    pub(super) fn only(&self, keys: &[&str]) -> Result<(), LockError> {
        let all = self.table.keys();
        for key in all.filter(|key| !keys.contains(&key.as_str())) {
            let Some(noted) = self.unknown else {
                let key = key.escape_debug();
                return Err(self.wrong(format!("`{key}` is no key of version 1.0")));
            };
            noted.borrow_mut().insert(key.clone());
        }
        Ok(())
    }

    /// Names of extras or groups, which must be normalized.
    pub(super) fn names(&self, key: &str) -> Result<Vec<String>, LockError> {
        let mut names = Vec::new();
        for name in self.strings(key)? {
            let normal = name.to_ascii_lowercase().replace(['_', '.'], "-");
            if normal != name {
                let name = name.escape_debug();
                return Err(self.wrong(format!("`{key}`: `{name}` must be normalized: `{normal}`")));
            }
            names.push(normal);
        }
        Ok(names)
    }

    /// The index, which must be an address.
    pub(super) fn index(&self) -> Result<Option<String>, LockError> {
        let Some(text) = self.text("index")? else {
            return Ok(None);
        };
        match text.parse::<Url>() {
            Ok(_) => Ok(Some(text.to_owned())),
            Err(error) => Err(self.wrong(format!("`index` is not an address: {error}"))),
        }
    }

    /// The name that a file's address ends with.
    pub(super) fn name_in_url(&self, text: &str) -> Result<String, LockError> {
        let url: Url = match text.parse() {
            Ok(url) => url,
            Err(error) => return Err(self.wrong(format!("`url` is not an address: {error}"))),
        };
        let last = url.path().rsplit('/').next().unwrap_or_default();
        Ok(percent_decode_str(last).decode_utf8_lossy().into_owned())
    }

    /// The name that a file's path ends with. The path starts at the lock's folder; it may begin
    /// by leaving it, and mustn't do so unseen.
    pub(super) fn name_in_path(&self, text: &'a str) -> Result<&'a str, LockError> {
        let shown = text.escape_debug();
        if text.starts_with('/') || text.contains(['\\', ':']) || text.contains(char::is_control) {
            return Err(self.wrong(format!(
                "`path` must start at the lock's folder, with `/` between folders: `{shown}`"
            )));
        }
        let mut parts = text.split('/').skip_while(|part| *part == "..");
        if parts.any(|part| part == "..") {
            return Err(self.wrong(format!("`path` turns back on its way: `{shown}`")));
        }
        Ok(text.rsplit('/').next().unwrap_or_default())
    }

    /// Refuses a name that isn't the one at the end of the address or path, where that is the
    /// name of a file at all: an address may end in a number.
    pub(super) fn same_name(&self, name: &str, last: &str) -> Result<(), LockError> {
        let is_name = [".whl", ".gz", ".zip", ".bz2", ".xz", ".tgz"]
            .iter()
            .any(|ending| last.ends_with(ending));
        if is_name && last != name {
            let (name, last) = (name.escape_debug(), last.escape_debug());
            return Err(self.wrong(format!(
                "`{name}` is at the place of another file: `{last}`"
            )));
        }
        Ok(())
    }
}
