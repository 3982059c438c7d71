//! Writing: the order, the line breaks and the quotes are always the same, so that the same
//! content is the same bytes and one added package is one hunk of a diff. What a package was
//! asked for with stands with the package for the same reason.

use std::fmt::Write as _;

use crate::{Lock, LockedFile, LockedPackage};

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
        if self.overlay.is_some() || !self.rules.is_empty() {
            text.push_str("\n[tool.bnbpip]\n");
            let rules: Vec<&str> = self.rules.iter().map(String::as_str).collect();
            lines(&mut text, "rules", &rules);
        }
        if let Some(overlay) = &self.overlay {
            text.push_str("\n[tool.bnbpip.overlay]\n");
            pair(&mut text, "version", &overlay.version);
            pair(&mut text, "sha256", &overlay.sha256);
        }
        text
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
    text.push_str("wheels = [\n");
    for file in &package.wheels {
        let _ = writeln!(text, "    {{ {} }},", fields(file).join(", "));
    }
    text.push_str("]\n");
    if !package.requirements.is_empty() {
        text.push_str("\n[packages.tool.bnbpip]\n");
        let requirements: Vec<&str> = package.requirements.iter().map(String::as_str).collect();
        lines(text, "requirements", &requirements);
    }
}

fn fields(file: &LockedFile) -> Vec<String> {
    let mut fields = vec![format!("name = {}", quoted(&file.name))];
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
