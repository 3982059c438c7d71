//! The plan before anything changes, and the report of it.

use std::path::Path;

use bnbpip_packaging::CoreMetadata;
use bnbpip_report::rules::RuleSetIdentity;

use super::plan::Plan;
use super::{Run, outcome};
use crate::commands::resolve::{Resolved, network, notes};
use crate::failure::Failure;

impl Run<'_> {
    /// The plan, before anything changes; and whether there is room for it.
    pub(super) fn show(&self, plan: &Plan, resolved: &Resolved) -> Result<(), Failure> {
        let library = self
            .destination
            .environment
            .as_ref()
            .map(|environment| environment.scheme.purelib.as_path());
        let free_bytes = library.and_then(bnbpip_platform::free_bytes);
        let view = plan.view(
            &resolved.resolution,
            |file| resolved.client.is_stored(file),
            free_bytes,
            resolved.community.as_deref(),
        );
        self.printer
            .status(&format!("Target {}", self.destination.target.description));
        self.printer
            .verbose(&RuleSetIdentity::of(&resolved.overlay)?.to_string());
        self.printer
            .status(&view.render(self.printer.verbosity() > 0));
        notes::say(&resolved.resolution, self.printer);
        if self.arguments.dry_run {
            return Ok(());
        }
        let cache = self.settings.cache_dir.as_deref();
        let rooms = [
            ("environment", library, free_bytes),
            ("cache", cache, cache.and_then(bnbpip_platform::free_bytes)),
        ];
        let needed = view.download_bytes + view.disk_bytes;
        match rooms
            .iter()
            .find_map(|room| lack(room, view.download_bytes, needed))
        {
            Some(failure) => Err(failure),
            None => Ok(()),
        }
    }

    /// Finds out whether `--report` can be written, before anything is changed.
    pub(super) fn check_report(&self) -> Result<(), Failure> {
        if let Some(path) = &self.arguments.report
            && path.as_os_str() != "-"
        {
            fs_err::OpenOptions::new()
                .append(true)
                .create(true)
                .open(path)?;
        }
        Ok(())
    }

    /// Writes `--report`.
    pub(super) fn report(&self, plan: &Plan, resolved: &Resolved) -> Result<(), Failure> {
        let Some(path) = &self.arguments.report else {
            return Ok(());
        };
        let mut metadata = Vec::with_capacity(plan.changes.len());
        for change in &plan.changes {
            let file = &change.file;
            let document = match &self.sources {
                Some(sources) if file.wheel().is_none() => {
                    sources.document(file, resolved.access())?
                }
                _ => {
                    let document = resolved.client.metadata_document(file);
                    let document = resolved.runtime.block_on(document);
                    let document = document.map_err(|error| network::explained(&error))?;
                    document.unwrap_or_default()
                }
            };
            metadata.push(CoreMetadata::parse(&document)?);
        }
        let markers = &self.destination.target.markers;
        outcome::write_report(path, plan, &metadata, markers, resolved, self.printer)
    }
}

/// The failure where a volume has no room even for the downloads; `room` is whose it is, a folder on
/// it, and what is free there.
fn lack(
    room: &(&str, Option<&Path>, Option<u64>),
    download_bytes: u64,
    needed: u64,
) -> Option<Failure> {
    let (whose, folder, free) = room;
    let folder = (*folder)?;
    let free = (*free).filter(|free| download_bytes > *free)?;
    let message = format!(
        "Failed to install: no space left on the volume of `{}`: {} have to be downloaded, and {} \
         are free",
        folder.display(),
        bnbpip_report::sizes::bytes(download_bytes),
        bnbpip_report::sizes::bytes(free)
    );
    Some(Failure::new(message).hint(format!(
        "make room for about {} on the volume of the {whose}",
        bnbpip_report::sizes::bytes(needed)
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_volume_needs_room() {
        let folder = Some(Path::new("/there"));
        let cache = |free| lack(&("cache", folder, free), 1_000_000, 3_000_000);
        let failure = cache(Some(900_000)).unwrap();
        let told = failure.messages().join(" ") + " " + &failure.hints().join(" ");
        let expected = "Failed to install: no space left on the volume of `/there`: 1.0 MB have to \
                        be downloaded, and 900 kB are free \
                        make room for about 3.0 MB on the volume of the cache";
        assert_eq!(told, expected);
        assert!(cache(Some(1_000_000)).is_none());
        assert!(cache(None).is_none());
    }
}
