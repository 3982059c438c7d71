//! `install -r pylock.toml[extra]`: what a lock has, beside what is installed already.

use std::path::Path;

use bnbpip_installer::InstallOptions;

use super::options_of;
use crate::cli::InstallArgs;
use crate::commands::sync::{Syncing, Wish};
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::request::{is_lock_name, normalized};

/// A lock file that was named in place of a requirements file.
pub(super) struct Locked {
    file: String,
    extras: Vec<String>,
}

impl Locked {
    /// The lock among the arguments, if there is one.
    ///
    /// # Errors
    /// When there is something beside it that doesn't go together with a lock.
    pub(super) fn of(arguments: &InstallArgs) -> Result<Option<Self>, Failure> {
        let mut found: Option<Self> = None;
        let mut others = arguments.requirements.len() + arguments.editables.len();
        others += arguments.resolve.profiles.len() + arguments.resolve.constraint_files.len();
        for text in &arguments.resolve.requirement_files {
            let (file, extras) = with_extras(text);
            let name = file.rsplit(['/', '\\']).next().unwrap_or_default();
            if !is_lock_name(name) {
                others += 1;
                continue;
            }
            let extras = extras.split(',').map(str::trim).filter(|it| !it.is_empty());
            let extras: Vec<String> = extras.map(normalized).collect();
            match &mut found {
                Some(known) if known.file == file => known.extras.extend(extras),
                Some(known) => {
                    return Err(Failure::new(format!(
                        "Failed to install `{file}` together with `{}`: one lock at a time",
                        known.file
                    )));
                }
                None => {
                    found = Some(Self {
                        file: file.to_owned(),
                        extras,
                    });
                }
            }
        }
        if let Some(locked) = &found {
            locked.check(arguments, others)?;
        }
        Ok(found)
    }

    fn check(&self, arguments: &InstallArgs, others: usize) -> Result<(), Failure> {
        let file = &self.file;
        if others > 0 {
            return Err(Failure::new(format!(
                "Failed to install `{file}` together with other requirements: a lock is complete"
            ))
            .hint("install the lock first, then the others"));
        }
        if file.contains("://") {
            return Err(Failure::new(format!(
                "Failed to read `{file}`: locks are read from this machine"
            ))
            .hint("download it and give its path"));
        }
        let elsewhere = [
            ("--target", arguments.target.is_some()),
            ("--prefix", arguments.prefix.is_some()),
            ("--root", arguments.root.is_some()),
            ("--user", arguments.user),
            ("--venv", arguments.venv.is_some()),
            ("--report", arguments.report.is_some()),
            ("--force-reinstall", arguments.force_reinstall),
            ("--ignore-installed", arguments.ignore_installed),
        ];
        let mut given = elsewhere.iter().filter(|(_, given)| *given);
        if let Some((option, _)) = given.next() {
            return Err(Failure::new(format!(
                "Failed to install `{file}` with `{option}`: a lock makes an environment what it says"
            )));
        }
        if arguments.target_python.request()?.is_empty() {
            return Ok(());
        }
        Err(Failure::new(format!(
            "Platform and interpreter constraints using --python-version, --platform, --abi, or \
             --implementation, are not supported when selecting requirements from '{file}'"
        )))
    }

    /// Installs what the lock has. What it hasn't stays.
    ///
    /// # Errors
    /// When the lock isn't for the environment, or it can't be done.
    pub(super) fn install(
        self,
        arguments: &InstallArgs,
        settings: &Settings,
        printer: &'static Printer,
    ) -> Result<(), Failure> {
        let of_project = settings.project.options.accelerator.as_deref();
        let syncing = Syncing {
            wheelhouse: None,
            file: Path::new(&self.file),
            extras: self.extras,
            groups: Vec::new(),
            with_default_groups: true,
            accelerator: Wish(arguments.resolve.accelerator().or(of_project)),
            inexact: true,
            dry_run: arguments.dry_run,
            break_system_packages: arguments.break_system_packages,
            progress_bar: arguments.progress_bar,
            resolve: &arguments.resolve,
            options: InstallOptions {
                command: format!("install -r {}", self.file),
                ..options_of(arguments, settings)
            },
        };
        syncing.run(settings, printer)
    }
}

/// `pylock.toml[a,b]` as its parts.
fn with_extras(text: &str) -> (&str, &str) {
    let inner = text
        .strip_suffix(']')
        .and_then(|text| text.rsplit_once('['));
    inner.unwrap_or((text, ""))
}
