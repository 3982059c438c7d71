//! A resolution's packages as entries of a lock.

use std::path::{Component, Path};
use std::sync::Arc;

use bnbpip_index::PackageFile;
use bnbpip_lock::{AskedBy, LockedFile, LockedPackage, LockedRequirement, LockedSource, LockedVcs};
use bnbpip_packaging::{DirectUrl, DirectUrlSource, MarkerEnvironment, PackageName, VersionOrUrl};
use bnbpip_resolver::{Resolution, ResolvedPackage, Source};
use rustc_hash::FxHashMap;

use super::facts::Facts;
use super::project::Inputs;
use crate::commands::resolve::community::Community;
use crate::commands::sources::{Sources, archive_file};
use crate::failure::Failure;
use crate::request::RequestedRequirement;

/// What entries are made with.
pub(super) struct Locking<'a> {
    pub(super) inputs: &'a Inputs,
    /// The environment.
    pub(super) markers: &'a MarkerEnvironment,
    /// What is known of the files, by address.
    pub(super) facts: &'a FxHashMap<String, Facts>,
    /// What knows where sources came from.
    pub(super) sources: Option<&'a Sources>,
    /// The lock's folder, which paths start from.
    pub(super) folder: &'a Path,
    /// The community wheels that could be taken.
    pub(super) community: Option<&'a Community>,
}

/// The files of a resolution that are downloaded: what there is to know about them.
pub(super) fn files(resolution: &Resolution<Arc<PackageFile>>) -> Vec<Arc<PackageFile>> {
    let files = resolution.packages.iter().filter_map(|package| {
        let file = match &package.source {
            Source::Index(file) => Arc::clone(file),
            Source::Direct { file, .. } => Arc::new(archive_file(file)),
            Source::Installed => return None,
        };
        let is_file = match file.local_path() {
            Some(path) => path.is_file(),
            None => matches!(file.url.scheme(), "http" | "https"),
        };
        is_file.then_some(file)
    });
    files.collect()
}

impl Locking<'_> {
    /// The entries for one environment.
    ///
    /// # Errors
    /// When a file is on another volume than the lock.
    pub(super) fn packages(
        &self,
        resolution: &Resolution<Arc<PackageFile>>,
    ) -> Result<Vec<LockedPackage>, Failure> {
        let mut needed: FxHashMap<&PackageName, Vec<PackageName>> = FxHashMap::default();
        for other in &resolution.packages {
            for dependent in &other.dependents {
                needed
                    .entry(dependent)
                    .or_default()
                    .push(other.name.clone());
            }
        }
        let mut asked: FxHashMap<&PackageName, Vec<LockedRequirement>> = FxHashMap::default();
        for (by, given) in self.inputs.asked() {
            let requirement = &given.requirement;
            if requirement.marker.evaluate(self.markers, &[]) {
                let of_package = asked.entry(&requirement.name).or_default();
                of_package.push(locked_requirement(by, given));
            }
        }
        let mut packages = Vec::new();
        for package in &resolution.packages {
            let mut entry = match &package.source {
                Source::Index(file) => self.of_index(package, file)?,
                Source::Direct { file, .. } => self.direct(package, file)?,
                Source::Installed => continue,
            };
            entry.dependencies = needed.remove(&package.name).unwrap_or_default();
            entry.requirements = asked.remove(&package.name).unwrap_or_default();
            packages.push(entry);
        }
        Ok(packages)
    }

    fn of_index(
        &self,
        package: &ResolvedPackage<Arc<PackageFile>>,
        file: &PackageFile,
    ) -> Result<LockedPackage, Failure> {
        let locked = self.file(file)?;
        let mut entry = LockedPackage::new(package.name.clone());
        entry.version = Some(package.version.clone());
        entry.requires_python = file
            .requires_python
            .as_ref()
            .and_then(|text| text.specifiers().cloned());
        // A folder of this machine is no address for others.
        let index = file.index.as_ref().map(|index| index.url());
        entry.index = index.filter(|url| url.scheme() != "file").map(public);
        if let Some(facts) = self.facts.get(file.url.as_str()) {
            entry.attestation_identities.clone_from(&facts.identities);
        }
        let origin = self.community.and_then(|community| community.origin(file));
        entry.community = origin.map(|origin| bnbpip_lock::Community {
            source: origin.source,
            why: origin.why,
        });
        if file.wheel().is_some() {
            entry.wheels = vec![locked];
        } else {
            entry.source = Some(LockedSource::Sdist(locked));
        }
        Ok(entry)
    }

    fn direct(
        &self,
        package: &ResolvedPackage<Arc<PackageFile>>,
        file: &PackageFile,
    ) -> Result<LockedPackage, Failure> {
        let mut entry = LockedPackage::new(package.name.clone());
        let origin = match self.sources {
            Some(sources) if file.wheel().is_none() => sources.direct_url(file),
            _ => None,
        };
        entry.source = Some(match origin {
            Some(DirectUrl {
                url,
                source: DirectUrlSource::Vcs(vcs),
                subdirectory,
            }) => LockedSource::Vcs(LockedVcs {
                kind: vcs.vcs,
                path: self.repository_path(file.name(), &url)?,
                url: (!url.starts_with("file:")).then_some(url),
                requested_revision: vcs.requested_revision,
                commit_id: vcs.commit_id,
                subdirectory,
            }),
            Some(DirectUrl {
                source: DirectUrlSource::Directory(folder),
                subdirectory,
                ..
            }) => LockedSource::Directory {
                path: self.path(file)?,
                editable: folder.editable == Some(true),
                subdirectory,
            },
            other => {
                // What is fixed by its digest has one version.
                entry.version = Some(package.version.clone());
                LockedSource::Archive {
                    file: self.file(&archive_file(file))?,
                    subdirectory: other.and_then(|origin| origin.subdirectory),
                }
            }
        });
        Ok(entry)
    }

    fn file(&self, file: &PackageFile) -> Result<LockedFile, Failure> {
        let facts = self.facts.get(file.url.as_str()).cloned();
        let facts = facts.unwrap_or_default();
        let upload_time = file.upload_time();
        let url = facts.url.as_ref().unwrap_or(&file.url);
        let is_local = url.scheme() == "file";
        Ok(LockedFile {
            name: file.filename_text.to_string(),
            url: (!is_local).then(|| public(url)),
            path: is_local.then(|| self.path(file)).transpose()?,
            size_bytes: facts.size_bytes,
            upload_time: upload_time.map(|time| time.to_string()),
            hashes: facts.hashes,
        })
    }

    /// The way from the lock's folder to a file or folder of this machine, with `/`.
    fn path(&self, file: &PackageFile) -> Result<String, Failure> {
        self.way_to(file.name(), &file.local_path().unwrap_or_default())
    }

    /// The same to a repository on this machine.
    fn repository_path(&self, name: &PackageName, url: &str) -> Result<Option<String>, Failure> {
        let url = url.parse::<url::Url>()?;
        match url.to_file_path() {
            Ok(path) if url.scheme() == "file" => self.way_to(name, &path).map(Some),
            _ => Ok(None),
        }
    }

    fn way_to(&self, name: &PackageName, path: &Path) -> Result<String, Failure> {
        way(self.folder, path).ok_or_else(|| {
            Failure::new(format!(
                "Failed to lock `{name}`: `{}` is on another volume than the lock",
                path.display()
            ))
            .hint("a lock has no absolute paths: put both on one volume")
        })
    }
}

/// A requirement as a lock has it: where its source is stands in the entry.
pub(super) fn locked_requirement(by: &AskedBy, given: &RequestedRequirement) -> LockedRequirement {
    let mut requirement = given.requirement.clone();
    if matches!(requirement.version_or_url, Some(VersionOrUrl::Url(_))) {
        requirement.version_or_url = None;
    }
    LockedRequirement {
        asked_by: by.clone(),
        text: requirement.to_string(),
    }
}

/// The relative path from a folder to another place, `.` for itself.
fn way(from: &Path, to: &Path) -> Option<String> {
    let resolved = |path: &Path| fs_err::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let (from, to) = (resolved(from), resolved(to));
    let (from, to): (Vec<Component<'_>>, Vec<Component<'_>>) =
        (from.components().collect(), to.components().collect());
    let pairs = from.iter().zip(&to);
    let shared = pairs.take_while(|(one, other)| one == other).count();
    if shared == 0 {
        return None;
    }
    let up = std::iter::repeat_n("..".to_owned(), from.len() - shared);
    let down = to[shared..]
        .iter()
        .map(|part| part.as_os_str().to_string_lossy().into_owned());
    let parts: Vec<String> = up.chain(down).collect();
    Some(if parts.is_empty() {
        ".".to_owned()
    } else {
        parts.join("/")
    })
}

/// An address without user and password.
pub(super) fn public(url: &url::Url) -> String {
    let mut url = url.clone();
    // Neither can fail for an address that has a host, and others hold no user.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.to_string()
}
