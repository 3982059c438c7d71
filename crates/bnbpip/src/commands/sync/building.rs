//! The plan of a sync, with the wheels of all sources built before anything is changed.

use std::sync::Arc;

use bnbpip_index::{IndexClient, NoProgress, PackageFile, RequiredHashes};
use bnbpip_installer::InstalledEnvironment;
use bnbpip_packaging::{DirectUrl, DirectUrlSource, PackageName};
use bnbpip_platform::Interpreter;
use bnbpip_resolver::{ResolvedPackage, Source};

use super::planning::{Origin, SourceOrigin, Wanted};
use crate::cli::resolve::ResolveArgs;
use crate::commands::install::{Change, Plan, spelled};
use crate::commands::resolve::network;
use crate::commands::sources::{Access, SourceUse, Sources, archive_file};
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::request::Request;

/// What gets and builds a lock's files.
pub(super) struct Building {
    pub(super) runtime: tokio::runtime::Runtime,
    pub(super) client: IndexClient,
    sources: Option<Sources>,
}

impl Building {
    /// For what is wanted; nothing is got or built yet.
    ///
    /// # Errors
    /// When the cache can't be opened, or a build option can't be understood.
    pub(super) fn new(
        resolve: &ResolveArgs,
        wanted: &[Wanted],
        interpreter: &Interpreter,
        settings: &Settings,
        printer: &'static Printer,
    ) -> Result<Self, Failure> {
        let (runtime, client) = super::client(&resolve.index, settings)?;
        let builds = wanted
            .iter()
            .any(|one| matches!(one.origin, Origin::Source(_)));
        let sources = if builds {
            let request = Request::default();
            Some(Sources::new(
                SourceUse::Wheels,
                resolve,
                settings,
                printer,
                &request,
                interpreter,
            )?)
        } else {
            None
        };
        Ok(Self {
            runtime,
            client,
            sources,
        })
    }

    /// The changes. In a dry run a source's version is found out, and its wheel isn't built.
    ///
    /// # Errors
    /// When a source can't be had or built, or isn't what the lock says.
    pub(super) fn plan(
        &self,
        wanted: Vec<Wanted>,
        installed: &InstalledEnvironment,
        dry_run: bool,
    ) -> Result<Plan, Failure> {
        let mut plan = Plan {
            changes: Vec::new(),
            kept: Vec::new(),
        };
        for one in wanted {
            let replaces = installed.get(&one.name).cloned();
            let mut change = match &one.origin {
                Origin::Wheel { file, direct } => {
                    let direct_url = direct.then(|| file.shown_url());
                    change(&one, Arc::new(file.clone()), direct_url)
                }
                Origin::Source(source) => self.built(&one, source, dry_run)?,
            };
            change.replaces = replaces;
            plan.changes.push(change);
        }
        plan.changes
            .sort_by(|a, b| a.package.name.cmp(&b.package.name));
        Ok(plan)
    }

    fn built(
        &self,
        wanted: &Wanted,
        source: &SourceOrigin,
        dry_run: bool,
    ) -> Result<Change, Failure> {
        let name = &wanted.name;
        let Some(sources) = &self.sources else {
            return Err(Failure::new(format!("Failed to build `{name}`")));
        };
        sources.note_locked(name, &source.url, &source.hashes, source.editable);
        self.check_size(name, source)?;
        let access = Access {
            client: &self.client,
            runtime: self.runtime.handle(),
        };
        let file = Arc::new(sources.direct(name, source.url.clone(), access)?);
        if let Some(version) = &wanted.version
            && version != file.version()
        {
            return Err(Failure::new(format!(
                "Failed to use the lock's `{name}`: it has version {}, and the lock says {version}",
                file.version()
            )));
        }
        let direct_url = (!source.is_sdist).then(|| file.shown_url());
        let mut change = change(wanted, Arc::clone(&file), direct_url);
        if !source.is_sdist {
            change.origin = sources
                .direct_url(&file)
                .map(|origin| recorded(origin, source));
        }
        if !dry_run {
            change.built = Some(sources.wheel(&file, access)?);
        }
        Ok(change)
    }

    /// Refuses an archive that hasn't the size that the lock says, before code in it is run.
    fn check_size(&self, name: &PackageName, source: &SourceOrigin) -> Result<(), Failure> {
        let Some(expected) = source.size_bytes else {
            return Ok(());
        };
        let mut file = bnbpip_index::PackageFile::clone(&source_file(name, source)?);
        file.hashes.clone_from(&source.hashes);
        let digests = source.hashes.strongest().into_iter();
        let required = RequiredHashes(
            digests
                .map(|(algorithm, hex)| (algorithm, hex.into()))
                .collect(),
        );
        let file = archive_file(&file);
        let downloaded = self
            .runtime
            .block_on(self.client.download(&file, &required, &NoProgress))
            .map_err(|error| network::explained(&Arc::new(error)))?;
        let actual = fs_err::metadata(&downloaded.path)?.len();
        if actual == expected {
            return Ok(());
        }
        Err(Failure::new(format!(
            "Failed to use `{}`: it has {actual} bytes, and the lock says {expected}",
            file.filename_text
        )))
    }
}

/// The archive as a file to download.
fn source_file(name: &PackageName, source: &SourceOrigin) -> Result<PackageFile, Failure> {
    let version = "0".parse()?;
    Ok(crate::commands::sources::source_file(
        name.clone(),
        version,
        source.url.clone(),
    ))
}

/// Where it came from, as it is recorded: with the branch or tag that was asked for.
fn recorded(mut origin: DirectUrl, source: &SourceOrigin) -> DirectUrl {
    if let (DirectUrlSource::Vcs(info), Some(vcs)) = (&mut origin.source, &source.vcs) {
        info.requested_revision.clone_from(&vcs.requested_revision);
    }
    origin
}

fn change(wanted: &Wanted, file: Arc<PackageFile>, direct_url: Option<String>) -> Change {
    Change {
        shown_name: spelled(&file),
        package: ResolvedPackage {
            name: wanted.name.clone(),
            version: file.version().clone(),
            source: Source::Index(Arc::clone(&file)),
            extras: Vec::new(),
            requested: wanted.requested,
            dependents: Vec::new(),
            reached: true,
        },
        file,
        direct_url,
        built: None,
        origin: None,
        replaces: None,
    }
}
