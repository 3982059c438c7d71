//! Sdists that say what they require in a `setup.py` which can be read without running it.
//!
//! What setuptools wrote when such an sdist was packed is taken for its metadata if the script says
//! the same, so that resolving needs no build. The wheel is compared with it once it is built.

use bnbpip_build::{SourceTree, packed_metadata, written_metadata};
use bnbpip_index::PackageFile;
use bnbpip_packaging::{CoreMetadata, Requires};
use bnbpip_scan::setup_requirements;

use super::obtain::Obtained;
use super::{Access, Entry, Sources};
use crate::commands::resolve::network;
use crate::failure::Failure;

impl Sources {
    /// The metadata of an index's sdist whose `setup.py` says plainly what it requires.
    pub(super) fn plain_document(
        &self,
        obtained: &Obtained,
        file: &PackageFile,
    ) -> Option<(Vec<u8>, Requires)> {
        // Settings may change what a script does; what the user named is about to be built anyway.
        let settings = self.0.config_settings.of(file);
        if !obtained.is_archive || file.index.is_none() || !settings.is_empty() {
            return None;
        }
        let script = SourceTree::open(&obtained.root)
            .ok()?
            .deciding_setup_script()?;
        let said = setup_requirements(&script)?;
        let document = written_metadata(&obtained.root).or_else(|| {
            // An older `PKG-INFO` tells of no requirements: there are none, then.
            let document = said.is_empty().then(|| packed_metadata(&obtained.root));
            document.flatten()
        })?;
        let metadata = CoreMetadata::parse(&document).ok()?;
        let is_of_file = metadata.name == *file.name() && metadata.version == *file.version();
        (is_of_file && said == metadata.requires()).then_some((document, said))
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
            obtained.keep_metadata(&document);
        }
        let (name, version) = (file.name(), file.version());
        Err(Failure::new(format!(
            "Failed to use `{name} {version}`: its wheel requires other packages than its `setup.py` says"
        ))
        .hint("try again: what the wheel requires is known now"))
    }
}
