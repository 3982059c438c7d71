//! What a transaction's wheels and removals come to: which distributions go, whose files stay,
//! and the list of moves.

use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use super::{Disk, Transaction, lock};
use crate::error::TransactionError;
use crate::history;
use crate::installed::{DistributionKind, InstalledDistribution, InstalledEnvironment};
use crate::journal::Operation;
use crate::link;
use crate::options::TargetMode;
use crate::owners::Owners;
use crate::paths;
use crate::planner::{Planner, PlannerInput, is_same_file};
use crate::receipt::Receipt;
use crate::removal::{Cover, RemovalError, RemovalPlan};
use crate::stage::StagedWheel;
use crate::swap;

impl Transaction<'_> {
    /// The asked-for removals, those of replaced distributions, and of any others of a wheel's
    /// name beside it, each once. The index of the wheel that replaces it goes with each.
    pub(super) fn removals_for(
        &self,
        wheels: &[StagedWheel],
        installed: &InstalledEnvironment,
    ) -> Result<Vec<(RemovalPlan, Option<usize>)>, TransactionError> {
        let mut seen: FxHashSet<PathBuf> = FxHashSet::default();
        let mut removals = Vec::new();
        for plan in std::mem::take(&mut *lock(&self.removals)) {
            if seen.insert(paths::resolve(&plan.distribution.dist_info)) {
                let wheel = wheels
                    .iter()
                    .position(|wheel| wheel.name == plan.distribution.name);
                removals.push((plan, wheel));
            }
        }
        let keeps_existing = self.options.target_mode == Some(TargetMode { upgrade: false });
        // With each whether it was named as replaced, or is only found beside the wheel.
        let mut replaced: Vec<(&InstalledDistribution, usize, bool)> = Vec::new();
        for (at, wheel) in wheels.iter().enumerate() {
            for distribution in &wheel.replaces {
                // Another process has replaced it while this one waited for the lock: what is
                // there now is found beside the wheel.
                if !swap::exists(&distribution.dist_info) {
                    continue;
                }
                if seen.insert(paths::resolve(&distribution.dist_info)) {
                    replaced.push((distribution, at, true));
                }
            }
            if keeps_existing {
                continue;
            }
            let beside = installed
                .distributions
                .iter()
                .chain(&installed.shadowed)
                .filter(|found| {
                    found.name == wheel.name
                        && found.kind == DistributionKind::DistInfo
                        && paths::resolve(&found.location) == wheel.trees[0].target
                });
            for distribution in beside {
                if seen.insert(paths::resolve(&distribution.dist_info)) {
                    replaced.push((distribution, at, false));
                }
            }
        }
        let plans: Result<Vec<_>, RemovalError> = replaced
            .par_iter()
            .map(|(distribution, wheel, named)| {
                let (roots, environment) = (&self.roots, self.environment);
                let plan = match RemovalPlan::with_roots(roots, environment, distribution) {
                    Err(
                        RemovalError::NoRecord { .. }
                        | RemovalError::Record { .. }
                        | RemovalError::Read { .. },
                    ) if !named => RemovalPlan::record_alone(roots, environment, distribution)?,
                    other => other?,
                };
                Ok((plan, Some(*wheel)))
            })
            .collect();
        removals.extend(plans?);
        Ok(removals)
    }

    pub(super) fn plan(
        &self,
        wheels: &[StagedWheel],
        removals: &[(RemovalPlan, Option<usize>)],
        installed: &InstalledEnvironment,
        receipt: &Receipt,
        history: Option<&Path>,
    ) -> Result<(Vec<Operation>, Vec<String>), TransactionError> {
        let owners = Self::owners(wheels, removals, installed);
        let covers = self.covers(wheels, removals, &owners);
        let mut disk = lock(&self.disk);
        let Disk { journal, areas, .. } = &mut *disk;
        let mut planner = Planner::new(PlannerInput {
            roots: &self.roots,
            files: &self.files,
            journal,
            areas,
            owners: &owners,
            clobber: self.options.clobber,
            target_mode: self.options.target_mode,
            wheels,
            removals: covers,
            folder: &self.folder,
        });
        for (at, (_, wheel)) in removals.iter().enumerate() {
            if wheel.is_none() {
                planner.remove(at, None)?;
            }
        }
        for wheel in 0..wheels.len() {
            for (at, (_, replaced_by)) in removals.iter().enumerate() {
                if *replaced_by == Some(wheel) {
                    planner.remove(at, Some(wheel))?;
                }
            }
            planner.place_wheel(wheel)?;
        }
        for (number, (file, lines)) in path_lines(removals).into_iter().enumerate() {
            let staged = self
                .stage_path_file(&mut planner, number, &file, &lines)
                .map_err(|source| TransactionError::Plan { source })?;
            planner.replace_file(staged, file)?;
        }
        planner.remove_empty_parents();
        let (mut operations, warnings) = (
            std::mem::take(&mut planner.operations),
            std::mem::take(&mut planner.warnings),
        );
        drop(planner);
        operations.push(
            self.place_receipt(receipt, history, &mut disk)
                .map_err(|source| TransactionError::Plan { source })?,
        );
        Ok((operations, warnings))
    }

    /// What moves away for each removal: neither what others own too, nor a script of which the
    /// new version's is no other.
    fn covers(
        &self,
        wheels: &[StagedWheel],
        removals: &[(RemovalPlan, Option<usize>)],
        owners: &Owners,
    ) -> Vec<Cover> {
        let covers = removals.iter().map(|(plan, wheel)| {
            let unchanged = match wheel {
                Some(wheel) => self.unchanged_scripts(&wheels[*wheel], plan),
                None => FxHashSet::default(),
            };
            let keeps = |file: &Path| unchanged.contains(file) || owners.owner(file).is_some();
            plan.cover(&self.roots, &keeps)
        });
        covers.collect()
    }

    /// The scripts that are the same before and after.
    fn unchanged_scripts(&self, wheel: &StagedWheel, plan: &RemovalPlan) -> FxHashSet<PathBuf> {
        let scripts = &self.roots.scripts;
        let Some(tree) = wheel.trees.iter().find(|tree| tree.target == *scripts) else {
            return FxHashSet::default();
        };
        let of_scripts = plan
            .files
            .iter()
            .filter(|file| file.parent() == Some(scripts));
        let is_unchanged = |file: &Path| -> io::Result<bool> {
            let staged = tree.staged.join(file.file_name().unwrap_or_default());
            let mode = |path: &Path| link::mode_of(path);
            Ok(mode(&staged)? == mode(file)? && is_same_file(&staged, file)?)
        };
        // One that can't be read is moved away as any other.
        of_scripts
            .filter(|file| is_unchanged(file).unwrap_or(false))
            .cloned()
            .collect()
    }

    /// The files of the distributions that stay, as far as they can meet this transaction's.
    fn owners(
        wheels: &[StagedWheel],
        removals: &[(RemovalPlan, Option<usize>)],
        installed: &InstalledEnvironment,
    ) -> Owners {
        let mut tops: FxHashSet<String> = FxHashSet::default();
        let mut insert = |top: &str| {
            if !tops.contains(top) {
                tops.insert(top.to_string());
            }
        };
        for row in wheels.iter().flat_map(|wheel| &wheel.rows) {
            insert(row.path.split('/').next().unwrap_or_default());
        }
        for (plan, _) in removals {
            let library = paths::resolve(&plan.distribution.location);
            for file in &plan.files {
                let top = file.strip_prefix(&library).ok();
                let top = top.and_then(|relative| relative.components().next());
                insert(&top.map_or("..".into(), |top| top.as_os_str().to_string_lossy()));
            }
        }
        let removed: FxHashSet<&Path> = removals
            .iter()
            .map(|(plan, _)| plan.distribution.dist_info.as_path())
            .collect();
        let staying: Vec<&InstalledDistribution> = installed
            .distributions
            .iter()
            .chain(&installed.shadowed)
            .filter(|found| !removed.contains(found.dist_info.as_path()))
            .collect();
        Owners::read(&staying, &tops)
    }

    /// Writes a path file without the lines that go.
    fn stage_path_file(
        &self,
        planner: &mut Planner<'_>,
        number: usize,
        file: &Path,
        lines: &[String],
    ) -> io::Result<PathBuf> {
        let text = fs_err::read_to_string(file)?;
        let kept: String = text
            .split_inclusive('\n')
            .filter(|line| !lines.iter().any(|gone| line.trim_end() == gone))
            .collect();
        let parent = file.parent().unwrap_or(file);
        let folder = planner
            .areas
            .folder_for(parent, planner.files, planner.journal)?;
        let staged = folder.join(format!("path-{number}"));
        self.files.write_new(&staged, kept.as_bytes())?;
        Ok(staged)
    }

    /// The last operation: the receipt appears when everything else is done. Where none is kept
    /// it takes another name in the transaction's folder, which tells the same.
    fn place_receipt(
        &self,
        receipt: &Receipt,
        folder: Option<&Path>,
        disk: &mut Disk,
    ) -> io::Result<Operation> {
        let Disk { journal, areas, .. } = disk;
        let area = match folder {
            Some(folder) => areas.folder_for(folder, &self.files, journal)?,
            None => self.folder.clone(),
        };
        let staged = area.join("receipt.json");
        self.files
            .write_new(&staged, &serde_json::to_vec_pretty(receipt)?)?;
        let target = match folder {
            Some(folder) => history::path(folder, receipt.number),
            None => self.folder.join("done.json"),
        };
        Ok(Operation::Place { staged, target })
    }
}

fn path_lines(removals: &[(RemovalPlan, Option<usize>)]) -> Vec<(PathBuf, Vec<String>)> {
    let mut by_file: std::collections::BTreeMap<PathBuf, Vec<String>> =
        std::collections::BTreeMap::default();
    for (file, line) in removals.iter().flat_map(|(plan, _)| &plan.path_lines) {
        by_file.entry(file.clone()).or_default().push(line.clone());
    }
    by_file.into_iter().collect()
}
