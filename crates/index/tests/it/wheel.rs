//! Wheels for tests, and the pages that offer them.

use std::fmt::Write as _;
use std::io::{Cursor, Write};

use sha2::{Digest, Sha256};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// A wheel that can be told apart by its content.
#[derive(Debug, Clone)]
pub(crate) struct Wheel {
    pub(crate) filename: String,
    pub(crate) bytes: Vec<u8>,
}

/// `METADATA` of a project.
pub(crate) fn metadata(name: &str, version: &str) -> String {
    format!(
        "Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nRequires-Python: >=3.8\n\
         Requires-Dist: dep>=1\n\nText.\n"
    )
}

/// An archive of these files, in order.
pub(crate) fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        let options = SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Deflated)
            .unix_permissions(if *name == "run.sh" { 0o755 } else { 0o644 });
        writer.start_file(*name, options).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

impl Wheel {
    /// A plain wheel with a module and a script.
    pub(crate) fn new(name: &str, version: &str) -> Self {
        Self::with(name, version, &[])
    }

    /// A wheel with more files, before its metadata.
    pub(crate) fn with(name: &str, version: &str, more: &[(&str, &[u8])]) -> Self {
        let info = format!("{name}-{version}.dist-info");
        let metadata = metadata(name, version);
        let record = format!(
            "{name}/__init__.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\n{info}/RECORD,,\n"
        );
        let (init, metadata_path, record_path) = (
            format!("{name}/__init__.py"),
            format!("{info}/METADATA"),
            format!("{info}/RECORD"),
        );
        let mut files: Vec<(&str, &[u8])> = vec![(&init, b""), ("run.sh", b"#!/bin/sh\n")];
        files.extend_from_slice(more);
        files.push((&metadata_path, metadata.as_bytes()));
        files.push((&record_path, record.as_bytes()));
        Self {
            filename: format!("{name}-{version}-py3-none-any.whl"),
            bytes: archive(&files),
        }
    }

    pub(crate) fn sha256(&self) -> String {
        hex(&self.bytes)
    }

    pub(crate) fn path(&self) -> String {
        format!("/files/{}", self.filename)
    }

    /// The file's object on a JSON page.
    pub(crate) fn json(&self) -> String {
        self.json_with(&self.sha256(), "")
    }

    pub(crate) fn json_with(&self, sha256: &str, more: &str) -> String {
        let Self { filename, bytes } = self;
        let size = bytes.len();
        format!(
            r#"{{"filename":"{filename}","url":"/files/{filename}","hashes":{{"sha256":"{sha256}"}},"size":{size}{more}}}"#
        )
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut hex = String::new();
    for byte in Sha256::digest(bytes) {
        write!(hex, "{byte:02x}").unwrap();
    }
    hex
}

/// A JSON page of these files.
pub(crate) fn page(files: &[String]) -> String {
    format!(
        r#"{{"meta":{{"api-version":"1.1"}},"name":"x","files":[{}]}}"#,
        files.join(",")
    )
}

/// Bytes that don't compress.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}
