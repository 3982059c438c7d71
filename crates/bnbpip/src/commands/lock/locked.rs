//! A resolution's packages as entries of a lock.

use std::sync::Arc;

use bnbpip_index::PackageFile;
use bnbpip_lock::{AskedBy, LockedFile, LockedPackage, LockedRequirement};
use bnbpip_packaging::{MarkerEnvironment, VersionOrUrl};
use bnbpip_resolver::{Resolution, ResolvedPackage, Source};

use crate::failure::Failure;
use crate::request::Request;

/// The entries for one environment.
///
/// # Errors
/// When a file has no strong hash, or is one of this machine's own.
pub(super) fn packages(
    resolution: &Resolution<Arc<PackageFile>>,
    request: &Request,
    markers: &MarkerEnvironment,
) -> Result<Vec<LockedPackage>, Failure> {
    let mut packages = Vec::new();
    for package in &resolution.packages {
        let file = match &package.source {
            Source::Index(file) | Source::Direct { file, .. } => file,
            Source::Installed => continue,
        };
        let needed = |other: &&ResolvedPackage<_>| other.dependents.contains(&package.name);
        let dependencies = resolution.packages.iter().filter(needed);
        let requirements = request.requirements.iter().filter(|given| {
            let requirement = &given.requirement;
            requirement.name == package.name
                && requirement.marker.evaluate(markers, &[])
                && !matches!(requirement.version_or_url, Some(VersionOrUrl::Url(_)))
        });
        packages.push(LockedPackage {
            version: Some(package.version.clone()),
            requires_python: file
                .requires_python
                .as_ref()
                .and_then(|text| text.specifiers().cloned()),
            dependencies: dependencies.map(|other| other.name.clone()).collect(),
            index: file.index.as_ref().map(|index| public(index.url())),
            wheels: vec![locked_file(package, file)?],
            requirements: requirements
                .map(|given| LockedRequirement {
                    asked_by: AskedBy::Base,
                    text: given.requirement.to_string(),
                })
                .collect(),
            ..LockedPackage::new(package.name.clone())
        });
    }
    Ok(packages)
}

fn locked_file(
    package: &ResolvedPackage<Arc<PackageFile>>,
    file: &PackageFile,
) -> Result<LockedFile, Failure> {
    let name = &package.name;
    if file.url.scheme() == "file" {
        return Err(Failure::new(format!(
            "Failed to lock `{name}`: `{}` is on this machine's disk only",
            file.filename_text
        ))
        .hint("put the file on an index or a web server"));
    }
    let strong = file.hashes.strongest();
    if !strong.is_some_and(|(algorithm, _)| algorithm.is_strong()) {
        return Err(Failure::new(format!(
            "Failed to lock `{name}`: there is no SHA-256 for `{}`",
            file.filename_text
        ))
        .hint("name the file's address with `#sha256=...`, or use an index that gives hashes"));
    }
    let upload_time = file
        .upload_time_ms
        .and_then(|time| jiff::Timestamp::from_millisecond(time).ok());
    Ok(LockedFile {
        name: file.filename_text.to_string(),
        url: Some(public(&file.url)),
        path: None,
        size_bytes: file.size_bytes,
        upload_time: upload_time.map(|time| time.to_string()),
        hashes: file.hashes.clone(),
    })
}

/// An address without user and password.
pub(super) fn public(url: &url::Url) -> String {
    let mut url = url.clone();
    // Neither can fail for an address that has a host, and others hold no user.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.to_string()
}
