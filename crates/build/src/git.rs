//! Repositories through the system's git: `git+https://host/name.git@revision#subdirectory=part`.

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::str::FromStr;

use bnbpip_packaging::PackageName;
use url::Url;

/// An address of a repository, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitUrl {
    /// The address that git gets. It may hold credentials: print [`GitUrl::shown`].
    pub repository: Url,
    /// The branch, tag or commit that is asked for.
    pub revision: Option<String>,
    /// The project's folder in the repository.
    pub subdirectory: Option<String>,
    /// The project's name, where `#egg=` says it.
    pub egg: Option<PackageName>,
}

/// Why a repository can't be used.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The address is no git address.
    #[error("Failed to use `{url}` as a repository's address: {reason}")]
    Address {
        /// The address, without credentials.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// git can't be started.
    #[error("Failed to start git")]
    Start(#[source] io::Error),
    /// git failed.
    #[error("Failed to get `{url}`: `git {command}` ended with an error")]
    Command {
        /// The address, without credentials.
        url: String,
        /// The command.
        command: String,
        /// git's own words.
        output: String,
    },
    /// There is no such branch, tag or commit.
    #[error("Failed to find the revision `{revision}` in `{url}`")]
    Revision {
        /// The address, without credentials.
        url: String,
        /// The revision.
        revision: String,
        /// git's own words.
        output: String,
    },
}

impl GitError {
    /// git's own words.
    pub fn output(&self) -> Option<&str> {
        match self {
            Self::Command { output, .. } | Self::Revision { output, .. } => Some(output),
            _ => None,
        }
    }
}

impl FromStr for GitUrl {
    type Err = GitError;

    fn from_str(text: &str) -> Result<Self, GitError> {
        let wrong = |reason| GitError::Address {
            url: Url::parse(text)
                .map_or_else(|_| "git+...".to_string(), |url| without_password(&url)),
            reason,
        };
        let bare = text
            .strip_prefix("git+")
            .ok_or_else(|| wrong("it doesn't begin with `git+`"))?;
        let mut repository = Url::parse(bare).map_err(|_| wrong("it is no URL"))?;
        if !["https", "http", "ssh", "file", "git"].contains(&repository.scheme()) {
            return Err(wrong("git's addresses are `https:`, `ssh:` or `file:`"));
        }
        let (mut subdirectory, mut egg) = (None, None);
        for (key, value) in
            url::form_urlencoded::parse(repository.fragment().unwrap_or_default().as_bytes())
        {
            match &*key {
                "subdirectory" => subdirectory = Some(value.trim_matches('/').to_string()),
                "egg" => {
                    let name = value.split('[').next().unwrap_or_default();
                    egg = PackageName::from_str(name).ok();
                }
                _ => {}
            }
        }
        if subdirectory
            .as_ref()
            .is_some_and(|path| path.split(['/', '\\']).any(|part| part == ".."))
        {
            return Err(wrong("its subdirectory leads out of the repository"));
        }
        repository.set_fragment(None);
        let path = repository.path().to_string();
        let revision = match path.rsplit_once('@') {
            Some((path, revision)) if !revision.is_empty() => {
                repository.set_path(path);
                Some(revision.to_string())
            }
            _ => None,
        };
        // git would take it for an option.
        if revision.as_ref().is_some_and(|text| text.starts_with('-')) {
            return Err(wrong("a revision doesn't begin with `-`"));
        }
        Ok(Self {
            repository,
            revision,
            subdirectory: subdirectory.filter(|path| !path.is_empty()),
            egg,
        })
    }
}

impl GitUrl {
    /// The repository's address without a password.
    pub fn shown(&self) -> String {
        without_password(&self.repository)
    }

    fn run<T: AsRef<OsStr>>(
        &self,
        folder: Option<&Path>,
        arguments: &[T],
    ) -> Result<String, GitError> {
        let mut command = Command::new("git");
        if let Some(folder) = folder {
            command.arg("-C").arg(folder);
        }
        let output = command
            .args(arguments)
            // Nobody is there to answer.
            .env("GIT_TERMINAL_PROMPT", "0")
            .stdin(Stdio::null())
            .output()
            .map_err(GitError::Start)?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim().to_string());
        }
        let first = arguments.first().map(AsRef::as_ref).unwrap_or_default();
        let words = String::from_utf8_lossy(&output.stderr);
        Err(GitError::Command {
            url: self.shown(),
            command: first.to_string_lossy().into_owned(),
            // git repeats the address that it was given.
            output: words.replace(self.repository.as_str(), &self.shown()),
        })
    }

    /// The commit that the revision means; asked of the remote if the clone doesn't have it.
    fn commit(&self, folder: &Path) -> Result<String, GitError> {
        let Some(revision) = &self.revision else {
            return self.run(Some(folder), &["rev-parse", "HEAD"]);
        };
        let places = ["refs/remotes/origin/", "refs/tags/", ""];
        for place in places {
            let name = format!("{place}{revision}^{{commit}}");
            if let Ok(commit) = self.run(Some(folder), &["rev-parse", "-q", "--verify", &name]) {
                return Ok(commit);
            }
        }
        let fetched = self.run(Some(folder), &["fetch", "-q", "origin", revision]);
        fetched.map_err(|error| match error {
            GitError::Command { url, output, .. } => GitError::Revision {
                url,
                revision: revision.clone(),
                output,
            },
            other => other,
        })?;
        self.run(Some(folder), &["rev-parse", "FETCH_HEAD^{commit}"])
    }
}

impl GitUrl {
    /// Checks the revision out in a clone.
    fn switch(&self, folder: &Path) -> Result<(), GitError> {
        if let Some(revision) = &self.revision {
            // git makes a branch that follows the remote's where there is one of that name.
            let branch = format!("refs/remotes/origin/{revision}");
            let is_branch = ["rev-parse", "-q", "--verify", branch.as_str()];
            if self.run(Some(folder), &is_branch).is_ok() {
                self.run(Some(folder), &["checkout", "-q", revision, "--"])?;
            } else {
                let commit = self.commit(folder)?;
                self.run(Some(folder), &["checkout", "-q", "--detach", &commit])?;
            }
        }
        self.submodules(folder)
    }

    fn submodules(&self, folder: &Path) -> Result<(), GitError> {
        if folder.join(".gitmodules").is_file() {
            let update = ["submodule", "update", "--init", "--recursive", "-q"];
            self.run(Some(folder), &update)?;
        }
        Ok(())
    }
}

impl fmt::Display for GitUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "git+{}", self.shown())?;
        match &self.revision {
            Some(revision) => write!(f, "@{revision}"),
            None => Ok(()),
        }
    }
}

fn without_password(url: &Url) -> String {
    let mut shown = url.clone();
    if shown.password().is_some() {
        // Addresses without a host have no password either.
        let _ = shown.set_password(Some("****"));
    }
    shown.to_string()
}

/// Gets a repository's files, submodules included, into `folder`, which must not exist, and
/// returns the exact commit.
///
/// # Errors
/// When git isn't there, or fails.
pub fn checkout(url: &GitUrl, folder: &Path) -> Result<String, GitError> {
    let clone: [&OsStr; 6] = [
        "clone".as_ref(),
        "-q".as_ref(),
        "--no-checkout".as_ref(),
        "--".as_ref(),
        url.repository.as_str().as_ref(),
        folder.as_os_str(),
    ];
    url.run(None, &clone)?;
    let commit = url.commit(folder)?;
    url.run(Some(folder), &["checkout", "-q", "--detach", &commit])?;
    url.submodules(folder)?;
    Ok(commit)
}

/// Clones a repository into `folder`, which must not exist, to work in: on the revision's branch
/// if it is one, submodules included.
///
/// # Errors
/// When git isn't there, or fails.
pub fn check_out_in_place(url: &GitUrl, folder: &Path) -> Result<(), GitError> {
    let clone: [&OsStr; 5] = [
        "clone".as_ref(),
        "-q".as_ref(),
        "--".as_ref(),
        url.repository.as_str().as_ref(),
        folder.as_os_str(),
    ];
    url.run(None, &clone)?;
    url.switch(folder)
}

/// Brings a clone to the address and the revision. Changes in its files that were committed
/// nowhere are lost where they are in the way, as with pip.
///
/// # Errors
/// When git isn't there, or fails.
pub fn update_in_place(url: &GitUrl, folder: &Path) -> Result<(), GitError> {
    let address = url.repository.as_str();
    url.run(Some(folder), &["config", "remote.origin.url", address])?;
    url.run(
        Some(folder),
        &["fetch", "-q", "--tags", "--force", "origin"],
    )?;
    let commit = if url.revision.is_some() {
        url.commit(folder)?
    } else {
        url.run(Some(folder), &["fetch", "-q", "origin", "HEAD"])?;
        url.run(Some(folder), &["rev-parse", "FETCH_HEAD^{commit}"])?
    };
    url.run(Some(folder), &["reset", "--hard", "-q", &commit])?;
    url.submodules(folder)
}

/// The address that a clone came from; `None` if the folder isn't the top of a clone.
pub fn remote(folder: &Path) -> Option<String> {
    if !folder.join(".git").exists() {
        return None;
    }
    let mut command = Command::new("git");
    command.arg("-C").arg(folder);
    let output = command
        .args(["config", "--get", "remote.origin.url"])
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let address = String::from_utf8_lossy(&output.stdout).trim().to_string();
    output.status.success().then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_addresses_apart() {
        let url: GitUrl =
            "git+https://u:secret@host.example/a/b.git@v1.0#egg=Some_Name[x]&subdirectory=part/py"
                .parse()
                .unwrap();
        assert_eq!(url.repository.path(), "/a/b.git");
        assert_eq!(url.revision.as_deref(), Some("v1.0"));
        assert_eq!(url.subdirectory.as_deref(), Some("part/py"));
        assert_eq!(url.egg.as_ref().unwrap().as_ref(), "some-name");
        assert!(!url.shown().contains("secret"));
        let url: GitUrl = "git+ssh://git@host.example/a/b.git".parse().unwrap();
        assert_eq!(url.repository.as_str(), "ssh://git@host.example/a/b.git");
        assert_eq!(url.revision, None);
    }

    #[test]
    fn refuses_what_git_would_misread() {
        for text in [
            "https://host.example/a",
            "git+ftp://host.example/a",
            "git+https://host.example/a@--upload-pack=x",
            "git+https://host.example/a#subdirectory=../x",
        ] {
            assert!(text.parse::<GitUrl>().is_err(), "{text}");
        }
    }
}
