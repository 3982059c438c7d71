//! Which of a lock's accelerators is installed: each is an extra of it.

use bnbpip_lock::Lock;
use bnbpip_overlay::TorchIndexes;
use bnbpip_packaging::{Version, VersionRange, range};
use bnbpip_platform::Target;
use bnbpip_report::accelerator as words;

use crate::cli::resolve::ResolveArgs;
use crate::commands::resolve::accelerator::facts;
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::request::AskedOfLock;

/// What torch is to run on: a name, `auto`, or nothing said.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wish<'a>(pub(crate) Option<&'a str>);

impl<'a> Wish<'a> {
    /// What a command's options say, or else the project.
    pub(crate) fn of(options: &'a ResolveArgs, settings: &'a Settings) -> Self {
        let of_project = settings.project.options.accelerator.as_deref();
        Self(options.accelerator().or(of_project))
    }

    /// The extra to add to those that are asked for by name.
    ///
    /// # Errors
    /// When the lock hasn't what is asked for, needs a choice, or was given two.
    pub(super) fn extra(
        self,
        lock: &Lock,
        asked: &AskedOfLock,
        target: &Target,
        settings: &Settings,
        printer: &Printer,
    ) -> Result<Option<String>, Failure> {
        let mut indexes = TorchIndexes::embedded()?;
        indexes
            .families
            .retain(|family| lock.extras.contains(&family.name));
        let names = indexes.families.iter().map(|family| family.name.clone());
        let offered: Vec<String> = names.collect();
        let is_offered = |name: &&String| offered.contains(name);
        let given: Vec<&String> = asked.extras.iter().filter(is_offered).collect();
        if let [first, second, ..] = given[..] {
            return Err(two(first, second));
        }
        let given = given.first().copied();
        match (self.0, given) {
            (None | Some("auto"), Some(_)) => Ok(None),
            (None, None) => {
                if is_needed(lock, asked, target)? {
                    return Err(Failure::new(
                        "Failed to use the lock: one of its accelerators has to be chosen",
                    )
                    .hint(format!(
                        "`--accelerator auto` takes what this machine runs best of {}",
                        listed(&offered)
                    )));
                }
                Ok(None)
            }
            (Some(wanted), _) if offered.is_empty() => {
                if wanted != "auto" {
                    printer.warning(&format!(
                        "The lock has one build of torch for all: `--accelerator {wanted}` chooses \
                         nothing"
                    ));
                }
                Ok(None)
            }
            (Some("auto"), None) => {
                automatic(&indexes, lock, asked, target, settings, printer).map(Some)
            }
            (Some(wanted), given) if offered.iter().any(|name| name == wanted) => match given {
                Some(other) if other != wanted => Err(two(other, wanted)),
                Some(_) => Ok(None),
                None => Ok(Some(wanted.to_owned())),
            },
            (Some(wanted), _) => Err(Failure::new(format!(
                "Failed to use the lock: it has no accelerator `{wanted}`"
            ))
            .hint(format!("it has {}", listed(&offered)))),
        }
    }
}

fn listed(names: &[String]) -> String {
    names.join(", ")
}

fn two(first: &str, second: &str) -> Failure {
    Failure::new(format!(
        "Failed to use the lock: its accelerators `{first}` and `{second}` can't go together"
    ))
    .hint("name one")
}

/// Whether the lock has packages for its accelerators alone, and was made so on purpose.
fn is_needed(lock: &Lock, asked: &AskedOfLock, target: &Target) -> Result<bool, Failure> {
    let Some(first) = lock.inputs.accelerators.first() else {
        return Ok(false);
    };
    if !lock.extras.contains(first) {
        return Ok(false);
    }
    let without = asked.select(lock, target)?;
    let with = asked.with_extra(first).select(lock, target)?;
    Ok(with.len() > without.len())
}

/// What this machine runs best of what the lock has.
fn automatic(
    indexes: &TorchIndexes,
    lock: &Lock,
    asked: &AskedOfLock,
    target: &Target,
    settings: &Settings,
    printer: &Printer,
) -> Result<String, Failure> {
    let offered: Vec<String> = {
        let families = indexes.families.iter();
        families.map(|family| family.name.clone()).collect()
    };
    let unfit = || {
        Failure::new("Failed to use the lock: this machine runs none of its accelerators").hint(
            format!(
                "it has {}: name one to install it all the same",
                listed(&offered)
            ),
        )
    };
    let Some(machine) = facts(target, settings, printer) else {
        let processor = indexes.family("cpu").ok_or_else(unfit)?;
        return Ok(processor.name.clone());
    };
    let mut best: Option<(Version, String, String)> = None;
    // What is for the processor is for want of something better.
    let for_cards = indexes
        .families
        .iter()
        .filter(|family| family.cuda.is_some());
    for name in for_cards.map(|family| &family.name) {
        // An accelerator may have nothing for this machine.
        let Ok(selected) = asked.with_extra(name).select(lock, target) else {
            continue;
        };
        let torch = selected
            .iter()
            .find(|one| one.package.name.as_ref() == "torch");
        let Some(release) = torch.and_then(|torch| torch.version.clone()) else {
            continue;
        };
        let release = release.without_local();
        let mut alone = TorchIndexes::embedded()?;
        alone.families.retain(|family| family.name == *name);
        let Some(choice) = alone.choose(&machine, &range::equal(release.clone())) else {
            continue;
        };
        // The families come newest first.
        if best.as_ref().is_none_or(|(known, ..)| release > *known) {
            let words = words::chosen(&choice, &machine, Some(&release));
            best = Some((release, name.clone(), words));
        }
    }
    if let Some((_, name, words)) = best {
        printer.status(&words);
        return Ok(name);
    }
    let choice = indexes
        .choose(&machine, &VersionRange::empty())
        .ok_or_else(unfit)?;
    printer.status(&words::chosen(&choice, &machine, None));
    Ok(choice.family.name.clone())
}
