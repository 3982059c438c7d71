//! Trying out what would be installed, without installing it: the printed command is one that the
//! solver has found a solution for.

use std::sync::Arc;

use bnbpip_installer::InstalledEnvironment;
use bnbpip_overlay::{RuleId, Severity, Subject};
use bnbpip_packaging::{PackageName, Version, requirement};
use bnbpip_report::doctor::{Finding, Mend};
use bnbpip_resolver::Source;
use rustc_hash::{FxHashMap, FxHashSet};

use super::examination::Examination;
use crate::cli::{self, Command, Parsed};
use crate::commands::resolve::accelerator::{Accelerator, accelerator_of};
use crate::commands::resolve::{
    CommandWords, Connections, InstalledPolicy, LockedFiles, Resolving, installed, requirements,
};
use crate::commands::rule_set;
use crate::configuration::settings::{Network, Settings};
use crate::failure::Failure;
use crate::printer::Printer;

/// A report shouldn't wait long for an index that can't be reached.
const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);

/// What a trial came to.
#[derive(Debug)]
pub(super) struct Solution {
    /// The requirements to ask for: exact versions of what changes.
    pub(super) requirements: Vec<String>,
    /// Everything that changes, with its new version.
    pub(super) changes: FxHashMap<PackageName, Version>,
}

/// Resolves in place of `bnbpip install`, with the same settings.
pub(super) struct Trial<'a> {
    pub(super) examination: &'a Examination,
    pub(super) settings: &'a Settings,
    pub(super) printer: &'static Printer,
    /// Further words of the command, such as `--allow BNB-0001`.
    pub(super) options: Vec<String>,
}

impl Trial<'_> {
    /// The smallest change that mends the findings that are about versions: the packages that the
    /// rules would rather see changed first, everything else at its version; then ever more
    /// freedom. A solution must leave no rule broken.
    ///
    /// # Errors
    /// With the first attempt's failure, when none has a solution.
    pub(super) fn mend(&self, findings: &[Finding]) -> Result<Option<Solution>, Failure> {
        let mut first_failure = None;
        let mut tried = FxHashSet::default();
        let mut removed: FxHashSet<&PackageName> = FxHashSet::default();
        for finding in findings {
            if let Mend::Separate { remove, .. } = &finding.mend {
                removed.extend(remove);
            }
        }
        let mended: Vec<&RuleId> = findings
            .iter()
            .filter(|finding| matches!(finding.mend, Mend::Change(_) | Mend::Require(_)))
            .filter_map(|finding| finding.rule.as_ref())
            .collect();
        for wishes in attempts(findings) {
            if wishes.is_empty() || !tried.insert(wishes.clone()) {
                continue;
            }
            match self.resolve(&wishes, &[], InstalledPolicy::default()) {
                Ok(changes) => {
                    if !self.leaves_a_rule_broken(&changes, &mended, &removed) {
                        return Ok(Some(solution(&wishes, changes)));
                    }
                }
                Err(failure) => first_failure = first_failure.or(Some(failure)),
            }
        }
        match first_failure {
            Some(failure) => Err(failure),
            None => Ok(None),
        }
    }

    /// Whether all of these versions can be had again.
    pub(super) fn has(&self, packages: &[(PackageName, Version)]) -> bool {
        let policy = InstalledPolicy {
            ignored: true,
            upgrade: None,
        };
        let pins = packages
            .iter()
            .map(|(name, version)| format!("{name}=={version}"));
        let wishes: Vec<String> = pins.collect();
        let options = ["--no-deps".to_owned()];
        wishes.is_empty() || self.resolve(&wishes, &options, policy).is_ok()
    }

    /// Whether the accelerator's index has these.
    ///
    /// # Errors
    /// When it doesn't, or can't be asked.
    pub(super) fn has_builds(
        &self,
        accelerator: &str,
        requirements: &[String],
    ) -> Result<(), Failure> {
        let policy = InstalledPolicy {
            ignored: true,
            upgrade: None,
        };
        let options = ["--no-deps", "--accelerator", accelerator].map(str::to_owned);
        self.resolve(requirements, &options, policy).map(drop)
    }

    /// What would change if this were asked for.
    fn resolve(
        &self,
        wishes: &[String],
        options: &[String],
        policy: InstalledPolicy,
    ) -> Result<FxHashMap<PackageName, Version>, Failure> {
        let words = ["bnbpip", "install"].map(str::to_owned).into_iter();
        // The same builds as the printed command takes.
        let accelerator = accelerator_of(&self.examination.scanned, None, wishes);
        let accelerator = accelerator.map(|name| ["--accelerator".to_owned(), name]);
        let words = words.chain(accelerator.into_iter().flatten());
        let words = words.chain(self.options.iter().chain(options).chain(wishes).cloned());
        let words = words.map(Into::into).collect();
        let environment = &self.settings.environment;
        let Parsed::Run(cli, _) = cli::parse(words, environment)? else {
            return Ok(FxHashMap::default());
        };
        let Some(Command::Install(arguments)) = &cli.command else {
            return Ok(FxHashMap::default());
        };
        let settings = Settings {
            network: Network {
                retries: 0,
                timeout: self.settings.network.timeout.min(TIMEOUT),
                ..self.settings.network.clone()
            },
            ..self.settings.clone()
        };
        let (options, printer) = (&arguments.resolve, self.printer);
        let mut request = requirements::read(
            "install",
            &arguments.requirements,
            options,
            &settings,
            printer,
        )?;
        if let Some(name) = options.accelerator().filter(|name| *name != "auto") {
            Accelerator::named(name, options, &mut request)?;
        }
        let overlay = rule_set::overlay(&options.overlay.overlay, &options.allow, &settings)?;
        let target = &self.examination.target;
        let rules = Arc::new(overlay.active(&target.markers));
        let constraints = requirements::constraints(&request, &target.markers);
        let resolving = Resolving {
            options,
            policy,
            command: CommandWords {
                name: "install",
                options: String::new(),
            },
            settings: &settings,
            printer,
            request: &request,
            target,
            overlay,
            rules,
            constraints,
            sources: None,
            machine: self.examination.machine_facts(),
            preferred: bnbpip_resolver::PreferredVersions::default(),
            connections: Connections::default(),
            locked: LockedFiles::default(),
        };
        let everything: &InstalledEnvironment = &self.examination.scanned;
        let resolved = resolving.run(installed::for_solver(everything))?;
        let packages = resolved.resolution.packages.into_iter();
        Ok(packages
            .filter(|package| matches!(package.source, Source::Index(_) | Source::Direct { .. }))
            .map(|package| (package.name, package.version))
            .collect())
    }

    /// Whether a rule would be broken after these changes, or one of those that are to be mended
    /// merely advised against. What another step removes is gone.
    fn leaves_a_rule_broken(
        &self,
        changes: &FxHashMap<PackageName, Version>,
        mended: &[&RuleId],
        removed: &FxHashSet<&PackageName>,
    ) -> bool {
        let kept = self
            .examination
            .scanned
            .distributions
            .iter()
            .filter(|distribution| {
                let name = &distribution.name;
                !changes.contains_key(name) && !removed.contains(name)
            })
            .map(|distribution| (&distribution.name, &distribution.version));
        let subjects: Vec<Subject> = kept
            .chain(changes)
            .map(|(name, version)| Subject::new(name.clone(), version.clone()))
            .collect();
        let broken = self.examination.evaluate(&subjects);
        broken.iter().any(|finding| {
            finding.rule.severity == Severity::Broken || mended.contains(&&finding.rule.id)
        })
    }
}

/// What to ask for, the smallest change first.
fn attempts(findings: &[Finding]) -> [Vec<String>; 4] {
    [
        wishes(findings, 0, true),
        wishes(findings, 0, false),
        wishes(findings, 1, true),
        wishes(findings, usize::MAX, false),
    ]
}

/// One attempt: of each finding this choice moves (none in particular for a number that is out of
/// reach), the other packages concerned stay where they are or are free.
fn wishes(findings: &[Finding], choice: usize, pinned: bool) -> Vec<String> {
    let mut asked: Vec<(PackageName, String)> = Vec::new();
    let mut others: Vec<(PackageName, String)> = Vec::new();
    let mut required: Vec<String> = Vec::new();
    for finding in findings {
        match &finding.mend {
            Mend::Change(choices) => {
                let moved = choices.get(choice).or(if choice == usize::MAX {
                    None
                } else {
                    choices.first()
                });
                asked.extend(moved.cloned());
                for (name, version) in &finding.packages {
                    let text = if pinned {
                        format!("{name}=={version}")
                    } else {
                        name.to_string()
                    };
                    others.push((name.clone(), text));
                }
            }
            Mend::Require(requirements) => required.extend(requirements.iter().cloned()),
            _ => {}
        }
    }
    let moved: FxHashSet<PackageName> = asked.iter().map(|(name, _)| name.clone()).collect();
    others.retain(|(name, _)| !moved.contains(name));
    let mut wishes: Vec<String> = asked
        .into_iter()
        .chain(others)
        .map(|(_, text)| text)
        .chain(required)
        .collect();
    wishes.sort();
    wishes.dedup();
    wishes
}

/// Exact versions of those that were asked for and change.
fn solution(wishes: &[String], changes: FxHashMap<PackageName, Version>) -> Solution {
    let mut requirements: Vec<String> = wishes
        .iter()
        .filter_map(|wish| {
            let requirement = requirement::parse(wish).ok()?;
            let version = changes.get(&requirement.name)?;
            let extras: Vec<&str> = requirement.extras.iter().map(AsRef::as_ref).collect();
            let extras = if extras.is_empty() {
                String::new()
            } else {
                format!("[{}]", extras.join(","))
            };
            Some(format!("{}{extras}=={version}", requirement.name))
        })
        .collect();
    requirements.sort();
    requirements.dedup();
    Solution {
        requirements,
        changes,
    }
}

#[cfg(test)]
mod tests {
    use bnbpip_report::doctor::Severity;

    use super::*;

    fn pair(choices: &[(&str, &str)], packages: &[(&str, &str)]) -> Finding {
        let choices = choices
            .iter()
            .map(|(name, text)| (name.parse().unwrap(), (*text).to_owned()))
            .collect();
        let mut finding = Finding::new("rule", Severity::Broken, "", Mend::Change(choices));
        for (name, version) in packages {
            finding = finding.package(name.parse().unwrap(), version.parse().unwrap());
        }
        finding
    }

    #[test]
    fn attempts_grow_freer() {
        let findings = [
            pair(
                &[("a", "a>=2"), ("torch", "torch")],
                &[("a", "1"), ("torch", "2.4+cpu")],
            ),
            Finding::new("", Severity::Broken, "", Mend::Require(vec!["z[x]".into()])),
        ];
        assert_eq!(
            attempts(&findings),
            [
                vec!["a>=2".to_owned(), "torch==2.4+cpu".into(), "z[x]".into()],
                vec!["a>=2".into(), "torch".into(), "z[x]".into()],
                vec!["a==1".into(), "torch".into(), "z[x]".into()],
                vec!["a".into(), "torch".into(), "z[x]".into()],
            ]
        );
    }
}
