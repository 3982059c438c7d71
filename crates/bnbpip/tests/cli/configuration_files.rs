//! What pip's configuration files set.

#![expect(clippy::unwrap_used, reason = "set-up of the tests")]

use insta::assert_snapshot;

use crate::fabricated::World;

/// A run with the file as the one that `PIP_CONFIG_FILE` names, in its own environment.
fn run(world: &World, content: &str, line: &str, variables: &[(&str, &str)]) -> String {
    let file = world.path().join("named.conf");
    fs_err::write(&file, content).unwrap();
    world.run_with(line, |command| {
        command
            .env("PIP_CONFIG_FILE", &file)
            .env("VIRTUAL_ENV", world.path().join("env"))
            .envs(variables.iter().copied());
    })
}

#[test]
fn files_set_options_below_variables_and_the_command_line() {
    let world = World::new();
    let list = "[global]\nformat = freeze\n[list]\nformat = json\n";
    let is_json = |text: &str| text.contains("\n[]\n");
    assert!(is_json(&run(&world, list, "list", &[])));
    assert!(!is_json(&run(
        &world,
        "[freeze]\nformat = json\n",
        "list",
        &[]
    )));
    assert!(!is_json(&run(
        &world,
        list,
        "list",
        &[("PIP_FORMAT", "columns")]
    )));
    assert!(!is_json(&run(&world, list, "list --format columns", &[])));
    // The named file counts with `--isolated` too, as with pip; the user's doesn't.
    assert!(is_json(&run(&world, list, "list --isolated", &[])));
}

#[test]
fn the_environments_own_file_is_read() {
    let world = World::new();
    let name = if cfg!(windows) { "pip.ini" } else { "pip.conf" };
    let file = world.path().join("env").join(name);
    fs_err::write(file, "[list]\nformat = json\n").unwrap();
    let environment = world.path().join("env").display().to_string();
    let line = format!("list --python {environment}");
    let of_environment = world.run_with(&line, |command| {
        command.env_remove("PIP_CONFIG_FILE");
    });
    assert!(of_environment.contains("\n[]\n"), "{of_environment}");
    // The null device, which the tests set, switches the files off.
    let none = world.run_with(&line, |_| {});
    assert!(!none.contains("[]"), "{none}");
}

#[test]
fn of_many_settings_without_effect_some_are_named() {
    let world = World::new();
    let lines: Vec<String> = (0..1_000).map(|number| format!("x{number} = 1")).collect();
    let content = format!("[global]\n{}\n", lines.join("\n"));
    let told = run(&world, &content, "list", &[]);
    assert_eq!(told.matches("has no effect: bnbpip").count(), 20, "{told}");
    assert!(told.contains("980 more settings in files have no effect"));
}

#[test]
fn what_files_cannot_set() {
    let world = World::new();
    let texts = [
        (
            "[global]\nkeyring-provider = auto\ncache-dir = /pips\n[list]\nno-deps = yes\n",
            "list",
        ),
        ("[global]\ntimeout = soon\n", "list"),
        ("[list]\noutdated = perhaps\n", "list"),
        ("[list]\nformat = xml\n", "list"),
        ("timeout = 3\n", "list"),
    ];
    let runs = texts.map(|(content, line)| run(&world, content, line, &[]));
    let null_device = if cfg!(windows) {
        "`nul`"
    } else {
        "`/dev/null`"
    };
    assert_snapshot!(runs.join("\n\n").replace(null_device, "`/dev/null`"));
}
