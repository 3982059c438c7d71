//! Getting a source's files: a folder as it is, an archive unpacked, a repository checked out; and
//! the place in the cache where what is built from it is kept.

use std::cell::OnceCell;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use bnbpip_build::WheelKind;
use bnbpip_index::{DistributionFilename, NoProgress, PackageFile};
use bnbpip_packaging::{ArchiveInfo, DirInfo, DirectUrl, DirectUrlSource, Hashes, SdistExtension};
use sha2::{Digest as _, Sha256};

use super::files::{Archive, SourceFiles};
use super::{Access, Shared, Sources, is_repository, lock, repository};
use crate::commands::install::announce;
use crate::commands::resolve::network;
use crate::failure::Failure;

/// A source's files.
#[derive(Debug)]
pub(super) struct Obtained {
    /// Where they are.
    pub(super) files: SourceFiles,
    /// Where it came from.
    pub(super) origin: Origin,
    /// Where the cache has what is built from it; none where it may change.
    pub(super) kept: Option<Kept>,
}

/// The folders of the cache for what is built from a source.
#[derive(Debug)]
pub(super) struct Kept {
    /// For builds like this run's.
    folder: PathBuf,
    /// For those with `--no-build-isolation` in this environment, if this run isolates.
    unisolated: Option<PathBuf>,
}

/// Where a source came from.
#[derive(Debug)]
pub(super) struct Origin {
    /// For `direct_url.json`.
    pub(super) direct_url: DirectUrl,
    /// The source as the user wrote it; `None` for a release of an index.
    pub(super) shown: Option<String>,
    /// What the wheel is for.
    pub(super) kind: WheelKind,
}

impl Obtained {
    /// Metadata that was kept under a name by an earlier run.
    pub(super) fn kept_metadata(&self, name: &str) -> Option<Vec<u8>> {
        let kept = self.kept.as_ref()?;
        Some(kept_file(&kept.folder, |file| file == name)?.1)
    }

    /// The wheel that was built from the same source before.
    pub(super) fn kept_wheel(&self) -> Option<PathBuf> {
        let kept = self.kept.as_ref()?;
        let ends = |name: &OsStr, ending: &str| name.to_string_lossy().ends_with(ending);
        let own = kept_file(&kept.folder, |name| ends(name, ".whl"));
        // What isn't compiled is the same whatever else was there.
        let pure = || {
            kept_file(kept.unisolated.as_ref()?, |name| {
                ends(name, "-none-any.whl")
            })
        };
        Some(own.or_else(pure)?.0)
    }

    /// Keeps metadata for the next run, under a name.
    pub(super) fn keep_metadata(&self, name: &str, document: &[u8]) {
        if let Some(kept) = &self.kept {
            // Without a cache it is asked for again.
            let _ = write_whole(&kept.folder, name, document);
        }
    }

    /// Keeps a wheel for the next run; returns where it is then.
    pub(super) fn keep_wheel(&self, wheel: &Path) -> Result<PathBuf, Failure> {
        let (Some(kept), Some(name)) = (&self.kept, wheel.file_name()) else {
            return Ok(wheel.to_path_buf());
        };
        let bytes = fs_err::read(wheel)?;
        Ok(write_whole(&kept.folder, &name.to_string_lossy(), &bytes)?)
    }
}

/// A file that was kept, and its content. Each lies in a folder with its digest as the name: one
/// that is damaged is as good as none.
fn kept_file(kept: &Path, is_wanted: impl Fn(&OsStr) -> bool) -> Option<(PathBuf, Vec<u8>)> {
    let folders = fs_err::read_dir(kept).ok()?;
    let files = folders
        .flatten()
        .filter_map(|folder| Some((folder.file_name(), fs_err::read_dir(folder.path()).ok()?)))
        .flat_map(|(digest, files)| files.flatten().map(move |file| (digest.clone(), file)));
    for (digest, file) in files.filter(|(_, file)| is_wanted(&file.file_name())) {
        if let Ok(bytes) = fs_err::read(file.path())
            && *digest == *hex(&Sha256::digest(&bytes))
        {
            return Some((file.path(), bytes));
        }
    }
    None
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Writes a file, below a folder with its digest as the name, so that others see all of it or
/// nothing.
fn write_whole(kept: &Path, name: &str, bytes: &[u8]) -> std::io::Result<PathBuf> {
    use std::io::Write as _;
    let folder = &kept.join(hex(&Sha256::digest(bytes)));
    fs_err::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new()
        .prefix(".tmp-")
        .tempfile_in(folder)?;
    file.write_all(bytes)?;
    let path = folder.join(name);
    file.persist(&path).map_err(|error| error.error)?;
    Ok(path)
}

/// Gets a source's files.
pub(super) fn obtain(
    shared: &Shared,
    file: &PackageFile,
    access: Access<'_>,
) -> Result<Obtained, Failure> {
    if is_repository(&file.url) {
        return repository::obtain(shared, file);
    }
    match file.local_path().filter(|path| path.is_dir()) {
        Some(root) => folder(shared, file, root),
        None => archive(shared, file, access),
    }
}

pub(super) fn refuse_hashes(
    shared: &Shared,
    file: &PackageFile,
    what: &str,
) -> Result<(), Failure> {
    if lock(&shared.hashes).contains_key(file.name()) {
        return Err(Failure::new(format!(
            "Can't verify hashes for these requirements because {what}:\n    {}",
            file.shown_url()
        )));
    }
    Ok(())
}

fn folder(shared: &Shared, file: &PackageFile, root: PathBuf) -> Result<Obtained, Failure> {
    refuse_hashes(shared, file, "they point to directories")?;
    let editable = lock(&shared.editables).contains(file.url.as_str());
    let mut url = file.url.clone();
    url.set_fragment(None);
    Ok(Obtained {
        origin: Origin {
            direct_url: DirectUrl {
                url: url.to_string().trim_end_matches('/').to_string(),
                source: DirectUrlSource::Directory(DirInfo {
                    editable: editable.then_some(true),
                }),
                subdirectory: None,
            },
            shown: Some(root.display().to_string()),
            kind: if editable {
                WheelKind::Editable
            } else {
                WheelKind::Ordinary
            },
        },
        files: SourceFiles::Folder(root),
        kept: None,
    })
}

fn archive(shared: &Shared, file: &PackageFile, access: Access<'_>) -> Result<Obtained, Failure> {
    let fragment = file.url.fragment().unwrap_or_default();
    let subdirectory = url::form_urlencoded::parse(fragment.as_bytes())
        .find(|(key, _)| key == "subdirectory")
        .map(|(_, value)| value.trim_matches('/').to_string());
    if subdirectory
        .as_ref()
        .is_some_and(|path| path.split(['/', '\\']).any(|part| part == ".."))
    {
        return Err(Failure::new(format!(
            "Failed to use `{}`: its subdirectory leads out of the archive",
            file.shown_url()
        )));
    }
    let filename = last_segment(&file.url);
    let wanted = archive_file(file);
    let required = Sources::required(shared, file.name());
    if shared.parents.is_empty() {
        announce(&wanted, access.client, shared.printer);
    }
    let downloaded = access
        .runtime
        .block_on(access.client.download(&wanted, &required, &NoProgress))
        .map_err(|error| network::explained(&std::sync::Arc::new(error)))?;
    if required.0.is_empty()
        && let Some((algorithm, hex)) = Hashes::malformed(fragment)
    {
        let got = &*downloaded.sha256;
        return Err(Failure::new(network::mismatch(
            &filename, algorithm, hex, got,
        )));
    }
    let extension = extension(file, &filename).ok_or_else(|| {
        Failure::new(format!(
            "Failed to use `{}`: only tar and ZIP archives can be built",
            wanted.shown_url()
        ))
    })?;
    let key = [
        "archive",
        &*downloaded.sha256,
        subdirectory.as_deref().unwrap_or_default(),
    ];
    Ok(Obtained {
        kept: Some(kept_folders(shared, file, &key)),
        files: SourceFiles::Archive(Archive {
            path: downloaded.path.clone(),
            filename,
            extension,
            subdirectory: subdirectory.clone(),
            folder: new_folder(shared)?,
            root: OnceCell::new(),
        }),
        origin: Origin {
            shown: file.index.is_none().then(|| wanted.shown_url()),
            kind: WheelKind::Ordinary,
            direct_url: DirectUrl {
                url: wanted.shown_url(),
                source: DirectUrlSource::Archive(ArchiveInfo::from_sha256(&downloaded.sha256)),
                subdirectory,
            },
        },
    })
}

/// The file behind a source that is an archive: its address without a fragment, and the name that
/// it has there.
pub(crate) fn archive_file(file: &PackageFile) -> PackageFile {
    let mut archive = file.clone();
    archive.url.set_fragment(None);
    if file.index.is_none() {
        archive.filename_text = last_segment(&archive.url).into();
    }
    archive
}

fn extension(file: &PackageFile, filename: &str) -> Option<SdistExtension> {
    if file.index.is_some()
        && let DistributionFilename::Sdist(sdist) = &file.filename
    {
        return Some(sdist.extension);
    }
    SdistExtension::of(filename)
}

fn last_segment(url: &url::Url) -> String {
    let segment = url.path().rsplit('/').next().unwrap_or_default();
    percent_encoding::percent_decode_str(segment)
        .decode_utf8_lossy()
        .into_owned()
}

pub(super) fn new_folder(shared: &Shared) -> Result<PathBuf, Failure> {
    Ok(tempfile::Builder::new()
        .prefix("source-")
        .tempdir_in(shared.work.path())?
        .keep())
}

/// Where what is built of a source is kept.
pub(super) fn kept_folders(shared: &Shared, file: &PackageFile, source: &[&str]) -> Kept {
    // What is installed there is part of the build.
    let prefix = shared.interpreter.prefix.to_string_lossy();
    if shared.options.build.no_build_isolation {
        return Kept {
            folder: kept_folder(shared, file, source, &prefix),
            unisolated: None,
        };
    }
    Kept {
        folder: kept_folder(shared, file, source, ""),
        unisolated: Some(kept_folder(shared, file, source, &prefix)),
    }
}

/// `<cache>/built-v1/<digest>`, by the source and by all that shapes a build of it.
fn kept_folder(shared: &Shared, file: &PackageFile, source: &[&str], environment: &str) -> PathBuf {
    let interpreter = &shared.interpreter;
    let settings = serde_json::to_string(&shared.config_settings.of(file)).unwrap_or_default();
    let version = interpreter.version().to_string();
    let mut parts: Vec<&str> = source.to_vec();
    parts.extend([
        settings.as_str(),
        version.as_str(),
        interpreter.sysconfig_platform.as_str(),
        interpreter.soabi.as_deref().unwrap_or_default(),
        environment,
    ]);
    let constraints: Vec<&str> = shared
        .build_constraints
        .constraints
        .iter()
        .map(|given| given.raw.as_str())
        .collect();
    parts.extend(constraints);
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    let digest = hex(&hasher.finalize());
    shared
        .cache
        .folder(bnbpip_index::cache::Bucket::Built.folder())
        .join(digest)
}
