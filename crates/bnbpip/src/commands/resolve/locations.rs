//! Where packages come from in a run: the indexes in the order in which they are asked, which
//! packages come from which of them, and their mirrors.
//!
//! What was named nearer to the run is asked first: the command line and requirements files, then
//! bnbpip's variables, the project's configuration, pip's settings. PyPI, where nothing stands in
//! for it, is the last: everybody can publish there, and nobody chose it.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::Path;

use bnbpip_index::{IndexEntry, IndexLocations, IndexStrategy, IndexUrl};
use bnbpip_overlay::TorchIndexes;
use bnbpip_packaging::PackageName;

use crate::cli::index::{IndexArgs, Nearness};
use crate::cli::values;
use crate::configuration::DEFAULT_INDEX_URL;
use crate::configuration::project_indexes::{ProjectIndex, is_name};
use crate::configuration::settings::Settings;
use crate::failure::{Failure, exit_code};
use crate::printer::Printer;
use crate::request::FileOptions;

/// Where packages come from.
///
/// # Errors
/// When an address can't be understood, or a name isn't known.
pub(crate) fn locations(
    arguments: &IndexArgs,
    files: &FileOptions,
    settings: &Settings,
) -> Result<IndexLocations, Failure> {
    let places = Places::new(settings);
    let mut indexes = places.in_order(arguments, files)?;
    let mut routes = BTreeMap::new();
    for text in &arguments.index_for {
        let (package, index) = places.route(text, &mut indexes)?;
        routes.insert(package, index);
    }
    for route in &files.routes {
        let is_known = |entry: &IndexEntry| entry.name.as_ref() == Some(&route.index);
        if !indexes.iter().any(is_known) {
            indexes.push(IndexEntry::routed(&route.index, places.parse(&route.url)?));
        }
        let name = route.index.clone();
        routes.entry(route.package.clone()).or_insert(name);
    }
    for index in places.configured() {
        for package in &index.packages {
            let package: PackageName = package.get_ref().parse()?;
            let name = index.name.get_ref().clone();
            routes.entry(package).or_insert(name);
        }
    }
    let find_links = arguments.find_links.iter().chain(&files.find_links);
    let find_links = find_links
        .filter(|link| !places.leads_nowhere(link))
        .map(|link| places.parse(link))
        .chain(places.configured_links())
        .collect::<Result<_, _>>()?;
    Ok(IndexLocations {
        mirrors: places.mirrors(&arguments.mirrors, &indexes)?,
        indexes,
        find_links,
        no_index: arguments.no_index || files.no_index,
        strategy: strategy(arguments, settings),
        routes,
    })
}

/// Says where packages are looked for, in pip's words, unless it is the usual place alone.
///
/// # Errors
/// When an address can't be understood.
pub(crate) fn say_locations(
    arguments: &IndexArgs,
    files: &FileOptions,
    settings: &Settings,
    printer: &Printer,
) -> Result<(), Failure> {
    let locations = locations(arguments, files, settings)?;
    let shown = |url: &IndexUrl| {
        let text = bnbpip_index::redacted(url.url());
        text.trim_end_matches('/').to_owned()
    };
    let asked = locations.indexes.iter().filter(|entry| !entry.explicit);
    let indexes: Vec<String> = asked.map(|entry| shown(&entry.url)).collect();
    if locations.no_index {
        printer.details(&format!("Ignoring indexes: {}", indexes.join(",")));
    }
    let usual = DEFAULT_INDEX_URL.trim_end_matches('/');
    if !locations.no_index && indexes != [usual] {
        printer.narrate(&format!("Looking in indexes: {}", indexes.join(", ")));
    }
    if !locations.find_links.is_empty() {
        let links: Vec<String> = locations.find_links.iter().map(shown).collect();
        printer.narrate(&format!("Looking in links: {}", links.join(", ")));
    }
    let places = Places::new(settings);
    let find_links = arguments.find_links.iter().chain(&files.find_links);
    for link in find_links.filter(|link| places.leads_nowhere(link)) {
        printer.warning(&format!(
            "Location '{link}' is ignored: it is either a non-existing path or lacks a specific \
             scheme."
        ));
    }
    Ok(())
}

/// How indexes are combined: as it was asked for; else, where pip's settings name further ones, as
/// the switch for that says; else as the project says.
fn strategy(arguments: &IndexArgs, settings: &Settings) -> IndexStrategy {
    let project = &settings.project.options;
    let of_pip = arguments.origins.extra_index_url.contains(&Nearness::Pip);
    let compatible = arguments.pip_index_strategy.or(project.pip_index_strategy);
    let chosen = arguments
        .index_strategy
        .or(compatible.filter(|_| of_pip))
        .or(project.index_strategy);
    match chosen.unwrap_or_default() {
        values::IndexStrategy::FirstIndex => IndexStrategy::FirstIndex,
        values::IndexStrategy::UnsafeFirstMatch => IndexStrategy::UnsafeFirstMatch,
        values::IndexStrategy::UnsafeBestMatch => IndexStrategy::UnsafeBestMatch,
    }
}

/// Reads the places that a run names.
pub(super) struct Places<'a> {
    pub(super) settings: &'a Settings,
    torch: OnceCell<TorchIndexes>,
}

impl<'a> Places<'a> {
    fn new(settings: &'a Settings) -> Self {
        Self {
            settings,
            torch: OnceCell::new(),
        }
    }

    /// The indexes that the project configures, those with a higher priority first.
    fn configured(&self) -> Vec<&'a ProjectIndex> {
        let mut configured: Vec<_> = self.settings.project.options.index.iter().collect();
        configured.sort_by_key(|index| std::cmp::Reverse(index.priority));
        configured
    }

    /// The pages and folders that the project configures.
    fn configured_links(&self) -> impl Iterator<Item = Result<IndexUrl, Failure>> {
        let links = self.settings.project.options.find_links.iter();
        links.map(|link| parse_in(self.project_folder(), link))
    }

    /// The folder that paths in the project's file start from.
    fn project_folder(&self) -> &'a Path {
        let folder = self.settings.project.folder();
        folder.unwrap_or(self.settings.environment.working_directory())
    }

    pub(super) fn torch(&self) -> Result<&TorchIndexes, Failure> {
        if let Some(torch) = self.torch.get() {
            return Ok(torch);
        }
        let torch = TorchIndexes::embedded()?;
        Ok(self.torch.get_or_init(|| torch))
    }

    /// Whether a text is neither an address nor the path of something that is there.
    fn leads_nowhere(&self, text: &str) -> bool {
        let folder = self.settings.environment.working_directory();
        url::Url::parse(text).is_err() && !folder.join(text).exists()
    }

    /// An address, or a folder relative to the working directory.
    pub(super) fn parse(&self, text: &str) -> Result<IndexUrl, Failure> {
        parse_in(self.settings.environment.working_directory(), text)
    }

    /// An index that is asked for every package; for those of PyTorch's, what they are there for.
    fn unnamed(&self, text: &str) -> Result<IndexEntry, Failure> {
        let mut entry = IndexEntry::new(self.parse(text)?);
        let torch = self.torch()?;
        let below = entry.url.as_str().strip_prefix(torch.url.as_str());
        if below.is_some_and(|below| below.starts_with('/')) {
            entry.owns = Some(torch.packages.iter().cloned().collect());
        }
        Ok(entry)
    }

    fn named(&self, name: &str, url: &IndexUrl) -> IndexEntry {
        let variable = |end: &str| {
            let name = name.to_ascii_uppercase().replace(['-', '.'], "_");
            let variable = format!("BNBPIP_INDEX_{name}_{end}");
            self.settings.environment.get(&variable)
        };
        let url = url.with_credentials(variable("USERNAME"), variable("PASSWORD"));
        IndexEntry {
            name: Some(name.to_owned()),
            ..IndexEntry::new(url)
        }
    }

    fn of_project(&self, index: &ProjectIndex) -> Result<IndexEntry, Failure> {
        let folder = self.project_folder();
        let mut entry = self.named(index.name.get_ref(), &parse_in(folder, &index.url)?);
        entry.explicit = index.explicit;
        Ok(entry)
    }

    /// One `--index`: `name=url`, a URL, or the name of a configured one.
    fn given(&self, text: &str) -> Result<IndexEntry, Failure> {
        if let Some((name, url)) = text.split_once('=').filter(|(name, _)| is_name(name)) {
            return Ok(self.named(name, &self.parse(url)?));
        }
        let mut configured = self.configured().into_iter();
        if let Some(index) = configured.find(|index| index.name.get_ref() == text) {
            return Ok(IndexEntry {
                explicit: false,
                ..self.of_project(index)?
            });
        }
        self.unnamed(text)
    }

    /// The indexes in the order in which they are asked.
    fn in_order(
        &self,
        arguments: &IndexArgs,
        files: &FileOptions,
    ) -> Result<Vec<IndexEntry>, Failure> {
        let configured = self.configured();
        let replaced = configured.iter().find(|index| index.default);
        let primary = match (&files.index_url, &arguments.index_url) {
            (Some(url), _) => Some((Nearness::Run, url)),
            (None, Some(url)) => Some((arguments.origins.index_url, url)),
            (None, None) => None,
        };
        // A default of the project's is nearer than pip's settings.
        let primary = primary.filter(|(near, _)| replaced.is_none() || *near < Nearness::Project);
        let mut indexes = Indexes(Vec::new());
        for near in [
            Nearness::Run,
            Nearness::Variable,
            Nearness::Project,
            Nearness::Pip,
        ] {
            for (at, text) in arguments.index.iter().enumerate() {
                if nearness(&arguments.origins.index, at) == near {
                    indexes.add_named(self.given(text)?)?;
                }
            }
            if near == Nearness::Project {
                for index in configured.iter().filter(|index| !index.default) {
                    indexes.add(self.of_project(index)?);
                }
            }
            if let Some((_, url)) = primary.filter(|(of, _)| *of == near) {
                indexes.add(self.unnamed(url)?);
            }
            for (at, text) in arguments.extra_index_url.iter().enumerate() {
                if nearness(&arguments.origins.extra_index_url, at) == near {
                    indexes.add(self.unnamed(text)?);
                }
            }
            if near == Nearness::Run {
                for text in &files.extra_index_urls {
                    indexes.add(self.unnamed(text)?);
                }
            }
        }
        match (primary, replaced) {
            (Some(_), _) => {}
            (None, Some(index)) => indexes.add(self.of_project(index)?),
            (None, None) => indexes.add(self.unnamed(DEFAULT_INDEX_URL)?),
        }
        Ok(indexes.0)
    }
}

/// Indexes in order, each once.
struct Indexes(Vec<IndexEntry>);

impl Indexes {
    /// Adds an index behind the others, unless a nearer one has its name or address.
    fn add(&mut self, entry: IndexEntry) {
        let same = |other: &IndexEntry| {
            let same_name = entry.name.is_some() && other.name == entry.name;
            let same_place = !entry.explicit && !other.explicit && other.url == entry.url;
            same_name || same_place && entry.name.is_none()
        };
        if !self.0.iter().any(same) {
            self.0.push(entry);
        }
    }

    /// The same for one of the command line, where two with one name are a mistake.
    fn add_named(&mut self, entry: IndexEntry) -> Result<(), Failure> {
        let mut named = self.0.iter().filter(|other| other.name.is_some());
        if let Some(other) = named.find(|other| other.name == entry.name && other.url != entry.url)
        {
            let name = other.name.as_deref().unwrap_or_default();
            return Err(Failure::new(format!("Failed to use `--index {name}`"))
                .caused_by("two indexes have this name")
                .exit_with(exit_code::USAGE));
        }
        self.add(entry);
        Ok(())
    }
}

fn nearness(origins: &[Nearness], at: usize) -> Nearness {
    origins.get(at).copied().unwrap_or_default()
}

pub(super) fn parse_in(folder: &Path, text: &str) -> Result<IndexUrl, Failure> {
    let path = folder.join(text);
    let is_path = !text.contains("://") && path.exists();
    let shown = if is_path {
        path.to_string_lossy()
    } else {
        text.into()
    };
    Ok(shown.parse()?)
}
