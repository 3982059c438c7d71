//! The printed command, and `--fix`.

use bnbpip_testing::{IndexServer, TestEnvironment, WheelBuilder};

use super::{environment, index, printed_command};

fn assert_clean(environment: &TestEnvironment) {
    let run = environment.run(["doctor"]);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
}

#[test]
fn the_printed_command_mends_a_broken_pair() {
    let server = index();
    let environment = environment(
        &server,
        &[
            WheelBuilder::new("bitsandbytes", "0.43.0"),
            WheelBuilder::new("triton", "3.2.0"),
            WheelBuilder::new("setuptools", "75.0"),
        ],
    );
    let run = environment.run(["doctor"]);
    assert_eq!(run.code, 5);
    assert_eq!(environment.run(printed_command(&run.stdout)).code, 0);
    assert_eq!(
        environment.installed(),
        ["bitsandbytes-0.45.5", "setuptools-75.0", "triton-3.2.0"]
    );
    assert_clean(&environment);
}

#[test]
fn fix_mends_many_things_at_once() {
    let server = index();
    let environment = environment(
        &server,
        &[
            WheelBuilder::new("bitsandbytes", "0.43.0"),
            WheelBuilder::new("triton", "3.2.0"),
            WheelBuilder::new("top", "1.0").requires("helper<2"),
            WheelBuilder::new("helper", "2.0"),
            WheelBuilder::new("onnxruntime", "1.20.0"),
            WheelBuilder::new("onnxruntime-gpu", "1.20.0"),
        ],
    );
    let library = environment.site_packages();
    fs_err::create_dir(library.join("~elper")).unwrap();
    fs_err::remove_file(library.join("top/__init__.py")).unwrap();
    let run = environment.run(["doctor"]);
    assert_eq!(run.code, 5);
    assert_eq!(printed_command(&run.stdout), ["doctor", "--fix"]);
    let run = environment.run(["doctor", "--fix"]);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    assert!(
        run.stdout.ends_with("No problems found.\n"),
        "{}",
        run.stdout
    );
    assert_eq!(
        environment.installed(),
        [
            "bitsandbytes-0.45.5",
            "helper-1.0",
            "onnxruntime_gpu-1.20.0",
            "setuptools-75.0",
            "top-1.0",
            "triton-3.2.0"
        ]
    );
    assert!(!library.join("~elper").exists());
    assert!(library.join("top/__init__.py").exists());
    assert_clean(&environment);
}

#[test]
fn what_only_the_person_can_do_is_left() {
    let server = index();
    let environment = environment(
        &server,
        &[
            WheelBuilder::new("helper", "1.0"),
            WheelBuilder::new("other", "1.0").file("helper/__init__.py", "theirs = 1\n"),
        ],
    );
    let before = environment.fingerprint();
    let run = environment.run(["doctor", "--fix"]);
    assert_eq!(run.code, 5);
    assert!(!run.stdout.contains("This command"), "{}", run.stdout);
    assert_eq!(environment.fingerprint(), before);
}

#[test]
fn a_package_that_is_recorded_twice_is_installed_again() {
    let server = index();
    let environment = environment(&server, &[WheelBuilder::new("helper", "1.0")]);
    let library = environment.site_packages();
    let info = library.join("helper-0.9.dist-info");
    fs_err::create_dir(&info).unwrap();
    fs_err::write(
        info.join("METADATA"),
        "Metadata-Version: 2.1\nName: helper\nVersion: 0.9\n",
    )
    .unwrap();
    let run = environment.run(["doctor"]);
    assert_eq!(run.code, 5);
    assert!(
        run.stdout
            .contains("helper is recorded twice: as 0.9 and as 1.0"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.contains("to do: remove the folder `"),
        "{}",
        run.stdout
    );
    let record = "helper-0.9.dist-info/METADATA,,\nhelper-0.9.dist-info/RECORD,,\n";
    fs_err::write(info.join("RECORD"), record).unwrap();
    assert_eq!(environment.run(["doctor", "--fix"]).code, 0);
    assert_eq!(environment.installed(), ["helper-1.0"]);
    assert_clean(&environment);
}

#[test]
fn what_is_only_advised_against_is_mended_too() {
    let wheels = ["2.8.0", "2.11.0"].map(|version| WheelBuilder::new("torch", version).build());
    let server = IndexServer::with(wheels);
    let environment = environment(
        &server,
        &[
            WheelBuilder::new("torch", "2.8.0"),
            WheelBuilder::new("torchao", "0.17.0"),
        ],
    );
    let run = environment.run(["doctor"]);
    assert_eq!(run.code, 5);
    assert!(run.stdout.contains("[warn] BNB-0039"), "{}", run.stdout);
    assert_eq!(printed_command(&run.stdout), ["install", "torch==2.11.0"]);
    assert_eq!(environment.run(printed_command(&run.stdout)).code, 0);
    assert_clean(&environment);
}

#[test]
fn without_an_index_the_command_says_that_it_was_not_tried() {
    let server = index();
    let environment = environment(
        &server,
        &[
            WheelBuilder::new("bitsandbytes", "0.43.0"),
            WheelBuilder::new("triton", "3.2.0"),
            WheelBuilder::new("setuptools", "75.0"),
        ],
    );
    let run = environment.run(["doctor", "--offline"]);
    assert_eq!(run.code, 5);
    assert_eq!(
        printed_command(&run.stdout),
        ["install", "bitsandbytes>=0.45.1"]
    );
    assert!(
        run.stdout.contains("The command could not be tried out: "),
        "{}",
        run.stdout
    );
}

#[test]
fn the_printed_command_mends_what_has_no_list_of_its_files() {
    let server = index();
    for damage in ["", "a,b,c,d\n\u{1}"] {
        let environment = environment(&server, &[WheelBuilder::new("helper", "1.0")]);
        let info = environment.site_packages().join("helper-1.0.dist-info");
        fs_err::write(info.join("INSTALLER"), "pip\n").unwrap();
        fs_err::remove_file(info.join("RECORD")).unwrap();
        if !damage.is_empty() {
            fs_err::write(info.join("RECORD"), damage).unwrap();
        }
        let run = environment.run(["doctor"]);
        assert_eq!(run.code, 5, "{}", run.stdout);
        let command = printed_command(&run.stdout);
        assert_eq!(command[1], "--ignore-installed");
        let run = environment.run(command);
        assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
        assert_clean(&environment);
    }
}
