//! The binary record of a page, and the links that it is made of.

use std::borrow::Cow;

use bnbpip_packaging::HashAlgorithm;
use rkyv::{Archive, Serialize};

/// Algorithm and digest, as a page gives them.
pub(super) type HashPair<'page> = (Cow<'page, str>, Cow<'page, str>);

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
    /// Absolute.
    pub(crate) provenance: Option<Cow<'page, str>>,
}

impl Link<'static> {
    /// A link that says no more than its address; digests may stand in the fragment.
    pub(crate) fn to(mut url: url::Url) -> Self {
        let hashes = url.fragment().map(super::html::fragment_hashes);
        url.set_fragment(None);
        Self {
            filename: Cow::Owned(super::last_segment(&url)),
            hashes: hashes.unwrap_or_default(),
            url: Cow::Owned(url.into()),
            ..Self::default()
        }
    }
}

impl Link<'static> {
    /// A link to a file that was read from a page, with these digests.
    pub(crate) fn of(file: &super::PackageFile, hashes: &bnbpip_packaging::Hashes) -> Self {
        let owned = |text: &str| Cow::Owned(text.to_string());
        let pairs = |hashes: &bnbpip_packaging::Hashes| -> Vec<HashPair<'static>> {
            let pairs = hashes.iter();
            pairs
                .map(|(algorithm, hex)| (owned(algorithm.as_str()), owned(hex)))
                .collect()
        };
        let requires_python = file.requires_python.as_deref();
        Self {
            filename: owned(&file.filename_text),
            url: owned(file.url.as_str()),
            hashes: pairs(hashes),
            size_bytes: file.size_bytes,
            upload_time: file.upload_time().map(|time| owned(&time.to_string())),
            requires_python: requires_python.map(|text| owned(text.as_str())),
            yanked: file.yanked.as_deref().map(owned),
            core_metadata: file.core_metadata.as_ref().map(pairs),
            provenance: file.provenance.as_ref().map(|url| owned(url.as_ref())),
        }
    }
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
            provenance: self.provenance.map(own),
        }
    }
}

/// A page: versions ascending, files grouped by version.
#[derive(Debug, Default, Archive, Serialize)]
pub(crate) struct PageRecord {
    /// What the addresses of all files begin with.
    pub(crate) url_prefix: String,
    /// What the addresses of provenance begin with, before version and file name.
    pub(crate) provenance_prefix: String,
    /// What they end in.
    pub(crate) provenance_suffix: String,
    pub(crate) versions: Vec<VersionRecord>,
    pub(crate) files: Vec<FileRecord>,
    /// What few files have; a file refers to its place.
    pub(crate) extras: Vec<ExtraRecord>,
    pub(crate) requires_python: Vec<String>,
    pub(crate) skipped: Vec<SkippedRecord>,
}

impl PageRecord {
    /// About what it takes as bytes.
    pub(super) fn size_bytes(&self) -> usize {
        let versions = self.versions.iter().map(|version| version.text.len());
        let files = self.files.iter();
        let texts = files.map(|file| file.filename.len() + file.url.len());
        versions.chain(texts).sum::<usize>()
            + self.versions.len() * size_of::<ArchivedVersionRecord>()
            + self.files.len() * size_of::<ArchivedFileRecord>()
            + self.extras.len() * size_of::<ArchivedExtraRecord>()
            + (4 << 10)
    }
}

/// One version and the range of its files.
#[derive(Debug, Archive, Serialize)]
pub(crate) struct VersionRecord {
    pub(crate) text: String,
    pub(crate) first_file: u32,
    pub(crate) file_count: u32,
}

/// One file. Fields that it may lack hold [`NO_SIZE`], [`NO_TIME`] or [`NO_PLACE`]: half a
/// record's bytes would otherwise be the tags of options, and loading checks every one.
#[derive(Debug, Archive, Serialize)]
pub(crate) struct FileRecord {
    pub(crate) filename: String,
    /// The address, less the page's prefix, and less the file name if it ends in it.
    pub(crate) url: String,
    pub(crate) size_bytes: u64,
    pub(crate) upload_time_ms: i64,
    pub(crate) sha256: [u8; 32],
    pub(crate) core_metadata_sha256: [u8; 32],
    pub(crate) requires_python: u32,
    pub(crate) extra: u32,
    pub(crate) flags: u8,
}

/// No size is known.
pub(crate) const NO_SIZE: u64 = u64::MAX;
/// No time is known.
pub(crate) const NO_TIME: i64 = i64::MIN;
/// There is no such entry.
pub(crate) const NO_PLACE: u32 = u32::MAX;

/// The bits of [`FileRecord::flags`].
pub(crate) mod flag {
    /// The address ends in the file name.
    pub(crate) const URL_ENDS_IN_FILENAME: u8 = 1;
    /// A source distribution.
    pub(crate) const SDIST: u8 = 2;
    /// `sha256` is known.
    pub(crate) const SHA256: u8 = 4;
    /// There is a metadata file.
    pub(crate) const CORE_METADATA: u8 = 8;
    /// `core_metadata_sha256` is known.
    pub(crate) const CORE_METADATA_SHA256: u8 = 16;
    /// There is provenance at the address that the page's files have in common.
    pub(crate) const PROVENANCE: u8 = 32;
}

/// What few files have.
#[derive(Debug, Default, Archive, Serialize)]
pub(crate) struct ExtraRecord {
    pub(crate) hashes: Vec<HashRecord>,
    pub(crate) core_metadata_hashes: Vec<HashRecord>,
    pub(crate) yanked: Option<String>,
    pub(crate) provenance: Option<String>,
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

/// The 32 bytes of 64 hexadecimal digits.
pub(super) fn decode_sha256(hex: &str) -> Option<[u8; 32]> {
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
