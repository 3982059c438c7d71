//! `list`, `freeze`, `show` and `check` on fabricated environments.

#![expect(clippy::unwrap_used, reason = "test support")]

use insta::assert_snapshot;

use crate::fabricated::{Fabricated, World};

fn furnished() -> World {
    let world = World::new();
    world.install(&Fabricated {
        name: "Zope.Interface",
        version: "5.0",
        headers: &[
            "Summary: Interfaces",
            "Project-URL: Home Page, https://zope.example",
            "Author: A. Author",
            "License: ZPL",
            "Requires-Dist: Alpha_Beta >=1,<3",
            "Requires-Dist: extra-only ; extra == 'test'",
            "Requires-Dist: elsewhere ; sys_platform == 'plan9'",
            "Classifier: Topic :: Software Development",
        ],
        info: &[("entry_points.txt", "[console_scripts]\nzope = zope:main\n")],
        ..Fabricated::default()
    });
    world.install(&Fabricated {
        name: "alpha-beta",
        version: "2.0.post1",
        headers: &["Metadata-Version: 2.4", "Summary: <\u{1b}[31mred>"],
        ..Fabricated::default()
    });
    world.install(&Fabricated {
        name: "fetched",
        version: "1.0+local",
        info: &[(
            "direct_url.json",
            r#"{"url": "https://h.example/fetched.whl", "archive_info": {"hash": "sha256=00"}}"#,
        )],
        ..Fabricated::default()
    });
    world.install(&Fabricated {
        name: "checked-out",
        version: "3",
        info: &[(
            "direct_url.json",
            r#"{"url": "https://h.example/r.git", "vcs_info": {"vcs": "git", "commit_id": "0123", "requested_revision": "main"}, "subdirectory": "py"}"#,
        )],
        ..Fabricated::default()
    });
    let project = world.path().join("project");
    fs_err::create_dir_all(&project).unwrap();
    let url = url_of(&project);
    world.install(&Fabricated {
        name: "in-place",
        version: "0.1",
        info: &[(
            "direct_url.json",
            &format!(r#"{{"url": "{url}", "dir_info": {{"editable": true}}}}"#),
        )],
        ..Fabricated::default()
    });
    fs_err::create_dir_all(world.library().join("~emains-1.0.dist-info")).unwrap();
    world
}

fn url_of(path: &std::path::Path) -> String {
    let path = path.display().to_string().replace('\\', "/");
    format!("file:///{}", path.trim_start_matches('/'))
}

#[test]
fn list() {
    let world = furnished();
    // The column is as wide as its heading, or as the folder's path where that is longer.
    let mut listed = world.run("list");
    while listed.contains(&"-".repeat(26)) {
        listed = listed.replace(&"-".repeat(26), &"-".repeat(25));
    }
    assert_snapshot!(listed);
    assert_snapshot!(world.run("list --format=freeze -v --exclude in_place"));
    assert_snapshot!(world.run("list --format=json --editable"));
    assert_snapshot!(world.run("list --not-required --exclude-editable --format freeze"));
    assert_snapshot!(world.run("list --path env --local"));
    assert_snapshot!(world.run("-q list"));
    assert_eq!(
        world.run("list -qq"),
        "exit code: 0\n----- stdout -----\n----- stderr -----"
    );
}

#[test]
fn freeze() {
    let world = furnished();
    assert_snapshot!(world.run("freeze"));
    fs_err::write(
        world.path().join("r.txt"),
        "# mine\n--pre\nalpha_beta>=1  # why\n-e git+https://h.example/p.git#egg=in-place\n\
         gone==1\nalpha-beta\n",
    )
    .unwrap();
    assert_snapshot!(world.run("freeze -r r.txt --exclude fetched"));
}

#[test]
fn show() {
    let world = furnished();
    assert_snapshot!(world.run("show -f -v zope-interface gone"));
    assert_snapshot!(world.run("show alpha_beta in-place"));
    assert_snapshot!(world.run("show gone"));
    assert_snapshot!(world.run("show"));
}

#[test]
fn check() {
    let world = furnished();
    assert_snapshot!(world.run("check"));
    world.install(&Fabricated {
        name: "needy",
        version: "1",
        headers: &[
            "Requires-Dist: Missing[x] (>=1)",
            "Requires-Dist: alpha-beta >=3,<4 ; python_version >= '3'",
            "Requires-Dist: fetched ==1.0",
        ],
        tag: "cp27-cp27m-win32",
        ..Fabricated::default()
    });
    world.install(&Fabricated {
        name: "broken",
        version: "1",
        headers: &["Requires-Dist: ==="],
        ..Fabricated::default()
    });
    assert_snapshot!(world.run("check"));
}

#[test]
fn check_knows_the_rules() {
    let world = World::new();
    for (name, version) in [
        ("bitsandbytes", "0.43.0"),
        ("triton", "3.2.0"),
        ("setuptools", "75.0"),
    ] {
        world.install(&Fabricated {
            name,
            version,
            ..Fabricated::default()
        });
    }
    let text = world.run("check");
    assert!(text.starts_with("exit code: 1"), "{text}");
    assert!(
        text.contains("bitsandbytes 0.43.0 with triton 3.2.0 breaks rule BNB-0001: "),
        "{text}"
    );
    assert!(text.contains("\nhint: "), "{text}");
    let text = world.run("check --allow BNB-0001");
    assert!(text.starts_with("exit code: 0"), "{text}");
    assert!(
        world
            .run("check --allow nonsense")
            .starts_with("exit code: 1")
    );
}

/// What went to standard output.
fn stdout(run: &str) -> &str {
    let (_, rest) = run.split_once("----- stdout -----\n").unwrap();
    rest.split_once("----- stderr -----").unwrap().0
}

#[test]
fn inspect() {
    let world = furnished();
    let run = world.run("inspect");
    assert!(run.starts_with("exit code: 0"), "{run}");
    let report: serde_json::Value = serde_json::from_str(stdout(&run)).unwrap();
    let keys = |value: &serde_json::Value| -> Vec<String> {
        value.as_object().unwrap().keys().cloned().collect()
    };
    let mut found = keys(&report);
    found.sort();
    let expected = ["environment", "installed", "pip_version", "version"];
    assert_eq!(found, expected);
    assert_eq!(report["version"], "1");
    assert_eq!(report["environment"].as_object().unwrap().len(), 11);
    assert_snapshot!(serde_json::to_string_pretty(&report["installed"]).unwrap());
    // Selected as `list` does.
    let nothing = world.run("inspect --path project");
    let report: serde_json::Value = serde_json::from_str(stdout(&nothing)).unwrap();
    assert_eq!(report["installed"], serde_json::json!([]));
    let both = world.run("inspect --path project --user");
    assert!(both.starts_with("exit code: 1"), "{both}");
    // What was asked for comes even quietly.
    assert_eq!(stdout(&world.run("inspect -q")), stdout(&run));
}

#[test]
fn debug() {
    let world = World::new();
    let target = "debug --python-platform windows --python-version 3.11";
    let run = world.run(target);
    let without_machine: Vec<&str> = run
        .lines()
        .filter(|line| {
            let of_machine = [
                "sys",
                "  name: ",
                "locale.",
                "'cert'",
                "REQUESTS_",
                "CURL_",
                "Rules ",
                "bnbpip version",
                "pip._vendor.",
                "vendored library versions:",
            ];
            !of_machine.iter().any(|start| line.starts_with(start)) && !line.contains("==")
        })
        .collect();
    assert_snapshot!(without_machine.join("\n"));
    let all = world.run(&format!("{target} -v"));
    let tags = |run: &str| {
        let lines = run.split_once("Compatible tags: ").unwrap().1.lines();
        lines.filter(|line| line.starts_with("  ")).count()
    };
    assert_eq!(tags(&run), 12, "{run}");
    assert_eq!(tags(&all), 39, "{all}");
    assert!(all.contains("\n  py3-none-any\n"), "{all}");
    // Each library once, with its version.
    let libraries = run.split_once("vendored library versions:\n").unwrap().1;
    let libraries: Vec<&str> = libraries
        .lines()
        .take_while(|line| line.contains("=="))
        .collect();
    assert_eq!(libraries.len(), 18, "{libraries:?}");
    assert!(
        libraries
            .iter()
            .any(|line| line.starts_with("  rustls==0."))
    );
    let own = world.run("debug");
    for line in ["sys.platform: ", "sys.executable: ", "Compatible tags: "] {
        assert!(own.contains(&format!("\n{line}")), "{own}");
    }
}
