//! What an uninstall removes, of whatever made the distribution.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::fmt::Write as _;
use std::path::Path;

use bnbpip_installer::{InstallOptions, RemovalPlan};
use common::{Bench, TestWheel};

fn write(path: &Path, text: &str) {
    fs_err::create_dir_all(path.parent().unwrap()).unwrap();
    fs_err::write(path, text).unwrap();
}

#[test]
fn everything_of_it_goes_and_nothing_else() {
    let bench = Bench::new();
    let before = bench.snapshot();
    bench.install(&[TestWheel::new("a", "1")
        .file("a/__init__.py", "")
        .file("a/sub/x.py", "")
        .file("single.py", "")
        .file("a-1.data/data/share/man/a.1", "")
        .script("a-cmd")]);
    write(
        &bench
            .library()
            .join("a/__pycache__/__init__.cpython-312.opt-1.pyc"),
        "",
    );
    write(
        &bench.library().join("__pycache__/single.cpython-311.pyc"),
        "",
    );
    write(&bench.library().join("a/sub/x.pyo"), "");
    let plan = RemovalPlan::new(&bench.environment, &bench.installed("a").unwrap()).unwrap();
    let root = fs_err::canonicalize(bench.prefix()).unwrap();
    let summary: Vec<String> = plan
        .summary(&bench.environment)
        .iter()
        .map(|line| line.replace(&root.display().to_string(), ""))
        .map(|line| {
            if cfg!(windows) {
                line.replace('\\', "/")
            } else {
                line
            }
        })
        .collect();
    let library = "/lib/python3.11/site-packages";
    assert_eq!(
        summary,
        [
            "/bin/a-cmd".to_string(),
            format!("{library}/__pycache__/*"),
            format!("{library}/a-1.dist-info/*"),
            format!("{library}/a/*"),
            format!("{library}/single.py"),
            "/share/*".to_string(),
        ]
    );
    bench.uninstall(&["a"]);
    let mut after = bench.snapshot();
    after.retain(|path, _| !path.starts_with("receipt "));
    assert_eq!(after, before);
}

#[test]
fn rows_that_lead_outside_or_to_the_interpreter_stay() {
    let bench = Bench::new();
    bench.install(&[TestWheel::new("a", "1").file("a.py", "")]);
    let outside = bench.folder.path().join("precious.txt");
    fs_err::write(&outside, "").unwrap();
    let record = bench.library().join("a-1.dist-info/RECORD");
    let mut text = fs_err::read_to_string(&record).unwrap();
    text.push_str("../../../../precious.txt,,\n../../../bin/python,,\n../../../pyvenv.cfg,,\n");
    writeln!(text, "{},,", outside.display()).unwrap();
    fs_err::remove_file(&record).unwrap();
    fs_err::write(&record, text).unwrap();
    let plan = RemovalPlan::new(&bench.environment, &bench.installed("a").unwrap()).unwrap();
    assert_eq!(plan.refused.len(), 3, "{:?}", plan.refused);
    bench.uninstall(&["a"]);
    assert!(outside.is_file() && bench.prefix().join("bin/python").is_file());
    assert!(bench.prefix().join("pyvenv.cfg").is_file());
    assert!(!bench.library().join("a.py").exists());
}

#[cfg(unix)]
#[test]
fn links_out_of_the_environment_are_not_followed() {
    let bench = Bench::new();
    bench.install(&[TestWheel::new("a", "1").file("a/x.py", "").file("b.py", "")]);
    let outside = bench.folder.path().join("elsewhere");
    fs_err::rename(bench.library().join("a"), &outside).unwrap();
    std::os::unix::fs::symlink(&outside, bench.library().join("a")).unwrap();
    bench.uninstall(&["a"]);
    assert!(outside.join("x.py").is_file());
    assert!(!bench.library().join("b.py").exists());
}

#[test]
fn what_cannot_be_known_is_refused_with_a_hint() {
    let bench = Bench::new();
    let info = bench.library().join("bare-1.dist-info");
    write(&info.join("METADATA"), "Name: bare\nVersion: 1\n\n");
    write(&info.join("INSTALLER"), "conda\n");
    let plan = RemovalPlan::new(&bench.environment, &bench.installed("bare").unwrap());
    let error = plan.unwrap_err();
    assert_eq!(
        error.to_string(),
        "Failed to uninstall `bare` 1: no `RECORD` file was found for it"
    );
    assert!(error.hint().unwrap().contains("conda"));
    write(
        &bench.library().join("old-1-py3.11.egg-info"),
        "Name: old\nVersion: 1\n\n",
    );
    let error = RemovalPlan::new(&bench.environment, &bench.installed("old").unwrap()).unwrap_err();
    assert!(
        error.to_string().contains("distutils installed project"),
        "{error}"
    );
    let mut elsewhere = Bench::new().environment;
    elsewhere
        .library_dirs
        .clone_from(&bench.environment.library_dirs);
    let error = RemovalPlan::new(&elsewhere, &bench.installed("old").unwrap()).unwrap_err();
    assert!(
        error.to_string().contains("outside of the environment"),
        "{error}"
    );
    let mut stdlib = bench.environment.clone();
    stdlib.stdlib = vec![bench.library()];
    let error = RemovalPlan::new(&stdlib, &bench.installed("old").unwrap()).unwrap_err();
    assert!(error.to_string().contains("standard library"), "{error}");
}

#[test]
fn eggs_and_development_links_go() {
    let bench = Bench::new();
    let library = bench.library();
    write(
        &library.join("flat.egg-info/PKG-INFO"),
        "Name: flat\nVersion: 1\n\n",
    );
    write(
        &library.join("flat.egg-info/top_level.txt"),
        "flat\nnamespace\n",
    );
    write(
        &library.join("flat.egg-info/namespace_packages.txt"),
        "namespace\n",
    );
    write(&library.join("flat/__init__.py"), "");
    write(&library.join("namespace/other.py"), "");
    write(
        &library.join("listed.egg-info/PKG-INFO"),
        "Name: listed\nVersion: 1\n\n",
    );
    write(
        &library.join("listed.egg-info/installed-files.txt"),
        "../listed.py\nPKG-INFO\n",
    );
    write(&library.join("listed.py"), "");
    let project = bench.folder.path().join("project");
    write(
        &project.join("dev.egg-info/PKG-INFO"),
        "Name: dev\nVersion: 1\n\n",
    );
    write(
        &project.join("dev.egg-info/entry_points.txt"),
        "[console_scripts]\ndev-cmd = dev:main\n",
    );
    write(
        &library.join("dev.egg-link"),
        &format!("{}\n.", project.display()),
    );
    write(
        &library.join("easy-install.pth"),
        &format!("/other\n{}\n", project.display()),
    );
    write(&bench.prefix().join("bin/dev-cmd"), "");
    bench.uninstall(&["flat", "listed", "dev"]);
    let mut found: Vec<String> = bench.snapshot().into_keys().collect();
    found.retain(|path| !path.starts_with("receipt "));
    assert_eq!(
        found,
        [
            "bin/",
            "bin/python",
            "lib/",
            "lib/python3.11/",
            "lib/python3.11/site-packages/",
            "lib/python3.11/site-packages/easy-install.pth",
            "lib/python3.11/site-packages/namespace/",
            "lib/python3.11/site-packages/namespace/other.py",
            "pyvenv.cfg",
        ]
    );
    assert_eq!(
        fs_err::read_to_string(library.join("easy-install.pth")).unwrap(),
        "/other\n"
    );
    assert!(project.join("dev.egg-info/PKG-INFO").is_file());
}

#[test]
fn an_egg_folder_goes_whole() {
    let mut bench = Bench::new();
    let egg = bench.library().join("eggy-1-py3.11.egg");
    write(&egg.join("EGG-INFO/PKG-INFO"), "Name: eggy\nVersion: 1\n\n");
    write(&egg.join("eggy/__init__.py"), "");
    let paths = bench.library().join("easy-install.pth");
    write(&paths, "./eggy-1-py3.11.egg\n/other\n");
    bench.environment.library_dirs.push(egg.clone());
    bench.uninstall(&["eggy"]);
    assert!(!egg.exists());
    assert_eq!(fs_err::read_to_string(paths).unwrap(), "/other\n");
}

#[test]
fn files_that_went_already_are_no_error() {
    let bench = Bench::new();
    bench.install(&[TestWheel::new("a", "1").file("a/x.py", "").file("b.py", "")]);
    fs_err::remove_dir_all(bench.library().join("a")).unwrap();
    bench
        .try_change(InstallOptions::default(), &[], &["a"])
        .unwrap();
    assert!(bench.installed("a").is_none());
}
