//! What is said about where an installation went.

use std::path::Path;

use bnbpip_installer::{InstalledEnvironment, Outcome, normalize};
use bnbpip_packaging::record;

use super::Run;
use crate::cli::values::RootUserAction;

impl Run<'_> {
    /// Says what may come of working as root on a Python that isn't in a virtual environment.
    pub(super) fn warn_if_root(&self) {
        if self.arguments.root_user_action == RootUserAction::Warn
            && !self.destination.is_venv
            && self.destination.scripts_on_path
            && bnbpip_platform::is_effective_root()
        {
            self.printer.warning(crate::commands::ROOT_WARNING);
        }
    }

    /// Says which new scripts the shell won't find.
    pub(super) fn warn_about_path(&self, outcome: &Outcome) {
        let Some(environment) = &self.destination.environment else {
            return;
        };
        let folder = &environment.scheme.scripts;
        // Who starts this Python starts the scripts beside it.
        let beside_python = self.destination.is_venv && !self.arguments.user;
        if self.arguments.no_warn_script_location
            || !self.destination.scripts_on_path
            || beside_python
        {
            return;
        }
        let on_path = self
            .settings
            .shell
            .path
            .as_ref()
            .is_some_and(|path| std::env::split_paths(path).any(|other| other == *folder));
        if on_path {
            return;
        }
        // The user's folder may be new, and not on the path yet.
        let places = [&environment.scheme.purelib, &environment.scheme.platlib];
        let Ok(installed) = InstalledEnvironment::scan(&places.map(Clone::clone)) else {
            return;
        };
        let names = outcome.receipt.installed.iter();
        let mut scripts: Vec<String> = names
            .filter_map(|entry| installed.get(&entry.name.parse().ok()?))
            .flat_map(|distribution| scripts_of(&distribution.dist_info, folder))
            .collect();
        scripts.sort();
        let (all, are) = match scripts.as_slice() {
            [] => return,
            [one] => (format!("script {one}"), "is"),
            [most @ .., last] => (format!("scripts {} and {last}", most.join(", ")), "are"),
        };
        self.printer.warning(&format!(
            "The {all} {are} installed in '{}' which is not on PATH.\n  Consider adding this \
             directory to PATH or, if you prefer to suppress this warning, use \
             --no-warn-script-location.",
            folder.display()
        ));
    }
}

/// The scripts that a distribution's record lists, by their names.
fn scripts_of(dist_info: &Path, folder: &Path) -> Vec<String> {
    let text = fs_err::read_to_string(dist_info.join("RECORD")).unwrap_or_default();
    let library = dist_info.parent().unwrap_or(dist_info);
    let in_folder = |path: &str| {
        let place = normalize(&library.join(path));
        (place.parent() == Some(folder)).then(|| place.file_name()?.to_str().map(str::to_owned))?
    };
    let rows = record::parse(&text).unwrap_or_default();
    rows.iter().filter_map(|row| in_folder(&row.path)).collect()
}
