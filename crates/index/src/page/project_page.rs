//! A loaded page: a validated record, decoded as it is asked.

use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use bnbpip_packaging::{HashAlgorithm, Hashes, PackageName, SdistFilename, Version, WheelFilename};
use rkyv::rancor::Error as RkyvError;
use rkyv::util::AlignedVec;
use url::Url;

use super::PageError;
use super::file::{DistributionFilename, PackageFile};
use super::record::{
    ALGORITHMS, ArchivedFileRecord, ArchivedHashRecord, ArchivedPageRecord, NO_SIZE, NO_TIME,
    PageRecord, encode_hex, flag,
};
use super::requires_python::RequiresPython;
use crate::index_url::IndexUrl;

/// A file on the page that is no candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SkippedFile<'page> {
    /// Its name.
    pub filename: &'page str,
    /// Why it is left out.
    pub reason: &'page str,
}

/// What one index says about one project.
#[derive(Debug)]
pub struct ProjectPage {
    name: PackageName,
    index: Arc<IndexUrl>,
    bytes: AlignedVec,
    versions: OnceLock<Vec<Version>>,
    requires_python: OnceLock<Vec<Arc<RequiresPython>>>,
    files: Vec<OnceLock<Vec<Arc<PackageFile>>>>,
}

impl ProjectPage {
    /// Wraps a record's bytes after validating them.
    ///
    /// # Errors
    /// When the bytes are not a sound record.
    pub(crate) fn from_bytes(
        name: PackageName,
        index: Arc<IndexUrl>,
        bytes: AlignedVec,
    ) -> Result<Self, PageError> {
        let record =
            rkyv::access::<ArchivedPageRecord, RkyvError>(&bytes).map_err(PageError::Damaged)?;
        let files = record.versions.iter().map(|_| OnceLock::new()).collect();
        Ok(Self {
            name,
            index,
            bytes,
            versions: OnceLock::new(),
            requires_python: OnceLock::new(),
            files,
        })
    }

    /// Makes a page out of a fresh record.
    ///
    /// # Errors
    /// When the record can't be serialized.
    pub(crate) fn from_record(
        name: PackageName,
        index: Arc<IndexUrl>,
        record: &PageRecord,
    ) -> Result<Self, PageError> {
        let room = AlignedVec::with_capacity(record.size_bytes());
        let bytes = rkyv::api::high::to_bytes_in::<_, RkyvError>(record, room);
        let bytes = bytes.map_err(PageError::Record)?;
        Self::from_bytes(name, index, bytes)
    }

    /// The record's bytes, for the cache.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    #[expect(
        unsafe_code,
        reason = "the bytes were validated when this value was made"
    )]
    fn record(&self) -> &ArchivedPageRecord {
        // SAFETY: `from_bytes` validated exactly these bytes, and nothing changes them.
        unsafe { rkyv::access_unchecked::<ArchivedPageRecord>(&self.bytes) }
    }

    /// The project.
    pub fn name(&self) -> &PackageName {
        &self.name
    }

    /// The index that the page came from.
    pub fn index(&self) -> &Arc<IndexUrl> {
        &self.index
    }

    /// The distinct versions that have files, ascending.
    pub fn versions(&self) -> &[Version] {
        self.versions.get_or_init(|| {
            self.record()
                .versions
                .iter()
                // The text was a version when the record was written; if this program's idea of
                // versions changed since, an impossible zero keeps the places aligned.
                .map(|version| {
                    Version::from_str(&version.text).unwrap_or_else(|_| Version::new([0]))
                })
                .collect()
        })
    }

    /// How many files the page has.
    pub fn file_count(&self) -> usize {
        self.record().files.len()
    }

    /// The files of the version at `place` in [`ProjectPage::versions`], in the page's order.
    pub fn files_at(&self, place: usize) -> &[Arc<PackageFile>] {
        let Some(cell) = self.files.get(place) else {
            return &[];
        };
        cell.get_or_init(|| {
            let record = self.record();
            let version = &record.versions[place];
            let first = version.first_file.to_native() as usize;
            let end = first.saturating_add(version.file_count.to_native() as usize);
            let files = record.files.get(first..end).unwrap_or_default();
            files
                .iter()
                .filter_map(|file| self.decode(file, &version.text))
                .map(Arc::new)
                .collect()
        })
    }

    /// The files of a version, in the page's order.
    pub fn files(&self, version: &Version) -> &[Arc<PackageFile>] {
        match self.versions().binary_search(version) {
            Ok(place) => self.files_at(place),
            Err(_) => &[],
        }
    }

    /// The files that are no candidates: other formats, broken names, unusable addresses.
    pub fn skipped(&self) -> impl Iterator<Item = SkippedFile<'_>> {
        self.record().skipped.iter().map(|skipped| SkippedFile {
            filename: skipped.filename.as_str(),
            reason: skipped.reason.as_str(),
        })
    }

    fn decode(&self, file: &ArchivedFileRecord, version: &str) -> Option<PackageFile> {
        let text = file.filename.as_str();
        let filename = if file.flags & flag::SDIST != 0 {
            DistributionFilename::Sdist(SdistFilename::parse(text, &self.name).ok()?)
        } else {
            match WheelFilename::from_str(text) {
                Ok(wheel) => DistributionFilename::Wheel(wheel),
                Err(error) => {
                    tracing::debug!(%error, "leaving out a file");
                    return None;
                }
            }
        };
        let has = |bit: u8| file.flags & bit != 0;
        let record = self.record();
        let end = if has(flag::URL_ENDS_IN_FILENAME) {
            text
        } else {
            ""
        };
        let url = Url::parse(&[record.url_prefix.as_str(), file.url.as_str(), end].concat())
            .inspect_err(|error| tracing::debug!(%error, file = text, "leaving out a file"))
            .ok()?;
        let extra = record.extras.get(file.extra.to_native() as usize);
        let hashes = decode_hashes(
            has(flag::SHA256).then_some(&file.sha256),
            extra.map(|extra| &*extra.hashes),
        );
        let core_metadata = has(flag::CORE_METADATA).then(|| {
            decode_hashes(
                has(flag::CORE_METADATA_SHA256).then_some(&file.core_metadata_sha256),
                extra.map(|extra| &*extra.core_metadata_hashes),
            )
        });
        let provenance = if has(flag::PROVENANCE) {
            let (start, end) = (&record.provenance_prefix, &record.provenance_suffix);
            Some(format!("{start}/{version}/{text}{end}").into())
        } else {
            let extra = extra.and_then(|extra| extra.provenance.as_ref());
            extra.map(|url| url.as_str().into())
        };
        Some(PackageFile {
            filename,
            filename_text: text.into(),
            url,
            hashes,
            size_bytes: Some(file.size_bytes.to_native()).filter(|size| *size != NO_SIZE),
            upload_time_ms: Some(file.upload_time_ms.to_native()).filter(|time| *time != NO_TIME),
            requires_python: self.requires_python(file.requires_python.to_native()),
            yanked: extra
                .and_then(|extra| extra.yanked.as_ref())
                .map(|reason| reason.as_str().into()),
            core_metadata,
            provenance,
            index: Some(Arc::clone(&self.index)),
        })
    }

    fn requires_python(&self, place: u32) -> Option<Arc<RequiresPython>> {
        self.requires_python
            .get_or_init(|| {
                self.record()
                    .requires_python
                    .iter()
                    .map(|text| Arc::new(RequiresPython::new(text)))
                    .collect()
            })
            .get(place as usize)
            .cloned()
    }
}

fn decode_hashes(sha256: Option<&[u8; 32]>, others: Option<&[ArchivedHashRecord]>) -> Hashes {
    let mut hashes = Hashes::new();
    for record in others.unwrap_or_default() {
        if let Some(algorithm) = ALGORITHMS.get(usize::from(record.algorithm)) {
            hashes.insert_as_given(*algorithm, &record.hex);
        }
    }
    if let Some(digest) = sha256 {
        let _always_64_digits = hashes.insert(HashAlgorithm::Sha256, &encode_hex(digest));
    }
    hashes
}
