//! What pip does in the corners: constraints on what is there already, conflicts that are told,
//! what stands in the user's own folder, wheels and builds that can't be used.

use bnbpip_testing::{HostedFile, IndexServer, TestEnvironment, WheelBuilder, WheelFault};

use crate::sources::{project, sdist, write};
use crate::support::{environment, index, last_line, listing};

const LOCAL: [&str; 4] = ["install", "--no-index", "--find-links", "."];

/// A folder of wheels for `--find-links`, without any index.
fn with_wheels(wheels: &[WheelBuilder]) -> TestEnvironment {
    let environment = environment(&IndexServer::with([] as [HostedFile; 0]));
    for wheel in wheels {
        wheel.build().write_to(&environment.work());
    }
    environment
}

#[test]
fn constraints_are_about_what_is_asked_for() {
    let server = index();
    let environment = environment(&server);
    drop(
        environment
            .run(["install", "top==2.0", "base==2.0"])
            .success(),
    );
    // Neither the constrained package nor what needs it takes part.
    fs_err::write(environment.work().join("c.txt"), "base==1.0\nnowhere<1\n").unwrap();
    let run = environment
        .run(["install", "tool", "-c", "c.txt"])
        .success();
    assert_eq!(last_line(&run.stdout), "Successfully installed tool-1.0");
    assert_eq!(environment.installed(), ["base-2.0", "tool-1.0", "top-2.0"]);
    // What is asked for is held to them.
    let run = environment.run(["install", "top", "-c", "c.txt"]).success();
    assert_eq!(last_line(&run.stdout), "Successfully installed base-1.0");
}

#[test]
fn packages_that_change_beside_others_are_told_with_what_those_lack() {
    let environment = with_wheels(&[
        WheelBuilder::new("Broken", "1.0").requires_all(&["Gone.Away>2", "Some_Base<1"]),
        WheelBuilder::new("Some_Base", "1.0"),
        WheelBuilder::new("unrelated", "1.0"),
    ]);
    let install = |words: &[&str]| environment.run(LOCAL.iter().chain(words)).success();
    assert!(
        !install(&["Broken", "--no-deps"])
            .stderr
            .contains("requires")
    );
    let stderr = install(&["some-base"]).stderr;
    for line in [
        "\nbroken 1.0 requires Gone.Away>2, which is not installed.\n",
        "\nbroken 1.0 requires Some_Base<1, but you have some-base 1.0 which is incompatible.\n",
    ] {
        assert!(stderr.contains(line), "{stderr}");
    }
    assert!(!install(&["unrelated"]).stderr.contains("requires"));
    // Who wants no dependencies isn't told of them.
    let again = install(&["some-base", "--no-deps", "--force-reinstall"]);
    assert!(!again.stderr.contains("requires"), "{}", again.stderr);
}

#[test]
fn what_has_no_version_can_be_seen_replaced_and_removed() {
    let environment = with_wheels(&[WheelBuilder::new("odd", "1.0")]);
    let odd = || {
        let info = environment.site_packages().join("odd-2010i.dist-info");
        fs_err::create_dir_all(&info).unwrap();
        let metadata = "Metadata-Version: 2.1\nName: odd\nVersion: 2010i\n";
        fs_err::write(info.join("METADATA"), metadata).unwrap();
        fs_err::write(info.join("RECORD"), "odd-2010i.dist-info/METADATA,,\n").unwrap();
    };
    odd();
    assert_eq!(
        environment.run(["freeze"]).success().stdout,
        "odd===2010i\n"
    );
    let run = environment.run(["list", "--format=freeze"]).success();
    assert_eq!(
        (run.stdout.as_str(), run.stderr.as_str()),
        ("odd==2010i\n", "")
    );
    let run = environment.run(["show", "odd"]).success();
    assert!(run.stdout.contains("Version: 2010i\n"), "{}", run.stdout);
    let run = environment.run(["uninstall", "-y", "odd"]).success();
    assert_eq!(
        last_line(&run.stdout),
        "  Successfully uninstalled odd-2010i"
    );
    assert_eq!(environment.installed(), [""; 0]);
    odd();
    drop(environment.run(LOCAL.iter().chain(&["odd"])).success());
    assert_eq!(environment.installed(), ["odd-1.0"]);
}

/// What is beside the user's own folder stays; in a virtual environment it would come first.
#[test]
fn the_users_folder_is_not_in_the_way_of_others() {
    let environment = with_wheels(&[
        WheelBuilder::new("one", "1.0").console_script("run-one", "one:main"),
        WheelBuilder::new("one", "2.0").console_script("run-one", "one:main"),
    ]);
    let config = environment.venv().join("pyvenv.cfg");
    let text = fs_err::read_to_string(&config).unwrap();
    let seeing = text.replace(
        "include-system-site-packages = false",
        "include-system-site-packages = true",
    );
    fs_err::write(&config, seeing).unwrap();
    let run = |words: &[&str]| {
        let mut command = environment.command();
        // Within the environment: what is outside of it isn't its own to remove.
        command.env("PYTHONUSERBASE", environment.venv().join("user"));
        let output = command.args(words).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (
            output.status.success(),
            text(&output.stdout),
            text(&output.stderr),
        )
    };
    let local = |words: &[&str]| run(&[&LOCAL, words].concat());
    assert!(local(&["one==1.0"]).0);
    let (is_done, _, stderr) = local(&["--user", "one==2.0"]);
    let library = environment.site_packages();
    let said = format!(
        "Will not install to the user site because it will lack sys.path precedence to one in {}",
        library.display()
    );
    assert!(!is_done && stderr.contains(&said), "{stderr}");
    // Who looks past what is installed gets both.
    assert!(local(&["--user", "one==2.0", "-I"]).0);
    assert!(library.join("one-1.0.dist-info").is_dir());
    assert!(environment.scripts().join(script("run-one")).exists());
    // The one that comes first goes first; what the other's folder doesn't hold isn't its own.
    assert!(run(&["uninstall", "-y", "one"]).0);
    assert!(!library.join("one-1.0.dist-info").exists());
    let script = environment.scripts().join(script("run-one"));
    fs_err::write(&script, "").unwrap();
    let (_, stdout, stderr) = run(&["uninstall", "-y", "one"]);
    let said = "  Successfully uninstalled one-2.0";
    assert_eq!(last_line(&stdout), said, "{stderr}");
    assert!(script.exists());
}

fn script(name: &str) -> String {
    if cfg!(windows) {
        format!("{name}.exe")
    } else {
        name.to_owned()
    }
}

#[test]
fn a_wheel_that_was_named_and_cannot_be_used_is_told_without_a_search() {
    let environment = with_wheels(&[WheelBuilder::new("simple", "0.1")]);
    let work = environment.work();
    let built = work.join("simple-0.1-py3-none-any.whl");
    fs_err::copy(&built, work.join("unrelated-0.1-py3-none-any.whl")).unwrap();
    fs_err::write(work.join("cut-0.1-py3-none-any.whl"), "zzz").unwrap();
    WheelBuilder::new("empty", "0.1")
        .fault(WheelFault::NoMetadata)
        .build()
        .write_to(&work);
    for (file, said) in [
        (
            "unrelated-0.1-py3-none-any.whl",
            "ERROR: unrelated has an invalid wheel, .dist-info directory 'simple-0.1.dist-info' \
             does not start with 'unrelated'\n",
        ),
        (
            "empty-0.1-py3-none-any.whl",
            "ERROR: empty has an invalid wheel, .dist-info directory not found",
        ),
        ("cut-0.1-py3-none-any.whl", "ERROR: Wheel 'cut' located at "),
    ] {
        let path = work.join(file);
        let line = ["install".as_ref(), "--no-index".as_ref(), path.as_os_str()];
        let stderr = environment.run(line).failure().stderr;
        assert!(stderr.contains(said), "{stderr}");
        assert!(!stderr.contains("No matching"), "{stderr}");
    }
}

#[test]
fn scripts_of_nothing_that_can_be_called_are_refused() {
    let environment =
        with_wheels(&[WheelBuilder::new("silent", "1.0").console_script("hello", "silent")]);
    let stderr = environment
        .run(LOCAL.iter().chain(&["silent"]))
        .failure()
        .stderr;
    let said = "Invalid script entry point: ";
    assert!(stderr.contains(said), "{stderr}");
    assert!(
        stderr.contains("A callable suffix is required."),
        "{stderr}"
    );
}

#[test]
fn final_releases_alone_are_told_where_no_other_may_be_taken() {
    let environment = with_wheels(&[WheelBuilder::new("early", "1.0a1")]);
    let run = |more: &str| environment.run(LOCAL.iter().chain(&[more, "early==1.0a1"]));
    let said = "ERROR: Could not find a final version that satisfies the requirement early==1.0a1 ";
    for option in ["--only-final=:all:", "--only-final=early"] {
        let stderr = run(option).failure().stderr;
        assert!(stderr.contains(said), "{stderr}");
    }
    let stderr = environment
        .run(LOCAL.iter().chain(&["early==7"]))
        .failure()
        .stderr;
    assert!(stderr.contains("Could not find a version "), "{stderr}");
    // A file of one's own has no time, and is no news.
    let line = ["--uploaded-prior-to=2020-01-01", "--pre", "early"];
    drop(environment.run(LOCAL.iter().chain(&line)).success());
}

#[test]
fn builds_that_contradict_themselves_are_refused() {
    let environment = with_wheels(&[
        WheelBuilder::new("helper", "1.0"),
        WheelBuilder::new("helper", "2.0"),
    ]);
    let folder = environment.work().join("project");
    write(
        &project("project", "1.0", "\"build_requires\": [\"helper==2.0\"]"),
        &folder,
    );
    let toml = "[build-system]\nrequires = [\"helper==1.0\"]\nbuild-backend = \"backend\"\n\
                backend-path = [\".\"]\n";
    fs_err::write(folder.join("pyproject.toml"), toml).unwrap();
    let stderr = environment
        .run(LOCAL.iter().chain(&["./project"]))
        .failure()
        .stderr;
    let address = url::Url::from_file_path(&folder).unwrap();
    let said = format!(
        "Some build dependencies for {address} conflict with the backend dependencies: \
         helper==1.0 is incompatible with helper==2.0."
    );
    assert!(stderr.contains(&said), "{stderr}");
}

#[test]
fn one_wheel_that_cannot_be_built_does_not_keep_the_others_back() {
    let environment = with_wheels(&[]);
    let work = environment.work();
    let bad = sdist(
        "bad-1.0",
        &project("bad", "1.0", "\"fails\": \"no compiler\""),
    );
    fs_err::write(work.join("bad-1.0.tar.gz"), bad).unwrap();
    let good = sdist("good-1.0", &project("good", "1.0", ""));
    fs_err::write(work.join("good-1.0.tar.gz"), good).unwrap();
    let line = "wheel --no-index --find-links . -w out bad good";
    let run = environment.run(line.split(' ')).failure();
    for said in [
        "\n  Stored in directory: ",
        "\nSuccessfully built good\n",
        "\nFailed to build bad\n",
    ] {
        assert!(run.stdout.contains(said), "{}", run.stdout);
    }
    assert_eq!(listing(&work.join("out")), ["good-1.0-py3-none-any.whl"]);
    // Nor is a folder that is saved for `-e` built as one that is worked in.
    write(&project("here", "1.0", ""), &work.join("here"));
    fs_err::write(work.join("r.txt"), "-e ./here\n").unwrap();
    let line = "download --no-index -r r.txt -d saved";
    drop(environment.run(line.split(' ')).success());
    assert_eq!(listing(&work.join("saved")), ["here-1.0.zip"]);
}

#[test]
fn hashes_that_exclude_each_other_are_told_as_such() {
    let environment = with_wheels(&[WheelBuilder::new("base", "1.0")]);
    let right = WheelBuilder::new("base", "1.0").build().sha256();
    let (one, other) = (
        format!("base==1.0 --hash=sha256:{right}\n"),
        format!("base==1.0 --hash=sha256:{}\n", "0".repeat(64)),
    );
    let work = environment.work();
    let run = |requirements: &str, constraints: &str, more: &[&str]| {
        fs_err::write(work.join("r.txt"), requirements).unwrap();
        fs_err::write(work.join("c.txt"), constraints).unwrap();
        let line = LOCAL.iter().chain(&["-c", "c.txt"]).chain(more);
        environment.run(line).failure().stderr
    };
    let stderr = run(&one, &other, &["-r", "r.txt"]);
    let said = "THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.";
    assert!(stderr.contains(said), "{stderr}");
    let stderr = run("", &format!("{one}{other}"), &["base==1.0"]);
    let said = "Hashes are required in --require-hashes mode, but they are missing from some \
                requirements";
    assert!(stderr.contains(said), "{stderr}");
}

#[test]
fn locks_of_this_machines_files_are_installed() {
    let environment = with_wheels(&[WheelBuilder::new("simple", "2.0")]);
    let work = environment.work();
    let wheel = work.join("simple-2.0-py3-none-any.whl");
    let sha256 = WheelBuilder::new("simple", "2.0").build().sha256();
    let address = url::Url::from_file_path(&wheel).unwrap();
    let lock = |sha256: &str| {
        let text = format!(
            "lock-version = \"1.0\"\ncreated-by = \"other\"\n[[packages]]\nname = \"simple\"\n\
             version = \"2.0\"\n[[packages.wheels]]\nname = \"simple-2.0-py3-none-any.whl\"\n\
             url = \"{address}\"\nhashes = {{ sha256 = \"{sha256}\" }}\n"
        );
        fs_err::write(work.join("pylock.toml"), text).unwrap();
        environment.run(["install", "--no-index", "-r", "pylock.toml"])
    };
    let stderr = lock(&"0".repeat(64)).failure().stderr;
    assert!(stderr.contains(&format!("Got        {sha256}")), "{stderr}");
    drop(lock(&sha256).success());
    assert_eq!(environment.installed(), ["simple-2.0"]);
    let run = lock(&sha256).success();
    assert!(run.stderr.contains("experimental in pip"), "{}", run.stderr);
    let stdout = run.stdout;
    assert!(
        stdout.starts_with("Requirement already satisfied: simple==2.0 in "),
        "{stdout}"
    );
    assert!(stdout.ends_with(" (from pylock.toml) (2.0)\n"), "{stdout}");
    for (text, said) in [
        (None, "ERROR: Error reading pylock file 'pylock.toml'\n"),
        (
            Some("x = 1\n"),
            "ERROR: Invalid pylock file 'pylock.toml'\n",
        ),
        (
            Some(
                "lock-version = \"1.0\"\ncreated-by = \"x\"\nrequires-python = \"<3\"\npackages = []\n",
            ),
            "ERROR: Cannot select requirements from pylock file 'pylock.toml'\n",
        ),
    ] {
        fs_err::remove_file(work.join("pylock.toml")).unwrap();
        if let Some(text) = text {
            fs_err::write(work.join("pylock.toml"), text).unwrap();
        }
        let run = environment.run(["install", "--no-index", "-r", "pylock.toml"]);
        let stderr = run.failure().stderr;
        assert!(stderr.contains(said), "{stderr}");
        fs_err::write(work.join("pylock.toml"), "").unwrap();
    }
}

#[test]
fn versions_with_metadata_that_cannot_be_read_are_passed_over_with_a_word() {
    let environment = with_wheels(&[
        WheelBuilder::new("odd", "0.1"),
        WheelBuilder::new("odd", "1.0").requires("helper==2010i"),
    ]);
    let run = environment
        .run(LOCAL.iter().chain(&["--dry-run", "odd"]))
        .success();
    let said = "WARNING: Ignoring version 1.0 of odd since it has invalid metadata";
    assert!(run.stderr.contains(said), "{}", run.stderr);
    assert_eq!(last_line(&run.stdout), "Would install odd-0.1");
}

/// pip is silent about it. A file that no record knows is how one is smuggled past those who check,
/// and a hash that no file has makes every later check fail.
#[test]
fn where_a_record_and_its_files_disagree_is_told() {
    let of_file = |fault: fn(String) -> WheelFault| {
        WheelBuilder::new("one", "1.0")
            .file("some.py", "")
            .fault(fault("some.py".into()))
    };
    for (fault, said) in [
        (
            WheelFault::NotInRecord as fn(String) -> WheelFault,
            "`RECORD` doesn't list `some.py`",
        ),
        (
            WheelFault::WrongRecordHash,
            "`RECORD` has a wrong hash or size for `some.py`",
        ),
    ] {
        let environment = with_wheels(&[of_file(fault)]);
        let stderr = environment
            .run([&LOCAL[..], &["one"]].concat())
            .success()
            .stderr;
        let said = format!("WARNING: Wheel `one-1.0-py3-none-any.whl`: {said}");
        assert!(stderr.contains(&said), "{stderr}");
        let record = environment.site_packages().join("one-1.0.dist-info/RECORD");
        let record = fs_err::read_to_string(record).unwrap();
        // The SHA-256 of nothing.
        let row = "some.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\n";
        assert!(record.contains(row), "{record}");
    }
}

/// One that lists nothing at all hides nothing: there pip's silence is kept.
#[test]
fn a_record_without_rows_is_no_reason_to_warn() {
    let wheel = WheelBuilder::new("one", "1.0").fault(WheelFault::EmptyRecord);
    let environment = with_wheels(&[wheel]);
    let run = environment.run([&LOCAL[..], &["one"]].concat()).success();
    assert!(!run.stderr.contains("WARNING"), "{}", run.stderr);
    let removed = environment.run(["uninstall", "-y", "one"]).success();
    assert_eq!(environment.installed(), [""; 0], "{}", removed.stderr);
}

#[test]
fn what_is_empty_asks_for_nothing() {
    let environment = with_wheels(&[WheelBuilder::new("base", "1.0")]);
    drop(
        environment
            .run(LOCAL.iter().chain(&["base", "", " "]))
            .success(),
    );
    assert_eq!(environment.installed(), ["base-1.0"]);
}
