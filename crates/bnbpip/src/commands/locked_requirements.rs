//! `-r pylock.toml[extra]` where there is a resolution: the lock's packages take part in it, each as
//! the requirement of the one file that the lock has.

use std::path::Path;
use std::sync::Arc;

use bnbpip_index::PackageFile;
use bnbpip_packaging::{Hashes, PackageName, Requirement};
use bnbpip_platform::Target;
use rustc_hash::FxHashMap;

use super::lock::LockText;
use super::resolve::LockedFiles;
use super::sources::source_file;
use super::sync::pips_words::{INVALID, READING, SELECTING};
use super::sync::{Origin, Places, SourceOrigin, Wanted, Wish, wanted};
use super::wheelhouse::Wheelhouse;
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::request::{Request, RequestedRequirement, RequirementHash, RequirementOrigin};

/// Refuses a lock beside options that restrict what it is selected for, in pip's words.
///
/// # Errors
/// When there are both.
pub(crate) fn refuse_restrictions(request: &Request, is_restricted: bool) -> Result<(), Failure> {
    match request.locks.first() {
        Some(lock) if is_restricted => Err(Failure::new(format!(
            "Platform and interpreter constraints using --python-version, --platform, --abi, or \
             --implementation, are not supported when selecting requirements from '{}'",
            lock.file
        ))),
        _ => Ok(()),
    }
}

/// Tells, where pip warns of an experiment, that there is a command for locks.
pub(crate) fn tell_of_sync(printer: &Printer) {
    printer.hint(
        "`-r pylock.toml` is experimental in pip; `bnbpip sync` installs a lock, and removes what it \
         hasn't",
    );
}

/// Asks for what the locks of the request have for a target, each package from its file alone:
/// the one of a folder, if one is named.
///
/// # Errors
/// When a lock can't be read, or isn't for the target.
pub(crate) fn ask_for(
    request: &mut Request,
    target: &Target,
    (wish, wheelhouse): (Wish<'_>, Option<&Path>),
    settings: &Settings,
    printer: &Printer,
) -> Result<LockedFiles, Failure> {
    if !request.locks.is_empty() {
        tell_of_sync(printer);
    }
    let mut files = LockedFiles::default();
    let wheelhouse = wheelhouse.map(|folder| Wheelhouse::open(folder, settings));
    let wheelhouse = wheelhouse.transpose()?;
    for named in std::mem::take(&mut request.locks) {
        let worded = |said: &str| {
            let said = format!("{said} '{}'", named.file);
            move |failure: Failure| failure.context(said)
        };
        let (lock, folder) = LockText::fetch(&named.file, settings)
            .map_err(worded(READING))?
            .parse(printer)
            .map_err(worded(INVALID))?;
        let selected = named
            .asked
            .settled(&lock, wish, target, settings, printer)
            .and_then(|asked| asked.select(&lock, target))
            .map_err(worded(SELECTING))?;
        let places = Places {
            folder: &folder,
            wheelhouse: wheelhouse.as_ref(),
        };
        for one in wanted(&selected, places)? {
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
pub(crate) fn sizes(files: &LockedFiles) -> FxHashMap<PackageName, u64> {
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
