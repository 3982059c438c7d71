//! Asking for credentials that a server wants, and telling what is looked at, in pip's words.

use std::path::PathBuf;
use std::sync::Arc;

use bnbpip_index::Asker;

use super::target_environment;
use crate::configuration::settings::Settings;
use crate::printer::Printer;

/// Who asks in a run with these settings.
pub(crate) fn asker(settings: &Settings, printer: &'static Printer) -> Arc<dyn Asker> {
    Arc::new(Terminal {
        settings: settings.clone(),
        printer,
    })
}

#[derive(Debug)]
struct Terminal {
    settings: Settings,
    printer: &'static Printer,
}

impl Asker for Terminal {
    fn python(&self) -> Option<PathBuf> {
        let interpreter = target_environment::find_to_read(&self.settings).ok()?;
        Some(interpreter.sys_executable)
    }

    fn user(&self, host: &str) -> Option<String> {
        if !self.settings.may_ask {
            return None;
        }
        let user = self.printer.ask(&format!("User for {host}: "))?;
        let user = user.trim();
        (!user.is_empty()).then(|| user.to_string())
    }

    fn password(&self) -> Option<String> {
        let password = self.printer.ask_secret("Password: ")?;
        Some(password.trim_end_matches(['\r', '\n']).to_string())
    }

    fn may_save(&self) -> bool {
        loop {
            let answer = self.printer.ask("Save credentials to keyring [y/N]: ");
            match answer.as_deref().map(str::trim) {
                Some("y" | "Y") => return true,
                None | Some("" | "n" | "N") => return false,
                Some(other) => self.printer.info(&format!(
                    "Your response ('{other}') was not one of the expected responses: y, n, "
                )),
            }
        }
    }

    fn tell(&self, text: &str) {
        self.printer.status(text);
    }

    fn looks_at(&self, url: &str) {
        self.printer.details(&format!(
            "Fetching project page and analyzing links: {url}\nGetting page {url}"
        ));
    }

    fn warn(&self, text: &str) {
        self.printer.warning(text);
    }
}
