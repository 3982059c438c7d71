//! Which packages `list`, `freeze` and `inspect` are about: the environment's own, the user's,
//! those of a folder, all but some; and when an environment has to be a virtual one.

#![expect(clippy::unwrap_used, reason = "test support")]

use std::path::PathBuf;

use crate::fabricated::{Fabricated, World};

/// An environment that sees further folders: one of the user's and one beside it.
struct Places {
    world: World,
    user: PathBuf,
    beside: PathBuf,
}

impl Places {
    fn new() -> Self {
        let world = World::new();
        for (name, headers) in [
            ("Own.Package", &[][..]),
            ("pip", &[]),
            ("needs", &["Requires-Dist: pip"]),
        ] {
            let fabricated = Fabricated {
                name,
                version: "1.0",
                headers,
                ..Fabricated::default()
            };
            world.install(&fabricated);
        }
        let project = world.path().join("project");
        fs_err::create_dir_all(&project).unwrap();
        let url = url::Url::from_directory_path(&project).unwrap();
        let direct_url = format!(r#"{{"url": "{url}", "dir_info": {{"editable": true}}}}"#);
        world.install(&Fabricated {
            name: "in-place",
            version: "0.1",
            info: &[("direct_url.json", &direct_url)],
            ..Fabricated::default()
        });
        let config = world.path().join("env/pyvenv.cfg");
        let text = fs_err::read_to_string(&config).unwrap();
        let seeing = text.replace(
            "include-system-site-packages = false",
            "include-system-site-packages = true",
        );
        fs_err::write(&config, seeing).unwrap();
        let beside = world.path().join("beside");
        let inside = world.library().strip_prefix(world.path().join("env"));
        let user = if cfg!(windows) {
            let base = world.path().join("user");
            let version = bnbpip_testing::environment::base_interpreter().version_info;
            base.join(format!("Python{}{}/site-packages", version.0, version.1))
        } else {
            world.path().join("user").join(inside.unwrap())
        };
        for (folder, name) in [(&user, "of_user"), (&beside, "besides")] {
            let info = folder.join(format!("{name}-2.0.dist-info"));
            fs_err::create_dir_all(&info).unwrap();
            let metadata = format!("Metadata-Version: 2.1\nName: {name}\nVersion: 2.0\n");
            fs_err::write(info.join("METADATA"), metadata).unwrap();
        }
        Self {
            world,
            user,
            beside,
        }
    }

    /// What is printed, less what the machine's own Python has.
    fn lines(&self, line: &str) -> Vec<String> {
        let run = self.world.run_with(line, |command| {
            command
                .env("VIRTUAL_ENV", self.world.path().join("env"))
                .env("PYTHONUSERBASE", self.world.path().join("user"))
                .env("PYTHONPATH", "");
        });
        assert!(run.starts_with("exit code: 0"), "{line}: {run}");
        let (_, rest) = run.split_once("----- stdout -----\n").unwrap();
        let (shown, _) = rest.split_once("----- stderr -----").unwrap();
        let own = [
            "Own.Package",
            "pip",
            "needs",
            "in-place",
            "of_user",
            "besides",
            "-e ",
            "# ",
        ];
        let lines = shown.lines();
        lines
            .filter(|line| own.iter().any(|begin| line.starts_with(begin)))
            .map(str::to_owned)
            .collect()
    }
}

const IN_PLACE: [&str; 2] = [
    "# Editable install with no version control (in-place==0.1)",
    "-e [DIR]/project/",
];

#[test]
fn freezing() {
    let places = Places::new();
    let of_user = "of_user==2.0";
    assert!(places.user.exists());
    let with =
        |more: &[&'static str]| [&IN_PLACE[..], &["needs==1.0", "Own.Package==1.0"], more].concat();
    assert_eq!(places.lines("freeze --local"), with(&[]));
    assert_eq!(places.lines("freeze -l --all"), with(&["pip==1.0"]));
    assert_eq!(
        places.lines("freeze -l --exclude-editable --exclude own_package"),
        ["needs==1.0"]
    );
    assert_eq!(
        places.lines("freeze -l --exclude needs --exclude Own-Package"),
        IN_PLACE
    );
    assert_eq!(places.lines("freeze --user"), [of_user]);
    assert!(places.lines("freeze").contains(&of_user.to_owned()));
    assert!(places.beside.exists());
    assert_eq!(places.lines("freeze --path beside"), ["besides==2.0"]);
    let both = format!("freeze --path beside --path {}", places.user.display());
    assert_eq!(places.lines(&both), ["besides==2.0", of_user]);
}

#[test]
fn listing() {
    let places = Places::new();
    let list = |more: &str| places.lines(&format!("list --format freeze {more}"));
    let own = [
        "in-place==0.1",
        "needs==1.0",
        "Own.Package==1.0",
        "pip==1.0",
    ];
    assert_eq!(list("--local"), own);
    assert_eq!(list("-l --exclude PIP --exclude own-package"), own[..2]);
    assert_eq!(list("-l -e"), own[..1]);
    assert_eq!(list("-l --exclude-editable"), own[1..]);
    assert_eq!(list("-l --not-required"), own[..3]);
    assert_eq!(list("--user"), ["of_user==2.0"]);
    assert_eq!(list("--path beside"), ["besides==2.0"]);
    assert!(list("").contains(&"of_user==2.0".to_owned()));
}

#[test]
fn inspecting() {
    let places = Places::new();
    let names = |more: &str| -> Vec<String> {
        let run = places
            .world
            .run_with(&format!("inspect {more}"), |command| {
                command
                    .env("VIRTUAL_ENV", places.world.path().join("env"))
                    .env("PYTHONUSERBASE", places.world.path().join("user"));
            });
        let (_, rest) = run.split_once("----- stdout -----\n").unwrap();
        let (shown, _) = rest.split_once("----- stderr -----").unwrap();
        let report: serde_json::Value = serde_json::from_str(shown).unwrap();
        let installed = report["installed"].as_array().unwrap().iter();
        let name = |item: &serde_json::Value| item["metadata"]["name"].as_str().map(str::to_owned);
        installed.filter_map(name).collect()
    };
    let mut own = names("--local");
    own.sort();
    assert_eq!(own, ["Own.Package", "in-place", "needs", "pip"]);
    assert_eq!(names("--user"), ["of_user"]);
    assert_eq!(names("--path beside"), ["besides"]);
}

/// The machine's own Python is none.
#[test]
fn no_virtual_environment_where_one_is_required() {
    let places = Places::new();
    let base = &bnbpip_testing::environment::base_interpreter().sys_executable;
    let base = base.display();
    let line = format!("uninstall -y nowhere --require-virtualenv --python {base}");
    let run = places.world.run_with(&line, |_| {});
    assert!(run.starts_with("exit code: 3"), "{run}");
    let said = "ERROR: Could not find an activated virtualenv (required).";
    assert!(run.contains(said), "{run}");
    // Who only looks may do that anywhere.
    let list = format!("list --require-venv --python {base}");
    for run in [
        places.world.run("uninstall -y nowhere --require-venv"),
        places.world.run_with(&list, |_| {}),
    ] {
        assert!(run.starts_with("exit code: 0"), "{run}");
    }
}

#[test]
fn an_interpreter_is_named_by_its_environment_or_its_program() {
    let places = Places::new();
    let program = if cfg!(windows) {
        "env/Scripts/python.exe"
    } else {
        "env/bin/python"
    };
    let of = |line: &str| places.world.run_with(line, |_| {});
    let by_environment = of("--python env freeze --local");
    assert!(
        by_environment.contains("Own.Package==1.0"),
        "{by_environment}"
    );
    assert_eq!(
        of(&format!("--python {program} freeze --local")),
        by_environment
    );
    let gone = of("--python gone freeze");
    assert!(gone.starts_with("exit code: 1"), "{gone}");
}
