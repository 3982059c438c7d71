//! How the links of a page become its record.

use std::str::FromStr;

use bnbpip_packaging::{PackageName, SdistFilename, Version};
use rustc_hash::FxHashMap;
use url::Url;

use super::digests::{read_hashes, read_metadata_hashes};
use super::record::{
    ExtraRecord, FileRecord, Link, NO_PLACE, NO_SIZE, NO_TIME, PageRecord, SkippedRecord,
    VersionRecord, flag,
};

/// How the links of a page relate to the project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PageScope {
    /// All of them should be the project's files.
    Project,
    /// A flat page: links to files of other projects are passed over in silence.
    Flat,
}

/// What follows `<name>-` in a file name, if the file is the project's; names are compared
/// normalized.
fn split_name<'link>(filename: &'link str, name: &PackageName) -> Option<&'link str> {
    let bytes = filename.as_bytes();
    let is_separator = |byte: u8| matches!(byte, b'-' | b'_' | b'.');
    let mut at = 0;
    for expected in name.as_ref().bytes() {
        let byte = *bytes.get(at)?;
        if expected == b'-' {
            if !is_separator(byte) {
                return None;
            }
            while bytes.get(at).is_some_and(|byte| is_separator(*byte)) {
                at += 1;
            }
        } else {
            if byte.to_ascii_lowercase() != expected {
                return None;
            }
            at += 1;
        }
    }
    (bytes.get(at) == Some(&b'-')).then(|| &filename[at + 1..])
}

/// Sorts links into a record.
pub(crate) struct PageBuilder<'name> {
    name: &'name PackageName,
    scope: PageScope,
    allow_local: bool,
    /// Version texts seen so far → place in `versions`, or `None` if not a version.
    texts: FxHashMap<String, Option<u32>>,
    by_version: FxHashMap<Version, u32>,
    versions: Vec<(Version, String)>,
    files: Vec<(u32, FileRecord)>,
    interned: FxHashMap<String, u32>,
    requires_python: Vec<String>,
    extras: Vec<ExtraRecord>,
    skipped: Vec<SkippedRecord>,
    /// Beginning and end of the first address of provenance.
    provenance: Option<(String, String)>,
}

impl<'name> PageBuilder<'name> {
    /// An empty page. `allow_local` permits `file:` links: pages from this machine only.
    pub(crate) fn new(name: &'name PackageName, scope: PageScope, allow_local: bool) -> Self {
        Self {
            name,
            scope,
            allow_local,
            texts: FxHashMap::default(),
            by_version: FxHashMap::default(),
            versions: Vec::new(),
            files: Vec::new(),
            interned: FxHashMap::default(),
            requires_python: Vec::new(),
            extras: Vec::new(),
            skipped: Vec::new(),
            provenance: None,
        }
    }

    /// Makes room for so many files.
    pub(crate) fn expect(&mut self, files: usize) {
        self.files.reserve(files);
    }

    /// Takes a link, as a file or as one that is left out.
    pub(crate) fn add(&mut self, link: &Link<'_>) {
        if self.scope == PageScope::Flat && split_name(&link.filename, self.name).is_none() {
            return;
        }
        if let Err(reason) = self.add_file(link) {
            self.skipped.push(SkippedRecord {
                filename: link.filename.to_string(),
                reason: reason.to_string(),
            });
        }
    }

    fn add_file(&mut self, link: &Link<'_>) -> Result<(), &'static str> {
        let filename = &*link.filename;
        if filename.contains(['/', '\\']) || filename.chars().any(char::is_control) {
            return Err("the file name holds a separator or a control character");
        }
        self.check_scheme(&link.url)?;
        let (version, is_sdist) = self.version_of(filename)?;
        let (sha256, hashes) = read_hashes(&link.hashes)?;
        let core_metadata = link.core_metadata.as_deref().map(read_metadata_hashes);
        let requires_python = link
            .requires_python
            .as_deref()
            .filter(|text| !text.trim().is_empty())
            .map_or(NO_PLACE, |text| self.intern(text));
        let url = link.url.strip_suffix(filename);
        let mut flags = 0;
        let mut set = |bit: u8, condition: bool| flags |= if condition { bit } else { 0 };
        set(flag::URL_ENDS_IN_FILENAME, url.is_some());
        set(flag::SDIST, is_sdist);
        set(flag::SHA256, sha256.is_some());
        set(flag::CORE_METADATA, core_metadata.is_some());
        let (core_metadata_sha256, core_metadata_hashes) = core_metadata.unwrap_or_default();
        set(flag::CORE_METADATA_SHA256, core_metadata_sha256.is_some());
        let upload_time = link
            .upload_time
            .as_deref()
            .and_then(|text| jiff::Timestamp::from_str(text).ok());
        let provenance = link.provenance.as_deref();
        let usual = provenance.is_some_and(|url| self.is_usual_provenance(url, version, filename));
        if usual {
            flags |= flag::PROVENANCE;
        }
        let extra = self.extra(ExtraRecord {
            provenance: provenance.filter(|_| !usual).map(str::to_string),
            hashes,
            core_metadata_hashes,
            yanked: link.yanked.as_deref().map(str::to_string),
        });
        let file = FileRecord {
            filename: filename.to_string(),
            url: url.unwrap_or(&link.url).to_string(),
            size_bytes: link.size_bytes.unwrap_or(NO_SIZE),
            upload_time_ms: upload_time.map_or(NO_TIME, jiff::Timestamp::as_millisecond),
            sha256: sha256.unwrap_or_default(),
            core_metadata_sha256: core_metadata_sha256.unwrap_or_default(),
            requires_python,
            extra,
            flags,
        };
        self.files.push((version, file));
        Ok(())
    }

    /// Whether an address is `<beginning>/<version>/<file name><end>` with the beginning and end of
    /// the page's first one.
    fn is_usual_provenance(&mut self, url: &str, version: u32, filename: &str) -> bool {
        let version = &self.versions[version as usize].1;
        let Some((beginning, end)) = url.split_once(&format!("/{version}/{filename}")) else {
            return false;
        };
        let own = || (beginning.to_string(), end.to_string());
        let (known_beginning, known_end) = self.provenance.get_or_insert_with(own);
        known_beginning == beginning && known_end == end
    }

    fn check_scheme(&self, url: &str) -> Result<(), &'static str> {
        if url.starts_with("https://") || url.starts_with("http://") {
            return Ok(());
        }
        match Url::parse(url)
            .map(|url| url.scheme().to_string())
            .as_deref()
        {
            Ok("http" | "https") => Ok(()),
            Ok("file") if self.allow_local => Ok(()),
            Ok("file") => Err("a page from the network links to a file on this machine"),
            _ => Err("the address of the file can't be used"),
        }
    }

    fn version_of(&mut self, filename: &str) -> Result<(u32, bool), &'static str> {
        if let Some(stem) = filename.strip_suffix(".whl") {
            let rest = split_name(stem, self.name).ok_or("the wheel has another project's name")?;
            let dashes = rest.bytes().filter(|byte| *byte == b'-').count();
            let (version, tags) = rest.split_once('-').unwrap_or((rest, ""));
            if !(3..=4).contains(&dashes) || tags.split('-').any(str::is_empty) {
                return Err("the wheel's file name must have five or six parts between dashes");
            }
            let known = self.version(version);
            return known
                .map(|version| (version, false))
                .ok_or("the wheel's file name has no valid version");
        }
        let sdist = SdistFilename::parse(filename, self.name)
            .map_err(|_| "neither a wheel nor a source distribution of this project")?;
        let text = sdist.version.to_string();
        Ok((self.place(sdist.version, &text), true))
    }

    fn version(&mut self, text: &str) -> Option<u32> {
        if let Some(known) = self.texts.get(text) {
            return *known;
        }
        let place = Version::from_str(text)
            .ok()
            .map(|version| self.place(version, text));
        self.texts.insert(text.to_string(), place);
        place
    }

    fn place(&mut self, version: Version, text: &str) -> u32 {
        if let Some(place) = self.by_version.get(&version) {
            return *place;
        }
        let place = u32::try_from(self.versions.len()).unwrap_or(u32::MAX);
        self.versions.push((version.clone(), text.to_string()));
        self.by_version.insert(version, place);
        place
    }

    fn intern(&mut self, text: &str) -> u32 {
        if let Some(place) = self.interned.get(text) {
            return *place;
        }
        let place = u32::try_from(self.requires_python.len()).unwrap_or(u32::MAX);
        self.requires_python.push(text.to_string());
        self.interned.insert(text.to_string(), place);
        place
    }

    fn extra(&mut self, extra: ExtraRecord) -> u32 {
        if extra.hashes.is_empty()
            && extra.core_metadata_hashes.is_empty()
            && extra.yanked.is_none()
            && extra.provenance.is_none()
        {
            return NO_PLACE;
        }
        self.extras.push(extra);
        u32::try_from(self.extras.len() - 1).unwrap_or(NO_PLACE)
    }

    /// Takes off what all addresses begin with, up to a slash.
    fn strip_prefix(&mut self) -> String {
        let mut urls = self.files.iter().map(|(_, file)| file.url.as_str());
        let Some(first) = urls.next() else {
            return String::new();
        };
        let shared = urls.fold(first.len(), |shared, url| {
            let same = first.bytes().zip(url.bytes()).take_while(|(a, b)| a == b);
            shared.min(same.count())
        });
        let mut bytes = first.as_bytes().iter().take(shared);
        let length = bytes.rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
        let prefix = first.get(..length).unwrap_or_default().to_string();
        for (_, file) in &mut self.files {
            file.url.drain(..prefix.len());
        }
        prefix
    }

    /// The page of the links taken.
    pub(crate) fn finish(mut self) -> PageRecord {
        let url_prefix = self.strip_prefix();
        let mut order: Vec<u32> = (0..).take(self.versions.len()).collect();
        order.sort_by(|left, right| {
            self.versions[*left as usize]
                .0
                .cmp(&self.versions[*right as usize].0)
        });
        let mut rank = vec![0_u32; order.len()];
        for (at, place) in (0..).zip(&order) {
            rank[*place as usize] = at;
        }
        let mut files = self.files;
        files.sort_by_key(|(place, _)| rank[*place as usize]);
        let mut texts: Vec<String> = self.versions.into_iter().map(|(_, text)| text).collect();
        let mut versions: Vec<VersionRecord> = order
            .iter()
            .map(|place| VersionRecord {
                text: std::mem::take(&mut texts[*place as usize]),
                first_file: 0,
                file_count: 0,
            })
            .collect();
        for (at, (place, _)) in (0..).zip(&files) {
            let version = &mut versions[rank[*place as usize] as usize];
            if version.file_count == 0 {
                version.first_file = at;
            }
            version.file_count += 1;
        }
        // A version whose only file was left out after its name was read has nothing to offer.
        versions.retain(|version| version.file_count > 0);
        let (provenance_prefix, provenance_suffix) = self.provenance.unwrap_or_default();
        PageRecord {
            url_prefix,
            provenance_prefix,
            provenance_suffix,
            extras: self.extras,
            versions,
            files: files.into_iter().map(|(_, file)| file).collect(),
            requires_python: self.requires_python,
            skipped: self.skipped,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rest(filename: &str) -> Option<&str> {
        split_name(filename, &"foo-bar".parse().unwrap())
    }

    #[test]
    fn names_are_compared_normalized_and_whole() {
        assert_eq!(rest("Foo.-_Bar-1.0"), Some("1.0"));
        assert_eq!(rest("foo_bar-1-2"), Some("1-2"));
        for filename in [
            "foo_barx-1",
            "foo-1",
            "foobar-1",
            "foo_bar",
            "foo_bar_1",
            "é-1",
            "",
        ] {
            assert_eq!(rest(filename), None, "{filename}");
        }
    }

    #[test]
    fn prefixes_of_addresses_end_at_a_slash() {
        let link = |url: &'static str| Link {
            filename: "a-1.tar.gz".into(),
            url: url.into(),
            ..Link::default()
        };
        let links = [
            link("https://h.example/ab/é1"),
            link("https://h.example/ab/è2"),
        ];
        let name = "a".parse().unwrap();
        let mut builder = PageBuilder::new(&name, PageScope::Project, false);
        for link in &links {
            builder.add(link);
        }
        let page = builder.finish();
        assert_eq!(page.url_prefix, "https://h.example/ab/");
        assert_eq!(page.files[1].url, "è2");
    }
}
