//! `bundle` and `sync --wheelhouse`: everything for a machine without network.

use std::path::Path;

use bnbpip_testing::{IndexServer, Run, TestEnvironment, WheelBuilder};

use crate::sources::sdist;
use crate::{HERE, environment, index, index_of_elsewhere};

const WINDOWS: [&str; 4] = ["--python-platform", "windows", "--python-version", "3.11"];

/// Runs with a cache of its own, as on another machine.
fn elsewhere(environment: &TestEnvironment, arguments: &[&str]) -> Run {
    environment.run([arguments, &["--cache-dir", "other-cache", "--offline"]].concat())
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs_err::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn a_bundle_for_windows_made_elsewhere_installs_without_network() {
    let server = index();
    let environment = environment(&server);
    let asked = [&["bundle", "top", "native", "-o", "b"][..], &WINDOWS].concat();
    let run = environment.run(&asked).success();
    let said = "Bundled 4 wheels";
    assert!(
        run.stdout.contains(said) && run.stdout.contains("bnbpip sync b/pylock.toml --offline")
    );
    let folder = environment.work().join("b");
    assert_eq!(
        names(&folder),
        ["pylock.toml", "rules.json", "simple", "wheels"]
    );
    assert_eq!(
        names(&folder.join("wheels")),
        [
            "base-2.0-py3-none-any.whl",
            "native-2.0-py3-none-win_amd64.whl",
            "only_windows-1.0-py3-none-any.whl",
            "top-1.0-py3-none-any.whl",
        ]
    );
    let lock = fs_err::read_to_string(folder.join("pylock.toml")).unwrap();
    assert!(lock.contains("path = \"wheels/native-2.0-py3-none-win_amd64.whl\""));
    let page = fs_err::read_to_string(folder.join("simple/native/index.html")).unwrap();
    assert!(page.contains("<a href=\"../../wheels/native-2.0-py3-none-win_amd64.whl#sha256="));
    server.forget_requests();
    let flat = [
        "--no-index",
        "--find-links",
        "b/wheels",
        "--overlay",
        "b/rules.json",
    ];
    let simple = ["--index-url", "b/simple"];
    for (place, from) in [("flat", &flat[..]), ("simple", &simple)] {
        let install = ["install", "--target", place, "top", "native"];
        let run = elsewhere(&environment, &[&install[..], &WINDOWS, from].concat());
        drop(run.success());
        let place = environment.work().join(place);
        assert!(place.join("native").is_dir() && place.join("only_windows").is_dir());
    }
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn of_a_lock_the_named_environments_are_bundled() {
    let server = index_of_elsewhere();
    let environment = environment(&server);
    let lock = [
        "lock",
        "top",
        "--environment",
        "windows",
        "--environment",
        "linux",
    ];
    drop(environment.run(lock).success());
    let bundle = ["bundle", "pylock.toml", "-o", "b", "--environment", HERE];
    drop(environment.run(bundle).success());
    let wheels = environment.work().join("b").join("wheels");
    assert_eq!(
        names(&wheels),
        ["base-2.0-py3-none-any.whl", "top-1.0-py3-none-any.whl"]
    );
    server.forget_requests();
    drop(elsewhere(&environment, &["sync", "b/pylock.toml"]).success());
    assert_eq!(environment.installed(), ["base-2.0", "top-1.0"]);
    // The other name, and another run into the same folder: what it has no more goes.
    drop(
        environment
            .run(["vendor", "pylock.toml", "-o", "b"])
            .success(),
    );
    assert_eq!(names(&wheels).len(), 3);
    let fewer = ["bundle", "leaf", "-o", "b"];
    drop(environment.run(fewer).success());
    assert_eq!(names(&wheels), ["leaf-1.0-py3-none-any.whl"]);
    assert_eq!(
        names(&environment.work().join("b/simple")),
        ["index.html", "leaf"]
    );
    let run = environment.run(["bundle", "pylock.toml", "-o", "b", "--environment", "macos"]);
    assert!(
        run.failure()
            .stderr
            .contains("Failed to bundle for macos: the lock has no environment")
    );
}

/// On the other machine nothing may be there to build with.
#[test]
fn only_wheels_are_bundled() {
    let server = IndexServer::with([WheelBuilder::new("chosen", "0.9").build()]);
    server.add(sdist("chosen"));
    let environment = environment(&server);
    drop(environment.run(["bundle", "chosen", "-o", "b"]).success());
    let wheels = environment.work().join("b/wheels");
    assert_eq!(names(&wheels), ["chosen-0.9-py3-none-any.whl"]);
    drop(environment.run(["lock", "chosen"]).success());
    let run = environment
        .run(["bundle", "pylock.toml", "-o", "c"])
        .failure();
    let told = "the lock has no wheels of it, only `sdist`";
    assert!(run.stderr.contains(told), "{}", run.stderr);
}

#[test]
fn files_without_digest_and_of_this_machine_are_bundled() {
    let server = index();
    let environment = environment(&server);
    let links = environment.work().join("links");
    fs_err::create_dir_all(&links).unwrap();
    WheelBuilder::new("homemade", "1.0")
        .build()
        .write_to(&links);
    let asked = ["bundle", "homemade", "-o", "b", "--find-links", "links"];
    drop(environment.run(asked).success());
    let lock = fs_err::read_to_string(environment.work().join("b/pylock.toml")).unwrap();
    assert!(
        lock.contains("path = \"wheels/homemade-1.0-py3-none-any.whl\""),
        "{lock}"
    );
    assert!(
        !lock.contains("file:") && lock.contains("sha256 = "),
        "{lock}"
    );
    drop(elsewhere(&environment, &["sync", "b/pylock.toml"]).success());
}

#[test]
fn a_folder_with_something_else_is_left_alone() {
    let server = index();
    let environment = environment(&server);
    let folder = environment.work().join("b");
    fs_err::create_dir_all(&folder).unwrap();
    fs_err::write(folder.join("thesis.txt"), "mine").unwrap();
    let run = environment.run(["bundle", "leaf", "-o", "b"]).failure();
    assert!(
        run.stderr.contains("it holds other files"),
        "{}",
        run.stderr
    );
    assert_eq!(names(&folder), ["thesis.txt"]);
    let run = environment
        .run(["bundle", "leaf", "pylock.toml", "-o", "c"])
        .failure();
    assert!(
        run.stderr
            .contains("Failed to bundle a lock together with something else")
    );
}

#[test]
fn a_wheelhouse_has_files_by_their_digests() {
    let server = index_of_elsewhere();
    let environment = environment(&server);
    drop(
        environment
            .run(["lock", "top", "--environment", HERE])
            .success(),
    );
    let house = environment.work().join("house").join("inner");
    fs_err::create_dir_all(&house).unwrap();
    let run = environment.run(["download", "top", "-d", "house/inner"]);
    drop(run.success());
    fs_err::rename(
        house.join("base-2.0-py3-none-any.whl"),
        house.join("renamed.whl"),
    )
    .unwrap();
    // Of the right name, and not the file.
    let other = WheelBuilder::new("base", "2.0")
        .file("base/more.py", "")
        .build();
    other.write_to(&house);
    drop(server);
    let from = ["sync", "--wheelhouse", "house"];
    let run = elsewhere(&environment, &[&from[..], &["--dry-run"]].concat()).success();
    assert!(
        run.stdout.contains("Would install base-2.0 top-1.0"),
        "{}",
        run.stdout
    );
    drop(elsewhere(&environment, &from).success());
    assert_eq!(environment.installed(), ["base-2.0", "top-1.0"]);
}

#[test]
fn without_network_what_is_missing_is_named_before_anything_is_done() {
    let server = index_of_elsewhere();
    let environment = environment(&server);
    drop(
        environment
            .run(["lock", "top", "--environment", HERE])
            .success(),
    );
    let run = elsewhere(&environment, &["sync"]).failure();
    let missing = "Failed to sync without network: base-2.0-py3-none-any.whl, \
                   top-1.0-py3-none-any.whl are not in the cache";
    assert!(run.stderr.contains(missing), "{}", run.stderr);
    fs_err::create_dir_all(environment.work().join("house")).unwrap();
    drop(
        environment
            .run(["download", "--no-deps", "base", "-d", "house"])
            .success(),
    );
    let run = elsewhere(&environment, &["sync", "--wheelhouse", "house"]).failure();
    let missing = "Failed to sync without network: top-1.0-py3-none-any.whl is neither in the \
                   wheelhouse";
    assert!(run.stderr.contains(missing), "{}", run.stderr);
    assert!(environment.installed().is_empty());
    let run = environment
        .run(["sync", "--wheelhouse", "nowhere"])
        .failure();
    assert!(run.stderr.contains("there is no such folder"));
    // With network the rest comes from where the lock says.
    drop(environment.run(["sync", "--wheelhouse", "house"]).success());
}

#[test]
fn a_lock_without_its_files_cannot_be_bundled() {
    let server = IndexServer::start();
    let environment = environment(&server);
    let digest = "ab".repeat(32);
    let text = format!(
        "lock-version = \"1.0\"\ncreated-by = \"hand\"\n[[packages]]\nname = \"gone\"\n\
         version = \"1.0\"\nwheels = [{{ name = \"gone-1.0-py3-none-any.whl\", \
         url = \"{}\", hashes = {{ sha256 = \"{digest}\" }} }}]\n",
        server.file_url("gone-1.0-py3-none-any.whl")
    );
    fs_err::write(environment.work().join("pylock.toml"), text).unwrap();
    drop(
        environment
            .run(["bundle", "pylock.toml", "-o", "b", "--retries", "0"])
            .failure(),
    );
    assert!(!environment.work().join("b").join("pylock.toml").exists());
}

#[test]
fn without_network_the_cache_decides_which_version_it_is() {
    let server = index();
    let environment = environment(&server);
    drop(environment.run(["install", "base<2"]).success());
    drop(environment.run(["uninstall", "-y", "base"]).success());
    server.forget_requests();
    drop(environment.run(["install", "base", "--offline"]).success());
    assert_eq!(environment.installed(), ["base-1.0"]);
    let run = environment
        .run(["install", "base>=2", "--offline"])
        .failure();
    let why = "base 2.0 is not in the cache, and the network is switched off";
    assert!(run.stderr.contains(why), "{}", run.stderr);
    // The page is there and the wheel isn't: that is known before anything is begun.
    drop(
        environment
            .run(["install", "base>=2", "--dry-run"])
            .success(),
    );
    let run = environment
        .run(["install", "base>=2", "--offline"])
        .failure();
    let missing =
        "Failed to install without network: base-2.0-py3-none-any.whl is not in the cache";
    assert!(run.stderr.contains(missing), "{}", run.stderr);
    let run = environment.run(["install", "leaf", "--offline"]).failure();
    assert!(run.stderr.contains("/simple/leaf/"), "{}", run.stderr);
    assert_eq!(server.bytes_served_of("base-2.0-py3-none-any.whl"), 0);
    let cloned = "thing @ git+https://git.example/thing";
    let run = environment.run(["install", cloned, "--offline"]).failure();
    assert!(
        run.stderr
            .contains("without network: it would have to be cloned"),
        "{}",
        run.stderr
    );
}
