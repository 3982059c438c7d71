//! Where the cache is when nobody says: one for all, and on Windows one for each further drive that
//! has a folder for it, so that files can be hard links into it.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use super::ProcessEnvironment;

/// The folder that serves a drive of its own, at its root.
const OF_A_DRIVE: &str = ".bnbpip-cache";

/// The usual cache of an environment: that of its drive if there is one, else the user's. `python`
/// is the environment or interpreter that was typed.
pub(super) fn usual(environment: &ProcessEnvironment, python: Option<&Path>) -> Option<PathBuf> {
    let of_drive = of_drive(environment, python).filter(|folder| folder.is_dir());
    of_drive.or_else(|| of_user(environment))
}

/// The folder that would be the cache of the environment's drive, where that is another than the
/// user's.
pub(super) fn of_drive(environment: &ProcessEnvironment, python: Option<&Path>) -> Option<PathBuf> {
    let of_user = of_user(environment).filter(|_| cfg!(windows))?;
    on_another_drive(environment, python, &of_user)
}

fn on_another_drive(
    environment: &ProcessEnvironment,
    python: Option<&Path>,
    of_user: &Path,
) -> Option<PathBuf> {
    let typed = python.and_then(drive);
    let active = ["VIRTUAL_ENV", "CONDA_PREFIX"];
    let mut active = active.into_iter().filter_map(|it| environment.get_path(it));
    let letter = typed
        .or_else(|| active.find_map(|folder| drive(&folder)))
        .or_else(|| drive(environment.working_directory()))?;
    (drive(of_user)? != letter).then(|| PathBuf::from(format!("{letter}:\\{OF_A_DRIVE}")))
}

/// The letter of a path's drive, as a capital.
fn drive(path: &Path) -> Option<char> {
    let text = path.to_str()?;
    let text = text.strip_prefix(r"\\?\").unwrap_or(text);
    match text.as_bytes() {
        [letter, b':', ..] if letter.is_ascii_alphabetic() => {
            Some(char::from(letter.to_ascii_uppercase()))
        }
        _ => None,
    }
}

/// `~/.cache/bnbpip`, `%LOCALAPPDATA%\bnbpip\cache`.
fn of_user(environment: &ProcessEnvironment) -> Option<PathBuf> {
    // Asked by hand first: the variable counts on every system, as it does for other tools.
    let base = environment
        .get_path("XDG_CACHE_HOME")
        .filter(|path| path.is_absolute());
    let base = base.or_else(|| Some(etcetera::choose_base_strategy().ok()?.cache_dir()))?;
    Some(if cfg!(windows) {
        base.join("bnbpip").join("cache")
    } else {
        base.join("bnbpip")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_drive_may_have_a_cache_of_its_own() {
        let of_user = Path::new(r"C:\Users\ada\AppData\Local\bnbpip\cache");
        let folder = |variables: &[(&str, &str)], python: Option<&str>| {
            let environment = ProcessEnvironment::of(variables);
            let found = on_another_drive(&environment, python.map(Path::new), of_user);
            found.map(|folder| folder.display().to_string())
        };
        let of_d = Some(r"D:\.bnbpip-cache".to_owned());
        assert_eq!(folder(&[("VIRTUAL_ENV", r"d:\ComfyUI\venv")], None), of_d);
        assert_eq!(folder(&[("CONDA_PREFIX", r"\\?\D:\conda")], None), of_d);
        let on_c = [("VIRTUAL_ENV", r"c:\venv")];
        assert_eq!(folder(&on_c, None), None);
        let typed = r"D:\ComfyUI\python_embeded\python.exe";
        assert_eq!(folder(&on_c, Some(typed)), of_d);
        assert_eq!(folder(&on_c, Some("3.11")), None);
        assert_eq!(
            folder(&[("VIRTUAL_ENV", r"\\server\share\venv")], None),
            None
        );
    }
}
