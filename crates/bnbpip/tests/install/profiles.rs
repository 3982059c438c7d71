//! `--profile`: reviewed combinations, and a team's own.

use bnbpip_testing::{IndexServer, WheelBuilder};
use insta::assert_snapshot;

use crate::support::{environment, last_line};

fn index() -> IndexServer {
    let wheels = [
        WheelBuilder::new("torch", "2.4.1"),
        WheelBuilder::new("torch", "2.9.0"),
        WheelBuilder::new("bitsandbytes", "0.45.5").requires("torch"),
        WheelBuilder::new("bitsandbytes", "0.50.2").requires("torch"),
        WheelBuilder::new("triton-windows", "3.1.0.post17"),
        WheelBuilder::new("triton-windows", "3.2.0.post21"),
        WheelBuilder::new("setuptools", "80.0.0"),
        WheelBuilder::new("torchvision", "0.19.1").requires("torch"),
        WheelBuilder::new("torchvision", "0.24.0").requires("torch"),
    ];
    IndexServer::with(wheels.iter().map(WheelBuilder::build))
}

#[test]
fn a_profile_is_installed_or_kept_to() {
    let server = index();
    let environment = environment(&server);
    let dry = |words: &[&str]| {
        let start = ["install", "--dry-run", "--profile", "torch24-bnb45"];
        environment.run([&start[..], words].concat())
    };
    let on_windows = [
        "--python-platform",
        "windows",
        "--python-version",
        "3.11",
        "--target",
        "there",
        "--only-binary",
        ":all:",
    ];
    let mut on_linux = on_windows;
    on_linux[1] = "linux";
    for (system, expected) in [
        (
            on_windows,
            "Would install bitsandbytes-0.45.5 setuptools-80.0.0 torch-2.4.1 \
             triton-windows-3.1.0.post17",
        ),
        (on_linux, "Would install bitsandbytes-0.45.5 torch-2.4.1"),
    ] {
        let alone = dry(&system).success();
        assert_eq!(last_line(&alone.stdout), expected);
        if cfg!(windows) == (system[1] == "windows") {
            assert_eq!(last_line(&dry(&[]).success().stdout), expected);
        }
    }
    // With something named it only limits, what is merely required too.
    let named = dry(&["torchvision"]).success();
    assert_eq!(
        last_line(&named.stdout),
        "Would install torch-2.4.1 torchvision-0.19.1"
    );
    let against = dry(&["torch>=2.9"]).failure();
    let unknown = environment
        .run(["install", "--profile", "torch99"])
        .failure();
    assert_snapshot!([against.stderr, unknown.stderr].join("-----\n"));
}

#[test]
fn profiles_are_listed_and_shown() {
    let server = index();
    let environment = environment(&server);
    let listed = environment.run(["rules", "list", "--profiles"]).success();
    let shown = environment
        .run(["rules", "show", "torch24-bnb48"])
        .success();
    assert_snapshot!([listed.stdout, shown.stdout].join("-----\n"));
    let json = ["rules", "list", "--profiles", "--json"];
    let json = environment.run(json).success().stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json[0]["requirements"][0], "torch==2.4.1");
    let fine = environment.run(["rules", "lint"]).success().stdout;
    assert!(
        fine.ends_with(" profiles and 1 catalog, nothing wrong.\n"),
        "{fine}"
    );
}

#[test]
fn a_teams_profile_is_a_file_and_held_to_the_rules() {
    let server = index();
    let environment = environment(&server);
    let folder = environment.work().join("rules/profiles");
    fs_err::create_dir_all(&folder).unwrap();
    let profile = |text: &str| fs_err::write(folder.join("ours.toml"), text).unwrap();
    let sound = "title = \"Ours\"\ndate = 2026-11-24\ntargets = [\"windows-3.11\"]\n\
                 requirements = [\"torch==2.9.0\", \"bitsandbytes==0.50.2\"]\nwhy = \"Ours\"\n";
    profile(sound);
    let file = "rules/profiles/ours.toml";
    let install = ["install", "--dry-run", "--profile", file];
    let run = environment.run(install).success();
    assert_eq!(
        last_line(&run.stdout),
        "Would install bitsandbytes-0.50.2 torch-2.9.0"
    );
    // The folder also needs a rule to be one of rules.
    let rule = environment.run(["rules", "new", "glue"]).success().stdout;
    fs_err::create_dir_all(environment.work().join("rules/glue")).unwrap();
    fs_err::write(environment.work().join("rules/glue/TEAM-0001.md"), rule).unwrap();
    let lint = ["rules", "lint", "rules"];
    let sound_set = environment.run(lint).success().stdout;
    assert_eq!(sound_set, "1 rule and 1 profile, nothing wrong.\n");
    let correction = "\n[[corrects]]\npublished = [\"torch==2.4.1\", \"triton-windows==3.1.0.post17\"]\n\
                      target = \"windows-3.11\"\nrules = [\"BNB-0017\"]\nwhy = \"It breaks\"\n";
    let said = [
        sound.replace(
            "bitsandbytes==0.50.2",
            "bitsandbytes==0.43.0\", \"triton-windows==3.2.0.post21",
        ),
        sound.replace("torch==2.9.0", "torch>=2.9.0"),
        sound.replace("why =", "because ="),
        sound.replace("windows-3.11", "beos-5"),
        format!("{sound}{correction}"),
    ]
    .map(|text| {
        profile(&text);
        environment.run(lint).failure().stdout
    });
    assert_snapshot!(said.join("-----\n"));
}
