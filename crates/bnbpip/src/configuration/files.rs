//! pip's configuration files: where they are, what stands in them, and which value counts.
//!
//! Lowest to highest, as with pip: the machine's, the user's, the environment's own, and the one
//! that `PIP_CONFIG_FILE` names (then the user's isn't read; the null device switches all off).
//! The section of a command counts more than `[global]`, whichever files the two stand in.
//! Nothing here writes to them: `config set` does, through [`super::ini`].

use std::path::{Path, PathBuf};

use super::ProcessEnvironment;
use super::ini;
use crate::bounded;
use crate::failure::{Failure, exit_code};

/// The name that pip's files have on this system.
const NAME: &str = if cfg!(windows) { "pip.ini" } else { "pip.conf" };

/// One setting of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileSetting {
    /// The file.
    pub file: PathBuf,
    /// `global`, or a command's name.
    pub section: String,
    /// The option's long name, without the dashes before it.
    pub option: String,
    /// Its value, with the line breaks of one over several lines.
    pub value: String,
}

/// What all files say, lowest precedence first.
#[derive(Debug, Clone, Default)]
pub(crate) struct FileSettings {
    settings: Vec<FileSetting>,
}

impl FileSettings {
    /// Reads the files that are there. `isolated` leaves the user's out; `python` is the
    /// environment or interpreter that was typed.
    ///
    /// # Errors
    /// A file that can't be read, or isn't in the form of such files; exit code 2, as pip's.
    pub(crate) fn read(
        environment: &ProcessEnvironment,
        isolated: bool,
        python: Option<&Path>,
    ) -> Result<Self, Failure> {
        let mut settings = Vec::new();
        if are_off(environment) {
            return Ok(Self::default());
        }
        let places = places(environment, isolated, python);
        for file in places.iter().flat_map(|(_, files)| files) {
            settings.extend(read_file(file)?);
        }
        Ok(Self { settings })
    }

    /// The value that counts for an option of a command, under one of the option's names. An
    /// empty one counts as not given.
    pub(crate) fn value_of(&self, command: &str, names: &[&str]) -> Option<&FileSetting> {
        let of_section = |section: &str| {
            let found = self.settings.iter().rfind(|setting| {
                setting.section == section && names.contains(&setting.option.as_str())
            });
            found.filter(|setting| !setting.value.trim().is_empty())
        };
        of_section(command).or_else(|| of_section("global"))
    }

    /// The settings of a section, lowest precedence first.
    pub(crate) fn of_section<'a>(
        &'a self,
        section: &'a str,
    ) -> impl DoubleEndedIterator<Item = &'a FileSetting> {
        self.settings
            .iter()
            .filter(move |setting| setting.section == section)
    }
}

/// The null device, which as `PIP_CONFIG_FILE` switches the files off.
pub(crate) const NULL_DEVICE: &str = if cfg!(windows) { "nul" } else { "/dev/null" };

/// Windows knows its devices in any case: most write `NUL`.
pub(crate) fn is_null_device(path: &Path) -> bool {
    path == Path::new(NULL_DEVICE)
        || cfg!(windows)
            && path
                .to_str()
                .is_some_and(|it| it.eq_ignore_ascii_case(NULL_DEVICE))
}

/// Whose a file is, lowest precedence first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum FileKind {
    /// The machine's.
    Global,
    /// The user's.
    User,
    /// The environment's own.
    Site,
    /// The one that `PIP_CONFIG_FILE` names.
    Named,
}

impl FileKind {
    /// pip's word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::User => "user",
            Self::Site => "site",
            Self::Named => "env",
        }
    }
}

/// Where files of each kind may be, lowest precedence first. `isolated` leaves the user's out;
/// `python` is the environment or interpreter that was typed.
pub(crate) fn places(
    environment: &ProcessEnvironment,
    isolated: bool,
    python: Option<&Path>,
) -> Vec<(FileKind, Vec<PathBuf>)> {
    let named = environment.get_path("PIP_CONFIG_FILE");
    let mut places = vec![(FileKind::Global, of_machine(environment))];
    if !isolated && !named.as_ref().is_some_and(|file| file.exists()) {
        places.push((FileKind::User, of_user(environment)));
    }
    let of_environment = of_environment(environment, python).into_iter().collect();
    places.push((FileKind::Site, of_environment));
    places.push((FileKind::Named, named.into_iter().collect()));
    places
}

/// Whether `PIP_CONFIG_FILE` switches the files off.
pub(crate) fn are_off(environment: &ProcessEnvironment) -> bool {
    let named = environment.get_path("PIP_CONFIG_FILE");
    named.as_deref().is_some_and(is_null_device)
}

/// The settings of one file; none if it isn't there.
///
/// # Errors
/// When it can't be read, or isn't in the form of such files; exit code 2, as pip's.
pub(crate) fn read_file(file: &Path) -> Result<Vec<FileSetting>, Failure> {
    if !file.is_file() {
        return Ok(Vec::new());
    }
    let unusable = |cause: String| {
        let file = file.display();
        Failure::new(format!("Failed to read the configuration file `{file}`"))
            .caused_by(cause)
            .hint(format!(
                "correct `{file}`, or set `PIP_CONFIG_FILE` to `{NULL_DEVICE}` to do \
                 without configuration files"
            ))
            .exit_with(exit_code::USAGE)
    };
    let bytes =
        bounded::read(file, bounded::TEXT_BYTES).map_err(|error| unusable(error.to_string()))?;
    let text =
        String::from_utf8(bytes).map_err(|_| unusable("it is not valid UTF-8".to_owned()))?;
    let entries = ini::parse(&text).map_err(|error| unusable(error.to_string()))?;
    let settings = entries.into_iter().map(|entry| FileSetting {
        file: file.to_owned(),
        section: entry.section,
        option: normal(&entry.key),
        value: entry.value,
    });
    Ok(settings.collect())
}

fn of_machine(environment: &ProcessEnvironment) -> Vec<PathBuf> {
    if cfg!(windows) {
        let folder = environment.get_path("PROGRAMDATA");
        return folder
            .into_iter()
            .map(|folder| folder.join("pip").join(NAME))
            .collect();
    }
    let (variable, default) = if cfg!(target_os = "macos") {
        ("XDG_DATA_DIRS", "/Library/Application Support")
    } else {
        ("XDG_CONFIG_DIRS", "/etc/xdg")
    };
    let folders = environment.get(variable).unwrap_or(default);
    let mut places: Vec<PathBuf> = std::env::split_paths(folders)
        .filter(|folder| !folder.as_os_str().is_empty())
        .map(|folder| folder.join("pip").join(NAME))
        .collect();
    if !cfg!(target_os = "macos") {
        places.push(Path::new("/etc").join(NAME));
    }
    places
}

/// The place of old and the usual one.
fn of_user(environment: &ProcessEnvironment) -> Vec<PathBuf> {
    let home = environment.get_path(if cfg!(windows) { "USERPROFILE" } else { "HOME" });
    let of_home = |folders: &str| home.as_ref().map(|home| home.join(folders));
    let old = of_home(if cfg!(windows) { "pip" } else { ".pip" });
    let usual = if cfg!(windows) {
        environment.get_path("APPDATA")
    } else {
        of_home("Library/Application Support")
            .filter(|folder| cfg!(target_os = "macos") && folder.join("pip").is_dir())
            .or_else(|| environment.get_path("XDG_CONFIG_HOME"))
            .or_else(|| of_home(".config"))
    };
    let usual = usual.map(|folder| folder.join("pip"));
    old.into_iter()
        .chain(usual)
        .map(|folder| folder.join(NAME))
        .collect()
}

/// In the virtual environment that is worked on.
fn of_environment(environment: &ProcessEnvironment, python: Option<&Path>) -> Option<PathBuf> {
    let named = python.map(|python| environment.working_directory().join(python));
    let folder = match named {
        Some(folder) if folder.is_dir() => folder,
        // The interpreter lies in `bin` or `Scripts`.
        Some(interpreter) => {
            let folder = interpreter.parent()?.parent()?.to_owned();
            folder.join("pyvenv.cfg").is_file().then_some(folder)?
        }
        None => environment
            .get_path("VIRTUAL_ENV")
            .or_else(|| environment.get_path("CONDA_PREFIX"))
            .unwrap_or_else(|| environment.working_directory().join(".venv")),
    };
    Some(folder.join(NAME))
}

/// An option's name as it is typed: `Index_URL` is `index-url`.
pub(crate) fn normal(key: &str) -> String {
    let name = key.to_lowercase().replace('_', "-");
    name.strip_prefix("--").unwrap_or(&name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(file: &Path, text: &str) {
        fs_err::create_dir_all(file.parent().unwrap()).unwrap();
        fs_err::write(file, text).unwrap();
    }

    /// A home with a file of the user's, an environment with one, and one that is named.
    fn world() -> (tempfile::TempDir, Vec<(&'static str, String)>) {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        write(
            &at("config/pip").join(NAME),
            "[global]\ntimeout = 1\nretries = 1\n[install]\nproxy = of-user\n",
        );
        write(
            &at("env").join(NAME),
            "[global]\nTimeout = 2\nproxy: of-environment\nempty =\n[list]\nno_index = yes\n",
        );
        write(&at("named"), "[global]\n--timeout = 3\n");
        let text = |path: &str| at(path).display().to_string();
        let variables = vec![
            ("XDG_CONFIG_DIRS", text("none")),
            ("PROGRAMDATA", text("none")),
            ("XDG_CONFIG_HOME", text("config")),
            ("APPDATA", text("config")),
            ("VIRTUAL_ENV", text("env")),
        ];
        (folder, variables)
    }

    fn read(variables: &[(&str, String)], isolated: bool) -> FileSettings {
        let variables: Vec<_> = variables
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        FileSettings::read(&ProcessEnvironment::of(&variables), isolated, None).unwrap()
    }

    fn value(settings: &FileSettings, command: &str, name: &str) -> Option<String> {
        let setting = settings.value_of(command, &[name])?;
        Some(setting.value.clone())
    }

    #[test]
    fn the_environments_file_counts_more_than_the_users() {
        let (_folder, variables) = world();
        let settings = read(&variables, false);
        assert_eq!(value(&settings, "list", "timeout").unwrap(), "2");
        assert_eq!(value(&settings, "list", "retries").unwrap(), "1");
        assert_eq!(value(&settings, "list", "no-index").unwrap(), "yes");
        assert_eq!(value(&settings, "freeze", "no-index"), None);
        assert_eq!(value(&settings, "list", "empty"), None);
    }

    #[test]
    fn a_commands_section_counts_more_than_a_later_file() {
        let (_folder, variables) = world();
        let settings = read(&variables, false);
        assert_eq!(value(&settings, "install", "proxy").unwrap(), "of-user");
        assert_eq!(value(&settings, "list", "proxy").unwrap(), "of-environment");
    }

    #[test]
    fn isolation_leaves_out_the_users_file() {
        let (_folder, variables) = world();
        let settings = read(&variables, true);
        assert_eq!(value(&settings, "list", "timeout").unwrap(), "2");
        assert_eq!(value(&settings, "list", "retries"), None);
    }

    #[test]
    fn a_named_file_stands_in_for_the_users() {
        let (folder, mut variables) = world();
        let named = folder.path().join("named").display().to_string();
        variables.push(("PIP_CONFIG_FILE", named));
        let settings = read(&variables, false);
        assert_eq!(value(&settings, "list", "timeout").unwrap(), "3");
        assert_eq!(value(&settings, "list", "retries"), None);
        variables.pop();
        variables.push(("PIP_CONFIG_FILE", NULL_DEVICE.to_owned()));
        assert_eq!(value(&read(&variables, false), "list", "timeout"), None);
    }
}
