//! Profiles as people and other tools read them.

use std::fmt::Write as _;

use bnbpip_overlay::{Correction, Profile};

/// One line a profile: name and title.
pub fn list(profiles: &[Profile]) -> String {
    let width = profiles.iter().map(|profile| profile.name.len()).max();
    let width = width.unwrap_or_default();
    let lines: Vec<String> = profiles
        .iter()
        .map(|profile| format!("{:width$}  {}", profile.name, profile.title))
        .collect();
    lines.join("\n")
}

/// A profile as a JSON object.
pub fn json(profile: &Profile) -> serde_json::Value {
    let texts = |pins: &[bnbpip_packaging::Requirement]| -> Vec<String> {
        pins.iter().map(ToString::to_string).collect()
    };
    serde_json::json!({
        "name": profile.name,
        "title": profile.title,
        "date": profile.date.to_string(),
        "targets": profile.targets,
        "requirements": texts(&profile.requirements),
        "constraints": texts(&profile.constraints),
        "why": profile.why,
    })
}

/// A whole profile for reading.
pub fn show(profile: &Profile) -> String {
    let mut text = format!("{}  {}\n", profile.name, profile.title);
    let _ = writeln!(text, "\nReviewed: {}", profile.date);
    let _ = writeln!(text, "For: {}", profile.targets.join(", "));
    text.push_str("Consists of:\n");
    for pin in &profile.requirements {
        let _ = writeln!(text, "  {pin}");
    }
    if !profile.constraints.is_empty() {
        text.push_str("Where something requires them:\n");
        for pin in &profile.constraints {
            let _ = writeln!(text, "  {pin}");
        }
    }
    let _ = write!(text, "\n{}", profile.why);
    for correction in &profile.corrections {
        let _ = write!(text, "\n\n{}", corrected(correction));
    }
    text
}

fn corrected(correction: &Correction) -> String {
    let published: Vec<String> = correction
        .published
        .iter()
        .map(|one| format!("{}=={}", one.name, one.version))
        .collect();
    let rules: Vec<&str> = correction
        .rules
        .iter()
        .map(bnbpip_overlay::RuleId::as_str)
        .collect();
    format!(
        "In place of: {} ({})\nwhich breaks {}\n{}",
        published.join(" "),
        correction.target,
        rules.join(", "),
        correction.why
    )
}
