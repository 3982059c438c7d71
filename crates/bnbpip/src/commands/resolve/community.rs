//! `--community`: wheels for Windows that others than their projects built, from the catalogs under
//! `constraints/catalogs` and from the indexes that these name. Without the option, what they would
//! have is told where something fails for want of a wheel ([`super::advice`]).

use std::sync::{Arc, Mutex, PoisonError};

use bnbpip_index::{IndexClient, IndexEntry, PackageFile, RequiresPython};
use bnbpip_overlay::{Catalog, CommunityWheel, embedded_catalogs};
use bnbpip_packaging::{HashAlgorithm, PackageName, Version};
use bnbpip_platform::{OperatingSystem, Target};
use bnbpip_resolver::{Resolution, Source};
use rustc_hash::FxHashMap;
use url::Url;

use super::resolution::Installed;
use crate::cli::resolve::ResolveArgs;
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::request::Request;

/// The community wheels that a run may take.
#[derive(Debug)]
pub(crate) struct Community {
    catalogs: Vec<Catalog>,
    files: FxHashMap<PackageName, Vec<Arc<PackageFile>>>,
    /// The torch of the environment, which a wheel may be built for.
    pub(super) installed_torch: Option<Version>,
    /// What went wrong with an index that is asked by the way.
    unreachable: Mutex<Vec<String>>,
}

/// Where a community wheel is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Who built it, or the index that has it.
    pub(crate) source: String,
    /// Why it is taken.
    pub(crate) why: String,
}

/// Whether the options or the project allow community wheels.
pub(crate) fn is_allowed(options: &ResolveArgs, settings: &Settings) -> bool {
    options.community || (settings.project.options.community && !options.no_community)
}

/// The catalogs of a run: the ones that bnbpip carries, or one of the user's own.
///
/// # Errors
/// When one can't be read, or isn't valid.
pub(crate) fn catalogs(
    options: &ResolveArgs,
    settings: &Settings,
) -> Result<Vec<Catalog>, Failure> {
    if let Some(path) = &options.community_catalog {
        let text = fs_err::read_to_string(settings.environment.working_directory().join(path))?;
        return Ok(vec![parse(&text, &path.to_string_lossy())?]);
    }
    let embedded = embedded_catalogs().iter();
    embedded
        .map(|source| parse(source.text, source.path))
        .collect()
}

fn parse(text: &str, name: &str) -> Result<Catalog, Failure> {
    Catalog::parse(text, name).map_err(|errors| {
        let mut errors = errors.iter().map(ToString::to_string);
        let first = errors.next().unwrap_or_default();
        let failure = Failure::new(format!("Failed to read the catalog `{name}`: {first}"));
        errors.fold(failure, Failure::and)
    })
}

impl Community {
    /// What a run for this target may take; `None` where it may take nothing.
    ///
    /// # Errors
    /// When a catalog can't be read, or isn't valid.
    pub(super) fn find(
        options: &ResolveArgs,
        request: &Request,
        settings: &Settings,
        target: &Target,
        installed: &Installed,
    ) -> Result<Option<Arc<Self>>, Failure> {
        let no_index = options.index.no_index || request.options.no_index;
        if target.operating_system != OperatingSystem::Windows
            || no_index
            || !is_allowed(options, settings)
        {
            return Ok(None);
        }
        let catalogs = catalogs(options, settings)?;
        let mut files: FxHashMap<PackageName, Vec<Arc<PackageFile>>> = FxHashMap::default();
        for wheel in catalogs.iter().flat_map(|catalog| &catalog.wheels) {
            let of_package = files.entry(wheel.filename.name.clone()).or_default();
            of_package.push(Arc::new(file(wheel)?));
        }
        let torch = installed.iter().find(|(name, _)| name.as_ref() == "torch");
        Ok(Some(Arc::new(Self {
            catalogs,
            files,
            installed_torch: torch.map(|(_, torch)| torch.version.clone()),
            unreachable: Mutex::default(),
        })))
    }

    /// The community wheels of a package. An index that can't be asked is left out: what it has is
    /// a last resort.
    pub(super) async fn files(
        &self,
        name: &PackageName,
        client: &IndexClient,
    ) -> Vec<Arc<PackageFile>> {
        let mut files = self.files.get(name).cloned().unwrap_or_default();
        let catalogs = self.catalogs.iter();
        for index in catalogs.flat_map(|catalog| catalog.indexes_of(name)) {
            let page = match index.url.parse() {
                Ok(url) => {
                    let entry = IndexEntry::routed(&index.name, url);
                    client.project_at(&entry, name).await
                }
                Err(_) => Ok(None),
            };
            match page {
                Ok(Some(page)) => {
                    let places = 0..page.versions().len();
                    files.extend(places.flat_map(|place| page.files_at(place)).cloned());
                }
                Ok(None) => {}
                Err(error) => self.note(format!(
                    "The community index {} can't be asked, and is left out: {error}",
                    index.name
                )),
            }
        }
        files
    }

    fn note(&self, warning: String) {
        let unreachable = self.unreachable.lock();
        let mut unreachable = unreachable.unwrap_or_else(PoisonError::into_inner);
        unreachable.push(warning);
    }

    /// Says which indexes could not be asked.
    pub(super) fn say_unreachable(&self, printer: &Printer) {
        let unreachable = self.unreachable.lock();
        let mut unreachable = unreachable.unwrap_or_else(PoisonError::into_inner);
        for warning in unreachable.drain(..) {
            printer.warning(&warning);
        }
    }

    /// A file's entry in a catalog.
    pub(super) fn wheel_of(&self, file: &PackageFile) -> Option<&CommunityWheel> {
        if file.index.is_some() {
            return None;
        }
        let own = self.files.get(file.name())?;
        own.iter().find(|own| own.url == file.url)?;
        let mut wheels = self
            .catalogs
            .iter()
            .flat_map(|it| it.wheels_of(file.name()));
        wheels.find(|wheel| file.hashes.sha256() == Some(&wheel.sha256))
    }

    /// Where a file is from, if it is a community wheel.
    pub(crate) fn origin(&self, file: &PackageFile) -> Option<Origin> {
        if let Some(wheel) = self.wheel_of(file) {
            return Some(Origin {
                source: wheel.source.clone(),
                why: wheel.why.clone(),
            });
        }
        let url = file.index.as_ref()?.url();
        let indexes = self.catalogs.iter().flat_map(|catalog| &catalog.indexes);
        let mut of_file = indexes.filter(|index| {
            Url::parse(&index.url).is_ok_and(|own| same_address(&own, url))
                && index.packages.contains(file.name())
        });
        let index = of_file.next()?;
        Some(Origin {
            source: format!("the index {}", index.name),
            why: index.why.clone(),
        })
    }

    /// Says which packages of a resolution are community wheels, and whose.
    pub(crate) fn say(&self, resolution: &Resolution<Arc<PackageFile>>, printer: &Printer) {
        for package in &resolution.packages {
            if let Source::Index(file) = &package.source
                && let Some(origin) = self.origin(file)
            {
                printer.status(&format!(
                    "{} {} is a community wheel of {}: {}",
                    package.name, package.version, origin.source, origin.why
                ));
            }
        }
    }
}

fn same_address(a: &Url, b: &Url) -> bool {
    a.as_str().trim_end_matches('/') == b.as_str().trim_end_matches('/')
}

/// A catalog's wheel as the index would offer it.
fn file(wheel: &CommunityWheel) -> Result<PackageFile, Failure> {
    let mut file = PackageFile::from_url(wheel.url.parse()?)?;
    file.hashes.insert(HashAlgorithm::Sha256, &wheel.sha256)?;
    file.size_bytes = wheel.size_bytes;
    let python = wheel.python.as_ref().map(ToString::to_string);
    file.requires_python = python.map(|text| Arc::new(RequiresPython::new(&text)));
    Ok(file)
}
