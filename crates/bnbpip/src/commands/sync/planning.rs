//! What is to be installed for each of a lock's packages: a file, or a source that is built.

use std::path::Path;
use std::sync::Arc;

use bnbpip_index::PackageFile;
use bnbpip_lock::{LockedFile, LockedSource, LockedVcs, Selected, SelectedFrom};
use bnbpip_packaging::{Hashes, PackageName, Version};
use url::Url;

use crate::commands::wheelhouse::Wheelhouse;
use crate::failure::Failure;
use crate::secrets::without_credentials;

/// A package to install.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) name: PackageName,
    /// Its version, where the lock says one.
    pub(crate) version: Option<Version>,
    pub(crate) origin: Origin,
    /// Whether somebody asked for it by name.
    pub(super) requested: bool,
    /// Whether others than its project built it.
    pub(super) is_community: bool,
}

impl Wanted {
    /// The address that it is installed from, unless an index has it; without credentials.
    pub(super) fn address(&self) -> Option<String> {
        let url = match &self.origin {
            Origin::Wheel { direct: false, .. } => return None,
            Origin::Source(source) if source.is_sdist => return None,
            Origin::Wheel { file, .. } => &file.url,
            Origin::Source(source) => &source.url,
        };
        Some(without_credentials(url.as_str()).into_owned())
    }
}

/// Where it comes from.
#[derive(Debug, Clone)]
pub(crate) enum Origin {
    /// A wheel, and whether the user named its address.
    Wheel { file: PackageFile, direct: bool },
    /// Something to build.
    Source(SourceOrigin),
}

/// Something to build.
#[derive(Debug, Clone)]
pub(crate) struct SourceOrigin {
    /// The address as the builder takes it, with `git+` and `#subdirectory=`.
    pub(crate) url: Url,
    /// Its digests, if it is a file.
    pub(crate) hashes: Hashes,
    pub(crate) size_bytes: Option<u64>,
    pub(crate) editable: bool,
    /// The repository's commit, and what was asked for there.
    pub(super) vcs: Option<LockedVcs>,
    /// Whether it is an index's release, which leaves no trace of where it came from.
    pub(crate) is_sdist: bool,
}

/// Every selected package as it is to be installed. Paths start from the lock's folder.
///
/// # Errors
/// When an address or a path can't be understood.
pub(crate) fn wanted(
    selected: &[Selected<'_>],
    places: Places<'_>,
) -> Result<Vec<Wanted>, Failure> {
    let wanted = selected.iter().map(|selected| {
        let package = selected.package;
        let mut origin = origin(selected.from, places).map_err(|failure| {
            failure.context(format!("Failed to use the lock's `{}`", package.name))
        })?;
        if let Origin::Wheel { file, .. } = &mut origin {
            // What the index's mirrors are found by.
            let index = package.index.as_deref();
            file.index = index.and_then(|index| index.parse().ok()).map(Arc::new);
        }
        Ok(Wanted {
            name: package.name.clone(),
            version: selected.version.clone(),
            origin,
            requested: !package.requirements.is_empty(),
            is_community: package.community.is_some(),
        })
    });
    wanted.collect()
}

/// Where files are looked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Places<'a> {
    /// The lock's folder.
    pub(crate) folder: &'a Path,
    /// A folder that may have files, wherever the lock says that they are.
    pub(crate) wheelhouse: Option<&'a Wheelhouse>,
}

impl Places<'_> {
    /// The wheel in the wheelhouse, if it is there, else where the lock says.
    fn wheel(self, wheel: &LockedFile) -> Result<PackageFile, Failure> {
        let Some(wheelhouse) = self.wheelhouse else {
            return locked_file(wheel, self.folder);
        };
        let Some(found) = wheelhouse.find(wheel)? else {
            return locked_file(wheel, self.folder);
        };
        // The folder may have it under another name.
        let named = LockedFile {
            path: Some(wheel.name.clone()),
            ..wheel.clone()
        };
        let mut file = locked_file(&named, wheelhouse.folder())?;
        if let Ok(url) = Url::from_file_path(found) {
            file.url = url;
        }
        Ok(file)
    }
}

fn origin(from: SelectedFrom<'_>, places: Places<'_>) -> Result<Origin, Failure> {
    let folder = places.folder;
    Ok(match from {
        SelectedFrom::Wheel(file) => Origin::Wheel {
            file: places.wheel(file)?,
            direct: false,
        },
        SelectedFrom::Source(LockedSource::Archive {
            file,
            subdirectory: None,
        }) if is_wheel(&file.name) => Origin::Wheel {
            file: places.wheel(file)?,
            direct: true,
        },
        SelectedFrom::Source(source) => Origin::Source(source_origin(source, folder)?),
    })
}

fn is_wheel(name: &str) -> bool {
    let extension = Path::new(name).extension();
    extension.is_some_and(|extension| extension.eq_ignore_ascii_case("whl"))
}

/// The locked file as it is fetched: from the path beside the lock if there is one.
///
/// # Errors
/// When its place can't be understood.
pub(crate) fn locked_file(wheel: &LockedFile, folder: &Path) -> Result<PackageFile, Failure> {
    let mut file = match (&wheel.path, &wheel.url) {
        (Some(path), _) => PackageFile::from_path(&folder.join(path))?,
        (None, url) => PackageFile::from_url(url.as_deref().unwrap_or_default().parse()?)?,
    };
    file.hashes = wheel.hashes.clone();
    file.size_bytes = wheel.size_bytes;
    Ok(file)
}

fn source_origin(source: &LockedSource, folder: &Path) -> Result<SourceOrigin, Failure> {
    let of_file = |file: &LockedFile, subdirectory: Option<&str>| {
        let mut url = match (&file.path, &file.url) {
            (Some(path), _) => address(&folder.join(path))?,
            (None, url) => url.as_deref().unwrap_or_default().parse()?,
        };
        url.set_fragment(
            subdirectory
                .map(|path| format!("subdirectory={path}"))
                .as_deref(),
        );
        Ok::<_, Failure>(SourceOrigin {
            url,
            hashes: file.hashes.clone(),
            size_bytes: file.size_bytes,
            editable: false,
            vcs: None,
            is_sdist: false,
        })
    };
    match source {
        LockedSource::Sdist(file) => Ok(SourceOrigin {
            is_sdist: true,
            ..of_file(file, None)?
        }),
        LockedSource::Archive { file, subdirectory } => of_file(file, subdirectory.as_deref()),
        LockedSource::Vcs(vcs) => {
            let repository = match (&vcs.path, &vcs.url) {
                (Some(path), _) => address(&folder.join(path))?.to_string(),
                (None, url) => url.clone().unwrap_or_default(),
            };
            let repository = repository.trim_end_matches('/');
            let mut url: Url = format!("git+{repository}@{}", vcs.commit_id).parse()?;
            let inner = vcs.subdirectory.as_ref();
            url.set_fragment(inner.map(|path| format!("subdirectory={path}")).as_deref());
            Ok(SourceOrigin {
                url,
                hashes: Hashes::new(),
                size_bytes: None,
                editable: false,
                vcs: Some(vcs.clone()),
                is_sdist: false,
            })
        }
        LockedSource::Directory {
            path,
            editable,
            subdirectory,
        } => {
            let mut place = folder.join(path);
            place.extend(subdirectory);
            Ok(SourceOrigin {
                url: address(&place)?,
                hashes: Hashes::new(),
                size_bytes: None,
                editable: *editable,
                vcs: None,
                is_sdist: false,
            })
        }
    }
}

/// The address of a file or folder that has to be there.
fn address(path: &Path) -> Result<Url, Failure> {
    let path = fs_err::canonicalize(path)?;
    let url = if path.is_dir() {
        Url::from_directory_path(&path)
    } else {
        Url::from_file_path(&path)
    };
    url.map_err(|()| {
        Failure::new(format!(
            "Failed to use `{}`: it has no address",
            path.display()
        ))
    })
}
