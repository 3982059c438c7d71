//! What can be typed, and what is said about what can't.

use insta::assert_snapshot;

use crate::fabricated::{PROGRAM, World};

/// Runs that need no environment, one after the other.
fn transcript(lines: &[&str]) -> String {
    let world = World::new();
    let runs: Vec<String> = lines
        .iter()
        .map(|line| format!("$ bnbpip {line}\n{}", world.run_with(line, |_| {})))
        .collect();
    runs.join("\n\n")
}

#[test]
fn version_and_help() {
    assert_snapshot!(transcript(&["", "help nonsense"]));
}

/// `pip 26.3 from /lib/pip (python 3.11)` is what tools take apart.
#[test]
fn version() {
    let world = World::new();
    let program = std::path::absolute(PROGRAM).unwrap();
    let folder = program.parent().unwrap().display().to_string();
    let start = format!("bnbpip {} from {folder}", env!("CARGO_PKG_VERSION"));
    let said = |text: &str| {
        assert!(text.starts_with("exit code: 0\n"), "{text}");
        text.lines().nth(2).unwrap_or_default().to_owned()
    };
    for line in ["--version", "-V", "list --version"] {
        let said = said(&world.run(line));
        let python = said.strip_prefix(&format!("{start} (python 3."));
        let minor = python.and_then(|rest| rest.strip_suffix(')'));
        assert!(
            minor.is_some_and(|minor| minor.parse::<u32>().is_ok()),
            "{said}"
        );
    }
    let without = world.run_with("--version", |command| {
        command.env("PATH", world.path());
    });
    assert_eq!(said(&without), start);
}

#[test]
fn help_of_each_command() {
    let world = World::new();
    let texts: Vec<String> = [
        "install",
        "download",
        "uninstall",
        "freeze",
        "list",
        "show",
        "check",
        "venv",
        "cache",
        "cache list",
        "hash",
        "inspect",
        "index",
        "completion",
        "debug",
    ]
    .iter()
    .map(|command| {
        let text = world.run_with(&format!("{command} --help"), |_| {});
        // The same for every command, and shown with the program's own help.
        let (own, general) = text.split_once("General Options:").unwrap();
        assert!(general.contains("--python <python>"), "{text}");
        own.trim_end().to_owned()
    })
    .collect();
    assert_snapshot!(texts.join("\n\n"));
    let install = world.run_with("install -h", |_| {});
    assert_eq!(world.run_with("help install", |_| {}), install);
    assert_eq!(world.run_with("install --help x", |_| {}), install);
}

#[test]
fn mistyped() {
    assert_snapshot!(transcript(&[
        "instal x",
        "xyzzy",
        "install --bogus x",
        "install --usr x",
        "install --no-c x",
        "install -r",
        "install --pre=yes x",
        "install --timeout soon x",
        "install --uploaded-prior-to tomorrow x",
        "install --upgrade-strategy maybe x",
        "install --venv a --target b x",
        "list --format xml",
        "cache",
        "cache bogus",
        "cache remove",
        "lock export",
        "lock diff",
        "--python",
        "inspekt",
        "index bogus",
        "completion",
    ]));
}

#[test]
fn what_pip_has_and_bnbpip_not_yet() {
    assert_snapshot!(transcript(&["--use-feature fast list", "search x",]));
}

#[test]
fn abbreviations_and_places() {
    let world = World::new();
    let expected = world.run("list --format json");
    assert!(expected.contains("[]"), "{expected}");
    assert_eq!(world.run("list --form json"), expected);
    let environment = world.path().join("env").display().to_string();
    let without = |line: &str| world.run_with(line, |_| {});
    assert_eq!(
        without(&format!("--python {environment} list --format json")),
        expected
    );
    assert_eq!(
        without(&format!("list --format json --python={environment}")),
        expected
    );
}

#[test]
fn variables() {
    let world = World::new();
    let run = |name: &str, value: &str, line: &str| {
        world.run_with(line, |command| {
            command
                .env(name, value)
                .env("VIRTUAL_ENV", world.path().join("env"));
        })
    };
    assert!(run("PIP_FORMAT", "json", "list").contains("[]"));
    assert!(run("BNBPIP_FORMAT", "json", "list").contains("[]"));
    assert!(!run("PIP_FORMAT", "json", "list --isolated").contains("[]"));
    assert!(run("PIP_CACHE_DIR", "/pips", "cache dir").contains("[DIR]/cache"));
    assert_snapshot!(
        [
            run("PIP_TIMEOUT", "soon", "list"),
            run("PIP_REQUIRE_VIRTUALENV", "perhaps", "list"),
            run("PIP_FORMAT", "xml", "list"),
        ]
        .join("\n\n")
    );
}

#[test]
fn no_environment() {
    let world = World::new();
    let text = world.run_with("list", |command| {
        command.env("PATH", world.path());
    });
    assert_snapshot!(text);
    let text = world.run_with("list --python gone", |command| {
        command.env("PATH", world.path());
    });
    // Where there is a registry it was looked into.
    assert_eq!(text.contains(" and in the registry"), cfg!(windows));
    assert_snapshot!(text.replace(" and in the registry", ""));
}

#[test]
fn log_and_colour() {
    let world = World::new();
    world.run("--log logs/run.txt show nope");
    let log = fs_err::read_to_string(world.path().join("logs/run.txt")).unwrap_or_default();
    assert!(
        log.trim_end()
            .ends_with("WARNING: Package(s) not found: nope"),
        "{log}"
    );
    let coloured = world.run("show nope --color always");
    assert!(
        coloured.contains("\u{1b}[33mWARNING: \u{1b}[0mPackage(s)"),
        "{coloured:?}"
    );
    assert!(
        !world
            .run("show nope --color always --no-color")
            .contains('\u{1b}')
    );
    assert!(!world.run("show \u{1b}[31mred").contains('\u{1b}'));
}

#[test]
fn completion() {
    let world = World::new();
    for (options, traits) in [
        (
            ["--bash", "-b"],
            ["complete -F _bnbpip", "--dry-run", "download"],
        ),
        (
            ["--zsh", "-z"],
            ["#compdef bnbpip", "--dry-run", "download"],
        ),
        (
            ["--fish", "-f"],
            ["complete -c bnbpip", "dry-run", "download"],
        ),
        (
            ["--powershell", "-p"],
            ["Register-ArgumentCompleter", "--dry-run", "download"],
        ),
    ] {
        let [long, short] = options.map(|option| world.run(&format!("completion {option}")));
        assert!(long.starts_with("exit code: 0\n"), "{long}");
        assert_eq!(long, short);
        for text in traits {
            assert!(long.contains(text), "{options:?} without {text}");
        }
    }
}

/// A link to the program has a name of its own, and it is what is typed.
#[cfg(unix)]
#[test]
fn completion_is_for_the_name_that_was_called() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("pip3");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_bnbpip"), &link).unwrap();
    let output = std::process::Command::new(&link)
        .args(["completion", "--bash"])
        .output()
        .unwrap();
    let code = String::from_utf8(output.stdout).unwrap();
    assert!(code.contains("complete -F _pip3 "), "{code}");
    assert_eq!(completed_by_bash(&code, "pip3"), "--platform");
}

/// What bash makes of `--pla` behind `install`; what it should if there is no bash.
#[cfg(unix)]
fn completed_by_bash(code: &str, command: &str) -> String {
    let script = format!(
        "{code}\nCOMP_WORDS=({command} install --pla); COMP_CWORD=2; \
         _{command} {command} --pla install; echo \"${{COMPREPLY[@]}}\""
    );
    let bash = std::process::Command::new("bash")
        .args(["--norc", "-c", &script])
        .output();
    match bash {
        Ok(output) => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        // Not every machine has it.
        Err(_) => "--platform".to_owned(),
    }
}

/// bash itself completes words with the code.
#[cfg(unix)]
#[test]
fn bash_completes() {
    let world = World::new();
    let code = world.run("completion --bash");
    let (_, code) = code.split_once("----- stdout -----\n").unwrap_or_default();
    let (code, _) = code.split_once("----- stderr -----").unwrap_or_default();
    assert_eq!(completed_by_bash(code, "bnbpip"), "--platform");
}
