//! What `freeze` says about a project that is installed in place from a git checkout: the remote
//! address with the commit, so that others can get the same.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What is known about a project's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Checkout {
    /// It is in no repository.
    None,
    /// It is in a repository without a remote address.
    NoRemote,
    /// It is in a repository whose remote is a path where nothing is.
    LostRemote(String),
    /// `git+https://host/name.git@commit#egg=name`
    Requirement(String),
    /// It is in a repository, but git is not there to be asked.
    NoGit,
}

/// Looks at a project's folder.
pub(super) fn checkout(project: &Path, name: &str) -> Checkout {
    if !project
        .ancestors()
        .any(|folder| folder.join(".git").exists())
    {
        return Checkout::None;
    }
    let Some(remotes) = git(project, &["config", "--get-regexp", r"remote\..*\.url"]) else {
        return match git(project, &["rev-parse", "--git-dir"]) {
            Some(_) => Checkout::NoRemote,
            None => Checkout::NoGit,
        };
    };
    let origin = remotes
        .lines()
        .find(|line| line.starts_with("remote.origin.url "));
    let remote = origin
        .or_else(|| remotes.lines().next())
        .and_then(|line| line.split_once(' '));
    let Some((_, remote)) = remote else {
        return Checkout::NoRemote;
    };
    let Some(address) = as_url(remote.trim()) else {
        return Checkout::LostRemote(remote.trim().to_owned());
    };
    let Some(commit) = git(project, &["rev-parse", "HEAD"]) else {
        return Checkout::NoRemote;
    };
    let egg = name.replace('-', "_");
    let subdirectory = subdirectory(project)
        .map(|folder| format!("&subdirectory={folder}"))
        .unwrap_or_default();
    Checkout::Requirement(format!("git+{address}@{commit}#egg={egg}{subdirectory}"))
}

/// The project's folder within its repository, if it isn't the whole. What is installed may be a folder
/// of packages inside the project's.
fn subdirectory(place: &Path) -> Option<String> {
    let top = PathBuf::from(git(place, &["rev-parse", "--show-toplevel"])?);
    let top = fs_err::canonicalize(top).ok()?;
    let place = fs_err::canonicalize(place).ok()?;
    let is_project = |folder: &&Path| {
        let has = |name: &str| folder.join(name).is_file();
        has("pyproject.toml") || has("setup.py")
    };
    let project = place.ancestors().find(is_project)?;
    let inside = project
        .strip_prefix(top)
        .ok()?
        .to_string_lossy()
        .replace('\\', "/");
    (!inside.is_empty()).then_some(inside)
}

/// `git@host:path` in the form of a URL; a local path as a `file:` URL; `None` for a path where
/// nothing is.
fn as_url(remote: &str) -> Option<String> {
    if remote.contains("://") {
        return Some(remote.to_owned());
    }
    if Path::new(remote).exists() {
        let path = fs_err::canonicalize(remote).ok()?;
        return Some(url::Url::from_file_path(path).ok()?.to_string());
    }
    let (host, path) = remote.split_once(':')?;
    (!host.contains('/')).then(|| format!("ssh://{host}/{path}"))
}

fn git(folder: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(arguments)
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !text.trim().is_empty()).then(|| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_ssh_addresses_become_urls() {
        assert_eq!(
            as_url("git@host.example:a/b.git").unwrap(),
            "ssh://git@host.example/a/b.git"
        );
        assert_eq!(
            as_url("https://host.example/a.git").unwrap(),
            "https://host.example/a.git"
        );
        assert_eq!(as_url("/no/such/place"), None);
    }

    #[test]
    fn a_folder_in_no_repository() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(checkout(folder.path(), "a"), Checkout::None);
    }
}
