//! `bnbpip bundle`: request → one resolution for each environment → files in a folder, with the lock,
//! the rules and a static index. Of a lock the resolution is there already.

mod files;
mod narrow;
mod static_index;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use bnbpip_lock::Lock;
use bnbpip_platform::{OperatingSystem, Target};

use self::files::Files;
use super::lock::environments::{LockTarget, targets};
use super::resolve::network;
use super::{lock, rules, target_environment};
use crate::cli::{BundleArgs, LockArgs};
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;

/// The folder of the wheels in a bundle.
const WHEELS: &str = "wheels";
/// The folder of the index in a bundle.
const SIMPLE: &str = "simple";
/// The lock of a bundle.
const LOCK: &str = "pylock.toml";
/// The rules of a bundle.
const RULES: &str = "rules.json";

/// Fills a folder for machines without network.
///
/// # Errors
/// When there is no solution, a file can't be had, or the folder holds something else.
pub(crate) fn run(
    arguments: &BundleArgs,
    settings: &Settings,
    printer: &'static Printer,
) -> Result<(), Failure> {
    let folder = settings
        .environment
        .working_directory()
        .join(&arguments.output);
    let old = check_folder(&folder, printer)?;
    let files = Files {
        arguments,
        settings,
        printer,
        wheels: folder.join(WHEELS),
        brought: RefCell::default(),
    };
    let bundled = if let Some(path) = lock_file(arguments)? {
        let path = settings.environment.working_directory().join(path);
        let lock = lock::read(&path, printer)?;
        let names = named_environments(arguments, settings, false)?;
        let targets = if names.is_empty() {
            Vec::new()
        } else {
            targets(&names, lock.requires_python.as_ref(), settings)?
        };
        let lock = narrow::narrowed(lock, &targets)?;
        files.of_lock(lock, path.parent().unwrap_or(Path::new("")))?
    } else {
        let environments = named_environments(arguments, settings, true)?;
        let arguments = lock_arguments(arguments, environments);
        let (lock, folder) = lock::solved(&arguments, settings, printer)?;
        files.of_lock(narrow::narrowed(lock, &[])?, &folder)?
    };
    let rules = rules::exported(
        &arguments.resolve.overlay.overlay,
        &arguments.resolve.allow,
        settings,
    )?;
    write(&folder, &bundled, &rules)?;
    remove_old(&folder, &old, &bundled)?;
    say(arguments, &bundled, printer);
    Ok(())
}

/// The lock of the bundle that the folder holds already; an empty one if it is new.
fn check_folder(folder: &Path, printer: &Printer) -> Result<Lock, Failure> {
    let is_empty = match fs_err::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
        Err(error) => return Err(error.into()),
    };
    if is_empty {
        return Ok(Lock::default());
    }
    let unfinished = !folder.join(LOCK).exists() && folder.join(WHEELS).is_dir();
    if unfinished && fs_err::read_dir(folder)?.count() == 1 {
        return Ok(Lock::default());
    }
    let is_bundle = folder.join(RULES).is_file() && folder.join(SIMPLE).is_dir();
    match lock::read(&folder.join(LOCK), printer) {
        Ok(lock) if is_bundle => Ok(lock),
        _ => Err(Failure::new(format!(
            "Failed to bundle into `{}`: it holds other files",
            folder.display()
        ))
        .hint("name a new folder, or an empty one")),
    }
}

/// The lock that is to be bundled, if one is named.
fn lock_file(arguments: &BundleArgs) -> Result<Option<PathBuf>, Failure> {
    let files = arguments.resolve.requirement_files.iter();
    let mut named = arguments.requirements.iter().chain(files);
    let locks: Vec<&String> = named.clone().filter(|text| is_lock(text)).collect();
    match &locks[..] {
        [] => Ok(None),
        [lock] if named.all(|text| text == *lock) => Ok(Some(PathBuf::from(lock))),
        _ => Err(
            Failure::new("Failed to bundle a lock together with something else")
                .hint("lock all of it first: `bnbpip lock`"),
        ),
    }
}

/// `pylock.toml` and `pylock.NAME.toml`, as PEP 751 names them.
fn is_lock(text: &str) -> bool {
    let name = text.rsplit(['/', '\\']).next().unwrap_or(text);
    let middle = name
        .strip_prefix("pylock.")
        .and_then(|rest| rest.strip_suffix("toml"));
    middle.is_some_and(|middle| middle.is_empty() || middle.ends_with('.'))
}

/// The names of the environments; with `fill`, this machine's where none is named.
fn named_environments(
    arguments: &BundleArgs,
    settings: &Settings,
    fill: bool,
) -> Result<Vec<String>, Failure> {
    if !arguments.environments.is_empty() {
        return Ok(arguments.environments.clone());
    }
    let (platform, python) = (&arguments.python_platform, &arguments.python_version);
    if platform.is_none() && python.is_none() && !fill {
        return Ok(Vec::new());
    }
    let platform = match platform {
        Some(platform) => platform.clone(),
        None => own_platform(settings)?,
    };
    Ok(vec![match python {
        Some(python) => format!("{platform}-{python}"),
        None => platform,
    }])
}

/// This machine, as environments are named.
fn own_platform(settings: &Settings) -> Result<String, Failure> {
    let interpreter = target_environment::find_to_read(settings)?;
    let target = Target::from_interpreter(&interpreter);
    let machine = target.markers.platform_machine().to_lowercase();
    Ok(match target.operating_system {
        OperatingSystem::Windows => "windows".into(),
        OperatingSystem::MacOs => format!("macos-{machine}"),
        _ if machine == "x86_64" => "linux".into(),
        _ => format!("linux-{machine}"),
    })
}

/// The same request as `lock` takes it.
fn lock_arguments(arguments: &BundleArgs, environments: Vec<String>) -> LockArgs {
    let mut resolve = arguments.resolve.clone();
    // Nothing is built from a bundle.
    resolve.index.format_control = resolve.index.format_control.with_wheels_alone();
    LockArgs {
        action: None,
        preferences: Vec::new(),
        resolve_conflicts: false,
        merge: Vec::new(),
        requirements: arguments.requirements.clone(),
        editables: Vec::new(),
        output: PathBuf::from("-"),
        environments,
        check: false,
        online: false,
        upgrade: true,
        upgrade_package: Vec::new(),
        resolve,
    }
}

/// Writes what isn't a wheel, the lock last: a folder without it is no bundle yet.
fn write(folder: &Path, lock: &Lock, rules: &serde_json::Value) -> Result<(), Failure> {
    let simple = folder.join(SIMPLE);
    if simple.exists() {
        fs_err::remove_dir_all(&simple)?;
    }
    static_index::write(&simple, lock)?;
    let rules = serde_json::to_string_pretty(rules)?;
    fs_err::write(folder.join(RULES), rules + "\n")?;
    fs_err::write(folder.join(LOCK), lock.to_toml())?;
    Ok(())
}

/// Removes the wheels that the older bundle in the folder had and this one has not.
fn remove_old(folder: &Path, old: &Lock, new: &Lock) -> Result<(), Failure> {
    let names = |lock: &Lock| -> BTreeSet<String> {
        let wheels = lock.packages.iter().flat_map(|package| &package.wheels);
        wheels
            .filter(|wheel| wheel.path.as_deref() == Some(&*path_of(&wheel.name)))
            .map(|wheel| wheel.name.clone())
            .collect()
    };
    for gone in names(old).difference(&names(new)) {
        match fs_err::remove_file(folder.join(WHEELS).join(gone)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error.into());
            }
            _ => {}
        }
    }
    Ok(())
}

/// A wheel's path from the lock's folder.
fn path_of(name: &str) -> String {
    format!("{WHEELS}/{name}")
}

/// What there is now, and what to type on the machine without network.
fn say(arguments: &BundleArgs, lock: &Lock, printer: &Printer) {
    let wheels = lock.packages.iter().flat_map(|package| &package.wheels);
    let bytes: u64 = wheels.clone().filter_map(|wheel| wheel.size_bytes).sum();
    let asked = lock.packages.iter();
    let asked = asked.filter(|package| !package.requirements.is_empty());
    let mut names: Vec<&str> = asked.map(|package| package.name.as_ref()).collect();
    names.dedup();
    if names.is_empty() {
        names.extend(lock.packages.first().map(|package| package.name.as_ref()));
    }
    let names = names.join(" ");
    let folder = arguments.output.display();
    printer.info(&format!(
        "Bundled {} ({}) in {folder}\n\
         \n\
         Without network, one of these installs from it:\n    \
             bnbpip sync {folder}/{LOCK} --offline\n    \
             bnbpip install --no-index --find-links {folder}/{WHEELS} --overlay {folder}/{RULES} {names}\n    \
             pip install --no-index --find-links {folder}/{WHEELS} {names}\n    \
             uv pip install --no-index --find-links {folder}/{WHEELS} {names}\n\
         For other machines of the network, serve it as an index:\n    \
             python -m http.server --directory {folder}\n    \
             pip install --index-url http://HOST:8000/{SIMPLE}/ {names}",
        bnbpip_report::counted(wheels.count(), "wheel"),
        bnbpip_report::sizes::bytes(bytes),
    ));
}
