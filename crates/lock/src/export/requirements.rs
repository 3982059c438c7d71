//! A requirements file with exact versions, markers, hashes and indexes.

use std::fmt::Write as _;

use super::ExportedPackage;
use crate::{Lock, LockedSource};

/// The packages as a requirements file. pip checks the hashes, and fetches from the indexes that
/// the lock was made with, whichever it is set up for.
pub fn requirements(lock: &Lock, packages: &[ExportedPackage<'_>]) -> String {
    let mut text = String::new();
    for (number, index) in indexes(lock, packages).into_iter().enumerate() {
        let option = if number == 0 {
            "--index-url"
        } else {
            "--extra-index-url"
        };
        let _ = writeln!(text, "{option} {index}");
    }
    for exported in packages {
        text.push_str(&line(exported));
        let hashes = exported.files.iter().filter_map(|file| {
            let (algorithm, hex) = file.hashes.strongest()?;
            Some(format!("--hash={algorithm}:{hex}"))
        });
        let mut hashes: Vec<String> = hashes.collect();
        hashes.sort_unstable();
        hashes.dedup();
        for hash in hashes {
            let _ = write!(text, " \\\n    {hash}");
        }
        text.push('\n');
    }
    text
}

/// The indexes of the packages, in the order in which they were asked.
fn indexes<'a>(lock: &'a Lock, packages: &[ExportedPackage<'a>]) -> Vec<&'a str> {
    let used = packages.iter().filter_map(|it| it.package.index.as_deref());
    let used: Vec<&str> = used.collect();
    let asked = lock.inputs.indexes.iter().map(String::as_str);
    let mut indexes: Vec<&str> = Vec::new();
    for index in asked
        .filter(|index| used.contains(index))
        .chain(used.iter().copied())
    {
        if !indexes.contains(&index) {
            indexes.push(index);
        }
    }
    indexes
}

fn line(exported: &ExportedPackage<'_>) -> String {
    let package = exported.package;
    let name = &package.name;
    let inside = |subdirectory: &Option<String>| {
        let folder = subdirectory.as_ref();
        folder
            .map(|it| format!("#subdirectory={it}"))
            .unwrap_or_default()
    };
    let beside = |path: &str| {
        if path.starts_with('.') {
            path.to_owned()
        } else {
            format!("./{path}")
        }
    };
    let mut line = match (&package.source, &package.version) {
        (Some(LockedSource::Vcs(vcs)), _) => {
            let place = vcs.url.as_ref().or(vcs.path.as_ref());
            let place = place.map(String::as_str).unwrap_or_default();
            let (kind, commit) = (&vcs.kind, &vcs.commit_id);
            format!(
                "{name} @ {kind}+{place}@{commit}{}",
                inside(&vcs.subdirectory)
            )
        }
        (Some(LockedSource::Archive { file, subdirectory }), _) => match (&file.url, &file.path) {
            (Some(url), _) => format!("{name} @ {url}{}", inside(subdirectory)),
            (None, path) => beside(path.as_deref().unwrap_or_default()),
        },
        (Some(LockedSource::Directory { path, editable, .. }), _) => {
            let option = if *editable { "-e " } else { "" };
            format!("{option}{}", beside(path))
        }
        (_, Some(version)) => format!("{name}=={version}"),
        (_, None) => name.to_string(),
    };
    if let Some(marker) = &exported.marker {
        let _ = write!(line, " ; {marker}");
    }
    line
}
