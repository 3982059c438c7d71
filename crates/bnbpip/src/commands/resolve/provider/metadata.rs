//! The metadata of a file, and what becomes of one whose metadata can't be used.

use std::sync::Arc;

use bnbpip_index::PackageFile;
use bnbpip_packaging::{CoreMetadata, PackageName, Version};
use bnbpip_resolver::{DependencyError, PackageMetadata};

use super::fetching::{MetadataFailure, lock};
use super::{IndexProvider, invalid_wheel, provider_error, source_error};
use crate::commands::sources::Sources;
use crate::failure::Failure;

impl IndexProvider {
    pub(super) fn metadata_of(
        &self,
        name: &PackageName,
        version: &Version,
        file: &Arc<PackageFile>,
    ) -> Result<Arc<PackageMetadata>, DependencyError> {
        if let Some(sources) = self.sources.as_ref().filter(|_| file.wheel().is_none()) {
            let metadata = match file.index {
                None => sources
                    .metadata(file, self.access())
                    .map_err(source_error)?,
                Some(_) => self.metadata_of_sdist(sources, name, version, file)?,
            };
            return Ok(Arc::new(PackageMetadata {
                requires_dist: metadata.requires_dist,
                requires_python: metadata.requires_python,
                provides_extra: metadata.provides_extra,
                builds: Vec::new(),
            }));
        }
        let metadata = self.runtime.block_on(self.shared.metadata(file));
        match metadata.map_err(|failure| self.tell_inconsistent(name, file, failure)) {
            Ok(metadata) => Ok(metadata),
            Err(MetadataFailure::Invalid(message)) if self.is_direct(file) => {
                Err(source_error(invalid_wheel(file, message)).into())
            }
            Err(MetadataFailure::Folder(message)) if self.is_direct(file) => {
                let text = format!("{} has an invalid wheel, {message}", file.name());
                Err(source_error(Failure::new(text)).into())
            }
            Err(
                MetadataFailure::Invalid(message)
                | MetadataFailure::Folder(message)
                | MetadataFailure::Inconsistent { message, .. },
            ) => {
                lock(&self.shared.passed_over).insert(format!(
                    "Ignoring version {version} of {name} since it has invalid metadata: {message}"
                ));
                Err(DependencyError::Invalid(message))
            }
            Err(MetadataFailure::NoBuild(wanted)) => Err(DependencyError::NoBuild(wanted)),
            Err(MetadataFailure::Index(error)) if error.is_offline() => {
                Err(DependencyError::NotCached)
            }
            Err(MetadataFailure::Index(error)) => Err(provider_error(error).into()),
        }
    }

    /// The metadata of an index's source distribution; one that is of another project is passed
    /// over.
    fn metadata_of_sdist(
        &self,
        sources: &Sources,
        name: &PackageName,
        version: &Version,
        file: &PackageFile,
    ) -> Result<CoreMetadata, DependencyError> {
        let metadata = sources.consistent_metadata(file, self.access());
        metadata.map_err(source_error)?.map_err(|found| {
            let url = file.shown_url();
            let reason = format!(
                "Requested {name}=={version} from {url} has inconsistent Name: expected '{name}', \
                 but metadata has '{found}'"
            );
            if lock(&self.shared.discarded).insert(url) {
                sources.discard(file, &reason);
            }
            DependencyError::Invalid(reason)
        })
    }

    /// Tells that a wheel of an index is another one than its name says.
    fn tell_inconsistent(
        &self,
        name: &PackageName,
        file: &Arc<PackageFile>,
        failure: MetadataFailure,
    ) -> MetadataFailure {
        let MetadataFailure::Inconsistent { message, reason } = failure else {
            return failure;
        };
        let url = file.shown_url();
        if let Some(sources) = self.sources.as_ref().filter(|_| !self.is_direct(file))
            && lock(&self.shared.discarded).insert(url.clone())
        {
            sources.discard(file, &format!("Requested {name} from {url} {reason}"));
        }
        MetadataFailure::Invalid(message)
    }
}
