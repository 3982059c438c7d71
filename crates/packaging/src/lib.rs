//! The vocabulary of Python packaging: names, versions and ranges, requirements and markers,
//! compatibility tags, distribution file names, core metadata, `RECORD`, hashes, `direct_url.json`.
//!
//! Pure: no network, files, clock or environment variables. Every other crate speaks in these
//! types; text is parsed into them at the edge and never travels further as a raw string.

pub mod direct_url;
pub mod entry_points;
pub mod file_name;
pub mod hashes;
mod headers;
pub mod metadata;
pub mod platform_tags;
pub mod range;
pub mod record;
pub mod requirement;
mod requires;
mod requires_txt;
pub mod sdist_filename;
pub mod tags;
pub mod wheel_filename;
pub mod wheel_metadata;

pub use direct_url::{ArchiveInfo, DirInfo, DirectUrl, DirectUrlSource, VcsInfo};
pub use entry_points::{EntryPoint, EntryPoints, EntryPointsError};
pub use hashes::{HashAlgorithm, HashError, Hashes};
pub use headers::Headers;
pub use metadata::{CoreMetadata, MetadataError};
pub use pep440_rs::{Operator, Version, VersionSpecifier, VersionSpecifiers};
pub use pep508_rs::{
    ExtraName, MarkerEnvironment, MarkerEnvironmentBuilder, MarkerTree, PackageName, VerbatimUrl,
    VersionOrUrl,
};
pub use platform_tags::{Arch, Platform};
pub use range::VersionRange;
pub use record::{RecordEntry, RecordError};
pub use requires::Requires;
pub use requires_txt::with_requires_txt;
pub use sdist_filename::{SdistExtension, SdistFilename, SdistFilenameError};
pub use tags::{Implementation, IncompatibleTag, TagCompatibility, Tags, TargetTags};
pub use wheel_filename::{BuildTag, WheelFilename, WheelFilenameError};
pub use wheel_metadata::{WheelMetadata, WheelMetadataError};

/// A PEP 508 requirement; a direct reference carries a URL.
pub type Requirement = pep508_rs::Requirement<VerbatimUrl>;
