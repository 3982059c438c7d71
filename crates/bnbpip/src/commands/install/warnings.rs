//! What is said about where an installation went.

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

    /// Says when the scripts' folder can't be found by the shell.
    pub(super) fn warn_about_path(&self) {
        let Some(environment) = &self.destination.environment else {
            return;
        };
        if self.arguments.no_warn_script_location
            || !self.destination.scripts_on_path
            || self.destination.is_venv
        {
            return;
        }
        let scripts = &environment.scheme.scripts;
        let on_path = self
            .settings
            .shell
            .path
            .as_ref()
            .is_some_and(|path| std::env::split_paths(path).any(|folder| folder == *scripts));
        if !on_path && scripts.is_dir() {
            self.printer.warning(&format!(
                "The scripts were installed in '{}' which is not on PATH.",
                scripts.display()
            ));
        }
    }
}
