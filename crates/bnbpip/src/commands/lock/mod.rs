//! `bnbpip lock`: request → one resolution for each environment → one `pylock.toml`.

mod check;
mod environments;
mod locked;
mod project;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use bnbpip_installer::InstalledEnvironment;
use bnbpip_lock::{Lock, LockedPackage, MAX_BYTES, Overlay, Solution, merge};
use bnbpip_packaging::{PackageName, VersionSpecifiers};
use bnbpip_resolver::PreferredVersions;

use self::environments::LockTarget;
use self::project::Inputs;
use crate::cli::LockArgs;
use crate::commands::resolve::accelerator::Accelerator;
use crate::commands::resolve::{CommandWords, InstalledPolicy, Resolved, Resolving, requirements};
use crate::commands::rule_set;
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::request::Request;

/// Locks what was asked for.
///
/// # Errors
/// When an environment has no solution, or the file can't be read or written.
pub(crate) fn run(
    arguments: &LockArgs,
    settings: &Settings,
    printer: &'static Printer,
) -> Result<(), Failure> {
    let inputs = Inputs::read(arguments, settings, printer)?;
    let run = Run {
        arguments,
        settings,
        printer,
        inputs,
        targets: environments::targets(&arguments.environments, settings)?,
    };
    if arguments.check {
        return run.check();
    }
    run.lock()
}

/// Reads a lock file.
///
/// # Errors
/// When it can't be read, or isn't one.
pub(crate) fn read(path: &Path) -> Result<Lock, Failure> {
    if fs_err::metadata(path)?.len() > MAX_BYTES {
        return Err(Failure::from(bnbpip_lock::LockError::TooLarge));
    }
    let text = fs_err::read_to_string(path)?;
    text.parse::<Lock>().map_err(Failure::from)
}

struct Run<'a> {
    arguments: &'a LockArgs,
    settings: &'a Settings,
    printer: &'static Printer,
    inputs: Inputs,
    targets: Vec<LockTarget>,
}

impl Run<'_> {
    fn overlay(&self) -> Result<bnbpip_overlay::Overlay, Failure> {
        let options = &self.arguments.resolve;
        rule_set::overlay(&options.overlay.overlay, &options.allow, self.settings)
    }

    fn lock(&self) -> Result<(), Failure> {
        let directory = self.settings.environment.working_directory();
        let to_stdout = self.arguments.output == Path::new("-");
        let output = directory.join(&self.arguments.output);
        let old = if to_stdout || self.arguments.upgrade || !output.exists() {
            Lock::default()
        } else {
            read(&output).map_err(|failure| {
                failure.hint("pass `--upgrade` to make the lock anew, without its versions")
            })?
        };
        let text = self.solve(&old)?.to_toml();
        if to_stdout {
            self.printer.data(text.trim_end());
            return Ok(());
        }
        if !fs_err::read_to_string(&output).is_ok_and(|present| present == text) {
            fs_err::write(&output, &text)?;
        }
        Ok(())
    }

    fn solve(&self, old: &Lock) -> Result<Lock, Failure> {
        let overlay = self.overlay()?;
        let mut rules = BTreeSet::new();
        let mut solutions: Vec<Solution> = Vec::new();
        for target in &self.targets {
            self.inputs.check(target)?;
            let all = self.inputs.all();
            let preferred = self.preferred(old, target, &solutions)?;
            let resolved = self.resolve(target, preferred, &all)?;
            let effects = resolved.resolution.effects.iter();
            rules.extend(effects.map(|effect| effect.rule.id.to_string()));
            for rule in &resolved.resolution.relaxed {
                self.printer.warning(&format!(
                    "{}: accepted, because nothing else meets the request",
                    bnbpip_report::explain::rule_sentence(rule)
                ));
            }
            let markers = &target.target.markers;
            let mut packages = locked::packages(&resolved.resolution, &all, markers)?;
            self.mark(target, &resolved, &mut packages)?;
            solutions.push(Solution {
                environment: target.marker.clone(),
                packages,
            });
        }
        let packages = merge(&solutions)?;
        let environments = self.targets.iter().map(|target| target.marker.clone());
        self.printer.status(&format!(
            "Locked {} for {}",
            bnbpip_report::counted(packages.len(), "package"),
            bnbpip_report::counted(self.targets.len(), "environment")
        ));
        let digest = overlay.digest()?;
        Ok(Lock {
            created_by: "bnbpip".into(),
            environments: environments.collect(),
            packages,
            extras: self.inputs.extras.clone(),
            dependency_groups: self.inputs.groups.clone(),
            requires_python: self.requires_python()?,
            rules: rules.into_iter().collect(),
            overlay: overlay.version().map(|version| Overlay {
                version: version.to_string(),
                sha256: digest,
            }),
            ..Lock::default()
        })
    }

    /// The lowest Python of the environments: what PEP 751 means by `requires-python`.
    fn requires_python(&self) -> Result<Option<VersionSpecifiers>, Failure> {
        let pythons = self.targets.iter().map(|it| it.target.python_version);
        let lowest = pythons
            .min()
            .map(|(major, minor)| format!(">={major}.{minor}").parse());
        Ok(lowest.transpose()?)
    }

    /// Says of each package which extras and groups it is for. All together have one solution;
    /// it is kept to for each alone, so that only the packages' names have to be compared.
    fn mark(
        &self,
        target: &LockTarget,
        resolved: &Resolved,
        packages: &mut [LockedPackage],
    ) -> Result<(), Failure> {
        if self.inputs.parts.is_empty() {
            return Ok(());
        }
        let solution = resolved.resolution.packages.iter();
        let preferred: PreferredVersions = solution
            .map(|package| (package.name.clone(), vec![package.version.clone()]))
            .collect();
        let names = |request: &Request| -> Result<Vec<PackageName>, Failure> {
            if request.requirements.is_empty() && request.unnamed.is_empty() {
                return Ok(Vec::new());
            }
            let alone = self.resolve(target, preferred.clone(), request)?;
            let packages = alone.resolution.packages.iter();
            Ok(packages.map(|package| package.name.clone()).collect())
        };
        let base = names(&self.inputs.base)?;
        let mut parts = Vec::new();
        for part in &self.inputs.parts {
            parts.push((part, names(&self.inputs.with(part))?));
        }
        project::mark(packages, &base, &parts)
    }

    fn resolve(
        &self,
        target: &LockTarget,
        preferred: PreferredVersions,
        request: &Request,
    ) -> Result<Resolved, Failure> {
        let overlay = self.overlay()?;
        let rules = Arc::new(overlay.active(&target.target.markers));
        let mut request = request.clone();
        Accelerator::choose(
            &self.arguments.resolve,
            &mut request,
            &target.target,
            || Ok(InstalledEnvironment::default()),
            self.settings,
            self.printer,
        )
        .map_err(|failure| failure.context(format!("Failed to lock for {}", target.name)))?;
        let resolving = Resolving {
            options: &self.arguments.resolve,
            policy: InstalledPolicy::default(),
            command: CommandWords {
                name: "lock",
                options: format!(" --environment {}", target.name),
            },
            settings: self.settings,
            printer: self.printer,
            request: &request,
            target: &target.target,
            overlay,
            constraints: requirements::constraints(&request, &target.target.markers)?,
            rules,
            preferred,
            sources: None,
        };
        resolving
            .run(rustc_hash::FxHashMap::default())
            .map_err(|failure| {
                failure.context(format!("Failed to lock for {}", target.target.description))
            })
    }

    /// What the old lock has for the environment comes first, then what others were given.
    fn preferred(
        &self,
        old: &Lock,
        target: &LockTarget,
        solutions: &[Solution],
    ) -> Result<PreferredVersions, Failure> {
        let mut upgraded: Vec<PackageName> = Vec::new();
        for name in &self.arguments.upgrade_package {
            upgraded.push(name.parse()?);
        }
        let markers = &target.target.markers;
        let mut preferred = PreferredVersions::default();
        let holds = |marker: &bnbpip_lock::LockMarker| {
            marker.evaluate(markers, &old.extras, &old.dependency_groups)
        };
        let here = old.packages.iter().filter(|package| {
            package.marker.as_ref().is_none_or(holds) && !upgraded.contains(&package.name)
        });
        let elsewhere = solutions.iter().flat_map(|solution| &solution.packages);
        for package in here.chain(elsewhere) {
            if let Some(version) = &package.version {
                let versions = preferred.entry(package.name.clone()).or_default();
                versions.push(version.clone());
            }
        }
        Ok(preferred)
    }
}
