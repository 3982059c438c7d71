//! Pages and files by way of mirrors: the mirrors of an index in order, then the index itself.
//!
//! A mirror is trusted with nothing but delivery. The digests that its page gives have to be the
//! index's where both are known, and a file of which neither page has a digest comes from the index.

use std::collections::VecDeque;
use std::sync::Arc;

use bnbpip_packaging::{Hashes, PackageName};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::error::{IndexError, SharedResult};
use crate::flat::FlatPage;
use crate::index_url::{IndexUrl, without_credentials};
use crate::locations::{IndexEntry, Mirror};
use crate::mirrors::Mirrors;
use crate::once_map::OnceMap;
use crate::page::{Link, PackageFile, PageScope, ProjectPage};
use crate::simple::{PageFetcher, Place, page_of};

/// How often a mirror is asked again: there is another place to ask.
const MIRROR_RETRIES: u32 = 1;

/// The statuses that mean that there is no such project.
const MISSING: &[u16] = &[404, 410];

type PageResult = SharedResult<Option<Arc<ProjectPage>>>;

/// Pages of indexes and of their mirrors, each fetched once.
#[derive(Debug)]
pub(crate) struct PageSources {
    pages: PageFetcher,
    pub(crate) mirrors: Mirrors,
    fetched: OnceMap<(String, PackageName), PageResult>,
}

impl PageSources {
    pub(crate) fn new(pages: PageFetcher, mirrors: Vec<Mirror>) -> Self {
        Self {
            pages,
            mirrors: Mirrors::new(mirrors),
            fetched: OnceMap::default(),
        }
    }

    /// An index's page of a project; `None` if the index has no such project.
    pub(crate) async fn project(&self, entry: &IndexEntry, name: &PackageName) -> PageResult {
        let index = Arc::new(entry.url.clone());
        for mirror in self.mirrors.of(&entry.url) {
            if let Some(page) = self.mirror_page(&mirror, &index, name).await {
                let own = self.own_page_if_needed(&page, entry, &index, name).await;
                if let Some(page) = self.checked(&page, &own, &mirror, &index, name)? {
                    return Ok(Some(page));
                }
            }
        }
        self.own_page(entry.url.as_place(&entry.missing_statuses), &index, name)
            .await
    }

    /// The links of a flat page.
    pub(crate) async fn flat(&self, location: &IndexUrl) -> Result<FlatPage, IndexError> {
        self.pages.flat(location).await
    }

    /// The page of a project that a flat page links to.
    pub(crate) async fn project_of(
        &self,
        flat: &FlatPage,
        location: &Arc<IndexUrl>,
        name: &PackageName,
    ) -> Result<Option<Arc<ProjectPage>>, IndexError> {
        self.pages.project_of(flat, location, name).await
    }

    /// The places that a file may be had from, one after the other.
    pub(crate) fn of_file<'a>(&'a self, file: &'a PackageFile) -> FileSources<'a> {
        let index = file.index.as_ref();
        let mirrors = index.map_or_else(Vec::new, |index| self.mirrors.of(index));
        let known = index.map_or(0, |index| self.mirrors.count_of(index));
        // What a mirror that failed has named is asked for at the index itself first.
        let rest = match known {
            0 => vec![FilePlace::AsNamed],
            _ if known > mirrors.len() => vec![FilePlace::Index, FilePlace::AsNamed],
            _ => vec![FilePlace::AsNamed, FilePlace::Index],
        };
        let mirrors = mirrors.into_iter().map(FilePlace::Mirror);
        let places = mirrors.chain(rest).collect();
        FileSources {
            sources: self,
            file,
            places,
            tried: FxHashSet::default(),
            current: FilePlace::AsNamed,
        }
    }

    /// A file that was found by way of a mirror, as its index has it. `None` if the index has
    /// another.
    ///
    /// # Errors
    /// When the index can't be asked.
    pub(crate) async fn on_index(&self, file: &PackageFile) -> SharedResult<Option<PackageFile>> {
        let Some(index) = file
            .index
            .as_ref()
            .filter(|it| self.mirrors.count_of(it) > 0)
        else {
            return Ok(Some(file.clone()));
        };
        let place = Place {
            retries: Some(MIRROR_RETRIES),
            ..index.as_place(MISSING)
        };
        let page = self.own_page(place, index, file.name()).await?;
        Ok(page.and_then(|page| file.on_page(&page)))
    }

    async fn own_page(
        &self,
        place: Place<'_>,
        index: &Arc<IndexUrl>,
        name: &PackageName,
    ) -> PageResult {
        let key = (place.root.identity(), name.clone());
        let fetch = || async {
            let page = self.pages.project(&place, index, name).await;
            page.map_err(Arc::new)
        };
        self.fetched.get_or_compute(key, fetch).await
    }

    /// A mirror's page. A mirror that fails is given up, whatever the reason.
    async fn mirror_page(
        &self,
        mirror: &IndexUrl,
        index: &Arc<IndexUrl>,
        name: &PackageName,
    ) -> Option<Arc<ProjectPage>> {
        let place = Place {
            retries: Some(MIRROR_RETRIES),
            ..mirror.as_place(MISSING)
        };
        match self.own_page(place, index, name).await {
            Ok(page) => page,
            Err(error) => {
                self.mirrors.give_up(mirror, &error);
                None
            }
        }
    }

    /// The index's own page, if a mirror's lacks digests.
    async fn own_page_if_needed(
        &self,
        page: &ProjectPage,
        entry: &IndexEntry,
        index: &Arc<IndexUrl>,
        name: &PackageName,
    ) -> OwnPage {
        if all_files(page).all(|file| has_digest(&file.hashes)) {
            return OwnPage::NotNeeded;
        }
        let place = entry.url.as_place(&entry.missing_statuses);
        match self.own_page(place, index, name).await {
            Ok(Some(page)) => OwnPage::Found(page),
            Ok(None) | Err(_) => OwnPage::Unknown,
        }
    }

    /// A mirror's page as far as its files are known to be the index's.
    fn checked(
        &self,
        page: &Arc<ProjectPage>,
        own: &OwnPage,
        mirror: &IndexUrl,
        index: &Arc<IndexUrl>,
        name: &PackageName,
    ) -> PageResult {
        let of_mirror: FxHashMap<&str, &Arc<PackageFile>> = all_files(page)
            .map(|file| (&*file.filename_text, file))
            .collect();
        let mut links = Vec::new();
        match own {
            OwnPage::NotNeeded => return Ok(Some(Arc::clone(page))),
            OwnPage::Unknown => {
                let hashed = all_files(page).filter(|file| has_digest(&file.hashes));
                links.extend(hashed.map(|file| Link::of(file, &file.hashes)));
            }
            OwnPage::Found(own) => {
                for file in all_files(own) {
                    let other = of_mirror.get(&*file.filename_text);
                    links.push(match other {
                        Some(other) if self.is_same(file, other, mirror) => {
                            Link::of(other, &joined(&file.hashes, &other.hashes))
                        }
                        _ => Link::of(file, &file.hashes),
                    });
                }
            }
        }
        if links.is_empty() {
            return Ok(None);
        }
        let local = mirror.to_file_path().is_some();
        let merged = page_of(
            &links,
            PageScope::Project,
            local,
            Arc::clone(index),
            name.clone(),
        );
        Ok(Some(Arc::new(merged?)))
    }

    /// Whether a mirror's file is known to be the index's.
    fn is_same(&self, file: &PackageFile, other: &PackageFile, mirror: &IndexUrl) -> bool {
        if !agree(&file.hashes, &other.hashes) {
            self.mirrors.note(format!(
                "The mirror `{mirror}` has another `{}` than its index: it is not taken from there",
                file.filename_text
            ));
            return false;
        }
        has_digest(&file.hashes) || has_digest(&other.hashes)
    }
}

/// What the index itself says of a project whose page came from a mirror.
enum OwnPage {
    /// The mirror's page has all digests.
    NotNeeded,
    /// It can't be asked, or has no such project.
    Unknown,
    Found(Arc<ProjectPage>),
}

/// A place that a file may be had from.
#[derive(Debug, Clone)]
enum FilePlace {
    Mirror(IndexUrl),
    /// The address that the file was found with.
    AsNamed,
    /// The address on the index's own page.
    Index,
}

/// The places of one file, found as they are needed.
#[derive(Debug)]
pub(crate) struct FileSources<'a> {
    sources: &'a PageSources,
    file: &'a PackageFile,
    places: VecDeque<FilePlace>,
    tried: FxHashSet<String>,
    current: FilePlace,
}

impl FileSources<'_> {
    /// The file at the next place that has it.
    pub(crate) async fn next(&mut self) -> Option<PackageFile> {
        while let Some(place) = self.places.pop_front() {
            let Some(file) = self.at(&place).await else {
                continue;
            };
            if self.tried.insert(without_credentials(&file.url)) {
                self.current = place;
                return Some(file);
            }
        }
        None
    }

    /// Takes note of a failure; whether the next place is to be tried.
    pub(crate) fn goes_on_after(&self, error: &IndexError) -> bool {
        let is_about_place = matches!(
            error,
            IndexError::Http(_)
                | IndexError::Truncated { .. }
                | IndexError::HashMismatch { .. }
                | IndexError::BadMetadata { .. }
        );
        if is_about_place && let FilePlace::Mirror(mirror) = &self.current {
            self.sources.mirrors.give_up(mirror, error);
        }
        is_about_place && !self.places.is_empty()
    }

    async fn at(&self, place: &FilePlace) -> Option<PackageFile> {
        let file = self.file;
        let index = match (place, &file.index) {
            (FilePlace::AsNamed, _) | (_, None) => return Some(file.clone()),
            (_, Some(index)) => index,
        };
        let name = file.name();
        let page = match place {
            FilePlace::Mirror(mirror) if self.sources.mirrors.is_given_up(mirror) => return None,
            FilePlace::Mirror(mirror) => self.sources.mirror_page(mirror, index, name).await?,
            FilePlace::AsNamed | FilePlace::Index => {
                let place = index.as_place(MISSING);
                self.sources.own_page(place, index, name).await.ok()??
            }
        };
        let FilePlace::Mirror(mirror) = place else {
            return file.on_page(&page);
        };
        let found = file.namesake(&page)?;
        let is_same = self.sources.is_same(file, found, mirror);
        is_same.then(|| file.moved_to(found))
    }
}

impl PackageFile {
    /// The same file on another page of its project.
    fn on_page(&self, page: &ProjectPage) -> Option<Self> {
        let found = self.namesake(page)?;
        agree(&self.hashes, &found.hashes).then(|| self.moved_to(found))
    }

    fn namesake<'a>(&self, page: &'a ProjectPage) -> Option<&'a Self> {
        let mut files = page.files(self.version()).iter();
        let found = files.find(|other| other.filename_text == self.filename_text);
        found.map(|file| &**file)
    }

    fn moved_to(&self, other: &Self) -> Self {
        Self {
            url: other.url.clone(),
            core_metadata: other.core_metadata.clone(),
            hashes: joined(&self.hashes, &other.hashes),
            ..self.clone()
        }
    }
}

fn all_files(page: &ProjectPage) -> impl Iterator<Item = &Arc<PackageFile>> {
    (0..page.versions().len()).flat_map(|place| page.files_at(place))
}

/// Whether a digest is known that nobody can forge.
fn has_digest(hashes: &Hashes) -> bool {
    let strongest = hashes.strongest();
    strongest.is_some_and(|(algorithm, _)| algorithm.is_strong())
}

/// Whether the digests that both have are the same.
fn agree(left: &Hashes, right: &Hashes) -> bool {
    left.iter()
        .all(|(algorithm, hex)| right.get(algorithm).is_none_or(|other| other == hex))
}

fn joined(left: &Hashes, right: &Hashes) -> Hashes {
    let mut joined = left.clone();
    for (algorithm, hex) in right.iter() {
        if joined.get(algorithm).is_none() {
            let _checked_when_read = joined.insert(algorithm, hex);
        }
    }
    joined
}
