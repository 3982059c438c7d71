//! Profiles: reviewed combinations that a request can be kept to with `--profile`.

use bnbpip_overlay::{Profile, embedded_profiles};
use bnbpip_packaging::Requirement;

use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::request::{Request, RequestedRequirement, RequirementOrigin};

/// The profiles that bnbpip carries, by name.
///
/// # Errors
/// When one can't be read, which the build rules out.
pub(crate) fn all() -> Result<Vec<Profile>, Failure> {
    let parsed = embedded_profiles()
        .iter()
        .map(|source| Profile::parse(source.text, source.path));
    let profiles: Result<Vec<_>, _> = parsed.collect();
    Ok(profiles?)
}

/// The profile of this name or, where it ends in `.toml`, in this file.
///
/// # Errors
/// When there is none, or it isn't valid.
pub(crate) fn find(name: &str, settings: &Settings) -> Result<Profile, Failure> {
    let has_extension = std::path::Path::new(name)
        .extension()
        .is_some_and(|extension| extension == "toml");
    if has_extension {
        let path = settings.environment.working_directory().join(name);
        return Ok(Profile::parse(&fs_err::read_to_string(path)?, name)?);
    }
    all()?
        .into_iter()
        .find(|profile| profile.name == name)
        .ok_or_else(|| {
            Failure::new(format!("Failed to find the profile `{name}`"))
                .hint("`bnbpip rules list --profiles` shows the profiles")
        })
}

/// Keeps a request to profiles; where it asks for nothing, it asks for what they consist of.
///
/// # Errors
/// When one of them can't be had.
pub(crate) fn apply(
    names: &[String],
    request: &mut Request,
    settings: &Settings,
    printer: &Printer,
) -> Result<(), Failure> {
    let asks_for_nothing = request.requirements.is_empty() && request.unnamed.is_empty();
    for name in names {
        let profile = find(name, settings)?;
        printer.status(&format!("Profile {}: {}", profile.name, profile.title));
        let given = |requirement: &Requirement| RequestedRequirement {
            requirement: requirement.clone(),
            source: RequirementOrigin::Profile(name.clone()),
            hashes: Vec::new(),
            raw: requirement.to_string(),
            editable: false,
            config_settings: Vec::new(),
            takes_settings: false,
        };
        let all = profile.requirements.iter().chain(&profile.constraints);
        request.constraints.extend(all.map(given));
        if asks_for_nothing {
            let wanted = profile.requirements.iter().map(given);
            request.requirements.extend(wanted);
        }
    }
    Ok(())
}
