//! A bill of materials in SPDX 2.3, as JSON. Its time is that of the newest file, and its namespace
//! a digest of what it says: the same lock is the same document.

use std::fmt::Write as _;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{ExportedPackage, needed, unique};

/// The time of documents about files whose times nobody knows.
const NO_TIME: &str = "1970-01-01T00:00:00Z";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names are the format's")]
struct Document {
    spdx_version: &'static str,
    data_license: &'static str,
    #[serde(rename = "SPDXID")]
    id: &'static str,
    name: String,
    document_namespace: String,
    creation_info: CreationInfo,
    packages: Vec<Package>,
    relationships: Vec<Relationship>,
}

#[derive(Serialize)]
struct CreationInfo {
    created: String,
    creators: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Package {
    name: String,
    #[serde(rename = "SPDXID")]
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_info: Option<String>,
    download_location: String,
    files_analyzed: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    checksums: Vec<Checksum>,
    license_concluded: &'static str,
    license_declared: &'static str,
    copyright_text: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
    external_refs: Vec<ExternalRef>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Checksum {
    algorithm: String,
    checksum_value: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names are the format's")]
struct ExternalRef {
    reference_category: &'static str,
    reference_type: &'static str,
    reference_locator: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names are the format's")]
struct Relationship {
    spdx_element_id: String,
    relationship_type: &'static str,
    related_spdx_element: String,
}

/// The packages as a bill of materials of this name; `version` is bnbpip's.
///
/// # Errors
/// When it can't be written as JSON.
pub fn spdx(
    packages: &[ExportedPackage<'_>],
    name: &str,
    version: &str,
) -> Result<String, serde_json::Error> {
    const DOCUMENT: &str = "SPDXRef-DOCUMENT";
    let ids = unique(packages.iter().map(identifier));
    let relationship = |from: &str, kind, to: &str| Relationship {
        spdx_element_id: from.to_owned(),
        relationship_type: kind,
        related_spdx_element: to.to_owned(),
    };
    let described = ids.iter().map(|id| relationship(DOCUMENT, "DESCRIBES", id));
    let mut relationships: Vec<Relationship> = described.collect();
    for (id, needed) in ids.iter().zip(needed(packages)) {
        let needs = |place: usize| relationship(id, "DEPENDS_ON", &ids[place]);
        relationships.extend(needed.into_iter().map(needs));
    }
    let listed = packages
        .iter()
        .zip(&ids)
        .map(|(exported, id)| package(exported, id));
    let packages_json: Vec<Package> = listed.collect();
    let digest = Sha256::digest(serde_json::to_vec(&(&packages_json, &relationships))?);
    let mut hex = String::new();
    for byte in digest {
        let _ = write!(hex, "{byte:02x}");
    }
    serde_json::to_string_pretty(&Document {
        spdx_version: "SPDX-2.3",
        data_license: "CC0-1.0",
        id: DOCUMENT,
        name: name.to_owned(),
        document_namespace: format!("https://spdx.org/spdxdocs/{name}-{hex}"),
        creation_info: CreationInfo {
            created: newest(packages),
            creators: vec![format!("Tool: bnbpip-{version}")],
        },
        packages: packages_json,
        relationships,
    })
}

/// `SPDXRef-Package-torch-2.9.0-cpu`: letters, digits, points and dashes.
fn identifier(exported: &ExportedPackage<'_>) -> String {
    let version = exported.package.version.as_ref();
    let version = version.map(|it| format!("-{it}")).unwrap_or_default();
    let text = format!("SPDXRef-Package-{}{version}", exported.package.name);
    text.replace(|c: char| !(c.is_ascii_alphanumeric() || c == '.'), "-")
}

fn package(exported: &ExportedPackage<'_>, id: &str) -> Package {
    let package = exported.package;
    let mut external_refs = vec![ExternalRef {
        reference_category: "PACKAGE-MANAGER",
        reference_type: "purl",
        reference_locator: exported.purl(),
    }];
    let mut location = "NOASSERTION".to_owned();
    let mut checksums = Vec::new();
    if let [file] = exported.files[..] {
        if let Some(url) = &file.url {
            location.clone_from(url);
        }
        checksums.extend(file.hashes.iter().map(|(algorithm, hex)| Checksum {
            algorithm: algorithm.as_str().to_uppercase(),
            checksum_value: hex.to_string(),
        }));
    } else {
        // A package has one download; its files for several systems are named beside it.
        let files = exported.files.iter().filter_map(|file| {
            let (algorithm, hex) = file.hashes.strongest()?;
            Some(ExternalRef {
                reference_category: "OTHER",
                reference_type: "distribution",
                reference_locator: format!("{}#{algorithm}={hex}", file.url.as_ref()?),
            })
        });
        external_refs.extend(files);
    }
    Package {
        name: package.name.to_string(),
        id: id.to_owned(),
        version_info: package.version.as_ref().map(ToString::to_string),
        download_location: location,
        files_analyzed: false,
        checksums,
        license_concluded: "NOASSERTION",
        license_declared: "NOASSERTION",
        copyright_text: "NOASSERTION",
        comment: exported
            .marker
            .as_ref()
            .map(|marker| format!("Installed where {marker}")),
        external_refs,
    }
}

/// The time of the newest file, to the second.
fn newest(packages: &[ExportedPackage<'_>]) -> String {
    let files = packages.iter().flat_map(|it| &it.files);
    let times = files.filter_map(|file| file.upload_time.as_deref());
    let utc = times.filter(|time| time.ends_with('Z'));
    let seconds = utc.filter_map(|time| time.get(..19));
    seconds
        .max()
        .map_or(NO_TIME.to_owned(), |time| format!("{time}Z"))
}
