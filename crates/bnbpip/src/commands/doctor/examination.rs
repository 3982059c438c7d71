//! Everything that is looked at, gathered once.

use std::path::PathBuf;

use bnbpip_installer::{InstalledDistribution, InstalledEnvironment};
use bnbpip_overlay::{ActiveRules, Finding as Broken, RuleDocument, Subject};
use bnbpip_packaging::{PackageName, Version};
use bnbpip_platform::{Environment, Placement, Target, ThisMachine};
use bnbpip_report::doctor::{Diagnosis, Fact, Finding, Mend, Severity};
use rayon::prelude::*;

use super::machine::{self, Machine};
use super::stack::Stack;
use super::{files, packages};
use crate::cli::DoctorArgs;
use crate::commands::check::Problems;
use crate::commands::distribution::Distribution;
use crate::commands::{resolve, rule_set, target_environment};
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;

/// An environment with all that was found in it.
#[derive(Debug)]
pub(super) struct Examination {
    /// The environment.
    pub(super) environment: Environment,
    /// As the installer sees it.
    pub(super) for_installer: bnbpip_installer::Environment,
    /// Its markers and tags.
    pub(super) target: Target,
    /// The rules that hold there.
    pub(super) rules: ActiveRules,
    /// The whole documents of a team's own rules, lowest layer first.
    pub(super) layers: Vec<RuleDocument>,
    /// What is installed.
    pub(super) scanned: InstalledEnvironment,
    /// The same, with its metadata.
    pub(super) installed: Vec<Distribution>,
    /// What the machine offers.
    pub(super) machine: Machine,
    /// Distributions of a name that another one in the same folder has.
    pub(super) doubled: Vec<InstalledDistribution>,
}

impl Examination {
    /// Looks at the environment that the settings name.
    ///
    /// # Errors
    /// When there is none, or it can't be read.
    pub(super) fn of(
        settings: &Settings,
        arguments: &DoctorArgs,
        printer: &Printer,
    ) -> Result<Self, Failure> {
        let environment = target_environment::find(settings)?;
        let interpreter = &environment.interpreter;
        let target = Target::from_interpreter(interpreter);
        let layers = &arguments.overlay.overlay;
        let overlay = rule_set::overlay(layers, &arguments.allow, settings)?;
        let rules = overlay.active(&interpreter.markers);
        let scanned = InstalledEnvironment::scan(&target_environment::library_dirs(interpreter))?;
        for path in &scanned.invalid {
            printer.verbose(&format!("Not a distribution: `{}`", path.display()));
        }
        let machine = Machine::of(interpreter, settings, &ThisMachine);
        for attempt in &machine.accelerators.trace {
            printer.verbose(&format!("Accelerators: {attempt}"));
        }
        let doubled = scanned
            .shadowed
            .iter()
            .filter(|shadowed| {
                scanned
                    .get(&shadowed.name)
                    .is_some_and(|first| first.location == shadowed.location)
            })
            .cloned()
            .collect();
        let scheme = interpreter.scheme(Placement::Environment)?;
        Ok(Self {
            for_installer: target_environment::for_installer(interpreter, &scheme),
            target,
            rules,
            layers: rule_set::layer_documents(layers, settings)?,
            installed: scanned
                .distributions
                .par_iter()
                .cloned()
                .map(Distribution::read)
                .collect(),
            scanned,
            machine,
            doubled,
            environment,
        })
    }

    /// The environment's own library folders, without those of the Python that it is made from.
    pub(super) fn own_folders(&self) -> Vec<PathBuf> {
        let folders = self.environment.interpreter.library_folders();
        folders.map(std::path::Path::to_path_buf).collect()
    }

    /// Whether the environment is one on Windows.
    pub(super) fn is_windows(&self) -> bool {
        self.environment.interpreter.markers.os_name() == "nt"
    }

    /// The machine as rules see it.
    pub(super) fn machine_facts(&self) -> resolve::machine::Machine {
        resolve::machine::Machine::known(resolve::machine::facts(&self.machine.accelerators))
    }

    /// The rules that a set breaks here.
    pub(super) fn evaluate(&self, set: &[Subject]) -> Vec<Broken> {
        self.rules.evaluate(set, &self.machine_facts())
    }

    /// What is wrong.
    ///
    /// # Errors
    /// When a folder can't be read.
    pub(super) fn diagnose(&self, printer: &Printer) -> Result<Diagnosis, Failure> {
        let markers = &self.environment.interpreter.markers;
        let mut problems = Problems::find(
            &self.installed,
            markers,
            &self.target.tags,
            &self.rules,
            &self.machine_facts(),
        );
        let stack = Stack::of(&self.installed);
        let machine = self.machine.accelerator_facts(self.is_windows());
        let torch_build = stack.torch_build(&self.installed, &machine)?;
        // What is known of the very build says it better than a rule about all of them.
        let is_known = |known: &Finding| matches!(known.code, "old-driver" | "gpu-code");
        if torch_build.as_ref().is_some_and(is_known) {
            let is_torch = |(name, _): &(PackageName, Version)| name.as_ref() == "torch";
            problems
                .findings
                .retain(|one| one.machine.is_empty() || !one.packages.iter().any(is_torch));
        }
        let python = self.environment.interpreter.version_info;
        let mut findings =
            packages::findings(&problems, &self.layers, &self.installed, markers, python);
        findings.extend(self.state_findings()?);
        let files = files::examine(self, printer.verbosity() > 0);
        findings.extend(stack.cuda_library(&findings, self.is_windows()));
        findings.extend(torch_build);
        findings.extend(machine::findings(self, &files, &self.machine));
        findings.extend(files.findings);
        let mut facts = self.facts();
        facts.extend(stack.facts());
        let mut diagnosis = Diagnosis {
            facts,
            findings,
            ..Diagnosis::default()
        };
        diagnosis.sort();
        Ok(diagnosis)
    }

    fn facts(&self) -> Vec<Fact> {
        let place = self.environment.root.display();
        vec![
            Fact {
                key: "python",
                label: "Python",
                value: self.target.description.clone(),
            },
            Fact {
                key: "environment",
                label: "In",
                value: format!("{place} ({})", self.environment.origin),
            },
            Fact {
                key: "packages",
                label: "Packages",
                value: self.installed.len().to_string(),
            },
        ]
        .into_iter()
        .chain(self.machine.facts())
        .collect()
    }

    /// Changes that were interrupted, ours and pip's.
    fn state_findings(&self) -> Result<Vec<Finding>, Failure> {
        let mut findings = Vec::new();
        if bnbpip_installer::has_pending(&self.for_installer.state_dir)? {
            findings.push(Finding::new(
                "interrupted-change",
                Severity::Broken,
                "A change of this environment was interrupted, and is finished or taken back by \
                 the next bnbpip command that changes it",
                Mend::Clean,
            ));
        }
        for leftover in bnbpip_installer::leftovers(&self.own_folders())? {
            let name = leftover.path.file_name().unwrap_or_default();
            findings.push(
                Finding::new(
                    "leftover",
                    Severity::Warning,
                    format!(
                        "`{}` was left by an interrupted uninstall and takes {}",
                        name.to_string_lossy(),
                        bnbpip_report::sizes::bytes(leftover.size_bytes)
                    ),
                    Mend::Clean,
                )
                .detail(format!("it is `{}`", leftover.path.display())),
            );
        }
        findings.extend(
            self.doubled
                .iter()
                .map(|doubled| self.recorded_twice(doubled)),
        );
        Ok(findings)
    }

    fn recorded_twice(&self, doubled: &InstalledDistribution) -> Finding {
        let first = self
            .installed
            .iter()
            .map(|distribution| &distribution.installed)
            .find(|other| other.name == doubled.name)
            .unwrap_or(doubled);
        let newest = std::cmp::max(&first.version, &doubled.version).clone();
        let name = doubled.name.clone();
        // Nothing can uninstall what has no list of its files.
        let unlisted = [first, doubled]
            .into_iter()
            .find(|one| !one.dist_info.join("RECORD").is_file());
        let mend = match unlisted {
            Some(one) => Mend::ByHand(format!("remove the folder `{}`", one.dist_info.display())),
            None => Mend::Reinstall(name.clone(), newest.clone()),
        };
        let sentence = format!(
            "{name} is recorded twice: as {} and as {}",
            first.version, doubled.version
        );
        Finding::new("recorded-twice", Severity::Broken, sentence, mend)
            .detail("an upgrade was interrupted, or two installers worked at once")
            .package(name, newest)
    }
}
