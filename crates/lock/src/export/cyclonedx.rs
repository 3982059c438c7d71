//! A bill of materials in `CycloneDX` 1.6, as JSON. It has neither a time nor a serial number, which
//! are optional: the same lock is the same document.
//!
//! Written out here: the library for it brings XML, a clock and a random source along for the few
//! fields of this.

use serde::Serialize;

use super::{ExportedPackage, needed, unique};
use bnbpip_packaging::HashAlgorithm;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    bom_format: &'static str,
    spec_version: &'static str,
    version: u32,
    metadata: Metadata,
    components: Vec<Component>,
    dependencies: Vec<Dependency>,
}

#[derive(Serialize)]
struct Metadata {
    tools: Tools,
}

#[derive(Serialize)]
struct Tools {
    components: Vec<Component>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Component {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "bom-ref", skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purl: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    external_references: Vec<ExternalReference>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<Property>,
}

#[derive(Serialize)]
struct ExternalReference {
    #[serde(rename = "type")]
    kind: &'static str,
    url: String,
    hashes: Vec<Hash>,
}

#[derive(Serialize)]
struct Hash {
    alg: &'static str,
    content: String,
}

#[derive(Serialize)]
struct Property {
    name: &'static str,
    value: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Dependency {
    #[serde(rename = "ref")]
    reference: String,
    depends_on: Vec<String>,
}

/// The packages as a bill of materials; `version` is bnbpip's.
///
/// # Errors
/// When it can't be written as JSON.
pub fn cyclonedx(
    packages: &[ExportedPackage<'_>],
    version: &str,
) -> Result<String, serde_json::Error> {
    let references = unique(packages.iter().map(ExportedPackage::purl));
    let components = packages.iter().zip(&references);
    let needed = needed(packages);
    let dependencies = references
        .iter()
        .zip(needed)
        .map(|(reference, needed)| Dependency {
            reference: reference.clone(),
            depends_on: needed
                .into_iter()
                .map(|place| references[place].clone())
                .collect(),
        });
    let tool = Component {
        kind: "application",
        reference: None,
        name: "bnbpip".to_owned(),
        version: Some(version.to_owned()),
        purl: None,
        external_references: Vec::new(),
        properties: Vec::new(),
    };
    serde_json::to_string_pretty(&Document {
        bom_format: "CycloneDX",
        spec_version: "1.6",
        version: 1,
        metadata: Metadata {
            tools: Tools {
                components: vec![tool],
            },
        },
        components: components
            .map(|(it, reference)| component(it, reference))
            .collect(),
        dependencies: dependencies.collect(),
    })
}

fn component(exported: &ExportedPackage<'_>, reference: &str) -> Component {
    let package = exported.package;
    let property = |name, value: Option<String>| value.map(|value| Property { name, value });
    let files = exported.files.iter().map(|file| ExternalReference {
        kind: "distribution",
        url: file
            .url
            .as_ref()
            .or(file.path.as_ref())
            .cloned()
            .unwrap_or_default(),
        hashes: file
            .hashes
            .iter()
            .filter_map(|(algorithm, hex)| hash(algorithm, hex))
            .collect(),
    });
    Component {
        kind: "library",
        reference: Some(reference.to_owned()),
        name: package.name.to_string(),
        version: package.version.as_ref().map(ToString::to_string),
        purl: Some(exported.purl()),
        external_references: files.collect(),
        properties: [
            property("bnbpip:index", package.index.clone()),
            property("bnbpip:marker", exported.marker.clone()),
        ]
        .into_iter()
        .flatten()
        .collect(),
    }
}

/// A hash in the format's words, which doesn't know SHA-224.
fn hash(algorithm: HashAlgorithm, hex: &str) -> Option<Hash> {
    let alg = match algorithm {
        HashAlgorithm::Md5 => "MD5",
        HashAlgorithm::Sha1 => "SHA-1",
        HashAlgorithm::Sha224 => return None,
        HashAlgorithm::Sha256 => "SHA-256",
        HashAlgorithm::Sha384 => "SHA-384",
        HashAlgorithm::Sha512 => "SHA-512",
    };
    Some(Hash {
        alg,
        content: hex.to_owned(),
    })
}
