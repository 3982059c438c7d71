//! How the metadata of a package spells what it requires, for the words that scripts look for:
//! the solver knows names in their normal form alone.

use std::cell::RefCell;
use std::sync::Arc;

use bnbpip_index::{Metadata, PackageFile};
use bnbpip_packaging::{CoreMetadata, ExtraName, MarkerEnvironment, PackageName};
use rustc_hash::FxHashMap;

use crate::commands::distribution::Dependency;
use crate::commands::sources::{Access, Sources};

/// Requirements by what they ask for, as they stand in a file's metadata, without their markers.
pub(crate) type Requirements = FxHashMap<PackageName, String>;

/// The requirements of files, each asked for once. The files live as long as it.
pub(crate) struct Spelling<'a> {
    markers: &'a MarkerEnvironment,
    access: Access<'a>,
    sources: Option<&'a Sources>,
    read: RefCell<FxHashMap<*const PackageFile, Option<Requirements>>>,
}

impl<'a> Spelling<'a> {
    pub(crate) fn new(
        markers: &'a MarkerEnvironment,
        access: Access<'a>,
        sources: Option<&'a Sources>,
    ) -> Self {
        Self {
            markers,
            access,
            sources,
            read: RefCell::default(),
        }
    }

    /// A file's requirement for a package.
    pub(crate) fn needed(&self, file: &Arc<PackageFile>, name: &PackageName) -> Option<String> {
        let mut read = self.read.borrow_mut();
        let of_file = read
            .entry(Arc::as_ptr(file))
            .or_insert_with(|| requirements_of(file, self.markers, self.access, self.sources));
        of_file.as_ref()?.get(name).cloned()
    }
}

/// A file's requirements that hold here. The metadata has been read by now, so that nothing is
/// fetched or built for this. `None` if it can't be had.
pub(crate) fn requirements_of(
    file: &Arc<PackageFile>,
    markers: &MarkerEnvironment,
    access: Access<'_>,
    sources: Option<&Sources>,
) -> Option<Requirements> {
    let (texts, extras) = if file.wheel().is_some() {
        let metadata = access.runtime.block_on(access.client.metadata(file));
        let Ok(Metadata::Wheel(metadata)) = metadata else {
            return None;
        };
        let texts = metadata.requires_dist.iter().map(ToString::to_string);
        let extras = metadata.provides_extra.iter();
        let extras: Vec<ExtraName> = extras.filter_map(|extra| extra.parse().ok()).collect();
        (texts.collect::<Vec<_>>(), extras)
    } else {
        let document = sources?.document(file, access).ok()?;
        let metadata = CoreMetadata::parse(&document).ok()?;
        let texts = metadata.headers.all("Requires-Dist").map(str::to_owned);
        (texts.collect(), metadata.provides_extra.clone())
    };
    let mut requirements = Requirements::default();
    for needed in texts.iter().filter_map(|text| Dependency::parse(text).ok()) {
        if needed.requirement.evaluate_markers(markers, &extras) {
            let name = needed.requirement.name.clone();
            requirements
                .entry(name)
                .or_insert_with(|| needed.without_marker());
        }
    }
    Some(requirements)
}
