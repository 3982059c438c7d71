//! `cache`, on a cache that holds nothing but what these commands leave.

use insta::assert_snapshot;

use crate::fabricated::World;

#[test]
fn an_empty_cache() {
    let world = World::new();
    // What making the environment left: an interpreter's answers, unless that is a script.
    drop(world.run("cache purge"));
    let lines = [
        "cache dir",
        "cache list",
        "cache list --format abspath",
        "cache remove six",
        "cache purge",
        "cache info",
        "cache dir --no-cache-dir",
        "cache",
    ];
    let runs: Vec<String> = lines
        .iter()
        .map(|line| {
            // How many bytes there are to remove depends on the machine's interpreter.
            let text = world.run(line);
            let text: Vec<&str> = text
                .lines()
                .filter(|line| !line.starts_with("Files removed: "))
                .collect();
            format!("$ bnbpip {line}\n{}", text.join("\n"))
        })
        .collect();
    assert_snapshot!(runs.join("\n\n"));
}

#[test]
fn options_before_the_second_word() {
    let world = World::new();
    let behind = world.run("cache list nothing --format abspath");
    assert!(behind.starts_with("exit code: 0\n"), "{behind}");
    let before = world.run("cache --format abspath list nothing");
    assert_eq!(before, behind);
    assert_ne!(world.run("cache list nothing"), before);
}
