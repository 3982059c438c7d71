//! What is said at the end: pip's closing lines, its report, and what went wrong elsewhere.

use bnbpip_index::PackageFile;
use bnbpip_installer::InstalledEnvironment;
use bnbpip_packaging::{
    ArchiveInfo, CoreMetadata, DirectUrl, DirectUrlSource, MarkerEnvironment, PackageName,
    Requirement, Version, VersionOrUrl, range,
};
use bnbpip_report::install_report::{ReportItem, ReportedRules, render};
use bnbpip_report::rules::RuleSetIdentity;
use bnbpip_resolver::Resolution;
use rustc_hash::{FxHashMap, FxHashSet};

use super::plan::{Change, Plan};
use crate::commands::distribution::Distribution;
use crate::commands::hash::digest_of;
use crate::commands::resolve::Resolved;
use crate::failure::Failure;
use crate::output_file;
use crate::printer::Printer;

/// `name-version` of every change, sorted by name, as pip lists them.
pub(crate) fn listing(plan: &Plan) -> String {
    let mut names: Vec<String> = plan
        .changes
        .iter()
        .map(|change| format!("{}-{}", change.shown_name, change.package.version))
        .collect();
    names.sort_unstable();
    names.join(" ")
}

/// `direct_url.json` of a change that was asked for by URL.
pub(crate) fn direct_url(change: &Change, sha256: Option<&str>) -> Option<DirectUrl> {
    change.direct_url.as_ref()?;
    match &change.origin {
        Some(origin) => Some(origin.clone()),
        None => Some(download_info(&change.file, sha256)),
    }
}

fn download_info(file: &PackageFile, sha256: Option<&str>) -> DirectUrl {
    let info = match sha256.or(file.hashes.sha256()) {
        Some(hex) => ArchiveInfo::from_sha256(hex),
        None => ArchiveInfo::default(),
    };
    DirectUrl {
        url: file.shown_url(),
        source: DirectUrlSource::Archive(info),
        subdirectory: None,
    }
}

/// The digest of a file on this machine, of which no page tells one.
fn local_sha256(file: &PackageFile) -> Option<String> {
    let path = file.local_path().filter(|path| path.is_file())?;
    digest_of::<sha2::Sha256>(&path).ok()
}

/// Writes pip's installation report to a file, or to standard output for `-`.
///
/// # Errors
/// When the file can't be written.
pub(crate) fn write_report(
    path: &std::path::Path,
    plan: &Plan,
    metadata: &[CoreMetadata],
    markers: &MarkerEnvironment,
    resolved: &Resolved,
    printer: &Printer,
) -> Result<(), Failure> {
    let community = resolved.community.as_deref();
    let items: Vec<ReportItem<'_>> = plan
        .changes
        .iter()
        .zip(metadata)
        .map(|(change, metadata)| ReportItem {
            download_info: match &change.origin {
                Some(origin) => origin.clone(),
                None => download_info(&change.file, local_sha256(&change.file).as_deref()),
            },
            is_direct: change.direct_url.is_some(),
            is_yanked: change.file.yanked.is_some(),
            requested: change.package.requested,
            requested_extras: change.package.extras.clone(),
            metadata: &metadata.headers,
            community: community.and_then(|community| {
                let origin = community.origin(&change.file)?;
                Some((origin.source, origin.why))
            }),
        })
        .collect();
    let rules = ReportedRules {
        identity: &RuleSetIdentity::of(&resolved.overlay)?,
        effects: &resolved.resolution.effects,
        relaxed: &resolved.resolution.relaxed,
        machine: &resolved.resolution.machine,
    };
    let report = render(&items, markers, env!("CARGO_PKG_VERSION"), rules);
    let text = serde_json::to_string_pretty(&report)?;
    if path == std::path::Path::new("-") {
        printer.data(&text);
    } else {
        output_file::write(path, &text)?;
    }
    Ok(())
}

/// Says which installed packages the changes leave without what they require, as pip does: those
/// that require something which has changed.
pub(crate) fn warn_about_conflicts<F>(
    resolution: &Resolution<F>,
    installed: &InstalledEnvironment,
    markers: &MarkerEnvironment,
    printer: &Printer,
) {
    let mut after: FxHashMap<&PackageName, &Version> = installed
        .distributions
        .iter()
        .map(|found| (&found.name, &found.version))
        .collect();
    let mut changed: FxHashSet<&PackageName> = FxHashSet::default();
    for package in &resolution.packages {
        if after.insert(&package.name, &package.version) != Some(&package.version) {
            changed.insert(&package.name);
        }
    }
    let staying = installed.distributions.iter();
    let staying = staying.filter(|found| !changed.contains(&found.name));
    let (mut missing, mut conflicting) = (Vec::new(), Vec::new());
    for found in staying {
        let distribution = Distribution::read(found.clone());
        let Ok(needed) = distribution.dependencies(markers) else {
            continue;
        };
        if !needed
            .iter()
            .any(|it| changed.contains(&it.requirement.name))
        {
            continue;
        }
        for dependency in needed {
            let requires = format!(
                "{} {} requires {}",
                found.name,
                distribution.version(),
                dependency.without_marker()
            );
            let name = &dependency.requirement.name;
            match after.get(name) {
                None => missing.push(format!("{requires}, which is not installed.")),
                Some(present) if !is_met_by(&dependency.requirement, present) => {
                    conflicting.push(format!(
                        "{requires}, but you have {name} {present} which is incompatible."
                    ));
                }
                Some(_) => {}
            }
        }
    }
    let what = match (missing.is_empty(), conflicting.is_empty()) {
        (true, true) => return,
        (false, true) => "Packages that are installed lack what they require.",
        (_, false) => {
            "No versions were found with which everything that is installed keeps working. This \
             behaviour is the source of the following dependency conflicts."
        }
    };
    missing.append(&mut conflicting);
    printer.error(&format!("{what}\n{}", missing.join("\n")));
}

fn is_met_by(requirement: &Requirement, present: &Version) -> bool {
    match &requirement.version_or_url {
        Some(VersionOrUrl::VersionSpecifier(specifiers)) => {
            range::from_specifiers(specifiers).contains(present)
        }
        _ => true,
    }
}
