//! What pip's own completion code in a shell asks for: with `PIP_AUTO_COMPLETE`, `COMP_WORDS` is the
//! line and `COMP_CWORD` the place of the word that is being typed.

use std::path::{MAIN_SEPARATOR, Path};

use bnbpip_installer::InstalledEnvironment;
use clap::{Arg, Command};

use super::config;
use super::distribution::Distribution;
use super::target_environment;
use crate::cli;
use crate::configuration::ProcessEnvironment;
use crate::configuration::settings::Settings;

/// The candidates for the word that is being typed, one or more a line; `None` if nobody asked.
pub(crate) fn answer(environment: &ProcessEnvironment) -> Option<String> {
    environment.get("PIP_AUTO_COMPLETE")?;
    let line = environment.get("COMP_WORDS").unwrap_or_default();
    let words: Vec<&str> = line.split_whitespace().skip(1).collect();
    let place = environment.get("COMP_CWORD")?.parse().ok()?;
    let typing = Typing {
        environment,
        words: &words,
        place,
    };
    let root = cli::definition();
    let command = words.iter().find_map(|word| root.find_subcommand(word));
    Some(match command {
        Some(command) => typing.of_command(command).join("\n"),
        None => typing.of_all(&root).join(" "),
    })
}

/// A line that is being typed.
struct Typing<'a> {
    environment: &'a ProcessEnvironment,
    words: &'a [&'a str],
    /// The place of the present word, counted from 1.
    place: usize,
}

impl Typing<'_> {
    fn current(&self) -> &str {
        let at = self.place.checked_sub(1);
        at.and_then(|at| self.words.get(at)).copied().unwrap_or("")
    }

    fn of_all(&self, root: &Command) -> Vec<String> {
        let mut words: Vec<String> = if self.current().starts_with('-') {
            options(root).into_iter().map(|(name, _)| name).collect()
        } else if let Some(kind) = self.path_kind(root) {
            return self.paths(kind);
        } else {
            let commands = root.get_subcommands().filter(|it| !it.is_hide_set());
            commands.map(|it| it.get_name().to_owned()).collect()
        };
        words.retain(|word| word.starts_with(self.current()));
        words
    }

    fn of_command(&self, command: &Command) -> Vec<String> {
        let current = self.current();
        let is_option = current.starts_with('-');
        match command.get_name() {
            "help" => return Vec::new(),
            "show" | "uninstall" if !is_option => {
                let names = self.installed();
                if !names.is_empty() {
                    return names;
                }
            }
            _ => {}
        }
        let mut found = Vec::new();
        if command.get_name() == "install" && !is_option {
            found.extend(self.paths(PathKind::Any));
        }
        if let Some(kind) = self.path_kind(command) {
            found.extend(self.paths(kind));
            return found;
        }
        let typed: Vec<&str> = (self.words.iter().take(self.place.saturating_sub(1)))
            .filter_map(|word| word.split('=').next())
            .collect();
        for (name, takes_value) in options(command) {
            if name.starts_with(current) && !typed.contains(&&*name) {
                let ends = takes_value && name.starts_with("--");
                found.push(if ends { format!("{name}=") } else { name });
            }
        }
        let actions = actions(command);
        if !actions.iter().any(|action| typed.contains(action)) {
            let actions = actions.iter().filter(|name| name.starts_with(current));
            found.extend(actions.map(|name| (*name).to_owned()));
        }
        found
    }

    /// The names of installed packages that begin so and aren't on the line yet.
    fn installed(&self) -> Vec<String> {
        let line = ["bnbpip".into(), "list".into()];
        let Ok(cli::Parsed::Run(cli, _)) = cli::parse(line.to_vec(), self.environment) else {
            return Vec::new();
        };
        let settings = Settings::resolve(&cli.global, self.environment);
        let Ok(found) = target_environment::find(&settings) else {
            return Vec::new();
        };
        let folders = target_environment::library_dirs(&found.interpreter);
        let installed = InstalledEnvironment::scan(&folders).unwrap_or_default();
        let begin = self.current().to_lowercase();
        let names = installed.distributions.into_iter();
        names
            .map(|it| Distribution::read(it).name().to_owned())
            .filter(|name| name.to_lowercase().starts_with(&begin))
            .filter(|name| !self.words.contains(&&**name))
            .collect()
    }

    /// What kind of path the option before the present word takes.
    fn path_kind(&self, command: &Command) -> Option<PathKind> {
        let before = self.words.get(self.place.checked_sub(2)?)?;
        let before = before.split('=').next().filter(|it| it.starts_with('-'))?;
        let mut known = command.get_arguments();
        let option = known.find(|option| names(option).iter().any(|name| name == before))?;
        let value = option.get_value_names()?.first()?.as_str();
        match value {
            "dir" => Some(PathKind::Folder),
            _ if value
                .split('/')
                .any(|it| ["path", "file", "dir"].contains(&it)) =>
            {
                Some(PathKind::Any)
            }
            _ => None,
        }
    }

    fn paths(&self, kind: PathKind) -> Vec<String> {
        let current = self.current();
        let cut = current.rfind(['/', MAIN_SEPARATOR]).map_or(0, |at| at + 1);
        let (folder, begin) = current.split_at(cut);
        let place = if folder.is_empty() {
            Path::new(".")
        } else {
            Path::new(folder)
        };
        let Ok(entries) = fs_err::read_dir(place) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if !name.starts_with(begin) {
                continue;
            }
            if entry.path().is_dir() {
                found.push(format!("{folder}{name}{MAIN_SEPARATOR}"));
            } else if matches!(kind, PathKind::Any) {
                found.push(format!("{folder}{name}"));
            }
        }
        found.sort();
        found
    }
}

/// The second words of a command that has them.
fn actions(command: &Command) -> Vec<&str> {
    match command.get_name() {
        "config" => config::actions().collect(),
        "index" => vec!["versions"],
        _ => command.get_subcommands().map(Command::get_name).collect(),
    }
}

/// What an option's value is.
#[derive(Clone, Copy)]
enum PathKind {
    Any,
    Folder,
}

/// The options of a command that its help shows, and whether they take a value.
fn options(command: &Command) -> Vec<(String, bool)> {
    let shown = command.get_arguments().filter(|it| !it.is_hide_set());
    shown
        .flat_map(|option| {
            let takes_value = option.get_action().takes_values();
            let names = names(option).into_iter();
            names.map(move |name| (name, takes_value))
        })
        .collect()
}

fn names(option: &Arg) -> Vec<String> {
    let long = option.get_long().map(|name| format!("--{name}"));
    let short = option.get_short().map(|name| format!("-{name}"));
    long.into_iter().chain(short).collect()
}
