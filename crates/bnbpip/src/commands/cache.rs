//! `bnbpip cache`.

use bnbpip_index::cache::{CacheAdmin, RemovedInfo};
use bnbpip_report::sizes;

use crate::cli::CacheArgs;
use crate::cli::cache::{CacheAction, CacheListArgs};
use crate::cli::values::CacheListFormat;
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;

/// Does what was asked with the cache.
///
/// # Errors
/// When the cache is switched off, or one of its files can't be read or removed.
pub(crate) fn run(
    arguments: &CacheArgs,
    settings: &Settings,
    printer: &Printer,
) -> Result<(), Failure> {
    let Some(root) = &settings.cache_dir else {
        return Err(Failure::new(
            "pip cache commands can not function since cache is disabled.",
        ));
    };
    let cache = CacheAdmin::new(root);
    match &arguments.action {
        None => {
            return Err(Failure::new(
                "Need an action (dir, info, list, purge, remove) to perform.",
            ));
        }
        Some(CacheAction::Dir) => printer.info(&root.display().to_string()),
        Some(CacheAction::Info) => info(&cache, printer)?,
        Some(CacheAction::List(list)) => show_list(&cache, list, printer)?,
        Some(CacheAction::Remove(remove)) => {
            let Some(pattern) = &remove.pattern else {
                return Err(Failure::new("Please provide a pattern"));
            };
            let removed = cache.remove(pattern, || waiting(printer))?;
            if removed.files == 0 {
                printer.warning(&format!("No matching packages for pattern \"{pattern}\""));
            }
            report(&removed, printer);
        }
        Some(CacheAction::Purge) => {
            let removed = cache.purge(|| waiting(printer))?;
            if removed.files == 0 {
                printer.warning("No matching packages");
            }
            report(&removed, printer);
        }
    }
    Ok(())
}

fn info(cache: &CacheAdmin, printer: &Printer) -> Result<(), Failure> {
    let buckets = cache.info()?;
    let total = buckets.iter().map(|bucket| bucket.size_bytes).sum();
    // What pip keeps in two folders, and how many of those it built, is here in one.
    let mut lines = vec![
        format!("Cache location: {}", cache.root().display()),
        format!("Cache size: {}", sizes::bytes(total)),
    ];
    lines.extend(buckets.iter().map(|bucket| {
        format!(
            "  {}: {} entries, {}",
            bucket.name,
            bucket.entries,
            sizes::bytes(bucket.size_bytes)
        )
    }));
    lines.push(format!("Number of wheels: {}", cache.list(None)?.len()));
    printer.info(&lines.join("\n"));
    Ok(())
}

fn show_list(
    cache: &CacheAdmin,
    arguments: &CacheListArgs,
    printer: &Printer,
) -> Result<(), Failure> {
    let entries = cache.list(arguments.pattern.as_deref())?;
    match arguments.format {
        CacheListFormat::Human if entries.is_empty() => {
            printer.info("No locally built wheels cached.");
        }
        CacheListFormat::Human => {
            let lines: Vec<String> = entries
                .iter()
                .map(|entry| format!(" - {} ({})", entry.filename, sizes::bytes(entry.size_bytes)))
                .collect();
            printer.info(&format!("Cache contents:\n\n{}", lines.join("\n")));
        }
        CacheListFormat::Abspath if entries.is_empty() => {}
        CacheListFormat::Abspath => {
            let mut paths: Vec<String> = entries
                .iter()
                .map(|entry| entry.path.display().to_string())
                .collect();
            paths.sort();
            printer.info(&paths.join("\n"));
        }
    }
    Ok(())
}

fn waiting(printer: &Printer) {
    printer.status("Waiting for another bnbpip process that uses the cache");
}

fn report(removed: &RemovedInfo, printer: &Printer) {
    if printer.verbosity() > 0 {
        for path in &removed.paths {
            printer.info(&format!("Removed {}", path.display()));
        }
    }
    let size = sizes::bytes(removed.size_bytes);
    printer.info(&format!("Files removed: {} ({size})", removed.files));
    printer.info(&format!("Directories removed: {}", removed.folders));
}
