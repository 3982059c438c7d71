//! Who is said to be at odds, and what is passed over on the way, in the words that pip's own tests
//! look for.

use bnbpip_testing::{TestEnvironment, WheelBuilder};
use url::Url;

use crate::sources::{project, sdist, write};
use crate::support::{last_line, with_wheels};

fn wheel(name: &str, version: &str, requires: &[&str]) -> WheelBuilder {
    WheelBuilder::new(name, version).requires_all(requires)
}

/// The address of a file or a folder in the working directory.
fn address(environment: &TestEnvironment, path: &str) -> String {
    Url::from_file_path(environment.work().join(path))
        .unwrap()
        .to_string()
}

const INSTALL: [&str; 4] = ["install", "--no-index", "-f", "wheels"];

#[test]
fn those_who_ask_for_one_package_are_named() {
    let environment = with_wheels(&[
        wheel("base", "1.0", &[]),
        wheel("base", "2.0", &[]),
        wheel("one", "1.0", &["base==1.0"]),
        wheel("two", "1.0", &["base==2.0"]),
    ]);
    fs_err::write(environment.work().join("r.txt"), "one\ntwo\n").unwrap();
    for (asked, said) in [
        (&["two", "one"][..], "one==1.0 and two==1.0"),
        (&["one", "base==2.0"], "base==2.0 and one==1.0"),
        (&["-r", "r.txt"], "-r r.txt (line 1) and -r r.txt (line 2)"),
    ] {
        let run = environment.run(INSTALL.iter().chain(asked)).failure();
        let said = format!(
            "ERROR: Cannot install {said} because these package versions have conflicting \
             dependencies.\n"
        );
        assert!(run.stderr.contains(&said), "{}", run.stderr);
    }
}

#[test]
fn what_an_address_gives_is_not_said_to_be_missing() {
    let environment = with_wheels(&[wheel("one", "1.0", &[])]);
    let one = address(&environment, "wheels/one-1.0-py3-none-any.whl");
    let named = format!("one @ {one}");
    let line = ["install", "--no-index", &named, "one==2.0"];
    let run = environment.run(line).failure();
    assert!(
        run.stderr.contains("ResolutionImpossible") && !run.stderr.contains("no version of one"),
        "{}",
        run.stderr
    );
    let said = "no matching distributions available";
    assert!(!run.stdout.contains(said), "{}", run.stdout);
}

#[test]
fn every_version_that_asks_for_what_is_not_to_be_had_is_told() {
    let environment = with_wheels(&[
        wheel("dep", "1.0", &[]).tag("py3-none-other_platform"),
        wheel("one", "1.0", &["dep==1.0"]),
        wheel("one", "2.0", &["dep==1.0"]),
    ]);
    let run = environment.run(INSTALL.iter().chain(&["one"])).failure();
    assert!(run.stderr.contains("Cannot install one==1.0 and one==2.0"));
    assert!(run.stderr.contains("ERROR: ResolutionImpossible"));
    let said = "no matching distributions available for your environment:\n    dep\n";
    assert!(run.stdout.contains(said), "{}", run.stdout);
    let run = environment.run(INSTALL.iter().chain(&["one==2.0"]));
    let said = "No matching distribution found for dep==1.0 (from one)\n";
    assert!(run.failure().stderr.contains(said));
}

#[test]
fn two_places_of_one_package_are_both_told() {
    let environment = with_wheels(&[]);
    for version in ["1.0", "2.0"] {
        write(
            &project("one", version, ""),
            &environment.work().join(version),
        );
    }
    let run = environment.run(["install", "./1.0", "./2.0"]).failure();
    let places = ["1.0", "2.0"].map(|version| {
        let place = address(&environment, version);
        format!("one {version} (from {place})")
    });
    let said = format!("Cannot install {} and {} because", places[0], places[1]);
    assert!(run.stderr.contains(&said), "{}", run.stderr);
    for place in places {
        let said = format!("    The user requested {place}\n");
        assert!(run.stdout.contains(&said), "{}", run.stdout);
    }
}

#[test]
fn two_places_that_constraints_alone_name() {
    let environment = with_wheels(&[wheel("one", "1.0", &[])]);
    let line = |version: &str| {
        let file = environment.work().join("wheels");
        let file = file.join(format!("one-{version}-py3-none-any.whl"));
        format!("one @ {}\n", Url::from_file_path(file).unwrap())
    };
    let constraints = line("1.0") + &line("2.0");
    fs_err::write(environment.work().join("c.txt"), constraints).unwrap();
    let run = environment.run(INSTALL.iter().chain(&["-c", "c.txt", "one"]));
    let stderr = run.failure().stderr;
    assert!(stderr.contains("Cannot install one because"), "{stderr}");
}

#[test]
fn a_constraint_to_another_platforms_wheel_leaves_nothing() {
    let environment = with_wheels(&[
        wheel("one", "1.0", &[]),
        wheel("one", "2.0", &["dep"]),
        wheel("dep", "2.0", &[]),
    ]);
    let other = wheel("dep", "1.0", &[]).tag("py3-none-other_platform");
    let other = other.build().write_to(&environment.work());
    let constraint = format!("dep @ {}\n", Url::from_file_path(other).unwrap());
    fs_err::write(environment.work().join("c.txt"), constraint).unwrap();
    let line = INSTALL.iter().chain(&["-c", "c.txt"]);
    let run = environment.run(line.clone().chain(&["dep"])).failure();
    let said = "Cannot install dep because these package versions have conflicting dependencies.";
    assert!(run.stderr.contains(said), "{}", run.stderr);
    drop(environment.run(line.chain(&["one"])).success());
    assert_eq!(environment.installed(), ["one-1.0"]);
}

#[test]
fn a_wheel_of_another_version_than_its_name_says_is_discarded() {
    let environment = with_wheels(&[wheel("one", "1.0", &[])]);
    let two = wheel("one", "2.0", &[])
        .build()
        .write_to(&environment.work());
    let place = environment.work().join("wheels/one-3.0-py3-none-any.whl");
    fs_err::rename(two, place).unwrap();
    let run = environment.run(INSTALL.iter().chain(&["one"])).success();
    let said = "has inconsistent version: expected '3.0', but metadata has '2.0'\n";
    assert!(run.stdout.contains("Discarding file:"), "{}", run.stdout);
    assert!(run.stdout.contains(said), "{}", run.stdout);
    assert_eq!(environment.installed(), ["one-1.0"]);
}

#[test]
fn a_project_of_another_name_than_was_said_is_discarded() {
    let environment = with_wheels(&[]);
    write(&project("one", "1.0", ""), &environment.work().join("here"));
    let place = format!("{}#egg=two", address(&environment, "here"));
    let run = environment.run(["install", "-e", &place]).failure();
    let said = "has inconsistent name: expected 'two', but metadata has 'one'\n";
    assert!(run.stdout.contains(said), "{}", run.stdout);
    assert!(run.stderr.contains("Fix your #egg=two fragments."));
}

#[test]
fn a_build_that_needs_itself_is_named_as_its_file_is() {
    let environment = with_wheels(&[]);
    let wheels = environment.work().join("wheels");
    let mut files = project("self_made", "1.0", "");
    files[0].1 = files[0].1.replace("[]", "[\"self_made\"]");
    let place = wheels.join("self_made-1.0.tar.gz");
    fs_err::write(&place, sdist("self_made-1.0", &files)).unwrap();
    let url = address(&environment, "wheels/self_made-1.0.tar.gz");
    for command in ["install", "wheel"] {
        let line = [command, "--no-index", "-f", "wheels", "self_made"];
        let run = environment.run(line).failure();
        let said = format!("{url} is already being built: self_made from {url}\n");
        assert!(run.stderr.contains(&said), "{}", run.stderr);
    }
}

#[test]
fn a_wheel_of_the_version_that_is_there_is_left_alone() {
    let environment = with_wheels(&[wheel("one", "1.0", &[])]);
    let wheel = "wheels/one-1.0-py3-none-any.whl";
    let by_name = format!("one @ {}", address(&environment, wheel));
    drop(environment.run(["install", wheel]).success());
    let before = environment.fingerprint();
    for place in [wheel, &by_name] {
        let run = environment.run(["install", place]).success();
        assert_eq!(
            last_line(&run.stdout),
            "one is already installed with the same version as the provided wheel. Use \
             --force-reinstall to force an installation of the wheel."
        );
    }
    assert_eq!(environment.fingerprint(), before);
    let line = ["install", "--force-reinstall", wheel];
    let run = environment.run(line).success();
    assert_eq!(last_line(&run.stdout), "Successfully installed one-1.0");
}
