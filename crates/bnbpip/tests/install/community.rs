//! `--community`: wheels for Windows that others than their projects built.

use std::fmt::Write as _;

use bnbpip_testing::{
    BuiltWheel, HashInPage, HostedFile, IndexServer, Run, TestEnvironment, WheelBuilder,
};

use crate::support::{environment, last_line};

/// The usual index: torch for two versions of CUDA, and packages without wheels for Windows.
fn index() -> IndexServer {
    let linux = "py3-none-manylinux_2_17_x86_64";
    let wheels = [
        WheelBuilder::new("torch", "2.7.0+cu128"),
        WheelBuilder::new("torch", "2.8.0+cu126"),
        WheelBuilder::new("torch", "2.8.0+cu128"),
        WheelBuilder::new("flashy", "2.0")
            .tag(linux)
            .requires("torch"),
        WheelBuilder::new("other", "1.0").tag("py3-none-win_amd64"),
        WheelBuilder::new("bits", "0.41.1").tag(linux),
    ];
    IndexServer::with(wheels.iter().map(WheelBuilder::build))
}

/// Where others put what they built, and a catalog of it.
struct Others {
    server: IndexServer,
    index: IndexServer,
}

impl Others {
    fn new() -> Self {
        let windows = "py3-none-win_amd64";
        let wheels = [
            ("flashy", "2.0+cu128torch2.7"),
            ("flashy", "2.0+cu128torch2.8"),
            ("other", "2.0"),
        ];
        let wheels = wheels.map(|(name, version)| {
            let wheel = WheelBuilder::new(name, version)
                .tag(windows)
                .requires("torch");
            wheel.build()
        });
        let bits = WheelBuilder::new("bits", "0.41.1").tag(windows).build();
        let index = IndexServer::with([HostedFile::from(bits).hash(HashInPage::Missing)]);
        Self {
            server: IndexServer::with(wheels),
            index,
        }
    }

    /// Writes the catalog into the working directory.
    fn catalog(&self, environment: &TestEnvironment, digest: impl Fn(&BuiltWheel) -> String) {
        let windows = "py3-none-win_amd64";
        let mut text = format!(
            "date = 2026-11-28\n[[index]]\nname = \"attic\"\nurl = \"{}\"\npackages = [\"bits\"]\n\
             versions = \"<0.42\"\nwhy = \"it has the old ones\"\nprovenance = [\"seen\"]\n\
             reviewed = 2026-11-28\n",
            self.index.simple_url().trim_end_matches('/')
        );
        for (name, version, built_for) in [
            (
                "flashy",
                "2.0+cu128torch2.7",
                "torch = \"==2.7.*\"\ncuda = \"12.8\"\n",
            ),
            (
                "flashy",
                "2.0+cu128torch2.8",
                "torch = \"==2.8.*\"\ncuda = \"12.8\"\n",
            ),
            ("other", "2.0", ""),
        ] {
            let wheel = WheelBuilder::new(name, version)
                .tag(windows)
                .requires("torch");
            let wheel = wheel.build();
            let url = self.server.file_url(&wheel.filename);
            write!(
                text,
                "[[wheel]]\nurl = \"{url}\"\nsha256 = \"{}\"\n{built_for}source = \"somebody/{name}\"\n\
                 why = \"the project has none\"\nprovenance = [\"seen\"]\nreviewed = 2026-11-28\n",
                digest(&wheel)
            )
            .unwrap();
        }
        fs_err::write(environment.work().join("catalog.toml"), text).unwrap();
    }
}

fn windows(environment: &TestEnvironment, arguments: &[&str]) -> Run {
    let target = ["--python-platform", "windows", "--python-version", "3.11"];
    let place = ["--target", "there", "--community-catalog", "catalog.toml"];
    environment.run([&["install"], arguments, &target, &place].concat())
}

/// What would be installed, of a run that succeeds.
fn would_install(environment: &TestEnvironment, arguments: &[&str]) -> String {
    let run = windows(environment, &[arguments, &["--dry-run"]].concat());
    last_line(&run.success().stdout).to_owned()
}

#[test]
fn without_the_option_the_failure_names_who_has_a_wheel() {
    let (server, others) = (index(), Others::new());
    let environment = environment(&server);
    others.catalog(&environment, BuiltWheel::sha256);
    let run = windows(&environment, &["flashy"]).failure();
    let hint = "hint: somebody/flashy built flashy for Windows, for torch 2.7.* or 2.8.* with CUDA \
                12.8: `--community` lets such wheels be taken";
    assert!(run.stderr.contains(hint), "{}", run.stderr);
    let run = windows(&environment, &["bits==0.41.1"]).failure();
    let hint = "hint: the community index attic has bits<0.42 for Windows: `--community`";
    assert!(run.stderr.contains(hint), "{}", run.stderr);
    let run = windows(&environment, &["other>=2"]).failure();
    assert!(
        run.stderr
            .contains("somebody/other built other for Windows: `--community`")
    );
    // What they can't help with is no reason to speak of them.
    let run = windows(&environment, &["bits==0.43"]).failure();
    assert!(!run.stderr.contains("--community"), "{}", run.stderr);
    assert!(others.server.requests().is_empty() && others.index.requests().is_empty());
}

#[test]
fn the_build_of_torch_decides_which_wheel_is_taken() {
    let (server, others) = (index(), Others::new());
    let environment = environment(&server);
    others.catalog(&environment, BuiltWheel::sha256);
    let cases = [
        (
            &["flashy", "torch==2.8.0+cu128"][..],
            "Would install flashy-2.0+cu128torch2.8 torch-2.8.0+cu128",
        ),
        (
            &["flashy", "torch<2.8"],
            "Would install flashy-2.0+cu128torch2.7 torch-2.7.0+cu128",
        ),
        (
            &["flashy"],
            "Would install flashy-2.0+cu128torch2.8 torch-2.8.0+cu128",
        ),
    ];
    for (asked, expected) in cases {
        let asked = [&["--community"], asked].concat();
        assert_eq!(would_install(&environment, &asked), expected);
    }
    let run = windows(
        &environment,
        &["--community", "flashy", "torch==2.8.0+cu126"],
    )
    .failure();
    assert!(run.stderr.contains("2.0+cu128torch2.8"), "{}", run.stderr);
    let nothing = ["--community", "flashy", "--no-deps", "torch==2.8.0+cu126"];
    // Without dependencies nobody is asked what fits, as with pip.
    drop(windows(&environment, &nothing).success());
}

#[test]
fn a_build_that_nobody_offers_is_named_with_what_brings_it() {
    let others = Others::new();
    let server = IndexServer::with([WheelBuilder::new("torch", "2.8.0").build()]);
    let environment = environment(&server);
    others.catalog(&environment, BuiltWheel::sha256);
    let run = windows(&environment, &["--community", "flashy"]).failure();
    for said in [
        "is built for torch 2.8.* with CUDA 12.8, and there is no such build here",
        "hint: the community wheels of flashy go with torch for a GPU, which `--accelerator cu128` brings",
    ] {
        assert!(run.stderr.contains(said), "{}", run.stderr);
    }
}

#[test]
fn what_the_index_has_comes_first() {
    let (server, others) = (index(), Others::new());
    let environment = environment(&server);
    others.catalog(&environment, BuiltWheel::sha256);
    let installed = would_install(&environment, &["--community", "other"]);
    assert_eq!(installed, "Would install other-1.0");
    let installed = would_install(&environment, &["--community", "other>=2"]);
    assert_eq!(installed, "Would install other-2.0 torch-2.8.0+cu128");
    // Nothing of it is for other systems.
    let platform = ["--python-platform", "linux", "--python-version", "3.11"];
    let into = ["--target", "there", "--only-binary", ":all:"];
    let arguments = ["install", "--dry-run", "--community", "bits"];
    let run = environment
        .run([&arguments[..], &platform, &into].concat())
        .success();
    assert_eq!(last_line(&run.stdout), "Would install bits-0.41.1");
    assert!(others.index.requests().is_empty());
}

#[test]
fn each_file_is_marked_in_the_plan_the_report_and_the_lock() {
    let (server, others) = (index(), Others::new());
    let environment = environment(&server);
    others.catalog(&environment, BuiltWheel::sha256);
    let asked = ["--community", "flashy", "--report", "report.json"];
    let run = windows(&environment, &asked).success();
    let mark = "you asked for it; a community wheel of somebody/flashy";
    assert!(run.stderr.contains(mark), "{}", run.stderr);
    let report = fs_err::read_to_string(environment.work().join("report.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let items = report["install"].as_array().unwrap();
    let source = |name: &str| {
        let mut items = items.iter();
        let item = items.find(|item| item["metadata"]["name"] == name).unwrap();
        item["bnbpip"]["community"]["source"].clone()
    };
    assert_eq!(source("flashy"), "somebody/flashy");
    assert!(source("torch").is_null());
    let lock = [
        "lock",
        "flashy",
        "--environment",
        "windows-3.11",
        "--community",
        "--community-catalog",
        "catalog.toml",
    ];
    drop(environment.run(lock).success());
    let lock = fs_err::read_to_string(environment.work().join("pylock.toml")).unwrap();
    let own = "[packages.tool.bnbpip]\nrequirements = [\n    \"flashy\",\n]\n\
               community = { source = \"somebody/flashy\", why = \"the project has none\" }";
    assert!(lock.contains(own), "{lock}");
}

#[test]
fn a_file_that_is_not_the_catalogs_is_refused() {
    let (server, others) = (index(), Others::new());
    let environment = environment(&server);
    others.catalog(&environment, |wheel| wheel.sha256().chars().rev().collect());
    let run = windows(&environment, &["--community", "flashy"]).failure();
    assert!(
        run.stderr.contains("Failed to verify `flashy-2.0"),
        "{}",
        run.stderr
    );
    assert!(!environment.work().join("there").join("flashy").exists());
}

#[test]
fn an_index_of_old_wheels_is_asked_and_may_be_away() {
    let (server, others) = (index(), Others::new());
    let environment = environment(&server);
    others.catalog(&environment, BuiltWheel::sha256);
    let run = windows(&environment, &["--community", "bits==0.41.1"]).success();
    assert!(
        run.stderr.contains("a community wheel of the index attic"),
        "{}",
        run.stderr
    );
    assert!(environment.work().join("there").join("bits").is_dir());
    drop(others.index);
    let broken = fs_err::read_to_string(environment.work().join("catalog.toml")).unwrap();
    assert!(broken.contains("attic"));
    let fresh = [
        "--community",
        "bits==0.41.1",
        "--no-cache-dir",
        "--retries",
        "0",
        "--upgrade",
    ];
    let run = windows(&environment, &fresh).failure();
    let warning = "The community index attic can't be asked, and is left out";
    assert!(run.stderr.contains(warning), "{}", run.stderr);
}

#[test]
fn a_project_can_allow_it_and_a_run_forbid_it() {
    let (server, others) = (index(), Others::new());
    let environment = environment(&server);
    others.catalog(&environment, BuiltWheel::sha256);
    let project = environment.work().join("bnbpip.toml");
    fs_err::write(&project, "community = true\n").unwrap();
    assert!(would_install(&environment, &["flashy"]).starts_with("Would install flashy-2.0+"));
    drop(windows(&environment, &["flashy", "--no-community"]).failure());
    fs_err::remove_file(&project).unwrap();
    let mut command = environment.command();
    command.env("BNBPIP_COMMUNITY", "yes").args([
        "install",
        "flashy",
        "--dry-run",
        "--target",
        "there",
        "--python-platform",
        "windows",
        "--python-version",
        "3.11",
        "--community-catalog",
        "catalog.toml",
    ]);
    let run: Run = command.output().unwrap().into();
    drop(run.success());
}

#[test]
fn a_wheel_whose_file_name_alone_has_a_local_version_is_installed() {
    let (server, others) = (index(), Others::new());
    let environment = environment(&server);
    let renamed = WheelBuilder::new("renamed", "1.0")
        .tag("py3-none-win_amd64")
        .build();
    let name = "renamed-1.0+cu128-py3-none-win_amd64.whl";
    fs_err::write(environment.work().join(name), &renamed.bytes).unwrap();
    drop(others);
    let run = environment.run([
        "install",
        "--target",
        "there",
        "--python-platform",
        "windows",
        "--python-version",
        "3.11",
        "--no-index",
        name,
    ]);
    drop(run.success());
    let there = environment.work().join("there");
    assert!(
        there
            .join("renamed-1.0.dist-info")
            .join("METADATA")
            .is_file()
    );
}

#[test]
fn a_teams_catalog_is_linted() {
    let (server, others) = (index(), Others::new());
    let environment = environment(&server);
    let folder = environment.work().join("team").join("catalogs");
    fs_err::create_dir_all(&folder).unwrap();
    let rules = concat!(env!("CARGO_MANIFEST_DIR"), "/../../constraints/rules");
    let rule = std::path::Path::new(rules).join("bitsandbytes/BNB-0001.md");
    let of_package = environment.work().join("team").join("bitsandbytes");
    fs_err::create_dir_all(&of_package).unwrap();
    fs_err::copy(rule, of_package.join("BNB-0001.md")).unwrap();
    others.catalog(&environment, BuiltWheel::sha256);
    let ours = folder.join("ours.toml");
    fs_err::rename(environment.work().join("catalog.toml"), &ours).unwrap();
    let fine = environment.run(["rules", "lint", "team"]).success();
    assert_eq!(fine.stdout, "1 rule and 1 catalog, nothing wrong.\n");
    let text = fs_err::read_to_string(&ours).unwrap();
    fs_err::write(&ours, text.replace("cuda = \"12.8\"", "cuda = \"12.6\"")).unwrap();
    let run = environment.run(["rules", "lint", "team"]).failure();
    let found = "catalogs/ours.toml:11: the file is named for cu128, and `cuda` isn't that";
    assert!(run.stdout.contains(found), "{}", run.stdout);
}
