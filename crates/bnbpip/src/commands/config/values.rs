//! What files and variables say, and which files may be changed.

use std::fmt::Write as _;
use std::path::PathBuf;

use crate::configuration::files::{self, FileKind};
use crate::configuration::settings::Settings;
use crate::failure::Failure;

/// A value with its full name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Value {
    /// `global.index-url`, or `:env:.index-url` for a variable.
    pub(super) name: String,
    /// The value.
    pub(super) text: String,
    /// What it comes from: a file's path, or a variable's name.
    pub(super) origin: String,
}

/// All values, lowest precedence first.
#[derive(Debug, Default)]
pub(super) struct Values(pub(super) Vec<Value>);

impl Values {
    /// Reads the files (of one kind alone, if told) and the variables.
    pub(super) fn read(settings: &Settings, only: Option<FileKind>) -> Result<Self, Failure> {
        let environment = &settings.environment;
        let mut values = Vec::new();
        if !files::are_off(environment) {
            for (kind, places) in places(settings) {
                let is_wanted = only.is_none_or(|only| {
                    only == kind || (only == FileKind::User && kind == FileKind::Named)
                });
                for file in places.iter().filter(|_| is_wanted) {
                    let given = files::read_file(file)?.into_iter();
                    values.extend(given.map(|setting| Value {
                        name: format!("{}.{}", setting.section, setting.option),
                        text: setting.value,
                        origin: file.display().to_string(),
                    }));
                }
            }
        }
        if !settings.isolated {
            values.extend(variables(settings, "PIP_").map(|(variable, text)| Value {
                name: format!(":env:.{}", files::normal(&variable["PIP_".len()..])),
                text,
                origin: variable,
            }));
        }
        Ok(Self(values))
    }

    /// In the order of their places and names, as pip lists them.
    pub(super) fn sorted(&self) -> Vec<&Value> {
        let mut sorted: Vec<&Value> = self.0.iter().collect();
        let place = |value: &Value| {
            if value.name.starts_with(":env:") {
                ":env:".to_owned()
            } else {
                value.origin.clone()
            }
        };
        sorted.sort_by_key(|value| (place(value), value.name.clone()));
        sorted
    }

    /// The one that counts.
    pub(super) fn last(&self, name: &str) -> Option<&Value> {
        self.0.iter().rfind(|value| value.name == name)
    }
}

/// The files of each kind.
pub(super) fn places(settings: &Settings) -> Vec<(FileKind, Vec<PathBuf>)> {
    let python = settings.python.as_deref();
    files::places(&settings.environment, settings.isolated, python)
}

/// The variables that begin so, by name. `PIP_VERSION` and `PIP_HELP` are no settings.
pub(super) fn variables(
    settings: &Settings,
    prefix: &'static str,
) -> impl Iterator<Item = (String, String)> {
    let mut variables: Vec<(String, String)> = settings
        .environment
        .text_variables()
        .filter(|(name, _)| name.starts_with(prefix))
        .filter(|(name, _)| !["VERSION", "HELP"].contains(&&name[prefix.len()..]))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    variables.sort_unstable();
    variables.into_iter()
}

/// The kind of file that is worked on where none is named: the environment's own if it is there.
pub(super) fn default_kind(settings: &Settings) -> FileKind {
    let places = places(settings);
    let mut site = places.iter().filter(|(kind, _)| *kind == FileKind::Site);
    if site.any(|(_, files)| files.iter().any(|file| file.exists())) {
        FileKind::Site
    } else {
        FileKind::User
    }
}

/// The files of a kind that may be changed, lowest precedence first.
pub(super) fn files_to_change(
    settings: &Settings,
    kind: FileKind,
) -> Result<Vec<PathBuf>, Failure> {
    let named = settings.environment.get_path("PIP_CONFIG_FILE");
    if files::are_off(&settings.environment) {
        let named = named.unwrap_or_default();
        return Err(Failure::new(format!(
            "Cannot write to PIP_CONFIG_VALUE when it is set to {}",
            named.display()
        )));
    }
    let places = places(settings);
    let mut of_kind = places.into_iter().filter(|(other, _)| *other == kind);
    let files = of_kind.next().map(|(_, files)| files).unwrap_or_default();
    match named {
        // The user's files aren't read where another is named, so that one stands for them.
        Some(named) if kind == FileKind::User && named.exists() => Ok(vec![named]),
        _ => Ok(files),
    }
}

/// Text as Python writes it.
pub(super) fn repr(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    let mut shown = String::from(quote);
    for character in text.chars() {
        match character {
            '\\' => shown.push_str("\\\\"),
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            other if other == quote => shown.extend(['\\', other]),
            other if other.is_control() => {
                let _ = write!(shown, "\\x{:02x}", u32::from(other));
            }
            other => shown.push(other),
        }
    }
    shown.push(quote);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_as_python_writes_them() {
        assert_eq!(repr("a\nb"), r"'a\nb'");
        assert_eq!(repr("it's"), "\"it's\"");
        assert_eq!(repr("'\"\\"), r#"'\'"\\'"#);
        assert_eq!(repr("\u{1b}"), r"'\x1b'");
    }
}
