//! Wheels from source: sdists of indexes, archives, folders and repositories that the user names.
//!
//! [`Sources`] obtains a source once a run, asks for its metadata while the solver waits, and
//! builds its wheel before anything is installed. Built wheels are kept in the cache by the digest
//! of the source and of all that shapes a build; folders are built anew each time.

mod building;
mod environment;
mod files;
mod hints;
mod metadata;
mod naming;
mod obtain;
mod packed;
mod repository;
mod settings;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bnbpip_build::Build;
use bnbpip_index::{DistributionFilename, IndexClient, PackageFile, RequiredHashes};
use bnbpip_packaging::{
    CoreMetadata, DirectUrl, Hashes, PackageName, Requires, SdistExtension, SdistFilename,
};
use bnbpip_platform::Interpreter;
use rustc_hash::{FxHashMap, FxHashSet};
use tokio::runtime::Handle;
use url::Url;

use self::obtain::Obtained;
pub(crate) use self::obtain::archive_file;
use self::settings::SettingsBySource;
use super::resolve::{hash_mode, requirements};
use crate::cli::resolve::ResolveArgs;
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::interrupt;
use crate::printer::Printer;
use crate::request::{FileOptions, Request};

/// How much of a failed program's output is shown, in lines.
const OUTPUT_LINES: usize = 40;

/// What a run needs its sources for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SourceUse {
    /// Metadata to resolve with, and wheels to install.
    Wheels,
    /// Metadata alone: what can't be built is no reason to stop.
    Metadata,
}

/// The sources of a run. Cheap to clone; clones share everything. Its methods block.
#[derive(Debug, Clone)]
pub(crate) struct Sources(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    settings: Settings,
    printer: &'static Printer,
    options: ResolveArgs,
    used_for: SourceUse,
    files: FileOptions,
    config_settings: SettingsBySource,
    build_constraints: Request,
    interpreter: Interpreter,
    /// The digests that the user gave, by package.
    hashes: Mutex<hash_mode::RequiredHashes>,
    /// Addresses of folders that are installed in place.
    editables: Mutex<FxHashSet<String>>,
    /// What is being built, outermost first, while this builds what that needs.
    parents: Vec<String>,
    entries: Mutex<FxHashMap<String, Arc<Mutex<Entry>>>>,
    built: Mutex<Vec<String>>,
    cache: bnbpip_index::Cache,
    work: tempfile::TempDir,
}

/// What is known of one source so far.
#[derive(Debug, Default)]
struct Entry {
    obtained: Option<Obtained>,
    document: Option<Vec<u8>>,
    /// What the document requires, if the wheel may turn out to require something else.
    presumed: Option<Requires>,
    build: Option<Build>,
    wheel: Option<Arc<PackageFile>>,
}

/// How the network is reached for a source.
#[derive(Clone, Copy)]
pub(crate) struct Access<'a> {
    pub(crate) client: &'a IndexClient,
    pub(crate) runtime: &'a Handle,
}

impl Sources {
    /// The sources of a run that resolves `request` for an interpreter of this machine.
    ///
    /// # Errors
    /// When a build option can't be understood or goes against another, or a file that it names
    /// can't be read.
    pub(crate) fn new(
        used_for: SourceUse,
        options: &ResolveArgs,
        settings: &Settings,
        printer: &'static Printer,
        request: &Request,
        interpreter: &Interpreter,
    ) -> Result<Self, Failure> {
        let build = &options.build;
        if build.no_build_isolation && !build.build_constraint_files.is_empty() {
            return Err(Failure::new(
                "--build-constraint cannot be used with --no-build-isolation.",
            )
            .hint("a build in the environment itself takes what is installed there"));
        }
        let shared = Shared {
            config_settings: SettingsBySource::new(request, &build.config_settings()?)?,
            build_constraints: requirements::read_constraints(
                &build.build_constraint_files,
                settings,
                printer,
            )?,
            cache: super::resolve::network::cache(settings)?,
            settings: settings.clone(),
            printer,
            options: options.clone(),
            used_for,
            files: request.options.clone(),
            interpreter: interpreter.clone(),
            hashes: Mutex::new(hash_mode::required_hashes(request)),
            editables: Mutex::default(),
            parents: Vec::new(),
            entries: Mutex::default(),
            built: Mutex::default(),
            work: work_folder(options)?,
        };
        let sources = Self(Arc::new(shared));
        for given in request.requirements.iter().filter(|given| given.editable) {
            sources.mark_editable(&given.requirement);
        }
        Ok(sources)
    }

    /// Notes a source that a lock has: its digests, and whether it is installed in place.
    pub(crate) fn note_locked(
        &self,
        name: &PackageName,
        url: &Url,
        hashes: &Hashes,
        editable: bool,
    ) {
        if let Some((algorithm, hex)) = hashes.strongest() {
            let digest = (algorithm, hex.to_owned());
            lock(&self.0.hashes).insert(name.clone(), vec![digest]);
        }
        if editable {
            lock(&self.0.editables).insert(url.to_string());
        }
    }

    fn mark_editable(&self, requirement: &bnbpip_packaging::Requirement) {
        if let Some(bnbpip_packaging::VersionOrUrl::Url(url)) = &requirement.version_or_url {
            lock(&self.0.editables).insert(url.to_string());
        }
    }

    /// The same for building what `label` needs.
    fn nested(&self, label: &str) -> Result<Self, Failure> {
        let shared = &self.0;
        let mut parents = shared.parents.clone();
        parents.push(label.to_string());
        Ok(Self(Arc::new(Shared {
            settings: shared.settings.clone(),
            printer: shared.printer,
            options: shared.options.clone(),
            used_for: SourceUse::Wheels,
            files: shared.files.clone(),
            config_settings: SettingsBySource::default(),
            build_constraints: shared.build_constraints.clone(),
            interpreter: shared.interpreter.clone(),
            hashes: Mutex::default(),
            editables: Mutex::default(),
            parents,
            entries: Mutex::default(),
            built: Mutex::default(),
            cache: shared.cache.clone(),
            work: work_folder(&shared.options)?,
        })))
    }

    /// The wheel of a source: the one that was built before, or a new one.
    ///
    /// # Errors
    /// When the source can't be had, or its backend fails.
    pub(crate) fn wheel(
        &self,
        file: &PackageFile,
        access: Access<'_>,
    ) -> Result<Arc<PackageFile>, Failure> {
        let wheel = self.made_wheel(file, access)?;
        if wheel.name() != file.name() || wheel.version() != file.version() {
            return Err(Failure::new(format!(
                "Failed to build `{} {}`: its backend made `{}`",
                file.name(),
                file.version(),
                wheel.filename_text
            )));
        }
        Ok(wheel)
    }

    fn made_wheel(
        &self,
        file: &PackageFile,
        access: Access<'_>,
    ) -> Result<Arc<PackageFile>, Failure> {
        let entry = self.entry(file);
        let mut entry = lock(&entry);
        if let Some(wheel) = &entry.wheel {
            return Ok(Arc::clone(wheel));
        }
        self.obtain(&mut entry, file, access)?;
        if let Some(wheel) = Self::kept_wheel(&entry)? {
            self.narrate(&format!("  Using cached {}", wheel.filename_text));
            entry.wheel = Some(Arc::clone(&wheel));
            return Ok(wheel);
        }
        let _guard = interrupt::Guard::new();
        self.prepare(&mut entry, file)?
            .map_err(|error| Self::explained(&error, file))?;
        let wheel = self.build(&mut entry, file)?;
        Self::check_presumed(&entry, file, access)?;
        Ok(wheel)
    }

    /// Where a source that the user named came from, for `direct_url.json` and reports.
    pub(crate) fn direct_url(&self, file: &PackageFile) -> Option<DirectUrl> {
        let entry = self.entry(file);
        let entry = lock(&entry);
        Some(entry.obtained.as_ref()?.origin.direct_url.clone())
    }

    /// Puts a source's files into a folder as an archive; returns where that is.
    ///
    /// # Errors
    /// When the source can't be had, or the archive can't be written.
    pub(crate) fn pack(
        &self,
        file: &PackageFile,
        folder: &Path,
        access: Access<'_>,
    ) -> Result<PathBuf, Failure> {
        let metadata = CoreMetadata::parse(&self.document(file, access)?)?;
        let entry = self.entry(file);
        let entry = lock(&entry);
        let name = metadata.display_name.replace(['/', '\\', ':'], "_");
        let archive = format!("{name}-{}.zip", metadata.version);
        let packed = self.0.work.path().join(&archive);
        if let Some(obtained) = &entry.obtained {
            bnbpip_build::pack_tree(obtained.files.root()?, &name, &packed)?;
        }
        Ok(super::saving::save(&packed, folder, &archive)?)
    }

    /// The names of what was built, in order.
    pub(crate) fn built(&self) -> Vec<String> {
        lock(&self.0.built).clone()
    }

    /// A file that stands for a source at an address: its version comes from its metadata.
    ///
    /// # Errors
    /// When the source can't be had, or its backend fails.
    pub(crate) fn direct(
        &self,
        name: &PackageName,
        url: Url,
        access: Access<'_>,
    ) -> Result<PackageFile, Failure> {
        // The version isn't known yet; what is known by address is found again.
        let provisional = source_file(name.clone(), "0".parse()?, url.clone());
        let version = self.metadata(&provisional, access)?.version;
        Ok(source_file(name.clone(), version, url))
    }

    fn entry(&self, file: &PackageFile) -> Arc<Mutex<Entry>> {
        let key = file.url.to_string();
        Arc::clone(lock(&self.0.entries).entry(key).or_default())
    }

    /// Whether a source's files were got already.
    pub(crate) fn has(&self, file: &PackageFile) -> bool {
        let entry = self.entry(file);
        lock(&entry).obtained.is_some()
    }

    fn obtain(
        &self,
        entry: &mut Entry,
        file: &PackageFile,
        access: Access<'_>,
    ) -> Result<(), Failure> {
        if entry.obtained.is_none() {
            entry.obtained = Some(obtain::obtain(&self.0, file, access)?);
        }
        Ok(())
    }

    /// The wheel that was built from the same source before.
    fn kept_wheel(entry: &Entry) -> Result<Option<Arc<PackageFile>>, Failure> {
        if let Some(wheel) = &entry.wheel {
            return Ok(Some(Arc::clone(wheel)));
        }
        let kept = entry.obtained.as_ref().and_then(Obtained::kept_wheel);
        Ok(match kept {
            Some(path) => Some(Arc::new(PackageFile::from_path(&path)?)),
            None => None,
        })
    }

    /// The digests of which the source's archive must have one.
    fn required(shared: &Shared, name: &PackageName) -> RequiredHashes {
        let hashes = lock(&shared.hashes);
        let digests = hashes.get(name).into_iter().flatten();
        RequiredHashes(
            digests
                .map(|(algorithm, hex)| (*algorithm, hex.as_str().into()))
                .collect(),
        )
    }
}

/// The folder that a run's sources are unpacked and built in, removed with it unless `--no-clean`.
fn work_folder(options: &ResolveArgs) -> std::io::Result<tempfile::TempDir> {
    let mut folder = tempfile::Builder::new()
        .prefix("bnbpip-source-")
        .tempdir()?;
    folder.disable_cleanup(options.build.no_clean);
    Ok(folder)
}

pub(crate) fn source_file(
    name: PackageName,
    version: bnbpip_packaging::Version,
    url: Url,
) -> PackageFile {
    PackageFile {
        filename_text: format!("{name}-{version}.tar.gz").into(),
        filename: DistributionFilename::Sdist(SdistFilename {
            name,
            version,
            extension: SdistExtension::TarGz,
        }),
        hashes: url
            .fragment()
            .map(Hashes::parse_fragment)
            .unwrap_or_default(),
        url,
        size_bytes: None,
        upload_time_ms: None,
        requires_python: None,
        yanked: None,
        core_metadata: None,
        provenance: None,
        index: None,
    }
}

/// Whether an address is one of version control.
pub(crate) fn is_repository(url: &Url) -> bool {
    url.scheme().starts_with("git+")
}

/// Whether an address names something that has to be built first.
pub(crate) fn is_source(url: &Url) -> bool {
    !Path::new(url.path())
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("whl"))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
