//! The metadata that an sdist was packed with: where it promises that a build says the same (PEP 643),
//! and where its `setup.py` and `setup.cfg` say the same and can be read without running anything.
//!
//! The second is presumed: the wheel is compared with it once it is built.

use std::path::Path;

use bnbpip_build::{SourceTree, packed_metadata, static_metadata, written_metadata};
use bnbpip_index::PackageFile;
use bnbpip_packaging::{CoreMetadata, Requires};
use bnbpip_scan::{SetupOptions, setup_requirements};

use super::{Access, Entry, Sources};
use crate::commands::resolve::network;
use crate::configuration::ini;
use crate::failure::Failure;

/// The name under which metadata is kept that a wheel has.
pub(super) const METADATA: &str = "METADATA";

/// The name under which metadata is kept that a wheel should have.
const PRESUMED: &str = "METADATA.presumed";

impl Sources {
    /// The metadata of an sdist that needs no build to be known, kept for the next run.
    pub(super) fn packed_document(
        &self,
        entry: &mut Entry,
        file: &PackageFile,
    ) -> Result<Option<Vec<u8>>, Failure> {
        let obtained = entry.obtained.as_ref();
        let Some(obtained) = obtained.filter(|it| it.files.is_archive()) else {
            return Ok(None);
        };
        // Settings may change what a script does; what the user named is about to be built anyway.
        let settings = self.0.config_settings.of(file);
        let may_presume = file.index.is_some() && settings.is_empty();
        let kept = obtained.kept_metadata(PRESUMED).filter(|_| may_presume);
        if let Some(document) = kept {
            entry.presumed = Some(CoreMetadata::parse(&document)?.requires());
            return Ok(Some(document));
        }
        let root = obtained.files.root()?;
        if let Some(document) = static_metadata(root) {
            obtained.keep_metadata(METADATA, &document);
            return Ok(Some(document));
        }
        let plain = may_presume.then(|| plain_document(root, file)).flatten();
        let Some((document, requires)) = plain else {
            return Ok(None);
        };
        obtained.keep_metadata(PRESUMED, &document);
        entry.presumed = Some(requires);
        Ok(Some(document))
    }

    /// Refuses a wheel that requires something else than its `setup.py` said, of which the resolution
    /// knows nothing. The next run does.
    pub(super) fn check_presumed(
        entry: &Entry,
        file: &PackageFile,
        access: Access<'_>,
    ) -> Result<(), Failure> {
        let (Some(presumed), Some(wheel)) = (&entry.presumed, &entry.wheel) else {
            return Ok(());
        };
        let document = access
            .runtime
            .block_on(access.client.metadata_document(wheel));
        let document = document.map_err(|error| network::explained(&error))?;
        let document = document.unwrap_or_default();
        if CoreMetadata::parse(&document)?.requires() == *presumed {
            return Ok(());
        }
        if let Some(obtained) = &entry.obtained {
            obtained.keep_metadata(METADATA, &document);
        }
        let (name, version) = (file.name(), file.version());
        Err(Failure::new(format!(
            "Failed to use `{name} {version}`: its wheel requires other packages than its `setup.py` says"
        ))
        .hint("try again: what the wheel requires is known now"))
    }
}

/// What setuptools wrote when an sdist was packed, if its `setup.py` and `setup.cfg` say plainly
/// that it requires the same.
fn plain_document(root: &Path, file: &PackageFile) -> Option<(Vec<u8>, Requires)> {
    let files = SourceTree::open(root).ok()?.setup_files()?;
    let options = match &files.configuration {
        Some(text) => setup_options(text)?,
        None => SetupOptions::default(),
    };
    let said = setup_requirements(files.script.as_deref(), &options)?;
    let document = written_metadata(root).or_else(|| {
        // An older `PKG-INFO` tells of no requirements: there are none, then.
        said.is_empty().then(|| packed_metadata(root)).flatten()
    })?;
    let metadata = CoreMetadata::parse(&document).ok()?;
    let is_of_file = metadata.name == *file.name() && metadata.version == *file.version();
    (is_of_file && said == metadata.requires()).then_some((document, said))
}

/// What a `setup.cfg` says of requirements; `None` if it can't be read.
fn setup_options(text: &str) -> Option<SetupOptions> {
    let mut options = SetupOptions::default();
    for entry in ini::parse(text).ok()? {
        // setuptools took names with `-`, too.
        match (&*entry.section, &*entry.key.replace('-', "_")) {
            ("options", "install_requires") => options.install_requires = Some(entry.value),
            ("options", "python_requires") => options.python_requires = Some(entry.value),
            ("options.extras_require", _) => options.extras_require.push((entry.key, entry.value)),
            _ => {}
        }
    }
    Some(options)
}
