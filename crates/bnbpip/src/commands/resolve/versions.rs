//! The versions of a project, of the indexes and, where they are allowed, of community wheels.

use std::sync::{Arc, OnceLock};

use bnbpip_index::{IndexUrl, PackageFile, Project};
use bnbpip_packaging::{Version, WheelFilename, range};
use bnbpip_resolver::{Unusable, VersionList, Yanked};
use rustc_hash::FxHashSet;

use super::candidates::Selection;
use crate::request::SourceArchives;

/// The versions of a project, with the choice of file made once a version.
#[derive(Debug)]
pub(crate) struct Candidates {
    /// What the indexes have; `None` if they don't know the project.
    project: Option<Arc<Project>>,
    /// Wheels that others built.
    community: Vec<Arc<PackageFile>>,
    /// The versions of both; the project's own where there is nothing else.
    merged: Vec<Version>,
    selection: Arc<Selection>,
    chosen: Vec<OnceLock<Result<Chosen, Unusable>>>,
    has_own_wheel: OnceLock<bool>,
    has_community_wheel: OnceLock<bool>,
    newest_wheels: OnceLock<NewestWheels>,
}

/// The newest of the project's own versions with wheels: for one platform or another, and for this target.
#[derive(Debug)]
struct NewestWheels {
    platform: Option<usize>,
    fitting: Option<usize>,
}

/// The file of a version, and the tier of pages that it was found in.
#[derive(Debug, Clone)]
struct Chosen {
    file: Arc<PackageFile>,
    tier: usize,
}

impl Candidates {
    /// The candidates of a project.
    pub(crate) fn new(project: Arc<Project>, selection: Arc<Selection>) -> Self {
        Self::with_community(Some(project), Vec::new(), selection)
    }

    /// The candidate that one file is.
    pub(crate) fn of_file(file: Arc<PackageFile>, selection: Arc<Selection>) -> Self {
        Self::with_community(None, vec![file], selection)
    }

    /// The candidates of a project, and of wheels that others built.
    pub(crate) fn with_community(
        project: Option<Arc<Project>>,
        community: Vec<Arc<PackageFile>>,
        selection: Arc<Selection>,
    ) -> Self {
        let own = project
            .as_ref()
            .map_or(&[][..], |project| project.versions());
        let mut merged = Vec::new();
        if !community.is_empty() {
            let others = community.iter().map(|file| file.version().clone());
            merged = own.iter().cloned().chain(others).collect();
            merged.sort();
            merged.dedup();
        }
        let count = own.len().max(merged.len());
        Self {
            chosen: (0..count).map(|_| OnceLock::new()).collect(),
            project,
            community,
            merged,
            selection,
            has_own_wheel: OnceLock::new(),
            has_community_wheel: OnceLock::new(),
            newest_wheels: OnceLock::new(),
        }
    }

    /// How many indexes have the project, those of `apart` left out.
    pub(crate) fn index_count(&self, apart: &[IndexUrl]) -> usize {
        let indexes = self.project.iter().flat_map(|project| project.indexes());
        let indexes: FxHashSet<_> = indexes.filter(|index| !apart.contains(index)).collect();
        indexes.len()
    }

    /// The newest stable version (any, if there is no stable one) within `range` that has a file,
    /// from the place `below` downwards.
    pub(crate) fn likely(
        &self,
        range: &range::VersionRange,
        below: usize,
    ) -> Option<(usize, Arc<PackageFile>)> {
        let pick = |stable: bool| {
            let versions = self.versions().get(..below).unwrap_or_default();
            versions
                .iter()
                .enumerate()
                .rev()
                .filter(|(_, version)| range.contains(*version))
                .filter(|(_, version)| !stable || !version.any_prerelease())
                .filter(|(index, _)| self.yanked(*index).is_none())
                .find_map(|(index, _)| Some((index, self.file(index).ok()?)))
        };
        pick(true).or_else(|| pick(false))
    }

    fn own_files(&self, version: &Version) -> Vec<&Arc<PackageFile>> {
        let project = self.project.iter();
        project.flat_map(|project| project.files(version)).collect()
    }

    /// The project's own wheel, else one that others built, else what there is.
    fn choose(&self, version: &Version) -> Result<Chosen, Unusable> {
        let files = self.own_files(version);
        let own = self.choose_own(version, &files).and_then(|own| {
            if own.file.wheel().is_none() && self.is_left_behind(version) {
                return Err(Unusable::OnlySource);
            }
            Ok(own)
        });
        if own.as_ref().is_ok_and(|own| own.file.wheel().is_some()) {
            return own;
        }
        let others = self.community.iter();
        let others = others.filter(|file| file.version() == version);
        match self.selection.best(others.clone()) {
            Ok(file) => Ok(Chosen { file, tier: 0 }),
            Err(reason) if files.is_empty() => Err(reason),
            Err(_) => own,
        }
    }

    /// The best file of the first tier of pages that has one that can be used.
    fn choose_own(
        &self,
        version: &Version,
        files: &[&Arc<PackageFile>],
    ) -> Result<Chosen, Unusable> {
        let tiers = self.project.iter().flat_map(|project| project.tiers());
        for (tier, pages) in tiers.enumerate() {
            let of_tier: Vec<_> = pages.iter().flat_map(|page| page.files(version)).collect();
            if let Ok(file) = self.selection.best(of_tier.iter().copied()) {
                return Ok(Chosen { file, tier });
            }
        }
        // Of all that there is, why none will do.
        let file = self.selection.best(files.iter().copied())?;
        Ok(Chosen { file, tier: 0 })
    }

    /// Whether a version without wheels, where such are candidates for want of any, is older than
    /// wheels for other platforms alone: not what its project offers this one.
    fn is_left_behind(&self, version: &Version) -> bool {
        let Some(project) = &self.project else {
            return false;
        };
        let allowed = self.selection.formats.allowed(project.name());
        if allowed.sources != SourceArchives::WithoutPlatformWheels {
            return false;
        }
        let versions = project.versions();
        let newest = self.newest_wheels.get_or_init(|| {
            let newest = |is_wanted: &dyn Fn(&WheelFilename) -> bool| {
                versions.iter().rposition(|version| {
                    let files = self.own_files(version);
                    files.iter().filter_map(|file| file.wheel()).any(is_wanted)
                })
            };
            NewestWheels {
                platform: newest(&|wheel| !wheel.is_any_platform()),
                fitting: newest(&|wheel| self.selection.fits(wheel)),
            }
        });
        let place = versions.partition_point(|other| other < version);
        newest.platform > Some(place) && newest.fitting < Some(place)
    }

    fn chosen(&self, index: usize) -> Result<Chosen, Unusable> {
        let Some((version, cell)) = self.versions().get(index).zip(self.chosen.get(index)) else {
            return Err(Unusable::BinaryPolicy);
        };
        cell.get_or_init(|| self.choose(version)).clone()
    }

    /// Wheels that others built are for what has no other; and a source that would have to be
    /// built is for what has no wheel at all.
    fn is_last_resort(&self, file: &Arc<PackageFile>) -> bool {
        if self.community.is_empty() && !self.selection.prefer_binary {
            return false;
        }
        if file.wheel().is_none() {
            self.selection.prefer_binary || self.has_wheel(true)
        } else {
            self.is_community(file) && self.has_wheel(false)
        }
    }

    fn is_community(&self, file: &Arc<PackageFile>) -> bool {
        self.community.iter().any(|other| Arc::ptr_eq(other, file))
    }

    /// Whether any version has a wheel of the indexes, or of others, for the target.
    fn has_wheel(&self, of_community: bool) -> bool {
        let cell = if of_community {
            &self.has_community_wheel
        } else {
            &self.has_own_wheel
        };
        *cell.get_or_init(|| {
            let files = (0..self.versions().len()).filter_map(|index| self.file(index).ok());
            let mut wheels = files.filter(|file| file.wheel().is_some());
            wheels.any(|file| self.is_community(&file) == of_community)
        })
    }
}

impl VersionList for Candidates {
    type File = Arc<PackageFile>;

    fn versions(&self) -> &[Version] {
        match &self.project {
            Some(project) if self.community.is_empty() => project.versions(),
            _ => &self.merged,
        }
    }

    fn file(&self, index: usize) -> Result<Arc<PackageFile>, Unusable> {
        Ok(self.chosen(index)?.file)
    }

    fn rank(&self, index: usize) -> usize {
        self.chosen(index).map_or(0, |chosen| {
            2 * chosen.tier + usize::from(self.is_last_resort(&chosen.file))
        })
    }

    fn yanked(&self, index: usize) -> Option<Yanked> {
        let version = self.versions().get(index)?;
        // A version counts as yanked when the file that would be taken is.
        let file = self.file(index).ok();
        let file = file
            .as_ref()
            .or_else(|| self.own_files(version).first().copied())?;
        let reason = file.yanked.as_deref()?;
        Some(Yanked {
            reason: (!reason.is_empty()).then(|| reason.to_string()),
        })
    }
}
