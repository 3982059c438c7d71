//! `bnbpip config debug`: every place of a setting, what stands there, and which one counts.

use super::values::{self, Value, Values, repr};
use crate::configuration::files;
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;

/// Shows the variables and files that pip knows, in its form; then bnbpip's own, and what counts.
///
/// # Errors
/// When a file can't be read.
pub(super) fn show(settings: &Settings, printer: &Printer) -> Result<(), Failure> {
    let mut lines = vec!["env_var:".to_owned()];
    let variables: Vec<(String, String)> = values::variables(settings, "PIP_").collect();
    let shown = |(name, value): &(String, String)| format!("  {name}={}", repr(value));
    lines.extend(variables.iter().map(shown));
    let mut places = values::places(settings);
    places.sort_by_key(|(kind, _)| kind.word());
    for (kind, files) in places {
        lines.push(format!("{}:", kind.word()));
        for file in files {
            let exists = if file.exists() { "True" } else { "False" };
            lines.push(format!("  {}, exists: {exists}", file.display()));
            if files::are_off(&settings.environment) {
                continue;
            }
            for setting in files::read_file(&file)? {
                lines.push(format!(
                    "    {}.{}: {}",
                    setting.section, setting.option, setting.value
                ));
            }
        }
    }
    lines.push("bnbpip:".to_owned());
    let own: Vec<(String, String)> = values::variables(settings, "BNBPIP_").collect();
    lines.extend(own.iter().map(shown));
    if let Some(path) = &settings.project.path {
        lines.push(format!("  {}, exists: True", path.display()));
    }
    lines.push("counts:".to_owned());
    lines.extend(counting(settings, &own)?);
    printer.info(&lines.join("\n"));
    Ok(())
}

/// One line for each setting that counts: its name, its value, and where that comes from.
fn counting(settings: &Settings, own: &[(String, String)]) -> Result<Vec<String>, Failure> {
    let mut counting: Vec<Value> = Vec::new();
    for value in Values::read(settings, None)?.0 {
        counting.retain(|other| !covers(&value.name, &other.name));
        counting.push(value);
    }
    for (variable, text) in own.iter().filter(|_| !settings.isolated) {
        let name = files::normal(&variable["BNBPIP_".len()..]);
        let name = format!(":env:.{name}");
        counting.retain(|other| !covers(&name, &other.name));
        counting.push(Value {
            name,
            text: text.clone(),
            origin: variable.clone(),
        });
    }
    counting.retain(|value| !value.text.trim().is_empty());
    counting.sort_by(|one, other| one.name.cmp(&other.name));
    let shown = counting.iter().map(|value| {
        let name = value
            .name
            .strip_prefix(":env:.")
            .map(|name| format!("global.{name}"));
        let name = name.unwrap_or_else(|| value.name.clone());
        format!("  {name}={} ({})", repr(&value.text), value.origin)
    });
    Ok(shown.collect())
}

/// Whether a value of the first name hides one of the second: a variable does for all commands.
fn covers(name: &str, other: &str) -> bool {
    name == other
        || name.strip_prefix(":env:").is_some_and(|option| {
            other
                .split_once('.')
                .is_some_and(|(_, of_other)| option[1..] == *of_other)
        })
}
