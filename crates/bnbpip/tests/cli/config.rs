//! `config`: pip's files shown and changed.

#![expect(clippy::unwrap_used, reason = "set-up of the tests")]

use std::path::PathBuf;

use insta::assert_snapshot;

use crate::fabricated::World;

const NAME: &str = if cfg!(windows) { "pip.ini" } else { "pip.conf" };

/// A home with files of its own.
struct Home(World);

impl Home {
    fn new() -> Self {
        let world = World::new();
        fs_err::create_dir_all(world.path().join("etc")).unwrap();
        Self(world)
    }

    fn run(&self, words: &[&str]) -> String {
        self.run_with(words, &[])
    }

    fn run_with(&self, words: &[&str], variables: &[(&str, &str)]) -> String {
        // The machine's own file can't be put elsewhere.
        let changes = ["set", "unset", "edit"].iter().any(|it| words.contains(it));
        assert!(!(changes && words.contains(&"--global")), "{words:?}");
        let home = self.0.path();
        self.0.run_with("config", |command| {
            command
                .args(words)
                .env_remove("PIP_CONFIG_FILE")
                .env("HOME", home)
                .env("USERPROFILE", home)
                .env("APPDATA", home.join("config"))
                .env("XDG_CONFIG_HOME", home.join("config"))
                .env("XDG_CONFIG_DIRS", home.join("etc"))
                .env("PROGRAMDATA", home.join("etc"))
                .env("VIRTUAL_ENV", home.join("env"))
                .env_remove("VISUAL")
                .env_remove("EDITOR")
                .envs(variables.iter().copied());
        })
    }

    fn file(&self, folder: &str) -> PathBuf {
        self.0.path().join(folder).join(NAME)
    }
}

#[test]
fn set_get_list_unset() {
    let home = Home::new();
    let url = "https://example.org/simple";
    let set = home.run(&["set", "global.Index_URL", url]);
    let file = home.file("config/pip");
    assert!(
        set.contains(&format!("Writing to [DIR]/config/pip/{NAME}")),
        "{set}"
    );
    let text = fs_err::read_to_string(&file).unwrap();
    assert_eq!(text, format!("[global]\nindex-url = {url}\n"));
    let got = home.run(&["get", "global.index-url"]);
    assert!(got.contains(&format!("-----\n{url}\n")), "{got}");
    drop(home.run(&["set", "install.find-links", "a\nb"]));
    let variables = [("PIP_PRE", "yes"), ("BNBPIP_LINK_MODE", "copy")];
    let listed = home.run_with(&["list", "--user"], &variables);
    // They are sorted by their files' paths, and a drive's letter comes after a colon.
    let (file_lines, variable_line) = (
        format!("global.index-url='{url}'\ninstall.find-links='a\\nb'\n"),
        ":env:.pre='yes'\n",
    );
    let wanted = if cfg!(windows) {
        format!("-----\n{variable_line}{file_lines}-----")
    } else {
        format!("-----\n{file_lines}{variable_line}-----")
    };
    assert!(listed.contains(&wanted), "{listed}");
    let unset = home.run(&["unset", "global.index-url"]);
    assert!(unset.starts_with("exit code: 0"), "{unset}");
    let text = fs_err::read_to_string(&file).unwrap();
    assert_eq!(text.trim_start(), "[install]\nfind-links = a\n\tb\n");
}

/// Comments and everything else in a file survive, and a file that can't be read stays as it is.
#[test]
fn files_keep_what_is_in_them() {
    let home = Home::new();
    let file = home.file("env");
    fs_err::write(
        &file,
        "# ours\n[global]\ntimeout = 3 \n\n[list]\nformat = json\n",
    )
    .unwrap();
    // There is one in the environment: it is the one that is changed.
    drop(home.run(&["set", "global.timeout", "5"]));
    let text = fs_err::read_to_string(&file).unwrap();
    assert_eq!(
        text,
        "# ours\n[global]\ntimeout = 5\n\n[list]\nformat = json\n"
    );
    drop(home.run(&["set", "--user", "global.timeout", "7"]));
    assert!(home.file("config/pip").is_file());
    let of_each = |option: &str| home.run(&["get", option, "global.timeout"]);
    assert!(of_each("--site").contains("\n5\n"));
    assert!(of_each("--user").contains("\n7\n"));
    fs_err::write(&file, "timeout = 3\n").unwrap();
    let refused = home.run(&["set", "--site", "global.timeout", "5"]);
    assert!(refused.starts_with("exit code: 2"), "{refused}");
    assert_eq!(fs_err::read_to_string(&file).unwrap(), "timeout = 3\n");
}

#[test]
fn what_cannot_be_done() {
    let home = Home::new();
    let lines: [&[&str]; 9] = [
        &[],
        &["edit-all"],
        &["get"],
        &["set", "global.x"],
        &["get", "timeout"],
        &["get", "global.timeout"],
        &["unset", "global.timeout"],
        &["--user", "--site", "list"],
        &["edit"],
    ];
    let runs = lines.map(|words| format!("$ config {}\n{}", words.join(" "), home.run(words)));
    assert_snapshot!(runs.join("\n\n"));
    let null_device = if cfg!(windows) { "nul" } else { "/dev/null" };
    let off = [("PIP_CONFIG_FILE", null_device)];
    let refused = home.run_with(&["set", "global.x", "1"], &off);
    let said = "ERROR: Cannot write to PIP_CONFIG_VALUE when it is set to ";
    assert!(refused.contains(said), "{refused}");
}

#[test]
fn a_named_file_stands_for_the_users() {
    let home = Home::new();
    let named = home.0.path().join("named.conf");
    fs_err::write(&named, "").unwrap();
    let named_text = named.display().to_string();
    let variables = [("PIP_CONFIG_FILE", named_text.as_str())];
    let set = home.run_with(&["set", "global.timeout", "5"], &variables);
    assert!(
        set.contains("WARNING: Because PIP_CONFIG_FILE is set"),
        "{set}"
    );
    assert_eq!(
        fs_err::read_to_string(&named).unwrap(),
        "[global]\ntimeout = 5\n"
    );
    assert!(!home.file("config/pip").exists());
}

/// Which value comes from where, and which of them counts.
#[test]
fn debug() {
    let home = Home::new();
    fs_err::create_dir_all(home.0.path().join("config/pip")).unwrap();
    fs_err::write(
        home.file("config/pip"),
        "[global]\ntimeout = 3\nproxy = a\n",
    )
    .unwrap();
    fs_err::write(
        home.file("env"),
        "[global]\nproxy = b\n[install]\npre = yes\n",
    )
    .unwrap();
    fs_err::write(home.0.path().join("bnbpip.toml"), "allow = ['BNB-0001']\n").unwrap();
    let variables = [("PIP_TIMEOUT", "5"), ("BNBPIP_LINK_MODE", "copy")];
    let shown = home.run_with(&["debug"], &variables);
    // The machine's own files may say more.
    for lines in [
        "-----\nenv_var:\n  PIP_TIMEOUT='5'\nenv:\nglobal:\n  [DIR]/etc/pip/pip.conf, exists: False\n",
        "site:\n  [DIR]/env/pip.conf, exists: True\n    global.proxy: b\n    install.pre: yes\nuser:\n",
        "  [DIR]/config/pip/pip.conf, exists: True\n    global.timeout: 3\n    global.proxy: a\nbnbpip:\n",
        "  BNBPIP_LINK_MODE='copy'\n  [DIR]/bnbpip.toml, exists: True\ncounts:\n",
        "  global.link-mode='copy' (BNBPIP_LINK_MODE)\n",
        "  global.timeout='5' (PIP_TIMEOUT)\n",
        "  global.proxy='b' ([DIR]/env/pip.conf)\n",
        "  install.pre='yes' ([DIR]/env/pip.conf)\n",
    ] {
        let lines = lines.replace("pip.conf", NAME);
        assert!(shown.contains(&lines), "{lines}{shown}");
    }
}

/// The editor gets the file, and its exit code counts.
#[test]
fn edit() {
    let home = Home::new();
    let file = home.file("config/pip");
    fs_err::create_dir_all(file.parent().unwrap()).unwrap();
    let (write, fail) = if cfg!(windows) {
        ("echo [global]>", "exit 3 &")
    } else {
        ("echo '[global]' >", "exit 3;")
    };
    let done = home.run(&["--editor", write, "edit"]);
    assert!(done.starts_with("exit code: 0"), "{done}");
    let text = fs_err::read_to_string(&file).unwrap();
    assert_eq!(text.lines().collect::<Vec<_>>(), ["[global]"]);
    let failed = home.run_with(&["edit"], &[("EDITOR", fail)]);
    assert!(
        failed.contains("Editor Subprocess exited with exit code 3"),
        "{failed}"
    );
}
