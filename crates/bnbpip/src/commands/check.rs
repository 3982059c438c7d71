//! `bnbpip check`: whether installed packages have what they require, suit the interpreter, and
//! break no overlay rule.

use std::collections::BTreeSet;

use bnbpip_overlay::{ActiveRules, Finding, Overlay, RuleId, Severity, Subject};
use bnbpip_packaging::{
    MarkerEnvironment, PackageName, Requirement, Tags, Version, VersionOrUrl, WheelMetadata, range,
};
use bnbpip_platform::Target;
use rustc_hash::FxHashMap;

use super::distribution::{Dependency, Distribution};
use super::{selection, target_environment};
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
    printer: &Printer,
) -> Result<(), Failure> {
    let interpreter = target_environment::find(settings)?.interpreter;
    let installed = selection::read_all(&target_environment::library_dirs(&interpreter), printer)?;
    let allowed: Vec<RuleId> = arguments
        .allow
        .iter()
        .map(|id| id.parse())
        .collect::<Result<_, _>>()?;
    let rules = Overlay::embedded()?
        .without(&allowed)
        .active(&interpreter.markers);
    let target = Target::from_interpreter(&interpreter);

    let problems = Problems::find(
        &installed,
        &interpreter.markers,
        &target.tags,
        &rules,
        printer,
    );
    for line in &problems.lines {
        printer.info(line);
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
struct Problems {
    lines: Vec<String>,
    findings: Vec<Finding>,
    has_unreadable: bool,
}

impl Problems {
    fn find(
        installed: &[Distribution],
        markers: &MarkerEnvironment,
        tags: &Tags,
        rules: &ActiveRules,
        printer: &Printer,
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
        let mut missing = Vec::new();
        let mut conflicting = Vec::new();
        for distribution in installed {
            let (name, version) = (
                &distribution.installed.name,
                &distribution.installed.version,
            );
            let dependencies = match distribution.dependencies(markers) {
                Ok(dependencies) => dependencies,
                Err(error) => {
                    printer.warning(&format!("Error parsing dependencies of {name}: {error}"));
                    problems.has_unreadable = true;
                    continue;
                }
            };
            let (mut absent, mut unsuitable) = (BTreeSet::new(), BTreeSet::new());
            for dependency in &dependencies {
                judge(dependency, &versions, rules, &mut absent, &mut unsuitable);
            }
            missing.extend(absent.into_iter().map(|required| {
                format!("{name} {version} requires {required}, which is not installed.")
            }));
            conflicting.extend(unsuitable.into_iter().map(|(requirement, present)| {
                format!("{name} {version} has requirement {requirement}, but you have {present}.")
            }));
        }
        problems.lines.extend(missing);
        problems.lines.extend(conflicting);
        problems.lines.extend(unsupported(installed, tags));
        problems.findings = rules.evaluate(&subjects(installed));
        problems
    }

    fn is_broken(&self) -> bool {
        self.has_unreadable
            || !self.lines.is_empty()
            || self
                .findings
                .iter()
                .any(|finding| finding.rule.severity == Severity::Broken)
    }
}

/// Sorts a dependency that isn't met into the missing or the unsuitable ones.
fn judge(
    dependency: &Dependency,
    versions: &FxHashMap<&PackageName, &Version>,
    rules: &ActiveRules,
    absent: &mut BTreeSet<String>,
    unsuitable: &mut BTreeSet<(String, String)>,
) {
    let requirement = &dependency.requirement;
    let present = versions.get(&requirement.name);
    if present.is_some_and(|version| accepts(requirement, version)) {
        return;
    }
    // Another distribution may stand in: triton-windows for triton.
    let stands_in = rules.providers_of(&requirement.name).any(|(_, provides)| {
        versions
            .get(&provides.package)
            .and_then(|version| provides.provided_version(version))
            .is_some_and(|version| accepts(requirement, &version))
    });
    if stands_in {
        return;
    }
    match present {
        Some(version) => {
            unsuitable.insert((
                dependency.to_string(),
                format!("{} {version}", requirement.name),
            ));
        }
        None => {
            absent.insert(requirement.name.to_string());
        }
    }
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
fn unsupported(installed: &[Distribution], tags: &Tags) -> Vec<String> {
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
            let (name, version) = (distribution.name(), distribution.version());
            format!("{name} {version} is not supported on this platform")
        })
        .collect()
}

fn wheel_metadata(distribution: &Distribution) -> Option<WheelMetadata> {
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

fn subjects(installed: &[Distribution]) -> Vec<Subject> {
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
    let packages: Vec<String> = finding
        .packages
        .iter()
        .map(|(name, version)| format!("{name} {version}"))
        .collect();
    let verb = match finding.rule.severity {
        Severity::Broken => "breaks",
        Severity::Avoid => "should be avoided by",
    };
    let title = finding.rule.title.trim_end_matches('.');
    format!(
        "{} {verb} rule {}: {title}.",
        packages.join(" with "),
        finding.rule.id
    )
}

#[cfg(test)]
mod tests {
    use bnbpip_packaging::MarkerEnvironmentBuilder;

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

    /// What is missing and what is unsuitable when `installed` is there.
    fn judged(requirement: &str, installed: &[(&str, &str)], platform: &str) -> (usize, usize) {
        let rules = Overlay::embedded().unwrap().active(&markers(platform));
        let installed: Vec<(PackageName, Version)> = installed
            .iter()
            .map(|(name, version)| (name.parse().unwrap(), version.parse().unwrap()))
            .collect();
        let versions = installed
            .iter()
            .map(|(name, version)| (name, version))
            .collect();
        let (mut absent, mut unsuitable) = (BTreeSet::new(), BTreeSet::new());
        let dependency = Dependency::parse(requirement).unwrap();
        judge(&dependency, &versions, &rules, &mut absent, &mut unsuitable);
        (absent.len(), unsuitable.len())
    }

    #[test]
    fn another_distribution_may_stand_in() {
        let present = [("triton-windows", "3.2.0.post19")];
        assert_eq!(judged("triton==3.2.0", &present, "win32"), (0, 0));
        assert_eq!(judged("triton==3.1.0", &present, "win32"), (1, 0));
        assert_eq!(judged("triton==3.2.0", &present, "linux"), (1, 0));
    }

    #[test]
    fn versions_are_compared_as_installers_do() {
        assert_eq!(
            judged("torch==2.6.0", &[("torch", "2.6.0+cu124")], "linux"),
            (0, 0)
        );
        assert_eq!(
            judged("torch>2.6.0", &[("torch", "2.6.0+cu124")], "linux"),
            (0, 1)
        );
        assert_eq!(
            judged("torch>=2", &[("torch", "2.7.0rc1")], "linux"),
            (0, 0)
        );
        assert_eq!(judged("torch", &[], "linux"), (1, 0));
    }
}
