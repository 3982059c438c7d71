//! Which file of a version is taken, or why none can be.

use std::cmp::Reverse;
use std::sync::Arc;

use bnbpip_index::{DistributionFilename, PackageFile};
use bnbpip_overlay::{ActiveRules, RuleId, Severity};
use bnbpip_packaging::{
    BuildTag, HashAlgorithm, IncompatibleTag, PackageName, SdistFilename, TagCompatibility, Tags,
    Version, WheelFilename, range,
};
use bnbpip_resolver::Unusable;
use rustc_hash::FxHashMap;

use crate::request::{FormatControl, SourceArchives};

/// What decides between files, the same for all packages of a run.
#[derive(Debug)]
pub(crate) struct Selection {
    /// The tags that the target accepts.
    pub(crate) tags: Tags,
    /// The interpreter's own Python tag (`cp311`).
    pub(crate) python_tag: String,
    /// The target's Python version.
    pub(crate) python_version: Version,
    /// Look past `Requires-Python`.
    pub(crate) ignore_requires_python: bool,
    /// Only files uploaded before this moment count, in milliseconds since 1970.
    pub(crate) cutoff_ms: Option<i64>,
    /// The hashes of which a file must have one, where the user gave some.
    pub(crate) hashes: FxHashMap<PackageName, Vec<(HashAlgorithm, String)>>,
    /// `--no-binary` and `--only-binary`.
    pub(crate) formats: FormatControl,
    /// The rules in force, for those about single wheels.
    pub(crate) rules: Arc<ActiveRules>,
    /// Whether source distributions can be built.
    pub(crate) sources: bool,
    /// Take a source distribution only where no version has a wheel.
    pub(crate) prefer_binary: bool,
}

/// How well a wheel fits: rules first, then tags, then the build number.
/// A source distribution comes after all wheels.
type Fit = (bool, Reverse<bool>, u32, Option<BuildTag>);

/// How far a file got before it was turned down; the furthest reason is the one that is told.
enum Obstacle {
    TooNew,
    Format,
    Source,
    Tags(IncompatibleTag),
    RequiresPython(String),
    Hash,
    Rule(RuleId),
}

impl Obstacle {
    fn progress(&self) -> u8 {
        match self {
            Self::TooNew => 0,
            Self::Format => 1,
            Self::Source => 2,
            Self::Tags(IncompatibleTag::Python) => 3,
            Self::Tags(IncompatibleTag::Abi) => 4,
            Self::Tags(IncompatibleTag::Platform) => 5,
            Self::RequiresPython(_) => 6,
            Self::Hash => 7,
            Self::Rule(_) => 8,
        }
    }
}

impl Selection {
    /// The best file among `files`.
    ///
    /// # Errors
    ///
    /// Why none can be used.
    pub(crate) fn best<'a>(
        &self,
        files: impl Iterator<Item = &'a Arc<PackageFile>> + Clone,
    ) -> Result<Arc<PackageFile>, Unusable> {
        let mut best: Option<(Fit, &Arc<PackageFile>)> = None;
        let mut furthest: Option<Obstacle> = None;
        for file in files.clone() {
            let has_platform_wheels = || {
                let mut wheels = files.clone().filter_map(|other| other.wheel());
                wheels.any(|wheel| !wheel.is_any_platform())
            };
            match self.judge(file, has_platform_wheels) {
                Ok(fit) => {
                    let better = best.as_ref().is_none_or(|(known, other)| {
                        fit > *known || fit == *known && adds_hash(file, other)
                    });
                    if better {
                        best = Some((fit, file));
                    }
                }
                Err(obstacle) => {
                    let further = furthest
                        .as_ref()
                        .is_none_or(|known| obstacle.progress() > known.progress());
                    if further {
                        furthest = Some(obstacle);
                    }
                }
            }
        }
        match best {
            Some((_, file)) => Ok(Arc::clone(file)),
            None => Err(self.unusable(furthest, files)),
        }
    }

    /// How well a file fits. `has_platform_wheels` says whether its release has wheels for one platform
    /// or another.
    fn judge(
        &self,
        file: &PackageFile,
        has_platform_wheels: impl Fn() -> bool,
    ) -> Result<Fit, Obstacle> {
        // A file without a time can't be known to be old enough; one of this machine is the user's.
        if let Some(cutoff) = self.cutoff_ms
            && file.url.scheme() != "file"
            && file
                .upload_time_ms
                .is_none_or(|uploaded| uploaded >= cutoff)
        {
            return Err(Obstacle::TooNew);
        }
        let wheel = match &file.filename {
            DistributionFilename::Wheel(wheel) => wheel,
            DistributionFilename::Sdist(sdist) => {
                return self.judge_source(file, sdist, has_platform_wheels);
            }
        };
        if !self.formats.allowed(&wheel.name).wheels {
            return Err(Obstacle::Format);
        }
        let priority = match self.tags.compatibility(wheel) {
            TagCompatibility::Compatible(priority) => priority,
            TagCompatibility::Incompatible(part) => return Err(Obstacle::Tags(part)),
        };
        self.check_python(file)?;
        self.check_hashes(file)?;
        let avoided = self.check_rules(wheel)?;
        Ok((true, Reverse(avoided), priority, wheel.build.clone()))
    }

    fn judge_source(
        &self,
        file: &PackageFile,
        sdist: &SdistFilename,
        has_platform_wheels: impl Fn() -> bool,
    ) -> Result<Fit, Obstacle> {
        if !self.sources {
            return Err(Obstacle::Source);
        }
        match self.formats.allowed(&sdist.name).sources {
            SourceArchives::Never => return Err(Obstacle::Format),
            SourceArchives::WithoutPlatformWheels if has_platform_wheels() => {
                return Err(Obstacle::Source);
            }
            SourceArchives::WithoutPlatformWheels | SourceArchives::Any => {}
        }
        self.check_python(file)?;
        self.check_hashes(file)?;
        Ok((false, Reverse(false), 0, None))
    }

    /// Whether the target accepts a wheel's tags.
    pub(super) fn fits(&self, wheel: &WheelFilename) -> bool {
        let fits = self.tags.compatibility(wheel);
        matches!(fits, TagCompatibility::Compatible(_))
    }

    fn check_python(&self, file: &PackageFile) -> Result<(), Obstacle> {
        let Some(wanted) = file
            .requires_python
            .as_ref()
            .filter(|_| !self.ignore_requires_python)
        else {
            return Ok(());
        };
        match wanted.specifiers() {
            Some(specifiers)
                if !range::from_specifiers(specifiers).contains(&self.python_version) =>
            {
                Err(Obstacle::RequiresPython(wanted.as_str().to_string()))
            }
            _ => Ok(()),
        }
    }

    /// A file of which no hash is known stays in: its content is checked when it arrives.
    fn check_hashes(&self, file: &PackageFile) -> Result<(), Obstacle> {
        let Some(allowed) = self.hashes.get(file.name()) else {
            return Ok(());
        };
        let comparable = allowed
            .iter()
            .any(|(algorithm, _)| file.hashes.get(*algorithm).is_some());
        let matches = allowed
            .iter()
            .any(|(algorithm, hex)| file.hashes.get(*algorithm) == Some(hex.as_str()));
        if comparable && !matches {
            Err(Obstacle::Hash)
        } else {
            Ok(())
        }
    }

    /// Whether a rule would rather not have this wheel.
    fn check_rules(&self, wheel: &WheelFilename) -> Result<bool, Obstacle> {
        if !self.rules.has_exclusions(&wheel.name) {
            return Ok(false);
        }
        match self
            .rules
            .excluded(&wheel.name, &wheel.version, Some(wheel))
        {
            Some(rule) if rule.severity == Severity::Broken => Err(Obstacle::Rule(rule.id.clone())),
            rule => Ok(rule.is_some()),
        }
    }

    fn unusable<'a>(
        &self,
        obstacle: Option<Obstacle>,
        files: impl Iterator<Item = &'a Arc<PackageFile>>,
    ) -> Unusable {
        match obstacle {
            Some(Obstacle::TooNew) => Unusable::TooNew(first_upload_day(files)),
            Some(Obstacle::RequiresPython(specifiers)) => Unusable::RequiresPython(specifiers),
            Some(Obstacle::Hash) => Unusable::Hash,
            Some(Obstacle::Rule(id)) => Unusable::Rule(id),
            Some(Obstacle::Tags(part)) => Unusable::Tags {
                part,
                offered: self.offered(part, files),
            },
            Some(Obstacle::Source) => Unusable::OnlySource,
            Some(Obstacle::Format) | None => Unusable::BinaryPolicy,
        }
    }

    /// The tags that the wheels have where they don't fit, in the page's order, each once.
    fn offered<'a>(
        &self,
        part: IncompatibleTag,
        files: impl Iterator<Item = &'a Arc<PackageFile>>,
    ) -> Vec<String> {
        let mut offered: Vec<String> = Vec::new();
        for wheel in files.filter_map(|file| file.wheel()) {
            if self.tags.compatibility(wheel) != TagCompatibility::Incompatible(part) {
                continue;
            }
            let own_python = wheel
                .python_tags
                .iter()
                .any(|tag| **tag == *self.python_tag);
            let tags = match part {
                IncompatibleTag::Python => &wheel.python_tags,
                // `cp39-cp39` is made for another Python; `cp313-cp313` for another build of it.
                IncompatibleTag::Abi if !own_python => &wheel.python_tags,
                IncompatibleTag::Abi => &wheel.abi_tags,
                IncompatibleTag::Platform => &wheel.platform_tags,
            };
            for tag in tags {
                if !offered.iter().any(|known| **known == **tag) {
                    offered.push(tag.to_string());
                }
            }
        }
        offered
    }
}

/// Whether of two files that fit alike, on one page, this one has a hash and the other hasn't.
fn adds_hash(file: &PackageFile, other: &PackageFile) -> bool {
    file.index == other.index && other.hashes.is_empty() && !file.hashes.is_empty()
}

/// The day on which the first of these files was uploaded.
fn first_upload_day<'a>(files: impl Iterator<Item = &'a Arc<PackageFile>>) -> Option<String> {
    let first = files.filter_map(|file| file.upload_time()).min()?;
    Some(first.strftime("%Y-%m-%d").to_string())
}
