//! The parsers of what comes from strangers, each as a function of bytes: for fuzzing, which has
//! to reach them without a network, a cache or a disk.

use std::sync::Arc;

use bnbpip_packaging::PackageName;
use rkyv::util::AlignedVec;
use url::Url;

use crate::archive::{Inflater, find_directory, read_directory};
use crate::index_url::IndexUrl;
use crate::metadata::WheelMetadataLite;
use crate::page::{Link, PageError, PageScope, ProjectPage, read_html, read_json};
use crate::simple::page_of;
use crate::store::check_archive;

/// The most that one entry is inflated to here: the content's end makes no new demands.
const INFLATE_LIMIT_BYTES: u64 = 4 << 20;

/// Checks an archive as a wheel is checked before it is unpacked, then inflates what it holds.
/// The answer tells how many entries were sound.
pub fn wheel(bytes: &[u8]) -> usize {
    // The end of an archive alone, as it comes by a byte range.
    let tail = bytes.get(bytes.len() / 2..).unwrap_or_default();
    if let Ok(directory) = find_directory(tail, bytes.len() as u64) {
        drop(read_directory(tail, directory));
    }
    let Ok((entries, starts)) = check_archive(bytes, &|| ()) else {
        return 0;
    };
    let mut inflater = Inflater::new();
    let mut sound = 0;
    for (entry, start) in entries.iter().zip(starts) {
        let length = usize::try_from(entry.compressed).unwrap_or(usize::MAX);
        let data = bytes
            .get(start..start.saturating_add(length))
            .unwrap_or_default();
        let is_sound = entry.size <= INFLATE_LIMIT_BYTES
            && inflater.unpack(data, entry, &mut |_| Ok(())).is_ok();
        sound += usize::from(is_sound);
    }
    sound
}

/// Reads a JSON page of the project `demo` and all that it says.
pub fn json_page(bytes: &[u8]) -> usize {
    page(|base, visit| read_json(bytes, base, visit))
}

/// Reads an HTML page of the project `demo` and all that it says.
pub fn html_page(bytes: &[u8]) -> usize {
    page(|base, visit| read_html(bytes, base, visit))
}

/// Reads a cached page's record.
pub fn page_record(bytes: &[u8]) -> usize {
    let mut aligned = AlignedVec::with_capacity(bytes.len());
    aligned.extend_from_slice(bytes);
    let (Some(name), Some(index)) = (name(), index()) else {
        return 0;
    };
    ProjectPage::from_bytes(name, index, aligned).map_or(0, |page| walk(&page))
}

/// The record of the page that these links of JSON make: a seed for [`page_record`].
pub fn record_of_json(bytes: &[u8]) -> Vec<u8> {
    let page = base().and_then(|base| {
        let mut links = Vec::new();
        read_json(bytes, &base, &mut |link| links.push(link)).ok()?;
        page_of(&links, PageScope::Project, false, index()?, name()?).ok()
    });
    page.map(|page| page.bytes().to_vec()).unwrap_or_default()
}

/// Reads the essentials of `METADATA`.
pub fn metadata_essentials(bytes: &[u8]) -> bool {
    WheelMetadataLite::parse(bytes).is_ok()
}

fn base() -> Option<Url> {
    "https://index.example/simple/demo/".parse().ok()
}

fn index() -> Option<Arc<IndexUrl>> {
    Some(Arc::new("https://index.example/simple/".parse().ok()?))
}

fn name() -> Option<PackageName> {
    "demo".parse().ok()
}

fn page<'page>(
    read: impl FnOnce(&Url, &mut dyn FnMut(Link<'page>)) -> Result<(), PageError>,
) -> usize {
    let (Some(base), Some(index), Some(name)) = (base(), index(), name()) else {
        return 0;
    };
    let mut links = Vec::new();
    if read(&base, &mut |link| links.push(link)).is_err() {
        return 0;
    }
    drop(page_of(
        &links,
        PageScope::Flat,
        false,
        Arc::clone(&index),
        name.clone(),
    ));
    page_of(&links, PageScope::Project, false, index, name).map_or(0, |page| walk(&page))
}

/// Decodes everything, which is otherwise done as it is asked for.
fn walk(page: &ProjectPage) -> usize {
    let files = (0..page.versions().len()).flat_map(|place| page.files_at(place));
    let supported = files.filter(|file| {
        file.requires_python
            .as_ref()
            .is_none_or(|requires| requires.specifiers().is_some())
    });
    supported.count() + page.skipped().count()
}
