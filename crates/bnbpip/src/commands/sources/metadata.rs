//! What a source's metadata says, found without a build where that can be: from its index, from
//! what is in the source, or from an earlier build.

use std::sync::Arc;

use bnbpip_build::{BuildError, WheelKind, written_metadata};
use bnbpip_index::PackageFile;
use bnbpip_packaging::{CoreMetadata, PackageName, Version};
use url::Url;

use super::building::outcome_word;
use super::packed::METADATA;
use super::{Access, Entry, SourceUse, Sources, lock};
use crate::commands::resolve::network;
use crate::failure::Failure;
use crate::interrupt;

impl Sources {
    /// The metadata that a wheel built from the source has.
    ///
    /// # Errors
    /// When the source can't be had, or its backend fails.
    pub(crate) fn metadata(
        &self,
        file: &PackageFile,
        access: Access<'_>,
    ) -> Result<CoreMetadata, Failure> {
        self.consistent_metadata(file, access)?.map_err(|name| {
            let (expected, url) = (file.name(), file.shown_url());
            let mismatch =
                format!("has inconsistent name: expected '{expected}', but metadata has '{name}'");
            self.narrate(&format!(
                "Discarding {url}: Requested {name} from {url} {mismatch}"
            ));
            Failure::new(format!("Failed to use `{url}`: it {mismatch}")).hint(format!(
                "Generating metadata for package {expected} produced metadata for project name \
                 {name}. Fix your #egg={expected} fragments."
            ))
        })
    }

    /// The same, or the name of the project that the metadata is of instead.
    ///
    /// # Errors
    /// When the source can't be had, or its backend fails.
    pub(crate) fn consistent_metadata(
        &self,
        file: &PackageFile,
        access: Access<'_>,
    ) -> Result<Result<CoreMetadata, PackageName>, Failure> {
        let document = self.document(file, access)?;
        let metadata = CoreMetadata::parse(&document)?;
        if metadata.name == *file.name() {
            return Ok(Ok(metadata));
        }
        Ok(Err(metadata.name))
    }

    /// Tells, as pip does, that a file of an index is passed over.
    pub(crate) fn discard(&self, file: &PackageFile, reason: &str) {
        let url = file.shown_url();
        self.narrate(&format!("Discarding {url}: {reason}"));
    }

    /// The whole `METADATA` file that a wheel built from the source has.
    ///
    /// # Errors
    /// As for [`Self::metadata`].
    pub(crate) fn document(
        &self,
        file: &PackageFile,
        access: Access<'_>,
    ) -> Result<Vec<u8>, Failure> {
        let entry = self.entry(file);
        let mut entry = lock(&entry);
        if let Some(document) = &entry.document {
            return Ok(document.clone());
        }
        let document = self.find_document(&mut entry, file, access)?;
        entry.document = Some(document.clone());
        Ok(document)
    }

    fn find_document(
        &self,
        entry: &mut Entry,
        file: &PackageFile,
        access: Access<'_>,
    ) -> Result<Vec<u8>, Failure> {
        let told = access.runtime.block_on(access.client.told_metadata(file));
        if let Some(told) = told.map_err(|error| network::explained(&error))? {
            return Ok(told);
        }
        self.obtain(entry, file, access)?;
        let obtained = entry.obtained.as_ref();
        if let Some(kept) = obtained.and_then(|it| it.kept_metadata(METADATA)) {
            return Ok(kept);
        }
        if let Some(wheel) = Self::kept_wheel(entry)? {
            let document = access
                .runtime
                .block_on(access.client.metadata_document(&wheel));
            entry.wheel = Some(wheel);
            let document = document.map_err(|error| network::explained(&error))?;
            return Ok(document.unwrap_or_default());
        }
        if let Some(document) = self.packed_document(entry, file)? {
            return Ok(document);
        }
        let _guard = interrupt::Guard::new();
        match self.prepared_document(entry, file)? {
            Ok(Some(document)) => {
                if let Some(obtained) = &entry.obtained {
                    obtained.keep_metadata(METADATA, &document);
                }
                return Ok(document);
            }
            Ok(None) => {}
            Err(error) => {
                return match self.written_document(entry, file, &error) {
                    Some(document) => Ok(document),
                    None => Err(Self::explained(&error, file)),
                };
            }
        }
        let wheel = self.build(entry, file)?;
        let document = access
            .runtime
            .block_on(access.client.metadata_document(&wheel));
        let document = document.map_err(|error| network::explained(&error))?;
        Ok(document.unwrap_or_default())
    }

    /// The metadata that the backend prepares; `None` if it knows of no such thing.
    fn prepared_document(
        &self,
        entry: &mut Entry,
        file: &PackageFile,
    ) -> Result<Result<Option<Vec<u8>>, BuildError>, Failure> {
        if let Err(error) = self.prepare(entry, file)? {
            return Ok(Err(error));
        }
        let Some(build) = entry.build.as_mut() else {
            return Ok(Ok(None));
        };
        let kind = entry.obtained.as_ref().map(|it| it.origin.kind);
        let step = match kind {
            Some(WheelKind::Editable) => "  Preparing editable metadata (pyproject.toml)",
            _ => "  Preparing metadata (pyproject.toml)",
        };
        self.narrate(&format!("{step}: started"));
        let metadata = build.metadata();
        let word = outcome_word(metadata.is_ok());
        self.narrate(&format!("{step}: finished with status '{word}'"));
        Ok(metadata)
    }

    /// What an sdist was written with, where its backend fails and its wheel isn't wanted.
    fn written_document(
        &self,
        entry: &Entry,
        file: &PackageFile,
        error: &BuildError,
    ) -> Option<Vec<u8>> {
        let is_backends = matches!(
            error,
            BuildError::Backend { .. } | BuildError::Unavailable { .. }
        );
        if self.0.used_for != SourceUse::Metadata || !is_backends || interrupt::requested() {
            return None;
        }
        let files = &entry.obtained.as_ref()?.files;
        let root = files.is_archive().then(|| files.root().ok())??;
        let document = written_metadata(root)?;
        let metadata = CoreMetadata::parse(&document).ok()?;
        if metadata.name != *file.name() {
            return None;
        }
        self.0.printer.warning(&format!(
            "{error}; what `{} {}` requires is taken from what it was packed with. To install it, it has to be \
             built",
            metadata.display_name, metadata.version
        ));
        Some(document)
    }

    /// The name of a source's project as its metadata spells it, where that is known by now.
    pub(crate) fn spelled_name(&self, file: &PackageFile) -> Option<String> {
        let entry = self.entry(file);
        let entry = lock(&entry);
        spelled_name(&entry)
    }

    /// The version of the project at an address, if it was asked for by now.
    pub(crate) fn known_version(&self, url: &Url) -> Option<Version> {
        let entry = Arc::clone(lock(&self.0.entries).get(url.as_str())?);
        let entry = lock(&entry);
        let metadata = CoreMetadata::parse(entry.document.as_ref()?).ok()?;
        Some(metadata.version)
    }
}

pub(super) fn spelled_name(entry: &Entry) -> Option<String> {
    let metadata = CoreMetadata::parse(entry.document.as_ref()?).ok()?;
    Some(metadata.display_name)
}
