//! The ways to ask for packages beyond names and files: dependency groups, scripts, repositories
//! in place; and what limits them.

use std::path::{Path, PathBuf};

use bnbpip_testing::{IndexServer, TestEnvironment, WheelBuilder};
use insta::assert_snapshot;

use crate::sources::{direct_url, git, project, served, shown, write};
use crate::support::{environment, index, last_line};

fn file(environment: &TestEnvironment, name: &str, text: &str) {
    let path = environment.work().join(name);
    fs_err::create_dir_all(path.parent().unwrap()).unwrap();
    fs_err::write(path, text).unwrap();
}

#[test]
fn dependency_groups() {
    let server = index();
    let environment = environment(&server);
    let groups = "[dependency-groups]\nTest_Kit = ['base<2']\n\
                  dev = [{include-group = 'test-kit'}, 'tool']\nempty = []\n";
    file(&environment, "pyproject.toml", groups);
    file(
        &environment,
        "sub/pyproject.toml",
        "[dependency-groups]\nx = ['helper']\n",
    );
    let line = "install --group dev --group sub/pyproject.toml:x";
    let run = environment.run(line.split(' ')).success();
    let installed = "Successfully installed base-1.5 helper-0.3 tool-1.0";
    assert_eq!(last_line(&run.stdout), installed);
    let info = environment.site_packages().join("tool-1.0.dist-info");
    assert!(info.join("REQUESTED").exists());
    file(
        &environment,
        "none/pyproject.toml",
        "[project]\nname = 'x'\n",
    );
    file(
        &environment,
        "odd/pyproject.toml",
        "dependency-groups = 1\n",
    );
    file(
        &environment,
        "broken/pyproject.toml",
        "[dependency-groups\n",
    );
    let runs = [
        "--group nope",
        "--group gone/pyproject.toml:x",
        "--group none/pyproject.toml:x",
        "--group odd/pyproject.toml:x",
        "--group other.toml:x",
    ];
    let runs = runs.map(|more| {
        let run = environment.run(["install"].into_iter().chain(more.split(' ')));
        format!("$ bnbpip install {more}\n{}", shown(&environment, &run))
    });
    assert_snapshot!(runs.join("\n\n"));
    let line = "install --group broken/pyproject.toml:x";
    let run = environment.run(line.split(' ')).failure();
    let said = "ERROR: Error parsing broken/pyproject.toml: ";
    assert!(run.stderr.contains(said), "{}", run.stderr);
}

#[test]
fn scripts() {
    let server = index();
    let environment = environment(&server);
    let script = |python: &str| {
        format!("# /// script\n# requires-python = '{python}'\n# dependencies = ['top']\n# ///\n")
    };
    file(&environment, "run.py", &script(">=3.8"));
    file(&environment, "late.py", &script(">=4"));
    let line = ["install", "--requirements-from-script"];
    let with = |name: &'static str| environment.run(line.into_iter().chain([name]));
    let refused = with("late.py").failure();
    let said = "ERROR: Script 'late.py' requires a different Python: 3.";
    assert!(refused.stderr.contains(said), "{}", refused.stderr);
    let run = with("run.py").success();
    assert_eq!(
        last_line(&run.stdout),
        "Successfully installed base-2.0 top-2.0"
    );
    // Though nothing is left to be done.
    assert!(with("late.py").failure().stderr.contains(said));
    file(&environment, "plain.py", "import top\n");
    let said = "ERROR: File does not contain 'script' metadata: 'plain.py'";
    assert!(with("plain.py").failure().stderr.contains(said));
}

#[test]
fn only_what_is_needed() {
    let server = index();
    let environment = environment(&server);
    let run = environment.run(["install", "--only-deps", "top"]).success();
    assert_eq!(last_line(&run.stdout), "Successfully installed base-2.0");
    let run = environment
        .run(["install", "--only-deps", "top", "base"])
        .success();
    assert!(!run.stdout.contains("Successfully"), "{}", run.stdout);
    file(&environment, "r.txt", "top\n");
    let line = "install --only-dependencies --no-deps -r r.txt";
    let run = environment.run(line.split(' ')).failure();
    let said = "ERROR: Cannot use '--only-dependencies' in combination with '--no-deps', or \
                '--requirement'.";
    assert!(run.stderr.contains(said), "{}", run.stderr);
    let line = "download -d out --only-deps top";
    let run = environment.run(line.split(' ')).success();
    assert_eq!(last_line(&run.stdout), "Successfully downloaded base");
}

#[test]
fn pre_releases_of_some() {
    let wheels = [
        WheelBuilder::new("one", "1.0").requires("other"),
        WheelBuilder::new("one", "2.0rc1").requires("other"),
        WheelBuilder::new("other", "1.0"),
        WheelBuilder::new("other", "2.0rc1"),
    ];
    let server = IndexServer::with(wheels.iter().map(WheelBuilder::build));
    let environment = environment(&server);
    let dry = |line: &str| {
        let run = environment.run(["install", "--dry-run"].into_iter().chain(line.split(' ')));
        last_line(&run.stdout).to_owned()
    };
    assert_eq!(dry("one"), "Would install one-1.0 other-1.0");
    assert_eq!(
        dry("one --all-releases one"),
        "Would install one-2.0rc1 other-1.0"
    );
    let all = "one --all-releases :all: --only-final other";
    assert_eq!(dry(all), "Would install one-2.0rc1 other-1.0");
    assert_eq!(dry("one --only-final :all: --pre"), "");
    let finally = environment.run(["install", "one>=2.0rc1", "--only-final", "one"]);
    drop(finally.failure());
    file(&environment, "r.txt", "--all-releases other\none\n");
    assert_eq!(dry("-r r.txt"), "Would install one-1.0 other-2.0rc1");
    let line = "install one --pre --all-releases one";
    let run = environment.run(line.split(' ')).failure();
    let said = "ERROR: --pre cannot be used with --all-releases or --only-final.";
    assert!(run.stderr.contains(said), "{}", run.stderr);
}

/// A constraint with an address says where a package comes from, also one that another needs.
#[test]
fn a_constraint_with_an_address() {
    let server = index();
    let environment = environment(&server);
    let address = server.file_url("base-1.0-py3-none-any.whl");
    file(&environment, "c.txt", &format!("base @ {address}\n"));
    let run = environment.run(["install", "top", "-c", "c.txt"]).success();
    assert_eq!(
        last_line(&run.stdout),
        "Successfully installed base-1.0 top-2.0"
    );
    let recorded = direct_url(&environment, "base-1.0.dist-info");
    assert_eq!(recorded["url"].as_str(), Some(address.as_str()));
    let info = environment.site_packages().join("base-1.0.dist-info");
    assert!(!info.join("REQUESTED").exists());
    let line = ["install", "--force-reinstall", "base>=2", "-c", "c.txt"];
    drop(environment.run(line).failure());
}

/// What a line of a file says to the backend is for that line; the command line's is for what the
/// command line names, and neither is for what others require.
#[test]
fn settings_are_for_what_they_stand_beside() {
    let server = index();
    for name in ["one", "two", "three"] {
        let needs = if name == "one" {
            "\"requires\": [\"three\"]"
        } else {
            ""
        };
        served(&server, name, "1.0", needs);
    }
    let environment = environment(&server);
    file(
        &environment,
        "r.txt",
        "two --config-settings k=file -C k=again\n",
    );
    let line = "install one -C k=typed -r r.txt";
    drop(environment.run(line.split(' ')).success());
    let built_with = |name: &str| {
        let run = environment.python(&format!("import {name}; print({name}.built_with)"));
        run.stdout.trim().to_owned()
    };
    assert_eq!(built_with("one"), "{'k': 'typed'}");
    assert_eq!(built_with("two"), "{'k': ['file', 'again']}");
    assert!(["None", "{}"].contains(&&*built_with("three")));
}

#[test]
fn what_builds_need_is_checked_where_there_is_no_isolation() {
    let server = index();
    served(&server, "src", "1.0", "");
    let environment = environment(&server);
    let files = project(
        "local",
        "1.0",
        "\"build_requires\": [\"base>=2\", \"helper\"]",
    );
    write(&files, &environment.work().join("here"));
    drop(environment.run(["install", "base==1.0"]).success());
    let line = "install --no-build-isolation --check-build-dependencies ./here";
    let run = environment.run(line.split(' ')).failure();
    let said = "conflict with the backend dependencies: base==1.0 is incompatible with base>=2.";
    assert!(run.stderr.contains(said), "{}", run.stderr);
    drop(environment.run(["install", "base==2.0"]).success());
    let run = environment.run(line.split(' ')).failure();
    let said = "are missing: 'helper'.";
    assert!(run.stderr.contains(said), "{}", run.stderr);
    drop(environment.run(["install", "helper"]).success());
    drop(environment.run(line.split(' ')).success());
}

/// A repository with two releases, and its address.
fn repository(folder: &Path) -> (PathBuf, String) {
    let repository = folder.join("repository");
    write(&project("versioned", "1.0", ""), &repository);
    git(folder, &["init", "-q", "repository"]);
    git(&repository, &["add", "."]);
    git(&repository, &["commit", "-q", "-m", "one"]);
    git(&repository, &["tag", "v1"]);
    write(&project("versioned", "2.0", ""), &repository);
    git(&repository, &["commit", "-q", "-a", "-m", "two"]);
    let address = url::Url::from_file_path(&repository).unwrap();
    (repository, format!("git+{address}"))
}

#[test]
fn a_repository_in_place() {
    let server = index();
    let environment = environment(&server);
    let (repository, address) = repository(&environment.work());
    let checkout = environment.venv().join("src").join("versioned");
    let named = format!("{address}@v1#egg=versioned");
    drop(environment.run(["install", "-e", &named]).success());
    assert_eq!(environment.installed(), ["versioned-1.0"]);
    let url = url::Url::from_file_path(&checkout).unwrap().to_string();
    let wanted = serde_json::json!({"url": url, "dir_info": {"editable": true}});
    assert_eq!(direct_url(&environment, "versioned-1.0.dist-info"), wanted);
    let commit = git(&repository, &["rev-parse", "v1"]);
    let run = environment.run(["freeze"]).success();
    let frozen = format!("-e {address}@{commit}#egg=versioned");
    assert_eq!(last_line(&run.stdout), frozen);
    // The checkout is brought to what is asked for then.
    let newest = format!("versioned @ {address}");
    drop(environment.run(["install", "-e", &newest]).success());
    assert_eq!(environment.installed(), ["versioned-2.0"]);
    // Into another folder, named in a file.
    file(&environment, "r.txt", &format!("-e {named}\n"));
    let line = ["install", "-r", "r.txt", "--src", "here"];
    drop(environment.run(line).success());
    assert!(
        environment
            .work()
            .join("here/versioned/build.json")
            .is_file()
    );
}

#[test]
fn what_is_in_the_way_of_a_checkout() {
    let server = index();
    let environment = environment(&server);
    let (_, address) = repository(&environment.work());
    let named = format!("{address}#egg=versioned");
    let folder = environment.work().join("here/versioned");
    fs_err::create_dir_all(&folder).unwrap();
    fs_err::write(folder.join("mine"), "").unwrap();
    let install = |more: &[&str]| {
        let line = ["install", "--src", "here", "-e", &named];
        environment.run(line.iter().chain(more))
    };
    let refused = install(&[]).failure();
    assert!(
        refused.stderr.contains("is there already"),
        "{}",
        refused.stderr
    );
    assert!(
        refused.stderr.contains("`--exists-action`"),
        "{}",
        refused.stderr
    );
    drop(install(&["--exists-action", "a"]).failure());
    assert!(folder.join("mine").exists());
    drop(install(&["--exists-action", "b"]).success());
    assert!(environment.work().join("here/versioned.bak/mine").exists());
    // A clone of something else can be pointed to the address, or removed.
    git(
        &folder,
        &["config", "remote.origin.url", "https://example.org/x"],
    );
    drop(install(&[]).failure());
    drop(install(&["--exists-action", "s"]).success());
    fs_err::write(folder.join("mine"), "").unwrap();
    git(
        &folder,
        &["config", "remote.origin.url", "https://example.org/x"],
    );
    drop(install(&["--exists-action", "w"]).success());
    assert!(!folder.join("mine").exists());
    let run = environment.run(["install", "-e", &address]).failure();
    assert!(
        run.stderr.contains("Could not detect requirement name for"),
        "{}",
        run.stderr
    );
}
