//! What is fuzzed: each function reads one kind of file that strangers write, and holds what it
//! understood to what it must then be able to do with it. No input may make one panic, hang or
//! take much memory.

use bnbpip_index::hostile;
use bnbpip_lock::Lock;
use bnbpip_overlay::{Profile, RuleDocument, lint};
use bnbpip_packaging::{
    CoreMetadata, EntryPoints, Hashes, PackageName, SdistFilename, Version, VersionSpecifiers,
    WheelFilename, WheelMetadata, metadata, range, record, requirement,
};

/// A target: its name, which is that of its folder in `corpus/`, and its body.
pub(crate) type Target = (&'static str, fn(&[u8]));

/// Every target but requirements files, whose parser lies in the program itself.
pub(crate) const TARGETS: &[Target] = &[
    ("wheel", wheel),
    ("metadata", metadata_file),
    ("record", record_file),
    ("json_page", json_page),
    ("html_page", html_page),
    ("page_record", page_record),
    ("pylock", pylock),
    ("versions", versions),
    ("rules", rules),
    ("setup_script", setup_script),
];

/// A wheel: the strict reading of the archive.
pub(crate) fn wheel(bytes: &[u8]) {
    hostile::wheel(bytes);
}

/// `METADATA`, `WHEEL` and `entry_points.txt`: all are lines of one kind or another.
pub(crate) fn metadata_file(bytes: &[u8]) {
    hostile::metadata_essentials(bytes);
    drop(CoreMetadata::parse(bytes));
    let text = String::from_utf8_lossy(bytes);
    drop(WheelMetadata::parse(&text));
    drop(EntryPoints::parse(&text));
}

/// `setup.py`, from which requirements are read without running it; a comment changes nothing.
pub(crate) fn setup_script(bytes: &[u8]) {
    let options = bnbpip_scan::SetupOptions::default();
    let requires = bnbpip_scan::setup_requirements(Some(bytes), &options);
    if requires.is_some() {
        let commented = [bytes, b"\n# end\n"].concat();
        let again = bnbpip_scan::setup_requirements(Some(&commented), &options);
        assert_eq!(again, requires);
    }
}

/// `RECORD`; what can be read can be written, and is then the same.
pub(crate) fn record_file(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(entries) = record::parse(&text) {
        // Sorted, for that is how it is written.
        let written = record::write(&entries);
        let again = record::parse(&written).map(|entries| record::write(&entries));
        assert_eq!(again.ok(), Some(written));
    }
}

/// A page as JSON.
pub(crate) fn json_page(bytes: &[u8]) {
    hostile::json_page(bytes);
}

/// A page as HTML.
pub(crate) fn html_page(bytes: &[u8]) {
    hostile::html_page(bytes);
}

/// A page in the cache.
pub(crate) fn page_record(bytes: &[u8]) {
    hostile::page_record(bytes);
}

/// `pylock.toml`; what can be read can be written and read again.
pub(crate) fn pylock(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(lock) = text.parse::<Lock>() {
        let written = lock.to_toml();
        if let Err(error) = written.parse::<Lock>() {
            panic!("{error}: {written}");
        }
    }
}

/// A line of versions, specifiers, requirements or names of files, one after the other.
pub(crate) fn versions(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut seen: Vec<Version> = Vec::new();
    for line in text.lines().take(50) {
        if let Ok(version) = line.parse::<Version>() {
            assert_eq!(
                version.to_string().parse::<Version>().ok(),
                Some(version.clone())
            );
            seen.push(version);
        }
        if let Ok(specifiers) = line.parse::<VersionSpecifiers>() {
            let range = range::from_specifiers(&specifiers);
            for version in &seen {
                let _either = range.contains(version);
            }
        }
        drop(metadata::parse_requires_python(line));
        if let Ok(read) = metadata::parse_requirement(line) {
            let written = read.to_string();
            // A text with both kinds of quotes in it can be read, and not be written so that it can
            // be read again.
            let has_quotes = line.contains('"') && line.contains('\'');
            assert!(
                has_quotes || requirement::parse(&written).is_ok(),
                "{written}"
            );
        }
        drop(line.parse::<WheelFilename>());
        if let Ok(name) = "demo".parse::<PackageName>() {
            drop(SdistFilename::parse(line, &name));
        }
        drop(Hashes::parse_fragment(line));
    }
}

/// A rule or a profile of an overlay, with what is checked about it.
pub(crate) fn rules(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(document) = RuleDocument::parse(&text, "BNB-0001.md") {
        drop(lint(&[document]));
    }
    if let Ok(profile) = Profile::parse(&text, "profile.toml") {
        drop(profile.lint(&[]));
    }
}
