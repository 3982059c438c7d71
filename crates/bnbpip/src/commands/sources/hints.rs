//! What to do about a build that failed: facts in `hints.toml`.

use bnbpip_packaging::PackageName;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
struct Hints {
    output: Vec<OutputHint>,
    package: Vec<PackageHint>,
}

#[derive(Debug, Deserialize)]
struct OutputHint {
    contains: Vec<String>,
    hint: String,
}

#[derive(Debug, Deserialize)]
struct PackageHint {
    names: Vec<PackageName>,
    hint: String,
}

/// The hints for a package whose build failed with this output.
pub(super) fn hints(name: &PackageName, output: &str) -> Vec<String> {
    let Ok(hints) = toml::from_str::<Hints>(include_str!("hints.toml")) else {
        return Vec::new();
    };
    let by_output = hints
        .output
        .into_iter()
        .filter(|entry| entry.contains.iter().any(|text| output.contains(text)))
        .map(|entry| entry.hint);
    let by_package = hints
        .package
        .into_iter()
        .filter(|entry| entry.names.contains(name))
        .map(|entry| entry.hint);
    by_output.chain(by_package).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_sound_and_hints_are_found() {
        toml::from_str::<Hints>(include_str!("hints.toml")).unwrap();
        let found = |name: &str, output| hints(&name.parse().unwrap(), output);
        assert_eq!(
            found("x", "ModuleNotFoundError: No module named 'torch'").len(),
            1
        );
        assert_eq!(found("flash_attn", "No module named 'torch'").len(), 2);
        assert!(found("x", "error").is_empty());
    }
}
