//! `install -r pylock.toml[extra]` and `--group pylock.toml:dev`. A lock that is asked for alone is
//! installed as it is, without a resolution. Where something else is asked for as well, or another
//! place or a report, its packages take part in the resolution: each as the requirement of the one
//! file that the lock has.

use std::sync::Arc;

use bnbpip_index::PackageFile;
use bnbpip_installer::InstallOptions;
use bnbpip_packaging::{Hashes, PackageName, Requirement};
use bnbpip_platform::Target;
use rustc_hash::FxHashMap;

use super::options_of;
use crate::cli::InstallArgs;
use crate::commands::lock;
use crate::commands::resolve::LockedFiles;
use crate::commands::sources::source_file;
use crate::commands::sync::{Origin, Places, SourceOrigin, Syncing, Wanted, Wish, wanted};
use crate::commands::wheelhouse::Wheelhouse;
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::request::{
    NamedLock, Request, RequestedRequirement, RequirementHash, RequirementOrigin,
};
use crate::secrets::without_credentials;

/// The lock, if nothing else is asked for.
///
/// # Errors
/// When the options don't go together with a lock, or want one.
pub(super) fn alone<'a>(
    request: &'a Request,
    arguments: &InstallArgs,
) -> Result<Option<&'a NamedLock>, Failure> {
    let Some(first) = request.locks.first() else {
        return match &arguments.wheelhouse {
            Some(_) => Err(Failure::new(
                "Failed to use the wheelhouse: it is for the files of a lock, and none is asked for",
            )
            .hint("`--find-links` takes files from a folder for other requirements")),
            None => Ok(None),
        };
    };
    if !arguments.target_python.request()?.is_empty() {
        let file = &first.file;
        return Err(Failure::new(format!(
            "Platform and interpreter constraints using --python-version, --platform, --abi, or \
             --implementation, are not supported when selecting requirements from '{file}'"
        )));
    }
    let is_alone = request.locks.len() == 1
        && request.requirements.is_empty()
        && request.unnamed.is_empty()
        && request.constraints.is_empty();
    let to_environment = arguments.target.is_none()
        && arguments.prefix.is_none()
        && arguments.root.is_none()
        && arguments.venv.is_none()
        && !arguments.user;
    let resolves = arguments.report.is_some()
        || arguments.force_reinstall
        || arguments.ignore_installed
        || arguments.resolve.only_deps;
    Ok((is_alone && to_environment && !resolves).then_some(first))
}

/// Installs what the lock has. What it hasn't stays.
///
/// # Errors
/// When the lock isn't for the environment, or it can't be done.
pub(super) fn install(
    named: &NamedLock,
    arguments: &InstallArgs,
    settings: &Settings,
    printer: &'static Printer,
) -> Result<(), Failure> {
    let command = format!("install -r {}", named.file);
    let syncing = Syncing {
        wheelhouse: arguments.wheelhouse.as_deref(),
        file: &named.file,
        asked: named.asked.clone(),
        accelerator: wish(arguments, settings),
        inexact: true,
        dry_run: arguments.dry_run,
        break_system_packages: arguments.break_system_packages,
        progress_bar: arguments.progress_bar,
        resolve: &arguments.resolve,
        options: InstallOptions {
            command: without_credentials(&command).into_owned(),
            ..options_of(arguments, settings)
        },
    };
    syncing.run(settings, printer)
}

fn wish<'a>(arguments: &'a InstallArgs, settings: &'a Settings) -> Wish<'a> {
    let of_project = settings.project.options.accelerator.as_deref();
    Wish(arguments.resolve.accelerator().or(of_project))
}

/// Asks for what the locks of the request have for a target, each package from its file alone.
///
/// # Errors
/// When a lock can't be read, or isn't for the target.
pub(super) fn ask_for(
    request: &mut Request,
    target: &Target,
    arguments: &InstallArgs,
    settings: &Settings,
    printer: &Printer,
) -> Result<LockedFiles, Failure> {
    let mut files = LockedFiles::default();
    let wheelhouse = arguments.wheelhouse.as_deref();
    let wheelhouse = wheelhouse.map(|folder| Wheelhouse::open(folder, settings));
    let wheelhouse = wheelhouse.transpose()?;
    for named in std::mem::take(&mut request.locks) {
        let (lock, folder) = lock::open(&named.file, settings, printer)?;
        let wish = wish(arguments, settings);
        let asked = named
            .asked
            .settled(&lock, wish, target, settings, printer)?;
        let places = Places {
            folder: &folder,
            wheelhouse: wheelhouse.as_ref(),
        };
        for one in wanted(&asked.select(&lock, target)?, places)? {
            let (requirement, file) = pinned(one, &named.file)?;
            if let Some(file) = file {
                files.insert(requirement.requirement.name.clone(), Arc::new(file));
            }
            request.requirements.push(requirement);
        }
    }
    Ok(files)
}

/// The sizes of the files by their locks.
pub(super) fn sizes(files: &LockedFiles) -> FxHashMap<PackageName, u64> {
    let files = files.iter();
    files
        .filter_map(|(name, file)| Some((name.clone(), file.size_bytes?)))
        .collect()
}

/// The requirement of what a lock has, and its file; none if the requirement is its address.
fn pinned(one: Wanted, lock: &str) -> Result<(RequestedRequirement, Option<PackageFile>), Failure> {
    let name = &one.name;
    let (text, hashes, editable, file) = match one.origin {
        Origin::Wheel {
            file,
            direct: false,
        } => {
            let text = format!("{name}=={}", file.version());
            (text, file.hashes.clone(), false, Some(file))
        }
        Origin::Wheel { file, direct: true } => {
            (format!("{name} @ {}", file.url), file.hashes, false, None)
        }
        Origin::Source(source) if source.is_sdist => {
            let file = sdist(name, one.version.as_ref(), &source)?;
            let text = format!("{name}=={}", file.version());
            (text, source.hashes, false, Some(file))
        }
        Origin::Source(source) => {
            let text = format!("{name} @ {}", source.url);
            (text, source.hashes, source.editable, None)
        }
    };
    let requirement: Requirement = text.parse().map_err(|error| {
        Failure::from(error).context(format!("Failed to use the lock's `{name}`"))
    })?;
    let requested = RequestedRequirement {
        requirement,
        source: RequirementOrigin::Lock(lock.to_owned()),
        hashes: digests(&hashes),
        raw: text,
        editable,
        config_settings: Vec::new(),
        takes_settings: true,
    };
    Ok((requested, file))
}

fn digests(hashes: &Hashes) -> Vec<RequirementHash> {
    let strongest = hashes.strongest().into_iter();
    let digests = strongest.map(|(algorithm, hex)| RequirementHash {
        algorithm: algorithm.as_str(),
        digest: hex.to_owned(),
    });
    digests.collect()
}

fn sdist(
    name: &PackageName,
    version: Option<&bnbpip_packaging::Version>,
    source: &SourceOrigin,
) -> Result<PackageFile, Failure> {
    let version = version.cloned().ok_or_else(|| {
        Failure::new(format!(
            "Failed to use the lock's `{name}`: its source distribution has no version"
        ))
    })?;
    Ok(PackageFile {
        hashes: source.hashes.clone(),
        size_bytes: source.size_bytes,
        ..source_file(name.clone(), version, source.url.clone())
    })
}
