//! An installed distribution with its metadata, in the forms in which pip shows it.

use std::path::PathBuf;

use bnbpip_installer::{DistributionKind, InstalledDistribution, read_regular_text};
use bnbpip_packaging::metadata::parse_requirement;
use bnbpip_packaging::{Headers, MarkerEnvironment, MetadataError, Requirement};

/// An installed distribution and its metadata's headers. Metadata that can't be read counts as
/// empty: one broken package must not hide the others.
#[derive(Debug, Clone)]
pub(crate) struct Distribution {
    /// Where it is and how it is recorded.
    pub(crate) installed: InstalledDistribution,
    /// Its metadata's headers.
    pub(crate) headers: Headers,
}

/// A requirement with the text that it was read from.
#[derive(Debug, Clone)]
pub(crate) struct Dependency {
    /// The requirement.
    pub(crate) requirement: Requirement,
    raw: String,
}

impl Distribution {
    /// Reads the metadata of a distribution.
    pub(crate) fn read(installed: InstalledDistribution) -> Self {
        let bytes = installed.metadata_document().unwrap_or_default();
        let headers = Headers::parse(&String::from_utf8_lossy(header_block(&bytes)));
        Self { installed, headers }
    }

    /// The name as the project spells it.
    pub(crate) fn name(&self) -> &str {
        self.headers
            .first("Name")
            .filter(|name| !name.is_empty())
            .unwrap_or(&self.installed.display_name)
    }

    /// The version, in its normal form if it has one.
    pub(crate) fn version(&self) -> String {
        match &self.installed.legacy_version {
            Some(recorded) => recorded.clone(),
            None => self.installed.version.to_string(),
        }
    }

    /// The version as the metadata spells it.
    pub(crate) fn raw_version(&self) -> String {
        self.headers
            .first("Version")
            .map_or_else(|| self.version(), str::to_owned)
    }

    /// The requirements that hold in an environment without extras.
    ///
    /// # Errors
    /// When one of them can't be read.
    pub(crate) fn dependencies(
        &self,
        markers: &MarkerEnvironment,
    ) -> Result<Vec<Dependency>, MetadataError> {
        let mut dependencies = Vec::new();
        for raw in self.headers.all("Requires-Dist") {
            let dependency = Dependency::parse(raw)?;
            if dependency.requirement.evaluate_markers(markers, &[]) {
                dependencies.push(dependency);
            }
        }
        Ok(dependencies)
    }

    /// The folder of the project that is installed in place.
    pub(crate) fn editable_location(&self) -> Option<PathBuf> {
        if self.installed.kind == DistributionKind::EggLink {
            return self.installed.linked_project.clone();
        }
        let url = self
            .installed
            .direct_url()
            .ok()?
            .filter(bnbpip_packaging::DirectUrl::is_editable)?;
        url::Url::parse(&url.url).ok()?.to_file_path().ok()
    }

    /// The text of a file of its record.
    pub(crate) fn record_text(&self, file: &str) -> Option<String> {
        read_regular_text(&self.installed.dist_info.join(file)).ok()
    }
}

impl Dependency {
    /// Reads one `Requires-Dist`.
    ///
    /// # Errors
    /// When it isn't a requirement.
    pub(crate) fn parse(raw: &str) -> Result<Self, MetadataError> {
        Ok(Self {
            requirement: parse_requirement(raw)?,
            raw: raw.to_owned(),
        })
    }

    /// The requirement without its marker, as Python's `packaging` writes it.
    pub(crate) fn without_marker(&self) -> String {
        let text = self.to_string();
        text.split("; ").next().unwrap_or_default().to_owned()
    }

    /// The name as the metadata spells it.
    pub(crate) fn raw_name(&self) -> &str {
        let end = self
            .raw
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')))
            .unwrap_or(self.raw.len());
        &self.raw[..end]
    }
}

impl std::fmt::Display for Dependency {
    /// As Python's `packaging` writes requirements: sorted specifiers, no blanks before them.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use bnbpip_packaging::VersionOrUrl;
        f.write_str(self.raw_name())?;
        let mut extras: Vec<_> = self
            .requirement
            .extras
            .iter()
            .map(AsRef::<str>::as_ref)
            .collect();
        extras.sort_unstable();
        if !extras.is_empty() {
            write!(f, "[{}]", extras.join(","))?;
        }
        match &self.requirement.version_or_url {
            Some(VersionOrUrl::VersionSpecifier(specifiers)) => {
                let mut specifiers: Vec<_> = specifiers.iter().map(ToString::to_string).collect();
                specifiers.sort_unstable();
                f.write_str(&specifiers.join(","))?;
            }
            Some(VersionOrUrl::Url(url)) => write!(f, " @ {url}")?,
            None => {}
        }
        match self.raw.split_once(';') {
            Some((_, marker)) => write!(f, "; {}", marker.trim().replace('\'', "\"")),
            None => Ok(()),
        }
    }
}

/// The bytes up to the first empty line: the description behind it can be long.
fn header_block(bytes: &[u8]) -> &[u8] {
    let unix = bytes.windows(2).position(|pair| pair == b"\n\n");
    let windows = bytes.windows(3).position(|three| three == b"\n\r\n");
    let end = unix
        .into_iter()
        .chain(windows)
        .min()
        .map_or(bytes.len(), |end| end + 1);
    &bytes[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_read_as_packaging_writes_them() {
        let shown = |raw: &str| Dependency::parse(raw).unwrap().to_string();
        assert_eq!(shown("Foo_Bar (>=1,<2)"), "Foo_Bar<2,>=1");
        assert_eq!(
            shown("a[z,b] ~= 1.0 ; os_name == 'nt'"),
            "a[b,z]~=1.0; os_name == \"nt\""
        );
        assert_eq!(shown("six"), "six");
    }

    #[test]
    fn only_the_headers_are_read() {
        assert_eq!(header_block(b"Name: a\n\nbody\n\n"), b"Name: a\n");
        assert_eq!(header_block(b"Name: a\r\n\r\nbody"), b"Name: a\r\n");
        assert_eq!(header_block(b"Name: a"), b"Name: a");
    }
}
