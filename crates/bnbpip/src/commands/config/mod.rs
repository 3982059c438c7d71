//! `bnbpip config`: shows pip's configuration files and bnbpip's own settings, and changes pip's
//! files, which nothing else here does.

mod debug;
mod values;

use std::path::PathBuf;
use std::process::Command;

use self::values::Values;
use crate::cli::ConfigArgs;
use crate::configuration::files::{FileKind, normal};
use crate::configuration::ini;
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;

/// The actions, and the names of what each takes.
const ACTIONS: &[(&str, &[&str])] = &[
    ("debug", &[]),
    ("edit", &[]),
    ("get", &["name"]),
    ("list", &[]),
    ("set", &["name", "value"]),
    ("unset", &["name"]),
];

/// The names of the actions.
pub(crate) fn actions() -> impl Iterator<Item = &'static str> {
    ACTIONS.iter().map(|(name, _)| *name)
}

/// Does what was asked with the configuration.
///
/// # Errors
/// When it can't be understood, or a file can't be read or written.
pub(crate) fn run(
    arguments: &ConfigArgs,
    settings: &Settings,
    printer: &Printer,
) -> Result<(), Failure> {
    let mut words = arguments.action.iter().map(String::as_str);
    let action = words.next().unwrap_or_default();
    let words: Vec<&str> = words.collect();
    let Some((_, names)) = ACTIONS.iter().find(|(name, _)| *name == action) else {
        let actions: Vec<&str> = ACTIONS.iter().map(|(name, _)| *name).collect();
        return Err(Failure::new(format!(
            "Need an action ({}) to perform.",
            actions.join(", ")
        )));
    };
    let only = kind(arguments)?;
    if words.len() != names.len() {
        let mut example = vec![action.to_owned()];
        example.extend(names.iter().map(|name| format!("[{name}]")));
        return Err(Failure::new(format!(
            "Got unexpected number of arguments, expected {}. (example: \"bnbpip config {}\")",
            names.len(),
            example.join(" ")
        )));
    }
    let run = Run {
        arguments,
        settings,
        printer,
    };
    match (action, &words[..]) {
        ("get", [name]) => run.get(only, name),
        ("set", [name, value]) => run.set(only, name, value),
        ("unset", [name]) => run.unset(only, name),
        ("edit", _) => run.edit(only),
        ("debug", _) => debug::show(settings, printer),
        _ => run.list(only),
    }
}

fn kind(arguments: &ConfigArgs) -> Result<Option<FileKind>, Failure> {
    let given = [
        (arguments.user, FileKind::User),
        (arguments.global, FileKind::Global),
        (arguments.site, FileKind::Site),
    ];
    let mut given = given.into_iter().filter(|(is_given, _)| *is_given);
    match (given.next(), given.next()) {
        (first, None) => Ok(first.map(|(_, kind)| kind)),
        _ => Err(Failure::new(
            "Need exactly one file to operate upon (--user, --site, --global) to perform.",
        )),
    }
}

/// `global.index-url` → `global` and `index-url`.
fn parts(name: &str) -> Result<(String, String), Failure> {
    match normal(name).split_once('.') {
        Some((section, option)) => Ok((section.to_owned(), option.to_owned())),
        None => Err(Failure::new(format!(
            "Key does not contain dot separated section and key. Perhaps you wanted to use \
             'global.{}' instead?",
            normal(name)
        ))),
    }
}

fn no_such_key(name: &str) -> Failure {
    Failure::new(format!("No such key - {name}"))
}

/// A line as the system's shell reads it.
#[cfg(windows)]
fn shell(line: &str) -> Command {
    use std::os::windows::process::CommandExt as _;
    let mut command = Command::new("cmd");
    // It takes off the outer quotes and reads the rest as it stands: `\"` is nothing to it.
    command
        .args(["/D", "/S", "/C"])
        .raw_arg(format!("\"{line}\""));
    command
}

/// A line as the system's shell reads it.
#[cfg(not(windows))]
fn shell(line: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", line]);
    command
}

struct Run<'a> {
    arguments: &'a ConfigArgs,
    settings: &'a Settings,
    printer: &'a Printer,
}

impl Run<'_> {
    fn list(&self, only: Option<FileKind>) -> Result<(), Failure> {
        let values = Values::read(self.settings, only)?;
        for value in values.sorted() {
            self.printer
                .info(&format!("{}={}", value.name, values::repr(&value.text)));
        }
        Ok(())
    }

    fn get(&self, only: Option<FileKind>, name: &str) -> Result<(), Failure> {
        let wanted = normal(name);
        let only = only.unwrap_or_else(|| values::default_kind(self.settings));
        let values = Values::read(self.settings, Some(only))?;
        match values.last(&wanted) {
            Some(value) => {
                self.printer.info(&value.text);
                Ok(())
            }
            None => Err(parts(name).err().unwrap_or_else(|| no_such_key(name))),
        }
    }

    fn set(&self, only: Option<FileKind>, name: &str, value: &str) -> Result<(), Failure> {
        let (section, option) = parts(name)?;
        let file = self.file_to_change(only)?;
        let text = Self::text_of(&file)?;
        let is_key = |key: &str| normal(key) == option;
        self.write(&file, &ini::set(&text, &section, &option, is_key, value))
    }

    fn unset(&self, only: Option<FileKind>, name: &str) -> Result<(), Failure> {
        let only = only.unwrap_or_else(|| values::default_kind(self.settings));
        let files = values::files_to_change(self.settings, only)?;
        let (section, option) = parts(name).map_err(|failure| {
            if files.is_empty() {
                failure
            } else {
                no_such_key(name)
            }
        })?;
        for file in files.iter().rev() {
            let text = Self::text_of(file)?;
            let is_key = |key: &str| normal(key) == option;
            if let Some(text) = ini::unset(&text, &section, is_key) {
                return self.write(file, &text);
            }
        }
        Err(no_such_key(name))
    }

    fn edit(&self, only: Option<FileKind>) -> Result<(), Failure> {
        let environment = &self.settings.environment;
        let named = self.arguments.editor.as_deref();
        let editor = named
            .or_else(|| environment.get("VISUAL"))
            .or_else(|| environment.get("EDITOR"))
            .ok_or_else(|| Failure::new("Could not determine editor to use."))?;
        let file = self.file_to_change(only)?;
        let file = file.display().to_string();
        if file.contains('"') {
            return Err(Failure::new(format!(
                "Can not open an editor for a file name containing \"\n{file}"
            )));
        }
        // The editor may come with options of its own: a shell reads it, as pip has it.
        let status = shell(&format!("{editor} \"{file}\"")).status()?;
        if status.success() {
            return Ok(());
        }
        let code = status.code().unwrap_or(-1);
        Err(Failure::new(format!(
            "Editor Subprocess exited with exit code {code}"
        )))
    }

    /// The file that is changed: the last one of its kind.
    fn file_to_change(&self, only: Option<FileKind>) -> Result<PathBuf, Failure> {
        let only = only.unwrap_or_else(|| values::default_kind(self.settings));
        let files = values::files_to_change(self.settings, only)?;
        let file = files.last().cloned();
        let file = file.ok_or_else(|| Failure::new("Could not determine appropriate file."))?;
        if let Some(named) = self.settings.environment.get_path("PIP_CONFIG_FILE")
            && named == file
        {
            self.printer.warning(&format!(
                "Because PIP_CONFIG_FILE is set, changes will be applied to '{}', not to '{}'. To \
                 restore normal behavior, unset PIP_CONFIG_FILE.",
                file.display(),
                only.word()
            ));
        }
        Ok(file)
    }

    /// The file's text, read as a configuration file first so that a broken one stays as it is.
    fn text_of(file: &std::path::Path) -> Result<String, Failure> {
        crate::configuration::files::read_file(file)?;
        Ok(if file.is_file() {
            fs_err::read_to_string(file)?
        } else {
            String::new()
        })
    }

    fn write(&self, file: &std::path::Path, text: &str) -> Result<(), Failure> {
        self.printer.info(&format!("Writing to {}", file.display()));
        if let Some(folder) = file.parent() {
            fs_err::create_dir_all(folder)?;
        }
        fs_err::write(file, text).map_err(|error| {
            Failure::new(format!(
                "An error occurred while writing to the configuration file {}: {error}",
                file.display()
            ))
        })
    }
}
