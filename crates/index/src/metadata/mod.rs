//! What the resolver needs from a wheel's `METADATA`, and how it is come by.

mod agreement;
mod archive;
mod lite;
mod remote;

use std::path::Path;

use serde::{Deserialize, Serialize};

pub use lite::{MetadataLiteError, WheelMetadataLite};

pub(crate) use agreement::check_agreement;
pub(crate) use archive::{member_end, unpack_member};
pub(crate) use remote::{MetadataFetcher, Ranged};

use crate::cache::{open_sealed, seal};

const KIND: [u8; 4] = *b"META";

/// The cached form: the wheel's file name and the essentials as text.
#[derive(Serialize, Deserialize)]
struct Record<'text> {
    filename: std::borrow::Cow<'text, str>,
    lite: std::borrow::Cow<'text, WheelMetadataLite>,
}

fn to_record(path: &Path, filename: &str, lite: &WheelMetadataLite) -> Option<Vec<u8>> {
    let record = Record {
        filename: filename.into(),
        lite: std::borrow::Cow::Borrowed(lite),
    };
    seal(KIND, path, &record).ok()
}

fn from_record(path: &Path, bytes: &[u8]) -> Option<WheelMetadataLite> {
    open_sealed::<Record<'_>>(KIND, path, bytes).map(|record| record.lite.into_owned())
}

/// The wheel's file name in a metadata record.
pub(crate) fn cached_filename(path: &Path, bytes: &[u8]) -> Option<String> {
    open_sealed::<Record<'_>>(KIND, path, bytes).map(|record| record.filename.into_owned())
}
