//! Settings in files that mean nothing here.

use std::collections::HashSet;

use clap::Command;

use super::{NOT_FROM_PIP, names_of};
use crate::configuration::files::{FileSetting, FileSettings};

/// How many settings without effect are told one by one.
const WITHOUT_EFFECT_TOLD: usize = 20;

/// What to tell about settings in files that mean nothing here: of the command's section those
/// that it doesn't have, of `[global]` those that no command has.
pub(super) fn without_effect(
    files: &FileSettings,
    section: &str,
    subcommand: &Command,
    root: &Command,
) -> Vec<String> {
    let tell = |setting: &FileSetting| {
        format!(
            "The setting `{}.{}` in `{}` has no effect: bnbpip has no option `--{}` there",
            setting.section,
            setting.option,
            setting.file.display(),
            setting.option
        )
    };
    let mut of_any: HashSet<&str> = NOT_FROM_PIP.iter().copied().collect();
    let mut of_this = of_any.clone();
    collect_names(root, &mut of_any);
    collect_names(subcommand, &mut of_this);
    let of_global = files
        .of_section("global")
        .filter(|setting| !of_any.contains(setting.option.as_str()));
    let of_command = files
        .of_section(section)
        .filter(|setting| !of_this.contains(setting.option.as_str()));
    let mut idle = of_global.chain(of_command);
    let mut told: Vec<String> = idle.by_ref().take(WITHOUT_EFFECT_TOLD).map(tell).collect();
    let more = idle.count();
    if more > 0 {
        told.push(match more {
            1 => "1 more setting in files has no effect".to_owned(),
            _ => format!("{more} more settings in files have no effect"),
        });
    }
    told
}

/// The options of a command and of those within it.
fn collect_names<'command>(command: &'command Command, names: &mut HashSet<&'command str>) {
    names.extend(command.get_arguments().flat_map(names_of));
    for nested in command.get_subcommands() {
        collect_names(nested, names);
    }
}
