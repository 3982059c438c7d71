//! `entry_points.txt`: the console and GUI scripts that a distribution declares
//! ([specification](https://packaging.python.org/en/latest/specifications/entry-points/)).

/// One script: `name = module:attribute [extras]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryPoint {
    /// The script's name.
    pub name: String,
    /// The module to import.
    pub module: String,
    /// The dotted attribute to call.
    pub attribute: String,
    /// Extras, which installers ignore.
    pub extras: Vec<String>,
}

/// The scripts that an installer generates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EntryPoints {
    /// `[console_scripts]`
    pub console: Vec<EntryPoint>,
    /// `[gui_scripts]`
    pub gui: Vec<EntryPoint>,
}

/// Why an `entry_points.txt` could not be used.
#[derive(Debug, thiserror::Error)]
pub enum EntryPointsError {
    /// A line in a script group is not `name = module:attribute`.
    #[error(
        "Invalid script entry point: `{line}` is not `name = module:attribute`. A callable suffix is required."
    )]
    Malformed {
        /// The line.
        line: String,
    },
    /// The script's name would leave the scripts folder, or no file can have it.
    #[error("Failed to read entry point `{line}`: `{name}` is not a file name")]
    UnsafeName {
        /// The line.
        line: String,
        /// The name.
        name: String,
    },
    /// There are more than any distribution has: each becomes a file.
    #[error("Failed to read entry points: there are more than {limit} scripts")]
    TooMany {
        /// The most that there may be.
        limit: usize,
    },
    /// A name is declared twice in a group.
    #[error("Failed to read entry points: `{name}` is declared twice")]
    Duplicate {
        /// The name.
        name: String,
    },
}

/// The most scripts of a group.
const SCRIPT_LIMIT: usize = 5_000;

impl EntryPoints {
    /// Parses the script groups; other groups are not an installer's business and pass unread.
    ///
    /// # Errors
    ///
    /// When a script is malformed, declared twice, or its name is no plain file name; when there are
    /// thousands.
    pub fn parse(text: &str) -> Result<Self, EntryPointsError> {
        let mut points = Self::default();
        let mut group: Option<&str> = None;
        for line in text.strip_prefix('\u{feff}').unwrap_or(text).lines() {
            let line = line.trim();
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            if let Some(name) = line
                .strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(']'))
            {
                group = Some(name.trim());
                continue;
            }
            let scripts = match group {
                Some("console_scripts") => &mut points.console,
                Some("gui_scripts") => &mut points.gui,
                _ => continue,
            };
            if scripts.len() == SCRIPT_LIMIT {
                return Err(EntryPointsError::TooMany {
                    limit: SCRIPT_LIMIT,
                });
            }
            let point = parse_line(line)?;
            if scripts.iter().any(|known| known.name == point.name) {
                return Err(EntryPointsError::Duplicate { name: point.name });
            }
            scripts.push(point);
        }
        Ok(points)
    }
}

fn parse_line(line: &str) -> Result<EntryPoint, EntryPointsError> {
    let malformed = || EntryPointsError::Malformed {
        line: line.to_string(),
    };
    let (name, value) = line.split_once('=').ok_or_else(malformed)?;
    let name = name.trim();
    let (object, extras) = match value.split_once('[') {
        Some((object, extras)) => (
            object,
            extras.trim_end().strip_suffix(']').ok_or_else(malformed)?,
        ),
        None => (value, ""),
    };
    let (module, attribute) = object.split_once(':').ok_or_else(malformed)?;
    let (module, attribute) = (module.trim(), attribute.trim());
    if name.is_empty() || !is_dotted_name(module) || !is_dotted_name(attribute) {
        return Err(malformed());
    }
    if !is_file_name(name) {
        return Err(EntryPointsError::UnsafeName {
            line: line.to_string(),
            name: name.to_string(),
        });
    }
    Ok(EntryPoint {
        name: name.to_string(),
        module: module.to_string(),
        attribute: attribute.to_string(),
        extras: extras
            .split(',')
            .map(str::trim)
            .filter(|s| !s.is_empty())
            .map(str::to_string)
            .collect(),
    })
}

/// Whether the text is identifiers joined by dots, so that it can stand in generated code.
fn is_dotted_name(text: &str) -> bool {
    text.split('.').all(|part| {
        let mut characters = part.chars();
        characters
            .next()
            .is_some_and(|first| first == '_' || first.is_alphabetic())
            && characters.all(|rest| rest == '_' || rest.is_alphanumeric())
    })
}

/// Whether the text is one plain file name on every platform.
fn is_file_name(name: &str) -> bool {
    name != "."
        && name != ".."
        && !name.ends_with(['.', ' '])
        && !crate::file_name::is_windows_device(name)
        && !name
            .chars()
            .any(|c| c.is_control() || "/\\:*?\"<>|".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_scripts_and_passes_other_groups() {
        let points = EntryPoints::parse(
            "[console_scripts]\n# comment\nfoo = foo.cli:main.run [x, y]\n\n[gui_scripts]\nbar=bar:go\n\
             [other]\nnot an entry point\n",
        )
        .unwrap();
        assert_eq!(points.console[0].attribute, "main.run");
        assert_eq!(points.console[0].extras, ["x", "y"]);
        assert_eq!(points.gui[0].name, "bar");
    }

    #[test]
    fn refuses_code_and_paths() {
        for line in [
            "a = b",
            "a = b:c()",
            "../a = b:c",
            "a = b:c;import os",
            "a = b.:c",
            "x/y = b:c",
            "CON = b:c",
            "nul.txt = b:c",
        ] {
            let text = format!("[console_scripts]\n{line}\n");
            assert!(EntryPoints::parse(&text).is_err(), "{line}");
        }
        assert!(EntryPoints::parse("[console_scripts]\na=b:c\na=b:d\n").is_err());
    }

    #[test]
    fn refuses_more_scripts_than_there_can_be() {
        let lines: Vec<String> = (0..=SCRIPT_LIMIT)
            .map(|number| format!("script{number} = a:b\n"))
            .collect();
        let error = EntryPoints::parse(&format!("[gui_scripts]\n{}", lines.concat())).unwrap_err();
        assert!(error.to_string().contains("more than 5000"), "{error}");
    }
}
