//! An index as files (PEP 503): any web server serves it, and pip and uv read it from the disk.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use bnbpip_lock::{Lock, LockedFile, LockedPackage};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// What may not stand in an address as it is.
const ESCAPED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'+')
    .add(b'<')
    .add(b'>')
    .add(b'?');

/// Writes the pages of a lock's packages.
pub(super) fn write(folder: &Path, lock: &Lock) -> std::io::Result<()> {
    let mut pages: BTreeMap<&str, String> = BTreeMap::new();
    for package in &lock.packages {
        let page = pages.entry(package.name.as_ref()).or_default();
        for wheel in &package.wheels {
            link(page, package, wheel);
        }
    }
    let mut root = String::new();
    for (name, links) in &pages {
        let place = folder.join(name);
        fs_err::create_dir_all(&place)?;
        fs_err::write(place.join("index.html"), page(name, links))?;
        // Writing to a string can't fail.
        let _ = writeln!(root, "<a href=\"{name}/\">{name}</a><br>");
    }
    fs_err::create_dir_all(folder)?;
    fs_err::write(folder.join("index.html"), page("Simple index", &root))
}

fn page(title: &str, links: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html>\n<head>\n\
         <meta charset=\"utf-8\">\n\
         <meta name=\"pypi:repository-version\" content=\"1.0\">\n\
         <title>{title}</title>\n</head>\n<body>\n{links}</body>\n</html>\n"
    )
}

fn link(page: &mut String, package: &LockedPackage, wheel: &LockedFile) {
    let address = utf8_percent_encode(&wheel.name, ESCAPED);
    let digest = wheel.hashes.sha256();
    let digest = digest
        .map(|hex| format!("#sha256={hex}"))
        .unwrap_or_default();
    let python = package.requires_python.as_ref().map(|specifiers| {
        let text = specifiers
            .to_string()
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        format!(" data-requires-python=\"{text}\"")
    });
    // Writing to a string can't fail.
    let _ = writeln!(
        page,
        "<a href=\"../../{}/{address}{digest}\"{}>{}</a><br>",
        super::WHEELS,
        python.unwrap_or_default(),
        wheel.name
    );
}
