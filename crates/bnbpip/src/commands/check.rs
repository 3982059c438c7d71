//! `bnbpip check`: whether installed packages have what they require, suit the interpreter, and
//! break no overlay rule.

use bnbpip_overlay::{ActiveRules, Finding, Severity, Subject};
use bnbpip_packaging::{
    MarkerEnvironment, PackageName, Requirement, Tags, Version, VersionOrUrl, WheelMetadata, range,
};
use bnbpip_platform::Target;
use rustc_hash::FxHashMap;

use super::distribution::Distribution;
use super::resolve::machine::Machine;
use super::{rule_set, selection, target_environment};
use crate::cli::CheckArgs;
use crate::configuration::settings::Settings;
use crate::failure::{Failure, exit_code};
use crate::printer::Printer;

/// Checks what is installed.
///
/// # Errors
/// When something is wrong, which has then been printed; or when there is no environment.
pub(crate) fn run(
    arguments: &CheckArgs,
    settings: &Settings,
    printer: &'static Printer,
) -> Result<(), Failure> {
    let interpreter = target_environment::find(settings)?.interpreter;
    target_environment::settle(&interpreter, printer);
    let installed = selection::read_all(&target_environment::library_dirs(&interpreter), printer)?;
    let overlay = rule_set::overlay(&arguments.overlay.overlay, &arguments.allow, settings)?;
    let rules = overlay.active(&interpreter.markers);
    let target = Target::from_interpreter(&interpreter);

    let machine = Machine::of(&target, settings, printer);
    let (markers, tags) = (&interpreter.markers, &target.tags);
    let problems = Problems::find(&installed, markers, tags, &rules, &machine);
    for (name, error) in &problems.unreadable {
        printer.warning(&format!("Error parsing dependencies of {name}: {error}"));
    }
    for line in problems.lines() {
        printer.info(&line);
    }
    for finding in &problems.findings {
        let sentence = finding_sentence(finding);
        if finding.rule.severity == Severity::Broken {
            printer.info(&sentence);
        } else {
            printer.warning(&sentence);
        }
        if let Some(hint) = &finding.rule.hint {
            printer.hint(hint);
        }
    }
    if problems.is_broken() {
        return Err(Failure::silent(exit_code::ERROR));
    }
    printer.info("No broken requirements found.");
    Ok(())
}

/// What is wrong.
#[derive(Debug, Default)]
pub(super) struct Problems {
    /// Requirements of which nothing is installed.
    pub(super) missing: Vec<Unmet>,
    /// Requirements whose package is installed at another version.
    pub(super) conflicting: Vec<Unmet>,
    /// Packages whose wheels are for another interpreter or platform.
    pub(super) unsupported: Vec<(PackageName, Version)>,
    /// Packages whose version or requirements can't be read, and why.
    pub(super) unreadable: Vec<(PackageName, String)>,
    /// The rules that are broken.
    pub(super) findings: Vec<Finding>,
}

/// A requirement that isn't met.
#[derive(Debug, Clone)]
pub(super) struct Unmet {
    /// The package that has the requirement.
    pub(super) dependent: (PackageName, Version),
    /// What it requires.
    pub(super) requirement: Requirement,
    /// The same, as its metadata puts it.
    pub(super) shown: String,
    /// What is installed instead.
    pub(super) present: Option<Version>,
}

impl std::fmt::Display for Unmet {
    /// pip's sentence.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (name, version) = &self.dependent;
        let required = &self.requirement.name;
        match &self.present {
            Some(present) => write!(
                f,
                "{name} {version} has requirement {}, but you have {required} {present}.",
                self.shown
            ),
            None => write!(
                f,
                "{name} {version} requires {required}, which is not installed."
            ),
        }
    }
}

impl Problems {
    /// Looks at everything that is installed.
    pub(super) fn find(
        installed: &[Distribution],
        markers: &MarkerEnvironment,
        tags: &Tags,
        rules: &ActiveRules,
        machine: &Machine,
    ) -> Self {
        let versions: FxHashMap<&PackageName, &Version> = installed
            .iter()
            .map(|distribution| {
                (
                    &distribution.installed.name,
                    &distribution.installed.version,
                )
            })
            .collect();
        let mut problems = Self::default();
        for distribution in installed {
            let found = &distribution.installed;
            let raw_version = distribution.raw_version();
            if raw_version.parse::<Version>().is_err() {
                let unreadable = format!("Invalid version: '{raw_version}'");
                problems.unreadable.push((found.name.clone(), unreadable));
                continue;
            }
            let dependencies = match distribution.dependencies(markers) {
                Ok(dependencies) => dependencies,
                Err(error) => {
                    let unreadable = (found.name.clone(), error.to_string());
                    problems.unreadable.push(unreadable);
                    continue;
                }
            };
            let unmet = dependencies
                .iter()
                .filter(|dependency| !is_met(&dependency.requirement, &versions, rules))
                .map(|dependency| Unmet {
                    dependent: (found.name.clone(), found.version.clone()),
                    requirement: dependency.requirement.clone(),
                    shown: dependency.to_string(),
                    present: versions
                        .get(&dependency.requirement.name)
                        .map(|version| (*version).clone()),
                });
            let (mut conflicting, mut missing): (Vec<Unmet>, Vec<Unmet>) =
                unmet.partition(|unmet| unmet.present.is_some());
            // Several requirements on one missing package are one line.
            missing.sort_by(|a, b| a.requirement.name.cmp(&b.requirement.name));
            missing.dedup_by(|a, b| a.requirement.name == b.requirement.name);
            conflicting.sort_by(|a, b| a.shown.cmp(&b.shown));
            conflicting.dedup_by(|a, b| a.shown == b.shown);
            problems.missing.extend(missing);
            problems.conflicting.extend(conflicting);
        }
        problems.unsupported = unsupported(installed, tags);
        problems.findings = rules.evaluate(&subjects(installed), machine);
        problems
    }

    /// What isn't about rules, in pip's sentences.
    fn lines(&self) -> Vec<String> {
        let unmet = self.missing.iter().chain(&self.conflicting);
        let unsupported = self
            .unsupported
            .iter()
            .map(|(name, version)| format!("{name} {version} is not supported on this platform"));
        unmet.map(ToString::to_string).chain(unsupported).collect()
    }

    fn is_broken(&self) -> bool {
        !self.unreadable.is_empty()
            || !self.missing.is_empty()
            || !self.conflicting.is_empty()
            || !self.unsupported.is_empty()
            || self
                .findings
                .iter()
                .any(|finding| finding.rule.severity == Severity::Broken)
    }
}

/// Whether what is installed meets a requirement.
fn is_met(
    requirement: &Requirement,
    versions: &FxHashMap<&PackageName, &Version>,
    rules: &ActiveRules,
) -> bool {
    let present = versions.get(&requirement.name);
    if present.is_some_and(|version| accepts(requirement, version)) {
        return true;
    }
    // Another distribution may stand in: triton-windows for triton.
    rules.providers_of(&requirement.name).any(|(_, provides)| {
        versions
            .get(&provides.package)
            .and_then(|version| provides.provided_version(version))
            .is_some_and(|version| accepts(requirement, &version))
    })
}

fn accepts(requirement: &Requirement, version: &Version) -> bool {
    match &requirement.version_or_url {
        Some(VersionOrUrl::VersionSpecifier(specifiers)) => {
            range::from_specifiers(specifiers).contains(version)
        }
        Some(VersionOrUrl::Url(_)) | None => true,
    }
}

/// Packages whose wheels are for another interpreter or platform.
fn unsupported(installed: &[Distribution], tags: &Tags) -> Vec<(PackageName, Version)> {
    let supported: rustc_hash::FxHashSet<(&str, &str, &str)> = tags.iter().collect();
    installed
        .iter()
        .filter(|distribution| {
            let Some(wheel) = wheel_metadata(distribution) else {
                return false;
            };
            !wheel
                .tags
                .iter()
                .flat_map(|tag| expanded(tag))
                .any(|(python, abi, platform)| {
                    supported.contains(&(python.as_str(), abi.as_str(), platform.as_str()))
                })
        })
        .map(|distribution| {
            let found = &distribution.installed;
            (found.name.clone(), found.version.clone())
        })
        .collect()
}

/// What its `WHEEL` says.
pub(super) fn wheel_metadata(distribution: &Distribution) -> Option<WheelMetadata> {
    WheelMetadata::parse(&distribution.record_text("WHEEL")?).ok()
}

/// The single tags of a compressed one: `py2.py3-none-any` is two.
fn expanded(tag: &str) -> Vec<(String, String, String)> {
    let parts: Vec<Vec<String>> = tag
        .split('-')
        .map(|part| part.split('.').map(str::to_ascii_lowercase).collect())
        .collect();
    let [pythons, abis, platforms] = parts.as_slice() else {
        return Vec::new();
    };
    let mut tags = Vec::new();
    for python in pythons {
        for abi in abis {
            for platform in platforms {
                tags.push((python.clone(), abi.clone(), platform.clone()));
            }
        }
    }
    tags
}

/// The installed set as rules see it.
pub(super) fn subjects(installed: &[Distribution]) -> Vec<Subject> {
    installed
        .iter()
        .map(|distribution| {
            Subject::new(
                distribution.installed.name.clone(),
                distribution.installed.version.clone(),
            )
        })
        .collect()
}

/// A broken rule in one sentence, with the packages that break it.
fn finding_sentence(finding: &Finding) -> String {
    let concerned = bnbpip_report::rules::concerned(finding);
    let verb = match finding.rule.severity {
        Severity::Broken => "breaks",
        Severity::Avoid => "should be avoided by",
    };
    let title = finding.rule.title.trim_end_matches('.');
    format!(
        "{} {verb} rule {}: {title}.",
        concerned.join(" with "),
        finding.rule.id
    )
}

#[cfg(test)]
mod tests {
    use bnbpip_packaging::MarkerEnvironmentBuilder;

    use bnbpip_overlay::Overlay;

    use super::*;

    #[test]
    fn compressed_tags_are_expanded() {
        assert_eq!(expanded("py2.py3-none-any").len(), 2);
        assert_eq!(
            expanded("cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64").len(),
            2
        );
        assert_eq!(expanded("nonsense"), []);
    }

    fn markers(platform: &str) -> MarkerEnvironment {
        MarkerEnvironment::try_from(MarkerEnvironmentBuilder {
            implementation_name: "cpython",
            implementation_version: "3.11.0",
            os_name: "nt",
            platform_machine: "AMD64",
            platform_python_implementation: "CPython",
            platform_release: "10",
            platform_system: "Windows",
            platform_version: "10",
            python_full_version: "3.11.0",
            python_version: "3.11",
            sys_platform: platform,
        })
        .unwrap()
    }

    /// Whether the requirement is met when `installed` is there.
    fn met(requirement: &str, installed: &[(&str, &str)], platform: &str) -> bool {
        let rules = Overlay::embedded().unwrap().active(&markers(platform));
        let installed: Vec<(PackageName, Version)> = installed
            .iter()
            .map(|(name, version)| (name.parse().unwrap(), version.parse().unwrap()))
            .collect();
        let versions = installed
            .iter()
            .map(|(name, version)| (name, version))
            .collect();
        is_met(&requirement.parse().unwrap(), &versions, &rules)
    }

    #[test]
    fn another_distribution_may_stand_in() {
        let present = [("triton-windows", "3.2.0.post19")];
        assert!(met("triton==3.2.0", &present, "win32"));
        assert!(!met("triton==3.1.0", &present, "win32"));
        assert!(!met("triton==3.2.0", &present, "linux"));
    }

    #[test]
    fn versions_are_compared_as_installers_do() {
        assert!(met("torch==2.6.0", &[("torch", "2.6.0+cu124")], "linux"));
        assert!(!met("torch>2.6.0", &[("torch", "2.6.0+cu124")], "linux"));
        assert!(met("torch>=2", &[("torch", "2.7.0rc1")], "linux"));
        assert!(!met("torch", &[], "linux"));
    }
}
