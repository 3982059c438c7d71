//! Repositories: a checkout that is gone after the run, or one that stays because it is installed
//! in place.

use std::path::{Path, PathBuf};

use bnbpip_build::git::{self, GitError, GitUrl};
use bnbpip_build::{WheelKind, output_tail};
use bnbpip_index::PackageFile;
use bnbpip_packaging::{DirInfo, DirectUrl, DirectUrlSource, VcsInfo};
use url::Url;

use super::files::SourceFiles;
use super::obtain::{Obtained, Origin, kept_folders, new_folder, refuse_hashes};
use super::{OUTPUT_LINES, Shared, lock};
use crate::cli::values::ExistsAction;
use crate::failure::Failure;

/// Gets a repository's files.
pub(super) fn obtain(shared: &Shared, file: &PackageFile) -> Result<Obtained, Failure> {
    let what = "we don't have a way to hash version control repositories";
    refuse_hashes(shared, file, what)?;
    let url: GitUrl = file.url.as_str().parse()?;
    if shared.settings.network.offline && !url.repository.as_str().starts_with("file:") {
        return Err(Failure::new(format!(
            "Failed to use `{url}` without network: it would have to be cloned"
        )));
    }
    if lock(&shared.editables).contains(file.url.as_str()) {
        return in_place(shared, file, &url);
    }
    shared.printer.status(&format!("Cloning {url}"));
    let folder = new_folder(shared)?.join("checkout");
    if shared.parents.is_empty() {
        shared.printer.narrate(&cloning(&url, &folder));
    }
    let commit = git::checkout(&url, &folder).map_err(explained)?;
    if shared.parents.is_empty() {
        let address = without_secrets(&url.repository);
        shared
            .printer
            .narrate(&format!("  Resolved {address} to commit {commit}"));
    }
    let subdirectory = url.subdirectory.clone();
    let key = [
        "git",
        url.repository.as_str(),
        &commit,
        subdirectory.as_deref().unwrap_or_default(),
    ];
    Ok(Obtained {
        files: SourceFiles::Folder(project_folder(&folder, &url)),
        kept: Some(kept_folders(shared, file, &key)),
        origin: Origin {
            shown: Some(url.to_string()),
            kind: WheelKind::Ordinary,
            direct_url: DirectUrl {
                url: without_secrets(&url.repository),
                source: DirectUrlSource::Vcs(VcsInfo {
                    vcs: "git".to_string(),
                    commit_id: commit,
                    requested_revision: url.revision,
                }),
                subdirectory,
            },
        },
    })
}

/// A checkout that stays.
fn in_place(shared: &Shared, file: &PackageFile, url: &GitUrl) -> Result<Obtained, Failure> {
    let folder = source_folder(shared).join(file.name().as_ref());
    check_out(shared, url, &folder)?;
    let root = project_folder(&folder, url);
    let address = Url::from_file_path(&root)
        .map_err(|()| Failure::new(format!("Failed to use the path `{}`", root.display())))?;
    Ok(Obtained {
        kept: None,
        origin: Origin {
            shown: Some(url.to_string()),
            kind: WheelKind::Editable,
            direct_url: DirectUrl {
                url: address.to_string(),
                source: DirectUrlSource::Directory(DirInfo {
                    editable: Some(true),
                }),
                subdirectory: None,
            },
        },
        files: SourceFiles::Folder(root),
    })
}

fn check_out(shared: &Shared, url: &GitUrl, folder: &Path) -> Result<(), Failure> {
    let clone = || {
        shared.printer.info(&cloning(url, folder));
        if let Some(parent) = folder.parent() {
            fs_err::create_dir_all(parent)?;
        }
        git::check_out_in_place(url, folder).map_err(explained)
    };
    if !folder.exists() {
        return clone();
    }
    let remote = git::remote(folder);
    let is_same = remote.as_deref() == Some(url.repository.as_str());
    let action = match shared.settings.exists_action {
        _ if is_same => ExistsAction::Switch,
        Some(action) => action,
        None => return Err(in_the_way(url, folder, remote.as_deref())),
    };
    match action {
        ExistsAction::Switch if remote.is_some() => {
            let shown = folder.display();
            let revision = to_revision(url);
            shared
                .printer
                .info(&format!("  Updating {shown} clone{revision}"));
            git::update_in_place(url, folder).map_err(explained)
        }
        ExistsAction::Switch | ExistsAction::Abort => {
            Err(in_the_way(url, folder, remote.as_deref()))
        }
        ExistsAction::Ignore => Ok(()),
        ExistsAction::Wipe => {
            shared
                .printer
                .warning(&format!("Deleting {}", folder.display()));
            fs_err::remove_dir_all(folder)?;
            clone()
        }
        ExistsAction::Backup => {
            let backup = free_name(folder);
            shared.printer.warning(&format!(
                "Backing up {} to {}",
                folder.display(),
                backup.display()
            ));
            fs_err::rename(folder, backup)?;
            clone()
        }
    }
}

/// What pip says before it clones.
fn cloning(url: &GitUrl, folder: &Path) -> String {
    let address = without_secrets(&url.repository);
    let revision = to_revision(url);
    format!("  Cloning {address}{revision} to {}", folder.display())
}

fn to_revision(url: &GitUrl) -> String {
    let revision = url.revision.as_ref();
    revision.map_or_else(String::new, |it| format!(" (to revision {it})"))
}

fn in_the_way(url: &GitUrl, folder: &Path, remote: Option<&str>) -> Failure {
    let folder = folder.display();
    let failure = match remote {
        Some(_) => Failure::new(format!(
            "Failed to check out `{url}`: `{folder}` is a clone of another repository"
        )),
        None => Failure::new(format!(
            "Failed to check out `{url}`: `{folder}` is there already and is no clone of it"
        )),
    };
    failure.hint(
        "say what to do with it: `--exists-action` with s (switch), i (ignore), w (wipe) or b \
         (back up), or another folder with `--src`",
    )
}

/// `name.bak`, or `name.bak1` and so on.
fn free_name(folder: &Path) -> PathBuf {
    let name = folder
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let with = |end: String| folder.with_file_name(format!("{name}.bak{end}"));
    let mut number = 0;
    let mut free = with(String::new());
    while free.exists() {
        number += 1;
        free = with(number.to_string());
    }
    free
}

/// `--src`, else `src` in the virtual environment, else `src` here.
fn source_folder(shared: &Shared) -> PathBuf {
    let directory = shared.settings.environment.working_directory();
    match &shared.options.src {
        Some(folder) => directory.join(folder),
        None if shared.interpreter.is_venv => shared.interpreter.prefix.join("src"),
        None => directory.join("src"),
    }
}

fn project_folder(checkout: &Path, url: &GitUrl) -> PathBuf {
    match &url.subdirectory {
        Some(path) => checkout.join(path),
        None => checkout.to_path_buf(),
    }
}

fn explained(error: GitError) -> Failure {
    let output = error.output().map(|text| output_tail(text, OUTPUT_LINES));
    let failure = Failure::from(error);
    match output.filter(|text| !text.is_empty()) {
        Some(text) => failure.detail(format!("    {}", text.replace('\n', "\n    "))),
        None => failure.hint("repositories are got with git: install it"),
    }
}

/// A repository's address as it is recorded: `git@` is no secret.
fn without_secrets(url: &url::Url) -> String {
    let mut shown = url.clone();
    // Addresses without a host have no credentials either.
    let _ = shown.set_password(None);
    if shown.username() != "git" {
        let _ = shown.set_username("");
    }
    shown.to_string()
}
