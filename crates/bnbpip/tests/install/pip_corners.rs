//! More of what pip's own tests look into: places that aren't there, hashes that can't be, and who
//! is said to need what.

use bnbpip_testing::WheelBuilder;

use crate::sources;
use crate::support::{environment, index, last_line, with_wheels};

#[test]
fn places_that_are_not_there_are_passed_over_with_a_word() {
    let environment = with_wheels(&[WheelBuilder::new("one", "1.0")]);
    let said = "WARNING: Location 'gone' is ignored: it is either a non-existing path or lacks a \
                specific scheme.\n";
    for command in ["install", "download -d files", "wheel -w files"] {
        let line = format!("{command} --no-index -f gone -f wheels one");
        let run = environment.run(line.split(' ')).success();
        assert!(run.stderr.contains(said), "{}", run.stderr);
    }
    assert_eq!(environment.installed(), ["one-1.0"]);
    fs_err::write(environment.work().join("r.txt"), "-f gone\none\n").unwrap();
    let line = "install --no-index --force-reinstall -f wheels -r r.txt";
    let run = environment.run(line.split(' ')).success();
    assert!(run.stderr.contains(said), "{}", run.stderr);
}

#[test]
fn a_wheel_with_a_hash_that_no_file_has_is_not_taken() {
    let environment = with_wheels(&[WheelBuilder::new("one", "1.0")]);
    let wheel = environment.work().join("wheels/one-1.0-py3-none-any.whl");
    let address = url::Url::from_file_path(&wheel).unwrap();
    let right = WheelBuilder::new("one", "1.0").build().sha256();
    for wrong in [
        "sha512=1234567890abcdef",
        "md5=1234567890abcdef",
        "sha256=x",
    ] {
        for form in [
            format!("{address}#{wrong}"),
            format!("one @ {address}#{wrong}"),
        ] {
            let run = environment.run(["install", "--no-index", &form]).failure();
            let (algorithm, hex) = wrong.split_once('=').unwrap();
            let said = format!("no file has the {algorithm} `{hex}`");
            assert!(run.stderr.contains(&said), "{form}: {}", run.stderr);
        }
    }
    assert_eq!(environment.installed(), [""; 0]);
    let form = format!("{address}#sha256={right}&egg=one");
    drop(environment.run(["install", "--no-index", &form]).success());
}

#[test]
fn options_are_looked_at_before_requirements() {
    let environment = with_wheels(&[]);
    for (line, said) in [
        (
            "install --python-version=3.1 --only-binary=:all:",
            "Can not use any platform or abi specific options unless installing via '--target'",
        ),
        (
            "install --user --target out ./gone",
            "Can not combine '--user' and '--target'",
        ),
    ] {
        let stderr = environment.run(line.split(' ')).failure().stderr;
        assert!(stderr.contains(said), "{stderr}");
    }
}

#[test]
fn an_option_in_place_of_an_index_is_told_first() {
    let environment = with_wheels(&[]);
    let line = ["install", "--index-url", "--user", "./gone", "one"];
    let stderr = environment.run(line).failure().stderr;
    let said = "WARNING: The index url \"--user\" seems invalid, please provide a scheme.\n";
    assert!(stderr.contains(said), "{stderr}");
}

#[test]
fn a_fragment_names_a_project_and_nothing_else() {
    let environment = with_wheels(&[WheelBuilder::new("one", "1.0")]);
    let wheel = environment.work().join("wheels/one-1.0-py3-none-any.whl");
    let address = url::Url::from_file_path(wheel).unwrap();
    fs_err::write(
        environment.work().join("c.txt"),
        format!("{address}#egg=one[more]\n"),
    )
    .unwrap();
    let repository = "git+file:///gone.git#egg=one[more]";
    for (line, egg) in [
        (
            &["install", &format!("{address}#egg=one[more]")][..],
            "one[more]",
        ),
        (&["install", &format!("{address}#egg=one==1.0")], "one==1.0"),
        (&["install", "-e", repository], "one[more]"),
        (&["install", "-c", "c.txt", "one"], "one[more]"),
    ] {
        let stderr = environment.run(line).failure().stderr;
        let said = format!("The '{egg}' egg fragment is invalid");
        assert!(stderr.contains(&said), "{stderr}");
    }
    assert_eq!(environment.installed(), [""; 0]);
}

#[test]
fn what_an_extra_needs_is_said_to_come_from_it() {
    let environment = with_wheels(&[
        WheelBuilder::new("base", "1.0")
            .extra("more")
            .requires("dep; extra == 'more'"),
        WheelBuilder::new("dep", "1.0"),
    ]);
    for asked in [["base", "base[more]"], ["base[more]", "base"]] {
        let line = ["install", "--no-index", "-f", "wheels", "--force-reinstall"];
        let run = environment.run(line.iter().chain(&asked)).success();
        assert!(run.stdout.contains("(from base[more])\n"), "{}", run.stdout);
        assert_eq!(
            last_line(&run.stdout),
            "Successfully installed base-1.0 dep-1.0"
        );
    }
}

#[test]
fn an_upgrade_keeps_what_no_place_has() {
    let environment = with_wheels(&[WheelBuilder::new("one", "1.0")]);
    let line = "install --no-index -f wheels one";
    drop(environment.run(line.split(' ')).success());
    for line in [
        "install --no-index -U one",
        "install --no-index --upgrade one>=0.5",
    ] {
        let run = environment.run(line.split(' ')).success();
        let said = "Requirement already satisfied: one";
        assert!(run.stdout.contains(said), "{line}: {run:?}");
    }
    let run = environment.run(["install", "--no-index", "-U", "one>1.0"]);
    let said = "No matching distribution found for one>1.0";
    assert!(run.failure().stderr.contains(said));
}

#[test]
fn an_option_takes_the_next_word_whatever_it_begins_with() {
    let environment = with_wheels(&[]);
    let folder = environment.work().join("local");
    sources::write(&sources::project("local", "1.0", ""), &folder);
    let line = "install --no-index -C --build-option=--debug ./local";
    drop(environment.run(line.split(' ')).success());
    let module = fs_err::read_to_string(environment.site_packages().join("local.py")).unwrap();
    assert_eq!(module, "built_with = {'--build-option': '--debug'}\n");
    let run = environment.run(["install", "-r", "-U"]).failure();
    let said = "Could not open requirements file: [Errno 2] No such file or directory: '-U'";
    assert!(run.stderr.contains(said), "{}", run.stderr);
}

#[test]
fn the_backends_words_are_in_the_log_and_seen_with_v() {
    let environment = with_wheels(&[]);
    let folder = environment.work().join("local");
    sources::write(&sources::project("local", "1.0", ""), &folder);
    let said = "  prepare_metadata_for_build_wheel:\n    preparing\n";
    let line = "--log log.txt install --no-index ./local";
    let run = environment.run(line.split(' ')).success();
    assert!(!run.stderr.contains("preparing"), "{}", run.stderr);
    let log = fs_err::read_to_string(environment.work().join("log.txt")).unwrap();
    assert!(log.contains("    preparing\n"), "{log}");
    let line = "install --no-index --force-reinstall -v ./local";
    let run = environment.run(line.split(' ')).success();
    assert!(run.stderr.contains(said), "{}", run.stderr);
}

#[test]
fn eager_upgrades_what_newcomers_need() {
    let environment = with_wheels(&[
        WheelBuilder::new("deep", "1.0"),
        WheelBuilder::new("deep", "2.0"),
        WheelBuilder::new("dep", "1.0"),
        WheelBuilder::new("dep", "2.0").requires("deep"),
        WheelBuilder::new("new", "1.0").requires("dep"),
        WheelBuilder::new("other", "1.0"),
        WheelBuilder::new("other", "2.0"),
    ]);
    let line = "install --no-index -f wheels dep==1.0 deep==1.0 other==1.0";
    drop(environment.run(line.split(' ')).success());
    let line = "install --no-index -f wheels -U --upgrade-strategy eager new";
    drop(environment.run(line.split(' ')).success());
    let upgraded = ["deep-2.0", "dep-2.0", "new-1.0", "other-1.0"];
    assert_eq!(environment.installed(), upgraded);
}

#[test]
fn without_isolation_a_backend_is_not_asked_what_it_needs() {
    let environment = with_wheels(&[]);
    let folder = environment.work().join("local");
    let needs = "\"build_requires\": [\"nowhere\"]";
    sources::write(&sources::project("local", "1.0", needs), &folder);
    let run = environment
        .run(["install", "--no-index", "./local"])
        .failure();
    assert!(run.stderr.contains("nowhere"), "{}", run.stderr);
    let line = "install --no-index --no-build-isolation ./local";
    drop(environment.run(line.split(' ')).success());
    let line = "install --no-index --no-build-isolation --check-build-dependencies \
                --force-reinstall ./local";
    let run = environment.run(line.split_whitespace()).failure();
    assert!(run.stderr.contains("nowhere"), "{}", run.stderr);
}

#[test]
fn what_has_no_record_is_installed_over() {
    let server = index();
    let environment = environment(&server);
    drop(environment.run(["install", "base==1.0"]).success());
    let record = environment
        .site_packages()
        .join("base-1.0.dist-info/RECORD");
    fs_err::remove_file(record).unwrap();
    let refused = environment.run(["install", "base==2.0"]).failure();
    let hint = "pip install --ignore-installed --no-deps base==1.0";
    assert!(refused.stderr.contains(hint), "{}", refused.stderr);
    for version in ["base==1.0", "base==2.0"] {
        let arguments = ["install", "--ignore-installed", "--no-deps", version];
        let run = environment.run(arguments).success();
        assert!(!run.stdout.contains("uninstall"), "{}", run.stdout);
    }
    assert_eq!(environment.installed(), ["base-2.0"]);
    let code = "import base; assert base.__version__ == '2.0'";
    drop(environment.python(code).success());
}
