//! `bnbpip audit`: which packages of an environment or a lock have known vulnerabilities.

mod advisories;

use std::collections::BTreeSet;

use bnbpip_audit::{Ignore, Verdict};
use bnbpip_installer::InstalledEnvironment;
use bnbpip_packaging::{PackageName, Version};
use bnbpip_report::audit::{AuditReport, AuditedPackage, Unaudited};
use bnbpip_report::counted;

use super::{lock, target_environment};
use crate::cli::AuditArgs;
use crate::configuration::settings::Settings;
use crate::failure::{Failure, exit_code};
use crate::printer::Printer;

/// Looks for vulnerabilities.
///
/// # Errors
/// When the advisories or the packages can't be read, and when something is found.
pub(crate) fn run(
    arguments: &AuditArgs,
    settings: &Settings,
    printer: &Printer,
) -> Result<(), Failure> {
    let source = arguments.db.as_ref();
    let source = source.map_or_else(|| from_project(settings), |db| Ok(db.clone()))?;
    let (packages, unaudited) = packages(arguments, settings, printer)?;
    let database = advisories::read(&source, settings)?;
    let report = report(
        packages,
        unaudited,
        &database,
        &ignored(arguments, settings),
    );
    for name in report
        .packages
        .iter()
        .map(|it| &it.name)
        .collect::<BTreeSet<_>>()
    {
        for id in database.unreadable(name) {
            printer.warning(&format!(
                "`{id}` is about {name}, and its ranges aren't made of versions: look at it yourself"
            ));
        }
    }
    tell(&report, arguments.json, printer)
}

fn tell(report: &AuditReport, as_json: bool, printer: &Printer) -> Result<(), Failure> {
    for expired in report.expired() {
        printer.warning(&expired);
    }
    for unaudited in &report.unaudited {
        printer.warning(&format!(
            "`{}` isn't audited: {}",
            unaudited.name, unaudited.reason
        ));
    }
    if as_json {
        printer.data(&serde_json::to_string_pretty(&report.json())?);
    } else if report.vulnerabilities() > 0 {
        printer.data(&report.text());
    }
    let ignored = match report.ignored() {
        0 => String::new(),
        count => format!(" ({count} ignored)"),
    };
    if report.vulnerabilities() == 0 {
        let packages = counted(report.packages.len(), "package");
        printer.status(&format!("No known vulnerabilities in {packages}{ignored}"));
        return Ok(());
    }
    let affected = report.affected();
    let found = if report.vulnerabilities() == 1 {
        "1 known vulnerability".to_owned()
    } else {
        format!("{} known vulnerabilities", report.vulnerabilities())
    };
    let mut failure = Failure::new(format!(
        "Found {found} in {}{ignored}",
        counted(affected, "package")
    ))
    .exit_with(exit_code::ERROR);
    let fixes = report.fixes();
    if !fixes.is_empty() {
        failure = failure.hint(format!("what is known to be fixed: {}", fixes.join(", ")));
    }
    Err(failure)
}

/// The database that the project names; relative to its file.
fn from_project(settings: &Settings) -> Result<String, Failure> {
    let project = &settings.project;
    let Some(db) = &project.options.audit.db else {
        return Err(Failure::new("Failed to audit: no advisories were named").hint(
            "pass `--db` with a folder, an archive or an address of an OSV export; `audit.db` in \
             `bnbpip.toml` or `[tool.bnbpip]` names it for everyone",
        ));
    };
    if db.contains("://") {
        return Ok(db.clone());
    }
    let folder = project.folder().unwrap_or(std::path::Path::new(""));
    Ok(folder.join(db).to_string_lossy().into_owned())
}

fn ignored(arguments: &AuditArgs, settings: &Settings) -> Vec<Ignore> {
    let typed = arguments.ignore_vuln.iter().map(|id| Ignore {
        id: id.clone(),
        reason: String::new(),
        until: None,
    });
    let configured = settings.project.options.audit.ignore.iter();
    let configured = configured.map(|entry| Ignore {
        id: entry.id.clone(),
        reason: entry.reason.clone(),
        until: Some(entry.until.0),
    });
    typed.chain(configured).collect()
}

type Packages = BTreeSet<(PackageName, Version)>;

/// The packages and their versions, and those that can't be looked at.
fn packages(
    arguments: &AuditArgs,
    settings: &Settings,
    printer: &Printer,
) -> Result<(Packages, Vec<Unaudited>), Failure> {
    let Some(file) = &arguments.lock else {
        let interpreter = target_environment::find_to_read(settings)?;
        let folders = target_environment::library_dirs(&interpreter);
        let installed = InstalledEnvironment::scan(&folders)?.distributions;
        let packages = installed.into_iter().map(|it| (it.name, it.version));
        return Ok((packages.collect(), Vec::new()));
    };
    let path = settings.environment.working_directory().join(file);
    let lock = lock::read(&path, printer)?;
    let mut packages = Packages::new();
    let mut unaudited = Vec::new();
    for package in lock.packages {
        match package.version {
            Some(version) => drop(packages.insert((package.name, version))),
            None => unaudited.push(Unaudited {
                name: package.name,
                reason: "the lock has no version of it",
            }),
        }
    }
    Ok((packages, unaudited))
}

fn report(
    packages: Packages,
    unaudited: Vec<Unaudited>,
    database: &bnbpip_audit::Database,
    list: &[Ignore],
) -> AuditReport {
    let today = jiff::tz::Offset::UTC
        .to_datetime(jiff::Timestamp::now())
        .date();
    let packages = packages.into_iter().map(|(name, version)| {
        let mut package = AuditedPackage {
            findings: Vec::new(),
            ignored: Vec::new(),
            expired: Vec::new(),
            name,
            version,
        };
        for finding in database.findings(&package.name, &package.version) {
            match Ignore::verdict(list, &finding, today) {
                Verdict::Ignored(ignore) => package.ignored.push((finding, ignore.clone())),
                Verdict::Expired(ignore) => {
                    package.expired.push((finding.id.clone(), ignore.clone()));
                    package.findings.push(finding);
                }
                Verdict::Counts => package.findings.push(finding),
            }
        }
        package
    });
    AuditReport {
        packages: packages.collect(),
        unaudited,
    }
}
