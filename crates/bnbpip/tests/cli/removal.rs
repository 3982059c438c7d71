//! `uninstall` and `venv`.

use insta::assert_snapshot;

use crate::fabricated::{Fabricated, World};

fn with_two() -> World {
    let world = World::new();
    for name in ["One.Package", "two"] {
        world.install(&Fabricated {
            name,
            version: "1.0",
            ..Fabricated::default()
        });
    }
    world
}

#[test]
fn uninstall_several() {
    let world = with_two();
    fs_err::write(world.path().join("r.txt"), "two==1.0\nTWO\n").unwrap();
    assert_snapshot!(world.run("uninstall -y one-package -r r.txt gone"));
    assert!(world.run("list --format=json").contains("[]"));
    assert!(!world.library().join("two.py").exists());
}

#[test]
fn uninstall_is_all_or_nothing() {
    let world = with_two();
    fs_err::remove_file(world.library().join("two-1.0.dist-info/RECORD")).unwrap();
    assert_snapshot!(world.run("uninstall -y one.package two"));
    assert!(world.library().join("one_package.py").exists());
}

#[test]
fn what_has_no_record_is_told_in_pips_words() {
    let world = with_two();
    let info = world.library().join("one_package-1.0.dist-info");
    fs_err::remove_file(info.join("RECORD")).unwrap();
    let recover = "this via: pip install --ignore-installed --no-deps One.Package==1.0";
    for (installer, hint) in [
        ("pip\n", recover),
        ("\n", recover),
        (
            "MegaCorp Cloud\n",
            "The package was installed by MegaCorp Cloud. You should check",
        ),
    ] {
        fs_err::write(info.join("INSTALLER"), installer).unwrap();
        let shown = world.run("uninstall -y one.package");
        for said in [
            "ERROR: Cannot uninstall One.Package 1.0\n",
            "no RECORD file was found for One.Package.",
            hint,
        ] {
            assert!(shown.contains(said), "{shown}");
        }
    }
}

#[test]
fn uninstall_asks() {
    let world = with_two();
    assert_snapshot!(world.run("uninstall two"));
    assert_snapshot!(world.run("uninstall two --no-input"));
    assert!(world.library().join("two.py").exists());
}

#[test]
fn uninstall_needs_names() {
    let world = with_two();
    assert_snapshot!(world.run("uninstall"));
    assert_snapshot!(world.run("uninstall one=1"));
}

#[test]
fn uninstall_leaves_other_environments_alone() {
    let world = with_two();
    let other = world.path().join("other");
    fs_err::create_dir_all(other.join("three-1.dist-info")).unwrap();
    fs_err::write(
        other.join("three-1.dist-info/METADATA"),
        "Name: three\nVersion: 1\n",
    )
    .unwrap();
    fs_err::write(
        other.join("three-1.dist-info/RECORD"),
        "three-1.dist-info/METADATA,,\n",
    )
    .unwrap();
    fs_err::write(
        world.library().join("other.pth"),
        other.display().to_string(),
    )
    .unwrap();
    assert_snapshot!(world.run("uninstall -y three"));
    assert!(other.join("three-1.dist-info/METADATA").exists());
}

#[test]
fn venv() {
    let world = World::new();
    fs_err::create_dir_all(world.path().join("full/x")).unwrap();
    let run = |line: &str| {
        world
            .run(line)
            .lines()
            .filter(|line| !line.starts_with("Using "))
            .collect::<Vec<_>>()
            .join("\n")
    };
    let made = run("venv made --prompt p");
    let (windows, posix) = (r"made\Scripts\activate", "source made/bin/activate");
    let (own, other) = if cfg!(windows) {
        (windows, posix)
    } else {
        (posix, windows)
    };
    assert!(made.contains(own) && !made.contains(other), "{made}");
    let made = made.replace(own, "[ACTIVATE]");
    assert_snapshot!([run("venv env"), run("venv full"), made].join("\n\n"));
    let configuration = fs_err::read_to_string(world.path().join("made/pyvenv.cfg")).unwrap();
    assert!(
        configuration.contains("prompt = p") || configuration.contains("prompt = 'p'"),
        "{configuration}"
    );
    let cleared = run("venv made --clear");
    assert!(cleared.starts_with("exit code: 0"), "{cleared}");
}

#[test]
fn a_virtual_environment_can_be_required() {
    let world = with_two();
    let text = world.run("uninstall -y two --require-virtualenv");
    assert!(text.starts_with("exit code: 0"), "{text}");
}
