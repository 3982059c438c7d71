//! Which settings each source's backend gets: the command line's are for what the command line
//! names, a requirements file's line says its own, and what others require gets none.

use bnbpip_build::ConfigSettings;
use bnbpip_index::PackageFile;
use bnbpip_packaging::VersionOrUrl;
use rustc_hash::FxHashMap;

use crate::failure::Failure;
use crate::request::Request;

/// Settings by the package's name, and by the address of a source whose name isn't known yet.
#[derive(Debug, Clone, Default)]
pub(super) struct SettingsBySource {
    by_name: FxHashMap<String, ConfigSettings>,
    by_url: FxHashMap<String, ConfigSettings>,
}

impl SettingsBySource {
    /// # Errors
    /// When a line's setting isn't `KEY=VALUE`.
    pub(super) fn new(request: &Request, command_line: &ConfigSettings) -> Result<Self, Failure> {
        let mut found = Self::default();
        for given in request.requirements.iter().chain(&request.unnamed) {
            let settings = if given.takes_settings {
                command_line.clone()
            } else {
                let mut settings = ConfigSettings::default();
                for text in &given.config_settings {
                    settings.add(text)?;
                }
                settings
            };
            if settings.is_empty() {
                continue;
            }
            if let Some(VersionOrUrl::Url(url)) = &given.requirement.version_or_url {
                found.by_url.insert(url.to_url().to_string(), settings);
            } else {
                let name = given.requirement.name.to_string();
                found.by_name.insert(name, settings);
            }
        }
        Ok(found)
    }

    /// The settings for a source.
    pub(super) fn of(&self, file: &PackageFile) -> ConfigSettings {
        let by_url = self.by_url.get(file.url.as_str());
        let found = by_url.or_else(|| self.by_name.get(file.name().as_ref()));
        found.cloned().unwrap_or_default()
    }
}
