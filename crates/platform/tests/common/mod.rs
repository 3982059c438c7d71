//! The interpreter that the tests run with: the one that `python3` starts.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::PathBuf;
use std::process::Command;

/// Runs Python code and returns what it prints.
pub(crate) fn python(executable: &str, code: &str) -> String {
    let output = Command::new(executable)
        .args(["-c", code])
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{stderr}");
    String::from_utf8(output.stdout).unwrap().trim().to_string()
}

/// The interpreter itself, behind version managers' shims.
pub(crate) fn interpreter() -> PathBuf {
    let name = if cfg!(windows) { "python" } else { "python3" };
    python(name, "import sys; print(sys.executable)").into()
}
