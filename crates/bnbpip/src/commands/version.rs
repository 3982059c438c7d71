//! `bnbpip --version`, in the form that pip's has and tools take apart: the version, where the
//! program lies, and the Python that it works for.

use crate::commands::target_environment;
use crate::configuration::ProcessEnvironment;
use crate::configuration::settings::Settings;

/// The line. Without a Python to work for it ends after the folder.
pub(crate) fn line(settings: &Settings) -> String {
    let mut line = format!("bnbpip {}", env!("CARGO_PKG_VERSION"));
    if let Some(folder) = ProcessEnvironment::program_folder() {
        line.push_str(" from ");
        line.push_str(&folder.display().to_string());
    }
    // A question about the program is answered whatever is wrong with the environment.
    if let Ok(interpreter) = target_environment::find_to_read(settings) {
        let version = interpreter.version().to_string();
        let short: Vec<&str> = version.split('.').take(2).collect();
        line.push_str(" (python ");
        line.push_str(&short.join("."));
        line.push(')');
    }
    line
}
