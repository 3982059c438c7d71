//! `bnbpip rules check`: which rules a set of exact versions breaks.

use std::path::Path;

use bnbpip_lock::LockMarker;
use bnbpip_overlay::{Finding, MachineFact, Severity, Subject, TestTarget, VirtualPackage};
use bnbpip_packaging::{MarkerEnvironment, Operator, VersionOrUrl, WheelFilename};

use crate::cli::rules::RulesCheckArgs;
use crate::commands::resolve::machine::Machine;
use crate::commands::resolve::remote_file;
use crate::commands::{lock, rule_set, target_environment};
use crate::configuration::settings::Settings;
use crate::failure::{Failure, exit_code};
use crate::printer::Printer;
use crate::request::{RequestedRequirement, RequirementsReader, Surroundings, is_lock_name};

pub(super) fn run(
    arguments: &RulesCheckArgs,
    settings: &Settings,
    printer: &'static Printer,
) -> Result<(), Failure> {
    let markers = markers(arguments, settings)?;
    let overlay = rule_set::overlay(&arguments.overlay.overlay, &arguments.allow, settings)?;
    let (facts, packages): (Vec<&String>, Vec<&String>) = arguments
        .packages
        .iter()
        .partition(|text| VirtualPackage::is_meant_by(text));
    let machine = machine(&facts, arguments, settings, printer)?;
    let set = set(&packages, arguments, settings, &markers, printer)?;
    let findings = overlay.active(&markers).evaluate(&set, &machine);
    if arguments.json {
        let all: Vec<_> = findings.iter().map(json).collect();
        printer.data(&serde_json::to_string_pretty(&all)?);
    } else {
        say(&findings, set.len(), printer);
    }
    let is_broken = |finding: &Finding| finding.rule.severity == Severity::Broken;
    if findings.iter().any(is_broken) {
        return Err(Failure::silent(exit_code::ERROR));
    }
    Ok(())
}

/// The machine that the facts of the command line describe, or the one that is meant without them.
fn machine(
    facts: &[&String],
    arguments: &RulesCheckArgs,
    settings: &Settings,
    printer: &'static Printer,
) -> Result<Machine, Failure> {
    if facts.is_empty() {
        return Ok(match arguments.environment {
            Some(_) => Machine::told(settings, printer),
            None => Machine::this(settings, printer),
        });
    }
    let facts = facts.iter().map(|text| text.parse::<MachineFact>());
    Ok(Machine::known(facts.collect::<Result<_, _>>()?))
}

fn say(findings: &[Finding], packages: usize, printer: &Printer) {
    for finding in findings {
        let sentence = bnbpip_report::rules::finding(finding);
        if finding.rule.severity == Severity::Broken {
            printer.info(&sentence);
        } else {
            printer.warning(&sentence);
        }
        if let Some(hint) = &finding.rule.hint {
            printer.hint(hint);
        }
    }
    if findings.is_empty() {
        let these = match packages {
            1 => "this package".to_owned(),
            several => format!("these {several} packages"),
        };
        printer.info(&format!("No rule speaks against {these}."));
    }
}

fn json(finding: &Finding) -> serde_json::Value {
    let packages = finding.packages.iter();
    let packages = packages.map(|(name, version)| (name.to_string(), version.to_string().into()));
    let facts = finding.machine.iter();
    let facts = facts.map(|fact| (fact.package.to_string(), fact.version.to_string().into()));
    let found: serde_json::Map<String, serde_json::Value> = packages.chain(facts).collect();
    let mut value = bnbpip_report::rules::json(&finding.rule);
    value["found"] = found.into();
    value
}

fn markers(arguments: &RulesCheckArgs, settings: &Settings) -> Result<MarkerEnvironment, Failure> {
    match &arguments.environment {
        Some(name) => Ok(name.parse::<TestTarget>()?.environment),
        // A set can be asked about without an environment: any Python tells what this machine is.
        None => match target_environment::find(settings) {
            Ok(found) => Ok(found.interpreter.markers),
            Err(failure) if settings.python.is_some() => Err(failure),
            Err(_) => any_python(settings),
        },
    }
}

fn any_python(settings: &Settings) -> Result<MarkerEnvironment, Failure> {
    let inputs = target_environment::discovery_inputs(settings)?;
    let prober = target_environment::prober(settings);
    match bnbpip_platform::find_interpreter(&inputs, &prober) {
        Ok(interpreter) => Ok(interpreter.markers),
        Err(error) => Err(target_environment::explained(error).hint(
            "or name what to check for with `--environment`, such as `--environment windows-3.11`",
        )),
    }
}

/// The packages of the command line and of the files whose markers hold.
fn set(
    packages: &[&String],
    arguments: &RulesCheckArgs,
    settings: &Settings,
    markers: &MarkerEnvironment,
    printer: &Printer,
) -> Result<Vec<Subject>, Failure> {
    let surroundings = Surroundings {
        working_directory: settings.environment.working_directory(),
        variable: &|name| settings.environment.get(name).map(str::to_owned),
    };
    let fetch = |url: &url::Url| remote_file::read(url, settings);
    let mut reader = RequirementsReader::new(surroundings, &fetch);
    let mut set: Vec<Subject> = Vec::new();
    for package in packages {
        match package.parse::<WheelFilename>() {
            Ok(wheel) => set.push(Subject::from(wheel)),
            Err(_) if is_lock(package) => set.extend(locked(package, markers, printer)?),
            Err(_) => reader.add(package)?,
        }
    }
    for file in &arguments.requirement_files {
        if is_lock(file) {
            set.extend(locked(file, markers, printer)?);
        } else {
            reader.read(file, false)?;
        }
    }
    for given in &reader.into_request().requirements {
        if given.requirement.marker.evaluate(markers, &[]) {
            set.push(pinned(given)?);
        }
    }
    if set.is_empty() {
        return Err(Failure::new(
            "You must give at least one package to check (see \"bnbpip help rules\")",
        ));
    }
    Ok(set)
}

/// Whether an argument names a lock.
fn is_lock(argument: &str) -> bool {
    let name = Path::new(argument).file_name();
    name.is_some_and(|name| is_lock_name(&name.to_string_lossy()))
}

/// What a lock holds for an environment, without extras and with its default groups.
fn locked(
    path: &str,
    markers: &MarkerEnvironment,
    printer: &Printer,
) -> Result<Vec<Subject>, Failure> {
    let lock = lock::read(Path::new(path), printer)?;
    let mut set = Vec::new();
    for package in lock.packages {
        let holds = |marker: &LockMarker| marker.evaluate(markers, &[], &lock.default_groups);
        if !package.marker.as_ref().is_none_or(holds) {
            continue;
        }
        let wheel = match package.wheels.as_slice() {
            [only] => only.name.parse::<WheelFilename>().ok(),
            _ => None,
        };
        match (wheel, package.version) {
            (Some(wheel), _) => set.push(Subject::from(wheel)),
            (None, Some(version)) => set.push(Subject::new(package.name, version)),
            // A source tree without a version breaks no rule about versions.
            (None, None) => {}
        }
    }
    Ok(set)
}

fn pinned(given: &RequestedRequirement) -> Result<Subject, Failure> {
    let requirement = &given.requirement;
    let version = match &requirement.version_or_url {
        Some(VersionOrUrl::VersionSpecifier(specifiers)) => specifiers
            .iter()
            .find(|one| matches!(one.operator(), Operator::Equal | Operator::ExactEqual))
            .map(|one| one.version().clone()),
        _ => None,
    };
    match version {
        Some(version) => Ok(Subject::new(requirement.name.clone(), version)),
        None => Err(Failure::new(format!(
            "Failed to check `{}`: it isn't pinned with `==`",
            given.raw
        ))
        .hint("`bnbpip install --dry-run` resolves ranges, with the rules in force")),
    }
}
