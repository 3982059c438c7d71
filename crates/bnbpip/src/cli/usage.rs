//! The usage lines of each command, in pip's manner.

/// The forms of a command's line, without the program's name.
fn forms(words: &[&str]) -> &'static [&'static str] {
    match words {
        ["install"] => &[
            "install [options] <requirement specifier> [package-index-options] ...",
            "install [options] -r <requirements file> [package-index-options] ...",
            "install [options] [-e] <project path> ...",
            "install [options] <archive url/path> ...",
        ],
        ["wheel"] => &[
            "wheel [options] <requirement specifier> ...",
            "wheel [options] -r <requirements file> ...",
            "wheel [options] <project path> ...",
            "wheel [options] <archive url/path> ...",
        ],
        ["download"] => &[
            "download [options] <requirement specifier> [package-index-options] ...",
            "download [options] -r <requirements file> [package-index-options] ...",
            "download [options] <vcs project url> ...",
            "download [options] <archive url/path> ...",
        ],
        ["hash"] => &["hash [options] <file> ..."],
        ["inspect"] => &["inspect [options]"],
        ["index"] => &["index versions [options] <package>"],
        ["completion"] => &["completion [options]"],
        ["debug"] => &["debug [options]"],
        ["help"] => &["help [command]"],
        ["uninstall"] => &[
            "uninstall [options] <package> ...",
            "uninstall [options] -r <requirements file> ...",
        ],
        ["list"] => &["list [options]"],
        ["freeze"] => &["freeze [options]"],
        ["show"] => &["show [options] <package> ..."],
        ["tree"] => &["tree [options] [lock file]"],
        ["why"] => &["why [options] <package> ..."],
        ["check"] => &["check [options]"],
        ["history"] => &["history [options]"],
        ["undo"] => &["undo [options] [count]"],
        ["venv"] => &["venv [options] [dir]"],
        ["cache", ..] => &[
            "cache dir",
            "cache info",
            "cache list [<pattern>] [--format=[human, abspath]]",
            "cache remove <pattern>",
            "cache purge",
        ],
        ["config"] => &[
            "config [<file-option>] list",
            "config [<file-option>] [--editor <editor-path>] edit",
            "config [<file-option>] get command.option",
            "config [<file-option>] set command.option value",
            "config [<file-option>] unset command.option",
            "config [<file-option>] debug",
        ],
        _ => &["<command> [options]"],
    }
}

/// The usage of a command as `--help` shows it.
pub(super) fn usage(words: &[&str]) -> String {
    let forms: Vec<_> = forms(words)
        .iter()
        .map(|form| format!("  bnbpip {form}"))
        .collect();
    forms.join("\n")
}

/// The usage of a command as it stands above an error.
pub(crate) fn error_usage(words: &[&str]) -> String {
    format!("Usage:   \n{}", usage(words))
}
