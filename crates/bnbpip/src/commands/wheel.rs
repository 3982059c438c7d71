//! `bnbpip wheel`: request → resolution → wheels in a folder, built where there are none.

use std::path::Path;
use std::sync::Arc;

use bnbpip_index::{PackageFile, RequiredHashes};
use bnbpip_installer::InstalledEnvironment;
use bnbpip_platform::Target;
use bnbpip_resolver::{PreferredVersions, Source};
use rustc_hash::FxHashMap;

use super::install::{DownloadProgress, announce, tell_collected};
use super::locked_requirements;
use super::resolve::accelerator::Accelerator;
use super::resolve::machine::Machine;
use super::resolve::{
    CommandWords, Connections, InstalledPolicy, Resolved, Resolving, hash_mode, network,
    requirements,
};
use super::rule_set;
use super::saving;
use super::sources::{SourceUse, Sources};
use super::sync::Wish;
use super::target_environment;
use crate::cli::WheelArgs;
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;

/// Puts the wheels of what was asked for, and of what that needs, into a folder.
///
/// # Errors
/// When one can't be had or built.
pub(crate) fn run(
    arguments: &WheelArgs,
    settings: &Settings,
    printer: &'static Printer,
) -> Result<(), Failure> {
    let options = &arguments.resolve;
    let given = (&*arguments.requirements, &*arguments.editables);
    let mut request =
        requirements::read_with_editables("wheel", given, options, settings, printer)?;
    super::resolve::network::say_locations(&options.index, &request.options, settings, printer)?;
    let interpreter = target_environment::find(settings)?.interpreter;
    let target = Target::from_interpreter(&interpreter);
    let wish = Wish::of(options, settings);
    let locked =
        locked_requirements::ask_for(&mut request, &target, (wish, None), settings, printer)?;
    // A wheel that points to a folder is of no use elsewhere.
    let all = request.requirements.iter_mut().chain(&mut request.unnamed);
    all.for_each(|given| given.editable = false);
    let nothing = || Ok(InstalledEnvironment::default());
    Accelerator::choose(options, &mut request, &target, nothing, settings, printer)?;
    let sources = Sources::new(
        SourceUse::Wheels,
        options,
        settings,
        printer,
        &request,
        &interpreter,
    )?;
    sources.name_requirements(&mut request, &target.markers)?;
    let overlay = rule_set::overlay(&options.overlay.overlay, &options.allow, settings)?;
    let rules = Arc::new(overlay.active(&target.markers));
    let constraints = requirements::constraints(&request, &target.markers);
    let resolving = Resolving {
        preferred: PreferredVersions::default(),
        options,
        policy: InstalledPolicy::default(),
        command: CommandWords {
            name: "wheel",
            options: String::new(),
        },
        settings,
        printer,
        request: &request,
        target: &target,
        overlay,
        rules,
        constraints,
        sources: Some(sources.clone()),
        machine: Machine::of(&target, settings, printer),
        connections: Connections::default(),
        locked,
    };
    let resolved = resolving.run(FxHashMap::default())?;
    let telling = (settings, printer);
    tell_collected(
        &request,
        &resolved,
        Some(&sources),
        &target.markers,
        telling,
    );
    if let Some(community) = &resolved.community {
        community.say(&resolved.resolution, printer);
    }
    let folder = settings
        .environment
        .working_directory()
        .join(&arguments.wheel_dir);
    let required = hash_mode::required_hashes(&request);
    let files = resolved.resolution.packages.iter();
    let bytes = files.filter_map(|package| match &package.source {
        Source::Index(file) | Source::Direct { file, .. } => file.size_bytes,
        Source::Installed => None,
    });
    let progress = DownloadProgress::new(printer, arguments.progress_bar, bytes.sum());
    let packages = resolved.resolution.packages.iter();
    let mut failed = None;
    for package in packages.filter(|it| !(options.only_deps && it.requested)) {
        let (Source::Index(file) | Source::Direct { file, .. }) = &package.source else {
            continue;
        };
        let required = saving::required_for(&required, &package.name);
        match save(
            file,
            (&required, &progress),
            printer,
            &folder,
            &sources,
            &resolved,
        ) {
            Ok(saved) => printer.info(&format!("Saved {}", saving::shown(&saved, settings))),
            // The others need not be built again when this one is mended.
            Err(failure) if file.wheel().is_none() && !crate::interrupt::requested() => {
                failed = failed.or(Some(failure));
            }
            Err(failure) => return Err(failure),
        }
    }
    progress.clear();
    let built = sources.built();
    if !built.is_empty() {
        printer.info(&format!("Successfully built {}", built.join(" ")));
    }
    failed.map_or(Ok(()), Err)
}

/// Copies a wheel into the folder, downloaded or built first.
fn save(
    file: &PackageFile,
    (required, progress): (&RequiredHashes, &DownloadProgress),
    printer: &Printer,
    folder: &Path,
    sources: &Sources,
    resolved: &Resolved,
) -> Result<std::path::PathBuf, Failure> {
    if file.wheel().is_some() {
        announce(file, &resolved.client, printer);
        let download = resolved.client.download(file, required, progress);
        let downloaded = resolved
            .runtime
            .block_on(download)
            .map_err(|error| network::explained(&Arc::new(error)))?;
        return Ok(saving::save(&downloaded.path, folder, &file.filename_text)?);
    }
    let wheel = sources.wheel(file, resolved.access())?;
    let (path, name) = (wheel.local_path().unwrap_or_default(), &wheel.filename_text);
    saving::save(&path, folder, name).map_err(|error| {
        let folder = folder.display();
        Failure::from(error).context(format!("Failed to copy built wheel {name} to {folder}"))
    })
}
