//! Names for requirements that are addresses alone (`.`, `./x.zip`, `git+https://…`): what
//! `pyproject.toml` says, else what the backend says.

use bnbpip_build::SourceTree;
use bnbpip_packaging::{CoreMetadata, HashAlgorithm, MarkerEnvironment, PackageName, VersionOrUrl};

use super::{Access, Sources, lock, source_file};
use crate::commands::resolve::Connection;
use crate::failure::Failure;
use crate::request::{Request, RequestedRequirement};

impl Sources {
    /// Moves the requirements without a name to the others, each with its name. What is built to
    /// find it out serves the resolution, too.
    ///
    /// # Errors
    /// When a source can't be had, or its backend fails.
    pub(crate) fn name_requirements(
        &self,
        request: &mut Request,
        markers: &MarkerEnvironment,
    ) -> Result<(), Failure> {
        let unnamed = std::mem::take(&mut request.unnamed);
        if unnamed.is_empty() {
            return Ok(());
        }
        let shared = &self.0;
        let connection = Connection::new(&shared.options, &shared.files, &shared.settings)?;
        for mut given in unnamed {
            if !given.requirement.marker.evaluate(markers, &[]) {
                shared.printer.info(&format!(
                    "Ignoring {}: its markers don't match your environment",
                    given.raw
                ));
                continue;
            }
            if given.editable {
                self.mark_editable(&given.requirement);
            }
            given.requirement.name = self.name_of(&given, connection.access())?;
            lock(&shared.hashes).extend(digests(&given));
            request.requirements.push(given);
        }
        Ok(())
    }

    fn name_of(
        &self,
        given: &RequestedRequirement,
        access: Access<'_>,
    ) -> Result<PackageName, Failure> {
        let Some(VersionOrUrl::Url(url)) = &given.requirement.version_or_url else {
            return Ok(given.requirement.name.clone());
        };
        let url = url.to_url();
        let is_folder = url.scheme() == "file" && url.path().ends_with('/');
        if let Some(root) = url
            .to_file_path()
            .ok()
            .filter(|root| is_folder || root.is_dir())
            && let Some(name) = SourceTree::open(&root)?.name
        {
            return Ok(name);
        }
        // Under the name that stands for none, so that the archive is checked before it is used.
        lock(&self.0.hashes).extend(digests(given));
        let file = source_file(given.requirement.name.clone(), "0".parse()?, url);
        let document = self.document(&file, access);
        lock(&self.0.hashes).remove(&given.requirement.name);
        Ok(CoreMetadata::parse(&document?)?.name)
    }
}

fn digests(given: &RequestedRequirement) -> Option<(PackageName, Vec<(HashAlgorithm, String)>)> {
    let digests: Vec<(HashAlgorithm, String)> = given
        .hashes
        .iter()
        .filter_map(|hash| Some((hash.algorithm.parse().ok()?, hash.digest.clone())))
        .collect();
    (!digests.is_empty()).then(|| (given.requirement.name.clone(), digests))
}
