//! Writing: the order, the line breaks and the quotes are always the same, so that the same
//! content is the same bytes and one added package is one hunk of a diff. What a package was
//! asked for with stands with the package for the same reason.

use std::fmt::Write as _;

use crate::{
    AskedBy, AttestationIdentity, Lock, LockedFile, LockedPackage, LockedRequirement, LockedSource,
    LockedVcs,
};

impl Lock {
    /// The lock as text.
    pub fn to_toml(&self) -> String {
        let mut text = String::from("lock-version = \"1.0\"\n");
        let environments: Vec<&str> = self
            .environments
            .iter()
            .map(crate::LockMarker::as_str)
            .collect();
        lines(&mut text, "environments", &environments);
        if let Some(specifiers) = &self.requires_python {
            pair(&mut text, "requires-python", &specifiers.to_string());
        }
        for (key, list) in [
            ("extras", &self.extras),
            ("dependency-groups", &self.dependency_groups),
            ("default-groups", &self.default_groups),
        ] {
            let names = list.iter().map(String::as_str).collect::<Vec<_>>();
            lines(&mut text, key, &names);
        }
        pair(&mut text, "created-by", &self.created_by);
        for package in &self.packages {
            write_package(&mut text, package);
        }
        if self.packages.is_empty() {
            text.push_str("packages = []\n");
        }
        self.write_own(&mut text);
        text
    }

    /// `[tool.bnbpip]`: what the lock was made from.
    fn write_own(&self, text: &mut String) {
        let start = text.len();
        let inputs = &self.inputs;
        for (key, list) in [
            ("accelerators", &inputs.accelerators),
            ("indexes", &inputs.indexes),
            ("constraints", &inputs.constraints),
            ("machine", &inputs.machine),
            ("rules", &self.rules),
        ] {
            let values = list.iter().map(String::as_str).collect::<Vec<_>>();
            lines(text, key, &values);
        }
        if let Some(time) = &inputs.exclude_newer {
            pair(text, "exclude-newer", time);
        }
        if text.len() > start {
            text.insert_str(start, "\n[tool.bnbpip]\n");
        }
        if let Some(overlay) = &self.overlay {
            text.push_str("\n[tool.bnbpip.overlay]\n");
            pair(text, "version", &overlay.version);
            pair(text, "sha256", &overlay.sha256);
        }
    }
}

fn write_package(text: &mut String, package: &LockedPackage) {
    text.push_str("\n[[packages]]\n");
    pair(text, "name", package.name.as_ref());
    if let Some(version) = &package.version {
        pair(text, "version", &version.to_string());
    }
    if let Some(marker) = &package.marker {
        pair(text, "marker", marker.as_str());
    }
    if let Some(specifiers) = &package.requires_python {
        pair(text, "requires-python", &specifiers.to_string());
    }
    if !package.dependencies.is_empty() {
        text.push_str("dependencies = [\n");
        for name in &package.dependencies {
            let _ = writeln!(text, "    {{ name = {} }},", quoted(name.as_ref()));
        }
        text.push_str("]\n");
    }
    if let Some(index) = &package.index {
        pair(text, "index", index);
    }
    if !package.wheels.is_empty() {
        tables(text, "wheels", package.wheels.iter().map(named_fields));
    }
    if let Some(source) = &package.source {
        let fields = source_fields(source).join(", ");
        let _ = writeln!(text, "{} = {{ {fields} }}", source.key());
    }
    if !package.attestation_identities.is_empty() {
        let identities = package.attestation_identities.iter();
        tables(text, "attestation-identities", identities.map(claims));
    }
    if !package.requirements.is_empty() || package.community.is_some() {
        text.push_str("\n[packages.tool.bnbpip]\n");
    }
    if !package.requirements.is_empty() {
        text.push_str("requirements = [\n");
        for requirement in &package.requirements {
            let _ = writeln!(text, "    {},", asked(requirement));
        }
        text.push_str("]\n");
    }
    if let Some(community) = &package.community {
        let (source, why) = (quoted(&community.source), quoted(&community.why));
        let _ = writeln!(text, "community = {{ source = {source}, why = {why} }}");
    }
}

fn tables(text: &mut String, key: &str, tables: impl Iterator<Item = Vec<String>>) {
    let _ = writeln!(text, "{key} = [");
    for fields in tables {
        let _ = writeln!(text, "    {{ {} }},", fields.join(", "));
    }
    text.push_str("]\n");
}

/// A requirement: a text, or a table where an extra or a group asked.
fn asked(requirement: &LockedRequirement) -> String {
    let text = quoted(&requirement.text);
    match &requirement.asked_by {
        AskedBy::Base => text,
        AskedBy::Extra(name) => format!("{{ extra = {}, requirement = {text} }}", quoted(name)),
        AskedBy::Group(name) => format!("{{ group = {}, requirement = {text} }}", quoted(name)),
    }
}

fn claims(identity: &AttestationIdentity) -> Vec<String> {
    let kind = std::iter::once(("kind", &identity.kind));
    let claims = identity.claims.iter().map(|(key, value)| (&**key, value));
    let claims = kind.chain(claims);
    claims
        .map(|(key, value)| format!("{} = {}", bare_key(key), quoted(value)))
        .collect()
}

/// A key of a table, in quotes if it needs them.
fn bare_key(key: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if !key.is_empty() && key.chars().all(is_bare) {
        key.to_owned()
    } else {
        quoted(key)
    }
}

fn source_fields(source: &LockedSource) -> Vec<String> {
    let text = |key: &str, value: &Option<String>| {
        let value = value.as_ref()?;
        Some(format!("{key} = {}", quoted(value)))
    };
    match source {
        LockedSource::Sdist(file) => named_fields(file),
        LockedSource::Archive { file, subdirectory } => {
            let mut fields = fields(file);
            fields.extend(text("subdirectory", subdirectory));
            fields
        }
        LockedSource::Vcs(LockedVcs {
            kind,
            url,
            path,
            requested_revision,
            commit_id,
            subdirectory,
        }) => [
            Some(format!("type = {}", quoted(kind))),
            text("url", url),
            text("path", path),
            text("requested-revision", requested_revision),
            Some(format!("commit-id = {}", quoted(commit_id))),
            text("subdirectory", subdirectory),
        ]
        .into_iter()
        .flatten()
        .collect(),
        LockedSource::Directory {
            path,
            editable,
            subdirectory,
        } => {
            let mut fields = vec![format!("path = {}", quoted(path))];
            if *editable {
                fields.push("editable = true".to_owned());
            }
            fields.extend(text("subdirectory", subdirectory));
            fields
        }
    }
}

fn named_fields(file: &LockedFile) -> Vec<String> {
    let mut all = vec![format!("name = {}", quoted(&file.name))];
    all.extend(fields(file));
    all
}

fn fields(file: &LockedFile) -> Vec<String> {
    let mut fields = Vec::new();
    if let Some(url) = &file.url {
        fields.push(format!("url = {}", quoted(url)));
    }
    if let Some(path) = &file.path {
        fields.push(format!("path = {}", quoted(path)));
    }
    if let Some(time) = &file.upload_time {
        fields.push(format!("upload-time = {time}"));
    }
    if let Some(size) = file.size_bytes {
        fields.push(format!("size = {size}"));
    }
    let hashes: Vec<String> = file
        .hashes
        .iter()
        .filter(|(algorithm, _)| algorithm.is_strong())
        .map(|(algorithm, hex)| format!("{algorithm} = {}", quoted(hex)))
        .collect();
    fields.push(format!("hashes = {{ {} }}", hashes.join(", ")));
    fields
}

fn pair(text: &mut String, key: &str, value: &str) {
    let _ = writeln!(text, "{key} = {}", quoted(value));
}

fn lines(text: &mut String, key: &str, values: &[&str]) {
    if values.is_empty() {
        return;
    }
    let _ = writeln!(text, "{key} = [");
    for value in values {
        let _ = writeln!(text, "    {},", quoted(value));
    }
    text.push_str("]\n");
}

fn quoted(value: &str) -> String {
    let mut text = String::with_capacity(value.len() + 2);
    text.push('"');
    for c in value.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            c if c.is_control() => {
                let _ = write!(text, "\\u{:04X}", u32::from(c));
            }
            c => text.push(c),
        }
    }
    text.push('"');
    text
}
