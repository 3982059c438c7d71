//! `hash`.

use insta::assert_snapshot;

use crate::fabricated::World;

#[test]
fn hash() {
    let world = World::new();
    fs_err::write(world.path().join("a.whl"), "abc").unwrap();
    fs_err::write(world.path().join("b.whl"), "").unwrap();
    let runs: Vec<String> = [
        "hash a.whl b.whl",
        "hash -a sha384 a.whl",
        "hash --algorithm=sha512 a.whl",
        "hash --algorithm md5 a.whl",
        "hash",
    ]
    .iter()
    .map(|line| format!("$ bnbpip {line}\n{}", world.run(line)))
    .collect();
    assert_snapshot!(runs.join("\n\n"));
    let gone = world.run("hash gone");
    assert!(
        gone.starts_with("exit code: 1") && gone.contains("gone"),
        "{gone}"
    );
}
