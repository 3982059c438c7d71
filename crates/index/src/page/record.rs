//! The binary record of a page, and how links become one.

use std::borrow::Cow;
use std::str::FromStr;

use bnbpip_packaging::{HashAlgorithm, PackageName, SdistFilename, Version};
use rkyv::{Archive, Serialize};
use rustc_hash::FxHashMap;
use url::Url;

/// A link to a file as it stands on a page, before its name is understood.
#[derive(Debug, Clone, Default)]
pub(crate) struct Link<'page> {
    pub(crate) filename: Cow<'page, str>,
    /// Absolute, without fragment.
    pub(crate) url: Cow<'page, str>,
    pub(crate) hashes: Vec<(Cow<'page, str>, Cow<'page, str>)>,
    pub(crate) size_bytes: Option<u64>,
    pub(crate) upload_time: Option<Cow<'page, str>>,
    pub(crate) requires_python: Option<Cow<'page, str>>,
    pub(crate) yanked: Option<Cow<'page, str>>,
    pub(crate) core_metadata: Option<Vec<(Cow<'page, str>, Cow<'page, str>)>>,
}

impl Link<'_> {
    /// The link without borrowing from the page.
    pub(crate) fn into_owned(self) -> Link<'static> {
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        let own_pairs = |pairs: Vec<HashPair<'_>>| {
            pairs
                .into_iter()
                .map(|(name, hex)| (Cow::Owned(name.into_owned()), Cow::Owned(hex.into_owned())))
                .collect()
        };
        Link {
            filename: own(self.filename),
            url: own(self.url),
            hashes: own_pairs(self.hashes),
            size_bytes: self.size_bytes,
            upload_time: self.upload_time.map(own),
            requires_python: self.requires_python.map(own),
            yanked: self.yanked.map(own),
            core_metadata: self.core_metadata.map(own_pairs),
        }
    }
}

/// A page: versions ascending, files grouped by version.
#[derive(Debug, Default, Archive, Serialize)]
pub(crate) struct PageRecord {
    pub(crate) versions: Vec<VersionRecord>,
    pub(crate) files: Vec<FileRecord>,
    pub(crate) requires_python: Vec<String>,
    pub(crate) skipped: Vec<SkippedRecord>,
}

/// One version and the range of its files.
#[derive(Debug, Archive, Serialize)]
pub(crate) struct VersionRecord {
    pub(crate) text: String,
    pub(crate) first_file: u32,
    pub(crate) file_count: u32,
}

/// One file.
#[derive(Debug, Archive, Serialize)]
pub(crate) struct FileRecord {
    pub(crate) filename: String,
    /// The address, less the file name if it ends in it.
    pub(crate) url: String,
    pub(crate) url_ends_in_filename: bool,
    pub(crate) is_sdist: bool,
    pub(crate) size_bytes: Option<u64>,
    pub(crate) upload_time_ms: Option<i64>,
    pub(crate) requires_python: Option<u32>,
    pub(crate) sha256: Option<[u8; 32]>,
    pub(crate) other_hashes: Vec<HashRecord>,
    pub(crate) yanked: Option<String>,
    pub(crate) has_core_metadata: bool,
    pub(crate) core_metadata_hashes: Vec<HashRecord>,
}

/// A digest: the algorithm's place in [`ALGORITHMS`], and the hexadecimal text.
#[derive(Debug, Archive, Serialize)]
pub(crate) struct HashRecord {
    pub(crate) algorithm: u8,
    pub(crate) hex: String,
}

/// A file that is left out, and why.
#[derive(Debug, Archive, Serialize)]
pub(crate) struct SkippedRecord {
    pub(crate) filename: String,
    pub(crate) reason: String,
}

/// The algorithms by the number that stands in a record. Only ever append.
pub(crate) const ALGORITHMS: [HashAlgorithm; 6] = [
    HashAlgorithm::Md5,
    HashAlgorithm::Sha1,
    HashAlgorithm::Sha224,
    HashAlgorithm::Sha256,
    HashAlgorithm::Sha384,
    HashAlgorithm::Sha512,
];

/// How the links of a page relate to the project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PageScope {
    /// All of them should be the project's files.
    Project,
    /// A flat page: links to files of other projects are passed over in silence.
    Flat,
}

/// Sorts links into a record. `allow_local` permits `file:` links: pages from this machine only.
pub(crate) fn build_page(
    name: &PackageName,
    links: &[Link<'_>],
    scope: PageScope,
    allow_local: bool,
) -> PageRecord {
    let mut builder = Builder::new(name, allow_local);
    for link in links {
        if scope == PageScope::Flat && split_name(&link.filename, name).is_none() {
            continue;
        }
        if let Err(reason) = builder.add(link) {
            builder.skipped.push(SkippedRecord {
                filename: link.filename.to_string(),
                reason: reason.to_string(),
            });
        }
    }
    builder.finish()
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

struct Builder<'page> {
    name: &'page PackageName,
    allow_local: bool,
    /// Version texts seen so far → place in `versions`, or `None` if not a version.
    texts: FxHashMap<String, Option<u32>>,
    by_version: FxHashMap<Version, u32>,
    versions: Vec<(Version, String)>,
    files: Vec<(u32, FileRecord)>,
    interned: FxHashMap<String, u32>,
    requires_python: Vec<String>,
    skipped: Vec<SkippedRecord>,
}

impl<'page> Builder<'page> {
    fn new(name: &'page PackageName, allow_local: bool) -> Self {
        Self {
            name,
            allow_local,
            texts: FxHashMap::default(),
            by_version: FxHashMap::default(),
            versions: Vec::new(),
            files: Vec::new(),
            interned: FxHashMap::default(),
            requires_python: Vec::new(),
            skipped: Vec::new(),
        }
    }

    fn add(&mut self, link: &Link<'_>) -> Result<(), &'static str> {
        let filename = &*link.filename;
        if filename.contains(['/', '\\']) || filename.chars().any(char::is_control) {
            return Err("the file name holds a separator or a control character");
        }
        self.check_scheme(&link.url)?;
        let (version, is_sdist) = self.version_of(filename)?;
        let (sha256, other_hashes) = read_hashes(&link.hashes)?;
        let core_metadata = link.core_metadata.as_deref();
        let core_metadata_hashes = core_metadata.map(all_hashes).transpose()?;
        let requires_python = link
            .requires_python
            .as_deref()
            .filter(|text| !text.trim().is_empty())
            .map(|text| self.intern(text));
        let prefix = link.url.strip_suffix(filename);
        let file = FileRecord {
            filename: filename.to_string(),
            url: prefix.unwrap_or(&link.url).to_string(),
            url_ends_in_filename: prefix.is_some(),
            is_sdist,
            size_bytes: link.size_bytes,
            upload_time_ms: link
                .upload_time
                .as_deref()
                .and_then(|text| jiff::Timestamp::from_str(text).ok())
                .map(jiff::Timestamp::as_millisecond),
            requires_python,
            sha256,
            other_hashes,
            yanked: link.yanked.as_deref().map(str::to_string),
            has_core_metadata: core_metadata.is_some(),
            core_metadata_hashes: core_metadata_hashes.unwrap_or_default(),
        };
        self.files.push((version, file));
        Ok(())
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

    fn finish(self) -> PageRecord {
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
        PageRecord {
            versions,
            files: files.into_iter().map(|(_, file)| file).collect(),
            requires_python: self.requires_python,
            skipped: self.skipped,
        }
    }
}

type HashPair<'page> = (Cow<'page, str>, Cow<'page, str>);

/// Digests with known algorithms. One that is malformed is an error: a file must not lose its
/// check because of it.
fn all_hashes(hashes: &[HashPair<'_>]) -> Result<Vec<HashRecord>, &'static str> {
    let mut records = Vec::new();
    for (name, hex) in hashes {
        let Ok(algorithm) = HashAlgorithm::from_str(name) else {
            continue;
        };
        let is_hex = hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        if hex.len() != algorithm.hex_length() || !is_hex {
            return Err("a digest is malformed");
        }
        let number = (0..).zip(ALGORITHMS).find(|(_, known)| *known == algorithm);
        if let Some((number, _)) = number {
            records.push(HashRecord {
                algorithm: number,
                hex: hex.to_ascii_lowercase(),
            });
        }
    }
    Ok(records)
}

type FileHashes = (Option<[u8; 32]>, Vec<HashRecord>);

fn read_hashes(hashes: &[HashPair<'_>]) -> Result<FileHashes, &'static str> {
    if let [(name, hex)] = hashes
        && name == "sha256"
    {
        let digest = decode_sha256(hex).ok_or("a digest is malformed")?;
        return Ok((Some(digest), Vec::new()));
    }
    let mut records = all_hashes(hashes)?;
    let is_sha256 =
        |record: &HashRecord| ALGORITHMS[usize::from(record.algorithm)] == HashAlgorithm::Sha256;
    let sha256 = records
        .iter()
        .find(|record| is_sha256(record))
        .and_then(|record| decode_sha256(&record.hex));
    records.retain(|record| !is_sha256(record));
    Ok((sha256, records))
}

/// The 32 bytes of 64 hexadecimal digits.
fn decode_sha256(hex: &str) -> Option<[u8; 32]> {
    let bytes = hex.as_bytes();
    if bytes.len() != 64 {
        return None;
    }
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let mut digest = [0; 32];
    for (out, pair) in digest.iter_mut().zip(bytes.chunks_exact(2)) {
        *out = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(digest)
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn encode_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut hex = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        hex.push(char::from(DIGITS[usize::from(byte >> 4)]));
        hex.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    hex
}
