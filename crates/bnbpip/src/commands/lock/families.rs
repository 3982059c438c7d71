//! The accelerators that a lock lets choose from: each an extra, with torch from an index of its
//! own.

use bnbpip_overlay::TorchIndexes;

use crate::cli::resolve::ResolveArgs;
use crate::failure::Failure;

/// The accelerators, each once and by name; `None` alone where one or none was asked for: the whole
/// lock is then for it.
///
/// # Errors
/// When there is no such accelerator, or it can't stand beside others.
pub(super) fn wanted(
    options: &ResolveArgs,
    extras: &[String],
) -> Result<Vec<Option<String>>, Failure> {
    let mut names = options.accelerators.clone();
    names.sort();
    names.dedup();
    if names.len() < 2 {
        return Ok(vec![None]);
    }
    let indexes = TorchIndexes::embedded()?;
    for name in &names {
        if name == "auto" {
            return Err(Failure::new(
                "Failed to lock for several accelerators: `auto` is this machine's",
            )
            .hint("name them: `--accelerator cpu --accelerator cu128`"));
        }
        if indexes.family(name).is_none() {
            let families = indexes.families.iter();
            let known: Vec<&str> = families.map(|family| family.name.as_str()).collect();
            return Err(
                Failure::new(format!("Failed to find the accelerator `{name}`"))
                    .hint(format!("there are {}", known.join(", "))),
            );
        }
        if extras.contains(name) {
            return Err(Failure::new(format!(
                "Failed to lock for the accelerator `{name}`: the project has an extra of that name"
            )));
        }
    }
    Ok(names.into_iter().map(Some).collect())
}
