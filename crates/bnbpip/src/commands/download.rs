//! `bnbpip download`: request → target → resolution → files in a folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bnbpip_index::{PackageFile, RequiredHashes};
use bnbpip_installer::InstalledEnvironment;
use bnbpip_packaging::{Hashes, VerbatimUrl, VersionOrUrl};
use bnbpip_platform::{Interpreter, TargetRequest};
use bnbpip_resolver::{PreferredVersions, Source};
use rustc_hash::{FxHashMap, FxHashSet};
use sha2::Sha256;
use tokio::task::JoinSet;
use url::Url;

use super::hash::digest_of;
use super::install::{DownloadProgress, announce, tell_collected};
use super::locked_requirements;
use super::resolve::accelerator::Accelerator;
use super::resolve::machine::Machine;
use super::resolve::{
    CommandWords, Connections, InstalledPolicy, Resolved, Resolving, hash_mode, network, notes,
    requirements,
};
use super::rule_set;
use super::saving;
use super::sources::{SourceUse, Sources, archive_file, is_repository};
use super::sync::Wish;
use super::target_environment;
use crate::cli::DownloadArgs;
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::request::Request;

/// Puts the files of what was asked for, and of what that needs, into a folder.
///
/// # Errors
/// When there is no solution, or a file can't be had.
pub(crate) fn run(
    arguments: &DownloadArgs,
    settings: &Settings,
    printer: &'static Printer,
) -> Result<(), Failure> {
    let options = &arguments.resolve;
    let mut request = requirements::read(
        "download",
        &arguments.requirements,
        options,
        settings,
        printer,
    )?;
    let wanted = arguments.target_python.request()?;
    check_restriction(arguments, &wanted, &request)?;
    network::say_locations(&options.index, &request.options, settings, printer)?;
    let interpreter = interpreter(settings, &wanted)?;
    let target = wanted.target(interpreter.as_ref())?;
    let wish = Wish::of(options, settings);
    let locked =
        locked_requirements::ask_for(&mut request, &target, (wish, None), settings, printer)?;
    let folder = settings
        .environment
        .working_directory()
        .join(&arguments.dest);
    for given in request.requirements.iter_mut().chain(&mut request.unnamed) {
        if let Some(VersionOrUrl::Url(url)) = &mut given.requirement.version_or_url
            && let Some(here) = already_there(url, &folder)
        {
            *url = VerbatimUrl::from_url(here);
        }
    }
    // What is saved of a folder are its files: it is built as any other source.
    let mut in_place = FxHashSet::default();
    for given in request.requirements.iter_mut().chain(&mut request.unnamed) {
        if let Some(VersionOrUrl::Url(url)) = &given.requirement.version_or_url
            && given.editable
        {
            in_place.insert(url.to_string());
            given.editable = false;
        }
    }
    let nothing = || Ok(InstalledEnvironment::default());
    Accelerator::choose(options, &mut request, &target, nothing, settings, printer)?;
    // What is built here runs here: not for another platform.
    let sources = match interpreter.filter(|_| !target.is_synthetic) {
        Some(interpreter) => {
            let sources = Sources::new(
                SourceUse::Metadata,
                options,
                settings,
                printer,
                &request,
                &interpreter,
            )?;
            sources.name_requirements(&mut request, &target.markers)?;
            Some(sources)
        }
        None => None,
    };
    let overlay = rule_set::overlay(&options.overlay.overlay, &options.allow, settings)?;
    let rules = Arc::new(overlay.active(&target.markers));
    let constraints = requirements::constraints(&request, &target.markers);
    let resolving = Resolving {
        options,
        policy: InstalledPolicy::default(),
        command: CommandWords {
            name: "download",
            options: String::new(),
        },
        settings,
        printer,
        request: &request,
        target: &target,
        overlay,
        rules,
        constraints,
        preferred: PreferredVersions::default(),
        sources: sources.clone(),
        machine: Machine::of(&target, settings, printer),
        connections: Connections::default(),
        locked,
    };
    let resolved = resolving.run(FxHashMap::default())?;
    notes::say(&resolved.resolution, printer);
    let telling = (settings, printer);
    tell_collected(
        &request,
        &resolved,
        sources.as_ref(),
        &target.markers,
        telling,
    );
    if let Some(community) = &resolved.community {
        community.say(&resolved.resolution, printer);
    }
    let saving = Saving {
        arguments,
        settings,
        printer,
        folder,
        resolved: &resolved,
        sources: sources.as_ref(),
        in_place,
    };
    saving.run(&hash_mode::required_hashes(&request))
}

/// The file in the folder that an address leads to, if it is the one whose digest the address
/// gives: an earlier run brought it.
fn already_there(address: &Url, folder: &Path) -> Option<Url> {
    let wanted = Hashes::parse_fragment(address.fragment()?);
    let name = address.path_segments()?.next_back()?;
    let name = percent_encoding::percent_decode_str(name)
        .decode_utf8()
        .ok()?;
    let place = folder.join(saving::plain_name(&name)?);
    let digest = digest_of::<Sha256>(&place).ok()?;
    if wanted.sha256()? != digest {
        return None;
    }
    let mut here = Url::from_file_path(place).ok()?;
    here.set_fragment(address.fragment());
    Some(here)
}

/// The interpreter that the choice goes by; none where the options say enough.
fn interpreter(
    settings: &Settings,
    wanted: &TargetRequest,
) -> Result<Option<Interpreter>, Failure> {
    match target_environment::find_to_read(settings) {
        Ok(interpreter) => Ok(Some(interpreter)),
        Err(_) if wanted.is_complete() => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// For another target nothing can be built; pip wants that said.
fn check_restriction(
    arguments: &DownloadArgs,
    wanted: &TargetRequest,
    request: &Request,
) -> Result<(), Failure> {
    // `--python-platform` isn't pip's: it stands for itself.
    let restricts = wanted.python_version.is_some()
        || !wanted.platforms.is_empty()
        || wanted.implementation.is_some()
        || !wanted.abis.is_empty();
    locked_requirements::refuse_restrictions(request, restricts)?;
    let formats = request
        .options
        .format_control(&arguments.resolve.index.format_control);
    if !restricts
        || wanted.python_platform.is_some()
        || arguments.resolve.no_deps
        || formats.is_only_binary()
    {
        return Ok(());
    }
    Err(Failure::new(
        "When restricting platform and interpreter constraints using --python-version, \
         --platform, --abi, or --implementation, either --no-deps must be set, or \
         --only-binary=:all: must be set and --no-binary must not be set (or must be set to \
         :none:).",
    ))
}

/// The last stage: files of a resolution on their way into the folder.
struct Saving<'a> {
    arguments: &'a DownloadArgs,
    settings: &'a Settings,
    printer: &'static Printer,
    folder: PathBuf,
    resolved: &'a Resolved,
    sources: Option<&'a Sources>,
    /// The addresses of the folders that were named with `-e`.
    in_place: FxHashSet<String>,
}

/// A file to be downloaded, and its name in the folder.
struct Wanted {
    file: PackageFile,
    name: String,
    required: RequiredHashes,
}

impl Saving<'_> {
    fn run(&self, required: &hash_mode::RequiredHashes) -> Result<(), Failure> {
        let mut wanted = Vec::new();
        let only_deps = self.arguments.resolve.only_deps;
        let packages = self.resolved.resolution.packages.iter();
        let packages: Vec<_> = packages.filter(|it| !(only_deps && it.requested)).collect();
        for package in &packages {
            let (Source::Index(file) | Source::Direct { file, .. }) = &package.source else {
                continue;
            };
            let folder = file.local_path().filter(|path| path.is_dir());
            let is_in_place = self.in_place.contains(file.url.as_str());
            if is_repository(&file.url) || is_in_place {
                self.save_files(file)?;
            } else if let Some(folder) = folder {
                self.printer.status(&format!(
                    "Not copying {}: it is a folder (`bnbpip wheel` builds its wheel)",
                    folder.display()
                ));
            } else {
                let is_announced = self.sources.is_some_and(|it| it.has(file));
                let file = archive_file(file);
                let name = file_name(&file)?;
                let required = saving::required_for(required, &package.name);
                if !self.is_there(&name, &file, &required)? {
                    if !is_announced {
                        announce(&file, &self.resolved.client, self.printer);
                    }
                    wanted.push(Wanted {
                        file,
                        name,
                        required,
                    });
                }
            }
        }
        self.download(wanted)?;
        let names: Vec<&str> = packages.iter().map(|it| it.name.as_ref()).collect();
        if !names.is_empty() {
            self.printer
                .info(&format!("Successfully downloaded {}", names.join(" ")));
        }
        Ok(())
    }

    /// Whether the file was downloaded before. One that isn't what it should be goes.
    fn is_there(
        &self,
        name: &str,
        file: &PackageFile,
        required: &RequiredHashes,
    ) -> Result<bool, Failure> {
        let place = self.folder.join(name);
        if !place.is_file() {
            return Ok(false);
        }
        self.printer
            .info(&format!("File was already downloaded {}", place.display()));
        let digest = digest_of::<Sha256>(&place)?;
        let is_known = file.hashes.sha256().is_none_or(|known| known == digest);
        if is_known && required.allows_sha256(&digest) {
            return Ok(true);
        }
        self.printer.warning(&format!(
            "Previously-downloaded file {} has bad hash. Re-downloading.",
            place.display()
        ));
        Ok(false)
    }

    /// Downloads several at once; each is put into the folder when it has arrived.
    fn download(&self, wanted: Vec<Wanted>) -> Result<(), Failure> {
        let total_bytes = wanted.iter().filter_map(|it| it.file.size_bytes).sum();
        let choice = self.arguments.progress_bar;
        let progress = Arc::new(DownloadProgress::new(self.printer, choice, total_bytes));
        let saved = self.resolved.runtime.block_on(async {
            let mut tasks = JoinSet::new();
            for Wanted {
                file,
                name,
                required,
            } in wanted
            {
                let (client, progress) = (self.resolved.client.clone(), Arc::clone(&progress));
                tasks.spawn(async move {
                    let downloaded = client.download(&file, &required, &*progress).await;
                    downloaded.map(|downloaded| (downloaded.path, name))
                });
            }
            while let Some(arrival) = tasks.join_next().await {
                let (path, name) =
                    arrival?.map_err(|error| network::explained(&Arc::new(error)))?;
                self.save(&path, &name)?;
            }
            Ok(())
        });
        progress.clear();
        saved
    }

    /// A repository is no file, nor is what is edited in its place: an archive of its files is made.
    fn save_files(&self, file: &PackageFile) -> Result<(), Failure> {
        let Some(sources) = self.sources else {
            return Ok(());
        };
        let place = sources.pack(file, &self.folder, self.resolved.access())?;
        let shown = saving::shown(&place, self.settings);
        self.printer.info(&format!("Saved {shown}"));
        Ok(())
    }

    fn save(&self, from: &Path, name: &str) -> Result<(), Failure> {
        let place = saving::save(from, &self.folder, name)?;
        let shown = saving::shown(&place, self.settings);
        self.printer.info(&format!("Saved {shown}"));
        Ok(())
    }
}

/// The name under which a file is kept: nothing in it may lead out of the folder.
fn file_name(file: &PackageFile) -> Result<String, Failure> {
    let name = &*file.filename_text;
    saving::plain_name(name).map(str::to_owned).ok_or_else(|| {
        Failure::new(format!(
            "Failed to download `{}`: its address names no file",
            file.shown_url()
        ))
    })
}
