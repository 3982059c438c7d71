//! A package's releases with one wheel each.

use std::sync::Arc;

use bnbpip_index::{IndexClient, PackageFile, Project, RemoteWheel};
use bnbpip_packaging::{PackageName, Requirement, Version, WheelFilename, range};
use bnbpip_scan::{Facts, System, WheelFiles};
use futures::{StreamExt, TryStreamExt};

use crate::commands::resolve::network;
use crate::failure::Failure;
use crate::printer::Printer;

/// Wheels whose directories are read at once.
const CONCURRENT_WHEELS: usize = 8;

/// The releases of one package that were asked for, ascending.
pub(super) struct Releases {
    pub(super) name: PackageName,
    pub(super) read: Vec<Release>,
    /// Releases that have no wheel.
    pub(super) without_wheel: Vec<Version>,
    /// Every release that has a wheel, asked for or not, ascending: the ends of ranges.
    pub(super) all: Vec<Version>,
}

/// One release: its wheel on the server, and what was read of it.
pub(super) struct Release {
    pub(super) remote: RemoteWheel,
    pub(super) files: WheelFiles,
}

impl Releases {
    /// Finds the releases and reads their wheels' directories.
    pub(super) async fn open(
        client: &IndexClient,
        requirement: &Requirement,
        facts: Facts,
        printer: &Printer,
    ) -> Result<Self, Failure> {
        let name = &requirement.name;
        let project = client.project(name).await;
        let project = project.map_err(|error| network::explained(&error))?;
        let no_release = || {
            Failure::new(format!(
                "No release of `{requirement}` has a wheel to look into"
            ))
        };
        let project = project.ok_or_else(no_release)?;
        let range = match &requirement.version_or_url {
            Some(pep508_rs::VersionOrUrl::VersionSpecifier(specifiers)) => {
                range::from_specifiers(specifiers)
            }
            _ => range::VersionRange::full(),
        };
        let mut asked = Vec::new();
        let mut without_wheel = Vec::new();
        let mut all = Vec::new();
        for version in project.versions() {
            let file = choose(&project, version, facts);
            let is_asked = range.contains(version);
            match file {
                Some(file) => {
                    all.push(version.clone());
                    asked.extend(is_asked.then_some(file));
                }
                None if is_asked => without_wheel.push(version.clone()),
                None => {}
            }
        }
        if asked.is_empty() {
            return Err(no_release());
        }
        printer.status(&format!(
            "Reading {} of {name}",
            bnbpip_report::counted(asked.len(), "release")
        ));
        let releases = futures::stream::iter(asked)
            .map(|file| open_one(client, file))
            .buffered(CONCURRENT_WHEELS)
            .try_collect()
            .await?;
        Ok(Self {
            name: name.clone(),
            read: releases,
            without_wheel,
            all,
        })
    }
}

async fn open_one(client: &IndexClient, file: Arc<PackageFile>) -> Result<Release, Failure> {
    let remote = client.open_remote(&file).await;
    let remote = remote.map_err(|error| network::explained(&error))?;
    let paths = remote.files().iter().map(|member| &*member.path);
    let (name, version) = (file.filename.name(), file.filename.version());
    let files = WheelFiles::new(name.clone(), version.clone(), paths);
    Ok(Release { remote, files })
}

/// The wheel that fits best; any wheel rather than none, since the Python files of a release
/// rarely differ.
fn choose(project: &Project, version: &Version, facts: Facts) -> Option<Arc<PackageFile>> {
    let wheels = project
        .files(version)
        .filter_map(|file| Some((file, file.wheel()?)));
    let best =
        wheels.min_by_key(|(file, wheel)| (distance(wheel, facts), file.filename_text.clone()));
    best.map(|(file, _)| Arc::clone(file))
}

/// How far a wheel's tags are from the facts: first the system, then the processor, then Python.
fn distance(wheel: &WheelFilename, facts: Facts) -> (u8, u8, u8) {
    let platform = wheel.platform_tags.iter().map(|tag| {
        let system = match facts.system {
            System::Linux => tag.contains("linux"),
            System::Windows => tag.starts_with("win"),
            System::Macos => tag.starts_with("macosx"),
        };
        let processor = match facts.system {
            System::Macos => tag.ends_with("arm64") || tag.ends_with("universal2"),
            System::Linux | System::Windows => tag.ends_with("x86_64") || tag.ends_with("amd64"),
        };
        let any = &**tag == "any";
        (u8::from(!system && !any), u8::from(!processor && !any))
    });
    let (system, processor) = platform.min().unwrap_or((u8::MAX, u8::MAX));
    let abi3 = wheel.abi_tags.iter().any(|tag| &**tag == "abi3");
    let python = wheel.python_tags.iter().map(|tag| {
        let digits = tag.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        let (_, minor) = digits.split_at(digits.len().min(1));
        match minor.parse::<u8>() {
            Ok(minor) if tag.starts_with("py") || abi3 => minor.saturating_sub(facts.python.1),
            Ok(minor) => minor.abs_diff(facts.python.1),
            Err(_) => 0,
        }
    });
    (system, processor, python.min().unwrap_or(u8::MAX))
}
