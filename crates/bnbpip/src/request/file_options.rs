//! The options that requirements files carry for the whole run.

use bnbpip_packaging::PackageName;

use super::{FormatControl, ReleaseControl};

/// Options found in requirements and constraints files. Where the same can be said on the command
/// line, [`FileOptions`] come after it: an index in a file replaces the command line's, as with pip.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FileOptions {
    /// The last `--index-url`.
    pub index_url: Option<String>,
    /// Every `--extra-index-url`.
    pub extra_index_urls: Vec<String>,
    /// `--no-index` was there.
    pub no_index: bool,
    /// Every `--find-links`; a folder relative to its file has become absolute.
    pub find_links: Vec<String>,
    /// `--no-binary` and `--only-binary` in their order, to be applied after the command line's.
    pub formats: Vec<FormatOption>,
    /// `--all-releases` and `--only-final` in their order.
    pub releases: Vec<ReleaseOption>,
    /// `--prefer-binary` was there.
    pub prefer_binary: bool,
    /// `--require-hashes` (`true`) or `--no-require-hashes` (`false`), whichever came last.
    pub require_hashes: Option<bool>,
    /// `--pre` was there.
    pub pre: bool,
    /// Every `--trusted-host`.
    pub trusted_hosts: Vec<String>,
    /// Packages that come from one index alone. No file says so: they are decided for a run before
    /// anything is resolved. The first one of a package counts.
    pub routes: Vec<Route>,
}

/// A package that comes from one index and no other place but `--find-links`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Route {
    /// The package.
    pub package: PackageName,
    /// The index's name, for messages; routes with the same name share the index.
    pub index: String,
    /// Its address or folder.
    pub url: String,
}

/// One `--no-binary` or `--only-binary`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FormatOption {
    /// `--no-binary`
    NoBinary(String),
    /// `--only-binary`
    OnlyBinary(String),
}

/// One `--all-releases` or `--only-final`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ReleaseOption {
    /// `--all-releases`
    AllReleases(String),
    /// `--only-final`
    OnlyFinal(String),
}

impl FileOptions {
    /// The command line's release control with the files' options applied after it.
    pub(crate) fn release_control(&self, command_line: &ReleaseControl) -> ReleaseControl {
        let mut control = command_line.clone();
        for release in &self.releases {
            match release {
                ReleaseOption::AllReleases(value) => control.all_releases(value),
                ReleaseOption::OnlyFinal(value) => control.only_final(value),
            }
        }
        control
    }

    /// The command line's format control with the files' options applied after it.
    pub(crate) fn format_control(&self, command_line: &FormatControl) -> FormatControl {
        let mut control = command_line.clone();
        for format in &self.formats {
            match format {
                FormatOption::NoBinary(value) => control.no_binary(value),
                FormatOption::OnlyBinary(value) => control.only_binary(value),
            }
        }
        control
    }
}
