//! What is on the disk, against the `RECORD`s: files that are gone or have been changed, and files
//! that two distributions own.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use bnbpip_installer::{DistributionKind, normalize};
use bnbpip_packaging::{RecordEntry, record};
use bnbpip_report::doctor::{Finding, Mend, OpenMpCopy, Severity};
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use sha2::Digest as _;

use super::examination::Examination;
use crate::commands::distribution::Distribution;

/// How many files are named before the rest is counted.
const NAMED: usize = 3;

/// Top-level folders that careless projects put beside their package. Nobody imports them.
const COMMON_FOLDERS: [&str; 7] = [
    "test",
    "tests",
    "testing",
    "doc",
    "docs",
    "examples",
    "benchmarks",
];

/// Installers that change files after recording them: conda puts the prefix into texts.
const REWRITING_INSTALLERS: [&str; 1] = ["conda"];

/// A distribution's `RECORD`.
struct Recorded<'a> {
    distribution: &'a Distribution,
    entries: Vec<RecordEntry>,
}

/// Files that aren't as they were installed.
#[derive(Debug, Default)]
struct Damage {
    missing: Vec<String>,
    changed: Vec<String>,
}

/// What the `RECORD`s tell.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// What is wrong with files.
    pub(super) findings: Vec<Finding>,
    /// The copies of Intel's OpenMP runtime that packages brought.
    pub(super) openmp: Vec<OpenMpCopy>,
    /// The longest path of a package's file.
    pub(super) longest_path: String,
}

/// Looks at the files of every distribution. `thorough` compares every hash, not only those of distributions that
/// are conspicuous.
pub(super) fn examine(examination: &Examination, thorough: bool) -> Files {
    let own = examination.own_folders();
    let mut findings = Vec::new();
    let mut recorded = Vec::new();
    for distribution in &examination.installed {
        let installed = &distribution.installed;
        if !own.contains(&installed.location) || installed.kind != DistributionKind::DistInfo {
            continue;
        }
        match read_record(distribution) {
            Ok(Some(entries)) => recorded.push(Recorded {
                distribution,
                entries,
            }),
            Ok(None) => findings.extend(no_record(distribution)),
            Err(error) => findings.push(unreadable_record(distribution, &error.to_string())),
        }
    }
    let shared = shared_files(&recorded);
    findings.extend(overlaps(&recorded, &shared, examination));
    let contested: FxHashSet<PathBuf> = shared.into_keys().collect();
    let damages: Vec<Option<Finding>> = recorded
        .par_iter()
        .map(|one| {
            let damage = one.damage(&contested, thorough);
            damage.finding(one.distribution)
        })
        .collect();
    findings.extend(damages.into_iter().flatten());
    Files {
        findings,
        openmp: openmp_copies(&recorded),
        longest_path: longest_path(&recorded),
    }
}

/// Intel's runtime under the names that end a process when it is loaded twice.
const OPENMP_NAMES: [&str; 2] = ["libiomp5md.dll", "libiomp5.so"];

fn openmp_copies(recorded: &[Recorded<'_>]) -> Vec<OpenMpCopy> {
    let mut copies = Vec::new();
    for one in recorded {
        for entry in &one.entries {
            let name = entry.path.rsplit('/').next().unwrap_or_default();
            if OPENMP_NAMES.contains(&name) {
                copies.push(OpenMpCopy {
                    path: one.path_of(entry).display().to_string(),
                    owner: Some(one.distribution.installed.name.clone()),
                });
            }
        }
    }
    copies
}

fn longest_path(recorded: &[Recorded<'_>]) -> String {
    let longest = recorded
        .iter()
        .filter_map(|one| {
            let longest = one.entries.iter().max_by_key(|entry| entry.path.len())?;
            Some(one.path_of(longest).display().to_string())
        })
        .max_by_key(String::len);
    longest.unwrap_or_default()
}

fn read_record(
    distribution: &Distribution,
) -> Result<Option<Vec<RecordEntry>>, bnbpip_packaging::RecordError> {
    let text = distribution.record_text("RECORD");
    text.map(|text| record::parse(&text)).transpose()
}

/// Without a list of files nothing can uninstall it. Systems' own packages have none by design.
fn no_record(distribution: &Distribution) -> Option<Finding> {
    let installed = &distribution.installed;
    let recorded_by = installed.installer()?;
    if !["pip", "uv", "bnbpip"].contains(&recorded_by.as_str()) {
        return None;
    }
    let (name, version) = (installed.name.clone(), installed.version.clone());
    Some(
        Finding::new(
            "no-record",
            Severity::Broken,
            format!("{name} {version} has no list of its files (`RECORD`)"),
            Mend::Reinstall(name.clone(), version.clone()),
        )
        .package(name, version),
    )
}

fn unreadable_record(distribution: &Distribution, error: &str) -> Finding {
    let installed = &distribution.installed;
    let (name, version) = (installed.name.clone(), installed.version.clone());
    Finding::new(
        "unreadable-record",
        Severity::Broken,
        format!("The list of {name} {version}'s files (`RECORD`) can't be read"),
        Mend::Reinstall(name.clone(), version.clone()),
    )
    .detail(error)
    .package(name, version)
}

impl Recorded<'_> {
    fn damage(&self, contested: &FxHashSet<PathBuf>, thorough: bool) -> Damage {
        let rewritten = self
            .distribution
            .installed
            .installer()
            .is_some_and(|name| REWRITING_INSTALLERS.contains(&name.as_str()));
        let mut damage = Damage::default();
        let mut same_size = Vec::new();
        for entry in &self.entries {
            if is_byte_code(&entry.path) {
                continue;
            }
            let path = self.path_of(entry);
            if contested.contains(&path) {
                continue;
            }
            match fs_err::metadata(&path) {
                Err(_) => damage.missing.push(entry.path.clone()),
                Ok(_) if rewritten => {}
                Ok(found) if entry.size.is_some_and(|size| size != found.len()) => {
                    damage.changed.push(entry.path.clone());
                }
                Ok(_) => same_size.push((entry, path)),
            }
        }
        if thorough || !damage.is_empty() {
            let changed: Vec<String> = same_size
                .par_iter()
                .filter(|(entry, path)| has_another_hash(entry, path))
                .map(|(entry, _)| entry.path.clone())
                .collect();
            damage.changed.extend(changed);
        }
        damage
    }

    fn path_of(&self, entry: &RecordEntry) -> PathBuf {
        normalize(&self.distribution.installed.location.join(&entry.path))
    }
}

impl Damage {
    fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.changed.is_empty()
    }

    fn finding(&self, distribution: &Distribution) -> Option<Finding> {
        if self.is_empty() {
            return None;
        }
        let installed = &distribution.installed;
        let (name, version) = (installed.name.clone(), installed.version.clone());
        let count = |files: &[String]| match files.len() {
            1 => "1 file".to_owned(),
            count => format!("{count} files"),
        };
        let what = match (self.missing.is_empty(), self.changed.is_empty()) {
            (false, true) => format!("lacks {} that it installed", count(&self.missing)),
            (true, _) => format!("has {} that changed since", count(&self.changed)),
            (false, false) => format!(
                "lacks {} that it installed, and {} changed since",
                count(&self.missing),
                count(&self.changed)
            ),
        };
        // A changed file may be somebody's own patch; a missing one is never meant.
        let severity = if self.missing.is_empty() {
            Severity::Warning
        } else {
            Severity::Broken
        };
        let mut finding = Finding::new(
            "damaged",
            severity,
            format!("{name} {version} {what}"),
            Mend::Reinstall(name.clone(), version.clone()),
        )
        .package(name, version);
        for (word, files) in [("missing", &self.missing), ("changed", &self.changed)] {
            if !files.is_empty() {
                finding = finding.detail(format!("{word}: {}", named(files)));
            }
        }
        Some(finding)
    }
}

/// The first few of some files.
fn named(files: &[String]) -> String {
    let mut text: Vec<String> = files
        .iter()
        .take(NAMED)
        .map(|file| format!("`{file}`"))
        .collect();
    if files.len() > NAMED {
        text.push(format!("{} more", files.len() - NAMED));
    }
    text.join(", ")
}

/// Interpreters rewrite it whenever they like.
fn is_byte_code(path: &str) -> bool {
    Path::new(path)
        .extension()
        .is_some_and(|extension| extension == "pyc" || extension == "pyo")
}

fn has_another_hash(entry: &RecordEntry, path: &Path) -> bool {
    let Some(field) = entry.hash.as_deref().filter(|it| it.starts_with("sha256=")) else {
        return false;
    };
    sha256_of(path).is_ok_and(|digest| record::sha256_field(&digest) != field.trim_end_matches('='))
}

fn sha256_of(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut file = fs_err::File::open(path)?;
    let mut hasher = sha2::Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finalize().to_vec()),
            length => hasher.update(&buffer[..length]),
        }
    }
}

/// Files whose recorded content differs between owners, with the owners' places in the list.
fn shared_files(recorded: &[Recorded<'_>]) -> FxHashMap<PathBuf, (usize, usize)> {
    let mut owners: FxHashMap<PathBuf, (usize, Option<&str>)> = FxHashMap::default();
    let mut shared = FxHashMap::default();
    for (place, one) in recorded.iter().enumerate() {
        for entry in one.entries.iter().filter(|entry| is_module(&entry.path)) {
            let path = one.path_of(entry);
            let hash = entry.hash.as_deref();
            match owners.get(&path) {
                // Namespaces' common `__init__.py` is the same in all of them.
                Some((_, other)) if *other == hash => {}
                Some((first, _)) if *first != place => {
                    shared.insert(path, (*first, place));
                }
                Some(_) => {}
                None => {
                    owners.insert(path, (place, hash));
                }
            }
        }
    }
    shared
}

/// Whether it is something that is imported.
fn is_module(path: &str) -> bool {
    let is_code = Path::new(path).extension().is_some_and(|extension| {
        ["py", "pyd", "so", "dll"]
            .iter()
            .any(|code| extension.eq_ignore_ascii_case(code))
    });
    let top = path.split('/').next().unwrap_or_default();
    is_code && top != ".." && !COMMON_FOLDERS.contains(&top)
}

/// Pairs of distributions that own the same modules, less those that a rule speaks about already.
fn overlaps(
    recorded: &[Recorded<'_>],
    shared: &FxHashMap<PathBuf, (usize, usize)>,
    examination: &Examination,
) -> Vec<Finding> {
    let mut pairs: FxHashMap<(usize, usize), Vec<String>> = FxHashMap::default();
    for (path, pair) in shared {
        let folder = &recorded[pair.0].distribution.installed.location;
        let shown = path.strip_prefix(folder).unwrap_or(path);
        let shown = shown.display().to_string().replace('\\', "/");
        pairs.entry(*pair).or_default().push(shown);
    }
    let ruled = examination.evaluate(&crate::commands::check::subjects(&examination.installed));
    let mut findings: Vec<Finding> = pairs
        .into_iter()
        .filter_map(|((first, second), mut files)| {
            let (first, second) = (
                &recorded[first].distribution.installed,
                &recorded[second].distribution.installed,
            );
            let is_ruled = ruled.iter().any(|finding| {
                let names = || finding.packages.iter().map(|(name, _)| name);
                names().any(|name| *name == first.name) && names().any(|name| *name == second.name)
            });
            if is_ruled {
                return None;
            }
            files.sort();
            let (one, other) = (&first.name, &second.name);
            let sentence = format!("{one} and {other} both own {}", named(&files));
            let to_do = "keep one of the two: `bnbpip uninstall` the other, then `bnbpip install \
                         --force-reinstall --no-deps` the one that stays"
                .to_owned();
            Some(
                Finding::new("overlap", Severity::Warning, sentence, Mend::ByHand(to_do))
                    .detail("the one that was installed last has overwritten the other's files")
                    .package(one.clone(), first.version.clone())
                    .package(other.clone(), second.version.clone()),
            )
        })
        .collect();
    findings.sort_by(|a, b| a.sentence.cmp(&b.sentence));
    findings
}
